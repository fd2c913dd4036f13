// Scans of a B+tree in key order, both ways.
#include <cstring>

#include "engine/storage/btree_internal.h"

namespace connbench::engine {
namespace {

using Kind = TreePosition::Kind;

// A page that has split into so many since its link was read is looked for again, from the other
// side.
constexpr int kMaxStepsRight = 8;

// Where the entries within the bounds begin and end.
TreePosition LowerEnd(const IndexBound& bound) {
  if (bound.unbounded) return {Kind::kFirst, {}, 0};
  return {bound.inclusive ? Kind::kBefore : Kind::kAfter, bound.key, 0};
}
TreePosition UpperEnd(const IndexBound& bound) {
  if (bound.unbounded) return {Kind::kLast, {}, 0};
  return {bound.inclusive ? Kind::kAfter : Kind::kBefore, bound.key, 0};
}

}  // namespace

[[gnu::hot]] BTreeScan::BTreeScan(BTree tree, IndexBound lower, IndexBound upper,
                                  ScanDirection direction)
    : storage_(tree.storage_),
      id_(tree.id_),
      slot_(tree.slot_),
      lower_(lower),
      upper_(upper),
      direction_(direction) {}

[[gnu::hot]] BTreeScan::~BTreeScan() { MarkKilled(); }

void BTreeScan::Restart(IndexBound lower, IndexBound upper) {
  MarkKilled();
  lower_ = lower;
  upper_ = upper;
  started_ = false;
  finished_ = false;
  next_offset_ = 0;
  end_offset_ = 0;
}

std::string_view BTreeScan::key() const {
  return reinterpret_cast<const IndexEntry*>(entries_ + current_offset_)->key();
}

[[gnu::hot]] void BTreeScan::TakeEntry(Tid& tid) {
  const auto& entry = *reinterpret_cast<const IndexEntry*>(entries_ + next_offset_);
  current_offset_ = next_offset_;
  next_offset_ += AlignItem(LeafEntrySize(entry.key_length));
  tid = entry.tid();
}

void BTreeScan::KillCurrent() {
  if (killed_count_ < kMaxKilled) killed_[killed_count_++] = static_cast<uint16_t>(current_offset_);
}

// An entry is marked only if nothing has been removed from the page since it was copied: otherwise
// an equal entry might be a new one, for another row at the same tid.
[[gnu::hot]] void BTreeScan::MarkKilled() {
  if (killed_count_ == 0) return;
  const ReadPageGuard guard = storage_->pool().Read(id_, block_);
  if (guard.valid() && TreePage(guard.page()).special().removals == removals_) {
    const TreePage page(guard.page());
    for (uint32_t index = 0; index < killed_count_; ++index) {
      const auto& entry = *reinterpret_cast<const IndexEntry*>(entries_ + killed_[index]);
      const TreePosition position{Kind::kExact, entry.key(), entry.tid().Packed()};
      const uint32_t slot = page.LowerBound(position);
      if (slot < page.end_slot() && CompareEntry(page.entry(slot), position) == 0) {
        page.page().Kill(slot);
      }
    }
  }
  killed_count_ = 0;
}

[[gnu::hot]] void BTreeScan::CopyEntry(const TreePage& page, uint32_t slot) {
  if (!page.page().line(slot).normal()) return;
  const IndexEntry& entry = page.entry(slot);
  const uint32_t size = LeafEntrySize(entry.key_length);
  std::memcpy(entries_ + end_offset_, &entry, size);
  end_offset_ += AlignItem(size);
}

// Copies what of the page lies within the bounds.
[[gnu::hot]] void BTreeScan::CopyPage(const TreePage& page, bool first) {
  next_offset_ = 0;
  end_offset_ = 0;
  right_ = page.special().right;
  left_ = page.special().left;
  removals_ = page.special().removals;
  const TreePosition lower = LowerEnd(lower_);
  const TreePosition upper = UpperEnd(upper_);
  if (direction_ == ScanDirection::kForward) {
    uint32_t slot = first ? page.LowerBound(lower) : page.first_slot();
    const uint32_t end = page.end_slot();
    for (; slot < end; ++slot) {
      if (CompareEntry(page.entry(slot), upper) > 0) break;
      CopyEntry(page, slot);
    }
    // Past the upper bound, or nothing to the right can be below it.
    finished_ = slot < end || page.rightmost() || CompareEntry(page.high_key(), upper) > 0;
    return;
  }
  uint32_t slot = first ? page.LowerBound(upper) : page.end_slot();
  const uint32_t begin = page.first_slot();
  while (slot > begin && CompareEntry(page.entry(slot - 1), lower) >= 0) {
    CopyEntry(page, --slot);
  }
  finished_ = slot > begin || left_ == kNoBlock;
}

// The page that is now right of the one that was last read. It may have been unlinked since: then
// its link leads on.
Result<ReadPageGuard> BTreeScan::ReadRight(const Tree& tree) {
  block_ = right_;
  CONNBENCH_ASSIGN_OR_RETURN(ReadPageGuard guard, tree.Read(block_));
  while (TreePage(guard.page()).unlinked()) {
    block_ = TreePage(guard.page()).special().right;
    guard.Release();
    CONNBENCH_ASSIGN_OR_RETURN(guard, tree.Read(block_));
  }
  return guard;
}

// The page that is now left of the one that was last read; an invalid guard if there is none any
// more. It may have been split since, so that the link leads too far left: then the right links
// lead back. If they do not, it has been unlinked, or the page that was last read has: then that
// one's link, or the one of the page that took its place, is the one to follow.
Result<ReadPageGuard> BTreeScan::ReadLeft(const Tree& tree) {
  while (true) {
    BlockNumber block = left_;
    for (int step = 0; step < kMaxStepsRight && block != kNoBlock; ++step) {
      CONNBENCH_ASSIGN_OR_RETURN(ReadPageGuard guard, tree.Read(block));
      const TreePage page(guard.page());
      if (!page.unlinked() && page.special().right == block_) {
        block_ = block;
        return guard;
      }
      block = page.special().right;
    }
    CONNBENCH_ASSIGN_OR_RETURN(ReadPageGuard guard, tree.Read(block_));
    while (TreePage(guard.page()).unlinked()) {
      block_ = TreePage(guard.page()).special().right;
      guard.Release();
      CONNBENCH_ASSIGN_OR_RETURN(guard, tree.Read(block_));
    }
    left_ = TreePage(guard.page()).special().left;
    if (left_ == kNoBlock) return ReadPageGuard();
  }
}

[[gnu::hot]] Result<bool> BTreeScan::NextPage(Tid& tid) {
  if (slot_ == nullptr) return Storage::StaleStorage(id_);
  const Tree tree(*storage_, id_, *slot_);
  MarkKilled();
  return storage_->WithPages([&] { return NextPageHere(tree, tid); });
}

// Begins again where it has come to if a page is away.
[[gnu::hot]] Result<bool> BTreeScan::NextPageHere(const Tree& tree, Tid& tid) {
  while (!finished_) {
    const bool first = !started_;
    ReadPageGuard guard;
    if (first) {
      const TreePosition start =
          direction_ == ScanDirection::kForward ? LowerEnd(lower_) : UpperEnd(upper_);
      CONNBENCH_ASSIGN_OR_RETURN(guard, tree.DescendToRead(start, 0, block_));
      started_ = true;
    } else if (direction_ == ScanDirection::kForward) {
      CONNBENCH_ASSIGN_OR_RETURN(guard, ReadRight(tree));
    } else {
      CONNBENCH_ASSIGN_OR_RETURN(guard, ReadLeft(tree));
      if (!guard.valid()) {
        finished_ = true;
        next_offset_ = end_offset_ = 0;
        return false;
      }
    }
    CopyPage(TreePage(guard.page()), first);
    if (end_offset_ > 0) {
      TakeEntry(tid);
      return true;
    }
  }
  return false;
}

}  // namespace connbench::engine
