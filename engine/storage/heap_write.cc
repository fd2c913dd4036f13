// Update and Delete. heap_lock.cc finds out whether the row is free for it.
#include <fmt/format.h>

#include <algorithm>

#include "engine/storage/heap.h"
#include "engine/storage/heap_prune.h"
#include "engine/storage/storage.h"
#include "engine/storage/visibility.h"
#include "engine/transaction/transaction.h"

namespace connbench::engine {
[[gnu::hot]] Result<WriteResult> Heap::Update(Transaction& transaction, Tid tid,
                                              std::string_view row, bool may_be_hot,
                                              RowLockMode mode) {
  if (row.size() > kMaxRowSize) {
    return Status::Error(
        sqlstate::kProgramLimitExceeded,
        fmt::format("row is too big: size {}, maximum size {}", row.size(), kMaxRowSize));
  }
  CONNBENCH_ASSIGN_OR_RETURN(const Xid xid, transaction.CurrentXid());
  const CommandId command = transaction.command();
  const Wish wish{.xid = xid, .mode = mode};
  WriteResult result;
  Attempt attempt;
  CONNBENCH_ASSIGN_OR_RETURN(WritePageGuard guard, Claim(transaction, wish, tid, result, attempt));
  if (!guard.valid()) return result;

  const Page page = guard.page();
  const uint32_t size = AlignItem(static_cast<uint32_t>(sizeof(TupleHeader) + row.size()));
  if (HeapFreeSpace(page) < size && PruneHintHolds(*storage_, page, /*refresh_horizon=*/true)) {
    PrunePage(*storage_, *slot_, page, storage_->CachedHorizon());
  }
  NewVersion version{.row = row, .xid = xid, .command = command, .flags = 0};
  if (HeapFreeSpace(page) >= size) {
    if (attempt.xmax == Attempt::Xmax::kTaken) {
      CONNBENCH_RETURN_IF_ERROR(MoveXmaxAside(transaction, page, tid));
    }
    if (may_be_hot) version.flags = kHeapOnly;
    const Tid next{tid.block, Place(page, version), 0};
    TupleHeader& tuple = TupleAt(page, tid.slot);
    // A lock that the update writes over goes on with its strength.
    if (attempt.xmax == Attempt::Xmax::kOwn) mode = std::max(mode, tuple.xmax_mode());
    const uint16_t hot = may_be_hot ? kXmaxHot : 0;
    tuple.SetXmax(xid, command, mode, static_cast<uint16_t>(kXmaxUpdated | hot), next);
    SetPruneHint(page, xid);
    if ((tuple.flags & kMoreHolders) != 0) {
      std::vector<RowLockHolder> holders;
      FindHolders(transaction, page, tid, holders);
      CONNBENCH_RETURN_IF_ERROR(CarryHolders(transaction, holders, page, next));
    }
    result.tid = next;
    result.hot = may_be_hot;
    return result;
  }

  // The new version goes to another page. Two pages are never latched at once: a row lock keeps the
  // old version ours meanwhile.
  page.SetHint(kPageFull);
  CONNBENCH_RETURN_IF_ERROR(TakeLock(transaction, wish, attempt, page, tid));
  guard.Release();
  CONNBENCH_ASSIGN_OR_RETURN(const Tid next, InsertVersion(version));
  CONNBENCH_ASSIGN_OR_RETURN(guard, storage_->WritePage(id_, tid.block));
  if (!guard.valid()) return BufferPool::MissingPage(id_, tid.block);
  TupleHeader& tuple = TupleAt(guard.page(), tid.slot);
  // Others may have taken key share locks meanwhile.
  attempt = ExamineHolders(transaction, wish, guard.page(), tid);
  if (attempt.xmax == Attempt::Xmax::kTaken) {
    CONNBENCH_RETURN_IF_ERROR(MoveXmaxAside(transaction, guard.page(), tid));
  } else if (attempt.xmax == Attempt::Xmax::kOwn) {
    mode = std::max(mode, tuple.xmax_mode());
  }
  tuple.SetXmax(xid, command, mode, kXmaxUpdated, next);
  SetPruneHint(guard.page(), xid);
  std::vector<RowLockHolder> holders;
  if ((tuple.flags & kMoreHolders) != 0) FindHolders(transaction, guard.page(), tid, holders);
  guard.Release();
  if (!holders.empty()) {
    // From now on whoever takes a key share lock on the old version goes on to the new one.
    CONNBENCH_ASSIGN_OR_RETURN(guard, storage_->WritePage(id_, next.block));
    if (!guard.valid()) return BufferPool::MissingPage(id_, next.block);
    CONNBENCH_RETURN_IF_ERROR(CarryHolders(transaction, holders, guard.page(), next));
  }
  result.tid = next;
  return result;
}

[[gnu::hot]] Result<WriteResult> Heap::Delete(Transaction& transaction, Tid tid) {
  CONNBENCH_ASSIGN_OR_RETURN(const Xid xid, transaction.CurrentXid());
  const Wish wish{.xid = xid, .mode = RowLockMode::kUpdate};
  WriteResult result;
  Attempt attempt;
  CONNBENCH_ASSIGN_OR_RETURN(WritePageGuard guard, Claim(transaction, wish, tid, result, attempt));
  if (!guard.valid()) return result;
  if (attempt.xmax == Attempt::Xmax::kTaken) {
    CONNBENCH_RETURN_IF_ERROR(MoveXmaxAside(transaction, guard.page(), tid));
  }
  TupleAt(guard.page(), tid.slot).SetXmax(xid, transaction.command(), wish.mode, 0, Tid{});
  SetPruneHint(guard.page(), xid);
  slot_->rows.fetch_sub(1, std::memory_order_relaxed);
  return result;
}

}  // namespace connbench::engine
