// Charts of rows with cells: latency over time as a heat map, request time as a density.
#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <map>

#include "plots/charts/disturbance.h"
#include "plots/charts/special_charts.h"
#include "plots/draw/values.h"
#include "plots/summary.h"

namespace connbench::plots {
namespace {

using results::TrialRow;

constexpr double kSliceMs = 100;  // of timeseries.csv

// What a heat map's shades are worth, as its legend.
void SetShades(double least, double most, Chart& chart) {
  constexpr double kNarrowest = 1.2;
  chart.shade_low = least;
  chart.shade_high = std::max(most, kNarrowest * least);
  const double step = std::pow(chart.shade_high / chart.shade_low, 1.0 / (kShades - 1));
  double value = chart.shade_low;
  for (size_t shade = 0; shade < kShades; ++shade, value *= step) {
    // Two digits are enough to read a shade by.
    const double digit = std::pow(10.0, std::floor(std::log10(value)) - 1);
    chart.parts.push_back(PrintValue(std::round(value / digit) * digit, chart.y_unit));
  }
}

// A cumulative distribution: shares by latency, both ascending.
struct Cumulative {
  std::string contender;
  std::vector<double> us;
  std::vector<double> share;

  // Between steps by the logarithm of the latency.
  double At(double latency) const {
    const auto above = std::upper_bound(us.begin(), us.end(), latency);
    if (above == us.begin()) return 0;
    if (above == us.end()) return share.back();
    const auto i = static_cast<size_t>(above - us.begin());
    const double part = std::log(latency / us[i - 1]) / std::log(us[i] / us[i - 1]);
    return share[i - 1] + part * (share[i] - share[i - 1]);
  }
  // The last step at or below it.
  double Below(double wanted) const {
    const auto above = std::upper_bound(share.begin(), share.end(), wanted);
    return above == share.begin() ? us.front() : us[static_cast<size_t>(above - share.begin()) - 1];
  }
  double Quantile(double wanted) const {
    const auto found = std::lower_bound(share.begin(), share.end(), wanted);
    return found == share.end() ? us.back() : us[static_cast<size_t>(found - share.begin())];
  }
};

// Medians over the repetitions, at the percentiles that all of them carry.
std::map<std::string, Cumulative> Cumulatives(const Experiment& experiment,
                                              std::string_view distribution) {
  struct CumulativeLadder {
    std::string contender;
    std::map<double, std::vector<double>> us;
  };
  std::map<std::string, CumulativeLadder> ladders;
  for (const results::LatencyRow& row : experiment.run->latency) {
    if (row.distribution != distribution || row.latency_us.value_or(0) <= 0) continue;
    const Trial* trial = experiment.TrialOf(row.trial);
    if (trial == nullptr) continue;
    CumulativeLadder& ladder = ladders[LabelOf(experiment, *trial)];
    ladder.contender = ContenderName(*trial->row);
    ladder.us[row.percentile].push_back(*row.latency_us);
  }
  std::map<std::string, Cumulative> all;
  for (const auto& [label, ladder] : ladders) {
    size_t most = 0;
    for (const auto& [percentile, values] : ladder.us) most = std::max(most, values.size());
    Cumulative cumulative;
    cumulative.contender = ladder.contender;
    for (const auto& [percentile, values] : ladder.us) {
      if (values.size() < most) continue;
      const double us = MedianOf(values);
      // Steps at one latency are one.
      if (!cumulative.us.empty() && us <= cumulative.us.back()) {
        cumulative.share.back() = percentile;
      } else {
        cumulative.us.push_back(us);
        cumulative.share.push_back(percentile);
      }
    }
    constexpr size_t kFewestSteps = 4;
    if (cumulative.us.size() >= kFewestSteps) all[label] = std::move(cumulative);
  }
  return all;
}

// When the victims were disturbed, as the trials measured it; of an older run as its workload says.
std::vector<double> EdgesMs(const Experiment& experiment) {
  std::vector<double> edges;
  for (const auto edge : {&TrialRow::disturbance_begin_ms, &TrialRow::disturbance_end_ms}) {
    std::vector<double> measured;
    for (const Trial& trial : experiment.trials) {
      if (trial.row->*edge) measured.push_back(*(trial.row->*edge));
    }
    if (!measured.empty()) edges.push_back(MedianOf(std::move(measured)));
  }
  // The folder of several runs is that of the first.
  const bool one_run = !experiment.trials.empty() && !experiment.trials[0].axes.contains("run");
  if (edges.empty() && one_run) edges = DisturbanceEdgesMs(*experiment.run, experiment.workload);
  return edges;
}

}  // namespace

std::optional<Chart> Heat(const Experiment& all) {
  const Experiment experiment = all.AtMostConnections();
  Chart chart = ChartFor(experiment, "heat");
  chart.kind = ChartKind::kHeat;
  chart.title = "Latency over time, as a heat map";
  chart.question = "Who feels the disturbance, how strongly and for how long?";
  chart.caption =
      "Each cell is the 99th percentile in a slice of 100 ms, the median of the repetitions; an "
      "empty one is a slice in which no transaction ended. Those who feel least are on top.";
  chart.better = "lighter is better";
  chart.x_label = "time since the window opened";
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
    if (trial == nullptr || row.latency_us_p99.value_or(0) <= 0) continue;
    Slices& slices = by_label[LabelOf(experiment, *trial)];
    slices.contender = ContenderName(*trial->row);
    slices.us[row.time_ms].push_back(*row.latency_us_p99);
  }
  double least = std::numeric_limits<double>::infinity();
  double most = 0;
  std::vector<std::pair<double, Bar>> rows;  // by the worst
  for (const auto& [label, slices] : by_label) {
    Bar bar;
    bar.label = label;
    bar.contender = slices.contender;
    bar.family = FamilyOf(bar.contender);
    double worst = 0;
    for (const auto& [time_ms, values] : slices.us) {
      const auto begin = static_cast<double>(time_ms);
      const double us = MedianOf(values);
      bar.cells.push_back({begin, begin + kSliceMs, us});
      least = std::min(least, us);
      worst = std::max(worst, us);
    }
    most = std::max(most, worst);
    bar.remark = fmt::format("worst {}", PrintValue(worst, chart.y_unit));
    rows.emplace_back(worst, std::move(bar));
  }
  if (rows.empty()) return std::nullopt;
  std::stable_sort(rows.begin(), rows.end(),
                   [](const auto& a, const auto& b) { return a.first < b.first; });
  for (auto& [worst, bar] : rows) chart.bars.push_back(std::move(bar));
  SetShades(least, most, chart);
  chart.x_lines = EdgesMs(experiment);
  double end = 0;
  for (const Bar& bar : chart.bars) end = std::max(end, bar.cells.back().high);
  std::erase_if(chart.x_lines, [end](double at) { return at > end; });
  if (!chart.x_lines.empty()) {
    std::string edges;
    for (const double at : chart.x_lines) {
      edges += (edges.empty() ? "" : " and ") + PrintValue(at, chart.x_unit);
    }
    chart.notes.push_back(fmt::format("Dashed, at {}: where the disturbance begins{}.", edges,
                                      chart.x_lines.size() > 1 ? " and where it ends" : ""));
  }
  NoteMissing(experiment, chart, "no transaction ended there");
  return chart;
}

std::optional<Chart> Density(const Experiment& all) {
  const Experiment experiment = all.AtMostConnections();
  std::map<std::string, Cumulative> found = Cumulatives(experiment, "request");
  const std::string& pattern = experiment.pattern;
  // Where all connections were up before, no request had to connect.
  const bool same = pattern == "steady" || pattern == "idle" || pattern == "mixed";
  if (found.empty() && same) found = Cumulatives(experiment, "transaction");
  if (found.empty()) return std::nullopt;
  Chart chart = ChartFor(experiment, "density");
  chart.kind = ChartKind::kShape;
  chart.title = "How request times are spread";
  chart.question = "What is the usual request time, and is there more than one?";
  chart.caption =
      "A shape is as high as many requests took about that long; each has the same greatest "
      "height. A second hump is a second way through the server. Between the recorded percentiles "
      "requests count as evenly spread.";
  chart.better = "lower is better";
  chart.x_label = "request time";
  chart.x_unit = "us";
  chart.log_x = true;
  chart.parts = {"mode", "median"};
  constexpr double kFirst = 0.01;
  constexpr double kLast = 0.999;
  double least = std::numeric_limits<double>::infinity();
  double most = 0;
  for (const auto& [label, cumulative] : found) {
    least = std::min(least, cumulative.Below(kFirst));
    most = std::max(most, cumulative.Quantile(kLast));
  }
  constexpr int kBins = 48;
  const double step = std::pow(std::max(most / least, 1.001), 1.0 / kBins);
  for (const auto& [label, cumulative] : found) {
    Bar bar;
    bar.label = label;
    bar.contender = cumulative.contender;
    bar.family = FamilyOf(bar.contender);
    double mode = 0;
    double highest = 0;
    double begin = least;
    for (int bin = 0; bin < kBins; ++bin, begin *= step) {
      const double share = cumulative.At(begin * step) - cumulative.At(begin);
      if (share <= 0) continue;
      bar.cells.push_back({begin, begin * step, share});
      if (share <= highest) continue;
      highest = share;
      mode = begin * std::sqrt(step);
    }
    // What is too thin to be seen makes the picture no better, and a page much larger.
    constexpr double kThinnest = 0.01;
    std::erase_if(bar.cells, [&](const Cell& cell) { return cell.value < kThinnest * highest; });
    if (bar.cells.empty()) continue;
    const double median = cumulative.Quantile(0.5);
    bar.parts = {mode, median};
    bar.remark = fmt::format("mode {}; median {}", PrintValue(mode, chart.x_unit),
                             PrintValue(median, chart.x_unit));
    chart.bars.push_back(std::move(bar));
  }
  if (chart.bars.empty()) return std::nullopt;
  SortRows(chart);
  NoteMissing(experiment, chart, "its request times were not recorded");
  return chart;
}

}  // namespace connbench::plots
