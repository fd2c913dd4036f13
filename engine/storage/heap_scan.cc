// Scans of a heap, a page of visible rows at a time.
#include <cstring>

#include "engine/storage/heap.h"
#include "engine/storage/heap_prune.h"
#include "engine/storage/storage.h"
#include "engine/storage/visibility.h"
#include "engine/transaction/transaction.h"

namespace connbench::engine {

HeapScan::HeapScan(Heap heap, Transaction& transaction, const Snapshot& snapshot,
                   ScanPurpose purpose)
    : heap_(heap),
      transaction_(&transaction),
      snapshot_(snapshot),
      purpose_(purpose),
      block_count_(heap.block_count()) {}

HeapScan::HeapScan(Heap heap, Transaction& transaction, const Snapshot& snapshot,
                   SharedBlocks& shared)
    : heap_(heap),
      transaction_(&transaction),
      snapshot_(snapshot),
      purpose_(ScanPurpose::kRead),
      shared_(&shared),
      block_count_(0) {}

void HeapScan::Rewind() {
  next_block_ = 0;
  next_ = 0;
  visible_count_ = 0;
}

Result<bool> HeapScan::NextPage(HeapRow& row) {
  if (heap_.slot_ == nullptr) return Storage::StaleStorage(heap_.id_);
  while (next_block_ < block_count_ || TakeBlocks()) {
    CONNBENCH_RETURN_IF_ERROR(transaction_->CheckForInterrupts());
    block_ = next_block_++;
    next_ = 0;
    visible_count_ = 0;
    CONNBENCH_ASSIGN_OR_RETURN(ReadPageGuard guard, heap_.storage_->ReadPage(heap_.id_, block_));
    if (guard.valid()) {
      CONNBENCH_RETURN_IF_ERROR(
          PruneOnAccess(*heap_.storage_, heap_.id_, *heap_.slot_, block_, guard));
    }
    if (!guard.valid()) continue;  // given back since the scan began: it was empty
    CopyVisible(guard.page());
    if (purpose_ == ScanPurpose::kIndexBuild) ReplaceByRoots(guard.page());
    if (visible_count_ > 0) {
      TakeRow(row);
      return true;
    }
  }
  return false;
}

void HeapScan::CopyVisible(Page page) {
  uint32_t offset = 0;
  const uint32_t slots = page.slot_count();
  for (uint32_t slot = 0; slot < slots; ++slot) {
    const LinePointer line = page.line(slot);
    if (!line.normal()) continue;
    auto& tuple = TupleAt(page, line);
    if (!SnapshotSees(tuple, snapshot_)) continue;
    // Only the row bytes: a header's fate words may be stamped by others right now.
    const uint32_t length = line.length() - sizeof(TupleHeader);
    std::memcpy(rows_ + offset, tuple.row(), length);
    visible_[visible_count_++] = {static_cast<SlotNumber>(slot), static_cast<uint16_t>(offset),
                                  static_cast<uint16_t>(length)};
    offset += AlignItem(length);
  }
}

void HeapScan::ReplaceByRoots(Page page) {
  const uint32_t slots = page.slot_count();
  SlotNumber roots[kMaxSlots] = {};
  for (uint32_t root = 0; root < slots; ++root) {
    const LinePointer line = page.line(root);
    uint32_t slot = root;
    if (line.state() == LineState::kRedirect) {
      slot = line.offset();
    } else if (!line.normal() || (TupleAt(page, line).flags & kHeapOnly) != 0) {
      continue;
    }
    while (slot < slots && page.line(slot).normal()) {
      roots[slot] = static_cast<SlotNumber>(root);
      auto& tuple = TupleAt(page, slot);
      if (!HasHotSuccessor(*snapshot_.log, tuple)) break;
      slot = tuple.next_slot;
    }
  }
  // A version that the snapshot sees has not aborted, so that a chain leads to it.
  for (uint32_t index = 0; index < visible_count_; ++index) {
    visible_[index].slot = roots[visible_[index].slot];
  }
}

}  // namespace connbench::engine
