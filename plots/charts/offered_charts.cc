// Open loops: what becomes of an offered rate, and where each contender's knee is.
#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <map>

#include "plots/charts/special_charts.h"
#include "plots/draw/values.h"
#include "plots/summary.h"
#include "results/metrics.h"

namespace connbench::plots {
namespace {

using results::TrialRow;

constexpr std::string_view kRate = "rate";
constexpr std::string_view kConnectRate = "connect_rate";
// A rate is served up to here: as a share of it, and as a multiple of the latency at the lowest.
constexpr double kServedShare = 0.9;
constexpr double kServedLatency = 5;

// The axis that says at which rate work or connections are due; empty: none was swept.
std::string OfferedAxis(const Experiment& experiment) {
  for (const std::string_view axis : {kRate, kConnectRate}) {
    const auto& swept = experiment.swept;
    if (std::find(swept.begin(), swept.end(), axis) != swept.end() &&
        experiment.IsNumeric(std::string(axis))) {
      return std::string(axis);
    }
  }
  return "";
}

struct Sweep {
  std::string axis;
  std::string label;
  std::string contender;
  struct At {
    double offered = 0;
    std::vector<double> achieved;
    std::vector<double> latency_us;
  };
  std::vector<At> points;   // by the rate
  double knee = kNoValue;   // the last rate that is served
  bool is_reached = false;  // whether a higher one is not

  void FindKnee() {
    const auto first = std::find_if(points.begin(), points.end(),
                                    [](const At& at) { return !at.latency_us.empty(); });
    const double lowest = first == points.end() ? kNoValue : MedianOf(first->latency_us);
    for (const At& at : points) {
      const bool is_late =
          !at.latency_us.empty() && MedianOf(at.latency_us) > kServedLatency * lowest;
      const bool is_short =
          !at.achieved.empty() && MedianOf(at.achieved) < kServedShare * at.offered;
      if (is_late || is_short) {
        is_reached = true;
        return;
      }
      knee = at.offered;
    }
  }
};

// What a trial of such a sweep achieved, and what waiting it is judged by.
std::optional<double> Achieved(const TrialRow& row, std::string_view axis) {
  return axis == kRate ? row.throughput_tps : row.connects_per_s;
}

std::vector<Sweep> SweepsOf(const Experiment& experiment, const std::string& axis) {
  std::vector<Sweep> sweeps;
  for (const auto& [label, trials] : ByLabel(experiment, axis)) {
    Sweep sweep;
    sweep.axis = axis;
    sweep.label = label;
    sweep.contender = ContenderName(*trials.front()->row);
    std::map<double, Sweep::At> points;
    for (const Trial* trial : trials) {
      const auto value = trial->axes.find(axis);
      const auto offered = value == trial->axes.end() ? std::nullopt : AxisNumber(value->second);
      if (!offered) continue;
      Sweep::At& at = points[*offered];
      at.offered = *offered;
      if (const auto rate = Achieved(*trial->row, axis)) at.achieved.push_back(*rate);
      const auto& p99 = trial->row->request_us_p99;
      if (p99) at.latency_us.push_back(*p99);
    }
    for (auto& [offered, at] : points) sweep.points.push_back(std::move(at));
    if (sweep.points.empty()) continue;  // the rate is none of its axes
    sweep.FindKnee();
    sweeps.push_back(std::move(sweep));
  }
  return sweeps;
}

std::string KneeInWords(const Sweep& sweep, double lowest_of_all) {
  const double lowest = sweep.points.front().offered;
  if (!std::isfinite(sweep.knee)) {
    return fmt::format("{} below {}, its lowest rate", sweep.label, PrintValue(lowest, "1/s"));
  }
  std::string text = fmt::format("{} {}{}", sweep.label, sweep.is_reached ? "" : "at least ",
                                 PrintValue(sweep.knee, "1/s"));
  // Its latency is held against that of another rate than theirs.
  if (lowest > lowest_of_all) {
    text += fmt::format(" (measured from {} on)", PrintValue(lowest, "1/s"));
  }
  return text;
}

std::string KneesInWords(const std::vector<Sweep>& sweeps) {
  double lowest = std::numeric_limits<double>::infinity();
  for (const Sweep& sweep : sweeps) lowest = std::min(lowest, sweep.points.front().offered);
  std::vector<std::string> knees;
  for (const Sweep& sweep : sweeps) knees.push_back(KneeInWords(sweep, lowest));
  return fmt::format(
      "Ringed, the knee, the last rate of which {:.0f} % is achieved at no more than {:.0f} times "
      "the latency of the lowest: {}.",
      100 * kServedShare, kServedLatency, fmt::join(knees, "; "));
}

std::optional<Chart> OfferedChart(const Experiment& experiment, std::string_view topic,
                                  bool latency) {
  const std::string axis = OfferedAxis(experiment);
  if (axis.empty()) return std::nullopt;
  const std::vector<Sweep> sweeps = SweepsOf(experiment, axis);
  Chart chart = ChartFor(experiment, topic);
  chart.x_label = axis == kRate ? "offered transactions per second" : "connects due per second";
  for (const std::string& value : experiment.ValuesOf(axis)) {
    if (const auto at = AxisNumber(value)) chart.x_ticks.push_back({*at, PrintNumber(*at)});
  }
  if (chart.x_ticks.empty()) return std::nullopt;
  constexpr double kWide = 8;
  const double least = chart.x_ticks.front().at;
  chart.log_x = least > 0 && chart.x_ticks.back().at >= kWide * least;
  for (const Sweep& sweep : sweeps) {
    Series series;
    series.label = sweep.label;
    series.contender = sweep.contender;
    series.family = FamilyOf(sweep.contender);
    if (sweep.is_reached) series.knee = sweep.knee;
    for (const Sweep::At& at : sweep.points) {
      const auto& values = latency ? at.latency_us : at.achieved;
      if (!values.empty()) series.points.push_back(PointOf(at.offered, values));
    }
    if (!series.points.empty()) chart.series.push_back(std::move(series));
  }
  if (chart.series.empty()) return std::nullopt;
  chart.notes.push_back(KneesInWords(sweeps));
  NoteMissing(experiment, chart, "it was not measured there");
  return chart;
}

}  // namespace

std::optional<Chart> LatencyOffered(const Experiment& experiment) {
  auto chart = OfferedChart(experiment, "latency_offered", true);
  if (!chart) return chart;
  chart->title = "Slow requests against the offered rate";
  chart->question = "Up to which rate are requests answered without a queue?";
  chart->caption =
      "Work is due at a rate of its own, so a server that cannot keep up has a queue that grows: "
      "the line bends upwards at the knee. Time counts from when the work was due.";
  chart->better = "lower is better";
  chart->y_label = "99th percentile of request time";
  chart->y_unit = "us";
  chart->log_y = SpansDecades(*chart);
  // It stands in place of the chart of that metric alone, where the pattern has one.
  constexpr std::string_view kMetric = "request_us_p99";
  if (results::RoleOf(experiment.pattern, kMetric) >= results::MetricRole::kGated) {
    chart->metric = kMetric;
  }
  return chart;
}

std::optional<Chart> ThroughputOffered(const Experiment& experiment) {
  auto chart = OfferedChart(experiment, "throughput_offered", false);
  if (!chart) return chart;
  chart->title = "What is achieved of the offered rate";
  chart->question = "Up to which rate does the server keep up?";
  chart->caption = "A line that leaves the diagonal has reached what that server can take.";
  chart->better = "higher is better";
  const bool connects = OfferedAxis(experiment) == kConnectRate;
  chart->y_unit = connects ? "1/s" : "tx/s";
  chart->y_label = connects ? "connects [1/s]" : "throughput [tx/s]";
  chart->log_y = chart->log_x;
  constexpr std::string_view kMetric = "throughput_tps";
  if (!connects && results::RoleOf(experiment.pattern, kMetric) >= results::MetricRole::kGated) {
    chart->metric = kMetric;
  }
  return chart;
}

}  // namespace connbench::plots
