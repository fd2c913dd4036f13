// What recovery does to the storages: what the log says, and what can be told from the pages.
#include <fmt/format.h>

#include <cstring>
#include <utility>
#include <vector>

#include "engine/storage/btree_internal.h"
#include "engine/storage/free_space.h"
#include "engine/storage/heap_prune.h"
#include "engine/storage/page_log.h"
#include "engine/storage/storage.h"
#include "engine/storage/visibility.h"

namespace connbench::engine {
namespace {

Status Damaged(const std::string& what) { return Status::Error(sqlstate::kDataCorrupted, what); }

}  // namespace

Status Storage::RestoreStorage(StorageId id, uint32_t relation) {
  const uint32_t index = id & (header_->slot_count - 1);
  if (index == 0) return Damaged(fmt::format("storage {} cannot be", id));
  StorageSlot& slot = slots_[index];
  ResetSlot(slot, relation);
  slot.next_id = id + header_->slot_count;
  slot.id.store(id, std::memory_order_release);
  return {};
}

// What the storage had beyond its block count goes in FinishRestore().
void Storage::RestoreFreed(StorageId id) {
  StorageSlot* slot = Find(id);
  if (slot != nullptr) slot->id.store(kNoStorage, std::memory_order_release);
}

void Storage::RestoreBlockCount(StorageId id, BlockNumber blocks) {
  StorageSlot* slot = Find(id);
  if (slot == nullptr) return;
  const BlockNumber before = slot->block_count.load(std::memory_order_relaxed);
  for (BlockNumber block = blocks; block < before; ++block) pool_.Free(id, block);
  slot->block_count.store(blocks, std::memory_order_relaxed);
}

void Storage::RestoreSequence(StorageId id, bool called, int64_t value) {
  StorageSlot* slot = Find(id);
  if (slot == nullptr) return;
  slot->sequence_called.store(called ? 1 : 0, std::memory_order_relaxed);
  slot->sequence_value.store(value, std::memory_order_relaxed);
}

Status Storage::RestoreCheckpointPage(StorageId id, BlockNumber block, PagePlace place) {
  StorageSlot* slot = Find(id);
  if (slot == nullptr) {
    return Damaged(fmt::format("page {} is of storage {}, which there is not", block, id));
  }
  CONNBENCH_RETURN_IF_ERROR(pages_->places().Restore(PageTag(id, block), place));
  if (pool_.free_frames() > 0) {
    PagePins pins;
    CONNBENCH_RETURN_IF_ERROR(pool_.Bring(id, block, pins));
  }
  slot->block_count.store(block + 1, std::memory_order_relaxed);
  return {};
}

// The page may be newer than the record: a checkpoint copies pages while the log goes on. A page or
// storage that is not there was given back before the checkpoint came to it.
Status Storage::RestorePage(RecordReader& record, Lsn end) {
  const auto logged = record.Get<LoggedPage>();
  const bool fresh = (logged.flags & LoggedPage::kFresh) != 0;
  StorageSlot* slot = Find(logged.storage);
  WritePageGuard guard;
  bool apply = false;
  if (slot != nullptr && logged.block < kFirstMapBlock) {
    CONNBENCH_ASSIGN_OR_RETURN(guard, WritePage(logged.storage, logged.block));
    apply = guard.valid() && guard.page().header().lsn < end;
    if (!guard.valid() && fresh) {
      CONNBENCH_ASSIGN_OR_RETURN(
          guard, pool_.Allocate(logged.storage, logged.block, PageSource::kReserve, Evict::kAny));
      apply = true;
    }
    if (apply && fresh) std::memset(guard.data(), 0, kPageSize);
    if (fresh) slot->block_count.store(logged.block + 1, std::memory_order_relaxed);
  }
  for (uint32_t i = 0; i < logged.ranges; ++i) {
    const auto range = record.Get<LoggedRange>();
    const std::string_view bytes = record.GetBytes(range.length);
    if (range.offset < sizeof(Lsn) || range.offset + range.length > kPageSize) {
      return Damaged(fmt::format("a change of page {} of storage {} goes beyond the page",
                                 logged.block, logged.storage));
    }
    if (apply) std::memcpy(guard.data() + range.offset, bytes.data(), bytes.size());
  }
  if (apply) guard.page().header().lsn = end;
  return {};
}

// Line pointers that died before the crash wait for the next pass over all indexes: which passes
// were done has been forgotten.
Status Storage::SurveyRestoredHeapPage(StorageId id, StorageSlot& slot, BlockNumber block) {
  uint32_t free_bytes = 0;
  int64_t rows = 0;
  int64_t dead_lines = 0;
  {
    CONNBENCH_ASSIGN_OR_RETURN(const WritePageGuard guard, WritePage(id, block));
    const Page page = guard.page();
    // A page that does not tell how all its writers ended is written again, and so is one that is
    // changed here, which nobody logs.
    bool write_again = OldestUnstampedXid(page) != kAllStamped;
    for (uint32_t line = 0; line < page.slot_count(); ++line) {
      if (page.line(line).normal()) ++rows;
      if (page.line(line).state() != LineState::kDead) continue;
      write_again |= page.line(line).offset() != 0;
      page.SetLine(line, LinePointer(LineState::kDead, 0, 0));
      ++dead_lines;
    }
    if (write_again) guard.WriteAgain();
    free_bytes = HeapFreeSpace(page);
  }
  slot.rows.fetch_add(rows, std::memory_order_relaxed);
  slot.upkeep.dead_lines.fetch_add(dead_lines, std::memory_order_relaxed);
  FreeSpaceMap::Record(*this, id, slot, block, free_bytes);
  return {};
}

Status Storage::FinishRestoring(StorageId id, StorageSlot& slot) {
  const BlockNumber blocks = slot.block_count.load(std::memory_order_relaxed);
  bool tree = false;
  for (BlockNumber block = 0; block < blocks; ++block) {
    std::string problem = "is missing";
    bool heap = false;
    {
      CONNBENCH_ASSIGN_OR_RETURN(const ReadPageGuard guard, ReadPage(id, block));
      if (guard.valid()) {
        problem = guard.page().Verify();
        heap = (guard.page().flags() & kPageHeap) != 0;
        if (block == kMetaBlock && (guard.page().flags() & kPageIndex) != 0) {
          tree = true;
          slot.root_block.store(MetaOf(guard).root, std::memory_order_relaxed);
        }
      }
    }
    if (!problem.empty()) {
      return Damaged(fmt::format("page {} of storage {} (relation {}): {}", block, id,
                                 slot.relation.load(std::memory_order_relaxed), problem));
    }
    if (heap) CONNBENCH_RETURN_IF_ERROR(SurveyRestoredHeapPage(id, slot, block));
  }
  return tree ? Tree(*this, id, slot).ReclaimLostPages() : Status::Ok();
}

Status Storage::FinishRestore(Xid forgotten) {
  std::vector<std::pair<StorageId, BlockNumber>> gone;
  const auto note = [&](StorageId id, BlockNumber block) {
    const StorageSlot* slot = Find(id);
    if (slot == nullptr || block >= slot->block_count.load(std::memory_order_relaxed)) {
      gone.emplace_back(id, block);
    }
  };
  pool_.ForEachPage(note);
  pages_->places().ForEachCurrent([&](uint64_t tag) {
    note(static_cast<StorageId>(tag >> 32), static_cast<BlockNumber>(tag));
  });
  for (const auto& [id, block] : gone) pool_.Free(id, block);

  header_->free_first = 0;
  header_->used = 0;
  for (uint32_t index = header_->slot_count - 1; index > 0; --index) {
    StorageSlot& slot = slots_[index];
    const StorageId id = slot.id.load(std::memory_order_relaxed);
    if (id == kNoStorage) {
      slot.free_next = header_->free_first;
      header_->free_first = index;
      continue;
    }
    ++header_->used;
    slot.stamped_below.store(forgotten, std::memory_order_relaxed);
    CONNBENCH_RETURN_IF_ERROR(FinishRestoring(id, slot));
  }
  return {};
}

}  // namespace connbench::engine
