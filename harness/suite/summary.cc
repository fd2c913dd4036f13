#include "harness/suite/summary.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <map>
#include <vector>

#include "harness/stats/bootstrap.h"
#include "harness/stats/compare_runs.h"
#include "harness/stats/verdict.h"
#include "plots/summary.h"
#include "results/schema.h"

namespace connbench::suite {
namespace {

using results::TrialRow;

// What is compared side by side: everything but the model is the same.
struct Group {
  std::string title;
  std::vector<std::string> models;  // in order of appearance
  std::map<std::string, std::vector<const TrialRow*>> trials;
};

// The cell's name without its model or target.
std::string RestOfCell(const TrialRow& row) {
  const size_t workload = row.cell.find("workload:");
  return workload == std::string::npos ? row.cell : row.cell.substr(workload);
}

std::vector<Group> MakeGroups(const results::Run& run) {
  std::vector<const TrialRow*> rows;
  for (const TrialRow& row : run.trials) {
    if (row.status == results::kTrialOk) rows.push_back(&row);
  }
  // Trials ran in random order; tables are for reading.
  std::stable_sort(rows.begin(), rows.end(), [](const TrialRow* a, const TrialRow* b) {
    return std::tie(a->workload, a->connections) < std::tie(b->workload, b->connections);
  });
  std::vector<Group> groups;
  for (const TrialRow* row : rows) {
    const std::string title = RestOfCell(*row);
    auto group = std::find_if(groups.begin(), groups.end(),
                              [&](const Group& other) { return other.title == title; });
    if (group == groups.end()) group = groups.insert(groups.end(), {title, {}, {}});
    const std::string model = plots::ContenderName(*row);
    if (group->trials[model].empty()) group->models.push_back(model);
    group->trials[model].push_back(row);
  }
  for (Group& group : groups) std::sort(group.models.begin(), group.models.end());
  return groups;
}

std::string PrintNumber(double value) {
  const double size = std::abs(value);
  if (size == 0) return "0";
  if (size >= 100) return fmt::format(std::locale::classic(), "{:.0f}", value);
  return size >= 10 ? fmt::format("{:.1f}", value) : fmt::format("{:.2f}", value);
}

// "1234 ±5%": the median, and how far the repetitions lie from it at most.
std::string PrintSpread(const std::vector<double>& values, double median) {
  double furthest = 0;
  for (const double value : values) furthest = std::max(furthest, std::abs(value - median));
  if (median == 0 || values.size() < 2) return PrintNumber(median);
  return fmt::format("{} ±{:.0f}%", PrintNumber(median), 100 * furthest / std::abs(median));
}

struct Contender {
  std::string model;
  std::vector<double> values;
  double median = 0;
};

std::string NameWinner(std::vector<Contender> contenders, results::Better better) {
  if (contenders.size() < 2) return "";
  const bool higher = better == results::Better::kHigher;
  std::sort(contenders.begin(), contenders.end(), [&](const Contender& a, const Contender& b) {
    return higher ? a.median > b.median : a.median < b.median;
  });
  const auto direction =
      higher ? stats::Direction::kHigherIsBetter : stats::Direction::kLowerIsBetter;
  const stats::Comparison comparison =
      stats::Compare(contenders[1].values, contenders[0].values, direction, {});
  if (comparison.verdict != stats::Verdict::kBetter) return "no clear winner";
  const double factor = higher ? contenders[0].median / contenders[1].median
                               : contenders[1].median / contenders[0].median;
  if (!std::isfinite(factor)) return contenders[0].model;
  return fmt::format("{} ({:.2f} x {})", contenders[0].model, factor, contenders[1].model);
}

using Table = std::vector<std::vector<std::string>>;

size_t DisplayWidth(const std::string& text) {
  // UTF-8: continuation bytes take no column.
  return static_cast<size_t>(std::count_if(text.begin(), text.end(), [](char c) {
    return (static_cast<unsigned char>(c) & 0xC0) != 0x80;
  }));
}

std::string PrintTable(const Table& table) {
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
      const bool left = i == 0 || i + 1 == line.size();
      printed += " " + (left ? line[i] + padding : padding + line[i]) + " ";
    }
    printed.erase(printed.find_last_not_of(' ') + 1);
    text += printed + "\n";
  }
  return text;
}

std::vector<std::string> MetricLine(const Group& group, const results::Field<TrialRow>& field) {
  std::vector<std::string> line = {
      field.column.unit.empty() ? std::string(field.column.label)
                                : fmt::format("{} [{}]", field.column.label, field.column.unit)};
  std::vector<Contender> contenders;
  bool all_zero = true;
  for (const std::string& model : group.models) {
    Contender contender{model, {}, 0};
    for (const TrialRow* row : group.trials.at(model)) {
      contender.values.push_back(field.Number(*row));
      all_zero = all_zero && contender.values.back() == 0;
    }
    contender.median = stats::Median(contender.values).value_or(0);
    line.push_back(PrintSpread(contender.values, contender.median));
    contenders.push_back(std::move(contender));
  }
  // The metric does not apply to this workload.
  if (all_zero) return {};
  line.push_back(NameWinner(std::move(contenders), field.column.better()));
  return line;
}

// A storm ends when all have connected, each with one statement: its transactions per second say
// nothing that connects per second do not say better.
bool Applies(const std::string& metric, const Group& group) {
  return metric != "throughput_tps" || group.title.find("workload:storm") == std::string::npos;
}

std::string CountInvalid(const results::Run& run) {
  std::map<std::string, int> reasons;
  int invalid = 0;
  for (const TrialRow& row : run.trials) {
    if (row.status != results::kTrialInvalid) continue;
    ++invalid;
    ++reasons[fmt::format("{}: {}", row.cell, row.status_reason)];
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
  for (const Group& group : MakeGroups(run)) {
    Table table = {{""}};
    for (const std::string& model : group.models) table[0].push_back(model);
    table[0].emplace_back("winner");
    for (const std::string& metric : stats::DefaultMetrics()) {
      const auto* field = results::FindField<TrialRow>(metric);
      if (field == nullptr || !Applies(metric, group)) continue;
      std::vector<std::string> line = MetricLine(group, *field);
      if (!line.empty()) table.push_back(std::move(line));
    }
    text += fmt::format("\n{}\n{}", group.title, PrintTable(table));
  }
  return text + CountInvalid(run);
}

}  // namespace connbench::suite
