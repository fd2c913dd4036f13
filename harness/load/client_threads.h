// The clients of one group and the threads that play them: what the generator drives and what the
// result is collected from.
//
// Safety: belongs to the coordinator; worker.h says what may be asked of a running thread.
#pragma once

#include <algorithm>
#include <cstdint>
#include <memory>
#include <utility>
#include <vector>

#include "base/status.h"
#include "harness/load/worker.h"
#include "harness/script/script.h"
#include "harness/workload/workload.h"

namespace connbench::load {

// Clients that work alike: a group of the workload, on threads of its own.
struct ClientThreads {
  ClientThreads(ClientGroup what, ScriptSet compiled)
      : spec(std::move(what)), scripts(std::move(compiled)) {}

  ClientGroup spec;
  ScriptSet scripts;
  WorkerSettings settings;
  std::vector<std::unique_ptr<Worker>> workers;

  // Starts its threads, at most so many: with what all groups have in common, and what the workload
  // says of this one.
  Status Start(const WorkerSettings& common, int max_threads) {
    settings = common;
    settings.scripts = &scripts;
    settings.clients = spec.connections;
    settings.threads = std::min(max_threads, spec.connections);
    settings.backoff = spec.backoff.value_or(Backoff{});
    settings.geometric_sessions = spec.session_length == SessionLength::kGeometric;
    settings.latency_limit_ns = spec.latency_limit_ns;
    settings.queue_limit = spec.queue_limit;
    for (int i = 0; i < settings.threads; ++i) {
      workers.push_back(std::make_unique<Worker>(settings, i));
      CONNBENCH_RETURN_IF_ERROR(workers.back()->Start());
    }
    return Status::Ok();
  }

  // A group that connects, and is up, only when it starts.
  bool ConnectsInWindow() const {
    return RowOf(spec.pattern).Has(kConnectsAtStart) && spec.start_ns > 0;
  }
  // A group that is up from the start and does nothing.
  bool OnlyHolds() const { return RowOf(spec.pattern).Has(kConnectsAtStart) && spec.start_ns == 0; }
  uint32_t clients() const { return static_cast<uint32_t>(spec.connections); }
  int64_t Open() const {
    int64_t open = 0;
    for (const auto& worker : workers) open += worker->open();
    return open;
  }
};

}  // namespace connbench::load
