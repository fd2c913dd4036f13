// Charts of what a connection takes of the machine, and of where a pool's time goes.
#include <fmt/format.h>

#include <algorithm>

#include "plots/charts/special_charts.h"
#include "plots/draw/values.h"
#include "plots/summary.h"

namespace connbench::plots {
namespace {

using results::TrialRow;

struct Part {
  const char* label;
  Metric metric;
};
constexpr Part kMemory[] = {
    {"private memory", &TrialRow::private_kb_per_connection},
    {"page tables", &TrialRow::page_tables_kb_per_connection},
    {"kernel stacks", &TrialRow::kernel_stack_kb_per_connection},
    {"kernel objects", &TrialRow::slab_unreclaimable_kb_per_connection},
    {"socket buffers", &TrialRow::socket_kb_per_connection},
};

std::optional<double> MedianMetric(const std::vector<const Trial*>& trials, Metric metric) {
  std::vector<double> values =
      Measured(trials, [metric](const TrialRow& row) { return row.*metric; });
  if (values.empty()) return std::nullopt;
  return MedianOf(std::move(values));
}

// The whole of each trial's memory, as tables and sentences give it, with its slope's interval.
// A trial lies within its own interval, so the median does within the medians of the ends.
void UseMedianOfWholes(const std::vector<const Trial*>& trials, Bar& bar) {
  const auto whole = MedianMetric(trials, &TrialRow::memory_kb_per_connection);
  double sum = 0;
  for (const double part : bar.parts) sum += part;
  if (!whole || *whole <= 0 || sum <= 0) return;
  // Medians of parts add up to a little more or less than the median of sums.
  for (double& part : bar.parts) part *= *whole / sum;
  const auto has_interval = [](const Trial* trial) {
    const TrialRow& row = *trial->row;
    return !row.memory_kb_per_connection ||
           (row.memory_kb_per_connection_low && row.memory_kb_per_connection_high);
  };
  if (!std::all_of(trials.begin(), trials.end(), has_interval)) return;
  bar.low = *MedianMetric(trials, &TrialRow::memory_kb_per_connection_low);
  bar.high = *MedianMetric(trials, &TrialRow::memory_kb_per_connection_high);
}

// Per service, so that the parts of a bar are those of one wait for a worker.
std::optional<double> ResetPerService(const TrialRow& row) {
  if (row.pool_services.value_or(0) == 0) return std::nullopt;
  return row.pool_reset_us_mean.value_or(0) * static_cast<double>(row.pool_resets.value_or(0)) /
         static_cast<double>(*row.pool_services);
}

}  // namespace

std::optional<Chart> Memory(const Experiment& all) {
  const Experiment experiment = all.AtMostConnections();
  Chart chart = ChartFor(experiment, "memory");
  chart.kind = ChartKind::kBars;
  chart.title = "Memory of one connection";
  chart.question = "How much memory does each connection take from the machine?";
  chart.caption =
      "What a connection takes: private memory, page tables, which each process needs for itself, "
      "a kernel stack for each thread, the kernel's objects and socket buffers. A bar's length is "
      "the median of the trials' sums; its parts are medians, scaled to add up to that. RSS is "
      "printed for comparison only: it counts shared memory once for each process.";
  chart.metric = "memory_kb_per_connection";
  chart.better = "lower is better";
  chart.x_label = "memory per connection, growth over connection counts";
  chart.x_unit = "kB";
  for (const Part& part : kMemory) chart.parts.emplace_back(part.label);
  for (const auto& [label, trials] : ByLabel(experiment)) {
    Bar bar;
    bar.label = label;
    bar.contender = ContenderName(*trials.front()->row);
    bar.family = FamilyOf(bar.contender);
    bool measured = false;
    for (const Part& part : kMemory) {
      const auto value = MedianMetric(trials, part.metric);
      measured = measured || value;
      // What shrinks by the noise of the machine has no length.
      bar.parts.push_back(std::max(0.0, value.value_or(0)));
    }
    if (!measured) continue;
    UseMedianOfWholes(trials, bar);
    if (const auto rss = MedianMetric(trials, &TrialRow::rss_kb_per_connection)) {
      bar.remark = fmt::format("(RSS {})", PrintValue(std::max(0.0, *rss), "kB"));
    }
    chart.bars.push_back(std::move(bar));
  }
  if (chart.bars.empty()) return std::nullopt;
  SortRows(chart);
  NoteMissing(experiment, chart, "the processes of that server cannot be seen");
  return chart;
}

std::optional<Chart> Pool(const Experiment& experiment) {
  Chart chart = ChartFor(experiment, "pool");
  chart.kind = ChartKind::kBars;
  chart.title = "Where a session's time goes in a pool";
  chart.question = "Do requests wait for a worker, or for the work?";
  chart.caption =
      "Each time a session has something to do it waits for a worker of its pool, is served, and "
      "may make the next session wait until the worker is reset.";
  chart.better = "lower is better";
  chart.x_label = "mean time of one service";
  chart.x_unit = "us";
  chart.parts = {"waiting for a worker", "being served", "resetting the worker"};
  for (const auto& [label, trials] : ByLabel(experiment)) {
    const auto service = MedianMetric(trials, &TrialRow::pool_service_us_mean);
    if (!service) continue;
    Bar bar;
    bar.label = label;
    bar.contender = ContenderName(*trials.front()->row);
    bar.family = FamilyOf(bar.contender);
    const double reset = MedianOf(Measured(trials, ResetPerService));
    bar.parts = {MedianMetric(trials, &TrialRow::pool_wait_us_mean).value_or(0), *service,
                 reset > 0 ? reset : 0};
    chart.bars.push_back(std::move(bar));
  }
  if (chart.bars.empty()) return std::nullopt;
  SortRows(chart);
  NoteMissing(experiment, chart, "a session has its process, thread or loop to itself");
  return chart;
}

}  // namespace connbench::plots
