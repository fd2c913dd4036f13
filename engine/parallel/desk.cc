// The desks of parallel workers, and the queues on them.
#include "engine/parallel/desk.h"

#include <algorithm>
#include <cstring>
#include <new>

#include "engine/parallel/error_bytes.h"

namespace connbench::engine {
namespace {

// Before each message: its length, and what it is.
constexpr uint32_t kErrorFlag = 0x80000000;

void CopyIn(char* queue, uint64_t at, const char* bytes, size_t count) {
  const size_t offset = at % ParallelDesk::kQueueBytes;
  const size_t first = std::min<size_t>(count, ParallelDesk::kQueueBytes - offset);
  std::memcpy(queue + offset, bytes, first);
  std::memcpy(queue, bytes + first, count - first);
}

void CopyOut(const char* queue, uint64_t at, char* bytes, size_t count) {
  const size_t offset = at % ParallelDesk::kQueueBytes;
  const size_t first = std::min<size_t>(count, ParallelDesk::kQueueBytes - offset);
  std::memcpy(bytes, queue + offset, first);
  std::memcpy(bytes + first, queue, count - first);
}

}  // namespace

int64_t ParallelDesks::ShmemSize(const EngineConfig& config) {
  if (config.max_parallel_workers == 0) return 0;
  return AddSize(kCacheLineBytes, MulSize(config.max_parallel_workers, sizeof(ParallelDesk)));
}

Status ParallelDesks::Init(Segment& segment, const EngineConfig& config) {
  if (config.max_parallel_workers == 0) return {};
  CONNBENCH_ASSIGN_OR_RETURN(void* memory,
                             segment.Allocate(SegmentPart::kParallelDesks, ShmemSize(config)));
  auto* desks = new (memory) ParallelDesks();
  desks->count_ = static_cast<uint32_t>(config.max_parallel_workers);
  for (uint32_t i = 0; i < desks->count_; ++i) new (&desks->desk(i)) ParallelDesk;
  return {};
}

ParallelDesk* ParallelDesks::Join(BackendNumber worker) {
  for (uint32_t i = 0; i < count_; ++i) {
    uint32_t nobody = 0;
    ParallelDesk& free = desk(i);
    if (!free.worker.compare_exchange_strong(nobody, worker + 1)) continue;
    free.state.store(ParallelDesk::State::kIdle, std::memory_order_seq_cst);
    return &free;
  }
  return nullptr;
}

ParallelDesk* ParallelDesks::Claim() {
  for (uint32_t i = 0; i < count_; ++i) {
    ParallelDesk& idle = desk(i);
    ParallelDesk::State expected = ParallelDesk::State::kIdle;
    if (idle.state.compare_exchange_strong(expected, ParallelDesk::State::kClaimed)) return &idle;
  }
  return nullptr;
}

bool QueueWriter::SendError(const ErrorInfo& error) { return Send(WriteError(error), kErrorFlag); }

bool QueueWriter::Send(std::string_view bytes, uint32_t flag) {
  const uint32_t header = static_cast<uint32_t>(bytes.size()) | flag;
  return Write(reinterpret_cast<const char*>(&header), sizeof header) &&
         Write(bytes.data(), bytes.size());
}

bool QueueWriter::Write(const char* bytes, size_t count) {
  while (count > 0) {
    const uint32_t word = worker_.WakeupWord();
    if (desk_.stop.load(std::memory_order_seq_cst) != 0) return false;
    const uint64_t used = written_ - desk_.read.load(std::memory_order_acquire);
    const size_t room = ParallelDesk::kQueueBytes - used;
    if (room == 0) {
      Flush();
      worker_.Wait(word, kNoDeadline, WaitReason::kRowQueue);
      continue;
    }
    const size_t part = std::min(count, room);
    CopyIn(desk_.queue, written_, bytes, part);
    bytes += part;
    count -= part;
    written_ += part;
    if (written_ - shown_ >= ParallelDesk::kBatchBytes) Flush();
  }
  return true;
}

void QueueWriter::Flush() {
  if (shown_ == written_) return;
  desk_.written.store(written_, std::memory_order_release);
  shown_ = written_;
  backends_.slot(desk_.leader.load(std::memory_order_relaxed)).wakeup.Ring();
}

bool QueueReader::Take(char* out, size_t count) {
  if (written_ - read_ < count) {
    written_ = desk_->written.load(std::memory_order_acquire);
    if (written_ - read_ < count) return false;
  }
  CopyOut(desk_->queue, read_, out, count);
  Consume(count);
  return true;
}

void QueueReader::Consume(size_t count) {
  read_ += count;
  if (read_ - told_ < ParallelDesk::kBatchBytes && read_ != written_) return;
  desk_->read.store(read_, std::memory_order_release);
  told_ = read_;
  const uint32_t worker = desk_->worker.load(std::memory_order_relaxed);
  if (worker != 0) backends_->slot(worker - 1).wakeup.Ring();
}

QueueReader::Outcome QueueReader::Read(std::string_view& message, Status& error) {
  // Before the queue is looked at: what a worker has written is there once it is done.
  const bool done = desk_->state.load(std::memory_order_acquire) == ParallelDesk::State::kDone;
  const auto nothing = [done] { return done ? Outcome::kEnd : Outcome::kNothingYet; };
  if (!has_header_) {
    uint32_t header = 0;
    if (!Take(reinterpret_cast<char*>(&header), sizeof header)) return nothing();
    has_header_ = true;
    length_ = header & ~kErrorFlag;
    is_error_ = (header & kErrorFlag) != 0;
    taken_ = 0;
    message_.resize(length_);
  }
  while (taken_ < length_) {
    if (written_ == read_) written_ = desk_->written.load(std::memory_order_acquire);
    const size_t part = std::min<size_t>(length_ - taken_, written_ - read_);
    if (part == 0 || !Take(message_.data() + taken_, part)) return nothing();
    taken_ += part;
  }
  has_header_ = false;
  if (is_error_) {
    error = ReadError(message_);
    return Outcome::kError;
  }
  message = message_;
  return Outcome::kRow;
}

}  // namespace connbench::engine
