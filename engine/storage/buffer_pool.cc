// The shared buffer pool: 8 KiB frames in the segment, found by (storage id, block number).
#include "engine/storage/buffer_pool.h"

#include <fmt/format.h>
#include <sched.h>

#include <algorithm>
#include <bit>
#include <cstdio>
#include <cstdlib>
#include <cstring>

#include "base/units.h"
#include "engine/config.h"
#include "engine/segment/segment.h"
#include "engine/storage/page_log.h"
#include "engine/storage/page_store.h"

namespace connbench::engine {
namespace {

// A chain longer than this is either damaged by a concurrent removal under our feet or improbable.
constexpr int kMaxLatchFreeSteps = 64;
constexpr int64_t kMinFrames = 16;
// The reserve: a sixteenth of the pool, within these limits. TRUNCATE takes two pages for each
// index.
constexpr int64_t kMinReservedFrames = 2;
constexpr int64_t kMaxReservedFrames = 128;

uint32_t BucketCount(int64_t frames) {
  return static_cast<uint32_t>(std::bit_ceil(static_cast<uint64_t>(frames)));
}

int64_t DescriptorBytes(int64_t frames) {
  int64_t bytes = AlignSize(sizeof(BufferPoolHeader), kCacheLineBytes);
  bytes =
      AddSize(bytes, AlignSize(MulSize(BucketCount(frames), sizeof(uint32_t)), kCacheLineBytes));
  return AddSize(bytes, MulSize(frames, sizeof(BufferFrame)));
}

}  // namespace

static_assert(std::is_trivially_destructible_v<BufferFrame>);
static_assert(std::is_trivially_destructible_v<BufferPoolHeader>);

int64_t BufferPool::FrameCount(const EngineConfig& config) {
  return std::clamp<int64_t>(config.shared_buffers_bytes / kPageSize, kMinFrames, kNoFrame - 1);
}

int64_t BufferPool::ShmemSize(const EngineConfig& config) {
  const int64_t frames = FrameCount(config);
  return AddSize(AddSize(DescriptorBytes(frames), MulSize(frames, kPageSize)),
                 2 * Segment::kPartOverheadBytes);
}

Status BufferPool::Init(Segment& segment, const EngineConfig& config) {
  const int64_t frames = FrameCount(config);
  CONNBENCH_ASSIGN_OR_RETURN(void* memory,
                             segment.Allocate(SegmentPart::kBufferPool, DescriptorBytes(frames)));
  CONNBENCH_ASSIGN_OR_RETURN([[maybe_unused]] void* pages,
                             segment.Allocate(SegmentPart::kBufferPages, frames * kPageSize));
  auto* header = static_cast<BufferPoolHeader*>(memory);
  header->frame_count = static_cast<uint32_t>(frames);
  header->bucket_count = BucketCount(frames);
  header->reserved_frames = static_cast<uint32_t>(
      std::clamp<int64_t>(frames / 16, kMinReservedFrames, kMaxReservedFrames));
  for (Latch& latch : header->partitions) {
    latch.Init(segment.private_futexes(), LatchRank::kBufferMapping);
  }
  header->free_stack.store(kNoFrame, std::memory_order_relaxed);
  BufferPool pool(segment);
  for (uint32_t bucket = 0; bucket < header->bucket_count; ++bucket) {
    pool.buckets_[bucket].store(kNoFrame, std::memory_order_relaxed);
  }
  // Pushed from the last to the first, so that frames are used in order of address.
  for (uint32_t frame = header->frame_count; frame-- > 0;) {
    pool.frames_[frame].content.Init(segment.private_futexes(), LatchRank::kPage);
    pool.frames_[frame].hash_next.store(kNoFrame, std::memory_order_relaxed);
    pool.PushFree(frame);
  }
  return {};
}

BufferPool::BufferPool(const Segment& segment)
    : header_(segment.Find<BufferPoolHeader>(SegmentPart::kBufferPool)),
      pages_(segment.Find<char>(SegmentPart::kBufferPages)),
      reads_(segment),
      backends_(segment.Find<BackendTable>(SegmentPart::kBackends)) {
  char* base = reinterpret_cast<char*>(header_);
  const int64_t buckets_offset = AlignSize(sizeof(BufferPoolHeader), kCacheLineBytes);
  buckets_ = reinterpret_cast<std::atomic<uint32_t>*>(base + buckets_offset);
  const int64_t bucket_bytes = MulSize(header_->bucket_count, sizeof(uint32_t));
  frames_ = reinterpret_cast<BufferFrame*>(base + buckets_offset +
                                           AlignSize(bucket_bytes, kCacheLineBytes));
}

void WritePageGuard::Track(bool fresh) { TrackPage(*frame_, data_, fresh); }

void WritePageGuard::LogChanges() { LogTrackedPage(*log_, *frame_); }

void WritePageGuard::LogFresh() {
  if (log_ != nullptr) LogFreshPage(*log_, *frame_);
}

void WritePageGuard::VerifyBeforeRelease() const {
  const std::string problem = page().Verify();
  if (problem.empty()) return;
  const uint64_t tag = frame_->tag.load(std::memory_order_relaxed);
  fmt::print(stderr, "storage {} block {}: {}\n", tag >> 32, tag & UINT32_MAX, problem);
  std::abort();
}

uint64_t BufferPool::Hash(uint64_t tag) {
  // The finaliser of MurmurHash3: neighbouring blocks spread over all buckets.
  tag ^= tag >> 33;
  tag *= 0xff51afd7ed558ccdULL;
  tag ^= tag >> 33;
  return tag;
}

bool BufferPool::TryPin(BufferFrame& frame, uint64_t tag) {
  // The pin comes first: once it is there the frame cannot be given to another page, so that the
  // tag, if it is the right one, stays right.
  const uint32_t before = frame.state.fetch_add(1, std::memory_order_acquire);
  if ((before & BufferFrame::kValid) != 0 && frame.tag.load(std::memory_order_relaxed) == tag) {
    if (before < BufferFrame::kMostUses) [[unlikely]]
      frame.state.fetch_add(BufferFrame::kUseOne, std::memory_order_relaxed);
    return true;
  }
  frame.state.fetch_sub(1, std::memory_order_release);
  return false;
}

[[gnu::hot]] BufferFrame* BufferPool::Pin(uint64_t tag, uint32_t first_offset) const {
  const uint32_t bucket = BucketOf(tag);
  uint32_t index = buckets_[bucket].load(std::memory_order_acquire);
  // Chains are short: mostly the first frame is the one.
  if (index != kNoFrame) {
    const char* page = PageData(index);
    __builtin_prefetch(page);
    __builtin_prefetch(page + first_offset);
  }
  for (int step = 0; step < kMaxLatchFreeSteps && index != kNoFrame; ++step) {
    BufferFrame& frame = frames_[index];
    if (frame.tag.load(std::memory_order_relaxed) == tag && TryPin(frame, tag)) return &frame;
    index = frame.hash_next.load(std::memory_order_acquire);
  }
  return PinSlow(tag, bucket);
}

BufferFrame* BufferPool::PinSlow(uint64_t tag, uint32_t bucket) const {
  SharedLatchGuard guard(PartitionOf(bucket));
  uint32_t index = buckets_[bucket].load(std::memory_order_relaxed);
  while (index != kNoFrame) {
    BufferFrame& frame = frames_[index];
    if (frame.tag.load(std::memory_order_relaxed) == tag && TryPin(frame, tag)) return &frame;
    index = frame.hash_next.load(std::memory_order_relaxed);
  }
  return nullptr;
}

[[gnu::hot]] ReadPageGuard BufferPool::Read(StorageId storage, BlockNumber block,
                                            uint32_t first_offset) const {
  BufferFrame* frame = Pin(Tag(storage, block), first_offset);
  if (frame == nullptr) return {};
  frame->content.LockShared();
  return {frame, PageData(static_cast<uint32_t>(frame - frames_))};
}

[[gnu::hot]] WritePageGuard BufferPool::Write(StorageId storage, BlockNumber block,
                                              uint32_t first_offset) const {
  BufferFrame* frame = Pin(Tag(storage, block), first_offset);
  if (frame == nullptr) return {};
  frame->content.LockExclusive();
  return {frame, PageData(static_cast<uint32_t>(frame - frames_)), log_};
}

WritePageGuard BufferPool::TryWrite(StorageId storage, BlockNumber block) const {
  BufferFrame* frame = Pin(Tag(storage, block), 0);
  if (frame == nullptr) return {};
  if (!frame->content.TryLockExclusive()) {
    frame->state.fetch_sub(1, std::memory_order_release);
    return {};
  }
  WritePageGuard guard(frame, PageData(static_cast<uint32_t>(frame - frames_)), log_);
  // Pruning, during recovery: nobody logs it.
  if (log_ == nullptr && store_ != nullptr) guard.WriteAgain();
  return guard;
}

Result<WritePageGuard> BufferPool::Allocate(StorageId storage, BlockNumber block, PageSource source,
                                            Evict evict) {
  if (fail_after_ >= 0 && fail_after_-- == 0) return FullError();
  if (source == PageSource::kOrdinary && full()) return FullError();
  uint32_t index = PopFree();
  if (index == kNoFrame && store_ != nullptr) {
    if (evict == Evict::kAny) {
      CONNBENCH_ASSIGN_OR_RETURN(index, TakeFrame(nullptr));
    } else {
      index = TakeUnchangedFrame();
      if (index == kNoFrame) return NoRoomNow();
    }
  }
  if (index == kNoFrame) return FullError();
  BufferFrame& frame = frames_[index];
  frame.content.LockExclusive();
  const uint64_t tag = Tag(storage, block);
  frame.tag.store(tag, std::memory_order_relaxed);
  frame.written_lsn.store(kNowhereWritten, std::memory_order_relaxed);
  frame.state.fetch_add(BufferFrame::kValid + 1, std::memory_order_release);

  const uint32_t bucket = BucketOf(tag);
  ExclusiveLatchGuard guard(PartitionOf(bucket));
  Link(bucket, index);
  WritePageGuard made(&frame, PageData(index), nullptr);
  if (log_ != nullptr && block < kFirstMapBlock) {
    std::memset(made.data(), 0, kPageSize);
    made.log_ = log_;
    made.Track(/*fresh=*/true);
  }
  return made;
}

uint32_t BufferPool::FindInBucket(uint32_t bucket, uint64_t tag) const {
  uint32_t index = buckets_[bucket].load(std::memory_order_relaxed);
  while (index != kNoFrame && frames_[index].tag.load(std::memory_order_relaxed) != tag) {
    index = frames_[index].hash_next.load(std::memory_order_relaxed);
  }
  return index;
}

uint32_t BufferPool::Unlink(uint32_t bucket, uint64_t tag) {
  std::atomic<uint32_t>* link = &buckets_[bucket];
  uint32_t index = link->load(std::memory_order_relaxed);
  while (index != kNoFrame && frames_[index].tag.load(std::memory_order_relaxed) != tag) {
    link = &frames_[index].hash_next;
    index = link->load(std::memory_order_relaxed);
  }
  if (index == kNoFrame) return kNoFrame;
  link->store(frames_[index].hash_next.load(std::memory_order_relaxed), std::memory_order_release);
  return index;
}

void BufferPool::Link(uint32_t bucket, uint32_t index) {
  frames_[index].hash_next.store(buckets_[bucket].load(std::memory_order_relaxed),
                                 std::memory_order_relaxed);
  buckets_[bucket].store(index, std::memory_order_release);
}

void BufferPool::AwaitNoPins(BufferFrame& frame) {
  uint32_t state = frame.state.load(std::memory_order_relaxed) & ~BufferFrame::kPinMask;
  while (!frame.state.compare_exchange_weak(state, 0, std::memory_order_acq_rel,
                                            std::memory_order_relaxed)) {
    if ((state & BufferFrame::kPinMask) != 0) sched_yield();
    state &= ~BufferFrame::kPinMask;
  }
}

// Nobody uses the page, but it may be being written out, or read. With a data directory sessions
// may also wait with a pin on it, some of them on this thread: the frame is left to them.
void BufferPool::Free(StorageId storage, BlockNumber block) {
  const uint64_t tag = Tag(storage, block);
  const uint32_t bucket = BucketOf(tag);
  uint32_t index = kNoFrame;
  {
    ExclusiveLatchGuard guard(PartitionOf(bucket));
    index = Unlink(bucket, tag);
    // From here on it gets no place any more: that takes a valid frame.
    if (index != kNoFrame) {
      std::atomic<uint32_t>& state = frames_[index].state;
      const bool valid = (state.load(std::memory_order_relaxed) & BufferFrame::kValid) != 0;
      state.fetch_add(
          (store_ != nullptr ? BufferFrame::kGone : 0) - (valid ? BufferFrame::kValid : 0),
          std::memory_order_relaxed);
    }
    if (store_ != nullptr) store_->places().Forget(tag);
  }
  if (index == kNoFrame) return;
  BufferFrame& frame = frames_[index];
  if (store_ != nullptr) {
    if (TakeGone(frame)) PushFree(index);
    return;
  }
  AwaitNoPins(frame);
  frame.tag.store(0, std::memory_order_relaxed);
  PushFree(index);
}

uint32_t BufferPool::PopFree() {
  uint64_t head = header_->free_stack.load(std::memory_order_acquire);
  while (true) {
    const auto frame = static_cast<uint32_t>(head);
    if (frame == kNoFrame) return kNoFrame;
    // The counter in the upper half makes the exchange fail if the frame was popped and pushed
    // again meanwhile, and its successor is another one.
    const uint64_t next =
        ((head >> 32) + 1) << 32 | frames_[frame].free_next.load(std::memory_order_relaxed);
    if (header_->free_stack.compare_exchange_weak(head, next, std::memory_order_acquire)) {
      header_->free_frames.fetch_sub(1, std::memory_order_relaxed);
      return frame;
    }
  }
}

void BufferPool::PushFree(uint32_t frame) {
  uint64_t head = header_->free_stack.load(std::memory_order_relaxed);
  uint64_t next = 0;
  do {
    frames_[frame].free_next.store(static_cast<uint32_t>(head), std::memory_order_relaxed);
    next = ((head >> 32) + 1) << 32 | frame;
  } while (!header_->free_stack.compare_exchange_weak(head, next, std::memory_order_release,
                                                      std::memory_order_relaxed));
  header_->free_frames.fetch_add(1, std::memory_order_relaxed);
}

Status BufferPool::FullError() const {
  const int64_t bytes = int64_t{header_->frame_count} * kPageSize;
  return Status::Error(sqlstate::kDiskFull,
                       fmt::format("could not extend relation: all {} pages of the buffer pool are "
                                   "in use",
                                   header_->frame_count - header_->reserved_frames))
      .WithHint(fmt::format("Start the server with a larger shared_buffers (now {}), or drop, "
                            "truncate or vacuum tables.",
                            FormatBytes(bytes)));
}

Status BufferPool::MissingPage(StorageId storage, BlockNumber block) {
  return Status::Error(sqlstate::kInternalError,
                       fmt::format("page {} of storage {} does not exist", block, storage));
}

}  // namespace connbench::engine
