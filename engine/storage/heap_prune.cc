// Pruning: taking the row versions that are dead to everyone off a heap page.
#include "engine/storage/heap_prune.h"

#include <algorithm>
#include <bitset>

#include "engine/storage/free_space.h"
#include "engine/storage/visibility.h"

namespace connbench::engine {
namespace {

// Below this much room a page is worth pruning when visited (PostgreSQL: 10 % of a page).
constexpr uint32_t kPruneBelowBytes = kPageSize / 10;

class Pruner {
 public:
  Pruner(const CommitLog& log, Page page, Csn horizon, IndexPasses passes)
      : log_(log), page_(page), horizon_(horizon), passes_(passes), slots_(page.slot_count()) {}

  PruneResult Run() {
    for (uint32_t slot = 0; slot < slots_; ++slot) {
      if (page_.line(slot).normal()) {
        states_[slot] = StateOfVersion(log_, TupleAt(page_, slot), horizon_);
      }
    }
    for (uint32_t slot = 0; slot < slots_; ++slot) PruneChainFrom(slot);
    // Heap-only versions that no chain leads to were made by an update that rolled back.
    for (uint32_t slot = 0; slot < slots_; ++slot) {
      if (page_.line(slot).normal() && !reached_[slot] && states_[slot] == VersionState::kDead) {
        Remove(slot, LinePointer());
      }
    }
    Finish();
    return result_;
  }

 private:
  // slot: where an index entry may point. Finds how far the chain is dead and takes that part away.
  void PruneChainFrom(uint32_t root) {
    const LinePointer line = page_.line(root);
    uint32_t slot = root;
    if (line.state() == LineState::kDead) {
      if (!passes_.Cover(line.offset())) return;
      page_.SetLine(root, LinePointer());
      ++result_.freed;
      return;
    }
    if (line.state() == LineState::kRedirect) {
      slot = line.offset();
    } else if (!line.normal() || (TupleAt(page_, root).flags & kHeapOnly) != 0) {
      return;
    }
    uint32_t length = 0;
    uint32_t dead = 0;  // so many of the chain's first versions are dead
    while (slot < slots_ && page_.line(slot).normal() && !reached_[slot] && length < kMaxSlots) {
      reached_.set(slot);
      chain_[length++] = static_cast<SlotNumber>(slot);
      TupleHeader& tuple = TupleAt(page_, slot);
      // A dead version makes all before it dead, too, whatever they look like.
      if (states_[slot] == VersionState::kDead) dead = length;
      if (!HasHotSuccessor(log_, tuple)) break;
      slot = tuple.next_slot;
    }
    if (dead == 0) return;
    const LinePointer rest = dead == length ? LinePointer(LineState::kDead, passes_.stamp(), 0)
                                            : LinePointer(LineState::kRedirect, chain_[dead], 0);
    if (dead == length) ++result_.died;
    for (uint32_t index = 0; index < dead; ++index) {
      if (chain_[index] != root) Remove(chain_[index], LinePointer());
    }
    if (line.state() == LineState::kRedirect) {
      page_.SetLine(root, rest);
    } else {
      Remove(root, rest);
    }
  }

  void Remove(uint32_t slot, LinePointer instead) {
    page_.SetLine(slot, instead);
    ++result_.removed;
  }

  void Finish() {
    if (result_.changed()) {
      page_.TruncateUnusedSlots();
      page_.Compact();
      page_.ClearHint(kPageFull);
    }
    FateWord hint = kNoFate;
    bool unused = false;
    const uint32_t slots = page_.slot_count();
    for (uint32_t slot = 0; slot < slots; ++slot) {
      const LinePointer line = page_.line(slot);
      unused |= line.state() == LineState::kUnused;
      if (line.state() == LineState::kDead) ++result_.dead_lines;
      if (!line.normal()) continue;
      if (states_[slot] != VersionState::kRecentlyDead) ++result_.rows;
      TupleHeader& tuple = TupleAt(page_, slot);
      const FateWord xmax = tuple.xmax().load(std::memory_order_relaxed);
      if (xmax == kNoFate || xmax == kFateAborted || (tuple.flags & kXmaxLockOnly) != 0) continue;
      // The next prune is due when the first deleter is behind the horizon: a commit that is known
      // comes before any that is not.
      if (hint == kNoFate || (hint & kFateStamp) == 0 ||
          ((xmax & kFateStamp) != 0 && xmax < hint)) {
        hint = xmax;
      }
    }
    page_.header().prune_hint = hint;
    if (unused) {
      page_.SetHint(kPageHasFreeSlots);
    } else {
      page_.ClearHint(kPageHasFreeSlots);
    }
  }

  const CommitLog& log_;
  Page page_;
  const Csn horizon_;
  const IndexPasses passes_;
  const uint32_t slots_;
  PruneResult result_;
  VersionState states_[kMaxSlots] = {};
  std::bitset<kMaxSlots> reached_;
  SlotNumber chain_[kMaxSlots];
};

}  // namespace

PruneResult PrunePage(Storage& storage, StorageSlot& slot, Page page, Csn horizon) {
  const PruneResult result = Pruner(storage.commit_log(), page, horizon, slot.index_passes()).Run();
  if (result.died != result.freed) {
    slot.upkeep.dead_lines.fetch_add(int64_t{result.died} - int64_t{result.freed},
                                     std::memory_order_relaxed);
  }
  return result;
}

PageSurvey SurveyPage(Storage& storage, const StorageSlot& slot, Page page, Csn horizon) {
  PageSurvey survey;
  const CommitLog& log = storage.commit_log();
  const IndexPasses passes = slot.index_passes();
  const uint32_t slots = page.slot_count();
  for (uint32_t number = 0; number < slots; ++number) {
    const LinePointer line = page.line(number);
    if (line.state() == LineState::kDead) {
      ++survey.dead_lines;
      survey.worth_pruning |= passes.Cover(line.offset());
    } else if (line.normal()) {
      const VersionState state = StateOfVersion(log, TupleAt(page, number), horizon);
      survey.worth_pruning |= state == VersionState::kDead;
    }
  }
  return survey;
}

Status FindDeadRoots(Storage& storage, StorageId heap, std::span<const Tid> tids, AwayPages away,
                     bool* dead) {
  StorageSlot* slot = storage.Find(heap);
  ReadPageGuard guard;
  BlockNumber block = kNoBlock;
  for (size_t index = 0; index < tids.size(); ++index) {
    dead[index] = false;
    if (slot == nullptr) continue;
    if (tids[index].block != block) {
      block = tids[index].block;
      guard.Release();
      const auto read = [&]() -> Status {
        guard = storage.pool().Read(heap, block);
        if (guard.valid() || away == AwayPages::kSkip) return {};
        CONNBENCH_ASSIGN_OR_RETURN(guard, storage.BringToRead(heap, block));
        return {};
      };
      CONNBENCH_RETURN_IF_ERROR(read());
      if (guard.valid() && PruneHintHolds(storage, guard.page(), /*refresh_horizon=*/false)) {
        guard.Release();
        if (WritePageGuard write = storage.pool().TryWrite(heap, block); write.valid()) {
          PrunePage(storage, *slot, write.page(), storage.CachedHorizon());
        }
        CONNBENCH_RETURN_IF_ERROR(read());
      }
    }
    if (!guard.valid() || tids[index].slot >= guard.page().slot_count()) continue;
    dead[index] = guard.page().line(tids[index].slot).state() == LineState::kDead;
  }
  return {};
}

[[gnu::hot]] void SetPruneHint(Page page, FateWord word) {
  if (page.header().prune_hint == kNoFate) page.header().prune_hint = word;
}

[[gnu::hot]] bool PruneHintHolds(Storage& storage, Page page, bool refresh_horizon) {
  FateWord hint = page.header().prune_hint;
  if (hint == kNoFate) return false;
  const Fate fate = ResolveFate(storage.commit_log(), std::atomic_ref<uint64_t>(hint));
  if (fate.in_progress()) return false;
  if (fate.aborted() || fate.csn <= storage.CachedHorizon()) return true;
  return fate.csn <= (refresh_horizon ? storage.FreshHorizon() : storage.RefreshedHorizon());
}

[[gnu::hot]] uint32_t HeapFreeSpace(Page page) {
  if ((page.flags() & kPageGone) != 0) return 0;
  // Always with room for a line pointer: that one is free to be used again is only a hint.
  if (page.slot_count() >= kMaxHeapSlots && (page.flags() & kPageHasFreeSlots) == 0) return 0;
  return page.FreeSpaceForItem();
}

[[gnu::hot]] Status PruneOnAccess(Storage& storage, StorageId id, StorageSlot& slot,
                                  BlockNumber block, ReadPageGuard& guard) {
  const Page page = guard.page();
  if (page.header().prune_hint == kNoFate) return {};
  if ((page.flags() & kPageFull) == 0 && page.gap() >= kPruneBelowBytes) return {};
  if (!PruneHintHolds(storage, page, /*refresh_horizon=*/false)) return {};
  guard.Release();
  uint32_t free_bytes = 0;
  if (WritePageGuard write = storage.pool().TryWrite(id, block); write.valid()) {
    const PruneResult result = PrunePage(storage, slot, write.page(), storage.CachedHorizon());
    if (result.changed()) {
      free_bytes = HeapFreeSpace(write.page());
    }
  }
  if (free_bytes >= kOfferFromBytes) {
    FreeSpaceMap::Record(storage, id, slot, block, free_bytes);
  }
  CONNBENCH_ASSIGN_OR_RETURN(guard, storage.ReadPage(id, block));
  return {};
}

}  // namespace connbench::engine
