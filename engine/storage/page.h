// The 8 KiB slotted page that heap and B+tree share.
//
//   +--------+--------------------+ . . . . +----------------+---------+
//   | header | line pointers ---> |  free   | <--- items     | special |
//   +--------+--------------------+ . . . . +----------------+---------+
//   0        24                   lower     upper            special   8192
//
// A line pointer names an item by its slot number, so that items may move within the page.
//
// Safety: a Page is a view of 8192 bytes in the buffer pool. The caller holds the frame's content
// latch: shared to read, exclusive to change. The two things that may change under a SHARED latch,
// because they are hints whose loss costs time and never truth, are a line pointer's state (Kill)
// and the page flags (SetHint); both, and all reads of them, are relaxed atomics.
//
// Errors: none; Verify says in words what is wrong with a page.
#pragma once

#include <atomic>
#include <cstdint>
#include <cstring>
#include <string>

#include "engine/storage/storage_types.h"

namespace connbench::engine {

inline constexpr uint32_t kPageSize = 8192;
inline constexpr uint32_t kItemAlignment = 8;

constexpr uint32_t AlignItem(uint32_t size) {
  return (size + kItemAlignment - 1) & ~(kItemAlignment - 1);
}

enum class LineState : uint8_t {
  kUnused = 0,    // free for a new item
  kNormal = 1,    // an item
  kRedirect = 2,  // heap: the chain goes on at slot offset()
  // Heap: no item, index entries may still point here; offset() is IndexPasses::stamp() of the time
  // of death. B+tree: a killed entry.
  kDead = 3,
};

// offset (15 bits) | state (2) | length (15): PostgreSQL's ItemIdData.
class LinePointer {
 public:
  constexpr LinePointer() = default;
  constexpr LinePointer(LineState state, uint32_t offset, uint32_t length)
      : bits_((offset << 17) | (static_cast<uint32_t>(state) << 15) | length) {}
  static constexpr LinePointer FromBits(uint32_t bits) {
    LinePointer pointer;
    pointer.bits_ = bits;
    return pointer;
  }
  constexpr uint32_t bits() const { return bits_; }
  constexpr LineState state() const { return static_cast<LineState>((bits_ >> 15) & 3); }
  constexpr uint32_t offset() const { return bits_ >> 17; }
  constexpr uint32_t length() const { return bits_ & 0x7FFF; }
  constexpr bool normal() const { return state() == LineState::kNormal; }
  // An item lies on the page: normal, or killed but not yet removed (B+tree).
  constexpr bool has_item() const { return length() != 0; }

 private:
  uint32_t bits_ = 0;
};
static_assert(sizeof(LinePointer) == 4);

// Page flags.
inline constexpr uint16_t kPageHasFreeSlots = 1;  // heap hint: some line pointer is unused
inline constexpr uint16_t kPageFull = 2;          // heap hint: an update found no room here
inline constexpr uint16_t kPageHasKilled = 4;     // B+tree hint: some entry is killed
inline constexpr uint16_t kPageGone = 8;          // heap: the table has been cut off before it
inline constexpr uint16_t kPageHeap = 16;
inline constexpr uint16_t kPageIndex = 32;

struct PageHeader {
  uint64_t lsn;         // where the record of the last change ends in the log
  uint64_t prune_hint;  // heap: fate word of a deleter on the page (tuple.h), 0: nothing to prune
  uint16_t flags;
  uint16_t lower;    // end of the line pointers
  uint16_t upper;    // begin of the items
  uint16_t special;  // begin of the special space
};
inline constexpr uint32_t kPageHeaderSize = sizeof(PageHeader);
static_assert(kPageHeaderSize == 24);

class Page {
 public:
  explicit Page(char* data) : data_(data) {}

  // Makes an empty page.
  void Init(uint16_t flags, uint32_t special_size);

  char* data() const { return data_; }
  PageHeader& header() const { return *reinterpret_cast<PageHeader*>(data_); }
  uint16_t flags() const { return FlagsRef().load(std::memory_order_relaxed); }
  void SetHint(uint16_t flag) const { FlagsRef().fetch_or(flag, std::memory_order_relaxed); }
  void ClearHint(uint16_t flag) const {
    FlagsRef().fetch_and(static_cast<uint16_t>(~flag), std::memory_order_relaxed);
  }
  char* special() const { return data_ + header().special; }

  uint32_t slot_count() const {
    return (header().lower - kPageHeaderSize) / static_cast<uint32_t>(sizeof(LinePointer));
  }
  LinePointer line(uint32_t slot) const {
    return LinePointer::FromBits(LineRef(slot).load(std::memory_order_relaxed));
  }
  void SetLine(uint32_t slot, LinePointer pointer) const {
    LineRef(slot).store(pointer.bits(), std::memory_order_relaxed);
  }
  char* item(LinePointer pointer) const { return data_ + pointer.offset(); }
  char* item(uint32_t slot) const { return item(line(slot)); }

  // Bytes between the line pointers and the items.
  uint32_t gap() const { return header().upper - header().lower; }
  // Longest item that Add would still take with a new line pointer, ignoring unused ones.
  uint32_t FreeSpaceForItem() const {
    const uint32_t space = gap();
    if (space < sizeof(LinePointer)) return 0;
    return (space - static_cast<uint32_t>(sizeof(LinePointer))) & ~(kItemAlignment - 1);
  }

  // Reserves space for an item of length bytes and points slot at it; slot must be slot_count()
  // (append) or an existing line pointer without item. The caller checked the space and fills it
  // in.
  char* Place(uint32_t slot, uint32_t length) const;
  // As Place, but moves the line pointers from slot on one up: for sorted pages.
  char* InsertAt(uint32_t slot, uint32_t length) const;
  // Drops line pointers from the sorted page; keep[slot] says which stay. Items are compacted.
  // Returns how many went.
  uint32_t RemoveSlots(const bool* drop) const;
  // Moves all items together at the end of the page, so that the gap is all free space.
  void Compact() const;
  // Gives back unused line pointers at the end of the array.
  void TruncateUnusedSlots() const;
  // B+tree: the entry is dead to everyone. Allowed under a shared latch. No effect unless normal.
  void Kill(uint32_t slot) const;

  // "" if the page is sound, otherwise what is wrong with it.
  std::string Verify() const;

 private:
  std::atomic_ref<uint16_t> FlagsRef() const { return std::atomic_ref<uint16_t>(header().flags); }
  std::atomic_ref<uint32_t> LineRef(uint32_t slot) const {
    return std::atomic_ref<uint32_t>(reinterpret_cast<uint32_t*>(data_ + kPageHeaderSize)[slot]);
  }

  char* data_;
};

// Where a slot's line pointer stands.
constexpr uint32_t LineOffset(uint32_t slot) {
  return kPageHeaderSize + slot * static_cast<uint32_t>(sizeof(LinePointer));
}

inline constexpr uint32_t kMaxItemSize =
    (kPageSize - kPageHeaderSize - sizeof(LinePointer)) & ~(kItemAlignment - 1);
inline constexpr uint32_t kMaxSlots =
    (kPageSize - kPageHeaderSize) / static_cast<uint32_t>(sizeof(LinePointer));

}  // namespace connbench::engine
