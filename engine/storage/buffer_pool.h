// The shared buffer pool: 8 KiB frames in the segment, found by (storage id, block number).
//
// In memory alone, all pages live here. With a data directory the pool may be smaller than the data
// (eviction.cc): a page that is not here is read back by Bring(), and a frame that is needed is
// taken from a page that nobody has used for long, which is written out first if it has changed.
// With a log, what a write guard gives back is logged (page_log.h).
//
// A miss (page_read.cc) has one reader, which io_method says. All who want the page wait for its
// end in their Waiter, with a pin on the frame and in the frame's list, and can be interrupted.
//
// Nobody reads or writes a file under a latch. So a look-up only says that a page is away: whoever
// holds a latch gives it back, brings the page, keeps a pin on it, and begins again
// (Storage::WithPages). Evicting goes by two rules. A frame changes hands under the exclusive latch
// of its bucket's partition and without a pin. And which place a page has, and the LSN it has
// there, change together, under the latch of the place table.
//
// A page is reached only through a guard, which holds a pin (the frame keeps its page) and the
// content latch (shared or exclusive) and gives both back when it dies. Guards are short-lived:
// never kept across a wait, a call-back to the executor or a return to the client. README.md has
// the latch order.
//
// A look-up takes no latch: it walks the hash chain, pins the candidate and then checks the tag,
// which changes only while a frame is not valid. Only a miss is repeated under the partition's
// latch.
//
// Safety: BufferPool is a private handle on shared state; any number of threads and processes.
// Errors: 53100 with a hint when no frame is free, which with a data directory means that the disk
// is full; 58030 and XX001 for a page that cannot be read back.
#pragma once

#include <atomic>
#include <cstdint>
#include <utility>
#include <vector>

#include "base/assert.h"
#include "base/status.h"
#include "base/thread_annotations.h"
#include "engine/segment/latch.h"
#include "engine/storage/page.h"
#include "engine/storage/place_table.h"
#include "engine/storage/read_queue.h"
#include "engine/storage/storage_types.h"
#include "engine/transaction/backend.h"

namespace connbench::engine {

class Segment;
struct EngineConfig;
class CommitLog;
class Log;
class LoopReads;
class PageStore;
class RingReads;

inline constexpr uint32_t kNoFrame = UINT32_MAX;

struct alignas(64) BufferFrame {
  static constexpr uint32_t kPinMask = (1u << 24) - 1;
  static constexpr uint32_t kValid = 1u << 24;    // the tag names the page that is here
  static constexpr uint32_t kReading = 1u << 25;  // ... that is being read into the frame
  // The page is in no chain any more, and the frame in no list: it is free once it has no pin.
  static constexpr uint32_t kGone = 1u << 26;
  // Use count, in the topmost bits: what is one too many for them is lost.
  static constexpr uint32_t kUseOne = 1u << 29;
  static constexpr uint32_t kMostUses = 3 * kUseOne;

  std::atomic<uint64_t> tag;        // storage id << 32 | block
  std::atomic<uint32_t> state;      // pins and flags; a pin may come and go at any time
  std::atomic<uint32_t> hash_next;  // chain of the bucket
  std::atomic<uint32_t> free_next;  // stack of free frames
  // Who waits for the read, under the partition's latch: the first session, its number and 1, which
  // knows the next (BackendSlot::next_page_waiter); and how many wait that are no sessions.
  uint32_t first_waiter;
  // The LSN of the page as its current place in the pages file has it (PageGuard::written).
  std::atomic<uint64_t> written_lsn;
  Latch content;
  std::atomic<uint32_t> sleepers;
  std::atomic<uint32_t> reads_ended;  // what these sleep on
};
static_assert(sizeof(BufferFrame) == 64);

// Fixed-size head of SegmentPart::kBufferPool; the buckets, then the frames follow it.
struct BufferPoolHeader {
  static constexpr uint32_t kPartitions = 128;

  uint32_t frame_count;
  uint32_t bucket_count;             // a power of two
  uint32_t reserved_frames;          // see PageSource
  std::atomic<uint64_t> free_stack;  // change counter << 32 | frame
  std::atomic<uint32_t> free_frames;
  std::atomic<uint32_t> clock_hand;  // where the next search for a frame to evict begins
  Latch partitions[kPartitions];     // of the buckets, for inserting and removing
};

class BufferPool;

// What both guards share; not used by itself. Guards move from function to function, which clang's
// check of locks does not follow: held_latches.h sees the latches of pages.
class PageGuard {
 public:
  bool valid() const { return frame_ != nullptr; }
  Page page() const {
    CONNBENCH_ASSERT(valid(), "the guard has a page");
    return Page(data_);
  }
  char* data() const { return data_; }
  // The LSN that the page has in its current place on disk. The place has the page as it is here,
  // hints apart, if that is the page's LSN: whatever else changes is logged and has another one.
  std::atomic<uint64_t>& written_lsn() const { return frame_->written_lsn; }
  // The page is to be written, whatever its LSN: for changes that nobody logs.
  void WriteAgain() const { frame_->written_lsn.store(kNowhereWritten, std::memory_order_relaxed); }

 protected:
  PageGuard() = default;
  PageGuard(BufferFrame* frame, char* data) : frame_(frame), data_(data) {}
  void Unpin() { frame_->state.fetch_sub(1, std::memory_order_release); }

  BufferFrame* frame_ = nullptr;
  char* data_ = nullptr;
};

class [[nodiscard]] ReadPageGuard : public PageGuard {
 public:
  ReadPageGuard() = default;
  ReadPageGuard(ReadPageGuard&& other) noexcept
      : PageGuard(std::exchange(other.frame_, nullptr), other.data_) {}
  ReadPageGuard& operator=(ReadPageGuard&& other) noexcept {
    if (this != &other) {
      Release();
      frame_ = std::exchange(other.frame_, nullptr);
      data_ = other.data_;
    }
    return *this;
  }
  ~ReadPageGuard() { Release(); }
  void Release() CONNBENCH_NO_THREAD_SAFETY_ANALYSIS {
    if (frame_ == nullptr) return;
    frame_->content.UnlockShared();
    Unpin();
    frame_ = nullptr;
  }

 private:
  friend class BufferPool;
  ReadPageGuard(BufferFrame* frame, char* data) : PageGuard(frame, data) {}
};

class [[nodiscard]] WritePageGuard : public PageGuard {
 public:
  WritePageGuard() = default;
  WritePageGuard(WritePageGuard&& other) noexcept
      : PageGuard(std::exchange(other.frame_, nullptr), other.data_), log_(other.log_) {}
  WritePageGuard& operator=(WritePageGuard&& other) noexcept {
    if (this != &other) {
      Release();
      frame_ = std::exchange(other.frame_, nullptr);
      data_ = other.data_;
      log_ = other.log_;
    }
    return *this;
  }
  ~WritePageGuard() { Release(); }
  // The page, which Allocate() has given, is in the log when this returns; it stays latched.
  void LogFresh();
  void Release() CONNBENCH_NO_THREAD_SAFETY_ANALYSIS {
    if (frame_ == nullptr) return;
#ifdef CONNBENCH_VERIFY_PAGES
    VerifyBeforeRelease();
#endif
    if (log_ != nullptr) [[unlikely]]
      LogChanges();
    frame_->content.UnlockExclusive();
    Unpin();
    frame_ = nullptr;
  }

 private:
  friend class BufferPool;
  WritePageGuard(BufferFrame* frame, char* data, Log* log) : PageGuard(frame, data), log_(log) {
    if (log_ != nullptr) [[unlikely]]
      Track(/*fresh=*/false);
  }
  void Track(bool fresh);
  void LogChanges();
  // Ends the process if the page is not sound: builds that look for defects only.
  void VerifyBeforeRelease() const;

  Log* log_ = nullptr;  // null: what happens to the page is not logged
};

// A few frames are kept back for what frees others: without them a full pool could never be
// emptied, because TRUNCATE and DROP INDEX write a catalog row before they give pages back.
enum class PageSource : uint8_t { kOrdinary, kReserve };

// What Allocate() does when all frames have pages that have changed.
enum class Evict : uint8_t {
  kUnchanged,  // ends with an error that says "away": the caller may hold latches
  // Writes one out: for those whose latches nobody waits for, since nobody knows the storage yet.
  kAny,
};

// Keeps pages in the pool that an operation needs, while it begins again. Pins only, no latches:
// nobody may wait for anything but a page or a latch as long as it has some, and nobody waits for
// the end of such a pin.
class PagePins {
 public:
  PagePins() = default;
  PagePins(const PagePins&) = delete;
  PagePins& operator=(const PagePins&) = delete;
  ~PagePins() { Clear(); }
  void Clear() {
    for (BufferFrame* frame : frames_) Unpin(frame);
    frames_.clear();
  }
  bool empty() const { return frames_.empty(); }

 private:
  friend class BufferPool;
  // More than any operation holds at the same time; those that need one page after the other let
  // the first ones go.
  static constexpr size_t kMost = 24;
  static void Unpin(BufferFrame* frame) { frame->state.fetch_sub(1, std::memory_order_release); }
  void Add(BufferFrame* frame) {
    if (frames_.size() == kMost) {
      Unpin(frames_.front());
      frames_.erase(frames_.begin());
    }
    frames_.push_back(frame);
  }

  std::vector<BufferFrame*> frames_;
};

class BufferPool {
 public:
  static int64_t FrameCount(const EngineConfig& config);
  static int64_t ShmemSize(const EngineConfig& config);  // of both parts

  // Lays out the parts kBufferPool and kBufferPages; before Segment::Seal().
  static Status Init(Segment& segment, const EngineConfig& config);
  // On the parts of a segment that is laid out.
  explicit BufferPool(const Segment& segment);
  // From now on changes of pages are logged; null: they are not.
  void SetLog(Log* log) { log_ = log; }

  // The page must exist (block < the storage's block_count, storage not freed): an invalid guard
  // says that it does not, which is a defect of the caller or a stale StorageId.
  // first_offset: where on the page, beside its header, the caller will look first. Both are
  // fetched into the cache while the frame is still being looked at, instead of one after the
  // other.
  ReadPageGuard Read(StorageId storage, BlockNumber block,
                     uint32_t first_offset = 0) const CONNBENCH_NO_THREAD_SAFETY_ANALYSIS;
  WritePageGuard Write(StorageId storage, BlockNumber block,
                       uint32_t first_offset = 0) const CONNBENCH_NO_THREAD_SAFETY_ANALYSIS;
  // Invalid guard also when somebody holds the latch.
  WritePageGuard TryWrite(StorageId storage,
                          BlockNumber block) const CONNBENCH_NO_THREAD_SAFETY_ANALYSIS;

  // A frame for a page that does not exist yet, exclusively latched, contents arbitrary: the caller
  // makes it a page before it lets go. 53100 when the pool is full, but for the reserve.
  Result<WritePageGuard> Allocate(
      StorageId storage, BlockNumber block, PageSource source = PageSource::kOrdinary,
      Evict evict = Evict::kUnchanged) CONNBENCH_NO_THREAD_SAFETY_ANALYSIS;
  // Gives the page's frame back; nobody may use the page any more. No effect if it does not exist.
  void Free(StorageId storage, BlockNumber block);

  // Calls visit(storage, block) for each page that is here; nobody else may use the pool meanwhile.
  template <typename Visit>
  void ForEachPage(const Visit& visit) const {
    for (uint32_t frame = 0; frame < header_->frame_count; ++frame) {
      if ((frames_[frame].state.load(std::memory_order_relaxed) & BufferFrame::kValid) == 0) {
        continue;
      }
      const uint64_t tag = frames_[frame].tag.load(std::memory_order_relaxed);
      visit(static_cast<StorageId>(tag >> 32), static_cast<BlockNumber>(tag));
    }
  }

  // --- A pool that is smaller than the data (eviction.cc) ---------------------------------------
  // From now on pages come from and go to the store. stamps: what became of the writers of rows is
  // noted on a page before it is written; null: that is not known yet.
  void SetStore(PageStore* store, const CommitLog* stamps) {
    store_ = store;
    stamps_ = stamps;
  }
  PageStore* store() const { return store_; }
  // From now on sessions read pages through these; null: as the read queue is there or not.
  void SetRings(RingReads* rings) { rings_ = rings; }
  // Ok: the page, which a look-up has not found, does not exist. Else an error that says "away",
  // which is for Storage::WithPages() alone.
  Status Away(StorageId storage, BlockNumber block) const;
  // Whether the page exists, but is not in the pool.
  bool IsAway(StorageId storage, BlockNumber block) const;
  // Away(), or XX000 for a page that ought to exist.
  Status Missing(StorageId storage, BlockNumber block) const;
  // Whether that was what the last operation of this thread ended with; false from then on.
  static bool TakeAway(const Status& status);
  // Whose handle this is: who waits for pages through its Waiter. Null: somebody who blocks his
  // thread, and reads all pages himself.
  void SetSession(Backend* session) { session_ = session; }
  // Makes room, or sees to it that the page that was away is read, and pins it. No latch may be
  // held. Also the error of what interrupts a statement. The other pins are given up where frames
  // are scarce.
  Status BringAway(PagePins& pins);
  // The same for a page; pins stays empty if the page does not exist.
  Status Bring(StorageId storage, BlockNumber block, PagePins& pins);
  // For an I/O worker: reads what was asked for, and tells those who wait.
  void Serve(const ReadRequest& request);
  ReadQueue& read_queue() { return reads_; }
  // For LoopReads: a read has ended. own_event_fd: of the loop whose thread this is, and which
  // looks at the wakeups of its sessions next; -1: all must be signalled. True: it has failed, for
  // one who still wants the page.
  bool EndRingRead(const ReadRequest& request, bool read, int own_event_fd) {
    return EndRead(request, read, own_event_fd) == Ended::kFailed;
  }
  BackendTable& backends() const { return *backends_; }
  // For a checkpoint: the page's place, if the page is in the pool in no other state than there.
  // kNowhere: it does not exist, or is_here, or must be looked at.
  PagePlace ShareAway(StorageId storage, BlockNumber block, bool& is_here, bool& unstamped) const;
  // The page stands in a place of the checkpoint with that LSN; no effect if it is not here.
  void SetNamedPlace(StorageId storage, BlockNumber block, uint32_t place, uint64_t before,
                     uint64_t lsn) const;

  uint32_t frame_count() const { return header_->frame_count; }
  uint32_t free_frames() const { return header_->free_frames.load(std::memory_order_relaxed); }
  // Whether only the reserve is left, and nothing can be evicted.
  bool full() const { return store_ == nullptr && free_frames() <= header_->reserved_frames; }
  // The error of a full pool.
  Status FullError() const;
  // XX000 for a page that ought to be there.
  static Status MissingPage(StorageId storage, BlockNumber block);

  // For tests: the n-th allocation from now fails (0: the next), -1: none. Private to this handle.
  void FailAllocationAfter(int64_t n) { fail_after_ = n; }
  int64_t allocations_until_failure() const {
    return fail_after_;
  }  // < 0: has failed, or none will

 private:
  static uint64_t Tag(StorageId storage, BlockNumber block) { return PageTag(storage, block); }
  static uint64_t Hash(uint64_t tag);
  char* PageData(uint32_t frame) const { return pages_ + uint64_t{frame} * kPageSize; }
  BufferFrame* Pin(uint64_t tag, uint32_t first_offset) const;
  BufferFrame* PinSlow(uint64_t tag, uint32_t bucket) const;
  static bool TryPin(BufferFrame& frame, uint64_t tag);
  uint32_t PopFree();
  void PushFree(uint32_t frame);
  uint32_t BucketOf(uint64_t tag) const {
    return static_cast<uint32_t>(Hash(tag)) & (header_->bucket_count - 1);
  }
  Latch& PartitionOf(uint32_t bucket) const {
    return header_->partitions[bucket % BufferPoolHeader::kPartitions];
  }
  // These two under the bucket's partition latch. kNoFrame: there is none.
  uint32_t FindInBucket(uint32_t bucket, uint64_t tag) const;
  uint32_t Unlink(uint32_t bucket, uint64_t tag);
  void Link(uint32_t bucket, uint32_t index);
  // Look-ups for other pages may pin any frame for a few instructions. Whoever has a frame that is
  // not valid waits for them before he gives it to another page.
  static void AwaitNoPins(BufferFrame& frame);

  enum class Victim : uint8_t { kInUse, kChanged, kEvicted };
  uint32_t NextVictim();
  Victim TryEvict(uint32_t index);
  // Writes the page to a free place if that can be done at once.
  Status WriteOut(uint32_t index);
  // A frame that is in no list. It may write a page out. pins: given up while it waits for others
  // to have done with theirs; null: latches are held, so that it may not wait.
  Result<uint32_t> TakeFrame(PagePins* pins);
  uint32_t TakeUnchangedFrame();
  Result<uint32_t> EvictAny(PagePins* pins);
  Status PauseForFrame(PagePins& pins);
  Status MakeRoom(PagePins& pins);
  static Status NoRoomNow();
  // Takes a frame whose page is gone; false as long as it has pins.
  bool TakeGone(BufferFrame& frame);

  // --- page_read.cc ---
  enum class Found : uint8_t { kHere, kReading, kAway };
  enum class Brought : uint8_t { kPinned, kNotThere, kAgain, kFailed };
  // Pins the page. kReading: and is among those who wait.
  Found PinOrJoin(uint64_t tag, BufferFrame*& frame);
  void JoinReaders(BufferFrame& frame);
  void LeaveReaders(BufferFrame& frame, uint64_t tag);
  // For one who has joined. Keeps the pin if the page is there then.
  Result<bool> AwaitRead(BufferFrame& frame, uint64_t tag);
  Status SleepUntilRead(BufferFrame& frame, uint64_t tag);
  // loop: of the session's thread, which has room for the read; null: there is none.
  Result<Brought> ReadInto(uint32_t index, uint64_t tag, bool alone, LoopReads* loop);
  Result<Brought> AwaitWorker(const ReadRequest& request);
  Result<Brought> ReadByLoop(const ReadRequest& request, LoopReads& loop);
  Result<Brought> ReadHere(const ReadRequest& request);
  // What became of the page, whose read has ended.
  enum class Ended : uint8_t { kHere, kFailed, kMoved };
  Ended EndRead(const ReadRequest& request, bool read, int own_event_fd);
  void RingReaders(BufferFrame& frame, uint64_t tag, int own_event_fd);
  void Unpin(BufferFrame& frame);

  BufferPoolHeader* header_;
  std::atomic<uint32_t>* buckets_;
  BufferFrame* frames_;
  char* pages_;
  Log* log_ = nullptr;
  PageStore* store_ = nullptr;  // null: all pages are here
  RingReads* rings_ = nullptr;
  ReadQueue reads_;
  BackendTable* backends_;
  Backend* session_ = nullptr;
  const CommitLog* stamps_ = nullptr;
  int64_t fail_after_ = -1;
};

}  // namespace connbench::engine
