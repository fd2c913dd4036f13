// A buffer pool that is smaller than the data: which pages leave it, and how they come back.
//
// A page that has changed goes to a free place of the pages file before its frame is used for
// another one. No checkpoint names that place, so that a crash forgets it: neither must the log be
// flushed first, nor is anything synced. The next checkpoint takes the place over.
#include <fmt/format.h>
#include <sched.h>

#include <algorithm>
#include <cstring>

#include "base/units.h"
#include "engine/storage/buffer_pool.h"
#include "engine/storage/page_store.h"
#include "engine/storage/visibility.h"

namespace connbench::engine {
namespace {

// A search under latches gives up after so many frames: without latches one may write.
constexpr uint32_t kMostStepsUnderLatch = 256;
// Rounds over all frames in which each is in use, before that is an error. A session waits between
// them after the first ones, as long as kMostPauses say.
constexpr int kMostRoundsInUse = 10'000;
constexpr int kRoundsBeforePauses = 16;
constexpr int kMostPauses = 10'000;
constexpr MonotonicNs kFramePauseNs = kNanosecondsPerMillisecond;
// Frames that are made free together when an operation has to begin again for lack of one.
constexpr uint32_t kMostFramesMadeFree = 32;
constexpr uint32_t kMadeFreeShare = 32;

// What the last operation of this thread lacked.
struct AwayNote {
  enum class Kind : uint8_t { kNothing, kPage, kRoom };
  Kind kind = Kind::kNothing;
  uint64_t tag = 0;
};
thread_local AwayNote away_note;

Status AllInUse(uint32_t frames) {
  return Status::Error(
             sqlstate::kOutOfMemory,
             fmt::format("all {} pages of the buffer pool are in use at this moment", frames))
      .WithHint("Start the server with a larger shared_buffers.");
}

}  // namespace

Status BufferPool::Away(StorageId storage, BlockNumber block) const {
  if (store_ == nullptr) return {};
  const uint64_t tag = Tag(storage, block);
  {
    const uint32_t bucket = BucketOf(tag);
    SharedLatchGuard guard(PartitionOf(bucket));
    // It may have come back meanwhile.
    if (FindInBucket(bucket, tag) == kNoFrame && !store_->places().Find(tag).somewhere()) return {};
  }
  away_note = {.kind = AwayNote::Kind::kPage, .tag = tag};
  return Status::Error(sqlstate::kInternalError,
                       fmt::format("page {} of storage {} is away", block, storage));
}

bool BufferPool::IsAway(StorageId storage, BlockNumber block) const {
  if (store_ == nullptr) return false;
  const uint64_t tag = Tag(storage, block);
  const uint32_t bucket = BucketOf(tag);
  SharedLatchGuard guard(PartitionOf(bucket));
  return FindInBucket(bucket, tag) == kNoFrame && store_->places().Find(tag).somewhere();
}

Status BufferPool::Missing(StorageId storage, BlockNumber block) const {
  CONNBENCH_RETURN_IF_ERROR(Away(storage, block));
  return MissingPage(storage, block);
}

Status BufferPool::NoRoomNow() {
  away_note = {.kind = AwayNote::Kind::kRoom};
  return Status::Error(sqlstate::kInternalError, "room in the buffer pool is away");
}

// An operation may have gone on without a page and have failed for another reason. Then it fails
// for that reason again.
bool BufferPool::TakeAway(const Status& status) {
  if (away_note.kind == AwayNote::Kind::kNothing) return false;
  if (status.code() == sqlstate::kInternalError) return true;
  away_note = {};
  return false;
}

Status BufferPool::BringAway(PagePins& pins) {
  const AwayNote note = std::exchange(away_note, {});
  if (note.kind == AwayNote::Kind::kRoom) return MakeRoom(pins);
  return Bring(static_cast<StorageId>(note.tag >> 32), static_cast<BlockNumber>(note.tag), pins);
}

uint32_t BufferPool::NextVictim() {
  return header_->clock_hand.fetch_add(1, std::memory_order_relaxed) % header_->frame_count;
}

BufferPool::Victim BufferPool::TryEvict(uint32_t index) {
  BufferFrame& frame = frames_[index];
  uint32_t state = frame.state.load(std::memory_order_relaxed);
  if ((state & BufferFrame::kGone) != 0) {
    return TakeGone(frame) ? Victim::kEvicted : Victim::kInUse;
  }
  constexpr uint32_t kOther = BufferFrame::kPinMask | BufferFrame::kReading;
  if ((state & BufferFrame::kValid) == 0 || (state & kOther) != 0) return Victim::kInUse;
  if (state >= BufferFrame::kUseOne) {
    frame.state.compare_exchange_strong(state, state - BufferFrame::kUseOne,
                                        std::memory_order_relaxed);
    return Victim::kInUse;
  }
  const uint64_t tag = frame.tag.load(std::memory_order_relaxed);
  // The free space map is nowhere but in the pool.
  if (static_cast<BlockNumber>(tag) >= kFirstMapBlock) return Victim::kInUse;
  const uint32_t bucket = BucketOf(tag);
  {
    ExclusiveLatchGuard guard(PartitionOf(bucket));
    if (FindInBucket(bucket, tag) != index) return Victim::kInUse;
    uint32_t unused = BufferFrame::kValid;
    if (!frame.state.compare_exchange_strong(unused, 0, std::memory_order_acquire,
                                             std::memory_order_relaxed)) {
      return Victim::kInUse;
    }
    // Nobody has a pin, so nobody changes the page. Look-ups wait for the partition's latch.
    const Page page(PageData(index));
    if (frame.written_lsn.load(std::memory_order_relaxed) != page.header().lsn) {
      frame.state.fetch_add(BufferFrame::kValid, std::memory_order_release);
      return Victim::kChanged;
    }
    Unlink(bucket, tag);
  }
  AwaitNoPins(frame);
  frame.tag.store(0, std::memory_order_relaxed);
  return Victim::kEvicted;
}

// The page stays where it is meanwhile, and may be read and changed: then it is written again.
Status BufferPool::WriteOut(uint32_t index) CONNBENCH_NO_THREAD_SAFETY_ANALYSIS {
  BufferFrame& frame = frames_[index];
  const uint64_t tag = frame.tag.load(std::memory_order_relaxed);
  const uint32_t before = frame.state.fetch_add(1, std::memory_order_acquire);
  alignas(8) char copy[kPageSize];
  bool copied = false;
  uint64_t written_before = 0;
  if ((before & BufferFrame::kValid) != 0 && frame.tag.load(std::memory_order_relaxed) == tag &&
      frame.content.TryLockExclusive()) {  // exclusively: hints would change under the copy
    if (stamps_ != nullptr) StampFates(*stamps_, Page(PageData(index)));
    std::memcpy(copy, PageData(index), kPageSize);
    written_before = frame.written_lsn.load(std::memory_order_relaxed);
    frame.content.UnlockExclusive();
    copied = true;
  }
  Status status;
  const Page page(copy);
  if (copied && written_before != page.header().lsn) {
    if (session_ != nullptr) {
      BackendCounters::Increment(session_->slot().waits.page_writes);
    }
    Result<PagePlace> place = store_->Write(tag, copy);
    if (place.ok()) {
      const bool unstamped = OldestUnstampedXid(page) != kAllStamped;
      // Only if nothing has happened to the page meanwhile, not even a hint: a checkpoint may have
      // copied it with that hint. What the log says of a page is the difference to one that has all
      // hints of the copy.
      bool set = false;
      if (frame.content.TryLockExclusive()) {
        if (std::memcmp(copy, PageData(index), kPageSize) == 0) {
          const uint32_t bucket = BucketOf(tag);
          SharedLatchGuard guard(PartitionOf(bucket));
          set = FindInBucket(bucket, tag) == index;  // else the page was given back
          if (set) {
            store_->places().SetCurrent(tag, *place, unstamped, frame.written_lsn, written_before,
                                        page.header().lsn);
          }
        }
        frame.content.UnlockExclusive();
      }
      if (!set) store_->places().GiveBack(place->place);
    } else {
      status = place.TakeStatus();
    }
  }
  frame.state.fetch_sub(1, std::memory_order_release);
  return status;
}

uint32_t BufferPool::TakeUnchangedFrame() {
  const uint32_t steps = std::min(header_->frame_count, kMostStepsUnderLatch);
  for (uint32_t step = 0; step < steps; ++step) {
    const uint32_t index = NextVictim();
    if (TryEvict(index) == Victim::kEvicted) return index;
  }
  return PopFree();
}

bool BufferPool::TakeGone(BufferFrame& frame) {
  uint32_t state = frame.state.load(std::memory_order_relaxed);
  constexpr uint32_t kOther = BufferFrame::kPinMask | BufferFrame::kReading;
  // One of those who try does it.
  if ((state & BufferFrame::kGone) == 0 || (state & kOther) != 0 ||
      !frame.state.compare_exchange_strong(state, 0, std::memory_order_acquire,
                                           std::memory_order_relaxed)) {
    return false;
  }
  frame.tag.store(0, std::memory_order_relaxed);
  return true;
}

// Sessions that wait for pages may have pins on all frames. Those of this thread go on only if this
// one waits, too; and two that have the frames that the other one needs only if one gives up.
Status BufferPool::PauseForFrame(PagePins& pins) {
  pins.Clear();
  const uint32_t word = session_->WakeupWord();
  CONNBENCH_RETURN_IF_ERROR(session_->CheckInterruptsNow());
  session_->Wait(word, MonotonicNow() + kFramePauseNs, WaitReason::kFrame);
  return {};
}

Result<uint32_t> BufferPool::EvictAny(PagePins* pins) {
  Status problem;
  const bool may_wait = pins != nullptr && session_ != nullptr;
  const int most_rounds = may_wait ? kRoundsBeforePauses + kMostPauses : kMostRoundsInUse;
  for (int round = 0; round < most_rounds; ++round) {
    for (uint32_t step = 0; step < header_->frame_count; ++step) {
      const uint32_t index = NextVictim();
      Victim victim = TryEvict(index);
      if (victim == Victim::kChanged && problem.ok()) {
        problem = WriteOut(index);
        if (problem.ok()) victim = TryEvict(index);
      }
      if (victim == Victim::kEvicted) return index;
    }
    // What cannot be written stays. There may be a page that has not changed.
    if (!problem.ok() && round > 4) return problem;
    if (const uint32_t index = PopFree(); index != kNoFrame) return index;
    if (may_wait && round >= kRoundsBeforePauses) {
      CONNBENCH_RETURN_IF_ERROR(PauseForFrame(*pins));
    } else {
      sched_yield();
    }
  }
  return AllInUse(header_->frame_count);
}

Result<uint32_t> BufferPool::TakeFrame(PagePins* pins) {
  if (const uint32_t index = PopFree(); index != kNoFrame) return index;
  return EvictAny(pins);
}

Status BufferPool::MakeRoom(PagePins& pins) {
  const uint32_t wanted =
      std::clamp<uint32_t>(header_->frame_count / kMadeFreeShare, 1, kMostFramesMadeFree);
  for (uint32_t count = 0; count < wanted; ++count) {
    Result<uint32_t> index = EvictAny(&pins);
    if (index.ok()) {
      PushFree(*index);
    } else if (count == 0) {
      return index.TakeStatus();
    }
  }
  return {};
}

PagePlace BufferPool::ShareAway(StorageId storage, BlockNumber block, bool& is_here,
                                bool& unstamped) const {
  const uint64_t tag = Tag(storage, block);
  const uint32_t bucket = BucketOf(tag);
  SharedLatchGuard guard(PartitionOf(bucket));
  const uint32_t index = FindInBucket(bucket, tag);
  // While it is being read it is what its place has.
  is_here = index != kNoFrame &&
            (frames_[index].state.load(std::memory_order_relaxed) & BufferFrame::kValid) != 0;
  unstamped = false;
  return is_here ? PagePlace{} : store_->places().Share(tag, unstamped);
}

void BufferPool::SetNamedPlace(StorageId storage, BlockNumber block, uint32_t place,
                               uint64_t before, uint64_t lsn) const {
  const uint64_t tag = Tag(storage, block);
  const uint32_t bucket = BucketOf(tag);
  SharedLatchGuard guard(PartitionOf(bucket));
  const uint32_t index = FindInBucket(bucket, tag);
  if (index == kNoFrame) return;
  BufferFrame& frame = frames_[index];
  if ((frame.state.load(std::memory_order_relaxed) & BufferFrame::kValid) == 0) return;
  store_->places().SetCurrentToNamed(tag, place, frame.written_lsn, before, lsn);
}

}  // namespace connbench::engine
