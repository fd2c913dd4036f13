// Finds damage: pages, HOT chains, B+trees, and heaps against their indexes.
//
// For tests and for a server that has been asked to check itself. Looks at one page at a time under
// its shared latch; what spans pages is judged as if nothing changed, so nobody may write
// meanwhile.
//
// Safety: any thread. Errors: XX000 (kInternalError) with the place and what is wrong there.
#pragma once

#include <functional>
#include <string>
#include <string_view>

#include "base/status.h"
#include "engine/storage/storage_types.h"

namespace connbench::engine {

class Storage;
class Transaction;

struct CheckStatistics {
  int64_t pages = 0;
  int64_t versions = 0;  // heap: row versions
  int64_t entries = 0;   // index: entries on leaves
  int64_t killed = 0;    // ... of which marked dead
  int64_t levels = 0;
  int64_t incomplete_splits = 0;
  int64_t free_pages = 0;  // index: unlinked from the tree
};

// Every page is sound; every chain starts at a root and stays on its page; every heap-only version
// is reached from a root or was made by a transaction that rolled back.
Result<CheckStatistics> CheckHeap(Storage& storage, StorageId heap);

// Levels, links, order, high keys, and that each page of a level is the child of exactly one entry
// above it, with the bounds that the entry says (but for splits that are marked incomplete).
Result<CheckStatistics> CheckBTree(Storage& storage, StorageId index);

// The key of a row, or nothing if the index has no entry for such a row.
using KeyOfRow = std::function<std::string(std::string_view row)>;

// Each entry leads to a root, a redirect or a dead line pointer, never to a free one or into a
// chain; each row that a new snapshot sees has exactly one entry under its key that leads to it,
// and no other entry leads to a version with another key that the snapshot sees.
Status CheckIndexAgainstHeap(Storage& storage, Transaction& transaction, StorageId heap,
                             StorageId index, const KeyOfRow& key_of_row);

}  // namespace connbench::engine
