// Backend slots: what the others may know of a session (PostgreSQL's PGPROC), and Backend, the
// session's private handle on its slot.
//
// Safety: BackendTable and BackendSlot live in shared memory. What is atomic in a slot may be read
// by anybody at any time; only the slot's owner writes it, but for the interrupt bits. Start() and
// the end of a Backend take freelist_latch_; Interrupt(), Cancel(), Terminate(), AskedToEnd() and
// RequestShutdown() are latch-free and may be called from a signal handler or a process that must
// never take a latch.
// A Backend is private and used by one thread at a time.
#pragma once

#include <atomic>
#include <cstdint>
#include <memory>
#include <optional>
#include <type_traits>

#include "base/clock.h"
#include "base/status.h"
#include "base/thread_annotations.h"
#include "engine/config.h"
#include "engine/segment/latch.h"
#include "engine/segment/segment.h"
#include "engine/segment/shmem_size.h"
#include "engine/segment/wakeup.h"
#include "engine/transaction/lock_modes.h"
#include "engine/transaction/types.h"

namespace connbench::engine {

enum class BackendState : uint32_t {
  kFree,
  kIdle,
  kActive,
  kIdleInTransaction,
  kIdleInFailedTransaction,
  kAuxiliary,
};

// Interrupt bits, in the low half of BackendSlot::identity.
inline constexpr uint64_t kInterruptCancel = 1;     // end the statement: 57014
inline constexpr uint64_t kInterruptTerminate = 2;  // end the session: 57P01
inline constexpr uint64_t kInterruptMask = 0xffffffff;

// Table locks in weak modes that a session holds without an entry in the lock table.
inline constexpr int kFastPathLocks = 16;

// Written by the owner alone, read by observers; cumulative over all sessions that had the slot.
struct BackendCounters {
  std::atomic<int64_t> commits{0};
  std::atomic<int64_t> rollbacks{0};
  std::atomic<int64_t> statements{0};

  // One writer: no need for a locked instruction.
  static void Increment(std::atomic<int64_t>& counter) { Add(counter, 1); }
  static void Add(std::atomic<int64_t>& counter, int64_t more) {
    counter.store(counter.load(std::memory_order_relaxed) + more, std::memory_order_relaxed);
  }
};

// The same, of what only some statements meet.
struct BackendWaits {
  std::atomic<int64_t> lock_waits{0};
  std::atomic<int64_t> deadlocks{0};
  std::atomic<int64_t> commit_waits{0};  // commits that waited until the log was on disk
  std::atomic<int64_t> commit_wait_ns{0};
  std::atomic<int64_t> page_reads{0};    // pages that the session had read for itself
  std::atomic<int64_t> page_read_ns{0};  // how long it waited for pages, whoever read them
  std::atomic<int64_t> page_writes{0};   // pages that it wrote to have their frames
};

struct alignas(kCacheLineBytes) BackendSlot {
  // connection id << 32 | interrupt bits: in one word, so that an interrupt can never hit the next
  // session in the slot. Id 0: free or auxiliary.
  std::atomic<uint64_t> identity{0};
  std::atomic<uint32_t> cancel_key{0};
  std::atomic<BackendState> state{BackendState::kFree};
  Wakeup wakeup;
  std::atomic<int32_t> pid{0};
  std::atomic<uint32_t> tid{0};
  std::atomic<uint32_t> next_free{0};  // freelist link: index + 1, 0 ends the list
  // For pg_stat_activity: the WaitReason and 1; 0: it does not wait. Written by ShownWait.
  std::atomic<uint32_t> shown_wait{0};

  // The top-level xid in progress, 0 if none.
  std::atomic<Xid> xid{kInvalidXid};
  // The lock request the session sleeps on: index + 1 into LockTable's requests, 0 if none.
  std::atomic<uint32_t> waiting_request{0};
  // 1 once somebody waits for this slot's transaction to end.
  std::atomic<uint32_t> has_xid_waiters{0};

  // The oldest snapshot in use, kInvalidCsn if none: what pruning must spare.
  alignas(kCacheLineBytes) std::atomic<Csn> snapshot_csn{kInvalidCsn};
  BackendCounters counters;
  // For pg_stat_activity, since the Unix epoch; 0: none. When the transaction began, when the
  // statement, and when the last one ended. What text belongs to it: activity.h.
  std::atomic<int64_t> transaction_start_us{0};
  std::atomic<int64_t> statement_start_us{0};
  std::atomic<int64_t> statement_end_ns{0};
  // The page read that it waits for (storage/page_read.cc): 1 until that has ended, and who waits
  // for the same one: index + 1, 0 ends the list. Both under the latch of the page's partition.
  std::atomic<uint32_t> awaits_page{0};
  uint32_t next_page_waiter = 0;

  alignas(kCacheLineBytes) BackendWaits waits;
  // Whose session it is, for pg_cancel_backend() and pg_terminate_backend(): the role's oid << 1,
  // and 1 for a superuser.
  std::atomic<uint64_t> role{0};

  // Notes of weak relation locks, see lock_table.h for the protocol; 0: a free place.
  alignas(kCacheLineBytes) std::atomic<uint64_t> fast_path[kFastPathLocks];

  uint32_t connection_id() const {
    return static_cast<uint32_t>(identity.load(std::memory_order_acquire) >> 32);
  }

  static constexpr int kNoteModeBits = 8;
  static constexpr uint64_t FastPathNote(uint32_t oid, LockMode mode) {
    return (static_cast<uint64_t>(oid) << kNoteModeBits) | static_cast<uint64_t>(mode);
  }
  // The modes noted for the relation, as a set of LockBit.
  uint16_t FastPathModes(uint32_t oid) const {
    uint16_t modes = 0;
    for (const std::atomic<uint64_t>& place : fast_path) {
      const uint64_t note = place.load(std::memory_order_seq_cst);
      if (note != 0 && note >> kNoteModeBits == oid) {
        modes |= LockBit(static_cast<LockMode>(note & ((1u << kNoteModeBits) - 1)));
      }
    }
    return modes;
  }
};
static_assert(std::is_trivially_destructible_v<BackendSlot>);
static_assert(std::atomic<uint64_t>::is_always_lock_free);

class BackendTable {
 public:
  // Slots for helpers of the engine (vacuum and the like), beyond max_connections; parallel workers
  // have more of them.
  static constexpr int kAuxiliarySlots = 16;
  static int AuxiliarySlots(const EngineConfig& config) {
    return kAuxiliarySlots + config.max_parallel_workers;
  }

  static int64_t ShmemSize(const EngineConfig& config);
  static uint32_t Slots(const EngineConfig& config) {
    return static_cast<uint32_t>(config.max_connections + AuxiliarySlots(config));
  }
  // Nobody else sees it yet.
  static Result<BackendTable*> Init(Segment& segment,
                                    const EngineConfig& config) CONNBENCH_NO_THREAD_SAFETY_ANALYSIS;

  uint32_t slots() const { return slots_; }
  // Those of sessions come behind the auxiliary ones.
  uint32_t first_session_slot() const { return auxiliary_slots_; }
  BackendSlot& slot(BackendNumber number) {
    return reinterpret_cast<BackendSlot*>(reinterpret_cast<char*>(this) + sizeof(*this))[number];
  }
  const BackendSlot& slot(BackendNumber number) const {
    return const_cast<BackendTable*>(this)->slot(number);
  }
  // Slots at and above this have never been used: scans stop here.
  uint32_t slots_used() const { return slots_used_.load(std::memory_order_seq_cst); }
  int64_t sessions() const { return sessions_.load(std::memory_order_relaxed); }

  // Latch-free. Sets interrupt bits on the session and rings it; false if there is none.
  bool Interrupt(uint32_t connection_id, uint64_t bits);
  // The same for kInterruptCancel if the key is the session's.
  bool Cancel(uint32_t connection_id, uint32_t cancel_key);
  // The same for kInterruptTerminate; then tells the process named by SetEndListener(), because a
  // session that waits for its client is not woken by a ring.
  bool Terminate(uint32_t connection_id);
  // BackendSlot::role of the session; none if there is no such session.
  std::optional<uint64_t> RoleOf(uint32_t connection_id) const;
  // pid is sent signal by every Terminate(); 0: nobody.
  void SetEndListener(int32_t pid, int signal);
  // Whether the session has kInterruptTerminate set; false if there is none.
  bool AskedToEnd(uint32_t connection_id) const;
  // Latch-free. Terminates every session and refuses new ones with 57P03.
  void RequestShutdown();
  bool ShutdownRequested() const { return shutdown_.load(std::memory_order_seq_cst) != 0; }

  // The oldest csn that a snapshot in use may need, at most last_csn: versions deleted at or before
  // it are seen by nobody, now or later. See Transaction::TakeSnapshot for why.
  Csn OldestSnapshot(Csn last_csn) const;

 private:
  friend class Backend;
  Result<BackendNumber> Take(uint32_t connection_id, bool superuser);
  Result<BackendNumber> TakeAuxiliary();
  void GiveBack(BackendNumber number);
  bool InterruptSlot(BackendSlot& slot, uint32_t connection_id, uint64_t bits);

  // Constant after Init.
  uint32_t slots_ = 0;
  uint32_t auxiliary_slots_ = 0;
  int32_t max_connections_ = 0;
  int32_t reserved_connections_ = 0;

  alignas(kCacheLineBytes) Latch freelist_latch_;
  uint32_t first_free_ CONNBENCH_GUARDED_BY(freelist_latch_) = 0;  // index + 1
  uint32_t first_free_auxiliary_ CONNBENCH_GUARDED_BY(freelist_latch_) = 0;
  int32_t free_count_ CONNBENCH_GUARDED_BY(freelist_latch_) = 0;
  std::atomic<int64_t> sessions_{0};
  std::atomic<uint32_t> slots_used_{0};
  std::atomic<uint32_t> shutdown_{0};
  std::atomic<int32_t> end_listener_pid_{0};
  std::atomic<int32_t> end_listener_signal_{0};
};
static_assert(std::is_trivially_destructible_v<BackendTable>);

// What a session waits for, shown to others for as long as this lives.
class ShownWait {
 public:
  ShownWait(BackendSlot& slot, WaitReason reason) : slot_(slot) {
    slot.shown_wait.store(static_cast<uint32_t>(reason) + 1, std::memory_order_relaxed);
  }
  ~ShownWait() { slot_.shown_wait.store(0, std::memory_order_relaxed); }
  ShownWait(const ShownWait&) = delete;
  ShownWait& operator=(const ShownWait&) = delete;

 private:
  BackendSlot& slot_;
};

// A session's hold on its slot, its deadlines and its Waiter. Gives the slot back when destroyed;
// by then the transaction must have ended.
class Backend {
 public:
  // 53300 (fatal) when there is no slot for this user, 57P03 (fatal) while shutting down.
  static Result<std::unique_ptr<Backend>> Start(BackendTable& table, uint32_t connection_id,
                                                bool superuser, Waiter& waiter);
  // For helpers of the engine; they have no connection.
  static Result<std::unique_ptr<Backend>> StartAuxiliary(BackendTable& table, Waiter& waiter);
  ~Backend();
  Backend(const Backend&) = delete;
  Backend& operator=(const Backend&) = delete;

  BackendNumber number() const { return number_; }
  BackendSlot& slot() { return slot_; }
  const BackendSlot& slot() const { return slot_; }
  uint32_t connection_id() const { return connection_id_; }
  uint32_t cancel_key() const { return slot_.cancel_key.load(std::memory_order_relaxed); }
  void SetWaiter(Waiter& waiter);
  Waiter& waiter() const { return *waiter_; }
  void SetState(BackendState state) { slot_.state.store(state, std::memory_order_relaxed); }

  // session_warmup_kb: touches that much private memory and keeps it for the session's life, as
  // PostgreSQL's backends do with their catalog caches. 53200 (fatal) when there is none.
  Status WarmUp(int64_t kilobytes);

  // Around each statement (or each message of the extended protocol that runs one). Begin forgets a
  // cancel that came while idle, as PostgreSQL does. timeout_ms 0: none.
  void BeginStatement(int64_t statement_timeout_ms);
  // What the session is from now on.
  void EndStatement(BackendState state);
  // For pg_stat_activity.
  void ShowTransactionStart(int64_t us) {
    slot_.transaction_start_us.store(us, std::memory_order_relaxed);
  }
  void ShowStatementStart(int64_t us) {
    slot_.statement_start_us.store(us, std::memory_order_relaxed);
  }
  void ShowStatementEnd() {
    slot_.statement_end_ns.store(CoarseWallClockNs(), std::memory_order_relaxed);
  }
  // From SET lock_timeout; 0: none.
  void SetLockTimeout(int64_t timeout_ms) { lock_timeout_ms_ = timeout_ms; }
  int64_t lock_timeout_ms() const { return lock_timeout_ms_; }
  MonotonicNs statement_deadline() const { return statement_deadline_; }

  // For loops in the executor and in storage, without a latch or a pin held: one relaxed load when
  // nothing is up. 57014 after a cancel or statement_timeout, 57P01 (fatal) after a termination
  // request. Now and then it lets other sessions of the thread run (Waiter::Yield).
  Status CheckForInterrupts() {
    const uint64_t bits = slot_.identity.load(std::memory_order_relaxed) & kInterruptMask;
    if (bits == 0 && --checks_until_clock_ > 0) return {};
    waiter_->Yield();
    return CheckInterruptsNow();
  }
  // The same for functions that have computed for some 0.1 ms since they last asked.
  Status YieldAndCheck() {
    waiter_->Yield();
    return CheckInterruptsNow();
  }
  // For a parallel worker that begins with a job: a cancel that was meant for the last one is
  // forgotten.
  void BeginJob();
  // A pending termination request as the fatal 57P01, else ok; also right while idle.
  Status CheckTermination() const;

  // Sleeps until the slot's wakeup moves past expected or the deadline passes, whichever is first;
  // the caller looks for interrupts itself. Read wakeup.word before testing what you wait for.
  WaitResult Wait(uint32_t expected, MonotonicNs deadline, WaitReason reason) {
    const ShownWait shown(slot_, reason);
    return waiter_->Wait(slot_.wakeup, expected, deadline, reason);
  }
  uint32_t WakeupWord() const { return slot_.wakeup.word.load(std::memory_order_seq_cst); }
  // All that CheckForInterrupts() looks at, clock included.
  Status CheckInterruptsNow();

 private:
  Backend(BackendTable& table, BackendNumber number, uint32_t connection_id, Waiter& waiter);
  Status CheckSlow(uint64_t bits);

  // The clock costs more than the check: it is read once in so many.
  static constexpr int kChecksPerClockRead = 256;

  BackendTable& table_;
  BackendSlot& slot_;
  const BackendNumber number_;
  const uint32_t connection_id_;
  Waiter* waiter_;
  MonotonicNs statement_deadline_ = kNoDeadline;
  int64_t lock_timeout_ms_ = 0;
  int checks_until_clock_ = kChecksPerClockRead;
  std::unique_ptr<char[]> warm_memory_;
};

}  // namespace connbench::engine
