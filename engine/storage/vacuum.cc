#include "engine/storage/vacuum.h"

#include <algorithm>
#include <vector>

#include "engine/storage/btree_internal.h"
#include "engine/storage/free_space.h"
#include "engine/storage/heap.h"
#include "engine/storage/heap_prune.h"
#include "engine/storage/storage.h"
#include "engine/storage/visibility.h"
#include "engine/transaction/transaction.h"

namespace connbench::engine {
namespace {

// Dead line pointers remembered at a time (8 bytes each): more mean more passes over the indexes.
constexpr size_t kMaxRemembered = size_t{1} << 20;

class Vacuumer {
 public:
  Vacuumer(Storage& storage, Transaction& transaction, StorageId table, StorageSlot& slot,
           std::span<const StorageId> indexes)
      : storage_(storage),
        transaction_(transaction),
        table_(table),
        slot_(slot),
        indexes_(indexes) {}

  Result<VacuumStatistics> Run() {
    // Transactions below this have ended: every page visited from now on shows what became of them.
    const Xid stamped_below = storage_.commit_log().oldest_recent_xid();
    const Csn horizon = storage_.FreshHorizon();
    const BlockNumber blocks = slot_.block_count.load(std::memory_order_acquire);
    statistics_.pages = blocks;
    for (BlockNumber block = 0; block < blocks; ++block) {
      CONNBENCH_RETURN_IF_ERROR(transaction_.CheckForInterrupts());
      CONNBENCH_RETURN_IF_ERROR(PruneBlock(block, horizon));
      if (dead_.size() >= kMaxRemembered) CONNBENCH_RETURN_IF_ERROR(RemoveDead());
    }
    CONNBENCH_RETURN_IF_ERROR(RemoveDead());
    // Rows that came and went meanwhile are not in it: it is an estimate.
    slot_.rows.store(statistics_.rows, std::memory_order_relaxed);
    slot_.stamped_below.store(stamped_below, std::memory_order_release);
    storage_.ForgetOldTransactions();
    return statistics_;
  }

 private:
  Status PruneBlock(BlockNumber block, Csn horizon) {
    uint32_t free_bytes = 0;
    {
      WritePageGuard guard = storage_.pool().Write(table_, block);
      if (!guard.valid()) return BufferPool::MissingPage(table_, block);
      const Page page = guard.page();
      const PruneResult result = PrunePage(storage_.commit_log(), page, horizon);
      StampFates(page);
      guard.MarkDirty();
      statistics_.rows += result.rows;
      statistics_.rows_removed += result.removed;
      for (uint32_t slot = 0; result.dead_lines > 0 && slot < page.slot_count(); ++slot) {
        if (page.line(slot).state() != LineState::kDead) continue;
        dead_.push_back(Tid{block, static_cast<SlotNumber>(slot), 0}.Packed());
      }
      free_bytes = HeapFreeSpace(page);
    }
    FreeSpaceMap::Record(storage_, table_, slot_, block, free_bytes);
    return {};
  }

  // Writes down what became of each row's writers, as far as they have ended. A locker's end means
  // nothing.
  void StampFates(Page page) {
    const CommitLog& log = storage_.commit_log();
    for (uint32_t slot = 0; slot < page.slot_count(); ++slot) {
      if (!page.line(slot).normal()) continue;
      auto& tuple = *reinterpret_cast<TupleHeader*>(page.item(slot));
      (void)ResolveFate(log, tuple.xmin());
      if (tuple.xmax().load(std::memory_order_relaxed) == kNoFate) continue;
      if ((tuple.flags & kXmaxLockOnly) == 0) (void)ResolveFate(log, tuple.xmax());
    }
  }

  // A line pointer may be used again only when no index entry leads to it any more.
  Status RemoveDead() {
    if (dead_.empty()) return {};
    for (const StorageId index : indexes_) CONNBENCH_RETURN_IF_ERROR(CleanIndex(index));
    // dead_ is in order: pages were visited in order of their numbers.
    for (size_t next = 0; next < dead_.size();) {
      CONNBENCH_RETURN_IF_ERROR(transaction_.CheckForInterrupts());
      const BlockNumber block = Tid::FromPacked(dead_[next]).block;
      uint32_t free_bytes = 0;
      {
        WritePageGuard guard = storage_.pool().Write(table_, block);
        if (!guard.valid()) return BufferPool::MissingPage(table_, block);
        const Page page = guard.page();
        for (; next < dead_.size() && Tid::FromPacked(dead_[next]).block == block; ++next) {
          page.SetLine(Tid::FromPacked(dead_[next]).slot, LinePointer());
          ++statistics_.line_pointers_removed;
        }
        page.TruncateUnusedSlots();
        page.SetHint(kPageHasFreeSlots);
        guard.MarkDirty();
        free_bytes = HeapFreeSpace(page);
      }
      FreeSpaceMap::Record(storage_, table_, slot_, block, free_bytes);
    }
    dead_.clear();
    return {};
  }

  // Leaves from left to right. Entries only ever move right, so that none is missed.
  Status CleanIndex(StorageId index) {
    StorageSlot* slot = storage_.Find(index);
    if (slot == nullptr) return Storage::StaleStorage(index);
    Tree tree(storage_, index, *slot);
    BlockNumber block = kNoBlock;
    CONNBENCH_ASSIGN_OR_RETURN(WritePageGuard guard,
                               tree.DescendToWrite({TreePosition::Kind::kFirst, {}, 0}, 0, block));
    while (true) {
      CleanLeaf(guard);
      const BlockNumber right = TreePage(guard.page()).special().right;
      guard.Release();
      if (right == kNoBlock) return {};
      CONNBENCH_RETURN_IF_ERROR(transaction_.CheckForInterrupts());
      CONNBENCH_ASSIGN_OR_RETURN(guard, tree.Write(right));
    }
  }

  void CleanLeaf(WritePageGuard& guard) {
    const TreePage leaf(guard.page());
    bool drop[kMaxSlots] = {};
    bool any = false;
    for (uint32_t slot = leaf.first_slot(); slot < leaf.end_slot(); ++slot) {
      drop[slot] = leaf.page().line(slot).state() == LineState::kDead ||
                   std::binary_search(dead_.begin(), dead_.end(), leaf.entry(slot).tid().Packed());
      any |= drop[slot];
    }
    if (!any) return;
    statistics_.index_entries_removed += leaf.page().RemoveSlots(drop);
    leaf.page().ClearHint(kPageHasKilled);
    ++leaf.special().removals;
    guard.MarkDirty();
  }

  Storage& storage_;
  Transaction& transaction_;
  const StorageId table_;
  StorageSlot& slot_;
  std::span<const StorageId> indexes_;
  std::vector<uint64_t> dead_;  // packed tids
  VacuumStatistics statistics_;
};

}  // namespace

Result<VacuumStatistics> VacuumTable(Storage& storage, Transaction& transaction, StorageId table,
                                     std::span<const StorageId> indexes) {
  StorageSlot* slot = storage.Find(table);
  if (slot == nullptr) return Storage::StaleStorage(table);
  return Vacuumer(storage, transaction, table, *slot, indexes).Run();
}

}  // namespace connbench::engine
