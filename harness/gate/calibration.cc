// How often a gate errs on a machine, and which changes it finds there.
#include "harness/gate/calibration.h"

#include <fmt/format.h>

#include <algorithm>
#include <boost/math/distributions/binomial.hpp>
#include <cmath>
#include <random>

#include "harness/stats/sequential.h"

namespace connbench::gate {
namespace {

constexpr double kConfidence = 0.95;
constexpr double kPercentOfOne = 100;

size_t CountRounds(const Rounds& rounds) { return rounds.empty() ? 0 : rounds.front().size(); }

void RunGate(const GatePlan& plan, const Rounds& aa, double effect, size_t rounds,
             std::mt19937_64& random, SimulatedGates& counts) {
  const size_t rows = plan.rows.size();
  stats::SequentialGate judge(plan.questions, plan.options.false_alarms, kSoughtEffect);
  std::vector<std::optional<double>> base(rows);
  std::vector<std::optional<double>> candidate(rows);
  const size_t count = CountRounds(aa);
  size_t at = 0;
  for (size_t round = 0; round < rounds && !judge.all_decided(); ++round) {
    at = round % kRoundRun == 0 ? random() % count : (at + 1) % count;
    const bool swapped = (random() & 1) != 0;
    for (size_t row = 0; row < rows; ++row) {
      const auto& means = aa[row][at];
      base[row].reset();
      candidate[row].reset();
      if (!means || judge.rows()[row].decided) continue;
      const bool higher = plan.questions[row].direction == stats::Direction::kHigherIsBetter;
      base[row] = swapped ? means->candidate : means->base;
      candidate[row] =
          (swapped ? means->base : means->candidate) * (higher ? 1 / (1 + effect) : 1 + effect);
    }
    judge.AddBlock(base, candidate);
    judge.EndRound();
  }
  bool alarm = false;
  for (size_t row = 0; row < rows; ++row) {
    const stats::Verdict verdict = judge.rows()[row].verdict;
    const bool worse = verdict == stats::Verdict::kWorse;
    alarm = alarm || worse || verdict == stats::Verdict::kBetter;
    if (worse) ++counts.worse[row];
  }
  if (alarm) ++counts.alarms;
}

}  // namespace

SimulatedGates SimulateGates(const GatePlan& plan, const Rounds& aa, double effect, size_t rounds,
                             int gates, uint64_t seed) {
  SimulatedGates counts;
  counts.worse.resize(plan.rows.size());
  // The same draws for each effect, so that power grows with it.
  std::mt19937_64 random(seed);
  for (int i = 0; i < gates; ++i) RunGate(plan, aa, effect, rounds, random, counts);
  return counts;
}

double NoiseOf(const Rounds& aa, size_t row) {
  double sum = 0;
  double squares = 0;
  double count = 0;
  for (const auto& means : aa[row]) {
    if (!means) continue;
    const double value = std::log(means->candidate / means->base);
    sum += value;
    squares += value * value;
    ++count;
  }
  if (count < 2) return 0;
  return std::sqrt(std::max(squares - sum * sum / count, 0.0) / (count - 1));
}

double UpperBound(int64_t found, int64_t tried) {
  if (tried <= 0 || found >= tried) return 1;
  return boost::math::binomial_distribution<>::find_upper_bound_on_p(
      static_cast<double>(tried), static_cast<double>(found), 1 - kConfidence);
}

Result<Calibration> Calibrate(const GatePlan& plan, const Rounds& aa, uint64_t seed) {
  const size_t rounds = CountRounds(aa);
  if (rounds < kFewestRounds) {
    return Status::Error(sqlstate::kInvalidParameterValue,
                         fmt::format("{} rounds do not show this machine's noise: at least {}",
                                     rounds, kFewestRounds))
        .WithHint("Give it a larger --budget, or shorter windows.");
  }
  Calibration calibration;
  calibration.window_ns = plan.options.window_ns;
  calibration.budget_ns = plan.options.budget_ns;
  calibration.margin = plan.options.margin;
  calibration.rounds = static_cast<int64_t>(rounds);
  const auto simulate = [&](double effect) {
    return SimulateGates(plan, aa, effect, rounds, kSimulatedGates, seed);
  };
  calibration.gates = kSimulatedGates;
  calibration.false_alarms = simulate(0).alarms;
  calibration.false_alarm_bound = UpperBound(calibration.false_alarms, calibration.gates);
  for (size_t row = 0; row < plan.rows.size(); ++row) {
    calibration.rows.push_back({plan.workloads[plan.rows[row].workload], plan.rows[row].metric,
                                NoiseOf(aa, row), std::nullopt});
  }
  for (const double percent : kPlantedPercent) {
    const double effect = percent / kPercentOfOne;
    const std::vector<int> worse = simulate(effect).worse;
    bool all_found = true;
    for (size_t row = 0; row < worse.size(); ++row) {
      std::optional<double>& smallest = calibration.rows[row].smallest_effect;
      if (!smallest && worse[row] >= kPowerWanted * kSimulatedGates) smallest = effect;
      // A row that was not measured is not waited for.
      all_found = all_found && (smallest || calibration.rows[row].noise == 0);
    }
    if (all_found) break;
  }
  return calibration;
}

}  // namespace connbench::gate
