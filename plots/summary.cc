#include "plots/summary.h"

#include <fmt/format.h>

#include <algorithm>
#include <map>
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

namespace {

// "name=value" of each axis in "model:fork/workload:churn/connections:8/ssl:on". The protocol is the
// experiment's, not an axis of it.
std::vector<std::string> AxisValues(std::string_view cell) {
  std::vector<std::string> values;
  const size_t connections = cell.find("/connections:");
  if (connections == std::string_view::npos) return values;
  size_t slash = cell.find('/', connections + 1);
  while (slash != std::string_view::npos) {
    const size_t next = cell.find('/', slash + 1);
    std::string value(cell.substr(slash + 1, next - slash - 1));
    const size_t colon = value.find(':');
    if (colon != std::string::npos) {
      value[colon] = '=';
      if (!value.starts_with("protocol=")) values.push_back(std::move(value));
    } else if (!values.empty()) {
      values.back() += '/' + value;  // a slash within a value
    }
    slash = next;
  }
  return values;
}

}  // namespace

template <typename Row>
std::string ContenderName(const Row& row) {
  if (row.model.empty()) return row.target;
  return row.target == "builtin" ? row.model : row.target + "+" + row.model;
}
template std::string ContenderName(const results::TrialRow&);

template <typename Row>
std::string SeriesName(const Row& row) {
  std::string name = ContenderName(row);
  for (const std::string& value : AxisValues(row.cell)) name += ' ' + value;
  return name;
}
template std::string SeriesName(const results::TrialRow&);
template std::string SeriesName(const results::LatencyRow&);
template std::string SeriesName(const results::PhaseRow&);
template std::string SeriesName(const results::TimeseriesRow&);

std::string SeriesNameWithoutParameters(const results::TrialRow& row) {
  std::string name = ContenderName(row);
  const std::string parameters = ' ' + row.parameters + ' ';
  for (const std::string& value : AxisValues(row.cell)) {
    if (parameters.find(' ' + value + ' ') == std::string::npos) name += ' ' + value;
  }
  return name;
}

bool IsOk(const results::Run& run, int64_t trial) {
  return std::any_of(run.trials.begin(), run.trials.end(), [&](const results::TrialRow& row) {
    return row.trial == trial && row.status == results::kTrialOk;
  });
}

std::string PrintRepetitions(const results::Run& run,
                             const std::function<bool(const results::TrialRow&)>& shown) {
  std::map<std::string_view, size_t> valid;
  for (const results::TrialRow& row : run.trials) {
    if (row.status == results::kTrialOk && shown(row)) ++valid[row.cell];
  }
  if (valid.empty()) return "no valid repetition";
  const auto [least, most] = std::minmax_element(
      valid.begin(), valid.end(), [](const auto& a, const auto& b) { return a.second < b.second; });
  if (least->second != most->second) {
    return fmt::format("{} to {} valid repetitions", least->second, most->second);
  }
  return fmt::format("{} valid repetition{}", most->second, most->second == 1 ? "" : "s");
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
