// Ways through a B+tree that inserting, scanning, building and checking share. Used by the
// btree_*.cc files only.
#pragma once

#include "base/status.h"
#include "engine/storage/btree.h"
#include "engine/storage/btree_page.h"
#include "engine/storage/storage.h"

namespace connbench::engine {

// A tree at work: no state of its own, but the tree's block numbers and the latch protocol.
//
// At most one page is latched while going down: whoever finds that the page has been split meanwhile
// goes right. Who holds a page may latch pages to its right and pages of higher levels, never others.
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

  // Goes on from a page to the one that the position belongs to, latching the right neighbour before
  // the page is given back.
  Status MoveRight(WritePageGuard& guard, BlockNumber& block, const TreePosition& position);

  // Puts an entry on the page (or, after a split, on its new neighbour), which the position belongs
  // to, and gives the guard back. child: kNoBlock on leaves. A split of the page itself that gets no
  // frame is an error, before anything has changed; one further up is left for a later writer.
  Status InsertOnPage(WritePageGuard guard, BlockNumber block, std::string_view key, Tid tid,
                      BlockNumber child);

  // If the page's split never reached the parent level, does that now, as far as there are frames.
  Status FinishSplit(WritePageGuard& guard, BlockNumber block);

 private:
  Result<ReadPageGuard> StartPage(uint32_t level, BlockNumber& block) const;
  Status Split(WritePageGuard& left, BlockNumber left_block, uint32_t slot, std::string_view key,
               Tid tid, BlockNumber child);
  Status InsertIntoParent(const TreePage& left, BlockNumber left_block);
  // True if the page was the root and now has a new one above it.
  Result<bool> GrowRoot(const TreePage& left, BlockNumber left_block);

  Storage& storage_;
  StorageId id_;
  StorageSlot& slot_;
};

// Removes the killed entries of a leaf; returns how many.
uint32_t RemoveKilled(const TreePage& leaf);

}  // namespace connbench::engine
