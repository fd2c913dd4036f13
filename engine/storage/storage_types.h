// The names of places in storage: relation storage, block, and tuple identifier.
//
// Safety: plain values; may lie in shared memory and on pages.
#pragma once

#include <compare>
#include <cstdint>

namespace connbench::engine {

// One file's worth of pages: what a table or an index owns. TRUNCATE gives a relation a new one.
// 0: none. The low bits are a slot of the StorageTable, the others count its reuses, so that a
// stale id is noticed instead of reading another relation's pages.
using StorageId = uint32_t;
inline constexpr StorageId kNoStorage = 0;

using BlockNumber = uint32_t;
inline constexpr BlockNumber kNoBlock = UINT32_MAX;
// From here on a storage's pages are its free space map (free_space.h), which is not logged: it is
// made anew after a restart.
inline constexpr BlockNumber kFirstMapBlock = 0x80000000;

// Index of a line pointer within a page, from 0.
using SlotNumber = uint16_t;

// Where a row version is: 8 bytes, ordered by block and slot.
struct Tid {
  BlockNumber block = kNoBlock;
  SlotNumber slot = 0;
  uint16_t reserved = 0;

  bool valid() const { return block != kNoBlock; }
  uint64_t Packed() const { return (uint64_t{block} << 16) | slot; }
  static Tid FromPacked(uint64_t packed) {
    return {static_cast<BlockNumber>(packed >> 16), static_cast<SlotNumber>(packed), 0};
  }
  friend bool operator==(const Tid& a, const Tid& b) { return a.Packed() == b.Packed(); }
  friend auto operator<=>(const Tid& a, const Tid& b) { return a.Packed() <=> b.Packed(); }
};
static_assert(sizeof(Tid) == 8);

}  // namespace connbench::engine
