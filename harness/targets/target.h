// What is measured: a server that the harness starts and ends (or only reaches), seen through what
// every kind of target can tell.
//
// A target is started afresh for each trial, so that no trial sees what another has left behind.
//
// Safety: one thread. Errors: Start() says what the server said; Stop() says what it left behind.
#pragma once

#include <sys/resource.h>
#include <sys/types.h>

#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "base/status.h"
#include "engine/segment/connection_log.h"
#include "engine/segment/pool_accounts.h"
#include "harness/load/endpoint.h"
#include "harness/observe/log_reading.h"
#include "harness/observe/setup_durations.h"

namespace connbench::targets {

using Settings = std::vector<std::pair<std::string, std::string>>;

// Whether the workload's tables may be made.
enum class TableSetup : uint8_t {
  kFresh,  // the server is ours: as the workload's set-up says, dropping included
  kKeep,   // make those that are missing, drop none
  kNone,   // they must be there
};

class Target {
 public:
  virtual ~Target() = default;  // ends the server if it still runs

  // Before the first trial of a run: are its programs here, does it know its settings? What trials
  // can share is made here, too.
  virtual Status Prepare() { return Status::Ok(); }
  // After Prepare(): the other programs that it runs or reaches, with their versions, for run.json.
  virtual std::vector<std::pair<std::string, std::string>> Versions() const { return {}; }

  // Starts the server and waits until it accepts connections.
  virtual Status Start() = 0;
  virtual const load::Endpoint& endpoint() const = 0;
  // Where tables are made: the server itself where endpoint() is a pooler in front of it.
  virtual const load::Endpoint& setup_endpoint() const { return endpoint(); }
  virtual TableSetup table_setup() const { return TableSetup::kFresh; }
  // Root of the database server's tree of processes; 0 if the harness cannot see it.
  virtual pid_t root_pid() const = 0;
  // The same and, where there is one, the pooler: all that is observed. Empty if nothing can be.
  virtual std::vector<pid_t> root_pids() const {
    return root_pid() == 0 ? std::vector<pid_t>() : std::vector<pid_t>{root_pid()};
  }
  // Become readable when one of those processes has ended; owned by the target.
  virtual std::vector<int> exit_descriptors() const { return {}; }
  // Ok while the server serves; otherwise how it ended and what it said last.
  virtual Status CheckAlive() = 0;
  // Makes the server lose all its connections at once, as a crash does: one of its processes is
  // killed, and what supervises them resets the others and serves again. 0A000 where the harness
  // cannot see its processes.
  virtual Status Crash();
  // The server's side of every connection so far; empty if the target keeps no such log.
  virtual Result<std::vector<engine::ConnectionLogRecord>> ReadConnectionLog() = 0;
  // The pools of the server's model as they stand; empty if it has none, or keeps no account of
  // them.
  virtual Result<std::vector<engine::PoolUsage>> ReadPoolUsage() {
    return std::vector<engine::PoolUsage>();
  }
  // What the log of a server with a data directory of its own has done; nothing without one, or
  // where the server does not tell. The first call may make a session that stays to be asked.
  virtual Result<std::optional<observe::LogReading>> ReadLog() {
    return std::optional<observe::LogReading>();
  }
  // Where the server tells durations instead of instants (PostgreSQL's log): those.
  virtual std::vector<observe::SetupDurations> ReadSetupDurations() { return {}; }

  // Ends the server in order and waits until nothing of it is left: no process, no segment. The
  // result is what it used in its whole life, descendants included.
  virtual Result<rusage> Stop() = 0;
};

}  // namespace connbench::targets
