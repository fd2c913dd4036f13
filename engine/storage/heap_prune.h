// Pruning: taking the row versions that are dead to everyone off a heap page. README.md has the
// rules. What indexes point to stays, as a redirect or a dead line pointer.
//
// Safety: the caller holds the page's exclusive content latch.
#pragma once

#include <cstdint>

#include "engine/storage/heap.h"
#include "engine/storage/page.h"
#include "engine/storage/storage.h"

namespace connbench::engine {

struct PruneResult {
  uint32_t removed = 0;     // versions taken off
  uint32_t rows = 0;        // versions left that are live or may become so
  uint32_t dead_lines = 0;  // dead line pointers on the page now
};

PruneResult PrunePage(const CommitLog& log, Page page, Csn horizon);

// Whether pruning would find something, judging by the page's hint. Shared latch is enough.
bool PruneHintHolds(Storage& storage, Page page, bool refresh_horizon);

// For readers, before they read: prunes the page if it is short of space, has something to prune, and
// nobody is on it. Gives up rather than wait. The guard is given back and taken again if so.
void PruneOnAccess(Storage& storage, StorageId id, StorageSlot& slot, BlockNumber block,
                   ReadPageGuard& guard);

// Remembers in the page that word (a deleter) may have left something to prune.
void SetPruneHint(Page page, FateWord word);

// Room for a row version on the page, in bytes, its line pointer already paid.
uint32_t HeapFreeSpace(Page page);

}  // namespace connbench::engine
