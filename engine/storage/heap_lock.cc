// Row locks: finding out whether a row version is free, waiting in line if it is not, and noting
// who holds it.
//
// A version's xmax names one holder, with its mode in the flags. Others that count at the same time
// are in RowLockTable: sessions whose modes agree with each other, and outer subtransactions whose
// lock must be there again when an inner one rolls back. So before xmax is written over, the lock
// it names is moved there if it still counts and if it is not the writer's own.
//
// Of one transaction's subtransactions in progress, those that were assigned earlier are rolled
// back with the later ones or later, never sooner. So a lock that the transaction holds already, in
// a mode that includes the one wanted, lasts long enough.
#include <fmt/format.h>

#include <cstring>

#include "engine/storage/heap.h"
#include "engine/storage/storage.h"
#include "engine/storage/visibility.h"
#include "engine/transaction/transaction.h"

namespace connbench::engine {
namespace {

// The slot that indexes know the row of this version by; it stays while the row is updated in
// place, so that all who wait for the row stand in one line.
SlotNumber RootOf(const CommitLog& log, Page page, SlotNumber version) {
  if ((TupleAt(page, version).flags & kHeapOnly) == 0) return version;
  const uint32_t slots = page.slot_count();
  for (uint32_t root = 0; root < slots; ++root) {
    const LinePointer line = page.line(root);
    uint32_t slot = root;
    if (line.state() == LineState::kRedirect) {
      slot = line.offset();
    } else if (!line.normal() || (TupleAt(page, root).flags & kHeapOnly) != 0) {
      continue;
    }
    while (slot < slots && page.line(slot).normal()) {
      if (slot == version) return static_cast<SlotNumber>(root);
      if (!HasHotSuccessor(log, TupleAt(page, slot))) break;
      slot = TupleAt(page, slot).next_slot;
    }
  }
  return version;
}

// Whether the version that was born is the one that updater made. After a rollback the place may
// have become another row's.
bool SameTransaction(const CommitLog& log, const Fate& updater, const Fate& born) {
  if (updater.in_progress() && born.in_progress()) return updater.xid == born.xid;
  if (!born.committed()) return false;
  if (!updater.in_progress()) return updater.committed() && updater.csn == born.csn;
  const XidStatus now = log.Lookup(updater.xid);
  return now.committed() && now.csn == born.csn;
}

}  // namespace

[[gnu::hot]] Result<Heap::Attempt> Heap::Examine(Transaction& transaction, const Wish& wish,
                                                 Page page, Tid tid) {
  if (tid.slot >= page.slot_count() || !page.line(tid.slot).normal()) {
    return Status::Error(sqlstate::kInternalError,
                         fmt::format("row version ({},{}) of storage {} is gone: it was changed "
                                     "without a snapshot that sees it",
                                     tid.block, tid.slot, id_));
  }
  TupleHeader& tuple = TupleAt(page, tid.slot);
  const Fate born = ResolveFate(storage_->commit_log(), tuple.xmin());
  if (born.in_progress() && born.owner != transaction.backend().number()) {
    return Attempt{.kind = Attempt::Kind::kMustWait, .wait_for = born.xid};
  }
  if (tuple.xmax().load(std::memory_order_relaxed) == kNoFate) return Attempt{};
  return ExamineHolders(transaction, wish, page, tid);
}

Heap::Attempt Heap::ExamineHolders(Transaction& transaction, const Wish& wish, Page page, Tid tid) {
  const BackendNumber me = transaction.backend().number();
  TupleHeader& tuple = TupleAt(page, tid.slot);
  Attempt attempt;
  if (tuple.xmax().load(std::memory_order_relaxed) == kNoFate) return attempt;
  const auto meet = [&](BackendNumber owner, Xid xid, RowLockMode held) {
    if (owner == me) {
      attempt.holds_some = true;
      attempt.holds_enough = attempt.holds_enough || held >= wish.mode;
    } else if (attempt.kind == Attempt::Kind::kFree && RowLocksConflict(wish.mode, held)) {
      attempt.kind = Attempt::Kind::kMustWait;
      attempt.wait_for = xid;
    }
  };

  const Fate fate = ResolveFate(storage_->commit_log(), tuple.xmax());
  const bool only_locks = tuple.xmax_only_locks();
  if (fate.in_progress()) {
    if (fate.owner == me && !only_locks) return Attempt{.kind = Attempt::Kind::kSelfModified};
    meet(fate.owner, fate.xid, tuple.xmax_mode());
    attempt.xmax = fate.xid == wish.xid ? Attempt::Xmax::kOwn : Attempt::Xmax::kTaken;
    if (!only_locks) attempt.next = tuple.next();
  } else if (fate.committed() && !only_locks) {
    attempt.next = tuple.next();
    if (RowLocksConflict(wish.mode, tuple.xmax_mode())) {
      attempt.kind =
          (tuple.flags & kXmaxUpdated) != 0 ? Attempt::Kind::kUpdated : Attempt::Kind::kDeleted;
      return attempt;
    }
    attempt.xmax = Attempt::Xmax::kTaken;
  }
  if ((tuple.flags & kMoreHolders) != 0) {
    std::vector<RowLockHolder> holders;
    FindHolders(transaction, page, tid, holders);
    for (const RowLockHolder& holder : holders) meet(holder.owner, holder.xid, holder.mode);
  }
  return attempt;
}

[[gnu::hot]] Result<WritePageGuard> Heap::Claim(Transaction& transaction, const Wish& wish, Tid tid,
                                                WriteResult& result, Attempt& attempt) {
  if (slot_ == nullptr) return Storage::StaleStorage(id_);
  LockManager& locks = transaction.locks();
  const size_t mark = locks.Mark();
  bool in_line = false;
  while (true) {
    CONNBENCH_ASSIGN_OR_RETURN(WritePageGuard guard, storage_->WritePage(id_, tid.block));
    if (!guard.valid()) return BufferPool::MissingPage(id_, tid.block);
    CONNBENCH_ASSIGN_OR_RETURN(attempt, Examine(transaction, wish, guard.page(), tid));
    result.tid = tid;
    switch (attempt.kind) {
      case Attempt::Kind::kFree:
        result.outcome = WriteOutcome::kOk;
        return guard;
      case Attempt::Kind::kSelfModified:
        result.outcome = WriteOutcome::kSelfModified;
        return WritePageGuard();
      case Attempt::Kind::kDeleted:
        result.outcome = WriteOutcome::kDeletedConcurrently;
        guard.Release();
        if (in_line) locks.ReleaseTo(mark);  // those behind us need not wait for our end
        return WritePageGuard();
      case Attempt::Kind::kUpdated:
        // A place in line is kept: whoever follows the row finds its next version free.
        result.outcome = WriteOutcome::kUpdatedConcurrently;
        result.tid = attempt.next;
        return WritePageGuard();
      case Attempt::Kind::kMustWait:
        break;
    }
    if (wish.wait == RowWait::kDontWait) {
      result.outcome = WriteOutcome::kWouldBlock;
      return WritePageGuard();
    }
    if (in_line || attempt.holds_some) {
      // A holder that wants a stronger mode does not queue behind those who wait for it.
      guard.Release();
      CONNBENCH_RETURN_IF_ERROR(transaction.WaitForXid(attempt.wait_for));
      continue;
    }
    const Tid row{tid.block, RootOf(storage_->commit_log(), guard.page(), tid.slot), 0};
    guard.Release();
    const uint32_t relation = slot_->relation.load(std::memory_order_relaxed);
    CONNBENCH_RETURN_IF_ERROR(locks.LockRow(relation, row.Packed(), wish.mode));
    in_line = true;  // whoever stood before us may have finished, or have changed the row again
  }
}

Status Heap::TakeLock(Transaction& transaction, const Wish& wish, const Attempt& attempt, Page page,
                      Tid tid) {
  if (attempt.holds_enough) return {};
  if (attempt.xmax == Attempt::Xmax::kTaken) {
    return AddHolder(transaction, page, tid, wish.xid, wish.mode);
  }
  TupleAt(page, tid.slot).SetXmax(wish.xid, transaction.command(), wish.mode, kXmaxLockOnly, Tid{});
  return {};
}

Status Heap::AddHolder(Transaction& transaction, Page page, Tid tid, Xid xid, RowLockMode mode) {
  const TransactionSystem& system = transaction.system();
  TupleHeader& tuple = TupleAt(page, tid.slot);
  CONNBENCH_RETURN_IF_ERROR(system.row_locks->Add(*system.segment, *system.commit_log,
                                                  {id_, tid.Packed()}, xid, mode,
                                                  /*only=*/(tuple.flags & kMoreHolders) == 0));
  tuple.flags |= kMoreHolders;
  return {};
}

void Heap::FindHolders(Transaction& transaction, Page page, Tid tid,
                       std::vector<RowLockHolder>& holders) {
  const TransactionSystem& system = transaction.system();
  system.row_locks->Find(*system.commit_log, {id_, tid.Packed()}, holders);
  if (holders.empty()) TupleAt(page, tid.slot).flags &= static_cast<uint16_t>(~kMoreHolders);
}

Status Heap::MoveXmaxAside(Transaction& transaction, Page page, Tid tid) {
  TupleHeader& tuple = TupleAt(page, tid.slot);
  const Fate fate = ResolveFate(storage_->commit_log(), tuple.xmax());
  if (!fate.in_progress()) return {};
  return AddHolder(transaction, page, tid, fate.xid, tuple.xmax_mode());
}

Status Heap::CarryHolders(Transaction& transaction, std::span<const RowLockHolder> holders,
                          Page page, Tid tid) {
  for (const RowLockHolder& holder : holders) {
    // Our own locks need not be carried: the new version is ours as it is.
    if (holder.owner == transaction.backend().number()) continue;
    TupleHeader& tuple = TupleAt(page, tid.slot);
    if (tuple.xmax().load(std::memory_order_relaxed) == kNoFate) {
      tuple.SetXmax(holder.xid, kFirstCommandId, holder.mode, kXmaxLockOnly, Tid{});
    } else {
      CONNBENCH_RETURN_IF_ERROR(AddHolder(transaction, page, tid, holder.xid, holder.mode));
    }
  }
  return {};
}

Result<WriteResult> Heap::LockSuccessors(Transaction& transaction, const Wish& wish, Fate updater,
                                         Tid next) {
  const CommitLog& log = storage_->commit_log();
  WriteResult result;
  while (next.valid()) {
    CONNBENCH_RETURN_IF_ERROR(transaction.CheckForInterrupts());
    result.tid = next;
    CONNBENCH_ASSIGN_OR_RETURN(WritePageGuard guard, storage_->WritePage(id_, next.block));
    if (!guard.valid()) return BufferPool::MissingPage(id_, next.block);
    const Page page = guard.page();
    if (next.slot >= page.slot_count() || !page.line(next.slot).normal()) break;
    TupleHeader& tuple = TupleAt(page, next.slot);
    if (!SameTransaction(log, updater, ResolveFate(log, tuple.xmin()))) break;
    const Attempt attempt = ExamineHolders(transaction, wish, page, next);
    switch (attempt.kind) {
      case Attempt::Kind::kFree:
        CONNBENCH_RETURN_IF_ERROR(TakeLock(transaction, wish, attempt, page, next));
        break;
      case Attempt::Kind::kSelfModified:
        return result;  // what follows is our own
      case Attempt::Kind::kDeleted:
        result.outcome = WriteOutcome::kDeletedConcurrently;
        return result;
      case Attempt::Kind::kUpdated:
        result.outcome = WriteOutcome::kUpdatedConcurrently;
        result.tid = attempt.next;
        return result;
      case Attempt::Kind::kMustWait:
        if (wish.wait == RowWait::kDontWait) {
          result.outcome = WriteOutcome::kWouldBlock;
          return result;
        }
        guard.Release();
        CONNBENCH_RETURN_IF_ERROR(transaction.WaitForXid(attempt.wait_for));
        continue;
    }
    next = attempt.next;
    if (next.valid()) updater = ResolveFate(log, tuple.xmax());
  }
  return result;
}

Result<WriteResult> Heap::LockRow(Transaction& transaction, Tid tid, RowLockMode mode, RowWait wait,
                                  bool follow_updates, RowBuffer& buffer, HeapRow& row) {
  CONNBENCH_ASSIGN_OR_RETURN(const Xid xid, transaction.CurrentXid());
  const Wish wish{.xid = xid, .mode = mode, .wait = wait};
  WriteResult result;
  while (true) {
    Attempt attempt;
    CONNBENCH_ASSIGN_OR_RETURN(WritePageGuard guard,
                               Claim(transaction, wish, tid, result, attempt));
    if (guard.valid()) {
      const Page page = guard.page();
      CONNBENCH_RETURN_IF_ERROR(TakeLock(transaction, wish, attempt, page, tid));
      TupleHeader& tuple = TupleAt(page, tid.slot);
      const uint32_t length = page.line(tid.slot).length() - sizeof(TupleHeader);
      std::memcpy(buffer.data, tuple.row(), length);
      row = {tid, {buffer.data, length}};
      if (!attempt.next.valid()) return result;
      const Fate updater = ResolveFate(storage_->commit_log(), tuple.xmax());
      guard.Release();
      CONNBENCH_ASSIGN_OR_RETURN(const WriteResult later,
                                 LockSuccessors(transaction, wish, updater, attempt.next));
      if (later.outcome == WriteOutcome::kOk) return result;
      result = later;
    }
    if (result.outcome != WriteOutcome::kUpdatedConcurrently || !follow_updates) return result;
    tid = result.tid;
  }
}

}  // namespace connbench::engine
