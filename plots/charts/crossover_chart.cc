// The chart of a crossover run.

#include <fmt/format.h>

#include <charconv>
#include <cmath>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "plots/charts/special_charts.h"
#include "plots/summary.h"

namespace connbench::plots {
namespace {

using results::Run;
using results::TrialRow;

std::string Find(const results::TextMap& map, std::string_view name) {
  for (const auto& [key, value] : map) {
    if (key == name) return value;
  }
  return "";
}

double FindReal(const results::TextMap& map, std::string_view name) {
  const std::string text = Find(map, name);
  double value = 0;
  std::from_chars(text.data(), text.data() + text.size(), value);
  return value;
}

// The value of one parameter of "a=1 b=2"; 0 if it is not there.
double ParameterOf(const TrialRow& row, const std::string& name) {
  const std::string text = " " + row.parameters;
  const size_t at = text.find(" " + name + "=");
  if (at == std::string::npos) return 0;
  const size_t begin = at + name.size() + 2;
  double value = 0;
  std::from_chars(text.data() + begin, text.data() + text.size(), value);
  return value;
}

}  // namespace

std::optional<Chart> Crossover(const Run& run) {
  const results::TextMap& found = run.info.crossover;
  if (found.empty()) return std::nullopt;
  const std::string parameter = Find(found, "parameter");
  const auto* metric = results::FindField<TrialRow>(Find(found, "metric"));
  if (metric == nullptr) return std::nullopt;
  Chart chart;
  chart.name = "crossover";
  chart.topic = chart.name;
  chart.question = "From where on is the other one better?";
  chart.metric = metric->column.name;
  chart.source = SourceOf(run);
  chart.title = fmt::format("{} against {}: where one overtakes the other", Find(found, "base"),
                            Find(found, "candidate"));
  chart.subtitle = Find(found, "verdict");
  chart.caption =
      "The shaded band holds the crossing with 95 % confidence; outside of it the winner is clear. "
      "Points are medians of their repetitions; they lie closer where bisection "
      "looked closer.";
  chart.x_label = parameter;
  chart.y_label = metric->column.label;
  chart.y_unit = metric->column.unit;
  if (metric->column.better() == results::Better::kLower) chart.better = "lower is better";
  if (metric->column.better() == results::Better::kHigher) chart.better = "higher is better";
  chart.log_x = true;
  if (const double at = FindReal(found, "at"); at > 0) {
    chart.x_band = {FindReal(found, "low"), at, FindReal(found, "high")};
    chart.subtitle = fmt::format("crossing at {:.3g}, 95 % band {:.3g} .. {:.3g}", at,
                                 chart.x_band.low, chart.x_band.high);
  }
  for (const std::string& name : {Find(found, "base"), Find(found, "candidate")}) {
    std::map<double, std::vector<double>> values;
    for (const TrialRow& row : run.trials) {
      const double x = ParameterOf(row, parameter);
      const std::optional<double> value = metric->Measured(row);
      if (row.status == results::kTrialOk && ContenderName(row) == name && x > 0 && value) {
        values[x].push_back(*value);
      }
    }
    Series series;
    series.label = name;
    series.contender = name;
    series.family = FamilyOf(name);
    for (auto& [x, samples] : values) {
      series.points.push_back(PointOf(x, std::move(samples)));
    }
    if (!series.points.empty()) chart.series.push_back(std::move(series));
  }
  if (chart.series.empty()) return std::nullopt;
  chart.log_y = SpansDecades(chart);
  return chart;
}

}  // namespace connbench::plots
