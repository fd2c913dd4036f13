// Plays the patterns: which plans the client threads of a run are given, one after the other, and
// what happens between them. patterns.def names the function of each pattern.
//
// Safety: one thread, that of the Coordinator.
#pragma once

#include <cstdint>
#include <optional>
#include <vector>

#include "base/clock.h"
#include "harness/load/client_threads.h"
#include "harness/load/coordinator.h"
#include "harness/load/disturbance.h"
#include "harness/load/generator.h"
#include "harness/load/load_result.h"

namespace connbench::load {

class PatternRun {
 public:
  // All outlive it. The result takes the window's stamps and what is only known meanwhile.
  PatternRun(const LoadConfig& config, const std::vector<ClientThreads>& groups,
             Disturbance* disturbance, Coordinator& coordinator, LoadResult& result)
      : config_(config),
        workload_(config.workload),
        groups_(groups),
        disturbance_(disturbance),
        coordinator_(coordinator),
        result_(result) {}

  // As the workload's pattern has it, until its last event before the connections are closed.
  void Play();
  // Failover: when the server was made to drop everyone; 0: not known.
  MonotonicNs dropped_at() const { return dropped_at_; }

 private:
  void Storm();
  void Churn();
  void Steady();
  void Idle();
  void Failover();
  void Mixed();
  void Traffic(uint32_t clients);
  void FirstQueries(uint32_t first, uint32_t last);
  // Runs the plan until it has settled, and says in the result how that went.
  void WarmUp(Plan plan);
  // Makes a plan of traffic an open loop, if the group has a rate.
  void SetArrivals(const ClientThreads& group, MonotonicNs begin, uint64_t phase, Plan& plan) const;
  Plan ConnectPlan(const ClientThreads& group, uint32_t first, uint32_t last) const;
  void SetUpConnections(const std::vector<const ClientThreads*>& groups, uint32_t first,
                        uint32_t last);
  Plan WindowPlan(const ClientThreads& group) const;
  void PrepareSockets(const ClientThreads& group);
  void Drop(int64_t held);
  void TakeCpu();
  const ClientThreads& main() const { return groups_.front(); }
  uint32_t all() const { return main().clients(); }

  const LoadConfig& config_;
  const Workload& workload_;
  const std::vector<ClientThreads>& groups_;
  Disturbance* const disturbance_;
  Coordinator& coordinator_;
  MonotonicNs dropped_at_ = 0;
  LoadResult& result_;
};

}  // namespace connbench::load
