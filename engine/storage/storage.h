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

#include "base/status.h"
#include "engine/segment/latch.h"
#include "engine/storage/buffer_pool.h"
#include "engine/storage/storage_types.h"
#include "engine/transaction/transaction.h"

namespace connbench::engine {

class Segment;
struct EngineConfig;

// What all sessions share about one relation storage. In shared memory.
struct alignas(64) StorageSlot {
  static constexpr uint32_t kInsertTargets = 8;

  // Read on every access, written rarely.
  std::atomic<StorageId> id;          // kNoStorage: the slot is free
  std::atomic<uint32_t> block_count;  // pages below exist
  std::atomic<uint32_t> relation;     // oid, for row locks and messages
  // B+tree: a block that is or was the root. Searches may start there: what was once the root is the
  // leftmost page of its level, from which right links lead to everything.
  std::atomic<BlockNumber> root_block;
  StorageId next_id;   // what the next user of the slot is called
  uint32_t free_next;  // stack of free slots; guarded by StorageHeader::latch
  Latch extension;     // one session at a time adds a page

  // Heap: where inserters put rows, spread so that they do not meet on one page's latch.
  alignas(64) std::atomic<BlockNumber> insert_target[kInsertTargets];
  std::atomic<uint32_t> free_space_limit;    // no page is recorded with a higher category
  std::atomic<BlockNumber> free_space_next;  // where the next search begins

  alignas(64) std::atomic<int64_t> rows;  // estimate
  std::atomic<int64_t> sequence_value;    // what a sequence gave last, or gives first
  std::atomic<uint32_t> sequence_called;  // 0: it has given nothing yet
  // Heap: no row carries the number of a transaction below this any more, but what became of it.
  std::atomic<Xid> stamped_below;
};

// Fixed-size head of SegmentPart::kStorage; the slots follow it.
struct StorageHeader {
  Latch latch;          // of the slots' free list
  uint32_t slot_count;  // a power of two; slot 0 is not used
  uint32_t max_relations;
  uint32_t used;        // guarded by latch
  uint32_t free_first;  // guarded by latch
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
  static int64_t ShmemSize(const EngineConfig& config);
  static Status Init(Segment& segment, const EngineConfig& config);

  Storage(const Segment& segment, const TransactionSystem& transactions);
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
  // Appends an empty page and returns it exclusively latched. Nobody sees it before.
  Result<WritePageGuard> Extend(StorageId id, StorageSlot& slot, uint16_t page_flags,
                                uint32_t special_size, BlockNumber& block);

  // A csn at or before which every snapshot has been taken, maybe an older one than there could be.
  Csn CachedHorizon() const { return header_->horizon.load(std::memory_order_acquire); }
  // Looks through the backends if that promises a newer one.
  Csn RefreshedHorizon();
  // Looks through the backends.
  Csn FreshHorizon();

  // After a vacuum: tells the commit log which transactions no row of any heap asks about any more.
  void ForgetOldTransactions();

  static Status StaleStorage(StorageId id);

 private:
  BufferPool pool_;
  TransactionSystem transactions_;
  StorageHeader* header_;
  StorageSlot* slots_;
};

}  // namespace connbench::engine
