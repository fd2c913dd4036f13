// A session's transaction: begin, xids, snapshots, savepoints, locks, commit and rollback.
//
// One Transaction object serves a session all its life, one transaction after the other. It knows
// nothing of rows: storage marks rows with CurrentXid() and command ids, and asks Snapshot.
//
// Safety: private memory, used by one thread at a time. TransactionSystem is a private handle on
// shared structures and may be copied.
// Errors: statements fail with a Status; the session then calls Rollback() or RollbackTo().
// Commit() itself does not fail; it returns a Status because standing by for others may.
#pragma once

#include <cstdint>
#include <memory>
#include <utility>
#include <vector>

#include "base/clock.h"
#include "base/status.h"
#include "engine/config.h"
#include "engine/segment/segment.h"
#include "engine/transaction/backend.h"
#include "engine/transaction/commit_log.h"
#include "engine/transaction/lock_table.h"
#include "engine/transaction/row_lock_table.h"
#include "engine/transaction/snapshot.h"
#include "engine/transaction/types.h"

namespace connbench::engine {

// Where the shared structures are in this process.
struct TransactionSystem {
  Segment* segment = nullptr;
  BackendTable* backends = nullptr;
  CommitLog* commit_log = nullptr;
  LockTable* lock_table = nullptr;
  RowLockTable* row_locks = nullptr;
  Log* log = nullptr;  // null: data live in memory only
  bool synchronous_commit = true;
  int64_t deadlock_timeout_ms = 1000;

  // What all these need of the segment, and their making.
  static int64_t ReservedShmemSize(const EngineConfig& config);
  static int64_t SparseShmemSize(const EngineConfig& config);
  static Result<TransactionSystem> Init(Segment& segment, const EngineConfig& config);
  // In a process that attached. Requires an engine that is not canned.
  static TransactionSystem Find(Segment& segment, const EngineConfig& config);

  // Every snapshot in use or taken later has a csn of at least this: a version deleted by a
  // transaction that committed at or before it is invisible to all and may be removed.
  Csn Horizon() const { return backends->OldestSnapshot(commit_log->last_csn()); }
};

// Something to do or to undo when the transaction ends: storage registers one where a mark in the
// commit log does not suffice (files of a created table, cached row counts).
class EndAction {
 public:
  virtual ~EndAction() = default;
  // After the commit log knows, before locks are released. Must not fail.
  virtual void OnCommit() {}
  // The same for rollback, also of the savepoint in which it was registered. Newest first.
  virtual void OnAbort() {}
};

class Transaction {
 public:
  Transaction(TransactionSystem system, Backend& backend);
  // Rolls back what is open.
  ~Transaction();
  Transaction(const Transaction&) = delete;
  Transaction& operator=(const Transaction&) = delete;

  // Requires that none is open.
  void Begin(IsolationLevel isolation, bool read_only);
  // Of a parallel worker: its leader's transaction as the worker tells it. The leader holds
  // snapshot and locks for both, and nothing may be written. Nobody counts it.
  void BeginAsWorker(IsolationLevel isolation, bool read_only, int64_t start_wall_us);
  void EndAsWorker();
  // Ends the open transaction, releases its locks and snapshots and wakes who waited.
  Status Commit();
  void Rollback();

  bool open() const { return open_; }
  IsolationLevel isolation() const { return isolation_; }
  bool read_only() const { return read_only_; }
  // SET TRANSACTION; 25001 where PostgreSQL says so: the isolation level and going back to READ
  // WRITE only before the first snapshot and outside of savepoints. READ ONLY in a savepoint lasts
  // until the savepoint ends, however it does.
  Status SetCharacteristics(IsolationLevel isolation, bool read_only);
  // SET TRANSACTION [NOT] DEFERRABLE changes nothing, but is refused where PostgreSQL refuses it.
  Status CheckMaySetDeferrable() const;

  // --- Writing -------------------------------------------------------------------------------
  // The xid to mark rows with: that of the innermost subtransaction. Assigned at the first call.
  // 25006 in a READ ONLY transaction (temporary work must not come here), 53400 and 53100 as
  // CommitLog::Extend.
  Result<Xid> CurrentXid();
  // kInvalidXid if the transaction has not written.
  Xid top_xid() const { return top_xid_; }
  // The command that is running: mark rows with it.
  CommandId command() const { return command_; }
  // Whether Commit() returns only when the log is on disk; the server's setting if not called.
  void SetSynchronousCommit(bool on) { system_.synchronous_commit = on; }
  // Something has been logged that no xid stands for (a sequence's value): the client may rely on
  // it after the commit.
  void OweFlush() { owes_flush_ = true; }
  // After a statement that wrote: later statements of the transaction see its rows.
  void AdvanceCommand() { ++command_; }

  void AddEndAction(std::unique_ptr<EndAction> action) { actions_.push_back(std::move(action)); }

  // --- Seeing --------------------------------------------------------------------------------
  // The snapshot for a statement: a new one in READ COMMITTED, the transaction's otherwise (with
  // the current command). Each must be given back with ReleaseSnapshot; the end of the transaction
  // gives back what is left.
  Snapshot TakeSnapshot();
  // One of this moment whatever the isolation level, for work that must see all that is committed,
  // such as building an index. To be given back, too.
  Snapshot TakeLatestSnapshot();
  void ReleaseSnapshot(const Snapshot& snapshot);
  bool has_snapshot() const { return !snapshots_.empty(); }
  // What TakeSnapshot() will not see beyond: REPEATABLE READ and above, once the transaction's
  // snapshot was taken. kInvalidCsn: it sees all that is committed by then.
  Csn transaction_csn() const { return transaction_csn_; }
  // Whether every statement sees the snapshot of the first.
  bool keeps_snapshot() const { return KeepsSnapshot(isolation_); }
  // A snapshot with the same csn that also sees what this transaction has done by now.
  Snapshot WithCurrentCommand(Snapshot snapshot) const {
    snapshot.command = command_;
    return snapshot;
  }

  // --- Savepoints ----------------------------------------------------------------------------
  // Levels count from 1; 0 is the transaction itself. The caller keeps the names.
  int PushSavepoint();               // returns the new level
  void ReleaseSavepoint(int level);  // and all above it: their work becomes the parent's
  // Undoes all since the savepoint; the level itself remains, ready for more work.
  void RollbackToSavepoint(int level);
  int savepoint_level() const { return static_cast<int>(savepoints_.size()); }

  // --- Locks ---------------------------------------------------------------------------------
  LockManager& locks() { return locks_; }
  // Waits until xid's transaction has ended; at once if it has, or if it is our own.
  Status WaitForXid(Xid xid, WaitReason reason = WaitReason::kRowLock,
                    LockWait wait = LockWait::kBlock,
                    const LockManager::StillNeeded& still_needed = nullptr) {
    return locks_.WaitForXid(xid, reason, wait, still_needed);
  }
  // Who waits for this transaction looks again: one of its rows is gone.
  void WakeWaiters();

  Backend& backend() { return backend_; }
  Status CheckForInterrupts() { return backend_.CheckForInterrupts(); }
  const CommitLog& commit_log() const { return *system_.commit_log; }
  const TransactionSystem& system() const { return system_; }
  // Wall clock (microseconds since the Unix epoch) at Begin(), for now().
  int64_t start_wall_us() const { return start_wall_us_; }

 private:
  struct Savepoint {
    Xid xid = kInvalidXid;   // assigned at its first write
    size_t first_child = 0;  // sub_xids_ from here on belong to it and its children
    size_t lock_mark = 0;
    size_t action_mark = 0;
    bool read_only = false;  // of the level below
  };

  // top_xid: kInvalidXid to assign the top-level xid itself.
  Result<Xid> AssignXid(Xid top_xid);
  // A snapshot of csn, or a new one if that is kInvalidCsn, in use from now on.
  Snapshot Register(Csn wanted);
  void AbortActionsTo(size_t mark);
  void PublishOldestSnapshot();
  void ForgetXid();
  void End();
  // Commits in the log, and returns when that is on disk.
  void LogCommit();
  // Returns when the log is on disk up to lsn. Whoever can flushes for all; the others wait.
  void AwaitFlush(Lsn lsn);
  bool TryFlush(Log& log);

  TransactionSystem system_;
  Backend& backend_;
  LockManager locks_;

  bool open_ = false;
  bool read_only_ = false;
  bool has_run_query_ = false;
  bool owes_flush_ = false;
  IsolationLevel isolation_ = IsolationLevel::kReadCommitted;
  int64_t start_wall_us_ = 0;
  Xid top_xid_ = kInvalidXid;
  CommandId command_ = kFirstCommandId;
  Csn transaction_csn_ = kInvalidCsn;  // REPEATABLE READ and above: of its one snapshot
  std::vector<Csn> snapshots_;         // in use
  std::vector<Savepoint> savepoints_;
  std::vector<Xid> sub_xids_;  // live subtransactions, in order of assignment
  std::vector<std::unique_ptr<EndAction>> actions_;
};

}  // namespace connbench::engine
