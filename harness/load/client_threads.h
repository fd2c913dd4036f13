// The clients of one group and the threads that play them: what the generator drives and what the
// result is collected from.
//
// Safety: belongs to the coordinator; worker.h says what may be asked of a running thread.
#pragma once

#include <cstdint>
#include <memory>
#include <utility>
#include <vector>

#include "harness/load/script.h"
#include "harness/load/worker.h"
#include "harness/load/workload.h"

namespace connbench::load {

// Clients that work alike: a group of the workload, on threads of its own.
struct ClientThreads {
  ClientThreads(ClientGroup what, ScriptSet compiled)
      : spec(std::move(what)), scripts(std::move(compiled)) {}

  ClientGroup spec;
  ScriptSet scripts;
  WorkerSettings settings;
  std::vector<std::unique_ptr<Worker>> workers;

  uint32_t clients() const { return static_cast<uint32_t>(spec.connections); }
  int64_t Open() const {
    int64_t open = 0;
    for (const auto& worker : workers) open += worker->open();
    return open;
  }
};

}  // namespace connbench::load
