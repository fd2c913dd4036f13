// A run's figures as tables.
#include "plots/page/tables.h"

#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <optional>
#include <set>
#include <tuple>

#include "plots/axes.h"
#include "plots/summary.h"
#include "results/metrics.h"

namespace connbench::plots {
namespace {

using results::MetricRole;
using results::Run;
using results::TrialRow;

constexpr std::string_view kConnections = "connections";

// The trials of one combination of axes, by contender.
struct Combination {
  std::string title;
  AxisValues axes;
  std::map<std::string, std::vector<const TrialRow*>> trials;
};

// What one experiment measures: its combinations have the same metrics.
struct Experiment {
  std::string title;
  std::string workload;
  std::string pattern;
  std::vector<Combination> combinations;  // by their axes' values
};

AxisValues AxesOf(const TrialRow& row) {
  AxisValues axes = AxesOfCell(row.cell);
  axes.insert_or_assign(std::string(kConnections), std::to_string(row.connections));
  return axes;
}

std::optional<std::string> ValueOf(const AxisValues& axes, const std::string& name) {
  const auto found = axes.find(name);
  if (found == axes.end()) return std::nullopt;
  return found->second;
}

bool AxesLess(const AxisValues& a, const AxisValues& b) {
  std::set<std::string> names;
  for (const auto& [name, value] : a) names.insert(name);
  for (const auto& [name, value] : b) names.insert(name);
  for (const std::string& name : names) {
    const std::string left = ValueOf(a, name).value_or("");
    const std::string right = ValueOf(b, name).value_or("");
    if (left != right) return AxisValueLess(left, right);
  }
  return false;
}

std::vector<Experiment> FindExperiments(const Run& run) {
  std::map<std::tuple<std::string, std::string, std::string>, Experiment> found;
  for (const TrialRow& row : run.trials) {
    Experiment& experiment = found[{row.workload, row.pattern, row.protocol}];
    experiment.title = "workload:" + row.workload;
    experiment.workload = row.workload;
    experiment.pattern = row.pattern;
    const std::string title = RestOfCell(row);
    auto combination = std::find_if(experiment.combinations.begin(), experiment.combinations.end(),
                                    [&](const Combination& other) { return other.title == title; });
    if (combination == experiment.combinations.end()) {
      combination = experiment.combinations.insert(combination, {title, AxesOf(row), {}});
    }
    auto& trials = combination->trials[ContenderName(row)];
    if (row.status == results::kTrialOk) trials.push_back(&row);
  }
  std::vector<Experiment> experiments;
  for (auto& [key, experiment] : found) {
    std::stable_sort(
        experiment.combinations.begin(), experiment.combinations.end(),
        [](const Combination& a, const Combination& b) { return AxesLess(a.axes, b.axes); });
    experiments.push_back(std::move(experiment));
  }
  return experiments;
}

std::string LabelOf(const results::Column& metric) {
  return metric.unit.empty() ? std::string(metric.label)
                             : fmt::format("{} [{}]", metric.label, metric.unit);
}

// Adds the metric's row unless nobody measured it, or a count of mishaps is 0 for all.
void AddRow(const Combination& combination, std::string_view metric, std::string label,
            FigureTable& table) {
  const auto* field = results::FindField<TrialRow>(metric);
  FigureRow row{std::move(label), &field->column, {}};
  bool has_figure = false;
  bool all_zero = field->column.type == results::ColumnType::kInteger;
  for (const std::string& contender : table.contenders) {
    std::vector<double>& values = row.repetitions.emplace_back();
    const auto trials = combination.trials.find(contender);
    if (trials == combination.trials.end()) continue;
    for (const TrialRow* trial : trials->second) {
      const std::optional<double> value = field->Measured(*trial);
      if (!value) continue;
      values.push_back(*value);
      has_figure = true;
      all_zero = all_zero && *value == 0;
    }
  }
  if (has_figure && !all_zero) table.rows.push_back(std::move(row));
}

FigureTable TableOf(const Experiment& experiment, const Combination& combination) {
  FigureTable table;
  table.title = combination.title;
  table.workload = experiment.workload;
  table.pattern = experiment.pattern;
  table.cell = combination.title;
  for (const auto& [contender, trials] : combination.trials) table.contenders.push_back(contender);
  for (const std::string_view metric :
       results::MetricsWith(experiment.pattern, MetricRole::kDescribed)) {
    AddRow(combination, metric, LabelOf(results::FindField<TrialRow>(metric)->column), table);
  }
  return table;
}

// The axes of which the experiment has several values.
std::vector<std::string> SweptAxes(const Experiment& experiment) {
  std::map<std::string, std::set<std::string>> values;
  for (const Combination& combination : experiment.combinations) {
    for (const auto& [name, value] : combination.axes) values[name].insert(value);
  }
  std::vector<std::string> swept;
  for (const auto& [name, all] : values) {
    if (all.size() > 1) swept.push_back(name);
  }
  return swept;
}

// The combinations that differ in this axis alone, each such set in the order of its values.
std::vector<std::vector<const Combination*>> Sweeps(const Experiment& experiment,
                                                    const std::string& axis) {
  std::map<AxisValues, std::vector<const Combination*>> by_rest;
  for (const Combination& combination : experiment.combinations) {
    AxisValues rest = combination.axes;
    rest.erase(axis);
    by_rest[rest].push_back(&combination);
  }
  std::vector<std::vector<const Combination*>> sweeps;
  for (auto& [rest, combinations] : by_rest) {
    if (combinations.size() < 2) continue;
    std::stable_sort(combinations.begin(), combinations.end(),
                     [&](const Combination* a, const Combination* b) {
                       return AxisValueLess(ValueOf(a->axes, axis).value_or(""),
                                            ValueOf(b->axes, axis).value_or(""));
                     });
    sweeps.push_back(std::move(combinations));
  }
  return sweeps;
}

FigureTable SweepTable(const Experiment& experiment, const std::vector<const Combination*>& sweep,
                       const std::string& axis, std::string_view metric) {
  FigureTable table;
  table.corner = axis;
  table.workload = experiment.workload;
  table.pattern = experiment.pattern;
  table.title = experiment.title;
  for (const auto& [name, value] : sweep.front()->axes) {
    if (name != axis) table.title += fmt::format("/{}:{}", name, value);
  }
  table.title +=
      fmt::format(", {} by {}", LabelOf(results::FindField<TrialRow>(metric)->column), axis);
  std::set<std::string> contenders;
  std::set<std::string> concerned;  // they have values of the axis
  for (const Combination* combination : sweep) {
    for (const auto& [contender, trials] : combination->trials) {
      contenders.insert(contender);
      if (combination->axes.contains(axis)) concerned.insert(contender);
    }
  }
  table.contenders.assign(contenders.begin(), contenders.end());
  for (const Combination* combination : sweep) {
    const auto value = ValueOf(combination->axes, axis);
    Combination row = *combination;
    // Their trials without it are of another experiment.
    if (!value) {
      std::erase_if(row.trials, [&](const auto& each) { return concerned.contains(each.first); });
    }
    AddRow(row, metric, value.value_or("(not set)"), table);
  }
  if (table.rows.size() < 2) table.rows.clear();
  return table;
}

}  // namespace

std::string RestOfCell(const TrialRow& row) {
  const size_t workload = row.cell.find("workload:");
  return workload == std::string::npos
             ? fmt::format("workload:{}/connections:{}", row.workload, row.connections)
             : row.cell.substr(workload);
}

std::vector<FigureTable> BuildTables(const Run& run) {
  std::vector<FigureTable> tables;
  const auto add = [&](FigureTable table) {
    if (!table.rows.empty()) tables.push_back(std::move(table));
  };
  for (const Experiment& experiment : FindExperiments(run)) {
    for (const std::string& axis : SweptAxes(experiment)) {
      for (const auto& sweep : Sweeps(experiment, axis)) {
        for (const std::string_view metric :
             results::MetricsWith(experiment.pattern, MetricRole::kHeadline)) {
          add(SweepTable(experiment, sweep, axis, metric));
        }
      }
    }
    for (const Combination& combination : experiment.combinations) {
      add(TableOf(experiment, combination));
    }
  }
  return tables;
}

}  // namespace connbench::plots
