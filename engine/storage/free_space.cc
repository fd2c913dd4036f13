// Which heap pages have room: one byte per page, in steps of kStep bytes.
#include "engine/storage/free_space.h"

#include <algorithm>
#include <atomic>

namespace connbench::engine {
namespace {

constexpr uint32_t kMaxCategory = 255;

std::atomic_ref<uint8_t> Entry(const PageGuard& guard, uint32_t index) {
  return std::atomic_ref<uint8_t>(reinterpret_cast<uint8_t*>(guard.page().special())[index]);
}

// The map's page, made if it is not there; invalid if there is no frame for it.
ReadPageGuard MapPage(Storage& storage, StorageId id, StorageSlot& slot, BlockNumber map_block) {
  ReadPageGuard guard = storage.pool().Read(id, map_block);
  if (guard.valid()) return guard;
  {
    ExclusiveLatchGuard latch(slot.extension);
    guard = storage.pool().Read(id, map_block);
    if (guard.valid()) return guard;
    auto made = storage.pool().Allocate(id, map_block);
    if (!made.ok()) return {};
    made->page().Init(0, FreeSpaceMap::kEntriesPerPage);
    const uint32_t pages = map_block - kFirstMapBlock + 1;
    if (slot.free_space_pages.load(std::memory_order_relaxed) < pages) {
      slot.free_space_pages.store(pages, std::memory_order_relaxed);
    }
  }
  return storage.pool().Read(id, map_block);
}

}  // namespace

void FreeSpaceMap::Record(Storage& storage, StorageId id, StorageSlot& slot, BlockNumber block,
                          uint32_t free_bytes) {
  const uint32_t category = std::min(free_bytes / kStep, kMaxCategory);
  ReadPageGuard guard = MapPage(storage, id, slot, kFirstMapBlock + block / kEntriesPerPage);
  if (!guard.valid()) {
    // No frame for the map: one inserter at least learns of the room.
    if (category > 0) {
      slot.insert_target[block % StorageSlot::kInsertTargets].store(block,
                                                                    std::memory_order_relaxed);
    }
    return;
  }
  Entry(guard, block % kEntriesPerPage)
      .store(static_cast<uint8_t>(category), std::memory_order_relaxed);
  uint32_t limit = slot.free_space_limit.load(std::memory_order_relaxed);
  while (limit < category &&
         !slot.free_space_limit.compare_exchange_weak(limit, category, std::memory_order_relaxed)) {
  }
}

BlockNumber FreeSpaceMap::Take(Storage& storage, StorageId id, StorageSlot& slot, uint32_t bytes) {
  const uint32_t wanted = (bytes + kStep - 1) / kStep;
  uint32_t limit = slot.free_space_limit.load(std::memory_order_relaxed);
  if (wanted > limit || wanted > kMaxCategory) return kNoBlock;
  const BlockNumber blocks = slot.block_count.load(std::memory_order_acquire);
  if (blocks == 0) return kNoBlock;
  const BlockNumber map_pages = (blocks + kEntriesPerPage - 1) / kEntriesPerPage;
  const BlockNumber start = slot.free_space_next.load(std::memory_order_relaxed) % blocks;
  // The page that the search starts in is looked at twice: from the start on, and up to it.
  for (BlockNumber step = 0; step <= map_pages; ++step) {
    const BlockNumber map_page = (start / kEntriesPerPage + step) % map_pages;
    ReadPageGuard guard = storage.pool().Read(id, kFirstMapBlock + map_page);
    if (!guard.valid()) continue;
    const BlockNumber first = map_page * kEntriesPerPage;
    const uint32_t end = std::min(blocks - first, kEntriesPerPage);
    for (uint32_t index = step == 0 ? start - first : 0; index < end; ++index) {
      uint8_t category = Entry(guard, index).load(std::memory_order_relaxed);
      if (category < wanted) continue;
      if (!Entry(guard, index).compare_exchange_strong(category, 0, std::memory_order_relaxed)) {
        continue;
      }
      slot.free_space_next.store(first + index + 1, std::memory_order_relaxed);
      return first + index;
    }
  }
  slot.free_space_limit.compare_exchange_strong(limit, wanted - 1, std::memory_order_relaxed);
  return kNoBlock;
}

void FreeSpaceMap::Reserve(Storage& storage, StorageId id, StorageSlot& slot, BlockNumber block) {
  if (block % kEntriesPerPage != kReserveAtBlock) return;
  (void)MapPage(storage, id, slot, kFirstMapBlock + block / kEntriesPerPage);
}

// The table may have been larger once: the map's pages are counted, not computed.
void FreeSpaceMap::FreePages(Storage& storage, StorageId id, StorageSlot& slot) {
  const uint32_t map_pages = slot.free_space_pages.load(std::memory_order_relaxed);
  for (BlockNumber page = 0; page < map_pages; ++page) {
    storage.pool().Free(id, kFirstMapBlock + page);
  }
}

}  // namespace connbench::engine
