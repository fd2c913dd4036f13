// What two runs differ by without a cause.
#include "harness/answers/drift.h"

#include <algorithm>
#include <cmath>
#include <utility>
#include <vector>

#include "harness/answers/thresholds.h"
#include "harness/stats/log_ratio.h"
#include "results/metrics.h"

namespace connbench::answers {
namespace {

using results::TrialRow;

// Memory, and events per transaction or connect: they do not follow the machine's speed.
bool IsCount(const results::Column& column) {
  return column.unit == "kB" ||
         (column.unit.empty() && column.name.find("_per_") != std::string_view::npos);
}

// How far the blocks of a run lie apart in what all its cells have in common, as a share: what the
// machine's state did to this metric while the run lasted.
double ObservedDrift(const Cells& cells, std::string_view metric) {
  constexpr size_t kMinCells = 3;
  std::map<int64_t, std::vector<double>> by_block;
  for (const auto& [name, cell] : cells) {
    std::vector<std::pair<int64_t, double>> logs;
    double mean = 0;
    for (const TrialRow* row : cell.side.ok) {
      const auto value = results::MetricValue(*row, metric);
      if (!value || !(*value > 0) || !std::isfinite(*value)) continue;
      logs.emplace_back(row->repetition, std::log(*value));
      mean += logs.back().second;
    }
    if (logs.size() < stats::kMinBlocks) continue;
    mean /= static_cast<double>(logs.size());
    for (const auto& [block, log] : logs) by_block[block].push_back(log - mean);
  }
  std::optional<double> low;
  std::optional<double> high;
  for (const auto& [block, logs] : by_block) {
    if (logs.size() < kMinCells) continue;
    double mean = 0;
    for (const double log : logs) mean += log / static_cast<double>(logs.size());
    low = std::min(low.value_or(mean), mean);
    high = std::max(high.value_or(mean), mean);
  }
  return low ? std::expm1(*high - *low) : 0;
}

}  // namespace

std::map<std::string, double> DriftByMetric(const Cells& base, const Cells& candidate,
                                            std::optional<double> given) {
  std::map<std::string, double> drift;
  for (const auto& field : results::Fields<TrialRow>()) {
    if (field.column.better() == results::Better::kNeither) continue;
    const std::string name(field.column.name);
    const double least = IsCount(field.column) ? kDriftOfCounts : kDriftOfTimes;
    drift[name] = given.value_or(
        std::max({least, ObservedDrift(base, name), ObservedDrift(candidate, name)}));
  }
  drift[std::string(kFailedPercent)] = given.value_or(kDriftOfTimes);
  return drift;
}

}  // namespace connbench::answers
