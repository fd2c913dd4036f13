// A session's transaction: begin, xids, snapshots, savepoints, locks, commit and rollback.
#include "engine/transaction/transaction.h"

#include <algorithm>

#include "base/assert.h"
#include "engine/transaction/activity.h"

namespace connbench::engine {

int64_t TransactionSystem::ReservedShmemSize(const EngineConfig& config) {
  int64_t bytes = AddSize(BackendTable::ShmemSize(config), Segment::kPartOverheadBytes);
  bytes = AddSize(bytes, AddSize(ActivityTable::ShmemSize(config), Segment::kPartOverheadBytes));
  return AddSize(bytes, AddSize(LockTable::ShmemSize(config), Segment::kPartOverheadBytes));
}

int64_t TransactionSystem::SparseShmemSize(const EngineConfig& config) {
  return AddSize(AlignSize(CommitLog::ShmemSize(config), kMemoryPageBytes),
                 AlignSize(RowLockTable::ShmemSize(config), kMemoryPageBytes));
}

Result<TransactionSystem> TransactionSystem::Init(Segment& segment, const EngineConfig& config) {
  TransactionSystem system;
  system.segment = &segment;
  system.deadlock_timeout_ms = config.deadlock_timeout_ms;
  system.synchronous_commit = config.synchronous_commit;
  CONNBENCH_ASSIGN_OR_RETURN(system.backends, BackendTable::Init(segment, config));
  CONNBENCH_RETURN_IF_ERROR(ActivityTable::Init(segment, config));
  CONNBENCH_ASSIGN_OR_RETURN(system.lock_table, LockTable::Init(segment, config));
  CONNBENCH_ASSIGN_OR_RETURN(system.commit_log, CommitLog::Init(segment, config));
  CONNBENCH_ASSIGN_OR_RETURN(system.row_locks, RowLockTable::Init(segment, config));
  return system;
}

TransactionSystem TransactionSystem::Find(Segment& segment, const EngineConfig& config) {
  return {.segment = &segment,
          .backends = segment.Find<BackendTable>(SegmentPart::kBackends),
          .commit_log = segment.Find<CommitLog>(SegmentPart::kCommitLog),
          .lock_table = segment.Find<LockTable>(SegmentPart::kLockTable),
          .row_locks = segment.Find<RowLockTable>(SegmentPart::kRowLocks),
          .synchronous_commit = config.synchronous_commit,
          .deadlock_timeout_ms = config.deadlock_timeout_ms};
}

Transaction::Transaction(TransactionSystem system, Backend& backend)
    : system_(system),
      backend_(backend),
      locks_(*system.lock_table, *system.backends, *system.commit_log, backend,
             system.deadlock_timeout_ms) {}

Transaction::~Transaction() { Rollback(); }

[[gnu::hot]] void Transaction::Begin(IsolationLevel isolation, bool read_only) {
  CONNBENCH_ASSERT(!open_, "no transaction is open");
  open_ = true;
  isolation_ = isolation;
  read_only_ = read_only;
  start_wall_us_ = WallClockUs();
  backend_.ShowTransactionStart(start_wall_us_);
}

void Transaction::BeginAsWorker(IsolationLevel isolation, bool read_only, int64_t start_wall_us) {
  Begin(isolation, read_only);
  start_wall_us_ = start_wall_us;
}

void Transaction::EndAsWorker() {
  CONNBENCH_ASSERT(top_xid_ == kInvalidXid, "a parallel worker writes nothing");
  if (open_) End();
}

Status Transaction::SetCharacteristics(IsolationLevel isolation, bool read_only) {
  const auto refused = [](const char* message) {
    return Status::Error(sqlstate::kActiveSqlTransaction, message);
  };
  if (isolation != isolation_) {
    if (has_run_query_) {
      return refused("SET TRANSACTION ISOLATION LEVEL must be called before any query");
    }
    if (!savepoints_.empty()) {
      return refused("SET TRANSACTION ISOLATION LEVEL must not be called in a subtransaction");
    }
  }
  if (read_only_ && !read_only) {
    if (!savepoints_.empty()) {
      return refused("cannot set transaction read-write mode inside a read-only transaction");
    }
    if (has_run_query_) {
      return refused("transaction read-write mode must be set before any query");
    }
  }
  isolation_ = isolation;
  read_only_ = read_only;
  return {};
}

Status Transaction::CheckMaySetDeferrable() const {
  if (savepoints_.empty() && !has_run_query_) return {};
  return Status::Error(sqlstate::kActiveSqlTransaction,
                       !savepoints_.empty()
                           ? "SET TRANSACTION [NOT] DEFERRABLE cannot be called within a "
                             "subtransaction"
                           : "SET TRANSACTION [NOT] DEFERRABLE must be called before any query");
}

[[gnu::hot]] Status Transaction::Commit() {
  if (!open_) return {};
  if (top_xid_ != kInvalidXid) {
    // The top-level xid comes last: see CommitLog::Commit.
    sub_xids_.push_back(top_xid_);
    if (system_.log != nullptr) [[unlikely]]
      LogCommit();
    system_.commit_log->Commit(sub_xids_.data(), static_cast<int64_t>(sub_xids_.size()));
    if (system_.log != nullptr) [[unlikely]]
      system_.log->CommitPublished(backend_.number());
    ForgetXid();
  } else if (owes_flush_ && system_.log != nullptr && system_.synchronous_commit) {
    AwaitFlush(system_.log->inserted());
  }
  for (const auto& action : actions_) action->OnCommit();
  actions_.clear();
  BackendCounters::Increment(backend_.slot().counters.commits);
  End();
  return {};
}

void Transaction::Rollback() {
  if (!open_) return;
  if (top_xid_ != kInvalidXid) {
    sub_xids_.push_back(top_xid_);
    system_.commit_log->Abort(sub_xids_.data(), static_cast<int64_t>(sub_xids_.size()));
    ForgetXid();
  }
  AbortActionsTo(0);
  BackendCounters::Increment(backend_.slot().counters.rollbacks);
  End();
}

void Transaction::AbortActionsTo(size_t mark) {
  while (actions_.size() > mark) {
    actions_.back()->OnAbort();
    actions_.pop_back();
  }
}

// The commit log knows the end; now those who wait for it. Their side of the exchange is in
// LockManager::WaitForXid.
[[gnu::hot]] void Transaction::ForgetXid() {
  BackendSlot& slot = backend_.slot();
  slot.xid.store(kInvalidXid, std::memory_order_release);
  WakeWaiters();
  top_xid_ = kInvalidXid;
}

[[gnu::hot]] void Transaction::WakeWaiters() {
  if (backend_.slot().has_xid_waiters.exchange(0, std::memory_order_acq_rel) != 0) {
    locks_.WakeXidWaiters(top_xid_);
  }
}

[[gnu::hot]] void Transaction::End() {
  locks_.ReleaseTo(0);
  snapshots_.clear();
  transaction_csn_ = kInvalidCsn;
  PublishOldestSnapshot();
  sub_xids_.clear();
  savepoints_.clear();
  command_ = kFirstCommandId;
  has_run_query_ = false;
  owes_flush_ = false;
  // Isolation and read-only mode stay to be asked for: AND CHAIN begins the next with them.
  open_ = false;
  backend_.ShowTransactionStart(0);
}

[[gnu::hot]] Result<Xid> Transaction::AssignXid(Xid top_xid) {
  CommitLog& log = *system_.commit_log;
  while (true) {
    const Xid xid = log.Assign(backend_.number(), top_xid);
    if (xid != kInvalidXid) return xid;
    CONNBENCH_RETURN_IF_ERROR(log.Extend(*system_.segment, system_.Horizon(), system_.log));
  }
}

[[gnu::hot]] Result<Xid> Transaction::CurrentXid() {
  if (savepoints_.empty() ? top_xid_ != kInvalidXid : savepoints_.back().xid != kInvalidXid) {
    return savepoints_.empty() ? top_xid_ : savepoints_.back().xid;
  }
  if (read_only_) {
    return Status::Error(sqlstate::kReadOnlySqlTransaction,
                         "cannot write in a read-only transaction");
  }
  // Room for this one, and for the top-level one at the end, which must not fail for want of
  // memory.
  constexpr size_t kFewXids = 4;
  if (sub_xids_.capacity() < sub_xids_.size() + 2) {
    sub_xids_.reserve(std::max(kFewXids, 2 * sub_xids_.size()));
  }
  if (top_xid_ == kInvalidXid) {
    CONNBENCH_ASSIGN_OR_RETURN(top_xid_, AssignXid(kInvalidXid));
    backend_.slot().xid.store(top_xid_, std::memory_order_release);
  }
  if (savepoints_.empty()) return top_xid_;
  CONNBENCH_ASSIGN_OR_RETURN(const Xid xid, AssignXid(top_xid_));
  savepoints_.back().xid = xid;
  sub_xids_.push_back(xid);
  return xid;
}

// Pruning asks for the horizon H: it loads last_csn as H0, then looks at every published csn; H is
// the smallest of all these. We, if we have nothing published yet, publish c0 = last_csn and then
// load last_csn again, as c1: that is the snapshot. All these steps are sequentially consistent.
//   - The pruner saw our c0: H <= c0 <= c1.
//   - It did not: its look at our slot came before our publishing, so its load of H0 came before
//     our load of c1, and as last_csn only grows, H <= H0 <= c1.
// Either way no version that the snapshot c1 sees is pruned. If something older is published
// already, that protects the new snapshot, too.
[[gnu::hot]] Snapshot Transaction::Register(Csn wanted) {
  const CommitLog& log = *system_.commit_log;
  Csn csn = wanted;
  if (csn == kInvalidCsn) {
    if (snapshots_.empty() && transaction_csn_ == kInvalidCsn) {
      backend_.slot().snapshot_csn.store(log.last_csn(), std::memory_order_seq_cst);
    }
    csn = log.last_csn();
  }
  snapshots_.push_back(csn);
  return {.csn = csn, .command = command_, .backend = backend_.number(), .log = &log};
}

[[gnu::hot]] Snapshot Transaction::TakeSnapshot() {
  has_run_query_ = true;
  const Snapshot snapshot = Register(transaction_csn_);
  if (keeps_snapshot()) transaction_csn_ = snapshot.csn;
  return snapshot;
}

Snapshot Transaction::TakeLatestSnapshot() { return Register(kInvalidCsn); }

[[gnu::hot]] void Transaction::ReleaseSnapshot(const Snapshot& snapshot) {
  const auto found = std::find(snapshots_.rbegin(), snapshots_.rend(), snapshot.csn);
  if (found == snapshots_.rend()) return;  // the transaction's end has released it
  snapshots_.erase(std::next(found).base());
  PublishOldestSnapshot();
}

void Transaction::PublishOldestSnapshot() {
  Csn oldest = transaction_csn_;
  for (const Csn csn : snapshots_) {
    if (oldest == kInvalidCsn || csn < oldest) oldest = csn;
  }
  // Release: all that was read under the old value is read by now.
  backend_.slot().snapshot_csn.store(oldest, std::memory_order_release);
}

int Transaction::PushSavepoint() {
  savepoints_.push_back({.first_child = sub_xids_.size(),
                         .lock_mark = locks_.Mark(),
                         .action_mark = actions_.size(),
                         .read_only = read_only_});
  return savepoint_level();
}

void Transaction::ReleaseSavepoint(int level) {
  CONNBENCH_ASSERT(level >= 1 && level <= savepoint_level(), "there is a savepoint of that level");
  // Its xids stay in sub_xids_, where they belong to the level below. READ ONLY ends with the level
  // that asked for it, as in PostgreSQL.
  read_only_ = savepoints_[static_cast<size_t>(level - 1)].read_only;
  savepoints_.resize(static_cast<size_t>(level - 1));
}

void Transaction::RollbackToSavepoint(int level) {
  CONNBENCH_ASSERT(level >= 1 && level <= savepoint_level(), "there is a savepoint of that level");
  savepoints_.resize(static_cast<size_t>(level));
  Savepoint& savepoint = savepoints_.back();
  read_only_ = savepoint.read_only;
  if (const size_t count = sub_xids_.size() - savepoint.first_child; count > 0) {
    system_.commit_log->Abort(sub_xids_.data() + savepoint.first_child,
                              static_cast<int64_t>(count));
    sub_xids_.resize(savepoint.first_child);
    WakeWaiters();  // they wait for the top-level transaction
  }
  savepoint.xid = kInvalidXid;
  AbortActionsTo(savepoint.action_mark);
  locks_.ReleaseTo(savepoint.lock_mark);
}

}  // namespace connbench::engine
