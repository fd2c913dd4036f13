// The engine as a process holds it: a handle on the shared segment, from which sessions start.
//
// Life: the supervisor calls Create() once; processes it forks use the inherited handle as it is;
// unrelated processes (fork-exec, top, observers) call Attach(). The handle is private memory, what
// it points to is shared. Several engines can live in one process: there are no mutable globals.
//
// Safety: after Create() or Attach() every method may be called from any thread. A process that
// must never take a latch (the supervisor) may call only what says so.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "base/status.h"
#include "engine/config.h"
#include "engine/roles/role_table.h"
#include "engine/segment/connection_log.h"
#include "engine/segment/pool_accounts.h"
#include "engine/session.h"
#include "engine/tasks/task.h"
#include "engine/wal/log_usage.h"

namespace connbench::engine {

// Counters for observers; monotonic since the segment was made.
struct EngineCounters {
  int64_t transactions_committed = 0;
  int64_t transactions_rolled_back = 0;
  int64_t statements = 0;
  int64_t sessions_active = 0;  // now
  int64_t lock_waits = 0;
  int64_t deadlocks = 0;
};

// What the sessions are doing, each counted once; a glance without a latch.
struct SessionStates {
  int64_t idle = 0;
  int64_t idle_in_transaction = 0;
  int64_t active = 0;  // running a statement
  int64_t waiting_for_lock = 0;
};

// A session that was asked to end and has not yet done so.
struct EndingSession {
  uint32_t connection_id = 0;
  int32_t pid = 0;  // of the process that runs it
};

class Engine {
 public:
  virtual ~Engine() = default;

  // Makes the segment: 53100 with the sizes when /dev/shm is too small, 22023 for a bad setting.
  // Removes first what a dead server of any connbench left behind in /dev/shm.
  static Result<std::unique_ptr<Engine>> Create(const EngineConfig& config);
  // Attaches to the segment of a running server by name; read_only: for observers.
  static Result<std::unique_ptr<Engine>> Attach(const std::string& segment_name, bool read_only);

  virtual const EngineConfig& config() const = 0;
  // Under which others attach; empty if they cannot.
  virtual const std::string& segment_name() const = 0;
  // Of the creator: why huge_pages=try got ordinary pages. Ok otherwise.
  virtual Status huge_pages_refusal() const { return {}; }
  // Latch-free.
  virtual ConnectionLog& connection_log() = 0;
  virtual EngineCounters counters() const = 0;
  virtual SessionStates session_states() const = 0;
  // Of the log since the server's start; nothing without a data directory. Latch-free.
  virtual std::optional<LogUsage> log_usage() const { return std::nullopt; }
  // Where a model that shares `workers` of its among sessions keeps account of it; null: nowhere.
  // Latch-free, lives as long as the segment.
  virtual PoolAccount* OpenPoolAccount(int /*pool*/, int64_t /*workers*/) { return nullptr; }
  // Where a pooler shows its clients; null: nowhere. Latch-free, lives as long as the segment.
  virtual PoolClients* pool_clients() { return nullptr; }
  // Of the pools that there are; none with a model that has none.
  virtual std::vector<PoolUsage> pool_usage() const { return {}; }

  // Takes a backend slot: 53300 (fatal) when max_connections are in use, or when only the reserved
  // ones are left and the user is no superuser; 57P03 while shutting down.
  virtual Result<std::unique_ptr<Session>> StartSession(SessionOptions options, Waiter& waiter) = 0;

  // The user of that name, for the login; takes a backend slot while it looks (53300).
  virtual Result<std::optional<Role>> FindRole(std::string_view name, uint32_t connection_id,
                                               Waiter& waiter) = 0;
  // A secret of this server's, the same in all its processes: from it the protocol makes what
  // users who do not exist seem to have.
  virtual std::string_view mock_authentication_nonce() const = 0;
  // Latch-free. False while there is only the superuser "postgres", as made.
  virtual bool roles_changed() const = 0;

  // Latch-free; any process. Does nothing unless the id and the key belong together.
  virtual void Cancel(uint32_t connection_id, uint32_t cancel_key) = 0;
  // pg_terminate_backend asks one session to end. One that runs or waits for a lock is rung; one
  // that waits for its client is the model's to wake, so process pid is sent that signal.
  // Latch-free.
  virtual void SetEndListener(int32_t pid, int signal) = 0;
  // Those that were asked to end so far. Latch-free.
  virtual std::vector<EndingSession> ending_sessions() const = 0;
  // Whether this session was. Latch-free, also for signal handlers.
  virtual bool AskedToEnd(uint32_t connection_id) const = 0;
  // Whether a session, or helper, of that process still has its slot. A process that has ended gave
  // everything back if not: whatever else a session holds (locks, pins, latches) it holds only
  // while it has one. Latch-free.
  virtual bool HoldsSlot(int32_t /*pid*/) const { return false; }
  // Latch-free; asks all sessions to end with 57P01 and rings them. Sessions that wait for their
  // client are the model's to wake.
  virtual void RequestShutdown() = 0;
  virtual bool ShutdownRequested() const = 0;

  // What is to be done beside the sessions; nothing without a data directory. Latch-free.
  virtual std::span<const Task> tasks() const { return {}; }
  // Before sessions begin: from now on the caller sees to it that each task runs in one process or
  // thread, so that sessions leave its work to it. Latch-free.
  virtual void StaffTasks() {}
  // Runs a task in this thread until it is asked to stop. 53400 if no slot is free.
  virtual Status RunTask(const Task& /*task*/, TaskStop& /*stop*/) { return {}; }

  // Makes the last checkpoint of a data directory, so that the next start has nothing to do again;
  // no effect without one. Only where the segment was made, when all others have ended in order.
  virtual Status CloseData() { return {}; }
  // What the start found, for the server's log; empty: nothing to say.
  virtual std::string recovery_report() const { return {}; }
};

}  // namespace connbench::engine
