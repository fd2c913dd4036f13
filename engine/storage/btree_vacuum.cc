// Taking dead entries and empty pages out of a B+tree, and pages that are out of it back into use.
//
// An empty page goes in one step, under the latches of its neighbours and of the page above: the
// page on its right takes over its keys, so that the entry above that led to it now leads there. A
// page above that has no other child goes with it. The rightmost page of a level stays, and so does
// the last of several children, whose right neighbour another page knows of.
//
// Searches that are on their way to the page find it marked, and go right. It is used again only
// when every snapshot is newer than the unlinking: then nobody is on the way any more (README.md).
#include <algorithm>
#include <memory>
#include <vector>

#include "engine/storage/btree_internal.h"
#include "engine/storage/heap_prune.h"

namespace connbench::engine {
namespace {

// How often others may take entries off a leaf while its rows are looked up, before it is left for
// the next visit.
constexpr int kCleanTries = 3;
// How often the left neighbour may turn out to have been split.
constexpr int kLatchTries = 4;
// Free pages looked at before the index grows. The newest come first, and may still be in use.
constexpr int kMaxFreeListSteps = 32;
// A full leaf is searched for dead rows if the table has so many of them, and one for so many rows.
constexpr int64_t kMinDeadLines = 32;
constexpr int64_t kRowsPerDeadLine = 16;

// Packed tids of a leaf's entries whose rows are dead, in order.
struct DeadTids {
  uint32_t count = 0;
  uint64_t tids[kMaxLeafEntries];
};

uint32_t CopyTids(const TreePage& leaf, Tid* tids) {
  uint32_t count = 0;
  for (uint32_t slot = leaf.first_slot(); slot < leaf.end_slot(); ++slot) {
    tids[count++] = leaf.entry(slot).tid();
  }
  return count;
}

Status FindDead(Storage& storage, StorageId heap, std::span<const Tid> tids, AwayPages away,
                DeadTids& dead) {
  bool is_dead[kMaxLeafEntries];
  CONNBENCH_RETURN_IF_ERROR(FindDeadRoots(storage, heap, tids, away, is_dead));
  dead.count = 0;
  for (size_t index = 0; index < tids.size(); ++index) {
    if (is_dead[index]) dead.tids[dead.count++] = tids[index].Packed();
  }
  std::sort(dead.tids, dead.tids + dead.count);
  return {};
}

// Takes killed entries off the leaf, and those with the tids. A tid is in an index once: its line
// pointer is used again only when no entry leads to it. Returns how many entries went.
uint32_t RemoveEntries(const TreePage& leaf, std::span<const uint64_t> dead) {
  bool drop[kMaxSlots] = {};
  bool any = false;
  for (uint32_t slot = leaf.first_slot(); slot < leaf.end_slot(); ++slot) {
    drop[slot] = leaf.page().line(slot).state() == LineState::kDead ||
                 std::binary_search(dead.begin(), dead.end(), leaf.entry(slot).tid().Packed());
    any |= drop[slot];
  }
  leaf.page().ClearHint(kPageHasKilled);
  if (!any) return 0;
  ++leaf.special().removals;
  return leaf.page().RemoveSlots(drop);
}

}  // namespace

void RemoveKilled(const TreePage& leaf) {
  if ((leaf.page().flags() & kPageHasKilled) != 0) RemoveEntries(leaf, {});
}

// The leaf's latch is held: heap pages that are not in the pool are not waited for.
void Tree::RemoveDead(const TreePage& leaf) {
  const StorageSlot* heap = heap_ == kNoStorage ? nullptr : storage_.Find(heap_);
  if (heap == nullptr) return;
  const int64_t dead_lines = heap->upkeep.dead_lines.load(std::memory_order_relaxed);
  const int64_t rows = heap->rows.load(std::memory_order_relaxed);
  if (dead_lines < kMinDeadLines || dead_lines * kRowsPerDeadLine < rows) return;
  Tid tids[kMaxLeafEntries];
  DeadTids dead;
  const std::span<const Tid> all(tids, CopyTids(leaf, tids));
  if (!FindDead(storage_, heap_, all, AwayPages::kSkip, dead).ok()) return;
  RemoveEntries(leaf, {dead.tids, dead.count});
}

Result<ReadPageGuard> Tree::ReadAlone(BlockNumber block) const {
  CONNBENCH_ASSIGN_OR_RETURN(ReadPageGuard guard, storage_.ReadPage(id_, block));
  if (!guard.valid()) return BufferPool::MissingPage(id_, block);
  return guard;
}

Result<WritePageGuard> Tree::WriteAlone(BlockNumber block) const {
  CONNBENCH_ASSIGN_OR_RETURN(WritePageGuard guard, storage_.WritePage(id_, block));
  if (!guard.valid()) return BufferPool::MissingPage(id_, block);
  return guard;
}

Result<BlockNumber> Tree::LeftmostLeaf() const {
  return storage_.WithPages([&]() -> Result<BlockNumber> {
    BlockNumber block = kNoBlock;
    CONNBENCH_ASSIGN_OR_RETURN([[maybe_unused]] const ReadPageGuard guard,
                               DescendToRead({TreePosition::Kind::kFirst, {}, 0}, 0, block));
    return block;
  });
}

// The rows are looked up without a latch on the leaf, so that the entries are new ones if some have
// been removed meanwhile. Entries that have moved right since wait there.
Status Tree::CleanLeaf(StorageId heap, BlockNumber block, BlockNumber& next, int64_t& removed) {
  Tid tids[kMaxLeafEntries];
  DeadTids dead;
  for (int tries = 0; tries < kCleanTries; ++tries) {
    uint32_t count = 0;
    uint64_t removals = 0;
    {
      CONNBENCH_ASSIGN_OR_RETURN(const ReadPageGuard guard, ReadAlone(block));
      const TreePage leaf(guard.page());
      count = CopyTids(leaf, tids);
      removals = leaf.special().removals;
    }
    CONNBENCH_RETURN_IF_ERROR(FindDead(storage_, heap, {tids, count}, AwayPages::kBring, dead));
    bool empty = false;
    {
      CONNBENCH_ASSIGN_OR_RETURN(WritePageGuard guard, WriteAlone(block));
      const TreePage leaf(guard.page());
      if (leaf.special().removals != removals) continue;
      if (leaf.special().incomplete_split != 0) (void)FinishSplit(guard, block);
      const uint32_t gone = RemoveEntries(leaf, {dead.tids, dead.count});
      removed += gone;
      empty = leaf.empty() && !leaf.rightmost();
      next = leaf.special().right;
    }
    if (!empty) return {};
    BlockNumber unlinked[kMaxTreeLevels];
    uint32_t unlinked_count = 0;
    CONNBENCH_RETURN_IF_ERROR(storage_.WithPages([&]() -> Status {
      Neighbourhood pages;
      return Unlink(pages, block, kNoBlock, unlinked, unlinked_count).TakeStatus();
    }));
    for (uint32_t index = 0; index < unlinked_count; ++index) {
      CONNBENCH_RETURN_IF_ERROR(AddFreePage(unlinked[index]));
    }
    return {};
  }
  next = block;
  return {};
}

// False if the page has no right neighbour, or the left one does not stand still.
Result<bool> Tree::Latch(BlockNumber block, Neighbourhood& pages) {
  for (int tries = 0; tries < kLatchTries; ++tries) {
    pages = {};
    {
      CONNBENCH_ASSIGN_OR_RETURN(const ReadPageGuard guard, Read(block));
      pages.left_block = TreePage(guard.page()).special().left;
    }
    if (pages.left_block != kNoBlock) {
      CONNBENCH_ASSIGN_OR_RETURN(pages.left, Write(pages.left_block));
      if (TreePage(pages.left.page()).special().right != block) continue;
    }
    CONNBENCH_ASSIGN_OR_RETURN(pages.page, Write(block));
    const TreePage page(pages.page.page());
    if (page.special().left != pages.left_block) continue;
    if (page.rightmost()) return false;
    pages.right_block = page.special().right;
    CONNBENCH_ASSIGN_OR_RETURN(pages.right, Write(pages.right_block));
    return true;
  }
  return false;
}

// Takes an empty leaf out of the tree, or (only_child) an inner page whose only child is being
// taken out. False if it must stay; then nothing has changed.
Result<bool> Tree::Unlink(Neighbourhood& pages, BlockNumber block, BlockNumber only_child,
                          BlockNumber* unlinked, uint32_t& unlinked_count) {
  CONNBENCH_ASSIGN_OR_RETURN(const bool latched, Latch(block, pages));
  if (!latched || unlinked_count == kMaxTreeLevels) return false;
  const TreePage page(pages.page.page());
  const uint32_t first = page.first_slot();
  const bool unused = only_child == kNoBlock
                          ? page.leaf() && page.empty()
                          : page.end_slot() == first + 1 && page.entry(first).child() == only_child;
  // A page that the level above does not know of, or whose right neighbour it does not, waits.
  if (!unused || page.special().incomplete_split != 0 ||
      (pages.left.valid() && TreePage(pages.left.page()).special().incomplete_split != 0)) {
    return false;
  }
  CONNBENCH_ASSIGN_OR_RETURN(const bool done,
                             UnlinkFromParent(pages, block, unlinked, unlinked_count));
  if (!done) return false;

  // From here on nothing can fail.
  if (pages.left.valid()) {
    TreePage(pages.left.page()).special().right = pages.right_block;
  }
  TreePage(pages.right.page()).special().left = pages.left_block;
  if (only_child != kNoBlock) {
    bool drop[kMaxSlots] = {};
    drop[first] = true;
    page.page().RemoveSlots(drop);
  }
  ++page.special().removals;
  // Asked for while all that led here is latched: a search that came by before has an older
  // snapshot.
  page.special().unlinked_at = storage_.commit_log().last_csn();
  unlinked[unlinked_count++] = block;
  return true;
}

// The entry above that led to the page leads to its right neighbour from now on.
Result<bool> Tree::UnlinkFromParent(Neighbourhood& pages, BlockNumber block, BlockNumber* unlinked,
                                    uint32_t& unlinked_count) {
  TreePosition position{TreePosition::Kind::kFirst, {}, 0};
  if (pages.left.valid()) {
    const IndexEntry& low = TreePage(pages.left.page()).high_key();
    position = {TreePosition::Kind::kExact, low.key(), low.tid().Packed()};
  }
  const uint32_t level = TreePage(pages.page.page()).special().level + 1;
  BlockNumber parent_block = kNoBlock;
  CONNBENCH_ASSIGN_OR_RETURN(WritePageGuard guard, DescendToWrite(position, level, parent_block));
  if (!guard.valid()) return false;
  const TreePage parent(guard.page());
  const uint32_t slot = parent.ChildSlot(position);
  if (parent.entry(slot).child() != block) return false;
  if (slot + 1 < parent.end_slot()) {
    if (parent.entry(slot + 1).child() != pages.right_block) return false;
    parent.SetChild(slot, pages.right_block);
    bool drop[kMaxSlots] = {};
    drop[slot + 1] = true;
    parent.page().RemoveSlots(drop);
    pages.above = std::move(guard);
    return true;
  }
  if (slot != parent.first_slot()) return false;
  guard.Release();
  pages.around_above = std::make_unique<Neighbourhood>();
  return Unlink(*pages.around_above, parent_block, block, unlinked, unlinked_count);
}

Status Tree::AddFreePage(BlockNumber block) {
  return storage_.WithPages([&]() -> Status {
    CONNBENCH_ASSIGN_OR_RETURN(WritePageGuard guard, Write(block));
    CONNBENCH_ASSIGN_OR_RETURN(WritePageGuard meta, Write(kMetaBlock));
    TreePage(guard.page()).special().left = MetaOf(meta).free_first;
    MetaOf(meta).free_first = block;
    // Recovery adds pages, too, and does not log that.
    guard.WriteAgain();
    meta.WriteAgain();
    return {};
  });
}

Status Tree::ReclaimLostPages() {
  const BlockNumber blocks = slot_.block_count.load(std::memory_order_acquire);
  std::vector<bool> known(blocks, false);
  // False if the chain leads to a page that is known already, or to none.
  const auto note = [&](BlockNumber block) {
    if (block >= blocks || known[block]) return false;
    known[block] = true;
    return true;
  };
  BlockNumber leftmost = kNoBlock;
  BlockNumber free_page = kNoBlock;
  {
    CONNBENCH_ASSIGN_OR_RETURN(const ReadPageGuard meta, ReadAlone(kMetaBlock));
    leftmost = MetaOf(meta).root;
    free_page = MetaOf(meta).free_first;
  }
  note(kMetaBlock);
  while (free_page != kNoBlock && note(free_page)) {
    CONNBENCH_ASSIGN_OR_RETURN(const ReadPageGuard guard, ReadAlone(free_page));
    free_page = TreePage(guard.page()).special().left;
  }
  while (leftmost != kNoBlock) {
    BlockNumber below = kNoBlock;
    for (BlockNumber block = leftmost; block != kNoBlock && note(block);) {
      CONNBENCH_ASSIGN_OR_RETURN(const ReadPageGuard guard, ReadAlone(block));
      const TreePage page(guard.page());
      if (block == leftmost && !page.leaf() && !page.empty()) {
        below = page.entry(page.first_slot()).child();
      }
      block = page.special().right;
    }
    leftmost = below;
  }
  for (BlockNumber block = 0; block < blocks; ++block) {
    if (known[block]) continue;
    {
      CONNBENCH_ASSIGN_OR_RETURN(const WritePageGuard guard, WriteAlone(block));
      guard.WriteAgain();
      guard.page().Init(kPageIndex, sizeof(BTreeSpecial));
      TreePage(guard.page()).special() = BTreeSpecial{};
      TreePage(guard.page()).special().unlinked_at = storage_.commit_log().last_csn();
    }
    CONNBENCH_RETURN_IF_ERROR(AddFreePage(block));
  }
  return {};
}

// The list is the meta page's: its latch is held. Free pages are only tried, since searches that
// came too late may hold one while they wait for others.
Result<WritePageGuard> Tree::TakeFreePage(const WritePageGuard& meta, BlockNumber& block) {
  WritePageGuard previous;
  Csn horizon = storage_.CachedHorizon();
  bool fresh = false;
  block = MetaOf(meta).free_first;
  for (int step = 0; step < kMaxFreeListSteps && block != kNoBlock; ++step) {
    WritePageGuard guard = storage_.pool().TryWrite(id_, block);
    if (!guard.valid()) {
      if (storage_.pool().IsAway(id_, block)) return storage_.pool().Missing(id_, block);
      break;
    }
    const TreePage page(guard.page());
    const Csn unlinked_at = page.special().unlinked_at;
    if (unlinked_at >= horizon && !fresh) {
      horizon = storage_.FreshHorizon();
      fresh = true;
    }
    if (unlinked_at < horizon) {
      const BlockNumber next = page.special().left;
      if (previous.valid()) {
        TreePage(previous.page()).special().left = next;
      } else {
        MetaOf(meta).free_first = next;
      }
      return guard;
    }
    block = page.special().left;
    previous = std::move(guard);
  }
  return WritePageGuard();
}

Result<WritePageGuard> Tree::NewPage(const WritePageGuard& meta, uint32_t level,
                                     BlockNumber& block) {
  uint64_t removals = 0;
  CONNBENCH_ASSIGN_OR_RETURN(WritePageGuard guard, TakeFreePage(meta, block));
  if (guard.valid()) {
    removals = TreePage(guard.page()).special().removals + 1;
    guard.page().Init(kPageIndex, sizeof(BTreeSpecial));
    slot_.OweVisits(Storage::kVisitsPerPage);
  } else {
    CONNBENCH_ASSIGN_OR_RETURN(
        guard, storage_.Extend(id_, slot_, kPageIndex, sizeof(BTreeSpecial), block));
  }
  TreePage(guard.page()).special() = {.left = kNoBlock,
                                      .right = kNoBlock,
                                      .level = level,
                                      .incomplete_split = 0,
                                      .removals = removals,
                                      .unlinked_at = kInvalidCsn};
  return guard;
}

}  // namespace connbench::engine
