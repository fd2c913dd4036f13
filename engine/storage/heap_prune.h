// Pruning: taking the row versions that are dead to everyone off a heap page. README.md has the
// rules. What indexes point to stays, as a redirect or a dead line pointer.
//
// Safety: the caller holds the page's exclusive content latch.
#pragma once

#include <cstdint>
#include <span>

#include "engine/storage/heap.h"
#include "engine/storage/page.h"
#include "engine/storage/storage.h"

namespace connbench::engine {

struct PruneResult {
  uint32_t removed = 0;     // versions taken off
  uint32_t rows = 0;        // versions left that are live or may become so
  uint32_t dead_lines = 0;  // dead line pointers on the page now
  uint32_t died = 0;        // ... of which new
  uint32_t freed = 0;       // dead line pointers that no index entry leads to any more
  bool changed() const { return removed > 0 || freed > 0; }
};

// slot: the heap's.
PruneResult PrunePage(Storage& storage, StorageSlot& slot, Page page, Csn horizon);

// Whether pruning would find something, judging by the page's hint. Shared latch is enough.
bool PruneHintHolds(Storage& storage, Page page, bool refresh_horizon);

// For readers, before they read: prunes the page if it is short of space, has something to prune,
// and nobody is on it. Gives up rather than wait. The guard is given back and taken again if so;
// the caller holds no other latch.
Status PruneOnAccess(Storage& storage, StorageId id, StorageSlot& slot, BlockNumber block,
                     ReadPageGuard& guard);

// Whether PrunePage would find something, judging by every row, and the page's dead line pointers
// as far as it would not. Leaves a stamp wherever a writer's end is known. Shared latch is enough.
struct PageSurvey {
  bool worth_pruning = false;
  uint32_t dead_lines = 0;
};
PageSurvey SurveyPage(Storage& storage, const StorageSlot& slot, Page page, Csn horizon);

// A page with more room than this after pruning is offered to inserters; less is left to HOT
// updates.
inline constexpr uint32_t kOfferFromBytes = kPageSize / 4;

// Tells which of the index entries' tids lead to dead line pointers. Prunes heap pages on the way
// where nobody is in the way. kSkip: the rows of heap pages that are not in the pool count as
// alive, and the caller may hold latches of B+tree pages. kBring: they are read, and he holds none.
enum class AwayPages : uint8_t { kSkip, kBring };
Status FindDeadRoots(Storage& storage, StorageId heap, std::span<const Tid> tids, AwayPages away,
                     bool* dead);

// Remembers in the page that word (a deleter) may have left something to prune.
void SetPruneHint(Page page, FateWord word);

// Room for a row version on the page, in bytes, its line pointer already paid.
uint32_t HeapFreeSpace(Page page);

}  // namespace connbench::engine
