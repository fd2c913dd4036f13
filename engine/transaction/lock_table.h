// The shared lock table: locks that a transaction holds until its end and for which others wait,
// in line and visibly to the deadlock detector (PostgreSQL's lmgr).
//
// What can be locked (LockTag): a relation in eight modes, a row, a transaction. A row lock is a
// place in the line for a row that is locked or being changed: it is taken only by a transaction
// that has met a holder whose lock conflicts, before it waits for that holder's transaction; it is
// then kept to the transaction's end, so that the end hands the row to exactly the next one in
// line. Who holds the row itself is written in the row, see engine/storage/heap.h. A transaction
// lock has no holder entry: a transaction holds itself by being in progress in the commit log, and
// only those who wait for it take room here.
//
// Weak relation locks (AccessShare, RowShare, RowExclusive), taken by every statement, do not come
// here at all in the normal case: they are noted in the backend's own slot (fast path). The
// protocol: the weak locker writes its note, then looks at the relation's strong-lock count; the
// strong locker raises the count, then looks through everybody's notes. All four steps are
// sequentially consistent, so at least one of the two sees the other. A weak locker that sees a
// strong one takes its note back and queues here. Whoever removes a note while the count is up lets
// waiters be re-examined.
//
// Safety: lives in shared memory. The table is split into partitions by tag, each with its latch; a
// request and its lock are guarded by their partition's latch. Only LockManager touches it.
#pragma once

#include <atomic>
#include <cstdint>
#include <functional>
#include <string>
#include <type_traits>
#include <vector>

#include "base/status.h"
#include "base/thread_annotations.h"
#include "engine/config.h"
#include "engine/segment/latch.h"
#include "engine/segment/segment.h"
#include "engine/transaction/backend.h"
#include "engine/transaction/commit_log.h"
#include "engine/transaction/lock_modes.h"
#include "engine/transaction/types.h"

namespace connbench::engine {

enum class LockKind : uint32_t { kNone, kRelation, kRow, kTransaction };

struct LockTag {
  LockKind kind = LockKind::kNone;
  uint32_t relation = 0;  // kRelation, kRow: its oid
  uint64_t id = 0;        // kRow: page << 16 | line of the row; kTransaction: its xid

  friend bool operator==(const LockTag&, const LockTag&) = default;
  static LockTag Relation(uint32_t oid) { return {LockKind::kRelation, oid, 0}; }
  static LockTag Row(uint32_t oid, uint64_t row) { return {LockKind::kRow, oid, row}; }
  static LockTag Transaction(Xid xid) { return {LockKind::kTransaction, 0, xid}; }
  std::string Describe() const;  // "relation 16384", "row (3,7) of relation 16384", ...
};

// One held or wanted mode of one lock by one backend. Links are index + 1, 0 ends a list.
struct LockRequest {
  uint32_t lock = 0;  // index + 1
  BackendNumber backend = kNoBackend;
  LockMode mode = LockMode::kAccessShare;
  uint32_t next = 0;  // in the lock's list of holders or of waiters; or the free list
  uint32_t previous = 0;
};

struct LockObject {
  LockTag tag;
  uint32_t next = 0;  // in the bucket, or the free list
  uint32_t holders = 0;
  uint32_t first_waiter = 0;  // the line: first come, first served
  uint32_t last_waiter = 0;
};

// A mode of a lock that a backend holds or waits for, as a reader saw it.
struct LockRecord {
  LockTag tag;
  BackendNumber backend = kNoBackend;
  LockMode mode = LockMode::kAccessShare;
  bool granted = false;
  bool fast_path = false;
};

class LockTable {
 public:
  static constexpr uint32_t kPartitions = 16;
  static constexpr uint32_t kStrongCounters = 1024;

  static int64_t ShmemSize(const EngineConfig& config);
  // Nobody else sees it yet.
  static Result<LockTable*> Init(Segment& segment,
                                 const EngineConfig& config) CONNBENCH_NO_THREAD_SAFETY_ANALYSIS;

  // All locks in the table and in the backends' notes, for observers. Each is right at some moment
  // of the call, not all at the same one. Takes one latch after the other.
  std::vector<LockRecord> List(const BackendTable& backends);

 private:
  friend class LockManager;
  friend class DeadlockDetector;

  struct alignas(kCacheLineBytes) Partition {
    Latch latch;
  };

  // A tag's bucket lies in its partition: the bucket's number modulo kPartitions is the latch's.
  Latch& LatchOf(const LockTag& tag) { return partitions_[Hash(tag) % kPartitions].latch; }
  uint32_t& BucketOf(const LockTag& tag);
  std::atomic<uint32_t>& StrongCount(uint32_t relation);
  LockObject& object(uint32_t link);  // link: index + 1
  LockRequest& request(uint32_t link);
  static uint64_t Hash(const LockTag& tag);

  // Constant after Init; offsets from this.
  uint32_t objects_ = 0;
  uint32_t requests_ = 0;
  uint32_t buckets_ = 0;  // a power of two, a multiple of kPartitions
  int64_t buckets_offset_ = 0;
  int64_t objects_offset_ = 0;
  int64_t requests_offset_ = 0;

  alignas(kCacheLineBytes) Latch free_latch_;
  uint32_t free_object_ CONNBENCH_GUARDED_BY(free_latch_) = 0;
  uint32_t free_request_ CONNBENCH_GUARDED_BY(free_latch_) = 0;
  Partition partitions_[kPartitions];
  std::atomic<uint32_t> strong_counts_[kStrongCounters];
};
static_assert(std::is_trivially_destructible_v<LockTable>);
static_assert(std::is_trivially_destructible_v<LockObject>);
static_assert(std::is_trivially_destructible_v<LockRequest>);

// One session's view of the lock table: what its transaction holds.
//
// Safety: private; used by one thread at a time, the session's.
class LockManager {
 public:
  LockManager(LockTable& table, BackendTable& backends, const CommitLog& log, Backend& backend,
              int64_t deadlock_timeout_ms);
  ~LockManager() { ReleaseTo(0); }
  LockManager(const LockManager&) = delete;
  LockManager& operator=(const LockManager&) = delete;

  // Holds the lock until the transaction's (or its subtransaction's) end. Waits in line; 40P01 for
  // the victim of a deadlock, 55P03 after lock_timeout or at once with kNoWait, 57014 and 57P01 as
  // CheckForInterrupts(), 53200 when the table is full.
  Status LockRelation(uint32_t oid, LockMode mode, LockWait wait = LockWait::kBlock);
  // A place in the row's line, in LineMode(mode).
  Status LockRow(uint32_t relation_oid, uint64_t row, RowLockMode mode = RowLockMode::kUpdate);
  // Gives a relation lock back that was taken last in that mode: for work that is not
  // transactional.
  void UnlockRelation(uint32_t oid, LockMode mode);
  bool HoldsRelation(uint32_t oid, LockMode mode) const;

  // Returns when xid has ended (committed, aborted, or its subtransaction was rolled back); at once
  // if it has. Errors as above.
  // still_needed: for who waits because of one row. It is asked once xid's transaction knows of the
  // wait. The wait then also ends when that transaction takes a row back, whichever: look again.
  using StillNeeded = std::function<Result<bool>()>;
  Status WaitForXid(Xid xid, WaitReason reason, LockWait wait = LockWait::kBlock,
                    const StillNeeded& still_needed = nullptr);
  // By the transaction that ends, after the commit log knows; or after it took a row back.
  void WakeXidWaiters(Xid xid);

  // What is held, oldest first, as a mark to go back to: ReleaseTo(mark) gives back all that was
  // taken since. ReleaseTo(0): all.
  size_t Mark() const { return held_.size(); }
  void ReleaseTo(size_t mark);

 private:
  // fast_path_slot < 0: request is a link into the table.
  struct Held {
    LockTag tag;
    LockMode mode;
    int8_t fast_path_slot;
    uint32_t request;
  };

  Status Lock(const LockTag& tag, LockMode mode, LockWait wait, WaitReason reason);
  bool Holds(const LockTag& tag, LockMode mode) const;
  void Release(const Held& held);
  void ReleaseLast(const LockTag& tag, LockMode mode);

  // The fast path, see above. False: queue in the table.
  bool LockFastPath(uint32_t oid, LockMode mode);
  void ReleaseFastPath(uint32_t oid, int fast_path_slot);

  // Sleeps until the request, which stands in line, is granted (or, for a transaction, answered).
  // On error the request is gone.
  Status WaitInLine(const LockTag& tag, uint32_t request, WaitReason reason);
  void LeaveLine(const LockTag& tag, uint32_t request);
  // 40P01 if our wait is part of a circle; the request is then gone. Takes every partition latch.
  Status CheckDeadlock(uint32_t request) CONNBENCH_NO_THREAD_SAFETY_ANALYSIS;
  bool StillWaiting() const {
    return backend_.slot().waiting_request.load(std::memory_order_acquire) != 0;
  }

  // The rest requires the partition's latch. Links are index + 1, 0 is none.
  uint32_t FindObject(const LockTag& tag);
  Result<uint32_t> FindOrMakeObject(const LockTag& tag);
  Result<uint32_t> MakeRequest(uint32_t object, LockMode mode);
  // Whether somebody else holds the lock in a mode that conflicts.
  bool HeldAgainst(const LockObject& object, BackendNumber backend, LockMode mode) const;
  uint16_t ModesHeldBy(const LockObject& object, BackendNumber backend) const;
  // Grants the request or puts it in line; true if granted.
  bool GrantOrEnqueue(LockObject& object, uint32_t request);
  void Grant(LockObject& object, uint32_t request);
  void InsertWaiter(LockObject& object, uint32_t request, uint32_t before);
  void UnlinkWaiter(LockObject& object, uint32_t request);
  void UnlinkHolder(LockObject& object, uint32_t request);
  // Our request, granted or in line, disappears, and those behind it are looked at.
  void RemoveHolder(uint32_t request);
  void RemoveWaiter(uint32_t request);
  void GrantWaiters(LockObject& object);
  void DropIfUnused(uint32_t object);
  void FreeRequest(uint32_t request);
  static Status TableFull();

  LockTable& table_;
  BackendTable& backends_;
  const CommitLog& log_;
  Backend& backend_;
  const int64_t deadlock_timeout_ms_;
  std::vector<Held> held_;
};

}  // namespace connbench::engine
