// The table at the end of a run.
#include "harness/suite/summary.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <map>
#include <vector>

#include "base/printable.h"
#include "harness/answers/winner.h"
#include "harness/stats/intervals.h"
#include "plots/page/tables.h"
#include "results/schema.h"

namespace connbench::suite {
namespace {

using results::TrialRow;

std::string PrintNumber(double value) {
  const double size = std::abs(value);
  if (size == 0) return "0";
  if (size >= 100) return fmt::format(std::locale::classic(), "{:.0f}", value);
  return size >= 10 ? fmt::format("{:.1f}", value) : fmt::format("{:.2f}", value);
}

// "1234 ±5%": the median, and how far the repetitions lie from it at most; how many they are where
// that is not the table's usual number.
std::string PrintSpread(const std::vector<double>& values, double median, size_t usual) {
  double furthest = 0;
  for (const double value : values) furthest = std::max(furthest, std::abs(value - median));
  std::string text = PrintNumber(median);
  if (median != 0 && values.size() >= 2) {
    text += fmt::format(" ±{:.0f}%", 100 * furthest / std::abs(median));
  }
  return values.size() == usual ? text : text + fmt::format(" n{}", values.size());
}

using Table = std::vector<std::vector<std::string>>;
constexpr size_t kMostColumns = 100;  // of a terminal
constexpr size_t kTableIndent = 1;
constexpr size_t kColumnGap = 2;

size_t DisplayWidth(const std::string& text) {
  // UTF-8: continuation bytes take no column.
  return static_cast<size_t>(std::count_if(text.begin(), text.end(), [](char c) {
    return (static_cast<unsigned char>(c) & 0xC0) != 0x80;
  }));
}

// winner_last: the last column holds names.
std::string PrintTable(const Table& table, bool winner_last) {
  std::vector<size_t> widths;
  for (const auto& line : table) {
    widths.resize(std::max(widths.size(), line.size()));
    for (size_t i = 0; i < line.size(); ++i) widths[i] = std::max(widths[i], DisplayWidth(line[i]));
  }
  std::string text;
  for (const auto& line : table) {
    std::string printed = " ";
    for (size_t i = 0; i < line.size(); ++i) {
      const std::string padding(widths[i] - DisplayWidth(line[i]), ' ');
      // Names to the left, figures to the right.
      const bool left = i == 0 || (winner_last && i + 1 == line.size());
      printed += " " + (left ? line[i] + padding : padding + line[i]) + " ";
    }
    printed.erase(printed.find_last_not_of(' ') + 1);
    text += printed + "\n";
  }
  return text;
}

// The number of repetitions that most figures of a table have.
size_t UsualRepetitions(const plots::FigureTable& figures) {
  std::map<size_t, size_t> seen;
  for (const plots::FigureRow& row : figures.rows) {
    for (const auto& values : row.repetitions) {
      if (!values.empty()) ++seen[values.size()];
    }
  }
  size_t usual = 0;
  for (const auto& [repetitions, figures_of] : seen) {
    if (usual == 0 || figures_of >= seen[usual]) usual = repetitions;
  }
  return usual;
}

// A figure for each contender, and who won.
std::vector<std::string> FigureLine(const plots::FigureTable& figures, const plots::FigureRow& row,
                                    size_t usual) {
  std::vector<std::string> line = {row.label};
  for (const std::vector<double>& values : row.repetitions) {
    const auto median = stats::Median(values);
    line.push_back(median ? PrintSpread(values, *median, usual) : "-");
  }
  line.push_back(answers::NameWinner(figures.contenders, row.repetitions, row.metric->better()));
  return line;
}

// The columns from first on that fit beside the labels, at least one; the last one is the winner's.
size_t ColumnsThatFit(const Table& table, size_t first) {
  const auto width_of = [&](size_t column) {
    size_t width = 0;
    for (const auto& line : table) width = std::max(width, DisplayWidth(line[column]));
    return width + kColumnGap;
  };
  size_t width = kTableIndent + width_of(0);
  size_t columns = 0;
  while (first + columns < table[0].size()) {
    width += width_of(first + columns);
    if (columns > 0 && width > kMostColumns) break;
    ++columns;
  }
  return columns;
}

// A table that is too wide continues below itself, with the labels again.
std::string PrintInParts(const Table& table) {
  std::string text;
  for (size_t first = 1; first < table[0].size();) {
    const size_t columns = ColumnsThatFit(table, first);
    Table part;
    for (const auto& line : table) {
      part.push_back({line[0]});
      const auto begin = line.begin() + static_cast<std::ptrdiff_t>(first);
      part.back().insert(part.back().end(), begin, begin + static_cast<std::ptrdiff_t>(columns));
    }
    text += (text.empty() ? "" : "\n") + PrintTable(part, first + columns == table[0].size());
    first += columns;
  }
  return text;
}

std::string CountInvalid(const results::Run& run) {
  std::map<std::string, int> reasons;
  int invalid = 0;
  for (const TrialRow& row : run.trials) {
    if (row.status != results::kTrialInvalid) continue;
    ++invalid;
    ++reasons[Printable(fmt::format("{}: {}", row.cell, row.status_reason))];
  }
  if (invalid == 0) return {};
  std::string text = fmt::format("\n{} of {} trials are INVALID and in none of the figures:\n",
                                 invalid, run.trials.size());
  for (const auto& [reason, count] : reasons) text += fmt::format("  {} x {}\n", count, reason);
  return text;
}

}  // namespace

std::string FormatSummary(const results::Run& run) {
  std::string text;
  for (const plots::FigureTable& figures : plots::BuildTables(run)) {
    Table table = {{figures.corner}};
    for (const std::string& contender : figures.contenders) table[0].push_back(contender);
    table[0].emplace_back("winner");
    const size_t usual = UsualRepetitions(figures);
    for (const plots::FigureRow& row : figures.rows) {
      table.push_back(FigureLine(figures, row, usual));
    }
    text += fmt::format("\n{} ({} {})\n{}", Printable(figures.title), usual,
                        usual == 1 ? "repetition" : "repetitions", PrintInParts(table));
  }
  if (!text.empty()) {
    text +=
        "\nFigures are medians; ±: how far the furthest repetition lies from it; nN: of N "
        "repetitions\nwhere that differs. winner: beats the second best by more than noise and "
        "5 %.\n";
  }
  return text + CountInvalid(run);
}

}  // namespace connbench::suite
