// Reads of pages through io_urings.
#include "engine/storage/ring_reads.h"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "base/io_uring_refusal.h"
#include "engine/config.h"

namespace connbench::engine {
namespace {

// In place of a loop's event descriptor: who is rung may need a signal.
constexpr int kNotFromLoop = -1;

thread_local LoopReads* reads_of_this_thread = nullptr;

}  // namespace

LoopReads::LoopReads(const BufferPool& process, const PagesReader& reader,
                     std::unique_ptr<ReadRing> ring, int event_fd)
    : pool_(process),
      backends_(process.backends()),
      reader_(reader),
      ring_(std::move(ring)),
      event_fd_(event_fd),
      entries_(kMost) {
  free_.reserve(kMost);
  for (uint32_t index = kMost; index-- > 0;) free_.push_back(index);
  reads_of_this_thread = this;
}

LoopReads::~LoopReads() {
  while (!idle()) TakeEnded(/*wait=*/true, kNotFromLoop);
  reads_of_this_thread = nullptr;
}

void LoopReads::FinishOfThisThread() {
  LoopReads* const reads = reads_of_this_thread;
  while (reads != nullptr && !reads->idle()) reads->TakeEnded(/*wait=*/true, kNotFromLoop);
}

Status LoopReads::AwaitRoom(Backend& session) {
  while (!has_room()) {
    const uint32_t word = session.WakeupWord();
    CONNBENCH_RETURN_IF_ERROR(session.CheckInterruptsNow());
    without_room_.push_back(session.number());
    session.Wait(word, session.statement_deadline(), WaitReason::kPageRead);
    std::erase(without_room_, session.number());
  }
  return {};
}

uint32_t LoopReads::Begin(const ReadRequest& request, char* to, Status& failure) {
  const uint32_t index = free_.back();
  free_.pop_back();
  entries_[index] = {.request = request,
                     .read = {.tag = request.tag, .place = request.place, .to = to},
                     .failure = &failure};
  Submit(index, kNotFromLoop);
  // What the kernel has in its page cache has been read by now.
  TakeEnded(/*wait=*/false, kNotFromLoop);
  return index;
}

void LoopReads::Forget(uint32_t read, const Status& failure) {
  Entry& entry = entries_[read];  // which may be another's by now
  if (entry.failure == &failure) entry.failure = nullptr;
}

void LoopReads::Reap() { TakeEnded(/*wait=*/false, event_fd_); }

void LoopReads::Submit(uint32_t index, int own_event_fd) {
  Status begun = reader_.Begin(*ring_, entries_[index].read, index);
  if (!begun.ok()) End(index, std::move(begun), own_event_fd);
}

void LoopReads::TakeEnded(bool wait, int own_event_fd) {
  ReadRing::Ended ended;
  while (ring_->Next(wait, ended)) {
    wait = false;
    const auto index = static_cast<uint32_t>(ended.token);
    Result<bool> whole = reader_.GoOn(entries_[index].read, ended.result);
    if (whole.ok() && !*whole) {
      Submit(index, own_event_fd);
    } else {
      End(index, whole.TakeStatus(), own_event_fd);
    }
  }
  RingThoseWithoutRoom();
}

void LoopReads::End(uint32_t index, Status status, int own_event_fd) {
  Entry& entry = entries_[index];
  Status* const failure = std::exchange(entry.failure, nullptr);
  const bool failed = pool_.EndRingRead(entry.request, status.ok(), own_event_fd);
  if (failed && failure != nullptr) *failure = std::move(status);
  free_.push_back(index);
}

// As many as there is room for, the first ones first; each takes itself off.
void LoopReads::RingThoseWithoutRoom() {
  const size_t count = std::min(free_.size(), without_room_.size());
  for (size_t i = 0; i < count; ++i) backends_.slot(without_room_[i]).wakeup.Ring();
}

Status RingReads::Check(Files& files) {
  std::unique_ptr<ReadRing> ring;
  const int opened = files.OpenRing(/*reads=*/1, /*event_fd=*/-1, ring);
  if (opened == 0) return {};
  return Status::Error(
             sqlstate::kFeatureNotSupported,
             fmt::format("io_method=io_uring cannot be used: {}", IoUringRefusal(-opened)))
      .WithHint("Use io_method=worker, which does without, or permit io_uring to this process.");
}

Result<std::unique_ptr<ReadRing>> RingReads::OpenRing(uint32_t reads, int event_fd) {
  std::unique_ptr<ReadRing> ring;
  const int opened = files_.OpenRing(reads, event_fd, ring);
  if (opened == 0) return ring;
  return Status::Error(sqlstate::kSystemError,
                       fmt::format("could not make an io_uring: {}", IoUringRefusal(-opened)));
}

Result<LoopReads*> RingReads::LoopOf(Waiter& waiter) {
  ThreadIoPlace* const place = waiter.thread_io();
  if (place == nullptr) return static_cast<LoopReads*>(nullptr);
  if (place->io == nullptr) {
    CONNBENCH_ASSIGN_OR_RETURN(const PagesReader* reader, process_.store()->Reader());
    CONNBENCH_ASSIGN_OR_RETURN(std::unique_ptr<ReadRing> ring,
                               OpenRing(LoopReads::kMost, place->event_fd));
    place->io = std::make_unique<LoopReads>(process_, *reader, std::move(ring), place->event_fd);
  }
  return static_cast<LoopReads*>(place->io.get());
}

Status RingReads::Read(uint64_t tag, PagePlace place, char* to, Waiter& waiter) {
  CONNBENCH_ASSIGN_OR_RETURN(const PagesReader* reader, process_.store()->Reader());
  CONNBENCH_ASSIGN_OR_RETURN(std::unique_ptr<ReadRing> ring, Take(waiter));
  Status read = ReadBy(*ring, *reader, {.tag = tag, .place = place, .to = to}, waiter);
  GiveBack(std::move(ring));
  return read;
}

Status RingReads::ReadBy(ReadRing& ring, const PagesReader& reader, RingRead read, Waiter& waiter) {
  while (true) {
    CONNBENCH_RETURN_IF_ERROR(reader.Begin(ring, read, /*token=*/0));
    ReadRing::Ended ended;
    if (!ring.Next(/*wait=*/false, ended)) {
      waiter.Block([&ring, &ended] { ring.Next(/*wait=*/true, ended); });
    }
    CONNBENCH_ASSIGN_OR_RETURN(const bool whole, reader.GoOn(read, ended.result));
    if (whole) return {};
  }
}

Result<std::unique_ptr<ReadRing>> RingReads::Take(Waiter& waiter) {
  std::unique_ptr<ReadRing> ring;
  {
    const MutexLock lock(mutex_);
    if (!free_.empty()) return TakeFree();
    if (rings_ < kMostRings) {
      free_.reserve(static_cast<size_t>(rings_) + 1);  // where it will be given back
      CONNBENCH_ASSIGN_OR_RETURN(ring, OpenRing(/*reads=*/1, /*event_fd=*/-1));
      ++rings_;
      return ring;
    }
  }
  // Who has one waits for the kernel alone, so that one comes back.
  waiter.Block([this, &ring] {
    MutexLock lock(mutex_);
    while (free_.empty()) given_back_.wait(lock.native());
    ring = TakeFree();
  });
  return ring;
}

std::unique_ptr<ReadRing> RingReads::TakeFree() {
  std::unique_ptr<ReadRing> ring = std::move(free_.back());
  free_.pop_back();
  return ring;
}

void RingReads::GiveBack(std::unique_ptr<ReadRing> ring) {
  const MutexLock lock(mutex_);
  free_.push_back(std::move(ring));
  given_back_.notify_one();
}

}  // namespace connbench::engine
