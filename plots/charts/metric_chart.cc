// The chart of one metric.
#include "plots/charts/metric_chart.h"

#include <fmt/format.h>

#include <algorithm>

#include "plots/draw/values.h"
#include "plots/summary.h"

namespace connbench::plots {
namespace {

using results::TrialRow;

struct Words {
  std::string_view metric;
  std::string_view topic;
  std::string_view title;
  std::string_view question;
  std::string_view caption;
};
constexpr Words kWords[] = {
#define CONNBENCH_METRIC_CHART(metric, topic, title, question, caption) \
  {#metric, topic, title, question, caption},
#include "plots/charts/metric_charts.def"
#undef CONNBENCH_METRIC_CHART
};

const Words* FindWords(std::string_view metric) {
  const auto* found = std::find_if(std::begin(kWords), std::end(kWords),
                                   [&](const Words& words) { return words.metric == metric; });
  return found == std::end(kWords) ? nullptr : found;
}

std::vector<Tick> TicksOfAxis(const Experiment& experiment, const std::string& axis) {
  std::vector<Tick> ticks;
  for (const std::string& value : experiment.ValuesOf(axis)) {
    const double at = AxisNumber(value).value_or(0);
    // A plain number gets its thousands, one with a unit stays as it was written.
    const bool is_plain = value.find_first_not_of("0123456789") == std::string::npos;
    ticks.push_back({at, is_plain ? PrintNumber(at) : value});
  }
  return ticks;
}

void AddLines(const Experiment& experiment, const std::string& axis, const Figure& figure,
              Chart& chart) {
  chart.kind = ChartKind::kLines;
  chart.x_label = axis;
  chart.x_ticks = TicksOfAxis(experiment, axis);
  // Values that someone chose as 1, 10, 100 belong on a logarithmic axis.
  constexpr double kWide = 8;
  const double least = chart.x_ticks.front().at;
  chart.log_x = least > 0 && chart.x_ticks.back().at >= kWide * least;
  for (const auto& [label, trials] : ByLabel(experiment, axis)) {
    Series series;
    series.label = label;
    series.contender = ContenderName(*trials.front()->row);
    series.family = FamilyOf(series.contender);
    for (const Tick& tick : chart.x_ticks) {
      std::vector<const Trial*> here;
      std::copy_if(trials.begin(), trials.end(), std::back_inserter(here), [&](const Trial* trial) {
        const auto value = trial->axes.find(axis);
        return value != trial->axes.end() && AxisNumber(value->second) == tick.at;
      });
      std::vector<double> values = Measured(here, figure);
      if (!values.empty()) series.points.push_back(PointOf(tick.at, std::move(values)));
    }
    if (!series.points.empty()) chart.series.push_back(std::move(series));
  }
  chart.log_y = SpansDecades(chart);
}

void AddRows(const Experiment& experiment, const Figure& figure, Chart& chart) {
  chart.kind = ChartKind::kDots;
  chart.parts = {chart.y_label};
  chart.x_label = chart.y_label;
  chart.x_unit = chart.y_unit;
  for (const auto& [label, trials] : ByLabel(experiment)) {
    std::vector<double> values = Measured(trials, figure);
    if (values.empty()) continue;
    const Point point = PointOf(0, std::move(values));
    Bar bar;
    bar.label = label;
    bar.contender = ContenderName(*trials.front()->row);
    bar.family = FamilyOf(bar.contender);
    bar.parts = {point.y};
    bar.low = point.low;
    bar.high = point.high;
    bar.repetitions = point.repetitions;
    chart.bars.push_back(std::move(bar));
  }
  SortRows(chart);
  chart.log_x = SpansDecades(chart);
}

}  // namespace

std::string TopicOfMetric(std::string_view metric) {
  const Words* words = FindWords(metric);
  return std::string(words != nullptr ? words->topic : metric);
}

std::vector<Chart> MetricCharts(const Experiment& experiment, std::string_view metric) {
  const auto* field = results::FindField<TrialRow>(metric);
  std::vector<Chart> charts;
  if (field == nullptr || experiment.trials.empty()) return charts;
  const Figure figure = [field](const TrialRow& row) { return field->Measured(row); };
  std::vector<std::string> axes;
  if (!experiment.request.x.empty()) {
    if (experiment.request.x != "contender") axes.push_back(experiment.request.x);
  } else {
    for (const std::string& axis : experiment.swept) {
      if (experiment.IsNumeric(axis) && axis != experiment.request.by) axes.push_back(axis);
    }
  }
  const Words* words = FindWords(metric);
  const auto add = [&](const std::string& axis) {
    Chart chart = ChartFor(experiment, TopicOfMetric(metric));
    chart.metric = metric;
    const std::string label(field->column.label);
    chart.title = words != nullptr ? std::string(words->title) : label;
    chart.question = words != nullptr ? std::string(words->question) : "";
    chart.caption =
        words != nullptr ? std::string(words->caption) : std::string(field->column.help);
    chart.y_label = label;
    chart.y_unit = field->column.unit;
    if (chart.y_unit.find('/') != std::string::npos) {
      chart.y_label = fmt::format("{} [{}]", label, chart.y_unit);
    }
    if (field->column.better() == results::Better::kLower) chart.better = "lower is better";
    if (field->column.better() == results::Better::kHigher) chart.better = "higher is better";
    if (axis.empty()) {
      AddRows(experiment, figure, chart);
    } else {
      chart.title += fmt::format(" against {}", axis);
      if (!axes.empty() && axis != axes.front()) chart.name += "-by-" + axis;
      AddLines(experiment, axis, figure, chart);
    }
    NoteMissing(experiment, chart, "it was not measured there");
    if (!chart.series.empty() || !chart.bars.empty()) charts.push_back(std::move(chart));
  };
  for (const std::string& axis : axes) {
    if (experiment.IsNumeric(axis)) add(axis);
  }
  if (axes.empty() || charts.empty()) add("");
  return charts;
}

}  // namespace connbench::plots
