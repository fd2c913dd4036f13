// The storage of one engine as a process holds it: the buffer pool, the table of relation storages
// and the way to the transactions. Heap, BTree, Catalog and vacuum work through it.
//
// Life: Init() lays out the segment's parts before Segment::Seal(); then each process makes one
// Storage. The first one calls CreateCatalog() before any session starts.
//
// Safety: a private handle on shared state; its methods may be called from any thread.
#pragma once

#include <atomic>
#include <cstdint>
#include <memory>
#include <string>

#include "base/status.h"
#include "base/thread_annotations.h"
#include "engine/segment/latch.h"
#include "engine/storage/buffer_pool.h"
#include "engine/storage/page_store.h"
#include "engine/storage/ring_reads.h"
#include "engine/storage/storage_types.h"
#include "engine/transaction/transaction.h"
#include "engine/wal/log.h"

namespace connbench::engine {

class Segment;
struct EngineConfig;

// Passes over all indexes of a table that remove the entries of dead line pointers. A line pointer
// that died before a pass began has no entry left when the pass is done, and is free then.
//
// A dead line pointer carries the number of the pass that had begun last, in 15 bits. The age that
// is computed from them is never more than the true one, so a number that has wrapped around only
// makes the line pointer wait.
struct IndexPasses {
  static constexpr uint32_t kStampMask = 0x7FFF;

  uint32_t begun = 0;
  uint32_t done = 0;  // the last that was completed

  uint32_t stamp() const { return begun & kStampMask; }
  // The pass after that of the stamp is done.
  bool Cover(uint32_t stamp) const { return ((begun - stamp) & kStampMask) > begun - done; }
};

// How far the upkeep of a table is (vacuum.h). In the heap's slot; in shared memory.
struct TableUpkeep {
  // 1: a session is at it. All but the atomics belong to that session.
  std::atomic<uint32_t> taken;
  std::atomic<uint32_t> passes_begun;
  std::atomic<uint32_t> passes_done;
  // Dead line pointers, as counted when they come and go.
  std::atomic<int64_t> dead_lines;
  // 0: the heap is being pruned; n: the n-th index is being cleaned.
  uint32_t phase;
  BlockNumber end;   // of the heap phase: what has been added since waits for the next
  BlockNumber next;  // the page to visit; kNoBlock: the leftmost leaf
  uint32_t found;    // what this heap phase took away
  uint32_t dead_lines_found;
  uint32_t idle;         // 1: the last heap phase found nothing
  uint64_t index_names;  // hash of the indexes' ids: with others the pass begins again
  Xid stamped_below;     // what the heap phase will have made sure of
};

// What all sessions share about one relation storage. In shared memory.
struct alignas(64) StorageSlot {
  static constexpr uint32_t kInsertTargets = 8;

  // Read on every access, written rarely.
  std::atomic<StorageId> id;          // kNoStorage: the slot is free
  std::atomic<uint32_t> block_count;  // pages below exist
  std::atomic<uint32_t> relation;     // oid, for row locks and messages
  // B+tree: a block that is or was the root. Searches may start there: what was once the root is
  // the leftmost page of its level, from which right links lead to everything.
  std::atomic<BlockNumber> root_block;
  StorageId next_id;   // what the next user of the slot is called
  uint32_t free_next;  // stack of free slots; guarded by StorageHeader::latch
  Latch extension;     // one session at a time adds a page
  // Pages that the upkeep of the table is to visit since this storage took new pages.
  std::atomic<int32_t> visits_owed;

  // Heap: where inserters put rows, spread so that they do not meet on one page's latch.
  alignas(64) std::atomic<BlockNumber> insert_target[kInsertTargets];
  std::atomic<uint32_t> free_space_limit;    // no page is recorded with a higher category
  std::atomic<BlockNumber> free_space_next;  // where the next search begins
  std::atomic<uint32_t> free_space_pages;    // pages of the map that may exist

  alignas(64) std::atomic<int64_t> rows;  // estimate
  std::atomic<int64_t> sequence_value;    // what a sequence gave last, or gives first
  std::atomic<uint32_t> sequence_called;  // 0: it has given nothing yet
  // Heap: no row carries the number of a transaction below this any more, but what became of it.
  std::atomic<Xid> stamped_below;
  TableUpkeep upkeep;

  // To be asked under the latch of the heap page whose line pointers are looked at.
  IndexPasses index_passes() const {
    const uint32_t done = upkeep.passes_done.load(std::memory_order_acquire);
    return {.begun = upkeep.passes_begun.load(std::memory_order_acquire), .done = done};
  }
  void OweVisits(int32_t visits) { visits_owed.fetch_add(visits, std::memory_order_relaxed); }
};

// Fixed-size head of SegmentPart::kStorage; the slots follow it.
struct StorageHeader {
  Latch latch;          // of the slots' free list
  uint32_t slot_count;  // a power of two; slot 0 is not used
  uint32_t max_relations;
  uint32_t used CONNBENCH_GUARDED_BY(latch);
  uint32_t free_first CONNBENCH_GUARDED_BY(latch);
  // The system heap and its indexes; constant after CreateCatalog().
  StorageId catalog_heap;
  StorageId catalog_by_name;
  StorageId catalog_by_oid;
  // Of pg_authid (engine/roles); constant once that is made.
  StorageId role_heap;
  StorageId role_by_name;
  std::atomic<uint64_t> role_changes;  // commits that changed it
  std::atomic<uint32_t> next_oid;
  std::atomic<uint64_t> catalog_version;  // commits that changed the catalog
  // The horizon as last computed, and how many commits there had been.
  alignas(64) std::atomic<Csn> horizon;
  std::atomic<Csn> horizon_computed_at;
};

class Storage {
 public:
  // Visits of upkeep that a new page costs: tables whose rows come and go are then at most
  // 1 / (1 - 2 / kVisitsPerPage) times as large as they need to be, plus what snapshots keep.
  static constexpr int32_t kVisitsPerPage = 4;
  // So many visits are a backlog (vacuum.cc).
  static constexpr int32_t kBacklogVisits = 4096;

  static int64_t ShmemSize(const EngineConfig& config);
  // Places for storages: a storage's id is one of them and how often it was used before.
  static uint32_t SlotCount(const EngineConfig& config);
  // Nobody else sees it yet.
  static Status Init(Segment& segment,
                     const EngineConfig& config) CONNBENCH_NO_THREAD_SAFETY_ANALYSIS;

  Storage(const Segment& segment, const TransactionSystem& transactions);
  // A session's own handle: what it has to wait for it waits for as that session. The other one is
  // the process's, and outlives it.
  Storage(const Storage& process, Backend& session);
  Storage(const Storage&) = delete;
  Storage& operator=(const Storage&) = delete;

  // Makes the empty system heap and its indexes.
  Status CreateCatalog();

  BufferPool& pool() { return pool_; }
  StorageHeader& header() { return *header_; }
  const CommitLog& commit_log() const { return *transactions_.commit_log; }

  // A new storage without pages, for the relation with this oid; 53400 when max_relations are in
  // use. Not transactional: Catalog knows who frees it when.
  Result<StorageId> CreateStorage(uint32_t relation);
  // Gives back all pages and the id. Nobody may use it any more.
  void FreeStorage(StorageId id);
  // Null if id is stale.
  StorageSlot* Find(StorageId id) {
    StorageSlot& slot = slots_[id & (header_->slot_count - 1)];
    return slot.id.load(std::memory_order_acquire) == id && id != kNoStorage ? &slot : nullptr;
  }
  // The page, which is read back if it is not in the pool; invalid if it does not exist. The caller
  // holds no latch, and no pin of a page that others may wait to give back.
  Result<ReadPageGuard> ReadPage(StorageId id, BlockNumber block, uint32_t first_offset = 0) {
    ReadPageGuard guard = pool_.Read(id, block, first_offset);
    if (guard.valid() || pool_.store() == nullptr) [[likely]]
      return guard;
    return BringToRead(id, block);
  }
  Result<WritePageGuard> WritePage(StorageId id, BlockNumber block) {
    WritePageGuard guard = pool_.Write(id, block);
    if (guard.valid() || pool_.store() == nullptr) [[likely]]
      return guard;
    return BringToWrite(id, block);
  }
  // Where the guard is invalid: the same.
  Result<ReadPageGuard> BringToRead(StorageId id, BlockNumber block);
  Result<WritePageGuard> BringToWrite(StorageId id, BlockNumber block);
  // Runs an operation that needs several pages at once: as often as it ends with a page that is
  // away (BufferPool::Away), having changed nothing and given back all latches. The pages that it
  // has lacked stay in the pool until it has got through. It must not wait for other transactions.
  template <typename Operation>
  auto WithPages(const Operation& operation) -> decltype(operation()) {
    auto result = operation();
    if (result.ok() || pool_.store() == nullptr) [[likely]]
      return result;
    PagePins pins;
    while (!result.ok() && BufferPool::TakeAway(StatusOf(result))) {
      CONNBENCH_RETURN_IF_ERROR(pool_.BringAway(pins));
      result = operation();
    }
    return result;
  }

  // Appends an empty page and returns it exclusively latched. Nobody sees it before.
  // The catalog's own pages may come from the pool's reserve.
  Result<WritePageGuard> Extend(StorageId id, StorageSlot& slot, uint16_t page_flags,
                                uint32_t special_size, BlockNumber& block,
                                PageSource source = PageSource::kOrdinary,
                                Evict evict = Evict::kUnchanged);

  // Gives the storage's last page back if it is an empty heap page that nobody is on. Whoever comes
  // for the page later finds that it does not exist, or kPageGone.
  Result<bool> DropEmptyLastPage(StorageId id, StorageSlot& slot);

  // A csn at or before which every snapshot has been taken, maybe an older one than there could be.
  Csn CachedHorizon() const { return header_->horizon.load(std::memory_order_acquire); }
  // Looks through the backends if that promises a newer one.
  Csn RefreshedHorizon();
  // Looks through the backends.
  Csn FreshHorizon();

  // No row of any heap asks about a transaction below this any more.
  Xid ForgettableBelow();
  // After a vacuum: tells the commit log so. With a log on disk checkpoints do it: what a vacuum
  // learned of the rows' writers is a hint, and not kept before that.
  void ForgetOldTransactions();

  // From now on changes are logged; null: they are not.
  void SetLog(Log* log) {
    log_ = log;
    pool_.SetLog(log);
    if (pages_ != nullptr) pool_.SetStore(pages_.get(), log == nullptr ? nullptr : &commit_log());
  }
  // From now on the pool may be smaller than the data, which are in the folder's pages file. Not
  // before what changes is logged, or restored by what follows below: other changes would be lost.
  void UsePages(const Segment& segment, Files& files, const std::string& folder,
                uint64_t log_number);
  // After that: sessions read their pages through io_urings.
  void UseRings(Files& files);
  // Null: all pages are in the pool.
  PageStore* pages() { return pool_.store(); }
  // The sequence's counter has changed; its extension latch is held.
  void LogSequence(StorageId id, const StorageSlot& slot);
  // A new oid.
  uint32_t NewOid();

  // --- Checkpoint and recovery (engine/recovery) -----------------------------------------------
  // Slots from 1 on, free or not.
  uint32_t slot_count() const { return header_->slot_count; }
  const StorageSlot& slot(uint32_t index) const { return slots_[index]; }
  // What the log said, done again; nobody else uses the storage yet. 53100 when the pool is full,
  // XX000 for what cannot be.
  Status RestoreStorage(StorageId id, uint32_t relation);
  void RestoreFreed(StorageId id);
  void RestoreBlockCount(StorageId id, BlockNumber blocks);
  void RestoreSequence(StorageId id, bool called, int64_t value);
  // A page of the checkpoint; they come in the order of their blocks. It is read as long as there
  // is room.
  Status RestoreCheckpointPage(StorageId id, BlockNumber block, PagePlace place);
  // One page of a kPages record that ends at end.
  Status RestorePage(RecordReader& record, Lsn end);
  // Makes what is neither logged nor in checkpoints: free slots, roots, counts, free space.
  // forgotten: of the commit log, which has been restored.
  Status FinishRestore(Xid forgotten) CONNBENCH_NO_THREAD_SAFETY_ANALYSIS;

  static Status StaleStorage(StorageId id);

 private:
  static const Status& StatusOf(const Status& status) { return status; }
  template <typename T>
  static const Status& StatusOf(const Result<T>& result) {
    return result.status();
  }
  void ResetSlot(StorageSlot& made, uint32_t relation) const;
  void LogStorage(RecordKind kind, StorageId id, uint32_t value);
  Status FinishRestoring(StorageId id, StorageSlot& slot);
  Status SurveyRestoredHeapPage(StorageId id, StorageSlot& slot, BlockNumber block);

  BufferPool pool_;
  TransactionSystem transactions_;
  Log* log_ = nullptr;
  std::unique_ptr<PageStore> pages_;  // these two: of the process's handle
  std::unique_ptr<RingReads> rings_;
  StorageHeader* header_;
  StorageSlot* slots_;
};

}  // namespace connbench::engine
