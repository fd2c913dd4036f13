#include "plots/charts.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <map>
#include <optional>
#include <set>
#include <utility>

#include "plots/crossover_chart.h"
#include "plots/memory_charts.h"
#include "plots/pool_charts.h"
#include "plots/summary.h"

namespace connbench::plots {
namespace {

using results::Run;
using results::TrialRow;

constexpr double kLongestPercentileShown = 0.99999;

// Of the workload's cells; connections: only of those with so many, 0: of all.
std::string Repetitions(const Run& run, std::string_view workload, int64_t connections = 0) {
  return PrintRepetitions(run, [&](const TrialRow& row) {
    return row.workload == workload && (connections == 0 || row.connections == connections);
  });
}

std::vector<Tick> CountTicks(const std::vector<int64_t>& counts) {
  std::vector<Tick> ticks;
  ticks.reserve(counts.size());
  for (const int64_t count : counts) {
    ticks.push_back({static_cast<double>(count), fmt::format("{}", count)});
  }
  return ticks;
}

// One line per series: the metric against the number of connections.
std::optional<Chart> MetricByConnections(const Run& run, Chart chart,
                                         const std::vector<std::string_view>& preferred,
                                         double TrialRow::*metric) {
  const std::string workload = ChooseWorkload(run, preferred, metric);
  const auto counts = ConnectionCounts(run, workload);
  for (const std::string& name : SeriesNames(run)) {
    Series series{name, {}};
    for (const int64_t connections : counts) {
      const auto spread = CellSpread(run, workload, name, connections,
                                     [&](const TrialRow& row) { return row.*metric; });
      if (!spread) continue;
      series.points.push_back(
          {static_cast<double>(connections), spread->median, spread->low, spread->high});
    }
    if (!series.points.empty()) chart.series.push_back(std::move(series));
  }
  if (chart.series.empty()) return std::nullopt;
  chart.subtitle =
      fmt::format("workload {}, medians and range of {}", workload, Repetitions(run, workload));
  chart.x_label = "connections";
  chart.log_x = counts.size() > 1 && counts.front() > 0;
  chart.x_ticks = CountTicks(counts);
  return chart;
}

std::optional<Chart> ThroughputByConnections(const Run& run) {
  Chart chart;
  chart.name = "throughput";
  chart.title = "Throughput against connections";
  chart.caption =
      "Higher is better. All clients are busy all the time; the machine has as many cores as "
      "before, so a falling line is what the model pays for handing them to more clients.";
  chart.y_label = "transactions per second";
  return MetricByConnections(run, std::move(chart), {"steady", "select-only"},
                             &TrialRow::throughput_tps);
}

std::optional<Chart> TailLatencyByConnections(const Run& run) {
  Chart chart;
  chart.name = "latency_p99";
  chart.title = "99th percentile of latency against connections";
  chart.caption = "Lower is better. One transaction in a hundred takes longer than this.";
  chart.y_label = "latency p99 (us)";
  chart.log_y = true;
  return MetricByConnections(run, std::move(chart), {"steady", "select-only"},
                             &TrialRow::latency_us_p99);
}

std::optional<Chart> LatencyDistribution(const Run& run) {
  const std::string workload =
      ChooseWorkload(run, {"steady", "select-only"}, &TrialRow::latency_us_p99);
  const auto counts = ConnectionCounts(run, workload);
  if (counts.empty()) return std::nullopt;
  const int64_t connections = counts.back();
  // series -> percentile -> the repetitions' latencies
  std::map<std::string, std::map<double, std::vector<double>>> curves;
  for (const results::LatencyRow& row : run.latency) {
    if (row.workload == workload && row.connections == connections &&
        row.distribution == "transaction" && row.percentile < kLongestPercentileShown &&
        row.latency_us > 0 && IsOk(run, row.trial)) {
      curves[SeriesName(row)][row.percentile].push_back(row.latency_us);
    }
  }
  Chart chart;
  chart.name = "latency_distribution";
  chart.title = "Distribution of latency";
  chart.subtitle = fmt::format("workload {}, {} connections, median curve of {}", workload,
                               connections, Repetitions(run, workload, connections));
  chart.caption =
      "Lower is better. The further right, the rarer: a curve that bends upwards has a long tail. "
      "Percentiles are of all transactions of a trial, not averages of slices.";
  chart.x_label = "percentile";
  chart.y_label = "latency (us)";
  chart.log_x = true;
  chart.log_y = true;
  chart.x_ticks = {{1, "0"},       {2, "50"},        {10, "90"},     {100, "99"},
                   {1000, "99.9"}, {10000, "99.99"}, {1e5, "99.999"}};
  for (auto& [name, curve] : curves) {
    Series series{name, {}};
    // A percentile that only some repetitions are long enough to carry has another median.
    size_t repetitions = 0;
    for (const auto& [percentile, values] : curve) {
      repetitions = std::max(repetitions, values.size());
    }
    for (auto& [percentile, values] : curve) {
      if (values.size() < repetitions) continue;
      const double median = SpreadOf(values).median;
      series.points.push_back({1 / (1 - percentile), median, median, median});
    }
    chart.series.push_back(std::move(series));
  }
  if (chart.series.empty()) return std::nullopt;
  return chart;
}

// Stacked means of one side's phases, which follow each other without gap.
std::optional<Chart> PhaseCost(const Run& run, Chart chart,
                               const std::vector<std::string_view>& preferred,
                               std::string_view side = "joined") {
  std::string workload;
  for (const std::string_view name : preferred) {
    if (std::any_of(run.phases.begin(), run.phases.end(), [&](const results::PhaseRow& row) {
          return row.workload == name && row.side == side && IsOk(run, row.trial);
        })) {
      workload = name;
      break;
    }
  }
  const auto counts = ConnectionCounts(run, workload);
  if (workload.empty() || counts.empty()) return std::nullopt;
  const int64_t connections = counts.back();
  std::map<int64_t, std::string> phases;  // by position
  std::map<std::string, std::map<int64_t, std::vector<double>>> means;
  for (const results::PhaseRow& row : run.phases) {
    if (row.workload != workload || row.connections != connections || row.side != side ||
        !IsOk(run, row.trial)) {
      continue;
    }
    phases[row.position] = row.phase;
    means[SeriesName(row)][row.position].push_back(row.mean_us);
  }
  for (const auto& [position, phase] : phases) chart.parts.push_back(phase);
  for (auto& [name, by_position] : means) {
    Bar bar{"", name, {}, 0, 0};
    // Without one of the phases it would look cheaper than it is.
    if (by_position.size() < phases.size()) continue;
    for (const auto& [position, phase] : phases) {
      bar.parts.push_back(SpreadOf(by_position[position]).median);
    }
    chart.bars.push_back(std::move(bar));
  }
  chart.kind = ChartKind::kBars;
  chart.subtitle = fmt::format("workload {}, {} connections, means by phase, median of {}",
                               workload, connections, Repetitions(run, workload, connections));
  if (chart.y_label.empty()) chart.y_label = "time from connect() to first row (us)";
  if (chart.bars.empty()) return std::nullopt;
  return chart;
}

std::optional<Chart> ConnectionCost(const Run& run) {
  Chart chart;
  chart.name = "connection_cost";
  chart.title = "Where a connect spends its time";
  chart.caption =
      "Lower is better. Client and server stamp each connection with the same clock; joined by "
      "connection id, the phases follow each other without gap.";
  return PhaseCost(run, std::move(chart), {"churn"});
}

std::optional<Chart> ConnectionCpu(const Run& run) {
  Chart chart;
  chart.name = "connection_cpu";
  chart.title = "What a connection costs the server in CPU time";
  chart.caption =
      "Lower is better. CPU time of the threads that hand the connection over and serve it. Models "
      "whose threads have several connections open at a time are left out: their CPU clocks do not "
      "tell for whom they worked.";
  chart.y_label = "server CPU per connection (us)";
  return PhaseCost(run, std::move(chart), {"churn", "storm"}, "cpu");
}

std::optional<Chart> StormConnectionCost(const Run& run) {
  Chart chart;
  chart.name = "storm_connection_cost";
  chart.title = "Where a connect spends its time when all arrive at once";
  chart.caption =
      "Lower is better. In a storm most of the time is waiting: in the listen queue until accept, "
      "or for a CPU once served.";
  return PhaseCost(run, std::move(chart), {"storm", "failover-storm"});
}

// Servers that are not ours stamp nothing that could be joined: beside them, what every client sees.
bool HasOtherServers(const Run& run) {
  return std::any_of(run.trials.begin(), run.trials.end(), [](const TrialRow& row) {
    return row.status == results::kTrialOk && row.target != "builtin";
  });
}

std::optional<Chart> ConnectTime(const Run& run) {
  if (!HasOtherServers(run)) return std::nullopt;
  Chart chart;
  chart.name = "connect_time";
  chart.title = "What a connect costs its client";
  chart.caption =
      "Lower is better. What every client sees, whatever the server: until the socket is "
      "connected, "
      "until authenticated (starting a process or a thread is in it), until ready for queries, "
      "until "
      "the first row.";
  return PhaseCost(run, std::move(chart), {"churn"}, "client");
}

std::optional<Chart> StormConnectTime(const Run& run) {
  if (!HasOtherServers(run)) return std::nullopt;
  Chart chart;
  chart.name = "storm_connect_time";
  chart.title = "What a connect costs its client when all arrive at once";
  chart.caption =
      "Lower is better. The same as seen by the clients of a storm: most of it is waiting for "
      "those "
      "that were served before.";
  return PhaseCost(run, std::move(chart), {"storm", "failover-storm"}, "client");
}

std::optional<Chart> StormProgress(const Run& run) {
  const std::string workload =
      ChooseWorkload(run, {"storm", "failover-storm"}, &TrialRow::connects_per_s);
  if (workload.find("storm") == std::string::npos) return std::nullopt;
  const int64_t connections = ConnectionCounts(run, workload).back();
  // series -> percentile -> of each trial: when so many had been served, and how many that is
  struct Served {
    std::vector<double> ms;
    std::vector<double> connections;
  };
  std::map<std::string, std::map<double, Served>> curves;
  for (const results::LatencyRow& row : run.latency) {
    if (row.workload != workload || row.connections != connections ||
        row.distribution != "ready_since_release" || !IsOk(run, row.trial)) {
      continue;
    }
    Served& served = curves[SeriesName(row)][row.percentile];
    served.ms.push_back(row.latency_us / 1000);
    served.connections.push_back(static_cast<double>(row.samples));
  }
  Chart chart;
  chart.name = "storm_progress";
  chart.title = "Progress of a connection storm";
  chart.subtitle = fmt::format("workload {}, {} connections released at once, median of {}",
                               workload, connections, Repetitions(run, workload, connections));
  chart.caption =
      "Higher and further left is better: how many connections were ready so long after the first "
      "connect(), by the stamp of each. Steps of a second or more are TCP's retries after a full "
      "listen queue, not the model's time.";
  chart.x_label = "time since release (ms)";
  chart.y_label = "connections ready";
  for (auto& [name, curve] : curves) {
    Series series{name, {{0, 0, 0, 0}}};
    for (auto& [percentile, served] : curve) {
      const double ready = SpreadOf(served.connections).median;
      series.points.push_back({SpreadOf(served.ms).median, ready, ready, ready});
    }
    chart.series.push_back(std::move(series));
  }
  if (chart.series.empty()) return std::nullopt;
  return chart;
}

std::optional<Chart> ServerCpu(const Run& run) {
  const std::string churn =
      ChooseWorkload(run, {"churn", "storm"}, &TrialRow::server_cpu_us_per_connect);
  const auto counts = ConnectionCounts(run, churn);
  if (counts.empty()) return std::nullopt;
  Chart chart;
  chart.kind = ChartKind::kBars;
  chart.name = "cpu_per_connect";
  chart.title = "CPU time that the server spends on one connection";
  chart.subtitle = fmt::format("workload {}, {} connections at a time, median and range of {}",
                               churn, counts.back(), Repetitions(run, churn, counts.back()));
  chart.caption =
      "Lower is better. CPU time of the server's whole process tree, ended processes included, "
      "divided by the connections it served (each with its statements).";
  chart.y_label = "CPU per connection (us)";
  chart.parts = {"user and system CPU"};
  for (const std::string& name : SeriesNames(run)) {
    const auto spread = CellSpread(run, churn, name, counts.back(), [](const TrialRow& row) {
      return row.server_cpu_us_per_connect;
    });
    if (spread && spread->high > 0) {
      chart.bars.push_back({"", name, {spread->median}, spread->low, spread->high});
    }
  }
  if (chart.bars.empty()) return std::nullopt;
  return chart;
}

}  // namespace

std::vector<Chart> BuildCharts(const Run& run) {
  std::vector<Chart> charts;
#define CONNBENCH_CHART(builder) \
  if (auto chart = builder(run)) charts.push_back(std::move(*chart));
#include "plots/charts.def"
#undef CONNBENCH_CHART
  return charts;
}

}  // namespace connbench::plots
