// Which heap pages have room: one byte per page, in steps of kStep bytes.
//
// The map is a hint: a wrong entry costs a look at the page, a lost one costs space until the page
// is recorded again. It lives in pages of its own in the buffer pool, named by block numbers from
// kFirstMapBlock on; when there is no frame for one, its pages are just not recorded.
//
// Safety: any thread of any process. Bytes are read and written as relaxed atomics under the shared
// latch.
#pragma once

#include <cstdint>

#include "engine/storage/storage.h"
#include "engine/storage/storage_types.h"

namespace connbench::engine {

class FreeSpaceMap {
 public:
  static constexpr uint32_t kStep = 32;
  static constexpr uint32_t kEntriesPerPage = kPageSize - kPageHeaderSize;
  // Smaller tables have no map until it is needed: their pages are all somebody's insert target.
  static constexpr uint32_t kReserveAtBlock = 8;

  static void Record(Storage& storage, StorageId id, StorageSlot& slot, BlockNumber block,
                     uint32_t free_bytes);
  // A page recorded with at least bytes of room, kNoBlock if there is none. Its entry is taken out,
  // so that the next caller gets another page.
  static BlockNumber Take(Storage& storage, StorageId id, StorageSlot& slot, uint32_t bytes);
  // Makes the map's page for a block that the table has just got, before the pool is full: without
  // it nobody would learn of room on the page.
  static void Reserve(Storage& storage, StorageId id, StorageSlot& slot, BlockNumber block);
  static void FreePages(Storage& storage, StorageId id, StorageSlot& slot);
};

}  // namespace connbench::engine
