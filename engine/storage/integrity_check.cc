// Finds damage: pages, HOT chains, B+trees, and heaps against their indexes.
#include "engine/storage/integrity_check.h"

#include <fmt/format.h>

#include <map>
#include <memory>
#include <optional>
#include <set>
#include <vector>

#include "engine/storage/btree.h"
#include "engine/storage/btree_internal.h"
#include "engine/storage/heap.h"
#include "engine/storage/latest_snapshot.h"
#include "engine/storage/storage.h"
#include "engine/storage/visibility.h"
#include "engine/transaction/transaction.h"

namespace connbench::engine {
namespace {

template <typename... Args>
Status Damaged(fmt::format_string<Args...> text, Args&&... args) {
  return Status::Error(sqlstate::kInternalError, fmt::format(text, std::forward<Args>(args)...));
}

Status CheckPage(Page page, StorageId storage, BlockNumber block) {
  const std::string problem = page.Verify();
  if (problem.empty()) return {};
  return Damaged("storage {} block {}: {}", storage, block, problem);
}

Status CheckChains(const CommitLog& log, Page page, StorageId heap, BlockNumber block) {
  const uint32_t slots = page.slot_count();
  std::vector<int> reached(slots, 0);
  for (uint32_t root = 0; root < slots; ++root) {
    const LinePointer line = page.line(root);
    uint32_t slot = root;
    if (line.state() == LineState::kRedirect) {
      slot = line.offset();
    } else if (!line.normal() || (TupleAt(page, root).flags & kHeapOnly) != 0) {
      continue;
    }
    while (true) {
      if (slot >= slots || !page.line(slot).normal()) {
        return Damaged("heap {} block {}: the chain of slot {} leads to slot {}, which is empty",
                       heap, block, root, slot);
      }
      if (slot != root && (TupleAt(page, slot).flags & kHeapOnly) == 0) {
        return Damaged("heap {} block {}: the chain of slot {} leads to slot {}, which is a root",
                       heap, block, root, slot);
      }
      if (++reached[slot] > 1) {
        return Damaged("heap {} block {}: slot {} is in two chains", heap, block, slot);
      }
      if (!HasHotSuccessor(log, TupleAt(page, slot))) break;
      if (TupleAt(page, slot).next_block != block) {
        return Damaged("heap {} block {}: the chain of slot {} leaves the page", heap, block, root);
      }
      slot = TupleAt(page, slot).next_slot;
    }
  }
  for (uint32_t slot = 0; slot < slots; ++slot) {
    if (!page.line(slot).normal() || reached[slot] != 0) continue;
    if (!ResolveFate(log, TupleAt(page, slot).xmin()).aborted()) {
      return Damaged("heap {} block {}: heap-only slot {} is in no chain", heap, block, slot);
    }
  }
  return {};
}

}  // namespace

Result<CheckStatistics> CheckHeap(Storage& storage, StorageId heap) {
  StorageSlot* slot = storage.Find(heap);
  if (slot == nullptr) return Storage::StaleStorage(heap);
  CheckStatistics statistics;
  statistics.pages = slot->block_count.load(std::memory_order_acquire);
  for (BlockNumber block = 0; block < statistics.pages; ++block) {
    CONNBENCH_ASSIGN_OR_RETURN(const ReadPageGuard guard, storage.ReadPage(heap, block));
    if (!guard.valid()) return BufferPool::MissingPage(heap, block);
    const Page page = guard.page();
    CONNBENCH_RETURN_IF_ERROR(CheckPage(page, heap, block));
    CONNBENCH_RETURN_IF_ERROR(CheckChains(storage.commit_log(), page, heap, block));
    for (uint32_t line = 0; line < page.slot_count(); ++line) {
      if (page.line(line).normal()) ++statistics.versions;
    }
  }
  return statistics;
}

namespace {

using EntryKey = std::pair<std::string, uint64_t>;  // key, packed tid

// Checks one level from left to right and collects what the level above must say of it.
class LevelChecker {
 public:
  LevelChecker(Storage& storage, StorageId index, uint32_t level, CheckStatistics& statistics)
      : storage_(storage), index_(index), level_(level), statistics_(statistics) {}

  // children: first page of each child range of this level, as the level above has it, in order.
  Status Check(BlockNumber leftmost, const std::vector<std::pair<EntryKey, BlockNumber>>* parent) {
    BlockNumber previous = kNoBlock;
    BlockNumber block = leftmost;
    size_t next_in_parent = 0;
    bool previous_incomplete = false;
    std::optional<EntryKey> low;  // the previous page's high key
    while (block != kNoBlock) {
      if (!pages.insert(block).second) return Damaged("index {}: links form a ring", index_);
      CONNBENCH_ASSIGN_OR_RETURN(const ReadPageGuard guard, storage_.ReadPage(index_, block));
      if (!guard.valid()) return BufferPool::MissingPage(index_, block);
      const TreePage page(guard.page());
      CONNBENCH_RETURN_IF_ERROR(CheckPage(page.page(), index_, block));
      if (page.unlinked()) return Damaged("index {} block {}: unlinked, but linked", index_, block);
      if (page.special().level != level_ || page.special().left != previous) {
        return Damaged("index {} block {}: level {} and left link {} instead of {} and {}", index_,
                       block, page.special().level, page.special().left, level_, previous);
      }
      if (parent != nullptr) {
        if (next_in_parent < parent->size() && (*parent)[next_in_parent].second == block) {
          const EntryKey& separator = (*parent)[next_in_parent].first;
          if (next_in_parent > 0 && separator != low) {
            return Damaged("index {} block {}: its separator is not its left neighbour's high key",
                           index_, block);
          }
          ++next_in_parent;
        } else if (!previous_incomplete) {
          return Damaged("index {} block {}: no entry in the level above", index_, block);
        }
      }
      CONNBENCH_RETURN_IF_ERROR(CheckEntries(page, block, low));
      low.reset();
      if (!page.rightmost()) low = KeyOf(page.high_key());
      previous_incomplete = page.special().incomplete_split != 0;
      if (previous_incomplete) ++statistics_.incomplete_splits;
      ++statistics_.pages;
      previous = block;
      block = page.special().right;
    }
    if (parent != nullptr && next_in_parent != parent->size()) {
      return Damaged("index {}: the level above level {} has {} entries too many", index_, level_,
                     parent->size() - next_in_parent);
    }
    return {};
  }

  std::vector<std::pair<EntryKey, BlockNumber>> children;  // inner levels
  std::set<BlockNumber> pages;

 private:
  static EntryKey KeyOf(const IndexEntry& entry) {
    return {std::string(entry.key()), entry.tid().Packed()};
  }

  Status CheckEntries(const TreePage& page, BlockNumber block, const std::optional<EntryKey>& low) {
    std::optional<EntryKey> previous = low;
    for (uint32_t slot = page.first_slot(); slot < page.end_slot(); ++slot) {
      EntryKey key = KeyOf(page.entry(slot));
      const bool lowest = !page.leaf() && slot == page.first_slot();
      // An inner page's first entry stands for all from the page's low end on, whatever its key is.
      if (lowest) key = low.value_or(EntryKey());
      if (!lowest && previous.has_value() &&
          (slot == page.first_slot() ? key < *previous : key <= *previous)) {
        return Damaged("index {} block {}: slot {} is out of order", index_, block, slot);
      }
      if (!page.rightmost() && !lowest && key >= KeyOf(page.high_key())) {
        return Damaged("index {} block {}: slot {} is not below the high key", index_, block, slot);
      }
      if (page.leaf()) {
        ++statistics_.entries;
        if (!page.page().line(slot).normal()) ++statistics_.killed;
      } else {
        children.emplace_back(key, page.entry(slot).child());
      }
      previous = key;
    }
    if (!page.leaf() && page.first_slot() == page.end_slot()) {
      return Damaged("index {} block {}: an inner page without entries", index_, block);
    }
    return {};
  }

  Storage& storage_;
  StorageId index_;
  uint32_t level_;
  CheckStatistics& statistics_;
};

Status CountFreePages(Storage& storage, StorageId index, BlockNumber first,
                      CheckStatistics& statistics) {
  std::set<BlockNumber> seen;
  for (BlockNumber block = first; block != kNoBlock; ++statistics.free_pages) {
    if (!seen.insert(block).second) return Damaged("index {}: free pages form a ring", index);
    CONNBENCH_ASSIGN_OR_RETURN(const ReadPageGuard guard, storage.ReadPage(index, block));
    if (!guard.valid()) return BufferPool::MissingPage(index, block);
    const TreePage page(guard.page());
    CONNBENCH_RETURN_IF_ERROR(CheckPage(page.page(), index, block));
    if (!page.unlinked() || !page.empty()) {
      return Damaged("index {} block {}: in use, but in the list of free pages", index, block);
    }
    block = page.special().left;
  }
  return {};
}

}  // namespace

Result<CheckStatistics> CheckBTree(Storage& storage, StorageId index) {
  StorageSlot* slot = storage.Find(index);
  if (slot == nullptr) return Storage::StaleStorage(index);
  BTreeMeta meta{};
  {
    CONNBENCH_ASSIGN_OR_RETURN(const ReadPageGuard guard, storage.ReadPage(index, kMetaBlock));
    if (!guard.valid()) return BufferPool::MissingPage(index, kMetaBlock);
    meta = MetaOf(guard);
  }
  CheckStatistics statistics;
  statistics.pages = 1;
  statistics.levels = meta.root_level + 1;
  BlockNumber leftmost = meta.root;
  std::vector<std::pair<EntryKey, BlockNumber>> parent;
  for (uint32_t level = meta.root_level + 1; level-- > 0;) {
    LevelChecker checker(storage, index, level, statistics);
    CONNBENCH_RETURN_IF_ERROR(
        checker.Check(leftmost, level == meta.root_level ? nullptr : &parent));
    parent = std::move(checker.children);
    if (level > 0) leftmost = parent.front().second;
  }
  CONNBENCH_RETURN_IF_ERROR(CountFreePages(storage, index, meta.free_first, statistics));
  const int64_t blocks = slot->block_count.load(std::memory_order_acquire);
  if (statistics.pages + statistics.free_pages != blocks) {
    return Damaged("index {}: {} pages in the tree and {} free ones, {} in the storage", index,
                   statistics.pages, statistics.free_pages, blocks);
  }
  return statistics;
}

Status CheckIndexAgainstHeap(Storage& storage, Transaction& transaction, StorageId heap_id,
                             StorageId index_id, const KeyOfRow& key_of_row) {
  Heap heap(storage, heap_id);
  const LatestSnapshot latest(transaction);
  const Snapshot& snapshot = latest.get();
  auto buffer = std::make_unique<RowBuffer>();
  HeapRow row;
  std::map<uint64_t, int> found;  // version -> number of entries that lead to it under its key
  BTreeScan entries(BTree(storage, index_id), IndexBound::None(), IndexBound::None(),
                    ScanDirection::kForward);
  while (true) {
    Tid tid;
    CONNBENCH_ASSIGN_OR_RETURN(const bool more, entries.Next(tid));
    if (!more) break;
    {
      CONNBENCH_ASSIGN_OR_RETURN(const ReadPageGuard guard, storage.ReadPage(heap_id, tid.block));
      if (!guard.valid()) return BufferPool::MissingPage(heap_id, tid.block);
      const Page page = guard.page();
      if (tid.slot >= page.slot_count() || page.line(tid.slot).state() == LineState::kUnused ||
          (page.line(tid.slot).normal() && (TupleAt(page, tid.slot).flags & kHeapOnly) != 0)) {
        return Damaged("index {}: an entry leads to ({},{}), which is no root", index_id, tid.block,
                       tid.slot);
      }
    }
    CONNBENCH_ASSIGN_OR_RETURN(const FetchOutcome outcome,
                               heap.Fetch(transaction, snapshot, tid, *buffer, row));
    if (outcome != FetchOutcome::kFound) continue;
    if (key_of_row(row.bytes) != entries.key()) {
      return Damaged("index {}: an entry leads to row ({},{}) with another key", index_id,
                     row.tid.block, row.tid.slot);
    }
    ++found[row.tid.Packed()];
  }
  HeapScan scan(heap, transaction, snapshot);
  size_t rows = 0;
  while (true) {
    CONNBENCH_ASSIGN_OR_RETURN(const bool more, scan.Next(row));
    if (!more) break;
    ++rows;
    const auto entry = found.find(row.tid.Packed());
    if (entry == found.end() || entry->second != 1) {
      return Damaged("index {}: row ({},{}) has {} entries", index_id, row.tid.block, row.tid.slot,
                     entry == found.end() ? 0 : entry->second);
    }
  }
  if (rows != found.size()) {
    return Damaged("index {}: leads to {} rows, the heap has {}", index_id, found.size(), rows);
  }
  return {};
}

}  // namespace connbench::engine
