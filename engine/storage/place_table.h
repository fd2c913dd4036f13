// Where pages stand in the file <folder>/pages: of each page the place that has it as it was last
// written, and which places are free. In the segment, so that any process can look a page up.
//
// A place is in use as long as somebody names it: the page itself (its current place), the last
// complete checkpoint, or the checkpoint that is being made. What the last checkpoint names is
// never written over (engine/recovery/README.md has the argument).
//
// Safety: PlaceTable is a private handle on shared state; any number of threads and processes. Its
// latch comes after all of the buffer pool's, and is never held during I/O.
#pragma once

#include <atomic>
#include <cstdint>
#include <type_traits>

#include "base/status.h"
#include "base/thread_annotations.h"
#include "engine/segment/latch.h"
#include "engine/storage/storage_types.h"

namespace connbench::engine {

class Segment;
struct EngineConfig;

struct PagePlace {
  static constexpr uint32_t kNowhere = UINT32_MAX;

  uint32_t place = kNowhere;  // the page begins after that many pages of the file
  uint32_t checksum = 0;      // of the page, with its log's number, storage and block

  bool somewhere() const { return place != kNowhere; }
};
static_assert(sizeof(PagePlace) == 8);

// For an LSN: no place has the page as it is.
inline constexpr uint64_t kNowhereWritten = UINT64_MAX;

// A page's name as one number.
constexpr uint64_t PageTag(StorageId storage, BlockNumber block) {
  return uint64_t{storage} << 32 | block;
}

// A place, in shared memory.
struct PlaceEntry {
  static constexpr uint32_t kWriting = 1;         // given out, not yet named by anybody
  static constexpr uint32_t kCurrent = 2;         // has the page as it was last written
  static constexpr uint32_t kLastCheckpoint = 4;  // the last complete checkpoint names it
  static constexpr uint32_t kNextCheckpoint = 8;  // the one that is being made names it
  // Some row's writer had not ended: whoever forgets ended transactions must look at the page.
  static constexpr uint32_t kUnstamped = 16;
  static constexpr uint32_t kNamed = kWriting | kCurrent | kLastCheckpoint | kNextCheckpoint;

  uint64_t tag;
  uint32_t checksum;
  uint32_t next;   // of the bucket's chain, which has current places alone
  uint32_t flags;  // none of kNamed: the place is free
  uint32_t zero;
};
static_assert(sizeof(PlaceEntry) == 24);

// Fixed-size head of SegmentPart::kPagePlaces; the buckets, then the entries follow it.
struct PlaceTableHeader {
  Latch latch;
  uint32_t capacity;
  uint32_t bucket_count;  // a power of two
  uint32_t end;           // no place from here on is in use
  uint32_t free;          // free places before end
  uint32_t next;          // where the next search begins
  uint32_t cutting;       // 1: the file is being cut at end
};
static_assert(std::is_trivially_destructible_v<PlaceTableHeader>);

class PlaceTable {
 public:
  // 0 without a data directory.
  static int64_t ShmemSize(const EngineConfig& config);
  static Status Init(Segment& segment, const EngineConfig& config);
  // In a segment that has the part.
  explicit PlaceTable(const Segment& segment);

  // The page's current place.
  PagePlace Find(uint64_t tag) const;
  // The page does not exist any more.
  void Forget(uint64_t tag);

  // A free place, for somebody to write to; 53100 when all are in use.
  Result<uint32_t> TakeFree();
  void GiveBack(uint32_t place);
  // What TakeFree() gave has the page now. Becomes its current place if written_lsn, which says
  // what the current place has, is still `before`; then written_lsn becomes lsn. Else it is free.
  void SetCurrent(uint64_t tag, PagePlace place, bool unstamped, std::atomic<uint64_t>& written_lsn,
                  uint64_t before, uint64_t lsn);

  // --- Checkpoints: one at a time ---------------------------------------------------------------
  // What TakeFree() gave has the page for the checkpoint that is being made.
  void Name(uint64_t tag, PagePlace place, bool unstamped);
  // The checkpoint shares the page's current place; kNowhere if it has none, or if the page has to
  // be looked at because its writers had not ended.
  PagePlace Share(uint64_t tag, bool& unstamped);
  // The same for a page that is in the pool, if its current place has it as it is. A page that has
  // to be looked at counts as changed from now on: it may be evicted before the checkpoint is
  // complete, and must not come back from the place as it is there.
  PagePlace ShareWritten(uint64_t tag, std::atomic<uint64_t>& written_lsn, uint64_t lsn);
  // A page of the pool that the checkpoint has written, as SetCurrent().
  void SetCurrentToNamed(uint64_t tag, uint32_t place, std::atomic<uint64_t>& written_lsn,
                         uint64_t before, uint64_t lsn);
  // The checkpoint that was being made is the last complete one from now on ...
  void CompleteCheckpoint();
  // ... or it was given up.
  void AbandonCheckpoint();
  // What is behind the places in use is to be cut off the file: the places that stay. Until
  // EndCut() nobody gets a place behind them.
  uint32_t BeginCut();
  void EndCut();

  // --- Recovery, while nobody else uses the table -----------------------------------------------
  // A page of the last checkpoint; 53100 if the table has no such place.
  Status Restore(uint64_t tag, PagePlace place);
  template <typename Visit>
  void ForEachCurrent(const Visit& visit) const {
    for (uint32_t place = 0; place < end(); ++place) {
      if ((entries_[place].flags & PlaceEntry::kCurrent) != 0) visit(entries_[place].tag);
    }
  }

 private:
  uint32_t end() const CONNBENCH_NO_THREAD_SAFETY_ANALYSIS { return header_->end; }
  uint32_t& BucketOf(uint64_t tag) const;
  // The latch is held in what follows.
  uint32_t FindCurrent(uint64_t tag) const;
  void MakeCurrent(uint64_t tag, uint32_t place);
  void DropCurrent(uint64_t tag);
  void Clear(uint32_t place, uint32_t flags);
  void ShrinkEnd();

  PlaceTableHeader* header_;
  uint32_t* buckets_;
  PlaceEntry* entries_;
};

}  // namespace connbench::engine
