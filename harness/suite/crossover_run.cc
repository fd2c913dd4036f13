// Looks for the value of a workload's parameter at which one model overtakes another.
#include "harness/suite/crossover_run.h"

#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <random>
#include <utility>

namespace connbench::suite {
namespace {

std::string Print(double value) {
  return value >= 100 ? fmt::format("{:.0f}", value) : fmt::format("{:.3g}", value);
}

// Fewer than an interval needs.
bool HasTooFewPairs(const stats::CrossoverResult& result) {
  return std::any_of(result.points.begin(), result.points.end(),
                     [](const stats::CrossoverPoint& point) { return point.pairs < 3; });
}

}  // namespace

Result<stats::CrossoverResult> FindCrossover(const Suite& suite, const PlanOverrides& overrides,
                                             uint64_t seed, const MeasureTrial& measure) {
  const Crossover& crossover = *suite.crossover;
  const auto* metric = results::FindField<results::TrialRow>(crossover.metric);
  stats::CrossoverOptions options;
  options.from = crossover.from;
  options.to = crossover.to;
  options.pairs = crossover.repetitions;
  options.max_pairs = crossover.max_repetitions;
  options.resolution = crossover.resolution;
  options.direction = metric->column.better() == results::Better::kHigher
                          ? stats::Direction::kHigherIsBetter
                          : stats::Direction::kLowerIsBetter;
  options.seed = seed;
  stats::CrossoverSearch search(options);
  std::mt19937_64 random(seed);
  std::map<int64_t, int> pairs;  // made at each value
  while (const auto x = search.Next()) {
    const int repetition = ++pairs[*x];
    const uint64_t pair_seed = random() >> 1;
    const bool base_first = (random() & 1) == 0;
    double values[2] = {0, 0};  // base and candidate; 0: no valid trial
    for (const bool base : {base_first, !base_first}) {
      const std::string& model = base ? crossover.base : crossover.candidate;
      CONNBENCH_ASSIGN_OR_RETURN(Cell cell, MakeCrossoverCell(suite, overrides, model, *x));
      CONNBENCH_ASSIGN_OR_RETURN(const results::TrialRow row,
                                 measure(std::move(cell), repetition, pair_seed));
      if (row.status == results::kTrialOk) values[base ? 0 : 1] = metric->Measured(row).value_or(0);
    }
    search.Add(*x, values[0], values[1]);
  }
  return search.Result();
}

results::TextMap DescribeCrossover(const Crossover& crossover,
                                   const stats::CrossoverResult& result) {
  return {{"parameter", crossover.parameter},
          {"metric", crossover.metric},
          {"base", crossover.base},
          {"candidate", crossover.candidate},
          {"verdict", std::string(stats::Name(result.verdict))},
          {"at", fmt::format("{}", result.at.estimate)},
          {"low", fmt::format("{}", result.at.low)},
          {"high", fmt::format("{}", result.at.high)}};
}

std::string FormatCrossover(const Crossover& crossover, const stats::CrossoverResult& result) {
  const std::string range =
      fmt::format("{} from {} to {}", crossover.parameter, crossover.from, crossover.to);
  std::string text;
  switch (result.verdict) {
    case stats::CrossoverVerdict::kCrosses:
      text = fmt::format("{} is ahead in {} up to {} = {} (95 % band {} .. {}), {} beyond it.\n",
                         result.candidate_ahead_below ? crossover.candidate : crossover.base,
                         crossover.metric, crossover.parameter, Print(result.at.estimate),
                         Print(result.at.low), Print(result.at.high),
                         result.candidate_ahead_below ? crossover.base : crossover.candidate);
      text += fmt::format("Measured to be decided up to {} and from {}.\n", result.clear_below,
                          result.clear_above);
      break;
    case stats::CrossoverVerdict::kBaseAlwaysAhead:
    case stats::CrossoverVerdict::kCandidateAlwaysAhead:
      text = fmt::format("No crossover: {} is ahead in {} at both ends of {}.\n",
                         result.verdict == stats::CrossoverVerdict::kBaseAlwaysAhead
                             ? crossover.base
                             : crossover.candidate,
                         crossover.metric, range);
      break;
    case stats::CrossoverVerdict::kCannotTell:
      text = HasTooFewPairs(result)
                 ? fmt::format("Cannot tell: too few trials are valid at an end of {}.\n", range)
                 : fmt::format("Cannot tell: {} and {} are too close at an end of {}.\n",
                               crossover.base, crossover.candidate, range);
      break;
  }
  text +=
      fmt::format("\n  {:>14}  {:>8}  {:>18}  {}\n", "value", "ratio", "95 % interval", "pairs");
  for (const stats::CrossoverPoint& point : result.points) {
    text += fmt::format("  {:>14}  {:>8.3f}  {:>8.3f} .. {:>6.3f}  {}\n", point.x,
                        point.ratio.estimate, point.ratio.low, point.ratio.high, point.pairs);
  }
  return text + fmt::format("  (ratio: {} over {})\n", crossover.candidate, crossover.base);
}

}  // namespace connbench::suite
