// A run as charts see it.
#include "plots/charts/experiments.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <set>
#include <tuple>

#include "harness/stats/intervals.h"
#include "plots/summary.h"
#include "results/metrics.h"

namespace connbench::plots {
namespace {

using results::Run;
using results::TrialRow;

constexpr std::string_view kConnections = "connections";
// Of the cell's name, but no axis of the experiment.
constexpr std::string_view kProtocol = "protocol";

AxisValues AxesOf(const TrialRow& row) {
  AxisValues axes = AxesOfCell(row.cell);
  axes.erase(std::string(kProtocol));
  axes.insert_or_assign(std::string(kConnections), std::to_string(row.connections));
  return axes;
}

size_t PlaceOf(std::string_view pattern) {
  const auto patterns = results::MetricPatterns();
  return static_cast<size_t>(std::find(patterns.begin(), patterns.end(), pattern) -
                             patterns.begin());
}

using AxisNames = std::set<std::string>;

AxisNames NamesOf(const TrialRow& row) {
  AxisNames names;
  for (const auto& [name, value] : AxesOf(row)) names.insert(name);
  return names;
}

// Experiments of a suite that share a workload, told apart by what they vary: a trial of one that
// does not vary an axis has no place on it. A contender that no axis tells apart (PostgreSQL, where
// a setting of our models is varied) stays beside the others, in the experiment that is most like
// its own. Fewest axes first.
std::vector<std::vector<const TrialRow*>> ByAxes(const std::vector<const TrialRow*>& rows) {
  std::map<std::string, std::set<AxisNames>> of_contender;
  for (const TrialRow* row : rows) of_contender[ContenderName(*row)].insert(NamesOf(*row));
  std::vector<AxisNames> parts;
  for (const auto& [contender, all] : of_contender) {
    if (all.size() < 2) continue;
    for (const AxisNames& names : all) {
      if (std::ranges::find(parts, names) == parts.end()) parts.push_back(names);
    }
  }
  if (parts.empty()) return {rows};
  std::ranges::stable_sort(parts, [](const AxisNames& a, const AxisNames& b) {
    return std::pair(a.size(), a) < std::pair(b.size(), b);
  });
  std::vector<std::vector<const TrialRow*>> split(parts.size());
  for (const TrialRow* row : rows) {
    const AxisNames names = NamesOf(*row);
    const auto shared = [&](const AxisNames& part) {
      const auto common = std::ranges::count_if(
          names, [&](const std::string& name) { return part.contains(name); });
      // Of those with as many in common the one that varies least beside them.
      return std::pair(common, -static_cast<int64_t>(part.size()));
    };
    const auto best = std::ranges::max_element(parts, {}, shared);
    split[static_cast<size_t>(best - parts.begin())].push_back(row);
  }
  std::erase_if(split, [](const auto& part) { return part.empty(); });
  return split;
}

AxisNames NamesOf(const std::vector<const TrialRow*>& part) {
  AxisNames names;
  for (const TrialRow* row : part) names.merge(NamesOf(*row));
  return names;
}

// What an experiment varies that not all of those with its workload do: "-huge_pages".
std::string WhatElse(const std::vector<const TrialRow*>& part,
                     const std::vector<std::vector<const TrialRow*>>& all) {
  std::vector<AxisNames> names;
  for (const auto& other : all) names.push_back(NamesOf(other));
  std::string text;
  for (const std::string& name : NamesOf(part)) {
    const bool everywhere =
        std::ranges::all_of(names, [&](const AxisNames& other) { return other.contains(name); });
    if (!everywhere) text += "-" + name;
  }
  return text;
}

std::vector<std::string> SweptAxes(const std::vector<Trial>& trials) {
  std::map<std::string, std::set<std::string>> values;
  std::set<std::string> names;
  for (const Trial& trial : trials) {
    for (const auto& [name, value] : trial.axes) names.insert(name);
  }
  for (const Trial& trial : trials) {
    for (const std::string& name : names) {
      const auto found = trial.axes.find(name);
      values[name].insert(found == trial.axes.end() ? "" : found->second);
    }
  }
  std::vector<std::string> swept;
  for (const auto& [name, all] : values) {
    if (all.size() > 1) swept.push_back(name);
  }
  std::stable_partition(swept.begin(), swept.end(),
                        [](const std::string& name) { return name == kConnections; });
  return swept;
}

std::string PrintAxis(const std::string& axis, const std::string& value) {
  if (axis == kConnections) return fmt::format("{} connections", value);
  if (axis == "run") return value;
  return fmt::format("{}={}", axis, value.empty() ? "(empty)" : value);
}

std::string Repetitions(const std::vector<Trial>& trials) {
  std::map<std::string_view, size_t> valid;
  for (const Trial& trial : trials) ++valid[trial.row->cell];
  if (valid.empty()) return "no valid repetition";
  const auto [least, most] = std::minmax_element(
      valid.begin(), valid.end(), [](const auto& a, const auto& b) { return a.second < b.second; });
  if (least->second != most->second) {
    return fmt::format("{} to {} valid repetitions", least->second, most->second);
  }
  return fmt::format("{} valid repetition{}", most->second, most->second == 1 ? "" : "s");
}

std::string Conditions(const Experiment& experiment) {
  std::string text = fmt::format("workload {}", experiment.workload);
  if (!experiment.pattern.empty() && experiment.pattern != experiment.workload) {
    text += fmt::format(" (pattern {})", experiment.pattern);
  }
  if (!experiment.protocol.empty()) text += fmt::format(", protocol {}", experiment.protocol);
  if (experiment.trials.empty()) return text;
  // What all trials share.
  for (const auto& [axis, value] : experiment.trials.front().axes) {
    const auto& swept = experiment.swept;
    if (std::find(swept.begin(), swept.end(), axis) == swept.end()) {
      text += ", " + PrintAxis(axis, value);
    }
  }
  for (const auto& [name, value] : experiment.run->info.settings) {
    text += fmt::format(", {}={}", name, value);
  }
  return fmt::format("{}; median of {}", text, Repetitions(experiment.trials));
}

}  // namespace

const Trial* Experiment::TrialOf(int64_t number) const {
  const auto found = std::find_if(trials.begin(), trials.end(),
                                  [&](const Trial& trial) { return trial.row->trial == number; });
  return found == trials.end() ? nullptr : &*found;
}

std::vector<std::string> Experiment::ValuesOf(const std::string& axis) const {
  std::vector<std::string> values;
  for (const Trial& trial : trials) {
    const auto found = trial.axes.find(axis);
    const std::string value = found == trial.axes.end() ? "" : found->second;
    if (std::find(values.begin(), values.end(), value) == values.end()) values.push_back(value);
  }
  std::sort(values.begin(), values.end(), AxisValueLess);
  return values;
}

bool Experiment::IsNumeric(const std::string& axis) const {
  const auto values = ValuesOf(axis);
  return std::all_of(values.begin(), values.end(),
                     [](const std::string& value) { return AxisNumber(value).has_value(); });
}

Experiment Experiment::AtMostConnections() const {
  Experiment most = *this;
  int64_t connections = 0;
  for (const Trial& trial : trials) connections = std::max(connections, trial.row->connections);
  std::erase_if(most.trials,
                [&](const Trial& trial) { return trial.row->connections != connections; });
  most.swept = SweptAxes(most.trials);
  return most;
}

std::vector<Experiment> ExperimentsOf(const Run& run, const ChartRequest& request) {
  std::map<std::tuple<size_t, std::string, std::string>, std::vector<const TrialRow*>> found;
  std::map<std::string, std::set<std::string>> protocols;
  for (const TrialRow& row : run.trials) {
    found[{PlaceOf(row.pattern), row.workload, row.protocol}].push_back(&row);
    protocols[row.workload].insert(row.protocol);
  }
  std::vector<Experiment> experiments;
  for (const auto& [key, rows] : found) {
    const auto parts = ByAxes(rows);
    for (const auto& part : parts) {
      Experiment experiment;
      experiment.workload = part.front()->workload;
      experiment.pattern = part.front()->pattern;
      experiment.protocol = part.front()->protocol;
      std::set<std::string> contenders;
      for (const TrialRow* row : part) {
        contenders.insert(ContenderName(*row));
        if (row->status == results::kTrialOk) experiment.trials.push_back({row, AxesOf(*row)});
      }
      experiment.contenders.assign(contenders.begin(), contenders.end());
      experiment.swept = SweptAxes(experiment.trials);
      experiment.run = &run;
      experiment.request = request;
      experiment.id = experiment.workload;
      if (protocols[experiment.workload].size() > 1) experiment.id += "-" + experiment.protocol;
      if (parts.size() > 1) experiment.id += WhatElse(part, parts);
      experiments.push_back(std::move(experiment));
    }
  }
  return experiments;
}

std::string LabelOf(const Experiment& experiment, const Trial& trial, std::string_view x) {
  std::vector<std::string> parts;
  // An axis that does not concern the contender says nothing of it.
  const auto add = [&](const std::string& axis) {
    const auto found = trial.axes.find(axis);
    if (found != trial.axes.end()) parts.push_back(PrintAxis(axis, found->second));
  };
  const std::string& by = experiment.request.by;
  const bool by_axis = !by.empty() && by != "contender";
  if (by_axis) add(by);
  if (parts.empty() || experiment.contenders.size() > 1) parts.push_back(ContenderName(*trial.row));
  for (const std::string& axis : experiment.swept) {
    if (axis != x && !(by_axis && axis == by)) add(axis);
  }
  return fmt::format("{}", fmt::join(parts, ", "));
}

std::map<std::string, std::vector<const Trial*>> ByLabel(const Experiment& experiment,
                                                         std::string_view x) {
  std::map<std::string, std::vector<const Trial*>> by_label;
  for (const Trial& trial : experiment.trials) {
    by_label[LabelOf(experiment, trial, x)].push_back(&trial);
  }
  return by_label;
}

double MedianOf(std::vector<double> values) { return stats::Median(values).value_or(kNoValue); }

Point PointOf(double x, std::vector<double> repetitions) {
  Point point;
  point.x = x;
  point.y = MedianOf(repetitions);
  point.low = point.high = point.y;
  if (const auto interval = stats::MedianInterval(repetitions)) {
    point.low = interval->low;
    point.high = interval->high;
  }
  if (repetitions.size() > 1) point.repetitions = std::move(repetitions);
  return point;
}

std::vector<double> Measured(const std::vector<const Trial*>& trials, const Figure& figure) {
  std::vector<double> values;
  for (const Trial* trial : trials) {
    if (const auto value = figure(*trial->row)) values.push_back(*value);
  }
  return values;
}

// Without what a path, or a shell to which somebody gives the name, would take for something else.
std::string FileNameOf(std::string name) {
  constexpr std::string_view kOther = "/\"'`$\\&;|<>";
  for (char& c : name) {
    const bool is_plain =
        static_cast<unsigned char>(c) > ' ' && kOther.find(c) == std::string_view::npos;
    if (!is_plain) c = '_';
  }
  return name;
}

Chart ChartFor(const Experiment& experiment, std::string_view topic) {
  Chart chart;
  chart.topic = topic;
  chart.name = FileNameOf(fmt::format("{}-{}", topic, experiment.id));
  chart.pattern = experiment.pattern;
  chart.workload = experiment.workload;
  chart.subtitle = Conditions(experiment);
  chart.source = SourceOf(*experiment.run);
  return chart;
}

void NoteMissing(const Experiment& experiment, Chart& chart, std::string_view why) {
  std::set<std::string> shown;
  for (const Series& series : chart.series) shown.insert(series.contender);
  for (const Bar& bar : chart.bars) shown.insert(bar.contender);
  std::string missing;
  std::string invalid;
  for (const std::string& contender : experiment.contenders) {
    if (shown.contains(contender)) continue;
    const bool has_trial =
        std::any_of(experiment.trials.begin(), experiment.trials.end(),
                    [&](const Trial& trial) { return ContenderName(*trial.row) == contender; });
    std::string& list = has_trial ? missing : invalid;
    list += (list.empty() ? "" : ", ") + contender;
  }
  if (!missing.empty()) chart.notes.push_back(fmt::format("Not shown: {}; {}.", missing, why));
  if (!invalid.empty()) {
    chart.notes.push_back(fmt::format("Not shown: {}; without a valid trial.", invalid));
  }
}

void SortRows(Chart& chart) {
  const bool higher = chart.better == "higher is better";
  const auto worth = [&](const Bar& bar) {
    double sum = 0;
    for (const double part : bar.parts) {
      if (chart.kind == ChartKind::kDots || chart.kind == ChartKind::kShape) {
        if (std::isfinite(part)) return part;
      } else {
        sum += std::isfinite(part) ? part : 0;
      }
    }
    return sum;
  };
  std::stable_sort(chart.bars.begin(), chart.bars.end(), [&](const Bar& a, const Bar& b) {
    return higher ? worth(a) > worth(b) : worth(a) < worth(b);
  });
}

bool SpansDecades(const Chart& chart) {
  constexpr double kTooWide = 25;
  double least = std::numeric_limits<double>::infinity();
  double most = 0;
  const auto see = [&](double value) {
    if (!std::isfinite(value)) return;
    least = std::min(least, value);
    most = std::max(most, value);
  };
  for (const Series& series : chart.series) {
    for (const Point& point : series.points) see(point.y);
  }
  for (const Bar& bar : chart.bars) {
    for (const double part : bar.parts) see(part);
  }
  return least > 0 && most > kTooWide * least;
}

std::string SourceOf(const Run& run) {
  const results::RunInfo& info = run.info;
  std::string text = fmt::format("run {}", info.run_id);
  const auto add = [&](const std::string& words) {
    if (!words.empty()) text += "; " + words;
  };
  // The day is enough.
  add(info.started_at.substr(0, info.started_at.find('T')));
  std::string build = info.connbench_version.empty() ? "" : "connbench " + info.connbench_version;
  if (!info.git_sha.empty()) {
    constexpr size_t kShortSha = 10;
    build += fmt::format(" ({}{})", info.git_sha.substr(0, kShortSha), info.git_dirty ? "+" : "");
  }
  add(build);
  if (info.cpus_online > 0) {
    add(fmt::format("{} CPU{} {}", info.cpus_online, info.cpus_online == 1 ? "" : "s",
                    info.cpu_model));
  }
  add(info.kernel.empty() ? "" : "Linux " + info.kernel);
  return text;
}

}  // namespace connbench::plots
