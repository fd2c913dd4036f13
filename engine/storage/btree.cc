// Finding the way in a B+tree, and inserting. btree_split.cc makes room.
#include "engine/storage/btree.h"

#include <fmt/format.h>

#include "engine/storage/btree_internal.h"
#include "engine/storage/btree_page.h"
#include "engine/storage/heap.h"
#include "engine/storage/storage.h"
#include "engine/transaction/transaction.h"

namespace connbench::engine {
[[gnu::hot]] Result<ReadPageGuard> Tree::Read(BlockNumber block) const {
  ReadPageGuard guard = storage_.pool().Read(id_, block, kTreeSpecialOffset);
  if (!guard.valid()) return storage_.pool().Missing(id_, block);
  return guard;
}

[[gnu::hot]] Result<WritePageGuard> Tree::Write(BlockNumber block) const {
  WritePageGuard guard = storage_.pool().Write(id_, block, kTreeSpecialOffset);
  if (!guard.valid()) return storage_.pool().Missing(id_, block);
  return guard;
}

// A page at or above the level from which everything on the level can be reached; invalid if the
// tree is not that high.
[[gnu::hot]] Result<ReadPageGuard> Tree::StartPage(uint32_t level, BlockNumber& block) const {
  block = slot_.root_block.load(std::memory_order_acquire);
  if (block != kNoBlock) {
    CONNBENCH_ASSIGN_OR_RETURN(ReadPageGuard guard, Read(block));
    if (TreePage(guard.page()).special().level >= level) return guard;
  }
  {
    CONNBENCH_ASSIGN_OR_RETURN(const ReadPageGuard meta, Read(kMetaBlock));
    if (MetaOf(meta).root_level < level) return ReadPageGuard();
    block = MetaOf(meta).root;
  }
  return Read(block);
}

[[gnu::hot]] Result<ReadPageGuard> Tree::DescendToRead(const TreePosition& position, uint32_t level,
                                                       BlockNumber& block) const {
  CONNBENCH_ASSIGN_OR_RETURN(ReadPageGuard guard, StartPage(level, block));
  while (guard.valid()) {
    const TreePage page(guard.page());
    BlockNumber next = kNoBlock;
    if (page.IsLeftOf(position)) {
      next = page.special().right;
    } else if (page.special().level == level) {
      break;
    } else {
      next = page.entry(page.ChildSlot(position)).child();
    }
    guard.Release();
    CONNBENCH_ASSIGN_OR_RETURN(guard, Read(next));
    block = next;
  }
  return guard;
}

[[gnu::hot]] Result<WritePageGuard> Tree::DescendToWrite(const TreePosition& position,
                                                         uint32_t level, BlockNumber& block) {
  CONNBENCH_ASSIGN_OR_RETURN(ReadPageGuard guard, StartPage(level, block));
  if (!guard.valid()) return WritePageGuard();
  while (true) {
    const TreePage page(guard.page());
    const uint32_t page_level = page.special().level;
    if (page_level == level) break;
    const bool right = page.IsLeftOf(position);
    const BlockNumber next =
        right ? page.special().right : page.entry(page.ChildSlot(position)).child();
    guard.Release();
    block = next;
    if (!right && page_level == level + 1) break;
    CONNBENCH_ASSIGN_OR_RETURN(guard, Read(next));
  }
  guard.Release();
  CONNBENCH_ASSIGN_OR_RETURN(WritePageGuard write, Write(block));
  CONNBENCH_RETURN_IF_ERROR(MoveRight(write, block, position));
  return write;
}

[[gnu::hot]] Status Tree::MoveRight(WritePageGuard& guard, BlockNumber& block,
                                    const TreePosition& position) {
  while (TreePage(guard.page()).IsLeftOf(position)) {
    // Not finishing it now only means that the next searches come this way, too.
    if (TreePage(guard.page()).special().incomplete_split != 0) (void)FinishSplit(guard, block);
    const BlockNumber right = TreePage(guard.page()).special().right;
    CONNBENCH_ASSIGN_OR_RETURN(guard, Write(right));
    block = right;
  }
  return {};
}

[[gnu::hot]] Status Tree::InsertOnPage(WritePageGuard guard, BlockNumber block,
                                       std::string_view key, Tid tid, BlockNumber child,
                                       const TreePage* completed) {
  const TreePage page(guard.page());
  const uint32_t size = child == kNoBlock ? LeafEntrySize(key.size()) : InnerEntrySize(key.size());
  Status finished = page.special().incomplete_split != 0 ? FinishSplit(guard, block) : Status::Ok();
  if (!page.HasRoomFor(size) && page.leaf()) {
    RemoveKilled(page);
    if (!page.HasRoomFor(size)) RemoveDead(page);
  }
  uint32_t slot = page.LowerBound({TreePosition::Kind::kExact, key, tid.Packed()});
  if (!page.leaf()) slot = std::max(slot, page.first_slot() + 1);
  if (page.HasRoomFor(size)) {
    page.Insert(slot, key, tid, child);
    if (completed != nullptr) completed->special().incomplete_split = 0;
    return {};
  }
  // Splitting again would forget which neighbour the parent level does not know.
  if (!finished.ok()) return finished;
  return Split(guard, block, slot, key, tid, child, completed);
}

BTree::BTree(Storage& storage, StorageId id)
    : storage_(&storage), id_(id), slot_(storage.Find(id)) {}

Status BTree::CheckKeySize(std::string_view key) {
  if (key.size() <= kMaxKeySize) return {};
  return Status::Error(sqlstate::kProgramLimitExceeded,
                       fmt::format("index row size {} exceeds maximum {}", key.size(), kMaxKeySize))
      .WithHint("Values larger than 1/3 of a buffer page cannot be indexed.");
}

Status BTree::Create(Storage& storage, StorageId id, PageSource source) {
  StorageSlot* slot = storage.Find(id);
  if (slot == nullptr) return Storage::StaleStorage(id);
  BlockNumber meta_block = kNoBlock;
  BlockNumber root_block = kNoBlock;
  CONNBENCH_ASSIGN_OR_RETURN(
      WritePageGuard meta,
      storage.Extend(id, *slot, kPageIndex, sizeof(BTreeMeta), meta_block, source, Evict::kAny));
  CONNBENCH_ASSIGN_OR_RETURN(
      WritePageGuard root,
      storage.Extend(id, *slot, kPageIndex, sizeof(BTreeSpecial), root_block, source, Evict::kAny));
  MetaOf(meta) = {.root = root_block, .root_level = 0, .free_first = kNoBlock};
  TreePage(root.page()).special() = {.left = kNoBlock, .right = kNoBlock};
  slot->root_block.store(root_block, std::memory_order_release);
  return {};
}

[[gnu::hot]] Status BTree::Insert(std::string_view key, Tid tid, const Heap* heap) {
  CONNBENCH_RETURN_IF_ERROR(CheckKeySize(key));
  if (slot_ == nullptr) return Storage::StaleStorage(id_);
  Tree tree(*storage_, id_, *slot_);
  if (heap != nullptr) tree.set_heap(heap->id());
  return storage_->WithPages([&]() -> Status {
    BlockNumber block = kNoBlock;
    CONNBENCH_ASSIGN_OR_RETURN(
        WritePageGuard guard,
        tree.DescendToWrite({TreePosition::Kind::kExact, key, tid.Packed()}, 0, block));
    return tree.InsertOnPage(std::move(guard), block, key, tid, kNoBlock);
  });
}

namespace {

// Looks at all entries with the key from leaf on. Whoever wants to insert the key keeps the leaf
// latched: others who want to must come through it, and find our entry after us.
template <typename LeafGuard>
[[gnu::hot]] Result<KeyHolder> HolderFrom(const Tree& tree, Transaction& transaction, Heap& heap,
                                          const LeafGuard& leaf, std::string_view key) {
  KeyHolder holder;
  TreePage page(leaf.page());
  ReadPageGuard neighbour;
  uint32_t slot = page.LowerBound({TreePosition::Kind::kBefore, key, 0});
  while (true) {
    for (; slot < page.end_slot(); ++slot) {
      const IndexEntry& entry = page.entry(slot);
      if (entry.key() != key) return KeyHolder{};
      if (!page.page().line(slot).normal()) continue;
      holder.entry = entry.tid();
      CONNBENCH_ASSIGN_OR_RETURN(holder.life, heap.Life(transaction, holder.entry));
      if (holder.life.state >= RowLife::State::kLive) return holder;
      if (holder.life.state == RowLife::State::kDead) page.page().Kill(slot);
    }
    if (page.rightmost()) return KeyHolder{};
    CONNBENCH_ASSIGN_OR_RETURN(neighbour, tree.Read(page.special().right));
    page = TreePage(neighbour.page());
    slot = page.first_slot();
  }
}

}  // namespace

[[gnu::hot]] Result<IndexInsertOutcome> BTree::InsertUnique(Transaction& transaction, Heap& heap,
                                                            std::string_view key, Tid tid,
                                                            RowWait wait) {
  CONNBENCH_RETURN_IF_ERROR(CheckKeySize(key));
  if (slot_ == nullptr) return Storage::StaleStorage(id_);
  Tree tree(*storage_, id_, *slot_);
  tree.set_heap(heap.id());
  KeyHolder holder;
  const auto insert = [&]() -> Status {
    BlockNumber block = kNoBlock;
    CONNBENCH_ASSIGN_OR_RETURN(
        WritePageGuard guard, tree.DescendToWrite({TreePosition::Kind::kBefore, key, 0}, 0, block));
    CONNBENCH_ASSIGN_OR_RETURN(holder, HolderFrom(tree, transaction, heap, guard, key));
    if (holder.life.state >= RowLife::State::kLive) return {};
    CONNBENCH_RETURN_IF_ERROR(
        tree.MoveRight(guard, block, {TreePosition::Kind::kExact, key, tid.Packed()}));
    return tree.InsertOnPage(std::move(guard), block, key, tid, kNoBlock);
  };
  while (true) {
    CONNBENCH_RETURN_IF_ERROR(storage_->WithPages(insert));
    if (holder.life.state < RowLife::State::kLive) return IndexInsertOutcome::kInserted;
    if (holder.life.state != RowLife::State::kWait || wait != RowWait::kWait) {
      return IndexInsertOutcome::kDuplicate;
    }
    CONNBENCH_RETURN_IF_ERROR(AwaitHolder(transaction, heap, holder));
  }
}

Result<KeyHolder> BTree::FindHolder(Transaction& transaction, Heap& heap,
                                    std::string_view key) const {
  CONNBENCH_RETURN_IF_ERROR(CheckKeySize(key));
  if (slot_ == nullptr) return Storage::StaleStorage(id_);
  const Tree tree(*storage_, id_, *slot_);
  return storage_->WithPages([&]() -> Result<KeyHolder> {
    BlockNumber block = kNoBlock;
    CONNBENCH_ASSIGN_OR_RETURN(const ReadPageGuard guard,
                               tree.DescendToRead({TreePosition::Kind::kBefore, key, 0}, 0, block));
    return HolderFrom(tree, transaction, heap, guard, key);
  });
}

Status BTree::AwaitHolder(Transaction& transaction, Heap& heap, const KeyHolder& holder) {
  const auto still_needed = [&]() -> Result<bool> {
    const Result<RowLife> life = heap.Life(transaction, holder.entry);
    // An error will show when the caller looks again, who also brings a page that is away.
    return life.ok() && life->state == RowLife::State::kWait &&
           life->wait_for == holder.life.wait_for;
  };
  return transaction.WaitForXid(holder.life.wait_for, WaitReason::kUniqueCheck, LockWait::kBlock,
                                still_needed);
}

}  // namespace connbench::engine
