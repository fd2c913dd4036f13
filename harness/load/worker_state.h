// What all parts of a Worker look at: its clients, the plan under way, and the counts.
//
// Safety: belongs to the worker's thread; others may read it while the thread is at rest.
#pragma once

#include <cstdint>
#include <memory>
#include <vector>

#include "base/clock.h"
#include "harness/load/client.h"
#include "harness/load/disturbance.h"
#include "harness/load/plan.h"
#include "harness/load/recorder.h"

namespace connbench::load {

struct WorkerState {
  WorkerState(const WorkerSettings& all, int which)
      : settings(all), number(which), recorder(all.origin, all.max_phases, all.latency_limit_ns) {
    if (all.disturbed != nullptr) victims = std::make_unique<VictimLedger>(*all.disturbed);
  }

  bool StopRequested() const { return settings.stop->load(std::memory_order_relaxed); }
  // Client i of the group is this thread's (i - number) / threads-th.
  size_t PlaceOf(size_t client) const {
    const auto threads = static_cast<size_t>(settings.threads);
    return (client + threads - 1 - static_cast<size_t>(number)) / threads;
  }
  void CountOpen(int change) {
    open += change;
    recorder.SetOpen(open);
  }

  const WorkerSettings& settings;
  const int number;
  std::vector<std::unique_ptr<Client>> clients;
  Recorder recorder;
  TrafficBytes bytes;
  int64_t open = 0;
  std::unique_ptr<VictimLedger> victims;

  Plan plan;
  MonotonicNs plan_begin = 0;
  int64_t pending = 0;  // clients of the plan that are not at rest
  Served served;
};

}  // namespace connbench::load
