// The shared buffer pool: 8 KiB frames in the segment, found by (storage id, block number).
//
// All pages live here, and checkpoints copy out those that have changed. A page is never read back
// while the server runs, so the pool must have room for all data. With a log, what a write guard
// gives back is logged (page_log.h).
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
// Errors: 53100 with a hint when no frame is free.
#pragma once

#include <atomic>
#include <cstdint>
#include <utility>

#include "base/assert.h"
#include "base/status.h"
#include "base/thread_annotations.h"
#include "engine/segment/latch.h"
#include "engine/storage/page.h"
#include "engine/storage/storage_types.h"

namespace connbench::engine {

class Segment;
struct EngineConfig;
class Log;

inline constexpr uint32_t kNoFrame = UINT32_MAX;

struct alignas(64) BufferFrame {
  static constexpr uint32_t kPinMask = (1u << 24) - 1;
  static constexpr uint32_t kValid = 1u << 24;  // the tag names the page that is here
  static constexpr uint64_t kNotInCheckpoint = UINT64_MAX;

  std::atomic<uint64_t> tag;        // storage id << 32 | block
  std::atomic<uint32_t> state;      // pins and flags; a pin may come and go at any time
  std::atomic<uint32_t> hash_next;  // chain of the bucket
  std::atomic<uint32_t> free_next;  // stack of free frames
  // The LSN of the page as the last complete checkpoint has it (PageGuard::in_checkpoint).
  std::atomic<uint64_t> checkpoint_lsn;
  Latch content;
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
  Latch partitions[kPartitions];  // of the buckets, for inserting and removing
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
  // Whether the last complete checkpoint has the page as it is here, hints apart. Whatever else
  // changes is logged, and so has another LSN.
  bool in_checkpoint() const {
    return frame_->checkpoint_lsn.load(std::memory_order_relaxed) == page().header().lsn;
  }
  // It has the page as of this LSN.
  void SetInCheckpoint(uint64_t lsn) const {
    frame_->checkpoint_lsn.store(lsn, std::memory_order_relaxed);
  }
  // The next checkpoint is to write the page, whatever its LSN: for changes that nobody logs.
  void LeaveCheckpoint() const { SetInCheckpoint(BufferFrame::kNotInCheckpoint); }

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
  Result<WritePageGuard> Allocate(StorageId storage, BlockNumber block,
                                  PageSource source = PageSource::kOrdinary)
      CONNBENCH_NO_THREAD_SAFETY_ANALYSIS;
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

  uint32_t frame_count() const { return header_->frame_count; }
  uint32_t free_frames() const { return header_->free_frames.load(std::memory_order_relaxed); }
  // Whether only the reserve is left.
  bool full() const { return free_frames() <= header_->reserved_frames; }
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
  static uint64_t Tag(StorageId storage, BlockNumber block) {
    return (uint64_t{storage} << 32) | block;
  }
  static uint64_t Hash(uint64_t tag);
  char* PageData(uint32_t frame) const { return pages_ + uint64_t{frame} * kPageSize; }
  BufferFrame* Pin(uint64_t tag, uint32_t first_offset) const;
  BufferFrame* PinSlow(uint64_t tag, uint32_t bucket) const;
  static bool TryPin(BufferFrame& frame, uint64_t tag);
  uint32_t PopFree();
  void PushFree(uint32_t frame);

  BufferPoolHeader* header_;
  std::atomic<uint32_t>* buckets_;
  BufferFrame* frames_;
  char* pages_;
  Log* log_ = nullptr;
  int64_t fail_after_ = -1;
};

}  // namespace connbench::engine
