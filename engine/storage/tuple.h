// The header of a row version on a heap page; the row's bytes follow it.
//
// xmin and xmax are "fate words": first the xid that wrote them, then, once that transaction's end
// is known, a stamp: its commit sequence number, or "aborted". A stamp is what other engines call a
// hint bit, in one 64-bit word: whoever looks the fate up in the commit log may leave the answer
// behind, also under a shared latch, and readers after him need not look again. A stamp only
// repeats what the commit log says, so relaxed order is enough and a lost stamp costs time alone.
//
// Safety: lies on a page. The fate words are only read and written through the atomic accessors;
// everything else changes only under the exclusive content latch.
#pragma once

#include <atomic>
#include <cstdint>

#include "engine/storage/page.h"
#include "engine/storage/storage_types.h"
#include "engine/transaction/lock_modes.h"
#include "engine/transaction/types.h"

namespace connbench::engine {

// An xid, a stamp, or 0 for nobody.
using FateWord = uint64_t;
inline constexpr FateWord kNoFate = 0;
inline constexpr FateWord kFateStamp = uint64_t{1} << 63;  // the rest is a csn
// Newer than every snapshot, so that the test for "committed before" fails without a further one.
inline constexpr FateWord kFateAborted = ~uint64_t{0};

// What xmax did. Meaningless while xmax is kNoFate.
inline constexpr uint16_t kXmaxLockOnly = 0x01;  // it locked the row, it did not change it
inline constexpr uint16_t kXmaxUpdated = 0x02;   // it made the version at next (else: it deleted)
inline constexpr uint16_t kXmaxHot = 0x04;       // ... on this page, heap-only
// Somebody besides xmax may hold a lock on this version: RowLockTable knows.
inline constexpr uint16_t kMoreHolders = 0x08;
// What this version is.
inline constexpr uint16_t kHeapOnly = 0x10;  // no index entry points here
// The lock that xmax holds: what it asked for, or what its change of the row implies.
inline constexpr uint16_t kXmaxModeShift = 5;
inline constexpr uint16_t kXmaxModeMask = 0x60;

struct TupleHeader {
  uint64_t xmin_word;
  uint64_t xmax_word;
  uint32_t cmin;  // command of the inserter
  uint32_t cmax;  // command of the deleter or updater
  BlockNumber next_block;
  SlotNumber next_slot;
  uint16_t flags;

  std::atomic_ref<uint64_t> xmin() { return std::atomic_ref<uint64_t>(xmin_word); }
  std::atomic_ref<uint64_t> xmax() { return std::atomic_ref<uint64_t>(xmax_word); }
  bool xmax_only_locks() const { return (flags & kXmaxLockOnly) != 0; }
  RowLockMode xmax_mode() const {
    return static_cast<RowLockMode>((flags & kXmaxModeMask) >> kXmaxModeShift);
  }
  // what: kXmaxLockOnly, or how the row was changed.
  void SetXmax(Xid xid, CommandId command, RowLockMode mode, uint16_t what, Tid successor) {
    xmax().store(xid, std::memory_order_relaxed);
    cmax = command;
    flags = static_cast<uint16_t>((flags & (kHeapOnly | kMoreHolders)) | what |
                                  static_cast<uint16_t>(mode) << kXmaxModeShift);
    SetNext(successor);
  }
  Tid next() const { return Tid{next_block, next_slot, 0}; }
  void SetNext(Tid tid) {
    next_block = tid.block;
    next_slot = tid.slot;
  }
  char* row() { return reinterpret_cast<char*>(this + 1); }
};

inline TupleHeader& TupleAt(Page page, LinePointer line) {
  return *reinterpret_cast<TupleHeader*>(page.item(line));
}
inline TupleHeader& TupleAt(Page page, uint32_t slot) { return TupleAt(page, page.line(slot)); }
static_assert(sizeof(TupleHeader) == 32);
static_assert(std::atomic_ref<uint64_t>::is_always_lock_free);

}  // namespace connbench::engine
