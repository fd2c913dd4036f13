// The power curve of a gate, from the scatter of a run's repetitions.
#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <map>
#include <random>

#include "harness/stats/sequential.h"
#include "plots/charts/special_charts.h"
#include "plots/summary.h"
#include "results/metrics.h"

namespace connbench::plots {
namespace {

using results::TrialRow;

constexpr size_t kRounds = 20;  // of a gate
constexpr size_t kGates = 200;  // simulated
constexpr double kFalseAlarms = 0.01;
constexpr double kSoughtEffect = 0.03;
constexpr double kMargin = 0.05;
constexpr std::array kPlantedPercent = {1.0, 2.0, 3.0, 5.0, 7.0, 10.0, 15.0, 20.0, 30.0, 50.0};

// Rounds of gates without noise of a size: the same for all contenders, so that lines compare.
const std::vector<std::vector<double>>& Normals() {
  static const std::vector<std::vector<double>> kNormals = [] {
    std::mt19937_64 random(1);
    std::normal_distribution<double> normal;
    std::vector<std::vector<double>> gates(kGates, std::vector<double>(kRounds));
    for (auto& gate : gates) {
      for (double& value : gate) value = normal(random);
    }
    return gates;
  }();
  return kNormals;
}

// Whether the gate would call a change worse that multiplies by exp(effect).
bool Finds(const std::vector<double>& normals, double noise, double effect) {
  const double mixture = stats::MixtureFor(kSoughtEffect);
  double sum = 0;
  double squares = 0;
  double p = 1;
  for (size_t i = 0; i < normals.size(); ++i) {
    const double value = effect + noise * normals[i];
    sum += value;
    squares += value * value;
    const size_t n = i + 1;
    if (n < stats::kMinGateRounds) continue;
    const auto count = static_cast<double>(n);
    const double mean = sum / count;
    const double variance = std::max(squares / count - mean * mean, 0.0) * count / (count - 1);
    const double error = std::sqrt(variance / count);
    if (error > 0) p = std::min(p, stats::AnytimeP(mean / error, n, mixture));
    if (p <= kFalseAlarms && mean > std::log1p(kMargin)) return true;
  }
  return false;
}

// Of the log ratio of a pair: repetitions scatter on both sides. None for fewer than three.
std::optional<double> NoiseOf(const std::vector<double>& values) {
  constexpr size_t kFewest = 3;
  if (values.size() < kFewest) return std::nullopt;
  double sum = 0;
  for (const double value : values) {
    if (value <= 0) return std::nullopt;
    sum += std::log(value);
  }
  const auto count = static_cast<double>(values.size());
  double squares = 0;
  for (const double value : values) squares += std::pow(std::log(value) - sum / count, 2);
  constexpr double kResolution = 0.001;  // a bucket of a histogram
  return std::sqrt(2.0) * std::max(std::sqrt(squares / (count - 1)), kResolution);
}

}  // namespace

std::optional<Chart> Power(const Experiment& all) {
  const Experiment experiment = all.AtMostConnections();
  const auto metrics = results::MetricsWith(experiment.pattern, results::MetricRole::kHeadline);
  if (metrics.empty()) return std::nullopt;
  const auto* field = results::FindField<TrialRow>(metrics.front());
  Chart chart = ChartFor(experiment, "power");
  chart.title = fmt::format("Which change of \"{}\" a gate finds", field->column.label);
  chart.question = "How small a change can be told from noise here?";
  chart.caption = fmt::format(
      "The share of {} simulated gates of {} rounds that call a planted change worse, at a false "
      "alarm rate of 1 % and a margin of 5 %, if rounds scatter as this run's repetitions do. A "
      "gate of more rounds finds smaller changes.",
      kGates, kRounds);
  chart.better = "further left is better";
  chart.x_label = "planted change";
  chart.y_label = "chance of finding it [%]";
  chart.log_x = true;
  for (const double percent : kPlantedPercent) {
    chart.x_ticks.push_back({percent, fmt::format("{:.0f} %", percent)});
  }
  for (const auto& [label, trials] : ByLabel(experiment)) {
    const auto noise =
        NoiseOf(Measured(trials, [field](const TrialRow& row) { return field->Measured(row); }));
    if (!noise) continue;
    Series series;
    series.label = label;
    series.contender = ContenderName(*trials.front()->row);
    series.family = FamilyOf(series.contender);
    for (const double percent : kPlantedPercent) {
      const auto found = std::count_if(Normals().begin(), Normals().end(),
                                       [&](const std::vector<double>& normals) {
                                         return Finds(normals, *noise, std::log1p(percent / 100));
                                       });
      const double share = 100.0 * static_cast<double>(found) / static_cast<double>(kGates);
      series.points.push_back({percent, share, share, share});
    }
    chart.series.push_back(std::move(series));
  }
  if (chart.series.empty()) return std::nullopt;
  NoteMissing(experiment, chart, "fewer than three repetitions say nothing of its noise");
  return chart;
}

}  // namespace connbench::plots
