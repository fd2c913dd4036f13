// Update, Delete and LockRow: finding out whether a row version is free to be changed, waiting in
// line if it is not, and changing it.
#include <fmt/format.h>

#include <cstring>

#include "engine/storage/heap.h"
#include "engine/storage/heap_prune.h"
#include "engine/storage/storage.h"
#include "engine/storage/visibility.h"
#include "engine/transaction/transaction.h"

namespace connbench::engine {
namespace {

TupleHeader& TupleAt(Page page, uint32_t slot) {
  return *reinterpret_cast<TupleHeader*>(page.item(slot));
}

// The slot that indexes know the row of this version by; it stays while the row is updated in place,
// so that all who wait for the row stand in one line.
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

void SetXmax(TupleHeader& tuple, Xid xid, CommandId command, uint16_t flags, Tid next) {
  tuple.xmax().store(xid, std::memory_order_relaxed);
  tuple.cmax = command;
  tuple.flags = static_cast<uint16_t>((tuple.flags & kHeapOnly) | flags);
  tuple.SetNext(next);
}

}  // namespace

[[gnu::hot]] Result<Heap::Attempt> Heap::Examine(Transaction& transaction, Page page, Tid tid) {
  using enum Attempt::Kind;
  if (tid.slot >= page.slot_count() || !page.line(tid.slot).normal()) {
    return Status::Error(sqlstate::kInternalError,
                         fmt::format("row version ({},{}) of storage {} is gone: it was changed "
                                     "without a snapshot that sees it",
                                     tid.block, tid.slot, id_));
  }
  const CommitLog& log = storage_->commit_log();
  const BackendNumber me = transaction.backend().number();
  TupleHeader& tuple = TupleAt(page, tid.slot);
  const Fate born = ResolveFate(log, tuple.xmin());
  if (born.in_progress() && born.owner != me) {
    return Attempt{
        .kind = kMustWait, .wait_for = born.xid, .root = RootOf(log, page, tid.slot), .next = {}};
  }
  if (tuple.xmax().load(std::memory_order_relaxed) == kNoFate) return Attempt{};
  const Fate fate = ResolveFate(log, tuple.xmax());
  if (fate.aborted()) return Attempt{};
  const bool lock_only = (tuple.flags & kXmaxLockOnly) != 0;
  if (fate.in_progress()) {
    if (fate.owner != me) {
      return Attempt{
          .kind = kMustWait, .wait_for = fate.xid, .root = RootOf(log, page, tid.slot), .next = {}};
    }
    return Attempt{.kind = lock_only ? kFree : kSelfModified, .own_lock = lock_only, .next = {}};
  }
  if (lock_only) return Attempt{};
  if ((tuple.flags & kXmaxUpdated) == 0) return Attempt{.kind = kDeleted, .next = {}};
  return Attempt{.kind = kUpdated, .next = tuple.next()};
}

[[gnu::hot]] Result<WritePageGuard> Heap::Claim(Transaction& transaction, Tid tid,
                                                RowWaitPolicy policy, WriteResult& result,
                                                bool& own_lock) {
  if (slot_ == nullptr) return Storage::StaleStorage(id_);
  const LockWait wait = policy == RowWaitPolicy::kWait ? LockWait::kBlock : LockWait::kNoWait;
  bool in_line = false;
  while (true) {
    WritePageGuard guard = storage_->pool().Write(id_, tid.block);
    if (!guard.valid()) return BufferPool::MissingPage(id_, tid.block);
    CONNBENCH_ASSIGN_OR_RETURN(const Attempt attempt, Examine(transaction, guard.page(), tid));
    result.tid = tid;
    switch (attempt.kind) {
      case Attempt::Kind::kFree:
        result.outcome = WriteOutcome::kOk;
        own_lock = attempt.own_lock;
        return guard;
      case Attempt::Kind::kSelfModified:
        result.outcome = WriteOutcome::kSelfModified;
        return WritePageGuard();
      case Attempt::Kind::kDeleted:
        result.outcome = WriteOutcome::kDeletedConcurrently;
        return WritePageGuard();
      case Attempt::Kind::kUpdated:
        result.outcome = WriteOutcome::kUpdatedConcurrently;
        result.tid = attempt.next;
        return WritePageGuard();
      case Attempt::Kind::kMustWait:
        break;
    }
    guard.Release();
    if (!in_line) {
      const uint32_t relation = slot_->relation.load(std::memory_order_relaxed);
      const Tid row{tid.block, attempt.root, 0};
      CONNBENCH_RETURN_IF_ERROR(transaction.locks().LockRow(relation, row.Packed(), wait));
      in_line = true;
      continue;  // whoever stood before us may have finished with the row, or have changed it again
    }
    CONNBENCH_RETURN_IF_ERROR(transaction.WaitForXid(attempt.wait_for, WaitReason::kRowLock, wait));
  }
}

[[gnu::hot]] Result<WriteResult> Heap::Update(Transaction& transaction, Tid tid,
                                              std::string_view row, bool may_be_hot) {
  if (row.size() > kMaxRowSize) {
    return Status::Error(
        sqlstate::kProgramLimitExceeded,
        fmt::format("row is too big: size {}, maximum size {}", row.size(), kMaxRowSize));
  }
  CONNBENCH_ASSIGN_OR_RETURN(const Xid xid, transaction.CurrentXid());
  const CommandId command = transaction.command();
  WriteResult result;
  bool own_lock = false;
  CONNBENCH_ASSIGN_OR_RETURN(WritePageGuard guard,
                             Claim(transaction, tid, RowWaitPolicy::kWait, result, own_lock));
  if (!guard.valid()) return result;

  const Page page = guard.page();
  const uint32_t size = AlignItem(static_cast<uint32_t>(sizeof(TupleHeader) + row.size()));
  if (HeapFreeSpace(page) < size && PruneHintHolds(*storage_, page, /*refresh_horizon=*/true)) {
    PrunePage(storage_->commit_log(), page, storage_->CachedHorizon());
  }
  guard.MarkDirty();
  NewVersion version{.row = row, .xid = xid, .command = command, .flags = 0};
  if (HeapFreeSpace(page) >= size) {
    if (may_be_hot) version.flags = kHeapOnly;
    const Tid next{tid.block, Place(page, version), 0};
    const uint16_t hot = may_be_hot ? kXmaxHot : 0;
    SetXmax(TupleAt(page, tid.slot), xid, command, kXmaxUpdated | hot, next);
    SetPruneHint(page, xid);
    result.tid = next;
    result.hot = may_be_hot;
    return result;
  }

  // The new version goes to another page. Two pages are never latched at once: a row lock keeps the
  // old version ours meanwhile.
  page.SetHint(kPageFull);
  if (!own_lock) SetXmax(TupleAt(page, tid.slot), xid, command, kXmaxLockOnly, Tid{});
  guard.Release();
  CONNBENCH_ASSIGN_OR_RETURN(const Tid next, InsertVersion(version));
  guard = storage_->pool().Write(id_, tid.block);
  if (!guard.valid()) return BufferPool::MissingPage(id_, tid.block);
  SetXmax(TupleAt(guard.page(), tid.slot), xid, command, kXmaxUpdated, next);
  SetPruneHint(guard.page(), xid);
  guard.MarkDirty();
  result.tid = next;
  return result;
}

[[gnu::hot]] Result<WriteResult> Heap::Delete(Transaction& transaction, Tid tid) {
  CONNBENCH_ASSIGN_OR_RETURN(const Xid xid, transaction.CurrentXid());
  WriteResult result;
  bool own_lock = false;
  CONNBENCH_ASSIGN_OR_RETURN(WritePageGuard guard,
                             Claim(transaction, tid, RowWaitPolicy::kWait, result, own_lock));
  if (!guard.valid()) return result;
  SetXmax(TupleAt(guard.page(), tid.slot), xid, transaction.command(), 0, Tid{});
  SetPruneHint(guard.page(), xid);
  guard.MarkDirty();
  slot_->rows.fetch_sub(1, std::memory_order_relaxed);
  return result;
}

Result<WriteResult> Heap::LockRow(Transaction& transaction, Tid tid, RowLockMode /*mode*/,
                                  RowWaitPolicy policy, bool follow_updates, RowBuffer& buffer,
                                  HeapRow& row) {
  CONNBENCH_ASSIGN_OR_RETURN(const Xid xid, transaction.CurrentXid());
  WriteResult result;
  while (true) {
    bool own_lock = false;
    CONNBENCH_ASSIGN_OR_RETURN(WritePageGuard guard,
                               Claim(transaction, tid, policy, result, own_lock));
    if (!guard.valid()) {
      if (result.outcome != WriteOutcome::kUpdatedConcurrently || !follow_updates) return result;
      tid = result.tid;
      continue;
    }
    const LinePointer line = guard.page().line(tid.slot);
    TupleHeader& tuple = TupleAt(guard.page(), tid.slot);
    if (!own_lock) {
      SetXmax(tuple, xid, transaction.command(), kXmaxLockOnly, Tid{});
      guard.MarkDirty();
    }
    const uint32_t length = line.length() - sizeof(TupleHeader);
    std::memcpy(buffer.data, tuple.row(), length);
    row = {tid, {buffer.data, length}};
    return result;
  }
}

}  // namespace connbench::engine
