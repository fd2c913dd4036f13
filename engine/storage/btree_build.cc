// Building a B+tree from sorted entries: leaves from left to right, each level above as the one
// below closes a page.
#include <vector>

#include "engine/storage/btree_internal.h"

namespace connbench::engine {
namespace {

// Room left on each page for inserts to come.
constexpr uint32_t kLeafFillPercent = 90;
constexpr uint32_t kInnerFillPercent = 70;

// The open, rightmost page of each level. Nobody else uses the tree, so that the guards may be held
// throughout; a level has one, as tall as the tree is. For the same reason other pages may be
// written out meanwhile to make room: only a checkpoint waits for these latches.
class TreeBuilder {
 public:
  TreeBuilder(Storage& storage, StorageId id, StorageSlot& slot)
      : storage_(storage), id_(id), slot_(slot) {}

  // The empty tree's root becomes the first leaf.
  Status Start() {
    const BlockNumber root = slot_.root_block.load(std::memory_order_acquire);
    Level leaf;
    leaf.block = root;
    CONNBENCH_ASSIGN_OR_RETURN(leaf.guard, storage_.WritePage(id_, root));
    if (!leaf.guard.valid()) return BufferPool::MissingPage(id_, root);
    const TreePage page(leaf.guard.page());
    if (!page.leaf() || page.end_slot() != 0) {
      return Status::Error(sqlstate::kInternalError, "bulk build of an index that is not empty");
    }
    levels_.push_back(std::move(leaf));
    return {};
  }

  Status Add(uint32_t level, std::string_view key, Tid tid, BlockNumber child) {
    Level& open = levels_[level];
    TreePage page(open.guard.page());
    const uint32_t size =
        child == kNoBlock ? LeafEntrySize(key.size()) : InnerEntrySize(key.size());
    const uint32_t fill = level == 0 ? kLeafFillPercent : kInnerFillPercent;
    const bool full = page.page().gap() < kPageSize * (100 - fill) / 100 && page.end_slot() > 2;
    if (full || !page.HasRoomFor(size)) CONNBENCH_RETURN_IF_ERROR(ClosePage(level));
    page = TreePage(levels_[level].guard.page());
    page.Insert(page.end_slot(), key, tid, child);
    return {};
  }

  // The topmost page becomes the root.
  Status Finish() {
    const BlockNumber root = levels_.back().block;
    const auto root_level = static_cast<uint32_t>(levels_.size() - 1);
    levels_.clear();  // the meta page may have to be read
    CONNBENCH_ASSIGN_OR_RETURN(const WritePageGuard meta, storage_.WritePage(id_, kMetaBlock));
    if (!meta.valid()) return BufferPool::MissingPage(id_, kMetaBlock);
    MetaOf(meta) = {.root = root, .root_level = root_level, .free_first = kNoBlock};
    // The whole table has just been read: there is nothing to look after yet.
    slot_.visits_owed.store(0, std::memory_order_relaxed);
    slot_.root_block.store(root, std::memory_order_release);
    return {};
  }

 private:
  struct Level {
    WritePageGuard guard;
    BlockNumber block = kNoBlock;
  };

  // The page's last entry starts the next page, and its key becomes the high key: it takes no more
  // room than the entry did.
  Status ClosePage(uint32_t level) {
    BlockNumber block = kNoBlock;
    CONNBENCH_ASSIGN_OR_RETURN(WritePageGuard next_guard,
                               storage_.Extend(id_, slot_, kPageIndex, sizeof(BTreeSpecial), block,
                                               PageSource::kOrdinary, Evict::kAny));
    const TreePage left(levels_[level].guard.page());
    const TreePage next(next_guard.page());
    const BlockNumber left_block = levels_[level].block;
    const uint32_t last = left.end_slot() - 1;
    const std::string key(left.entry(last).key());
    const Tid tid = left.entry(last).tid();
    next.special() = {.left = left_block, .right = kNoBlock, .level = level};
    next.Insert(0, key, tid, left.leaf() ? kNoBlock : left.entry(last).child());
    bool drop[kMaxSlots] = {};
    drop[last] = true;
    left.page().RemoveSlots(drop);
    left.special().right = block;
    left.Insert(0, key, tid, kNoBlock);
    if (level + 1 == levels_.size()) CONNBENCH_RETURN_IF_ERROR(AddLevel(left_block));
    CONNBENCH_RETURN_IF_ERROR(Add(level + 1, key, tid, block));
    levels_[level] = {std::move(next_guard), block};
    return {};
  }

  Status AddLevel(BlockNumber first_child) {
    Level top;
    CONNBENCH_ASSIGN_OR_RETURN(
        top.guard, storage_.Extend(id_, slot_, kPageIndex, sizeof(BTreeSpecial), top.block,
                                   PageSource::kOrdinary, Evict::kAny));
    const TreePage page(top.guard.page());
    page.special() = {
        .left = kNoBlock, .right = kNoBlock, .level = static_cast<uint32_t>(levels_.size())};
    page.Insert(0, {}, Tid{0, 0, 0}, first_child);
    levels_.push_back(std::move(top));
    return {};
  }

  Storage& storage_;
  StorageId id_;
  StorageSlot& slot_;
  std::vector<Level> levels_;
};

}  // namespace

Status BTree::BulkBuild(const EntrySource& next) {
  if (slot_ == nullptr) return Storage::StaleStorage(id_);
  TreeBuilder builder(*storage_, id_, *slot_);
  CONNBENCH_RETURN_IF_ERROR(builder.Start());
  std::string_view key;
  Tid tid;
  while (true) {
    CONNBENCH_ASSIGN_OR_RETURN(const bool more, next(key, tid));
    if (!more) break;
    CONNBENCH_RETURN_IF_ERROR(CheckKeySize(key));
    CONNBENCH_RETURN_IF_ERROR(builder.Add(0, key, tid, kNoBlock));
  }
  return builder.Finish();
}

}  // namespace connbench::engine
