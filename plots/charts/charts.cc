// The charts connbench knows, and which of them are asked for.
#include "plots/charts.h"

#include <fmt/format.h>

#include <algorithm>
#include <filesystem>
#include <set>
#include <utility>

#include "base/near_names.h"
#include "plots/charts/experiments.h"
#include "plots/charts/metric_chart.h"
#include "plots/charts/special_charts.h"
#include "results/metrics.h"

namespace connbench::plots {
namespace {

using results::MetricRole;
using results::Run;
using results::TrialRow;

struct SpecialChart {
  std::string_view topic;
  std::optional<Chart> (*build)(const Experiment&);
  std::vector<std::string_view> patterns;

  bool IsFor(std::string_view pattern) const {
    const auto known = results::MetricPatterns();
    return std::find(known.begin(), known.end(), pattern) == known.end() ||
           std::find(patterns.begin(), patterns.end(), pattern) != patterns.end();
  }
};

const std::vector<SpecialChart>& SpecialCharts() {
  static const std::vector<SpecialChart> kCharts = {
#define CONNBENCH_CHART(topic, builder, ...) {topic, builder, {__VA_ARGS__}},
#include "plots/charts/charts.def"
#undef CONNBENCH_CHART
  };
  return kCharts;
}

// What a pattern is judged by; of one that is not known, what every client feels.
std::vector<std::string_view> MetricsOf(const Experiment& experiment) {
  auto metrics = results::MetricsWith(experiment.pattern, MetricRole::kGated);
  if (metrics.empty()) metrics = {"throughput_tps", "request_us_p99"};
  return metrics;
}

// Judged for no pattern, and the answer where servers keep their data: shown where it was measured.
constexpr std::string_view kLogMetrics[] = {
    "transactions_per_log_flush", "commit_wait_us_per_transaction", "log_bytes_per_transaction"};

void AddChartsOf(const Experiment& experiment, std::vector<Chart>& charts) {
  const auto add = [&](std::vector<Chart> more) {
    for (Chart& chart : more) charts.push_back(std::move(chart));
  };
  const std::vector<std::string>& wanted = experiment.request.metrics;
  if (!wanted.empty()) {
    for (const std::string& metric : wanted) {
      std::vector<Chart> more = MetricCharts(experiment, metric);
      for (Chart& chart : more) {
        // Two metrics can share a topic.
        chart.name = metric + chart.name.substr(chart.topic.size());
      }
      add(std::move(more));
    }
    return;
  }
  std::vector<Chart> special;
  for (const SpecialChart& each : SpecialCharts()) {
    if (!each.IsFor(experiment.pattern)) continue;
    if (auto chart = each.build(experiment)) special.push_back(std::move(*chart));
  }
  // What shows a headline in its parts stands in its place.
  const auto in_parts = [&](std::string_view metric) {
    return std::find_if(special.begin(), special.end(),
                        [&](const Chart& chart) { return chart.metric == metric; });
  };
  const auto metrics = MetricsOf(experiment);
  const auto is_headline = [&](std::string_view metric) {
    return results::RoleOf(experiment.pattern, metric) == MetricRole::kHeadline ||
           experiment.pattern.empty();
  };
  for (const std::string_view metric : metrics) {
    const auto found = in_parts(metric);
    if (found != special.end()) {
      charts.push_back(*found);
    } else if (is_headline(metric)) {
      add(MetricCharts(experiment, metric));
    }
  }
  for (Chart& chart : special) {
    if (chart.metric.empty()) charts.push_back(std::move(chart));
  }
  for (const std::string_view metric : metrics) {
    if (!is_headline(metric) && in_parts(metric) == special.end()) {
      add(MetricCharts(experiment, metric));
    }
  }
  for (const std::string_view metric : kLogMetrics) add(MetricCharts(experiment, metric));
}

Status CheckAxis(const std::vector<Experiment>& experiments, const std::string& axis) {
  if (axis.empty() || axis == "contender") return Status::Ok();
  std::set<std::string> known = {"contender"};
  for (const Experiment& experiment : experiments) {
    for (const Trial& trial : experiment.trials) {
      for (const auto& [name, value] : trial.axes) known.insert(name);
    }
  }
  if (known.contains(axis)) return Status::Ok();
  return Status::Error(sqlstate::kUndefinedObject,
                       fmt::format("\"{}\" is not an axis of this run", axis))
      .WithHint(fmt::format("It has: {}.", fmt::join(known, ", ")));
}

bool IsWanted(const Chart& chart, const std::vector<std::string>& topics) {
  return topics.empty() || std::any_of(topics.begin(), topics.end(), [&](const std::string& topic) {
           return topic == chart.topic || topic == chart.name || topic == chart.metric;
         });
}

}  // namespace

std::vector<Chart> ChartsOf(const Run& run) {
  Result<std::vector<Chart>> charts = ChartsOf(run, ChartRequest{});
  return charts.ok() ? std::move(*charts) : std::vector<Chart>();
}

Result<std::vector<Chart>> ChartsOf(const Run& run, const ChartRequest& request) {
  for (const std::string& metric : request.metrics) {
    const auto* field = results::FindField<TrialRow>(metric);
    if (field != nullptr && !field->column.is_axis() &&
        field->column.type != results::ColumnType::kText) {
      continue;
    }
    return Status::Error(sqlstate::kUndefinedObject, fmt::format("\"{}\" is not a metric", metric))
        .WithHint("\"connbench list metrics\" has them all.");
  }
  const std::vector<Experiment> experiments = ExperimentsOf(run, request);
  CONNBENCH_RETURN_IF_ERROR(CheckAxis(experiments, request.x));
  CONNBENCH_RETURN_IF_ERROR(CheckAxis(experiments, request.by));
  std::vector<Chart> charts;
  if (request.metrics.empty()) {
    if (auto chart = Crossover(run)) charts.push_back(std::move(*chart));
  }
  for (const Experiment& experiment : experiments) AddChartsOf(experiment, charts);
  std::set<std::string> topics;
  std::vector<Chart> wanted;
  std::set<std::string> names;
  for (Chart& chart : charts) {
    topics.insert(chart.topic);
    if (!IsWanted(chart, request.topics)) continue;
    // Workloads whose names differ in signs alone.
    std::string name = chart.name;
    for (int number = 2; !names.insert(name).second; ++number) {
      name = fmt::format("{}-{}", chart.name, number);
    }
    chart.name = name;
    wanted.push_back(std::move(chart));
  }
  if (wanted.empty() && !request.topics.empty()) {
    return Status::Error(sqlstate::kUndefinedObject,
                         fmt::format("this run has no chart \"{}\"", request.topics.front()))
        .WithHint(topics.empty() ? "It has no data for any."
                                 : fmt::format("It has: {}.", fmt::join(topics, ", ")));
  }
  return wanted;
}

Run MergeRuns(std::vector<Run> runs) {
  Run merged;
  if (runs.empty()) return merged;
  int64_t offset = 0;
  std::string ids;
  for (Run& run : runs) {
    int64_t last = offset;
    const auto take = [&](auto& rows, auto& into) {
      for (auto& row : rows) {
        row.trial += offset;
        row.cell += "/run:" + run.info.run_id;
        last = std::max(last, row.trial);
        into.push_back(std::move(row));
      }
    };
    take(run.trials, merged.trials);
    take(run.latency, merged.latency);
    take(run.phases, merged.phases);
    take(run.timeseries, merged.timeseries);
    take(run.memory, merged.memory);
    take(run.errors, merged.errors);
    offset = last;
    ids += (ids.empty() ? "" : ", ") + run.info.run_id;
  }
  merged.folder = runs.front().folder;
  merged.info = runs.front().info;
  merged.info.run_id = ids;
  // What differs between them is not said of all.
  for (const Run& run : runs) {
    if (run.info.settings != merged.info.settings) merged.info.settings.clear();
    if (run.info.git_sha != merged.info.git_sha) merged.info.git_sha.clear();
    if (run.info.cpu_model != merged.info.cpu_model) merged.info.cpus_online = 0;
    if (run.info.kernel != merged.info.kernel) merged.info.kernel.clear();
  }
  merged.info.crossover.clear();
  return merged;
}

}  // namespace connbench::plots
