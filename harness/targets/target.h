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
#include "harness/load/endpoint.h"

namespace connbench::targets {

using Settings = std::vector<std::pair<std::string, std::string>>;

class Target {
 public:
  virtual ~Target() = default;  // ends the server if it still runs

  // Starts the server and waits until it accepts connections.
  virtual Status Start() = 0;
  virtual const load::Endpoint& endpoint() const = 0;
  // Root of the server's tree of processes; 0 if the harness cannot see it.
  virtual pid_t root_pid() const = 0;
  // Ok while the server serves; otherwise how it ended and what it said last.
  virtual Status CheckAlive() = 0;
  // The server's side of every connection so far; empty if the target keeps no such log.
  virtual Result<std::vector<engine::ConnectionLogRecord>> ReadConnectionLog() = 0;

  // Ends the server in order and waits until nothing of it is left: no process, no segment. The
  // result is what it used in its whole life, descendants included.
  virtual Result<rusage> Stop() = 0;
};

// One of connbench's own models, served by this very program in a child process.
std::unique_ptr<Target> MakeBuiltinTarget(const std::string& model, const Settings& settings);

// The same with another program (tests put in one that misbehaves).
std::unique_ptr<Target> MakeBuiltinTarget(const std::string& program, const std::string& model,
                                          const Settings& settings);

}  // namespace connbench::targets
