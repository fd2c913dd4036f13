// Making room in a B+tree: splits, and what they do to the levels above.
//
// A split is two steps. First the page's upper half moves to a new right neighbour, under the
// page's latch: from then on the tree is sound, since searches find the neighbour by the right
// link. Then the parent level learns of the neighbour; until it has, the left page is marked
// incomplete_split, and any writer that meets the mark tries again. So a lack of frames can only
// fail the first step, which then has not begun.
#include <algorithm>
#include <cstdlib>
#include <vector>

#include "engine/storage/btree_internal.h"

namespace connbench::engine {
namespace {

// Keys that only ever grow fill pages to this share; others split in the middle.
constexpr uint32_t kAscendingFillPercent = 90;

// A page's entries with the one to be inserted, as if they were on one large page.
class EntryList {
 public:
  EntryList(TreePage page, uint32_t new_slot, std::string_view key, Tid tid, BlockNumber child)
      : page_(page),
        new_index_(new_slot - page.first_slot()),
        key_(key),
        tid_(tid),
        child_(child) {}

  uint32_t count() const { return page_.end_slot() - page_.first_slot() + 1; }
  std::string_view key(uint32_t index) const { return IsNew(index) ? key_ : Old(index).key(); }
  Tid tid(uint32_t index) const { return IsNew(index) ? tid_ : Old(index).tid(); }
  BlockNumber child(uint32_t index) const {
    if (page_.leaf()) return kNoBlock;
    return IsNew(index) ? child_ : Old(index).child();
  }
  uint32_t Bytes(uint32_t index) const {
    const size_t key_size = key(index).size();
    return sizeof(LinePointer) +
           AlignItem(page_.leaf() ? LeafEntrySize(key_size) : InnerEntrySize(key_size));
  }
  bool NewIsLast() const { return new_index_ + 1 == count(); }

 private:
  bool IsNew(uint32_t index) const { return index == new_index_; }
  const IndexEntry& Old(uint32_t index) const {
    return page_.entry(page_.first_slot() + index - (index > new_index_ ? 1 : 0));
  }

  TreePage page_;
  uint32_t new_index_;
  std::string_view key_;
  Tid tid_;
  BlockNumber child_;
};

uint32_t HighKeyBytes(std::string_view key) {
  return sizeof(LinePointer) + AlignItem(LeafEntrySize(key.size()));
}

// The index of the first entry that moves to the right page.
uint32_t ChooseSplit(const TreePage& page, const EntryList& entries) {
  constexpr uint32_t kCapacity = kPageSize - kPageHeaderSize - AlignItem(sizeof(BTreeSpecial));
  const uint32_t count = entries.count();
  uint32_t total = 0;
  for (uint32_t index = 0; index < count; ++index) total += entries.Bytes(index);
  const uint32_t right_high = page.rightmost() ? 0 : HighKeyBytes(page.high_key().key());
  const bool ascending = page.rightmost() && entries.NewIsLast();
  const auto wanted =
      static_cast<int>(ascending ? kCapacity * kAscendingFillPercent / 100 : total / 2);

  uint32_t best = 0;
  int best_distance = INT32_MAX;
  uint32_t left = 0;
  for (uint32_t split = 1; split < count; ++split) {
    left += entries.Bytes(split - 1);
    if (left + HighKeyBytes(entries.key(split)) > kCapacity) break;
    if (total - left + right_high > kCapacity) continue;
    const int distance = std::abs(static_cast<int>(left) - wanted);
    if (distance < best_distance) {
      best = split;
      best_distance = distance;
    }
  }
  return best;  // never 0: kMaxKeySize lets some split fit
}

void AppendEntries(const TreePage& to, const EntryList& entries, uint32_t begin, uint32_t end) {
  for (uint32_t index = begin; index < end; ++index) {
    to.Insert(to.end_slot(), entries.key(index), entries.tid(index), entries.child(index));
  }
}

}  // namespace

Status Tree::Split(WritePageGuard& left_guard, BlockNumber left_block, uint32_t slot,
                   std::string_view key, Tid tid, BlockNumber child, const TreePage* completed) {
  BlockNumber right_block = kNoBlock;
  const TreePage left(left_guard.page());
  WritePageGuard neighbour_guard;
  if (!left.rightmost()) {
    CONNBENCH_ASSIGN_OR_RETURN(neighbour_guard, Write(left.special().right));
  }
  // Last of all that can fail: a new page that is not used would be lost.
  WritePageGuard right_guard;
  {
    CONNBENCH_ASSIGN_OR_RETURN(const WritePageGuard meta, Write(kMetaBlock));
    CONNBENCH_ASSIGN_OR_RETURN(right_guard, NewPage(meta, left.special().level, right_block));
  }
  const TreePage right(right_guard.page());

  // From here on nothing can fail.
  alignas(8) char copy[kPageSize];
  std::memcpy(copy, left_guard.data(), kPageSize);
  const TreePage old{Page(copy)};
  const EntryList entries(old, slot, key, tid, child);
  const uint32_t split = ChooseSplit(old, entries);

  right.special().left = left_block;
  right.special().right = old.special().right;
  if (!old.rightmost()) {
    right.Insert(0, old.high_key().key(), old.high_key().tid(), kNoBlock);
  }
  AppendEntries(right, entries, split, entries.count());

  left.page().Init(kPageIndex, sizeof(BTreeSpecial));
  left.special() = old.special();
  left.special().right = right_block;
  left.special().incomplete_split = 1;
  left.Insert(0, entries.key(split), entries.tid(split), kNoBlock);
  AppendEntries(left, entries, 0, split);

  if (neighbour_guard.valid()) {
    TreePage(neighbour_guard.page()).special().left = right_block;
  }
  if (completed != nullptr) completed->special().incomplete_split = 0;
  neighbour_guard.Release();
  right_guard.Release();
  // The entry is in. If there is no frame for what is to follow above, a later writer sees to it.
  (void)FinishSplit(left_guard, left_block);
  return {};
}

Status Tree::FinishSplit(WritePageGuard& guard, BlockNumber block) {
  const TreePage left(guard.page());
  CONNBENCH_RETURN_IF_ERROR(InsertIntoParent(left, block));
  return {};
}

Status Tree::InsertIntoParent(const TreePage& left, BlockNumber left_block) {
  CONNBENCH_ASSIGN_OR_RETURN(const bool grown, GrowRoot(left, left_block));
  if (grown) return {};
  const IndexEntry& separator = left.high_key();
  BlockNumber parent_block = kNoBlock;
  CONNBENCH_ASSIGN_OR_RETURN(
      WritePageGuard parent,
      DescendToWrite({TreePosition::Kind::kExact, separator.key(), separator.tid().Packed()},
                     left.special().level + 1, parent_block));
  return InsertOnPage(std::move(parent), parent_block, separator.key(), separator.tid(),
                      left.special().right, &left);
}

Result<bool> Tree::GrowRoot(const TreePage& left, BlockNumber left_block) {
  CONNBENCH_ASSIGN_OR_RETURN(WritePageGuard meta_guard, Write(kMetaBlock));
  BTreeMeta& meta = MetaOf(meta_guard);
  if (meta.root != left_block) return false;
  BlockNumber root_block = kNoBlock;
  CONNBENCH_ASSIGN_OR_RETURN(WritePageGuard root_guard,
                             NewPage(meta_guard, left.special().level + 1, root_block));
  const TreePage root(root_guard.page());
  root.Insert(0, {}, Tid{0, 0, 0}, left_block);
  root.Insert(1, left.high_key().key(), left.high_key().tid(), left.special().right);
  meta.root = root_block;
  meta.root_level = root.special().level;
  left.special().incomplete_split = 0;
  slot_.root_block.store(root_block, std::memory_order_release);
  return true;
}

}  // namespace connbench::engine
