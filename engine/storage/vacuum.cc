// The steps of a table's upkeep, and who takes them when.
#include "engine/storage/vacuum.h"

#include <sched.h>

#include <algorithm>

#include "engine/storage/btree_internal.h"
#include "engine/storage/free_space.h"
#include "engine/storage/heap.h"
#include "engine/storage/heap_prune.h"
#include "engine/storage/storage.h"
#include "engine/storage/visibility.h"
#include "engine/transaction/transaction.h"

namespace connbench::engine {
namespace {

// Visits per call of TidyTable. A backlog, which is also what a full pool makes, is worked off in
// larger portions, of some milliseconds.
constexpr int32_t kMaxVisits = 16;
// A table that has nothing to look after, as far as anybody knows, has one visit for each page it
// takes.
constexpr int32_t kIdleShare = Storage::kVisitsPerPage;
// Pages given back per step.
constexpr int kMaxGivenBack = 64;

// The right to take steps. A session that dies with it has the segment rebuilt, as one with a
// latch.
class UpkeepClaim {
 public:
  explicit UpkeepClaim(TableUpkeep& upkeep) : upkeep_(upkeep) {}
  ~UpkeepClaim() {
    if (held_) upkeep_.taken.store(0, std::memory_order_release);
  }
  UpkeepClaim(const UpkeepClaim&) = delete;
  UpkeepClaim& operator=(const UpkeepClaim&) = delete;

  bool Try() {
    uint32_t nobody = 0;
    held_ = upkeep_.taken.compare_exchange_strong(nobody, 1, std::memory_order_acquire,
                                                  std::memory_order_relaxed);
    return held_;
  }

 private:
  TableUpkeep& upkeep_;
  bool held_ = false;
};

// Of the indexes that a pass goes through: with one more or less it would not be a pass over all.
uint64_t HashOf(std::span<const StorageId> indexes) {
  uint64_t hash = 0xcbf29ce484222325ULL;
  for (const StorageId index : indexes) hash = (hash ^ index) * 0x100000001b3ULL;
  return hash;
}

// The last heap phase found nothing, nor has this one yet. The claim is held.
bool IsIdle(const TableUpkeep& upkeep) {
  return upkeep.idle != 0 && upkeep.found == 0 && upkeep.dead_lines_found == 0 &&
         upkeep.dead_lines.load(std::memory_order_relaxed) == 0;
}

// The claim is held.
class Upkeep {
 public:
  Upkeep(Storage& storage, StorageId table, StorageSlot& slot, std::span<const StorageId> indexes,
         Csn horizon, bool thorough)
      : storage_(storage),
        table_(table),
        slot_(slot),
        upkeep_(slot.upkeep),
        indexes_(indexes),
        horizon_(horizon),
        thorough_(thorough) {
    const uint64_t names = HashOf(indexes);
    if (upkeep_.phase > 0 && upkeep_.index_names != names) StartPass();
    upkeep_.index_names = names;
  }

  void StartHeapPhase() {
    upkeep_.phase = 0;
    upkeep_.next = 0;
    upkeep_.end = slot_.block_count.load(std::memory_order_acquire);
    upkeep_.found = 0;
    upkeep_.dead_lines_found = 0;
    // Transactions below this have ended: every page visited from now on shows what became of them.
    upkeep_.stamped_below = storage_.commit_log().oldest_recent_xid();
  }

  // Visits a page. True if that was the last of a phase.
  Result<bool> Step() {
    if (upkeep_.phase > 0) return IndexStep();
    if (upkeep_.next < upkeep_.end) {
      CONNBENCH_RETURN_IF_ERROR(PruneBlock(upkeep_.next++));
      return false;
    }
    for (int count = 0;; ++count) {
      CONNBENCH_ASSIGN_OR_RETURN(const bool dropped, storage_.DropEmptyLastPage(table_, slot_));
      if (!dropped) break;
      ++statistics.pages_given_back;
      if (count == kMaxGivenBack) return false;
    }
    EndHeapPhase();
    return true;
  }

  VacuumStatistics statistics;

 private:
  void StartPass() {
    upkeep_.phase = 1;
    upkeep_.next = kNoBlock;
    // Before the first leaf is looked at: line pointers that die from now on wait for the next
    // pass.
    upkeep_.passes_begun.fetch_add(1, std::memory_order_acq_rel);
    if (indexes_.empty()) EndPass();
  }

  void EndPass() {
    upkeep_.passes_done.store(upkeep_.passes_begun.load(std::memory_order_relaxed),
                              std::memory_order_release);
    StartHeapPhase();
  }

  void EndHeapPhase() {
    slot_.stamped_below.store(upkeep_.stamped_below, std::memory_order_release);
    upkeep_.idle = upkeep_.found == 0 && upkeep_.dead_lines_found == 0 ? 1 : 0;
    if (upkeep_.dead_lines_found > 0 || thorough_) {
      StartPass();
    } else {
      StartHeapPhase();
    }
  }

  Status PruneBlock(BlockNumber block) {
    uint32_t free_bytes = 0;
    bool prune = false;
    {
      CONNBENCH_ASSIGN_OR_RETURN(const ReadPageGuard guard, storage_.ReadPage(table_, block));
      if (!guard.valid()) return {};
      const PageSurvey survey = SurveyPage(storage_, slot_, guard.page(), horizon_);
      prune = thorough_ || survey.worth_pruning;
      if (!prune) {
        upkeep_.dead_lines_found += survey.dead_lines;
        free_bytes = HeapFreeSpace(guard.page());
        if (free_bytes < kOfferFromBytes) return {};
      }
    }
    if (prune) {
      CONNBENCH_ASSIGN_OR_RETURN(const WritePageGuard guard, storage_.WritePage(table_, block));
      if (!guard.valid()) return {};
      const Page page = guard.page();
      const PruneResult result = PrunePage(storage_, slot_, page, horizon_);
      StampFates(storage_.commit_log(), page);
      upkeep_.found += result.removed + result.freed;
      upkeep_.dead_lines_found += result.dead_lines;
      statistics.rows += result.rows;
      statistics.rows_removed += result.removed;
      statistics.line_pointers_removed += result.freed;
      free_bytes = HeapFreeSpace(page);
    }
    // The pages of a small table are insert targets: a map for them would be as large.
    if (slot_.free_space_pages.load(std::memory_order_relaxed) > 0 ||
        slot_.block_count.load(std::memory_order_relaxed) > FreeSpaceMap::kReserveAtBlock) {
      FreeSpaceMap::Record(storage_, table_, slot_, block, free_bytes);
    }
    return {};
  }

  Result<bool> IndexStep() {
    const StorageId index = indexes_[upkeep_.phase - 1];
    StorageSlot* slot = storage_.Find(index);
    if (slot == nullptr) return Storage::StaleStorage(index);
    Tree tree(storage_, index, *slot);
    if (upkeep_.next == kNoBlock) {
      CONNBENCH_ASSIGN_OR_RETURN(upkeep_.next, tree.LeftmostLeaf());
    }
    CONNBENCH_RETURN_IF_ERROR(
        tree.CleanLeaf(table_, upkeep_.next, upkeep_.next, statistics.index_entries_removed));
    if (upkeep_.next != kNoBlock) return false;
    if (upkeep_.phase < indexes_.size()) {
      ++upkeep_.phase;
      return false;
    }
    EndPass();
    return true;
  }

  Storage& storage_;
  const StorageId table_;
  StorageSlot& slot_;
  TableUpkeep& upkeep_;
  std::span<const StorageId> indexes_;
  const Csn horizon_;
  const bool thorough_;  // VACUUM: every page is looked at in earnest
};

}  // namespace

Result<VacuumStatistics> VacuumTable(Storage& storage, Transaction& transaction, StorageId table,
                                     std::span<const StorageId> indexes) {
  StorageSlot* slot = storage.Find(table);
  if (slot == nullptr) return Storage::StaleStorage(table);
  UpkeepClaim claim(slot->upkeep);
  while (!claim.Try()) {
    CONNBENCH_RETURN_IF_ERROR(transaction.CheckForInterrupts());
    sched_yield();
  }
  const Csn horizon = storage.FreshHorizon();
  const auto run = [&](Upkeep& upkeep) -> Status {
    while (true) {
      CONNBENCH_RETURN_IF_ERROR(transaction.CheckForInterrupts());
      CONNBENCH_ASSIGN_OR_RETURN(const bool ended, upkeep.Step());
      if (ended) return {};
    }
  };
  VacuumStatistics statistics;
  {
    Upkeep upkeep(storage, table, *slot, indexes, horizon, /*thorough=*/true);
    upkeep.StartHeapPhase();
    CONNBENCH_RETURN_IF_ERROR(run(upkeep));
    if (slot->upkeep.phase > 0) CONNBENCH_RETURN_IF_ERROR(run(upkeep));
    statistics = upkeep.statistics;
  }
  statistics.pages = slot->block_count.load(std::memory_order_acquire);
  // Rows that came and went meanwhile are not in it: it is an estimate.
  slot->rows.store(statistics.rows, std::memory_order_relaxed);
  // Once more through the heap, for the line pointers that are free now.
  Upkeep upkeep(storage, table, *slot, indexes, horizon, /*thorough=*/false);
  CONNBENCH_RETURN_IF_ERROR(run(upkeep));
  statistics.rows_removed += upkeep.statistics.rows_removed;
  statistics.line_pointers_removed += upkeep.statistics.line_pointers_removed;
  statistics.pages_given_back += upkeep.statistics.pages_given_back;
  storage.ForgetOldTransactions();
  return statistics;
}

Status TidyTable(Storage& storage, StorageId table, std::span<const StorageId> indexes) {
  StorageSlot* slot = storage.Find(table);
  if (slot == nullptr) return Storage::StaleStorage(table);
  UpkeepClaim claim(slot->upkeep);
  if (!claim.Try()) return {};
  int32_t owed = slot->visits_owed.exchange(0, std::memory_order_relaxed);
  for (const StorageId index : indexes) {
    StorageSlot* index_slot = storage.Find(index);
    if (index_slot == nullptr) return Storage::StaleStorage(index);
    owed += index_slot->visits_owed.exchange(0, std::memory_order_relaxed);
  }
  int32_t limit = kMaxVisits;
  if (owed >= Storage::kBacklogVisits) {
    limit = Storage::kBacklogVisits;
  } else if (IsIdle(slot->upkeep)) {
    owed = (owed + kIdleShare - 1) / kIdleShare;
  }
  const int32_t visits = std::min(owed, limit);
  if (owed > visits) slot->OweVisits(owed - visits);
  Upkeep upkeep(storage, table, *slot, indexes, storage.FreshHorizon(), /*thorough=*/false);
  for (int32_t visit = 0; visit < visits; ++visit) {
    CONNBENCH_RETURN_IF_ERROR(upkeep.Step().status());
  }
  return {};
}

}  // namespace connbench::engine
