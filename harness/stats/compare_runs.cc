#include "harness/stats/compare_runs.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <map>
#include <set>

#include "base/exit_code.h"

namespace connbench::stats {
namespace {

using results::TrialRow;
using TrialField = results::Field<TrialRow>;

// Axes that number trials rather than say what was measured.
constexpr std::string_view kNumberingAxes[] = {"run_id", "trial", "cell", "repetition"};

bool IsComparedAxis(const TrialField& field) {
  return field.column.is_axis() && std::find(std::begin(kNumberingAxes), std::end(kNumberingAxes),
                                             field.column.name) == std::end(kNumberingAxes);
}

// The trials of one cell on one side.
struct Side {
  std::vector<const TrialRow*> ok;
  std::string not_ok_reason;  // of the last trial that was not OK
};
using Sides = std::map<std::string, Side>;  // by cell

std::string CellName(const TrialRow& row, std::string_view left_out) {
  std::string name;
  for (const TrialField& field : results::Fields<TrialRow>()) {
    if (!IsComparedAxis(field) || field.column.name == left_out) continue;
    const std::string value = field.Print(row);
    if (value.empty() || (field.column.name == "target" && value == "builtin")) continue;
    name += fmt::format("{}{}:{}", name.empty() ? "" : "/", field.column.name, value);
  }
  return name;
}

void AddTrial(Sides& sides, const TrialRow& row, std::string_view left_out) {
  Side& side = sides[CellName(row, left_out)];
  if (row.status == results::kTrialOk) {
    side.ok.push_back(&row);
  } else {
    side.not_ok_reason = fmt::format("{}: {}", row.status, row.status_reason);
  }
}

Result<std::vector<const TrialField*>> FindMetrics(const std::vector<std::string>& names) {
  std::vector<const TrialField*> metrics;
  for (const std::string& name : names.empty() ? DefaultMetrics() : names) {
    const TrialField* field = results::FindField<TrialRow>(name);
    if (field == nullptr || field->column.better() == results::Better::kNeither) {
      return Status::Error(sqlstate::kUndefinedObject,
                           fmt::format("\"{}\" is not a metric that can be compared", name))
          .WithHint("\"connbench list metrics\" shows the metrics and which direction is better.");
    }
    metrics.push_back(field);
  }
  return metrics;
}

std::vector<double> Values(const Side& side, const TrialField& metric) {
  std::vector<double> values;
  for (const TrialRow* row : side.ok) values.push_back(metric.Number(*row));
  return values;
}

bool AllZero(const std::vector<double>& values) {
  return std::all_of(values.begin(), values.end(), [](double value) { return value == 0; });
}

void CompareSides(const Sides& base, const Sides& candidate, const std::string& candidate_name,
                  const std::vector<const TrialField*>& metrics, const ComparisonOptions& options,
                  ComparedRuns& out) {
  std::set<std::string> cells;
  for (const auto& [cell, side] : base) cells.insert(cell);
  for (const auto& [cell, side] : candidate) cells.insert(cell);
  static const Side kNoTrials{{}, "no trial of this cell"};
  for (const std::string& cell : cells) {
    const auto find = [&](const Sides& sides) -> const Side& {
      const auto found = sides.find(cell);
      return found == sides.end() ? kNoTrials : found->second;
    };
    const Side& base_side = find(base);
    const Side& candidate_side = find(candidate);
    if (base_side.ok.empty() || candidate_side.ok.empty()) {
      const bool base_is_empty = base_side.ok.empty();
      const Side& empty = base_is_empty ? base_side : candidate_side;
      out.rows.push_back(
          {cell,
           candidate_name,
           "(all)",
           "",
           {},
           fmt::format("{}: {}", base_is_empty ? "base" : "candidate", empty.not_ok_reason)});
      ++out.invalid;
      continue;
    }
    for (const TrialField* metric : metrics) {
      const auto base_values = Values(base_side, *metric);
      const auto candidate_values = Values(candidate_side, *metric);
      // What this workload does not measure is 0 throughout.
      if (AllZero(base_values) && AllZero(candidate_values)) continue;
      const Direction direction = metric->column.better() == results::Better::kHigher
                                      ? Direction::kHigherIsBetter
                                      : Direction::kLowerIsBetter;
      ComparedRow row{cell,
                      candidate_name,
                      std::string(metric->column.name),
                      std::string(metric->column.unit),
                      Compare(base_values, candidate_values, direction, options),
                      ""};
      switch (row.comparison.verdict) {
        case Verdict::kBetter:
          ++out.better;
          break;
        case Verdict::kWorse:
          ++out.worse;
          break;
        case Verdict::kSame:
          ++out.same;
          break;
        case Verdict::kInconclusive:
          ++out.inconclusive;
          break;
      }
      out.rows.push_back(std::move(row));
    }
  }
}

Status NothingToCompare() {
  return Status::Error(sqlstate::kInvalidParameterValue, "there is nothing to compare")
      .WithHint("The runs share no cell, or the workloads measure none of the metrics asked for.");
}

std::string Number(double value) {
  if (value == 0) return "0";
  return std::fabs(value) >= 100 ? fmt::format("{:.0f}", value) : fmt::format("{:.3g}", value);
}

}  // namespace

const std::vector<std::string>& DefaultMetrics() {
  static const std::vector<std::string> kMetrics = {
      "throughput_tps",
      "latency_us_p50",
      "latency_us_p99",
      "transactions_failed",
      "connects_per_s",
      "connect_us_p50",
      "connect_us_p99",
      "connects_failed",
      "private_kb_per_connection",
      "page_tables_kb_per_connection",
      "server_cpu_us_per_transaction",
      "server_cpu_us_per_connect",
  };
  return kMetrics;
}

int ComparedRuns::ExitCode(bool strict) const {
  if (worse > 0) return kExitRegression;
  if (invalid > 0) return kExitInvalid;
  if (inconclusive > 0 && strict) return kExitInconclusive;
  return kExitOk;
}

Result<ComparedRuns> CompareRuns(const results::Run& base, const results::Run& candidate,
                                 const std::vector<std::string>& metrics,
                                 const ComparisonOptions& options) {
  CONNBENCH_ASSIGN_OR_RETURN(const auto fields, FindMetrics(metrics));
  Sides base_sides;
  Sides candidate_sides;
  for (const TrialRow& row : base.trials) AddTrial(base_sides, row, "");
  for (const TrialRow& row : candidate.trials) AddTrial(candidate_sides, row, "");
  ComparedRuns out;
  CompareSides(base_sides, candidate_sides, "", fields, options, out);
  if (out.rows.empty()) return NothingToCompare();
  return out;
}

Result<ComparedRuns> CompareWithinRun(const results::Run& run, const std::string& axis,
                                      const std::string& base_value,
                                      const std::vector<std::string>& metrics,
                                      const ComparisonOptions& options) {
  CONNBENCH_ASSIGN_OR_RETURN(const auto fields, FindMetrics(metrics));
  const TrialField* axis_field = results::FindField<TrialRow>(axis);
  if (axis_field == nullptr || !IsComparedAxis(*axis_field)) {
    std::string axes;
    for (const TrialField& field : results::Fields<TrialRow>()) {
      if (IsComparedAxis(field)) axes += fmt::format(" {}", field.column.name);
    }
    return Status::Error(sqlstate::kUndefinedObject, fmt::format("\"{}\" is not an axis", axis))
        .WithHint(fmt::format("The axes are:{}.", axes));
  }
  std::map<std::string, Sides> by_value;
  for (const TrialRow& row : run.trials) AddTrial(by_value[axis_field->Print(row)], row, axis);
  if (by_value.find(base_value) == by_value.end()) {
    std::string values;
    for (const auto& [value, sides] : by_value) values += fmt::format(" {}", value);
    return Status::Error(sqlstate::kUndefinedObject,
                         fmt::format("the run has no trial with {} \"{}\"", axis, base_value))
        .WithHint(fmt::format("It has:{}.", values));
  }
  ComparedRuns out;
  for (const auto& [value, sides] : by_value) {
    if (value != base_value) {
      CompareSides(by_value[base_value], sides, value, fields, options, out);
    }
  }
  if (out.rows.empty()) return NothingToCompare();
  return out;
}

Result<ComparedRuns> CompareHalves(const results::Run& run, const std::vector<std::string>& metrics,
                                   const ComparisonOptions& options) {
  CONNBENCH_ASSIGN_OR_RETURN(const auto fields, FindMetrics(metrics));
  Sides odd;
  Sides even;
  for (const TrialRow& row : run.trials) AddTrial(row.repetition % 2 == 1 ? odd : even, row, "");
  ComparedRuns out;
  CompareSides(odd, even, "", fields, options, out);
  if (out.rows.empty()) return NothingToCompare();
  return out;
}

std::string FormatComparison(const ComparedRuns& compared, TableStyle style) {
  std::vector<std::vector<std::string>> table = {{"cell", "candidate", "metric", "base",
                                                  "candidate's", "ratio", "95 % interval", "n",
                                                  "verdict"}};
  const bool by_axis = std::any_of(compared.rows.begin(), compared.rows.end(),
                                   [](const ComparedRow& row) { return !row.candidate.empty(); });
  for (const ComparedRow& row : compared.rows) {
    const Comparison& c = row.comparison;
    if (!row.invalid_reason.empty()) {
      table.push_back({row.cell, row.candidate, row.metric, "", "", "", "", "",
                       "INVALID (" + row.invalid_reason + ")"});
      continue;
    }
    const std::string unit = row.unit.empty() ? "" : " " + row.unit;
    table.push_back({row.cell, row.candidate, row.metric, Number(c.base_median) + unit,
                     Number(c.candidate_median) + unit, fmt::format("{:.3f}", c.ratio),
                     fmt::format("{:.3f} .. {:.3f}", c.ratio_low, c.ratio_high),
                     fmt::format("{}/{}", c.base_samples, c.candidate_samples),
                     std::string(VerdictName(c.verdict))});
  }
  if (!by_axis) {
    for (auto& cells : table) cells.erase(cells.begin() + 1);
  }
  std::vector<size_t> widths(table[0].size(), 0);
  for (const auto& cells : table) {
    for (size_t i = 0; i < cells.size(); ++i) widths[i] = std::max(widths[i], cells[i].size());
  }
  const bool markdown = style == TableStyle::kMarkdown;
  std::string out;
  for (size_t line = 0; line < table.size(); ++line) {
    std::string text = markdown ? "|" : "";
    for (size_t i = 0; i < table[line].size(); ++i) {
      const bool last = i + 1 == table[line].size();
      text += markdown ? fmt::format(" {:<{}} |", table[line][i], widths[i])
                       : fmt::format("{:<{}}", table[line][i], last ? 0 : widths[i] + 2);
    }
    out += text + "\n";
    if (markdown && line == 0) {
      out += "|";
      for (const size_t width : widths) out += std::string(width + 2, '-') + "|";
      out += "\n";
    }
  }
  out += fmt::format("{}{} better, {} worse, {} same, {} inconclusive, {} invalid\n",
                     markdown ? "\n" : "", compared.better, compared.worse, compared.same,
                     compared.inconclusive, compared.invalid);
  return out;
}

}  // namespace connbench::stats
