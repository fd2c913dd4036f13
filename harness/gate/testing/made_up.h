// Made-up gates for tests: a plan without cells, servers whose figures are drawn, a clock that only
// windows move.
#pragma once

#include <array>
#include <cmath>
#include <functional>
#include <random>
#include <string>
#include <utility>
#include <vector>

#include "harness/gate/gate_loop.h"
#include "harness/gate/gate_plan.h"

namespace connbench::gate {

// One row for each workload: throughput of steady, request time of churn.
inline GatePlan MadeUpPlan() {
  GatePlan plan;
  plan.workloads = {"steady", "churn"};
  plan.options.contenders = {"thread", "fork"};
  for (const Side side : {kBase, kCandidate}) {
    for (const std::string& workload : plan.workloads) {
      suite::Cell cell;
      cell.name = workload;
      cell.target.text = plan.options.contenders[side];
      cell.target.parts = {"builtin"};
      cell.workload.name = workload;
      cell.workload.connections = 8;
      plan.cells[side].push_back(std::move(cell));
    }
  }
  plan.rows = {{0, "throughput_tps"}, {1, "request_us_mean"}};
  plan.questions = {
      {"steady", "throughput_tps", "tx/s", stats::Direction::kHigherIsBetter, kDefaultMargin},
      {"churn", "request_us_mean", "us", stats::Direction::kLowerIsBetter, kDefaultMargin}};
  return plan;
}

// Portable: the library's distributions differ between compilers.
inline double DrawNormal(std::mt19937_64& random) {
  constexpr int kSum = 12;
  double sum = -kSum / 2.0;
  for (int i = 0; i < kSum; ++i) sum += static_cast<double>(random() >> 11) * 0x1p-53;
  return sum;
}

class MadeUpServers final : public Measurer {
 public:
  // slowdown: of the candidate, as a share; noise: standard deviation of a window's log.
  MadeUpServers(double slowdown, double noise, uint64_t seed = 1)
      : slowdown_(slowdown), noise_(noise), random_(seed) {}

  Status StartRound(Side first) override {
    first_started.push_back(first);
    for (double& instance : instances_) instance = instance_noise * DrawNormal(random_);
    now += start_ns;
    ++up;
    return Status::Ok();
  }

  Result<Window> Measure(const WindowPlace& place) override {
    calls.push_back(place);
    now += window_ns;
    if (before) {
      if (Status status = before(calls.back()); !status.ok()) return status;
    }
    const double change = place.side == kCandidate ? 1 + slowdown_ : 1;
    const double value = std::exp(instances_[place.side] + noise_ * DrawNormal(random_));
    Window window;
    window.values = {place.workload == 0 ? 1000 * value / change : 50 * value * change};
    if (spoil) spoil(calls.back(), window);
    return window;
  }

  Status EndRound() override {
    --up;
    return end_status;
  }
  bool Interrupted() override { return interrupted; }

  std::function<Status(const WindowPlace&)> before;
  std::function<void(const WindowPlace&, Window&)> spoil;
  Status end_status;
  std::vector<WindowPlace> calls;
  std::vector<Side> first_started;  // of each round
  double instance_noise = 0;        // standard deviation of what a server's figures have in common
  int up = 0;                       // pairs of servers
  bool interrupted = false;
  MonotonicNs now = 1;
  int64_t window_ns = 500 * kNanosecondsPerMillisecond;
  int64_t start_ns = 500 * kNanosecondsPerMillisecond;  // of both

 private:
  double slowdown_;
  double noise_;
  std::array<double, kSides> instances_{};
  std::mt19937_64 random_;
};

inline GateOutcome RunMadeUp(const GatePlan& plan, MadeUpServers& servers, int64_t budget_ns,
                             bool until_budget = false) {
  stats::SequentialGate judge(plan.questions, plan.options.false_alarms, kSoughtEffect);
  LoopOptions options;
  options.budget_ns = budget_ns;
  options.shortest_pair_ns = 2 * servers.window_ns;
  options.until_budget = until_budget;
  return RunGateLoop(plan, options, servers, judge, [&servers] { return servers.now; });
}

}  // namespace connbench::gate
