// The pages of a B+tree: entries, order, special space. Used by the btree_*.cc files only.
//
// Block 0 is the meta page: it names the root. Every other page has a level, 0 for leaves, and
// links to its neighbours on that level. All pages but the rightmost of a level have a high key in
// slot 0: everything on the page is below it. On inner pages the first entry's key counts as lower
// than any.
//
// Safety: views of pages; the caller holds the content latch.
#pragma once

#include <bit>
#include <cstdint>
#include <cstring>
#include <string_view>

#include "engine/storage/buffer_pool.h"
#include "engine/storage/page.h"
#include "engine/storage/storage_types.h"
#include "engine/transaction/types.h"

namespace connbench::engine {

inline constexpr BlockNumber kMetaBlock = 0;
inline constexpr uint32_t kMaxTreeLevels = 32;

struct BTreeMeta {  // special space of the meta page
  BlockNumber root;
  uint32_t root_level;
  BlockNumber free_first;  // pages that are no longer in the tree, linked by `left`; or kNoBlock
};

struct BTreeSpecial {
  BlockNumber left = kNoBlock;  // none at the ends
  BlockNumber right = kNoBlock;
  uint32_t level = 0;
  uint32_t incomplete_split = 0;  // 1: the right neighbour has no entry in the parent level yet
  // How often entries have been removed from the page: who remembers an entry of it knows by this
  // whether the entry, if it is still there, is the same one. Goes on when the page is used again.
  uint64_t removals = 0;
  // kInvalidCsn: the page is in the tree. Otherwise it is empty, and the newest commit when it was
  // unlinked; until every snapshot is newer, searches may still come here, and go on by `right`.
  Csn unlinked_at = kInvalidCsn;
};
inline constexpr uint32_t kTreeSpecialOffset = kPageSize - sizeof(BTreeSpecial);

// An entry: the tid, then the key; on inner pages then the block of the child. The child holds what
// is at or above (key, tid).
struct IndexEntry {
  BlockNumber block;
  SlotNumber slot;
  uint16_t key_length;

  std::string_view key() const { return {reinterpret_cast<const char*>(this + 1), key_length}; }
  Tid tid() const { return Tid{block, slot, 0}; }
  BlockNumber child() const {
    BlockNumber child;
    std::memcpy(&child, reinterpret_cast<const char*>(this + 1) + key_length, sizeof child);
    return child;
  }
};
static_assert(sizeof(IndexEntry) == 8);

constexpr uint32_t LeafEntrySize(size_t key_length) {
  return static_cast<uint32_t>(sizeof(IndexEntry) + key_length);
}
constexpr uint32_t InnerEntrySize(size_t key_length) {
  return LeafEntrySize(key_length) + static_cast<uint32_t>(sizeof(BlockNumber));
}

// A place in the order of entries, to search for.
struct TreePosition {
  enum class Kind : uint8_t {
    kExact,   // (key, tid)
    kBefore,  // before all keys that begin with key
    kAfter,   // after all keys that begin with key
    kFirst,   // before everything
    kLast,    // after everything
  };
  Kind kind = Kind::kExact;
  std::string_view key;
  uint64_t tid = 0;  // packed; kExact only
};

inline uint64_t LoadBigEndian64(const char* bytes) {
  uint64_t value;
  std::memcpy(&value, bytes, sizeof value);
  return std::endian::native == std::endian::little ? __builtin_bswap64(value) : value;
}

// memcmp of the common length, eight bytes at a time: keys are mostly 9 bytes, for which a call of
// memcmp costs more than the comparison. What is left over at the end is compared together with the
// bytes before it, which are equal.
inline int CompareCommon(const char* a, const char* b, uint32_t length) {
  uint32_t at = 0;
  for (; at + 8 <= length; at += 8) {
    const uint64_t left = LoadBigEndian64(a + at);
    const uint64_t right = LoadBigEndian64(b + at);
    if (left != right) return left < right ? -1 : 1;
  }
  if (at == length) return 0;
  if (at > 0) {
    const uint64_t left = LoadBigEndian64(a + length - 8);
    const uint64_t right = LoadBigEndian64(b + length - 8);
    return left == right ? 0 : left < right ? -1 : 1;
  }
  for (; at < length; ++at) {
    if (a[at] != b[at]) return static_cast<uint8_t>(a[at]) < static_cast<uint8_t>(b[at]) ? -1 : 1;
  }
  return 0;
}

// < 0: the entry stands before the position; 0: it is the entry sought; > 0: it stands after.
inline int CompareEntry(const IndexEntry& entry, const TreePosition& position) {
  using enum TreePosition::Kind;
  if (position.kind >= kFirst) return position.kind == kFirst ? 1 : -1;
  const uint32_t entry_length = entry.key_length;
  const auto length = static_cast<uint32_t>(position.key.size());
  const char* bytes = reinterpret_cast<const char*>(&entry + 1);
  const int order = CompareCommon(bytes, position.key.data(), std::min(entry_length, length));
  if (order != 0) return order;
  if (position.kind == kExact) {
    if (entry_length != length) return entry_length < length ? -1 : 1;
    const uint64_t tid = entry.tid().Packed();
    return tid < position.tid ? -1 : tid > position.tid ? 1 : 0;
  }
  if (entry_length < length) return -1;
  return position.kind == kBefore ? 1 : -1;
}

// A page of the tree other than the meta page.
class TreePage {
 public:
  explicit TreePage(Page page) : page_(page) {}

  Page page() const { return page_; }
  BTreeSpecial& special() const { return *reinterpret_cast<BTreeSpecial*>(page_.special()); }
  bool rightmost() const { return special().right == kNoBlock; }
  bool leaf() const { return special().level == 0; }
  bool unlinked() const { return special().unlinked_at != kInvalidCsn; }
  bool empty() const { return first_slot() >= end_slot(); }
  uint32_t first_slot() const { return rightmost() ? 0 : 1; }
  uint32_t end_slot() const { return page_.slot_count(); }
  const IndexEntry& entry(uint32_t slot) const {
    return *reinterpret_cast<const IndexEntry*>(page_.item(slot));
  }
  const IndexEntry& high_key() const { return entry(0); }

  // The position belongs to a page further right.
  bool IsLeftOf(const TreePosition& position) const {
    return !rightmost() && (unlinked() || CompareEntry(high_key(), position) <= 0);
  }
  // First slot whose entry is at or after the position; end_slot() if there is none.
  [[gnu::hot]] uint32_t LowerBound(const TreePosition& position) const {
    uint32_t low = first_slot();
    uint32_t high = end_slot();
    while (low < high) {
      const uint32_t middle = (low + high) / 2;
      FetchNextEntries(low, middle, high);
      if (CompareEntry(entry(middle), position) < 0) {
        low = middle + 1;
      } else {
        high = middle;
      }
    }
    return low;
  }
  // Inner pages: the slot of the child that the position belongs to.
  [[gnu::hot]] uint32_t ChildSlot(const TreePosition& position) const {
    uint32_t low = first_slot() + 1;  // the first entry is below everything
    uint32_t high = end_slot();
    while (low < high) {
      const uint32_t middle = (low + high) / 2;
      FetchNextEntries(low, middle, high);
      if (CompareEntry(entry(middle), position) <= 0) {
        low = middle + 1;
      } else {
        high = middle;
      }
    }
    return low - 1;
  }

  // Writes an entry; the caller checked the space. child: inner pages only.
  void Insert(uint32_t slot, std::string_view key, Tid tid, BlockNumber child) const {
    const bool inner = child != kNoBlock;
    char* item =
        page_.InsertAt(slot, inner ? InnerEntrySize(key.size()) : LeafEntrySize(key.size()));
    auto* entry = reinterpret_cast<IndexEntry*>(item);
    entry->block = tid.block;
    entry->slot = tid.slot;
    entry->key_length = static_cast<uint16_t>(key.size());
    if (!key.empty()) std::memcpy(item + sizeof(IndexEntry), key.data(), key.size());
    if (inner) {
      std::memcpy(item + sizeof(IndexEntry) + key.size(), &child, sizeof child);
    }
  }
  // Inner pages: another child for an entry.
  void SetChild(uint32_t slot, BlockNumber child) const {
    char* item = page_.item(slot);
    std::memcpy(item + sizeof(IndexEntry) + entry(slot).key_length, &child, sizeof child);
  }
  bool HasRoomFor(uint32_t entry_size) const {
    return page_.gap() >= AlignItem(entry_size) + sizeof(LinePointer);
  }

 private:
  // A binary search on a page that is not in the cache waits for a line pointer and an entry at
  // every step. Both entries that the next step may look at are asked for before this one's has
  // come.
  void FetchNextEntries(uint32_t low, uint32_t middle, uint32_t high) const {
    if (high - low < kFetchAheadSlots) return;
    __builtin_prefetch(&entry((low + middle) / 2));
    __builtin_prefetch(&entry((middle + 1 + high) / 2));
  }
  // Entries nearer than this to each other are mostly in one cache line, or in the next.
  static constexpr uint32_t kFetchAheadSlots = 6;

  Page page_;
};

// Three entries and the high key's line fit on a page, whatever their keys.
static_assert(3 * (((sizeof(IndexEntry) + 2688 + sizeof(BlockNumber) + 7) & ~size_t{7}) +
                   sizeof(LinePointer)) +
                  kPageHeaderSize + sizeof(BTreeSpecial) <=
              kPageSize);

}  // namespace connbench::engine
