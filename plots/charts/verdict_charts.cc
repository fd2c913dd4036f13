// A comparison as forest plots.
#include "plots/verdict_charts.h"

#include <fmt/format.h>

#include <map>
#include <string>
#include <utility>

#include "plots/charts/experiments.h"

namespace connbench::plots {
namespace {

using stats::VerdictRow;

// "fork" of "model:fork/workload:...": who served on both sides; else the candidate.
std::string ContenderOf(const VerdictRow& row) {
  for (const std::string_view who : {"model:", "target:"}) {
    if (!row.cell.starts_with(who)) continue;
    const size_t end = row.cell.find("/workload:");
    return row.cell.substr(who.size(), end == std::string::npos ? end : end - who.size());
  }
  return row.candidate;
}

Chart ChartOfWorkload(const stats::VerdictTable& comparison, const VerdictRow& first) {
  Chart chart;
  chart.kind = ChartKind::kDots;
  chart.topic = kVerdictsTopic;
  chart.name = FileNameOf(fmt::format("{}-{}", chart.topic, first.workload));
  chart.pattern = first.pattern;
  chart.workload = first.workload;
  chart.title = fmt::format("{}: how many times the base", first.workload);
  chart.subtitle = fmt::format("base {}, candidate {}; 95 % intervals of the ratio",
                               comparison.base, comparison.candidate);
  chart.question = "Does the candidate differ from its base?";
  chart.caption =
      "An interval that holds 1 may be no difference at all. The verdict counts which way is "
      "better "
      "and how many rows there are.";
  chart.x_label = "candidate / base";
  chart.parts = {"ratio"};
  chart.log_x = true;
  chart.x_band.at = 1;  // no difference
  return chart;
}

}  // namespace

std::vector<Chart> VerdictCharts(const stats::VerdictTable& comparison) {
  std::map<std::string, Chart> charts;
  std::map<std::string, size_t> without_ratio;
  for (const VerdictRow& row : comparison.rows) {
    if (!row.question.gated) continue;
    if (!row.answer.ratio) {
      ++without_ratio[row.workload];
      continue;
    }
    Chart& chart = charts.try_emplace(row.workload, ChartOfWorkload(comparison, row)).first->second;
    Bar bar;
    bar.contender = ContenderOf(row);
    bar.family = FamilyOf(bar.contender);
    bar.label = fmt::format("{}, {} connections: {}", bar.contender, row.connections, row.label);
    bar.parts = {row.answer.ratio->estimate};
    bar.low = row.answer.ratio->low;
    bar.high = row.answer.ratio->high;
    bar.remark = stats::VerdictName(row.answer.verdict);
    chart.bars.push_back(std::move(bar));
  }
  std::vector<Chart> all;
  for (auto& [workload, chart] : charts) {
    if (const size_t left_out = without_ratio[workload]; left_out > 0) {
      chart.notes.push_back(
          fmt::format("Not shown: {} judged rows whose repetitions carry no ratio.", left_out));
    }
    all.push_back(std::move(chart));
  }
  return all;
}

}  // namespace connbench::plots
