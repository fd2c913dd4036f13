// Upkeep of a table: gives back the space of row versions that are dead to everyone.
//
// It goes round and round: a heap phase prunes every page, frees the dead line pointers that no
// index entry leads to any more, tells the free-space map, and gives empty pages at the end back;
// then a pass over the indexes removes the entries of dead line pointers and unlinks empty pages.
// Each step visits one page. VACUUM goes once round at once; TidyTable takes as many steps as the
// table's new pages have brought on, so that a table whose rows come and go stays small without
// VACUUM. Readers and writers go on meanwhile; one session at a time is at it.
//
// Safety: the caller holds RowExclusive on the table at least, VACUUM ShareUpdateExclusive; either
// keeps the table's set of indexes as it is. No latch outlives a step.
// Errors: none of its own; 57014 if canceled (VACUUM).
#pragma once

#include <cstdint>
#include <span>

#include "base/status.h"
#include "engine/storage/storage_types.h"

namespace connbench::engine {

class Storage;
class Transaction;

struct VacuumStatistics {
  int64_t pages = 0;
  int64_t rows = 0;                   // left
  int64_t rows_removed = 0;           // row versions pruned
  int64_t line_pointers_removed = 0;  // made reusable
  int64_t index_entries_removed = 0;
  int64_t pages_given_back = 0;  // at the table's end
};

// indexes: all of the table, in an order that does not change.
Result<VacuumStatistics> VacuumTable(Storage& storage, Transaction& transaction, StorageId table,
                                     std::span<const StorageId> indexes);

// Pays what TidyTable's caller, or others, owe for the pages that the table and its indexes took.
// Bounded: what is left over is for the next caller.
Status TidyTable(Storage& storage, StorageId table, std::span<const StorageId> indexes);

}  // namespace connbench::engine
