// Ways through a B+tree that inserting, scanning, building and checking share. Used by the
// btree_*.cc files only.
#pragma once

#include <memory>

#include "base/status.h"
#include "engine/storage/btree.h"
#include "engine/storage/btree_page.h"
#include "engine/storage/storage.h"

namespace connbench::engine {

// A tree at work: no state of its own, but the tree's block numbers and the latch protocol.
//
// Where a page is away (BufferPool::Away) the functions below end with the error that says so,
// before they have changed anything. Their callers begin them again (Storage::WithPages), unless
// it says that they bring pages themselves.
//
// At most one page is latched while going down: whoever finds that the page has been split
// meanwhile goes right. Who holds a page may latch pages to its right and pages of higher levels,
// never others.
class Tree {
 public:
  Tree(Storage& storage, StorageId id, StorageSlot& slot)
      : storage_(storage), id_(id), slot_(slot) {}

  // The page of the level that the position belongs to.
  Result<ReadPageGuard> DescendToRead(const TreePosition& position, uint32_t level,
                                      BlockNumber& block) const;
  Result<WritePageGuard> DescendToWrite(const TreePosition& position, uint32_t level,
                                        BlockNumber& block);

  Result<ReadPageGuard> Read(BlockNumber block) const;
  Result<WritePageGuard> Write(BlockNumber block) const;
  // The same for callers that hold no latch: a page that is away is brought.
  Result<ReadPageGuard> ReadAlone(BlockNumber block) const;
  Result<WritePageGuard> WriteAlone(BlockNumber block) const;

  // Goes on from a page to the one that the position belongs to, latching the right neighbour
  // before the page is given back.
  Status MoveRight(WritePageGuard& guard, BlockNumber& block, const TreePosition& position);

  // heap: the indexed table, or kNoStorage. Where given, entries of dead rows make room before a
  // leaf is split.
  void set_heap(StorageId heap) { heap_ = heap; }

  // Puts an entry on the page (or, after a split, on its new neighbour), which the position belongs
  // to, and gives the guard back. child: kNoBlock on leaves. A split of the page itself that gets
  // no frame is an error, before anything has changed; one further up is left for a later writer.
  // completed: the page whose split is complete with this entry, latched by the caller. It is so
  // marked while the entry's page is still latched: what is latched together is logged together.
  Status InsertOnPage(WritePageGuard guard, BlockNumber block, std::string_view key, Tid tid,
                      BlockNumber child, const TreePage* completed = nullptr);

  // If the page's split never reached the parent level, does that now, as far as there are frames.
  Status FinishSplit(WritePageGuard& guard, BlockNumber block);

  // --- Upkeep (btree_vacuum.cc): by one session at a time, since pages are unlinked only here.
  // They bring pages themselves. ---
  // Removes a leaf's dead entries, and the leaf itself if it is empty then. next: the page on its
  // right, or the same one if others took entries off it at that moment; kNoBlock at the end.
  Status CleanLeaf(StorageId heap, BlockNumber block, BlockNumber& next, int64_t& removed);
  Result<BlockNumber> LeftmostLeaf() const;
  // After a crash, while nobody else uses the tree: pages that had been taken out of it or not yet
  // put into it, and are in no list, become free.
  Status ReclaimLostPages();

 private:
  Result<ReadPageGuard> StartPage(uint32_t level, BlockNumber& block) const;
  Status Split(WritePageGuard& left, BlockNumber left_block, uint32_t slot, std::string_view key,
               Tid tid, BlockNumber child, const TreePage* completed);
  Status InsertIntoParent(const TreePage& left, BlockNumber left_block);
  // True if the page was the root and now has a new one above it.
  Result<bool> GrowRoot(const TreePage& left, BlockNumber left_block);

  // An empty page of the level without neighbours: one that is free for good, or a new one. meta:
  // the meta page's guard.
  Result<WritePageGuard> NewPage(const WritePageGuard& meta, uint32_t level, BlockNumber& block);
  Result<WritePageGuard> TakeFreePage(const WritePageGuard& meta, BlockNumber& block);
  // A page with its neighbours, latched from left to right, and what changes above it: the page
  // that led to it, or a neighbourhood of which that page is taken out. All stay latched until all
  // have changed, because what is latched together is logged together.
  struct Neighbourhood {
    WritePageGuard left;  // not valid if page is the leftmost
    WritePageGuard page;
    WritePageGuard right;
    BlockNumber left_block = kNoBlock;
    BlockNumber right_block = kNoBlock;
    WritePageGuard above;
    std::unique_ptr<Neighbourhood> around_above;
  };
  Result<bool> Latch(BlockNumber block, Neighbourhood& pages);
  Result<bool> Unlink(Neighbourhood& pages, BlockNumber block, BlockNumber only_child,
                      BlockNumber* unlinked, uint32_t& unlinked_count);
  Result<bool> UnlinkFromParent(Neighbourhood& pages, BlockNumber block, BlockNumber* unlinked,
                                uint32_t& unlinked_count);
  Status AddFreePage(BlockNumber block);
  void RemoveDead(const TreePage& leaf);

  Storage& storage_;
  StorageId id_;
  StorageSlot& slot_;
  StorageId heap_ = kNoStorage;
};

inline BTreeMeta& MetaOf(const PageGuard& guard) {
  return *reinterpret_cast<BTreeMeta*>(guard.page().special());
}

// No leaf has more entries than this.
inline constexpr uint32_t kMaxLeafEntries = kPageSize / (sizeof(IndexEntry) + sizeof(LinePointer));

// Removes the killed entries of a leaf.
void RemoveKilled(const TreePage& leaf);

}  // namespace connbench::engine
