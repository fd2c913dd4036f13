// LockManager: taking, waiting for and releasing locks. lock_table.h says what a lock is.
#include <fmt/format.h>
#include <sched.h>

#include <algorithm>

#include "base/assert.h"
#include "engine/segment/held_latches.h"
#include "engine/transaction/deadlock.h"
#include "engine/transaction/lock_table.h"

namespace connbench::engine {
namespace {

constexpr uint16_t kWeakModes = LockBit(LockMode::kAccessShare) | LockBit(LockMode::kRowShare) |
                                LockBit(LockMode::kRowExclusive);

// A strong locker is one that must look at everybody's notes.
bool IsStrong(const LockTag& tag, LockMode mode) {
  return tag.kind == LockKind::kRelation && (LockConflicts(mode) & kWeakModes) != 0;
}

Status NotAvailable(const LockTag& tag) {
  return Status::Error(sqlstate::kLockNotAvailable,
                       fmt::format("could not obtain lock on {}", tag.Describe()));
}

}  // namespace

LockManager::LockManager(LockTable& table, BackendTable& backends, const CommitLog& log,
                         Backend& backend, int64_t deadlock_timeout_ms)
    : table_(table),
      backends_(backends),
      log_(log),
      backend_(backend),
      deadlock_timeout_ms_(deadlock_timeout_ms) {}

// --- What sessions call ------------------------------------------------------------------------

[[gnu::hot]] Status LockManager::LockRelation(uint32_t oid, LockMode mode, LockWait wait) {
  return Lock(LockTag::Relation(oid), mode, wait, WaitReason::kTableLock);
}

Status LockManager::LockRow(uint32_t relation_oid, uint64_t row, RowLockMode mode) {
  return Lock(LockTag::Row(relation_oid, row), LineMode(mode), LockWait::kBlock,
              WaitReason::kRowLock);
}

void LockManager::UnlockRelation(uint32_t oid, LockMode mode) {
  ReleaseLast(LockTag::Relation(oid), mode);
}

bool LockManager::HoldsRelation(uint32_t oid, LockMode mode) const {
  return Holds(LockTag::Relation(oid), mode);
}

[[gnu::hot]] bool LockManager::Holds(const LockTag& tag, LockMode mode) const {
  return std::any_of(held_.begin(), held_.end(),
                     [&](const Held& held) { return held.mode == mode && held.tag == tag; });
}

void LockManager::ReleaseLast(const LockTag& tag, LockMode mode) {
  const auto found = std::find_if(held_.rbegin(), held_.rend(), [&](const Held& held) {
    return held.mode == mode && held.tag == tag;
  });
  if (found == held_.rend()) return;
  Release(*found);
  held_.erase(std::next(found).base());
}

[[gnu::hot]] void LockManager::ReleaseTo(size_t mark) {
  while (held_.size() > mark) {
    Release(held_.back());
    held_.pop_back();
  }
}

[[gnu::hot]] Status LockManager::Lock(const LockTag& tag, LockMode mode, LockWait wait,
                                      WaitReason reason) {
  if (Holds(tag, mode)) return {};
  // A lock that could not be noted for want of memory would never be given back.
  constexpr size_t kFewLocks = 8;
  if (held_.size() == held_.capacity()) held_.reserve(std::max(kFewLocks, 2 * held_.size()));
  const bool weak_relation = tag.kind == LockKind::kRelation && IsWeakLock(mode);
  if (weak_relation && LockFastPath(tag.relation, mode)) return {};
  const bool strong = IsStrong(tag, mode);
  // From here on weak lockers come to the table, where they meet us.
  if (strong) table_.StrongCount(tag.relation).fetch_add(1, std::memory_order_seq_cst);
  const auto give_up = [&](Status status) {
    if (strong) table_.StrongCount(tag.relation).fetch_sub(1, std::memory_order_seq_cst);
    return status;
  };

  uint32_t request = 0;
  bool granted = false;
  {
    ExclusiveLatchGuard guard(table_.LatchOf(tag));
    Result<uint32_t> object = FindOrMakeObject(tag);
    if (!object) return give_up(object.TakeStatus());
    // A note that LockFastPath has just taken back may have kept somebody waiting.
    if (weak_relation) GrantWaiters(table_.object(*object));
    Result<uint32_t> made = MakeRequest(*object, mode);
    if (!made) {
      DropIfUnused(*object);
      return give_up(made.TakeStatus());
    }
    request = *made;
    granted = GrantOrEnqueue(table_.object(*object), request);
    if (!granted && wait == LockWait::kNoWait) {
      UnlinkWaiter(table_.object(*object), request);
      FreeRequest(request);
      DropIfUnused(*object);
      return give_up(NotAvailable(tag));
    }
    if (!granted) backend_.slot().waiting_request.store(request, std::memory_order_release);
  }
  if (!granted) {
    Status status = WaitInLine(tag, request, reason);
    if (!status) return give_up(std::move(status));
  }
  held_.push_back({.tag = tag, .mode = mode, .fast_path_slot = -1, .request = request});
  return {};
}

[[gnu::hot]] void LockManager::Release(const Held& held) {
  if (held.fast_path_slot >= 0) {
    ReleaseFastPath(held.tag.relation, held.fast_path_slot);
    return;
  }
  {
    ExclusiveLatchGuard guard(table_.LatchOf(held.tag));
    RemoveHolder(held.request);
  }
  if (IsStrong(held.tag, held.mode)) {
    table_.StrongCount(held.tag.relation).fetch_sub(1, std::memory_order_seq_cst);
  }
}

// --- The fast path -----------------------------------------------------------------------------

[[gnu::hot]] bool LockManager::LockFastPath(uint32_t oid, LockMode mode) {
  BackendSlot& slot = backend_.slot();
  std::atomic<uint32_t>& strong_count = table_.StrongCount(oid);
  if (strong_count.load(std::memory_order_relaxed) != 0) return false;
  for (int i = 0; i < kFastPathLocks; ++i) {
    if (slot.fast_path[i].load(std::memory_order_relaxed) != 0) continue;
    slot.fast_path[i].store(BackendSlot::FastPathNote(oid, mode), std::memory_order_seq_cst);
    if (strong_count.load(std::memory_order_seq_cst) != 0) {
      slot.fast_path[i].store(0, std::memory_order_seq_cst);
      return false;
    }
    held_.push_back({.tag = LockTag::Relation(oid),
                     .mode = mode,
                     .fast_path_slot = static_cast<int8_t>(i),
                     .request = 0});
    return true;
  }
  return false;
}

[[gnu::hot]] void LockManager::ReleaseFastPath(uint32_t oid, int fast_path_slot) {
  backend_.slot().fast_path[fast_path_slot].store(0, std::memory_order_seq_cst);
  if (table_.StrongCount(oid).load(std::memory_order_seq_cst) == 0) return;
  const LockTag tag = LockTag::Relation(oid);
  ExclusiveLatchGuard guard(table_.LatchOf(tag));
  if (const uint32_t object = FindObject(tag); object != 0) GrantWaiters(table_.object(object));
}

// --- Waiting -----------------------------------------------------------------------------------

Status LockManager::WaitInLine(const LockTag& tag, uint32_t request, WaitReason reason) {
  BackendCounters::Increment(backend_.slot().waits.lock_waits);
  const MonotonicNs now = MonotonicNow();
  const auto after = [&](int64_t ms) { return now + ms * kNanosecondsPerMillisecond; };
  const MonotonicNs lock_deadline =
      backend_.lock_timeout_ms() == 0 ? kNoDeadline : after(backend_.lock_timeout_ms());
  MonotonicNs check_at = after(deadlock_timeout_ms_);
  while (true) {
    // Read the word first: a ring between the tests and the sleep is then noticed.
    const uint32_t word = backend_.WakeupWord();
    if (!StillWaiting()) return {};
    Status status = backend_.CheckInterruptsNow();
    const MonotonicNs time = MonotonicNow();
    if (status.ok() && time >= lock_deadline) {
      status =
          Status::Error(sqlstate::kLockNotAvailable, "canceling statement due to lock timeout");
    }
    if (status.ok() && time >= check_at) {
      // Once is enough: whoever closes a circle later finds it in its own check.
      check_at = kNoDeadline;
      CONNBENCH_RETURN_IF_ERROR(CheckDeadlock(request));
    }
    if (!status) {
      LeaveLine(tag, request);
      return status;
    }
    backend_.Wait(word, std::min({backend_.statement_deadline(), lock_deadline, check_at}), reason);
  }
}

void LockManager::LeaveLine(const LockTag& tag, uint32_t request) {
  ExclusiveLatchGuard guard(table_.LatchOf(tag));
  if (StillWaiting()) {
    RemoveWaiter(request);
  } else if (tag.kind != LockKind::kTransaction) {
    RemoveHolder(request);  // granted at the last moment: give it on
  }
  // Else the transaction has ended: who wakes its waiters has freed the request.
}

Status LockManager::CheckDeadlock(uint32_t request) {
  std::string detail;
  for (LockTable::Partition& partition : table_.partitions_) partition.latch.LockExclusive();
  DeadlockDetector detector(table_, backends_, log_);
  const bool found = StillWaiting() && detector.FindCircle(backend_.number());
  if (found) {
    detail = detector.DescribeCircle();
    // Still under the latches, or another member would find the same circle and give up as well.
    RemoveWaiter(request);
  }
  for (LockTable::Partition& partition : table_.partitions_) partition.latch.UnlockExclusive();
  if (!found) return {};
  BackendCounters::Increment(backend_.slot().waits.deadlocks);
  return Status::Error(sqlstate::kDeadlockDetected, "deadlock detected")
      .WithDetail(std::move(detail));
}

Status LockManager::WaitForXid(Xid xid, WaitReason reason, LockWait wait,
                               const StillNeeded& still_needed) {
  while (true) {
    const XidStatus status = log_.Lookup(xid);
    if (!status.in_progress() || status.owner == backend_.number()) return {};
    if (status.owner == kNoBackend) {
      if (xid >= log_.next_xid()) {
        return Status::Error(sqlstate::kInternalError,
                             fmt::format("there is no transaction {} to wait for", xid));
      }
      sched_yield();  // between getting its number and saying so
      continue;
    }
    const LockTag tag = LockTag::Transaction(status.top_xid);
    if (wait == LockWait::kNoWait) return NotAvailable(tag);
    uint32_t request = 0;
    {
      ExclusiveLatchGuard guard(table_.LatchOf(tag));
      CONNBENCH_ASSIGN_OR_RETURN(const uint32_t link, FindOrMakeObject(tag));
      Result<uint32_t> made = MakeRequest(link, LockMode::kShare);
      if (!made) {
        DropIfUnused(link);
        return made.TakeStatus();
      }
      request = *made;
      InsertWaiter(table_.object(link), request, 0);
      backend_.slot().waiting_request.store(request, std::memory_order_release);
    }
    // The transaction's end marks the commit log, then exchanges this flag: either it sees our
    // mark and wakes us, or we read what it wrote before and see in the commit log that it ended.
    backends_.slot(status.owner).has_xid_waiters.exchange(1, std::memory_order_acq_rel);
    if (!log_.Lookup(xid).in_progress()) {
      LeaveLine(tag, request);
      return {};
    }
    if (still_needed != nullptr) {
      Result<bool> needed = still_needed();
      if (!needed.ok() || !*needed) {
        LeaveLine(tag, request);
        return needed.ok() ? Status::Ok() : needed.TakeStatus();
      }
      return WaitInLine(tag, request, reason);
    }
    // Woken, look again: the subtransaction may have been rolled back, or its parent only have
    // rolled back another.
    CONNBENCH_RETURN_IF_ERROR(WaitInLine(tag, request, reason));
  }
}

void LockManager::WakeXidWaiters(Xid xid) {
  const LockTag tag = LockTag::Transaction(xid);
  ExclusiveLatchGuard guard(table_.LatchOf(tag));
  const uint32_t link = FindObject(tag);
  if (link == 0) return;
  LockObject& object = table_.object(link);
  while (object.first_waiter != 0) {
    const uint32_t request = object.first_waiter;
    BackendSlot& slot = backends_.slot(table_.request(request).backend);
    UnlinkWaiter(object, request);
    FreeRequest(request);
    slot.waiting_request.store(0, std::memory_order_release);
    slot.wakeup.Ring();
  }
  DropIfUnused(link);
}

// --- Under the partition's latch ---------------------------------------------------------------

Status LockManager::TableFull() {
  return Status::Error(sqlstate::kOutOfMemory, "out of shared memory")
      .WithHint("You might need to increase max_locks_per_transaction.");
}

uint32_t LockManager::FindObject(const LockTag& tag) {
  CONNBENCH_ASSERT(HoldsLatch(table_.LatchOf(tag), LatchMode::kExclusive),
                   "the partition's latch is held");
  uint32_t link = table_.BucketOf(tag);
  while (link != 0 && table_.object(link).tag != tag) link = table_.object(link).next;
  return link;
}

Result<uint32_t> LockManager::FindOrMakeObject(const LockTag& tag) {
  if (const uint32_t found = FindObject(tag); found != 0) return found;
  uint32_t link = 0;
  {
    ExclusiveLatchGuard guard(table_.free_latch_);
    link = table_.free_object_;
    if (link == 0) return TableFull();
    table_.free_object_ = table_.object(link).next;
  }
  LockObject& object = table_.object(link);
  uint32_t& bucket = table_.BucketOf(tag);
  object = LockObject{.tag = tag, .next = bucket};
  bucket = link;
  return link;
}

Result<uint32_t> LockManager::MakeRequest(uint32_t object, LockMode mode) {
  uint32_t link = 0;
  {
    ExclusiveLatchGuard guard(table_.free_latch_);
    link = table_.free_request_;
    if (link == 0) return TableFull();
    table_.free_request_ = table_.request(link).next;
  }
  table_.request(link) = LockRequest{.lock = object, .backend = backend_.number(), .mode = mode};
  return link;
}

void LockManager::FreeRequest(uint32_t request) {
  ExclusiveLatchGuard guard(table_.free_latch_);
  table_.request(request).next = table_.free_request_;
  table_.free_request_ = request;
}

void LockManager::DropIfUnused(uint32_t link) {
  LockObject& object = table_.object(link);
  CONNBENCH_ASSERT(HoldsLatch(table_.LatchOf(object.tag), LatchMode::kExclusive),
                   "the partition's latch is held");
  if (object.holders != 0 || object.first_waiter != 0) return;
  uint32_t* place = &table_.BucketOf(object.tag);
  while (*place != link) place = &table_.object(*place).next;
  *place = object.next;
  object.tag = {};
  ExclusiveLatchGuard guard(table_.free_latch_);
  object.next = table_.free_object_;
  table_.free_object_ = link;
}

uint16_t LockManager::ModesHeldBy(const LockObject& object, BackendNumber backend) const {
  uint16_t modes = object.tag.kind == LockKind::kRelation
                       ? backends_.slot(backend).FastPathModes(object.tag.relation)
                       : uint16_t{0};
  for (uint32_t link = object.holders; link != 0; link = table_.request(link).next) {
    const LockRequest& request = table_.request(link);
    if (request.backend == backend) modes |= LockBit(request.mode);
  }
  return modes;
}

bool LockManager::HeldAgainst(const LockObject& object, BackendNumber backend,
                              LockMode mode) const {
  for (uint32_t link = object.holders; link != 0; link = table_.request(link).next) {
    const LockRequest& request = table_.request(link);
    if (request.backend != backend && LocksConflict(mode, request.mode)) return true;
  }
  if (!IsStrong(object.tag, mode)) return false;
  const uint32_t used = backends_.slots_used();
  for (BackendNumber other = 0; other < used; ++other) {
    if (other != backend &&
        (backends_.slot(other).FastPathModes(object.tag.relation) & LockConflicts(mode)) != 0) {
      return true;
    }
  }
  return false;
}

bool LockManager::GrantOrEnqueue(LockObject& object, uint32_t request) {
  CONNBENCH_ASSERT(HoldsLatch(table_.LatchOf(object.tag), LatchMode::kExclusive),
                   "the partition's latch is held");
  const BackendNumber me = backend_.number();
  const LockMode mode = table_.request(request).mode;
  const uint16_t mine = object.first_waiter == 0 ? uint16_t{0} : ModesHeldBy(object, me);
  // Behind all who wait already, but not behind one who waits for us: that would never end.
  uint16_t ahead = 0;
  uint32_t before = object.first_waiter;
  for (; before != 0; before = table_.request(before).next) {
    const LockRequest& waiter = table_.request(before);
    if ((LockConflicts(waiter.mode) & mine) != 0) break;
    ahead |= LockBit(waiter.mode);
  }
  if ((LockConflicts(mode) & ahead) == 0 && !HeldAgainst(object, me, mode)) {
    Grant(object, request);
    return true;
  }
  InsertWaiter(object, request, before);
  return false;
}

void LockManager::GrantWaiters(LockObject& object) {
  CONNBENCH_ASSERT(HoldsLatch(table_.LatchOf(object.tag), LatchMode::kExclusive),
                   "the partition's latch is held");
  if (object.tag.kind == LockKind::kTransaction) return;  // WakeXidWaiters does it
  uint16_t ahead = 0;                                     // modes of those who go on waiting
  uint32_t link = object.first_waiter;
  while (link != 0) {
    const LockRequest& waiter = table_.request(link);
    const uint32_t next = waiter.next;
    if ((LockConflicts(waiter.mode) & ahead) == 0 &&
        !HeldAgainst(object, waiter.backend, waiter.mode)) {
      BackendSlot& slot = backends_.slot(waiter.backend);
      UnlinkWaiter(object, link);
      Grant(object, link);
      slot.waiting_request.store(0, std::memory_order_release);
      slot.wakeup.Ring();
    } else {
      ahead |= LockBit(waiter.mode);
      // Nothing passes those: spare the walk along a long line.
      if (waiter.mode == LockMode::kAccessExclusive) break;
    }
    link = next;
  }
}

void LockManager::Grant(LockObject& object, uint32_t link) {
  CONNBENCH_ASSERT(HoldsLatch(table_.LatchOf(object.tag), LatchMode::kExclusive),
                   "the partition's latch is held");
  LockRequest& request = table_.request(link);
  request.previous = 0;
  request.next = object.holders;
  if (object.holders != 0) table_.request(object.holders).previous = link;
  object.holders = link;
}

void LockManager::UnlinkHolder(LockObject& object, uint32_t link) {
  const LockRequest& request = table_.request(link);
  (request.previous == 0 ? object.holders : table_.request(request.previous).next) = request.next;
  if (request.next != 0) table_.request(request.next).previous = request.previous;
}

void LockManager::RemoveHolder(uint32_t request) {
  const uint32_t link = table_.request(request).lock;
  LockObject& object = table_.object(link);
  CONNBENCH_ASSERT(HoldsLatch(table_.LatchOf(object.tag), LatchMode::kExclusive),
                   "the partition's latch is held");
  UnlinkHolder(object, request);
  FreeRequest(request);
  GrantWaiters(object);
  DropIfUnused(link);
}

void LockManager::RemoveWaiter(uint32_t request) {
  const uint32_t link = table_.request(request).lock;
  LockObject& object = table_.object(link);
  CONNBENCH_ASSERT(HoldsLatch(table_.LatchOf(object.tag), LatchMode::kExclusive),
                   "the partition's latch is held");
  UnlinkWaiter(object, request);
  backend_.slot().waiting_request.store(0, std::memory_order_release);
  FreeRequest(request);
  GrantWaiters(object);  // those behind it may not conflict with the holders
  DropIfUnused(link);
}

// before: the waiter that comes behind; 0: none, at the end.
void LockManager::InsertWaiter(LockObject& object, uint32_t link, uint32_t before) {
  LockRequest& request = table_.request(link);
  request.next = before;
  request.previous = before == 0 ? object.last_waiter : table_.request(before).previous;
  (request.previous == 0 ? object.first_waiter : table_.request(request.previous).next) = link;
  (before == 0 ? object.last_waiter : table_.request(before).previous) = link;
}

void LockManager::UnlinkWaiter(LockObject& object, uint32_t link) {
  const LockRequest& request = table_.request(link);
  (request.previous == 0 ? object.first_waiter : table_.request(request.previous).next) =
      request.next;
  (request.next == 0 ? object.last_waiter : table_.request(request.next).previous) =
      request.previous;
}

}  // namespace connbench::engine
