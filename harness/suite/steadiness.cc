// Whether a cell has been repeated often enough.
#include "harness/suite/steadiness.h"

#include <algorithm>
#include <cmath>

#include "harness/stats/intervals.h"
#include "results/metrics.h"

namespace connbench::suite {

std::string Steadiness::MetricOf(const Cell& cell) const {
  if (!cell.until->metric.empty()) return cell.until->metric;
  const std::string_view pattern = load::Name(cell.workload.pattern);
  return std::string(results::MetricsWith(pattern, results::MetricRole::kHeadline).front());
}

void Steadiness::Add(const results::TrialRow& row) {
  const auto cell = std::find_if(plan_.cells.begin(), plan_.cells.end(),
                                 [&](const Cell& each) { return each.name == row.cell; });
  if (cell == plan_.cells.end() || !cell->until) return;
  std::optional<double>& value = values_[row.cell][row.repetition];
  value.reset();
  if (row.status == results::kTrialOk) value = results::MetricValue(row, MetricOf(*cell));
}

std::optional<double> Steadiness::RelativeHalfWidth(size_t cell, int before_repetition) const {
  std::vector<double> samples;
  if (const auto found = values_.find(plan_.cells[cell].name); found != values_.end()) {
    for (const auto& [repetition, value] : found->second) {
      if (repetition < before_repetition && value) samples.push_back(*value);
    }
  }
  if (samples.size() < static_cast<size_t>(kMinRepetitionsForInterval)) return std::nullopt;
  const auto interval = stats::MeanInterval(samples);
  if (!interval) return std::nullopt;
  const double half = (interval->high - interval->low) / 2;
  if (half == 0) return 0;
  // Of a mean of 0 nothing is a share.
  return interval->estimate == 0 ? INFINITY : half / std::abs(interval->estimate);
}

bool Steadiness::Needs(const Trial& trial) const {
  const Cell& cell = plan_.cells[trial.cell];
  if (trial.repetition <= cell.repetitions) return true;
  if (!cell.until || trial.repetition > cell.MostRepetitions()) return false;
  const std::optional<double> half = RelativeHalfWidth(trial.cell, trial.repetition);
  return !half || *half > cell.until->interval;
}

int Steadiness::ExpectedRepetitions(size_t index) const {
  const Cell& cell = plan_.cells[index];
  const int most = cell.MostRepetitions();
  if (!cell.until) return cell.repetitions;
  const auto found = values_.find(cell.name);
  const int made = found == values_.end() ? 0 : static_cast<int>(found->second.size());
  const std::optional<double> half = RelativeHalfWidth(index, most + 1);
  if (!half || *half <= cell.until->interval) return std::max(made, cell.repetitions);
  // The width shrinks with the root of the number of repetitions.
  const double ratio = std::min(*half / cell.until->interval, 1000.0);
  const double needed = std::ceil(made * ratio * ratio);
  return static_cast<int>(std::clamp(needed,
                                     static_cast<double>(std::max(made + 1, cell.repetitions)),
                                     static_cast<double>(std::max(made, most))));
}

std::vector<Steadiness::Unsteady> Steadiness::FindUnsteady() const {
  std::vector<Unsteady> unsteady;
  for (size_t i = 0; i < plan_.cells.size(); ++i) {
    const Cell& cell = plan_.cells[i];
    const auto found = values_.find(cell.name);
    if (!cell.until || found == values_.end() ||
        found->second.rbegin()->first < cell.MostRepetitions()) {
      continue;
    }
    const std::optional<double> half = RelativeHalfWidth(i, cell.MostRepetitions() + 1);
    if (half && *half <= cell.until->interval) continue;
    unsteady.push_back({cell.name, MetricOf(cell), cell.until->interval, half});
  }
  return unsteady;
}

}  // namespace connbench::suite
