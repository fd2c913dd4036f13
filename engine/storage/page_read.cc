// How a page that is away comes into the pool: one reads it, and all who want it wait for the end,
// each as its model waits.
//
// A frame that is marked as being read has the pin of the read, and a pin of each who waits. The
// read belongs to nobody: who asked for it may be cancelled or end meanwhile. Its end is told under
// the latch of the page's partition, where those who wait have put themselves into the frame's
// list; so nobody comes too late. A read that fails is told to nobody: each who still wants the
// page then reads it itself, and so has an error of its own.
#include <optional>
#include <utility>

#include "engine/segment/futex.h"
#include "engine/storage/buffer_pool.h"
#include "engine/storage/page_store.h"
#include "engine/storage/ring_reads.h"

namespace connbench::engine {
namespace {

// Sessions that are rung together.
constexpr uint32_t kRungTogether = 64;
// In place of a loop's event descriptor: who is rung may need a signal.
constexpr int kNoLoop = -1;

// Adds up how long a session waits for a page.
class ReadTime {
 public:
  explicit ReadTime(Backend* session)
      : session_(session), begin_(session == nullptr ? 0 : MonotonicNow()) {}
  ~ReadTime() {
    if (session_ == nullptr) return;
    BackendCounters::Add(session_->slot().waits.page_read_ns, MonotonicNow() - begin_);
  }
  ReadTime(const ReadTime&) = delete;
  ReadTime& operator=(const ReadTime&) = delete;

 private:
  Backend* session_;
  const MonotonicNs begin_;
};

}  // namespace

Status BufferPool::Bring(StorageId storage, BlockNumber block, PagePins& pins) {
  const uint64_t tag = Tag(storage, block);
  const ReadTime time(session_);
  LoopReads* loop = nullptr;
  if (rings_ != nullptr && session_ != nullptr) {
    CONNBENCH_ASSIGN_OR_RETURN(loop, rings_->LoopOf(session_->waiter()));
  }
  bool alone = false;  // a read has failed
  while (true) {
    BufferFrame* frame = nullptr;
    const Found found = PinOrJoin(tag, frame);
    bool here = found == Found::kHere;
    if (found == Found::kReading) {
      CONNBENCH_ASSIGN_OR_RETURN(here, AwaitRead(*frame, tag));
      alone = !here;
    }
    if (here) {
      pins.Add(frame);
      return {};
    }
    if (found == Found::kReading) continue;
    if (!store_->places().Find(tag).somewhere()) return {};
    if (loop != nullptr) CONNBENCH_RETURN_IF_ERROR(loop->AwaitRoom(*session_));
    CONNBENCH_ASSIGN_OR_RETURN(const uint32_t index, TakeFrame(&pins));
    if (loop != nullptr && !loop->has_room()) {  // others have taken it meanwhile
      PushFree(index);
      continue;
    }
    CONNBENCH_ASSIGN_OR_RETURN(const Brought brought, ReadInto(index, tag, alone, loop));
    if (brought == Brought::kPinned) pins.Add(&frames_[index]);
    if (brought == Brought::kPinned || brought == Brought::kNotThere) return {};
    alone = alone || brought == Brought::kFailed;
  }
}

BufferPool::Found BufferPool::PinOrJoin(uint64_t tag, BufferFrame*& frame) {
  const uint32_t bucket = BucketOf(tag);
  ExclusiveLatchGuard guard(PartitionOf(bucket));
  const uint32_t index = FindInBucket(bucket, tag);
  if (index == kNoFrame) return Found::kAway;
  frame = &frames_[index];
  const uint32_t before = frame->state.fetch_add(1, std::memory_order_acquire);
  if ((before & BufferFrame::kValid) != 0) return Found::kHere;
  JoinReaders(*frame);
  return Found::kReading;
}

// The partition's latch is held.
void BufferPool::JoinReaders(BufferFrame& frame) {
  if (session_ == nullptr) {
    frame.sleepers.fetch_add(1, std::memory_order_seq_cst);
    return;
  }
  BackendSlot& slot = session_->slot();
  slot.next_page_waiter = std::exchange(frame.first_waiter, session_->number() + 1);
  slot.awaits_page.store(1, std::memory_order_seq_cst);
}

// Unless the read has ended.
void BufferPool::LeaveReaders(BufferFrame& frame, uint64_t tag) {
  BackendSlot& slot = session_->slot();
  ExclusiveLatchGuard guard(PartitionOf(BucketOf(tag)));
  if (slot.awaits_page.load(std::memory_order_relaxed) == 0) return;
  uint32_t* link = &frame.first_waiter;
  while (*link != session_->number() + 1) link = &backends_->slot(*link - 1).next_page_waiter;
  *link = slot.next_page_waiter;
  slot.awaits_page.store(0, std::memory_order_relaxed);
}

Result<bool> BufferPool::AwaitRead(BufferFrame& frame, uint64_t tag) {
  const Status waited = SleepUntilRead(frame, tag);
  if (waited.ok() && (frame.state.load(std::memory_order_acquire) & BufferFrame::kValid) != 0) {
    return true;
  }
  Unpin(frame);
  CONNBENCH_RETURN_IF_ERROR(waited);
  return false;
}

Status BufferPool::SleepUntilRead(BufferFrame& frame, uint64_t tag) {
  if (session_ == nullptr) {
    LoopReads::FinishOfThisThread();  // it may be one of them that this thread waits for
    while (true) {
      const uint32_t ended = frame.reads_ended.load(std::memory_order_seq_cst);
      if ((frame.state.load(std::memory_order_seq_cst) & BufferFrame::kReading) == 0) break;
      FutexWait(frame.reads_ended, ended, /*is_private=*/false);
    }
    frame.sleepers.fetch_sub(1, std::memory_order_seq_cst);
    return {};
  }
  const BackendSlot& slot = session_->slot();
  while (true) {
    const uint32_t word = session_->WakeupWord();
    if (slot.awaits_page.load(std::memory_order_seq_cst) == 0) return {};
    Status interrupt = session_->CheckInterruptsNow();
    if (!interrupt.ok()) {
      LeaveReaders(frame, tag);
      return interrupt;
    }
    session_->Wait(word, session_->statement_deadline(), WaitReason::kPageRead);
  }
}

// The frame is in no list. Others who want the page find that it is being read, and wait. alone:
// this session reads it itself.
Result<BufferPool::Brought> BufferPool::ReadInto(uint32_t index, uint64_t tag, bool alone,
                                                 LoopReads* loop) {
  BufferFrame& frame = frames_[index];
  const uint32_t bucket = BucketOf(tag);
  const bool by_worker = !alone && session_ != nullptr && reads_.valid();
  bool here = false;
  ReadRequest request{.tag = tag, .place = {}, .frame = index};
  {
    ExclusiveLatchGuard guard(PartitionOf(bucket));
    here = FindInBucket(bucket, tag) != kNoFrame;
    if (!here) request.place = store_->places().Find(tag);
    if (request.place.somewhere()) {
      frame.tag.store(tag, std::memory_order_relaxed);
      frame.written_lsn.store(kNowhereWritten, std::memory_order_relaxed);
      // The pin of the read, and this session's.
      frame.state.fetch_add(BufferFrame::kReading + 2, std::memory_order_release);
      if (by_worker || loop != nullptr) JoinReaders(frame);
      Link(bucket, index);
    }
  }
  if (!request.place.somewhere()) {
    PushFree(index);
    return here ? Brought::kAgain : Brought::kNotThere;
  }
  if (session_ != nullptr) BackendCounters::Increment(session_->slot().waits.page_reads);
  if (loop != nullptr) return ReadByLoop(request, *loop);
  if (by_worker && reads_.Submit(request, *backends_)) return AwaitWorker(request);
  return ReadHere(request);
}

Result<BufferPool::Brought> BufferPool::AwaitWorker(const ReadRequest& request) {
  CONNBENCH_ASSIGN_OR_RETURN(const bool read, AwaitRead(frames_[request.frame], request.tag));
  return read ? Brought::kPinned : Brought::kFailed;
}

// The session has joined those who wait, and the loop rings it as all others. What the read has
// failed with is this session's error.
Result<BufferPool::Brought> BufferPool::ReadByLoop(const ReadRequest& request, LoopReads& loop) {
  Status failure;
  const uint32_t begun = loop.Begin(request, PageData(request.frame), failure);
  const Result<bool> read = AwaitRead(frames_[request.frame], request.tag);
  loop.Forget(begun, failure);
  if (!read.ok()) return read.status();
  if (*read) return Brought::kPinned;
  CONNBENCH_RETURN_IF_ERROR(failure);
  return Brought::kAgain;
}

Result<BufferPool::Brought> BufferPool::ReadHere(const ReadRequest& request) {
  Status read;
  if (session_ == nullptr) {
    read = store_->Read(request.tag, request.place, PageData(request.frame));
  } else {
    const ShownWait shown(session_->slot(), WaitReason::kPageRead);
    char* const to = PageData(request.frame);
    read = rings_ == nullptr ? store_->Read(request.tag, request.place, to)
                             : rings_->Read(request.tag, request.place, to, session_->waiter());
  }
  const Ended ended = EndRead(request, read.ok(), kNoLoop);
  if (ended == Ended::kHere) return Brought::kPinned;
  Unpin(frames_[request.frame]);
  if (ended == Ended::kMoved) return Brought::kAgain;
  return read;
}

void BufferPool::Serve(const ReadRequest& request) {
  const Status read = store_->Read(request.tag, request.place, PageData(request.frame));
  EndRead(request, read.ok(), kNoLoop);
}

BufferPool::Ended BufferPool::EndRead(const ReadRequest& request, bool read, int own_event_fd) {
  const uint64_t tag = request.tag;
  const uint32_t bucket = BucketOf(tag);
  BufferFrame& frame = frames_[request.frame];
  Ended ended = Ended::kHere;
  if (read) {
    const uint64_t lsn = Page(PageData(request.frame)).header().lsn;
    frame.written_lsn.store(lsn, std::memory_order_relaxed);
  }
  {
    ExclusiveLatchGuard guard(PartitionOf(bucket));
    // Else the page was given back meanwhile, and another one may have been written in its place.
    const bool linked = FindInBucket(bucket, tag) == request.frame;
    if (read && linked) {
      frame.state.fetch_add(BufferFrame::kValid - BufferFrame::kReading + BufferFrame::kUseOne,
                            std::memory_order_release);
    } else {
      const bool moved = store_->places().Find(tag).place != request.place.place;
      ended = linked && !moved ? Ended::kFailed : Ended::kMoved;
      if (linked) Unlink(bucket, tag);
      frame.state.fetch_or(BufferFrame::kGone, std::memory_order_relaxed);
      frame.state.fetch_sub(BufferFrame::kReading, std::memory_order_release);
    }
    frame.reads_ended.fetch_add(1, std::memory_order_seq_cst);
    if (frame.sleepers.load(std::memory_order_seq_cst) != 0) {
      FutexWake(frame.reads_ended, kWakeAll, /*is_private=*/false);
    }
  }
  RingReaders(frame, tag, own_event_fd);
  Unpin(frame);
  return ended;
}

// Nobody joins any more, and nobody else rings.
void BufferPool::RingReaders(BufferFrame& frame, uint64_t tag, int own_event_fd) {
  BackendNumber numbers[kRungTogether];
  uint32_t count = 0;
  do {
    count = 0;
    {
      ExclusiveLatchGuard guard(PartitionOf(BucketOf(tag)));
      for (; frame.first_waiter != 0 && count < kRungTogether; ++count) {
        numbers[count] = frame.first_waiter - 1;
        BackendSlot& slot = backends_->slot(numbers[count]);
        frame.first_waiter = slot.next_page_waiter;
        slot.awaits_page.store(0, std::memory_order_seq_cst);
      }
    }
    for (uint32_t i = 0; i < count; ++i) backends_->slot(numbers[i]).wakeup.RingFrom(own_event_fd);
  } while (count == kRungTogether);
}

void BufferPool::Unpin(BufferFrame& frame) {
  const uint32_t before = frame.state.fetch_sub(1, std::memory_order_release);
  if ((before & BufferFrame::kGone) != 0 && TakeGone(frame)) {
    PushFree(static_cast<uint32_t>(&frame - frames_));
  }
}

}  // namespace connbench::engine
