#include "plots/summary.h"

#include <algorithm>
#include <set>

namespace connbench::plots {

Spread SpreadOf(std::vector<double> values) {
  Spread spread;
  spread.samples = values.size();
  if (values.empty()) return spread;
  std::sort(values.begin(), values.end());
  const size_t middle = values.size() / 2;
  spread.median =
      values.size() % 2 == 1 ? values[middle] : (values[middle - 1] + values[middle]) / 2;
  spread.low = values.front();
  spread.high = values.back();
  return spread;
}

template <typename Row>
std::string SeriesName(const Row& row) {
  if (row.model.empty()) return row.target;
  return row.target == "builtin" ? row.model : row.target + "+" + row.model;
}
template std::string SeriesName(const results::TrialRow&);
template std::string SeriesName(const results::LatencyRow&);
template std::string SeriesName(const results::PhaseRow&);
template std::string SeriesName(const results::TimeseriesRow&);

bool IsOk(const results::Run& run, int64_t trial) {
  return std::any_of(run.trials.begin(), run.trials.end(), [&](const results::TrialRow& row) {
    return row.trial == trial && row.status == results::kTrialOk;
  });
}

std::string ChooseWorkload(const results::Run& run, const std::vector<std::string_view>& preferred,
                           double results::TrialRow::*metric) {
  const auto carries = [&](std::string_view workload) {
    return std::any_of(run.trials.begin(), run.trials.end(), [&](const results::TrialRow& row) {
      return row.workload == workload && row.status == results::kTrialOk && row.*metric != 0;
    });
  };
  for (const std::string_view workload : preferred) {
    if (carries(workload)) return std::string(workload);
  }
  for (const results::TrialRow& row : run.trials) {
    if (carries(row.workload)) return row.workload;
  }
  return "";
}

std::vector<std::string> SeriesNames(const results::Run& run) {
  // Trials run in random order; the names are sorted so that a model looks the same in every chart
  // of every run.
  std::set<std::string> names;
  for (const results::TrialRow& row : run.trials) names.insert(SeriesName(row));
  return {names.begin(), names.end()};
}

std::vector<int64_t> ConnectionCounts(const results::Run& run, std::string_view workload) {
  std::set<int64_t> counts;
  for (const results::TrialRow& row : run.trials) {
    if (row.workload == workload) counts.insert(row.connections);
  }
  return {counts.begin(), counts.end()};
}

std::optional<Spread> CellSpread(const results::Run& run, std::string_view workload,
                                 std::string_view series, int64_t connections,
                                 const std::function<double(const results::TrialRow&)>& metric) {
  std::vector<double> values;
  for (const results::TrialRow& row : run.trials) {
    if (row.status == results::kTrialOk && row.workload == workload &&
        row.connections == connections && SeriesName(row) == series) {
      values.push_back(metric(row));
    }
  }
  if (values.empty()) return std::nullopt;
  return SpreadOf(std::move(values));
}

}  // namespace connbench::plots
