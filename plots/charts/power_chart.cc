// The power curve of a gate, from the scatter of its rounds, or of a run's repetitions.
#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <map>
#include <random>

#include "base/number.h"
#include "harness/stats/sequential.h"
#include "plots/charts/special_charts.h"
#include "plots/summary.h"
#include "results/metrics.h"

namespace connbench::plots {
namespace {

using results::TrialRow;

constexpr size_t kGates = 200;  // simulated
constexpr size_t kMostRounds = 200;
constexpr double kSoughtEffect = 0.03;
constexpr std::array kPlantedPercent = {1.0, 2.0, 3.0, 5.0, 7.0, 10.0, 15.0, 20.0, 30.0, 50.0};

// A gate as it is simulated.
struct PowerGate {
  size_t rounds = 20;
  double margin = 0.05;
  double false_alarms = 0.01;
};

// Rounds of gates without noise of a size: the same for all lines of a chart, so that they compare.
std::vector<std::vector<double>> Normals(size_t rounds) {
  std::mt19937_64 random(1);
  std::normal_distribution<double> normal;
  std::vector<std::vector<double>> gates(kGates, std::vector<double>(rounds));
  for (auto& gate : gates) {
    for (double& value : gate) value = normal(random);
  }
  return gates;
}

// Whether the gate would call a change worse that multiplies by exp(effect).
bool Finds(const PowerGate& gate, const std::vector<double>& normals, double noise, double effect) {
  static const double kMixture = stats::MixtureFor(kSoughtEffect);
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
    if (error > 0) p = std::min(p, stats::AnytimeP(mean / error, n, kMixture));
    if (p <= gate.false_alarms && mean > std::log1p(gate.margin)) return true;
  }
  return false;
}

// None for fewer than three.
std::optional<double> DeviationOf(const std::vector<double>& values) {
  constexpr size_t kFewest = 3;
  if (values.size() < kFewest) return std::nullopt;
  double sum = 0;
  for (const double value : values) sum += value;
  const auto count = static_cast<double>(values.size());
  double squares = 0;
  for (const double value : values) squares += std::pow(value - sum / count, 2);
  constexpr double kResolution = 0.001;  // a bucket of a histogram
  return std::max(std::sqrt(squares / (count - 1)), kResolution);
}

// Of the log ratio of a pair: repetitions scatter on both sides.
std::optional<double> NoiseOfRepetitions(std::vector<double> values) {
  for (double& value : values) {
    if (value <= 0) return std::nullopt;
    value = std::log(value);
  }
  const auto deviation = DeviationOf(values);
  return deviation ? std::optional(std::sqrt(2.0) * *deviation) : std::nullopt;
}

// Each round's mean log ratio of candidate to base over its pairs: what the gate's verdict sees.
std::vector<double> RoundsOf(const std::vector<const Trial*>& trials, const Figure& figure) {
  struct Pair {
    int64_t round = 0;
    std::array<std::optional<double>, 2> sides;
  };
  std::map<int64_t, Pair> pairs;  // both windows of a pair have its number
  for (const Trial* trial : trials) {
    const TrialRow& row = *trial->row;
    if (!row.gate_round) continue;
    Pair& pair = pairs[row.repetition];
    pair.round = *row.gate_round;
    pair.sides[row.cell.starts_with("side:candidate/") ? 1 : 0] = figure(row);
  }
  std::map<int64_t, std::vector<double>> logs;
  for (const auto& [number, pair] : pairs) {
    const auto& [base, candidate] = pair.sides;
    if (base.value_or(0) <= 0 || candidate.value_or(0) <= 0) continue;
    logs[pair.round].push_back(std::log(*candidate / *base));
  }
  std::vector<double> means;
  for (const auto& [round, values] : logs) {
    double sum = 0;
    for (const double value : values) sum += value;
    means.push_back(sum / static_cast<double>(values.size()));
  }
  return means;
}

std::string ValueOf(const results::TextMap& map, std::string_view name) {
  const auto found = std::ranges::find(map, name, [](const auto& entry) { return entry.first; });
  return found == map.end() ? std::string() : found->second;
}

double ShareOf(const results::TextMap& map, std::string_view name, double preset) {
  const auto share = ParseReal(ValueOf(map, name), 0, 1);
  return share.ok() ? *share : preset;
}

void AddCurve(const PowerGate& gate, double noise, const Trial& trial, std::string label,
              Chart& chart) {
  Series series;
  series.label = std::move(label);
  series.contender = ContenderName(*trial.row);
  series.family = FamilyOf(series.contender);
  const auto gates = Normals(gate.rounds);
  for (const double percent : kPlantedPercent) {
    const auto found = std::ranges::count_if(gates, [&](const std::vector<double>& normals) {
      return Finds(gate, normals, noise, std::log1p(percent / 100));
    });
    const double share = 100.0 * static_cast<double>(found) / static_cast<double>(kGates);
    series.points.push_back({percent, share, share, share});
  }
  chart.series.push_back(std::move(series));
}

// The curve of this gate itself: its rounds, as many and as they scattered.
bool AddGate(const Experiment& experiment, const Figure& figure, PowerGate& gate, Chart& chart) {
  std::vector<const Trial*> windows;
  for (const Trial& trial : experiment.trials) windows.push_back(&trial);
  const std::vector<double> rounds = RoundsOf(windows, figure);
  const auto noise = DeviationOf(rounds);
  if (!noise) return false;
  const results::TextMap& info = experiment.run->info.gate;
  gate.rounds = std::clamp(rounds.size(), stats::kMinGateRounds, kMostRounds);
  gate.margin = ShareOf(info, "margin", gate.margin);
  gate.false_alarms = ShareOf(info, "false_alarms", gate.false_alarms);
  AddCurve(gate, *noise, *windows.back(),
           fmt::format("{} against {}", ValueOf(info, "candidate"), ValueOf(info, "base")), chart);
  return true;
}

}  // namespace

std::optional<Chart> Power(const Experiment& all) {
  const Experiment experiment = all.AtMostConnections();
  const auto metrics = results::MetricsWith(experiment.pattern, results::MetricRole::kHeadline);
  if (metrics.empty()) return std::nullopt;
  const auto* field = results::FindField<TrialRow>(metrics.front());
  const Figure figure = [field](const TrialRow& row) { return field->Measured(row); };
  Chart chart = ChartFor(experiment, "power");
  chart.title = fmt::format("Which change of \"{}\" a gate finds", field->column.label);
  chart.question = "How small a change can be told from noise here?";
  chart.better = "further left is better";
  chart.x_label = "planted change";
  chart.y_label = "chance of finding it [%]";
  chart.log_x = true;
  for (const double percent : kPlantedPercent) {
    chart.x_ticks.push_back({percent, fmt::format("{:.0f} %", percent)});
  }
  PowerGate gate;
  const bool is_gate = !experiment.trials.empty() && experiment.trials[0].row->gate_round;
  // Several gates have several sets of rounds.
  if (is_gate && experiment.trials[0].axes.contains("run")) return std::nullopt;
  if (is_gate) {
    if (!AddGate(experiment, figure, gate, chart)) return std::nullopt;
  } else {
    for (const auto& [label, trials] : ByLabel(experiment)) {
      const auto noise = NoiseOfRepetitions(Measured(trials, figure));
      if (noise) AddCurve(gate, *noise, *trials.front(), label, chart);
    }
    NoteMissing(experiment, chart, "fewer than three repetitions say nothing of its noise");
  }
  if (chart.series.empty()) return std::nullopt;
  chart.caption = fmt::format(
      "The share of {} simulated gates of {} rounds that call a planted change worse, at a false "
      "alarm rate of {:.3g} % and a margin of {:.3g} %, if rounds scatter as this {} do. A gate of "
      "more rounds finds smaller changes.",
      kGates, gate.rounds, 100 * gate.false_alarms, 100 * gate.margin,
      is_gate ? "gate's" : "run's repetitions");
  return chart;
}

}  // namespace connbench::plots
