// VACUUM of one table: gives back the space of row versions that are dead to everyone.
//
// Prunes every page, removes the index entries that point to dead line pointers, then makes these
// line pointers reusable and tells the free-space map. Readers and writers go on meanwhile.
//
// Safety: the caller holds ShareUpdateExclusive on the table, so that one vacuum runs at a time.
// Errors: none of its own; 57014 if canceled.
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
};

Result<VacuumStatistics> VacuumTable(Storage& storage, Transaction& transaction, StorageId table,
                                     std::span<const StorageId> indexes);

}  // namespace connbench::engine
