// The pictures of a history.
#include "harness/cli/history_charts.h"

#include <fmt/format.h>

#include <map>
#include <tuple>
#include <utility>

namespace connbench::cli {
namespace {

// Under the x axis stand at most this many dates.
constexpr size_t kMaxTicks = 8;

std::string FileName(std::string_view text) {
  std::string name;
  for (const char c : text) {
    const bool plain = (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9');
    name += plain ? c : '_';
  }
  return name;
}

// What all lines of the picture share goes without saying.
std::string LineLabel(const answers::HistoryGroup& group, const answers::HistorySeries& series) {
  const bool ambiguous = answers::CellInWords(group, series) == series.cell;
  return ambiguous ? series.cell : fmt::format("{}, {}", series.contender, series.connections);
}

plots::Chart Begin(const answers::HistoryGroup& group, size_t number,
                   const answers::HistorySeries& series) {
  const bool higher = series.direction == stats::Direction::kHigherIsBetter;
  plots::Chart chart;
  chart.name =
      FileName(fmt::format("history_{}_{}_{}", number + 1, series.workload, series.metric));
  chart.title =
      fmt::format("{} of {} over {} runs", series.label, series.workload, group.runs.size());
  chart.subtitle = fmt::format("{} on {}", group.suite, group.machine);
  chart.caption = "A level that moves and stays is a change; one value alone is an outlier.";
  chart.question = fmt::format("Has {} changed?", series.label);
  chart.x_label = "run";
  chart.y_label =
      series.unit.empty() ? series.label : fmt::format("{} ({})", series.label, series.unit);
  chart.y_unit = series.unit;
  chart.metric = series.metric;
  chart.pattern = series.pattern;
  chart.workload = series.workload;
  chart.topic = "history";
  chart.better = higher ? "higher is better" : "lower is better";
  const size_t step = (group.runs.size() + kMaxTicks - 1) / kMaxTicks;
  for (size_t i = 0; i < group.runs.size(); i += step) {
    chart.x_ticks.push_back({static_cast<double>(i + 1), group.runs[i].started_at.substr(0, 10)});
  }
  return chart;
}

}  // namespace

std::vector<plots::Chart> HistoryCharts(const answers::History& history) {
  std::vector<plots::Chart> charts;
  for (size_t number = 0; number < history.groups.size(); ++number) {
    const answers::HistoryGroup& group = history.groups[number];
    if (group.runs.size() < 2) continue;
    std::map<std::pair<std::string, std::string>, size_t> by_metric;
    for (const answers::HistorySeries& series : group.series) {
      const auto [found, is_new] =
          by_metric.try_emplace({series.workload, series.metric}, charts.size());
      if (is_new) charts.push_back(Begin(group, number, series));
      plots::Series line;
      line.label = LineLabel(group, series);
      line.contender = series.contender;
      line.family = plots::FamilyOf(series.contender);
      for (size_t i = 0; i < series.values.size(); ++i) {
        const double value = series.values[i];
        line.points.push_back({static_cast<double>(series.runs[i] + 1), value, value, value});
      }
      charts[found->second].series.push_back(std::move(line));
    }
  }
  return charts;
}

}  // namespace connbench::cli
