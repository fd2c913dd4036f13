// The part of a page that holds a run's figures.
#include "plots/page/cells.h"

#include <fmt/format.h>

#include <algorithm>
#include <cstdlib>
#include <numeric>
#include <optional>
#include <span>

#include "harness/answers/tables.h"
#include "harness/answers/winner.h"
#include "harness/stats/words.h"
#include "plots/axes.h"
#include "plots/page/commands.h"
#include "plots/page/html.h"
#include "plots/summary.h"
#include "results/metrics.h"

namespace connbench::plots {
namespace {

using results::MetricRole;
using results::Run;
using results::TrialRow;
using stats::VerdictRow;

bool IsJudged(const FigureTable& table, const FigureRow& row) {
  return results::RoleOf(table.pattern, row.metric->name) >= MetricRole::kGated;
}

// "10,197 to 10,403", with units only where they differ: the figure before it has one.
std::string Range(const Spread& spread, std::string_view unit) {
  const std::string low = stats::Quantity(spread.low, unit);
  const std::string high = stats::Quantity(spread.high, unit);
  const size_t low_unit = low.find(' ');
  const size_t high_unit = high.find(' ');
  const bool same = low_unit != std::string::npos && high_unit != std::string::npos &&
                    low.substr(low_unit) == high.substr(high_unit);
  return fmt::format("{} to {}", same ? low.substr(0, low_unit) : low,
                     same ? high.substr(0, high_unit) : high);
}

HtmlCell FigureCell(const std::vector<double>& repetitions, std::string_view unit) {
  const Spread spread = SpreadOf(repetitions);
  if (spread.samples == 0) return {""};
  HtmlCell cell{stats::Quantity(spread.median, unit)};
  cell.value = spread.median;
  if (spread.low != spread.high) cell.note = Range(spread, unit);
  return cell;
}

std::string_view BetterWord(results::Better better) {
  switch (better) {
    case results::Better::kHigher:
      return " (higher is better)";
    case results::Better::kLower:
      return " (lower is better)";
    case results::Better::kNeither:
      break;
  }
  return "";
}

// The contenders' numbers, the best of the first row first, those without a figure last.
std::vector<size_t> InOrderOf(const FigureRow& row) {
  std::vector<size_t> order(row.repetitions.size());
  std::iota(order.begin(), order.end(), 0);
  const bool higher = row.metric->better() == results::Better::kHigher;
  std::stable_sort(order.begin(), order.end(), [&](size_t a, size_t b) {
    const Spread left = SpreadOf(row.repetitions[a]);
    const Spread right = SpreadOf(row.repetitions[b]);
    if (left.samples == 0 || right.samples == 0) return left.samples > 0 && right.samples == 0;
    return higher ? left.median > right.median : left.median < right.median;
  });
  return order;
}

// A line for each contender, a column for each of the rows.
HtmlTable FiguresOf(const FigureTable& table, std::span<const FigureRow* const> rows,
                    const std::vector<size_t>& order) {
  HtmlTable html;
  html.metrics = {""};
  html.style_class = "figures";
  html.header = {"contender"};
  html.footer = {"ahead"};
  for (const FigureRow* row : rows) {
    html.metrics.emplace_back(row->metric->name);
    html.header.push_back(table.corner.empty() ? fmt::format("{}{}", row->metric->label,
                                                             BetterWord(row->metric->better()))
                                               : fmt::format("{} {}", table.corner, row->label));
    html.footer.push_back(
        answers::NameWinner(table.contenders, row->repetitions, row->metric->better()));
  }
  for (const size_t i : order) {
    HtmlRow line;
    line.contender = table.contenders[i];
    line.cells.push_back({table.contenders[i]});
    for (const FigureRow* row : rows) {
      line.cells.push_back(FigureCell(row->repetitions[i], row->metric->unit));
    }
    html.rows.push_back(std::move(line));
  }
  const bool nothing_ahead = std::all_of(html.footer.begin() + 1, html.footer.end(),
                                         [](const std::string& text) { return text.empty(); });
  if (nothing_ahead) html.footer.clear();
  return html;
}

// Several tables where one would be too wide.
std::string RenderFigures(const FigureTable& table, const std::vector<const FigureRow*>& rows) {
  std::string html;
  const std::vector<size_t> order = InOrderOf(table.rows.front());
  for (size_t begin = 0; begin < rows.size(); begin += kMaxFigureColumns) {
    const size_t count = std::min(kMaxFigureColumns, rows.size() - begin);
    html += RenderTable(FiguresOf(table, std::span(rows).subspan(begin, count), order));
  }
  return html;
}

// The trials of the combination as they stand in the CSV: headlines and counters.
std::string RawRows(const Run& run, const FigureTable& table) {
  const auto metrics = results::MetricsWith(table.pattern, MetricRole::kGated);
  HtmlTable html;
  html.style_class = "raw";
  html.header = {"contender", "status", "trial", "repetition"};
  html.text_columns = 2;
  std::vector<const results::Field<TrialRow>*> fields;
  for (const std::string_view metric : metrics) {
    fields.push_back(results::FindField<TrialRow>(metric));
    html.header.emplace_back(metric);
  }
  for (const TrialRow& row : run.trials) {
    if (RestOfCell(row) != table.cell || row.workload != table.workload) continue;
    HtmlRow line;
    line.contender = ContenderName(row);
    line.cells = {{line.contender}, {row.status}};
    for (const int64_t number : {row.trial, row.repetition}) {
      line.cells.push_back({fmt::format("{}", number), "", static_cast<double>(number)});
    }
    for (const auto* field : fields) {
      line.cells.push_back({field->Print(row), "", field->Measured(row)});
    }
    html.rows.push_back(std::move(line));
  }
  return Folded(fmt::format("Raw rows and counters: {} trials", html.rows.size()),
                RenderTable(html), Print::kScreenOnly);
}

// Whether the interval holds 1, or there is none: a reader in a hurry may pass it by.
bool IsDull(const VerdictRow& row) {
  const auto& ratio = row.answer.ratio;
  return row.invalid.empty() && (!ratio || (ratio->low <= 1 && ratio->high >= 1));
}

HtmlRow ComparisonRow(const VerdictRow& row, bool names_candidate) {
  HtmlRow line;
  line.contender = row.contender;
  line.dull = IsDull(row);
  line.cells.push_back({names_candidate ? row.candidate : row.contender});
  if (!row.invalid.empty()) {
    line.cells.push_back({"INVALID"});
    for (int i = 0; i < 5; ++i) line.cells.push_back({""});
    line.cells.push_back({row.invalid});
    return line;
  }
  const std::vector<std::string> texts = answers::TableCells(row);
  const std::optional<double> values[] = {
      std::nullopt, row.answer.base_median, row.answer.candidate_median,
      row.answer.ratio ? std::optional(row.answer.ratio->estimate) : std::nullopt};
  for (size_t i = 0; i < texts.size(); ++i) {
    HtmlCell cell{texts[i]};
    if (i < std::size(values)) cell.value = values[i];
    line.cells.push_back(std::move(cell));
  }
  const std::string_view verdict = stats::VerdictName(row.answer.verdict);
  if (row.answer.verdict == stats::Verdict::kBetter ||
      row.answer.verdict == stats::Verdict::kWorse) {
    line.cells.back().style_class = verdict;
  }
  return line;
}

}  // namespace

std::string TitleOf(const FigureTable& table) {
  VerdictRow place;
  place.pattern = table.pattern;
  place.workload = table.workload;
  place.cell = table.title;
  for (const auto& [name, value] : AxesOfCell(table.cell)) {
    if (name == "connections") {
      place.connections = std::strtoll(value.c_str(), nullptr, 10);
    } else {
      place.circumstances +=
          fmt::format("{}{} {}", place.circumstances.empty() ? "" : ", ", name, value);
    }
  }
  return stats::Circumstances(place);
}

std::string RenderCombination(const Run& run, const FigureTable& table,
                              const std::string& chart_links, bool with_raw_rows) {
  std::vector<const FigureRow*> judged;
  std::vector<const FigureRow*> described;
  std::string ahead;
  for (const FigureRow& row : table.rows) {
    (IsJudged(table, row) ? judged : described).push_back(&row);
    if (results::RoleOf(table.pattern, row.metric->name) != MetricRole::kHeadline) continue;
    const std::string winner =
        answers::NameWinner(table.contenders, row.repetitions, row.metric->better());
    if (winner.empty()) continue;
    ahead += fmt::format("<li>{}: <b>{}</b></li>", Text(row.metric->label), Text(winner));
  }
  std::string html = fmt::format("<article class=\"cell\" data-cell=\"{0}\"><h4>{1}</h4>\n",
                                 Text(table.cell), Text(TitleOf(table)));
  if (!ahead.empty()) html += fmt::format("<ul class=\"verdicts\">{}</ul>\n", ahead);
  if (!chart_links.empty()) html += fmt::format("<p class=\"links\">{}</p>\n", chart_links);
  html += RenderFigures(table, judged);
  if (!described.empty()) {
    // Most of a large run's cells, which nobody reads on paper.
    html +=
        Folded(fmt::format("{} more figures, which are described and not judged", described.size()),
               RenderFigures(table, described), Print::kScreenOnly);
  }
  if (with_raw_rows) html += RawRows(run, table);
  return html +
         Folded("The command that measures this again", Code(RepeatCommand(run, table.cell))) +
         "</article>\n";
}

std::string RenderSweep(const FigureTable& table) {
  std::vector<const FigureRow*> rows;
  for (const FigureRow& row : table.rows) rows.push_back(&row);
  return fmt::format("<article class=\"sweep\"><h4>{}</h4>\n{}</article>\n", Text(table.title),
                     RenderFigures(table, rows));
}

std::string RenderComparison(const stats::VerdictTable& comparison, const std::string& workload) {
  const bool names_candidate = comparison.kind == stats::ComparisonKind::kAxis;
  HtmlTable table;
  std::string html;
  std::string title;
  const auto finish = [&] {
    if (!table.rows.empty()) {
      html += fmt::format("<h5>{}</h5>\n{}", Text(title), RenderTable(table));
    }
    table.rows.clear();
  };
  table.style_class = "compared";
  table.header = answers::TableHeader();
  table.header.insert(table.header.begin(), "contender");
  table.text_columns = 2;
  for (const VerdictRow& row : comparison.rows) {
    if (row.workload != workload ||
        (row.invalid.empty() && !row.question.by_difference &&
         results::RoleOf(row.pattern, row.metric) < MetricRole::kGated)) {
      continue;
    }
    const std::string its_title = stats::Circumstances(row);
    if (its_title != title) finish();
    title = its_title;
    table.rows.push_back(ComparisonRow(row, names_candidate));
  }
  finish();
  return html;
}

}  // namespace connbench::plots
