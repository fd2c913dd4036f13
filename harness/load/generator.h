// Runs one workload against one server and says what happened. Four things are kept apart: the
// schedule (when), the script (what), the connection (socket and protocol) and the recorder.
// pattern_run.h plays each pattern; worker.h is the loop that does the work.
//
// Safety: RunLoad may be called by one thread at a time per LoadConfig; it starts its own threads
// and has joined them when it returns. It raises RLIMIT_NOFILE's soft limit where the run needs it.
// Errors: what makes a run impossible (a limit, an unknown host, a bad script) is returned before
// any connection is made; what happens during the run is in the result.
#pragma once

#include <atomic>
#include <cstdint>
#include <functional>
#include <string>

#include "base/clock.h"
#include "base/status.h"
#include "harness/load/endpoint.h"
#include "harness/load/load_result.h"
#include "harness/workload/workload.h"

namespace connbench::load {

inline constexpr int kMaxThreads = 256;
struct LoadProgress {
  std::string phase;
  int64_t elapsed_ns = 0;  // of the phase
  int64_t planned_ns = 0;  // of the phase; 0: it ends by itself
  uint64_t transactions_ok = 0;
  uint64_t transactions_failed = 0;
  int64_t connections_open = 0;
};

struct LoadConfig {
  Workload workload;
  Endpoint endpoint;
  int threads = 1;
  uint64_t seed = 1;
  int64_t transactions_per_client = 0;  // steady and idle: ends the run instead of the duration
  int64_t connect_timeout_ns = 60 * kNanosecondsPerSecond;
  int64_t statement_timeout_ns = 60 * kNanosecondsPerSecond;
  int64_t hold_ns = 0;  // storm and idle: how long all are held where no harness decides it
  // failover without a harness: a shell command that makes the server drop everyone; empty: the run
  // waits for somebody to do it.
  std::string drop_command;
  int source_addresses = 0;  // of 127.0.0.0/8 to connect from; 0: as many as the ports call for
  int control_fd = -1;       // see load_result.h

  const std::atomic<bool>* stop = nullptr;            // raised by Ctrl-C; may be null
  std::function<void(const LoadProgress&)> progress;  // about once a second; may be empty
};

Result<LoadResult> RunLoad(const LoadConfig& config);

}  // namespace connbench::load
