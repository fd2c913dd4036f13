// Charts of latency.csv: percentiles, distributions, progress, victims.
#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <map>

#include "plots/charts/special_charts.h"
#include "plots/summary.h"

namespace connbench::plots {
namespace {

using results::LatencyRow;

constexpr double kLongestPercentileShown = 0.99999;

// Of one label: what its repetitions say at each percentile.
struct Ladder {
  std::string contender;
  std::map<double, std::vector<double>> us;
  std::map<double, std::vector<double>> samples;

  size_t repetitions() const {
    size_t most = 0;
    for (const auto& [percentile, values] : us) most = std::max(most, values.size());
    return most;
  }
};

std::map<std::string, Ladder> LaddersOf(const Experiment& experiment,
                                        std::string_view distribution) {
  std::map<std::string, Ladder> ladders;
  for (const LatencyRow& row : experiment.run->latency) {
    if (row.distribution != distribution || row.latency_us.value_or(0) <= 0) continue;
    const Trial* trial = experiment.TrialOf(row.trial);
    if (trial == nullptr) continue;
    Ladder& ladder = ladders[LabelOf(experiment, *trial)];
    ladder.contender = ContenderName(*trial->row);
    ladder.us[row.percentile].push_back(*row.latency_us);
    ladder.samples[row.percentile].push_back(static_cast<double>(row.samples.value_or(0)));
  }
  return ladders;
}

// What clients wait for: the request; files of version 1 have what is after the login.
struct Waiting {
  std::map<std::string, Ladder> ladders;
  bool is_request = false;
};

Waiting WaitingOf(const Experiment& experiment) {
  Waiting waiting{LaddersOf(experiment, "request"), true};
  if (!waiting.ladders.empty()) return waiting;
  const std::string& pattern = experiment.pattern;
  // Where all connections were up before, no request had to connect.
  waiting.is_request = pattern == "steady" || pattern == "idle" || pattern == "mixed";
  waiting.ladders = LaddersOf(experiment, "transaction");
  return waiting;
}

constexpr std::string_view kAfterLogin =
    "This run has no request times: connecting is not in these figures, and a server that answers "
    "the login early looks worse than it is.";

}  // namespace

std::optional<Chart> Spectrum(const Experiment& all) {
  const Experiment experiment = all.AtMostConnections();
  const Waiting waiting = WaitingOf(experiment);
  Chart chart = ChartFor(experiment, "spectrum");
  chart.title =
      waiting.is_request ? "Request time by percentile" : "Time after login by percentile";
  chart.question = "How long do the slow requests take?";
  chart.caption =
      "The further right, the rarer: a curve that bends upwards has a long tail. Percentiles are "
      "of "
      "all requests of a trial, not averages of slices.";
  chart.better = "lower is better";
  chart.x_label = "percentile of requests";
  chart.y_label = waiting.is_request ? "request time" : "time after login";
  chart.y_unit = "us";
  chart.log_x = true;
  chart.x_ticks = {{1, "0"},       {2, "50"},        {10, "90"},     {100, "99"},
                   {1000, "99.9"}, {10000, "99.99"}, {1e5, "99.999"}};
  for (const auto& [label, ladder] : waiting.ladders) {
    Series series;
    series.label = label;
    series.contender = ladder.contender;
    series.family = FamilyOf(ladder.contender);
    for (const auto& [percentile, values] : ladder.us) {
      // One that only some repetitions are long enough to carry has another median.
      if (percentile >= kLongestPercentileShown || values.size() < ladder.repetitions()) continue;
      const double median = MedianOf(values);
      series.points.push_back({1 / (1 - percentile), median, median, median});
    }
    if (!series.points.empty()) chart.series.push_back(std::move(series));
  }
  if (chart.series.empty()) return std::nullopt;
  chart.log_y = SpansDecades(chart);
  if (!waiting.is_request) chart.notes.emplace_back(kAfterLogin);
  NoteMissing(experiment, chart, "its latency was not recorded");
  return chart;
}

std::optional<Chart> Distribution(const Experiment& all) {
  const Experiment experiment = all.AtMostConnections();
  const Waiting waiting = WaitingOf(experiment);
  Chart chart = ChartFor(experiment, "distribution");
  chart.kind = ChartKind::kDots;
  chart.title =
      waiting.is_request ? "Distribution of request time" : "Distribution of time after login";
  chart.question = "How much do requests differ from each other?";
  chart.caption =
      "Far apart marks are an uneven service: half of the requests lie below the first, one in ten "
      "above the second, one in a hundred above the third.";
  chart.better = "lower is better";
  chart.x_label = waiting.is_request ? "request time" : "time after login";
  chart.x_unit = "us";
  chart.parts = {"median", "90th percentile", "99th percentile"};
  for (const auto& [label, ladder] : waiting.ladders) {
    Bar bar;
    bar.label = label;
    bar.contender = ladder.contender;
    bar.family = FamilyOf(ladder.contender);
    for (const double wanted : {0.5, 0.9, 0.99}) {
      // The ladder's step at or above it; percentiles are decimal fractions.
      constexpr double kRounding = 1e-9;
      const auto step = ladder.us.lower_bound(wanted - kRounding);
      constexpr double kNear = 0.005;
      const bool is_there = step != ladder.us.end() && step->first < wanted + kNear &&
                            step->second.size() == ladder.repetitions();
      bar.parts.push_back(is_there ? MedianOf(step->second) : kNoValue);
    }
    if (std::none_of(bar.parts.begin(), bar.parts.end(),
                     [](double v) { return std::isfinite(v); })) {
      continue;
    }
    const auto [least, most] = std::minmax_element(
        bar.parts.begin(), bar.parts.end(),
        [](double a, double b) { return std::isfinite(a) && (!std::isfinite(b) || a < b); });
    bar.low = *least;
    bar.high = std::isfinite(*most) ? *most : *least;
    for (const double part : bar.parts) {
      if (std::isfinite(part)) bar.high = std::max(bar.high, part);
    }
    chart.bars.push_back(std::move(bar));
  }
  if (chart.bars.empty()) return std::nullopt;
  SortRows(chart);
  chart.log_x = SpansDecades(chart);
  if (!waiting.is_request) chart.notes.emplace_back(kAfterLogin);
  NoteMissing(experiment, chart, "its latency was not recorded");
  return chart;
}

std::optional<Chart> Progress(const Experiment& all) {
  const Experiment experiment = all.AtMostConnections();
  Chart chart = ChartFor(experiment, "progress");
  chart.kind = ChartKind::kSteps;
  chart.title = experiment.pattern == "failover" ? "Progress of a failover" : "Progress of a storm";
  chart.question = "How many are connected how soon after all came at once?";
  chart.caption =
      "Further left is better. Steps of a second or more are TCP's retries after a full listen "
      "queue, not the server's time.";
  chart.x_label = "time since all were released";
  chart.x_unit = "ms";
  chart.y_label = "connections ready";
  chart.better = "further left is better";
  double soonest = 0;
  double latest = 0;
  for (const auto& [label, ladder] : LaddersOf(experiment, "ready_since_release")) {
    Series series;
    series.label = label;
    series.contender = ladder.contender;
    series.family = FamilyOf(ladder.contender);
    constexpr double kUsPerMs = 1000;
    for (const auto& [percentile, values] : ladder.us) {
      const double x = MedianOf(values) / kUsPerMs;
      const double ready = MedianOf(ladder.samples.at(percentile));
      if (series.points.empty()) series.points.push_back({x, 0, 0, 0});
      series.points.push_back({x, ready, ready, ready});
    }
    const double end = series.points.back().x;
    soonest = soonest == 0 ? end : std::min(soonest, end);
    latest = std::max(latest, end);
    chart.series.push_back(std::move(series));
  }
  if (chart.series.empty()) return std::nullopt;
  // One that is far slower would press the others into a corner.
  constexpr double kTooWide = 8;
  chart.log_x = latest > kTooWide * soonest;
  NoteMissing(experiment, chart, "when its connections were ready was not recorded");
  return chart;
}

std::optional<Chart> Victims(const Experiment& all) {
  const Experiment experiment = all.AtMostConnections();
  Chart chart = ChartFor(experiment, "victims");
  chart.kind = ChartKind::kDots;
  chart.title = "Victims before, during and after the disturbance";
  chart.question = "Do heavy clients starve the light ones?";
  chart.caption =
      "The closer the three marks, the better the light clients are protected from the heavy ones.";
  chart.better = "lower is better";
  chart.x_label = "99th percentile of the victims' latency";
  chart.x_unit = "us";
  chart.parts = {"before", "during", "after"};
  std::map<std::string, Bar> bars;
  for (size_t part = 0; part < chart.parts.size(); ++part) {
    for (const auto& [label, ladder] : LaddersOf(experiment, "victim_" + chart.parts[part])) {
      Bar& bar = bars[label];
      bar.label = label;
      bar.contender = ladder.contender;
      bar.family = FamilyOf(ladder.contender);
      bar.parts.resize(chart.parts.size(), kNoValue);
      const auto p99 = ladder.us.lower_bound(0.99);
      if (p99 != ladder.us.end()) bar.parts[part] = MedianOf(p99->second);
    }
  }
  for (auto& [label, bar] : bars) chart.bars.push_back(std::move(bar));
  if (chart.bars.empty()) return std::nullopt;
  const auto during = [](const Bar& bar) { return bar.parts[1]; };
  std::stable_sort(chart.bars.begin(), chart.bars.end(), [&](const Bar& a, const Bar& b) {
    return std::isfinite(during(a)) && (!std::isfinite(during(b)) || during(a) < during(b));
  });
  chart.log_x = SpansDecades(chart);
  NoteMissing(experiment, chart, "too few samples, or no disturbance");
  return chart;
}

}  // namespace connbench::plots
