// The chart of timeseries.csv: latency over time.
#include <algorithm>
#include <map>

#include "plots/charts/special_charts.h"
#include "plots/summary.h"

namespace connbench::plots {

std::optional<Chart> OverTime(const Experiment& all) {
  const Experiment experiment = all.AtMostConnections();
  Chart chart = ChartFor(experiment, "over_time");
  chart.title = "Latency over time";
  chart.question = "When does the disturbance begin to hurt, and when is it over?";
  chart.caption =
      "The 99th percentile in slices of 100 ms. A gap is a slice in which no transaction ended.";
  chart.better = "lower is better";
  chart.x_label = "time since the load began";
  chart.x_unit = "ms";
  chart.y_label = "99th percentile of latency";
  chart.y_unit = "us";
  struct Slices {
    std::string contender;
    std::map<int64_t, std::vector<double>> us;
  };
  std::map<std::string, Slices> by_label;
  for (const results::TimeseriesRow& row : experiment.run->timeseries) {
    const Trial* trial = experiment.TrialOf(row.trial);
    if (trial == nullptr || !row.latency_us_p99) continue;
    Slices& slices = by_label[LabelOf(experiment, *trial)];
    slices.contender = ContenderName(*trial->row);
    slices.us[row.time_ms].push_back(*row.latency_us_p99);
  }
  for (const auto& [label, slices] : by_label) {
    Series series;
    series.label = label;
    series.contender = slices.contender;
    series.family = FamilyOf(series.contender);
    for (const auto& [time_ms, values] : slices.us) {
      const double median = MedianOf(values);
      series.points.push_back({static_cast<double>(time_ms), median, median, median});
    }
    chart.series.push_back(std::move(series));
  }
  if (chart.series.empty()) return std::nullopt;
  chart.log_y = SpansDecades(chart);
  NoteMissing(experiment, chart, "no transaction ended there");
  return chart;
}

}  // namespace connbench::plots
