// Heap tables: rows in no order, in several versions.
#include "engine/storage/heap.h"

#include <fmt/format.h>

#include <cstring>

#include "engine/segment/thread_id.h"
#include "engine/storage/free_space.h"
#include "engine/storage/heap_prune.h"
#include "engine/storage/storage.h"
#include "engine/storage/visibility.h"
#include "engine/transaction/transaction.h"

namespace connbench::engine {
namespace {

// Pages that the free-space map names may have been filled meanwhile; after so many the table
// grows.
constexpr int kFreeSpaceTries = 4;

Status RowTooBig(size_t size) {
  return Status::Error(sqlstate::kProgramLimitExceeded,
                       fmt::format("row is too big: size {}, maximum size {}", size, kMaxRowSize));
}

// With the newest horizon that is to be had cheaply.
[[gnu::hot]] bool DeadToAll(Storage& storage, TupleHeader& tuple) {
  const CommitLog& log = storage.commit_log();
  const VersionState state = StateOfVersion(log, tuple, storage.CachedHorizon());
  if (state != VersionState::kRecentlyDead) return state == VersionState::kDead;
  return StateOfVersion(log, tuple, storage.RefreshedHorizon()) == VersionState::kDead;
}

}  // namespace

Heap::Heap(Storage& storage, StorageId id) : storage_(&storage), id_(id), slot_(storage.Find(id)) {}

BlockNumber Heap::block_count() const {
  return slot_ == nullptr ? 0 : slot_->block_count.load(std::memory_order_acquire);
}

[[gnu::hot]] Result<WritePageGuard> Heap::PageForInsert(uint32_t size, BlockNumber& block) {
  auto& target = slot_->insert_target[CurrentThreadId() % StorageSlot::kInsertTargets];
  block = target.load(std::memory_order_relaxed);
  for (int tries = 0; tries <= kFreeSpaceTries; ++tries) {
    if (tries > 0) block = FreeSpaceMap::Take(*storage_, id_, *slot_, size);
    if (block == kNoBlock) {
      if (tries == 0) continue;  // no target yet: ask the map
      break;
    }
    CONNBENCH_ASSIGN_OR_RETURN(WritePageGuard guard, storage_->WritePage(id_, block));
    if (!guard.valid()) continue;  // cut off meanwhile
    const uint32_t free_bytes = HeapFreeSpace(guard.page());
    if (free_bytes >= size) {
      // A page that is used again is paid for like a new one.
      if (tries > 0 && free_bytes >= kOfferFromBytes) slot_->OweVisits(Storage::kVisitsPerPage);
      target.store(block, std::memory_order_relaxed);
      return guard;
    }
    guard.Release();
    // A target that is not full for every row may serve smaller ones.
    if (free_bytes >= FreeSpaceMap::kStep) {
      FreeSpaceMap::Record(*storage_, id_, *slot_, block, free_bytes);
    }
  }
  CONNBENCH_ASSIGN_OR_RETURN(WritePageGuard guard, storage_->WithPages([&] {
    return storage_->Extend(id_, *slot_, kPageHeap, 0, block);
  }));
  FreeSpaceMap::Reserve(*storage_, id_, *slot_, block);
  target.store(block, std::memory_order_relaxed);
  return guard;
}

[[gnu::hot]] SlotNumber Heap::Place(Page page, const NewVersion& version) {
  uint32_t slot = page.slot_count();
  if ((page.flags() & kPageHasFreeSlots) != 0) {
    uint32_t unused = 0;
    while (unused < slot && page.line(unused).state() != LineState::kUnused) ++unused;
    if (unused == slot) page.ClearHint(kPageHasFreeSlots);
    slot = unused;
  }
  char* item = page.Place(slot, static_cast<uint32_t>(sizeof(TupleHeader) + version.row.size()));
  auto& tuple = *reinterpret_cast<TupleHeader*>(item);
  tuple.xmin().store(version.xid, std::memory_order_relaxed);
  tuple.xmax().store(kNoFate, std::memory_order_relaxed);
  tuple.cmin = version.command;
  tuple.cmax = 0;
  tuple.SetNext(Tid{});
  tuple.flags = version.flags;
  std::memcpy(tuple.row(), version.row.data(), version.row.size());
  return static_cast<SlotNumber>(slot);
}

[[gnu::hot]] Result<Tid> Heap::InsertVersion(const NewVersion& version) {
  BlockNumber block = kNoBlock;
  const uint32_t size = AlignItem(sizeof(TupleHeader) + version.row.size());
  CONNBENCH_ASSIGN_OR_RETURN(WritePageGuard guard, PageForInsert(size, block));
  const SlotNumber slot = Place(guard.page(), version);
  return Tid{block, slot, 0};
}

[[gnu::hot]] Result<Tid> Heap::Insert(Transaction& transaction, std::string_view row) {
  if (row.size() > kMaxRowSize) return RowTooBig(row.size());
  if (slot_ == nullptr) return Storage::StaleStorage(id_);
  CONNBENCH_ASSIGN_OR_RETURN(const Xid xid, transaction.CurrentXid());
  CONNBENCH_ASSIGN_OR_RETURN(
      const Tid tid,
      InsertVersion({.row = row, .xid = xid, .command = transaction.command(), .flags = 0}));
  slot_->rows.fetch_add(1, std::memory_order_relaxed);
  return tid;
}

Status Heap::InsertMany(Transaction& transaction, std::span<const std::string_view> rows,
                        std::span<Tid> tids) {
  for (const std::string_view row : rows) {
    if (row.size() > kMaxRowSize) return RowTooBig(row.size());
  }
  if (slot_ == nullptr) return Storage::StaleStorage(id_);
  if (rows.empty()) return {};
  CONNBENCH_ASSIGN_OR_RETURN(const Xid xid, transaction.CurrentXid());
  NewVersion version{.row = {}, .xid = xid, .command = transaction.command(), .flags = 0};
  size_t next = 0;
  while (next < rows.size()) {
    CONNBENCH_RETURN_IF_ERROR(transaction.CheckForInterrupts());
    BlockNumber block = kNoBlock;
    uint32_t size = AlignItem(sizeof(TupleHeader) + rows[next].size());
    CONNBENCH_ASSIGN_OR_RETURN(WritePageGuard guard, PageForInsert(size, block));
    while (true) {
      version.row = rows[next];
      tids[next++] = Tid{block, Place(guard.page(), version), 0};
      if (next == rows.size()) break;
      size = AlignItem(sizeof(TupleHeader) + rows[next].size());
      if (HeapFreeSpace(guard.page()) < size) break;
    }
  }
  slot_->rows.fetch_add(static_cast<int64_t>(rows.size()), std::memory_order_relaxed);
  return {};
}

[[gnu::hot]] Result<FetchOutcome> Heap::Fetch(Transaction& /*transaction*/,
                                              const Snapshot& snapshot, Tid tid, RowBuffer& buffer,
                                              HeapRow& row) {
  if (slot_ == nullptr) return Storage::StaleStorage(id_);
  ReadPageGuard guard = storage_->pool().Read(id_, tid.block, LineOffset(tid.slot));
  if (!guard.valid()) [[unlikely]] {
    CONNBENCH_ASSIGN_OR_RETURN(guard, storage_->BringToRead(id_, tid.block));
  }
  if (guard.valid() && guard.page().header().prune_hint != kNoFate) {
    CONNBENCH_RETURN_IF_ERROR(PruneOnAccess(*storage_, id_, *slot_, tid.block, guard));
  }
  // A table's last pages are given back when nothing is on them that anybody could see.
  if (!guard.valid()) return FetchOutcome::kNotVisible;
  const Page page = guard.page();
  uint32_t slot = tid.slot;
  // The line pointer may have been made free, even used again, since the index was read: then it is
  // no root any more, and nothing that the snapshot could see.
  if (slot >= page.slot_count()) return FetchOutcome::kNotVisible;
  LinePointer line = page.line(slot);
  if (line.state() == LineState::kDead) return FetchOutcome::kAllDead;
  if (line.state() == LineState::kRedirect) {
    slot = line.offset();
  } else if (!line.normal() || (TupleAt(page, line).flags & kHeapOnly) != 0) {
    return FetchOutcome::kNotVisible;
  }
  bool all_dead = true;
  while (slot < page.slot_count() && (line = page.line(slot)).normal()) {
    auto& tuple = TupleAt(page, line);
    if (SnapshotSees(tuple, snapshot)) {
      const uint32_t length = line.length() - sizeof(TupleHeader);
      std::memcpy(buffer.data, tuple.row(), length);
      row = {Tid{tid.block, static_cast<SlotNumber>(slot), 0}, {buffer.data, length}};
      return FetchOutcome::kFound;
    }
    all_dead = all_dead && DeadToAll(*storage_, tuple);
    if (!HasHotSuccessor(*snapshot.log, tuple)) break;
    slot = tuple.next_slot;
  }
  return all_dead ? FetchOutcome::kAllDead : FetchOutcome::kNotVisible;
}

Result<bool> Heap::SeesVersion(const Snapshot& snapshot, Tid tid) {
  if (slot_ == nullptr) return Storage::StaleStorage(id_);
  CONNBENCH_ASSIGN_OR_RETURN(const ReadPageGuard guard, storage_->ReadPage(id_, tid.block));
  if (!guard.valid()) return false;
  const Page page = guard.page();
  if (tid.slot >= page.slot_count()) return false;
  const LinePointer line = page.line(tid.slot);
  return line.normal() && SnapshotSees(TupleAt(page, line), snapshot);
}

Result<RowLife> Heap::Life(Transaction& transaction, Tid tid) {
  if (slot_ == nullptr) return Storage::StaleStorage(id_);
  ReadPageGuard guard = storage_->pool().Read(id_, tid.block, LineOffset(tid.slot));
  if (!guard.valid()) return storage_->pool().Missing(id_, tid.block);
  const Page page = guard.page();
  const CommitLog& log = storage_->commit_log();
  const BackendNumber me = transaction.backend().number();
  uint32_t slot = tid.slot;
  if (slot >= page.slot_count()) return RowLife{.state = RowLife::State::kGone};
  LinePointer line = page.line(slot);
  if (line.state() == LineState::kDead) return RowLife{};
  if (line.state() == LineState::kRedirect) slot = line.offset();
  RowLife life;
  while (slot < page.slot_count() && (line = page.line(slot)).normal()) {
    auto& tuple = TupleAt(page, line);
    const Fate born = ResolveFate(log, tuple.xmin());
    if (born.in_progress() && born.owner != me) {
      return RowLife{.state = RowLife::State::kWait, .wait_for = born.xid};
    }
    if (!born.aborted()) {
      RowLife found{.state = RowLife::State::kLive,
                    .version = {tid.block, static_cast<SlotNumber>(slot), 0},
                    .born = born.csn,
                    .by_command = born.in_progress() && tuple.cmin == transaction.command()};
      if (tuple.xmax().load(std::memory_order_relaxed) == kNoFate ||
          (tuple.flags & kXmaxLockOnly) != 0) {
        return found;
      }
      const Fate died = ResolveFate(log, tuple.xmax());
      if (died.aborted()) return found;
      if (died.in_progress() && died.owner != me) {
        found.state = RowLife::State::kWait;
        found.wait_for = died.xid;
        return found;
      }
      if (!DeadToAll(*storage_, tuple)) life.state = RowLife::State::kGone;
    }
    if (!HasHotSuccessor(log, tuple)) break;
    slot = tuple.next_slot;
  }
  return life;
}

Status Heap::TakeBack(Transaction& transaction, Tid tid) {
  CONNBENCH_ASSIGN_OR_RETURN(WritePageGuard guard, storage_->WritePage(id_, tid.block));
  if (!guard.valid()) return BufferPool::MissingPage(id_, tid.block);
  TupleAt(guard.page(), tid.slot).xmin().store(kFateAborted, std::memory_order_relaxed);
  SetPruneHint(guard.page(), kFateAborted);
  slot_->rows.fetch_sub(1, std::memory_order_relaxed);
  guard.Release();
  transaction.WakeWaiters();
  return {};
}

Status Heap::SerializationFailure(WriteOutcome outcome) {
  return Status::Error(sqlstate::kSerializationFailure,
                       outcome == WriteOutcome::kDeletedConcurrently
                           ? "could not serialize access due to concurrent delete"
                           : "could not serialize access due to concurrent update");
}

}  // namespace connbench::engine
