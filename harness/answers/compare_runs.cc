// Compares what was measured.
#include "harness/answers/compare_runs.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <functional>
#include <map>
#include <optional>
#include <set>

#include "harness/answers/cells.h"
#include "harness/answers/drift.h"
#include "harness/stats/intervals.h"
#include "results/metrics.h"

namespace connbench::answers {
namespace {

using results::TrialRow;
using TrialField = results::Field<TrialRow>;
using stats::ComparisonKind;
using Values = std::function<std::optional<double>(const TrialRow&)>;
using stats::VerdictRow;
using stats::VerdictTable;

// Work that failed, of all that was tried, as a row of each cell. It has no column of its own.
constexpr std::string_view kFailedLabel = "failed work";

// Of those that are asked for; every cell has failed_percent.
Status CheckAsked(std::vector<std::string> names) {
  std::erase(names, kFailedPercent);
  return CheckMetrics(names);
}

std::vector<std::string> MetricsFor(const TrialRow& row, const CompareOptions& options) {
  std::vector<std::string> names;
  for (const std::string& name : options.metrics) {
    // Every cell has it.
    if (name != kFailedPercent) names.push_back(name);
  }
  if (!options.metrics.empty()) return names;
  for (const std::string_view name :
       results::MetricsWith(row.pattern, results::MetricRole::kDescribed)) {
    const TrialField* field = results::FindField<TrialRow>(name);
    if (field != nullptr && field->column.better() != results::Better::kNeither) {
      names.emplace_back(name);
    }
  }
  return names;
}

// The larger of the shares of transactions and of connects that failed; none if nothing was tried.
std::optional<double> FailedPercent(const TrialRow& row) {
  std::optional<double> share;
  const auto add = [&](const std::optional<int64_t>& ok, const std::optional<int64_t>& failed) {
    const int64_t tried = ok.value_or(0) + failed.value_or(0);
    if (!failed || tried <= 0) return;
    const double percent = 100 * static_cast<double>(*failed) / static_cast<double>(tried);
    share = std::max(share.value_or(0), percent);
  };
  add(row.transactions_ok, row.transactions_failed);
  add(row.connects_ok, row.connects_failed);
  return share;
}

// How many requests a client makes before it connects again.
int64_t RequestsPerConnection(const TrialRow& row) {
  if (row.transactions_ok.value_or(0) <= 0 || row.connects_ok.value_or(0) <= 0) return 0;
  return std::max<int64_t>(1, std::llround(static_cast<double>(*row.transactions_ok) /
                                           static_cast<double>(*row.connects_ok)));
}

struct Sides {
  std::vector<const TrialRow*> base;
  std::vector<const TrialRow*> candidate;
};

// Charts and tables of figures show the same.
struct Medians {
  std::optional<double> base;
  std::optional<double> candidate;
};

// None if nothing was measured, or a value is no number.
std::optional<double> MedianOf(const std::vector<const TrialRow*>& trials, const Values& value_of) {
  std::vector<double> values;
  for (const TrialRow* trial : trials) {
    const auto value = value_of(*trial);
    if (value && !std::isfinite(*value)) return std::nullopt;
    if (value) values.push_back(*value);
  }
  return stats::Median(values);
}

// Builds the rows of a comparison from pairs of sides.
class Builder {
 public:
  Builder(const CompareOptions& options, ComparisonKind kind) : options_(options) {
    comparison_.kind = kind;
  }

  VerdictTable& comparison() { return comparison_; }

  void AddInvalid(const Cell& cell, const std::string& base, const std::string& candidate,
                  std::string reason) {
    VerdictRow row = Begin(cell, base, candidate);
    row.invalid = std::move(reason);
    Keep(cell, std::move(row));
  }

  // compared: what the ratio is of; all: what the medians are of.
  void AddCell(const Cell& cell, const std::string& base, const std::string& candidate,
               const Sides& compared, const Sides& all, bool paired,
               const std::map<std::string, double>& drift) {
    const auto add = [&](VerdictRow row, const Values& value_of, bool gated) {
      row.contender =
          (compared.candidate.empty() ? cell.example : compared.candidate.front())->contender;
      stats::Question& question = row.question;
      question.metric = row.metric;
      const bool named = comparison_.kind == ComparisonKind::kAxis;
      question.scatters_like =
          fmt::format("{} {}", row.metric, named ? candidate : cell.example->contender);
      question.paired = paired;
      question.gated = gated && !named;
      if (const auto found = drift.find(row.metric); found != drift.end()) {
        question.drift = found->second;
      }
      Fill(compared.base, compared.candidate, value_of, question);
      const auto all_zero = [](const std::vector<double>& values) {
        return std::all_of(values.begin(), values.end(), [](double value) { return value == 0; });
      };
      // Not measured on either side, or no failure on either: nothing to compare.
      if (all_zero(question.base) && all_zero(question.candidate)) return;
      Keep(cell, std::move(row));
      medians_.back() = {MedianOf(all.base, value_of), MedianOf(all.candidate, value_of)};
    };
    for (const std::string& metric : MetricsFor(*cell.example, options_)) {
      const TrialField& field = *results::FindField<TrialRow>(metric);
      VerdictRow row = Begin(cell, base, candidate);
      const auto role = results::RoleOf(cell.example->pattern, metric);
      row.metric = metric;
      row.label = std::string(field.column.label);
      row.unit = std::string(field.column.unit);
      row.headline = role == results::MetricRole::kHeadline;
      row.question.margin = options_.thresholds.MarginOf(metric);
      row.question.direction = field.column.better() == results::Better::kHigher
                                   ? stats::Direction::kHigherIsBetter
                                   : stats::Direction::kLowerIsBetter;
      add(
          std::move(row), [&](const TrialRow& trial) { return field.Measured(trial); },
          role >= results::MetricRole::kGated || !options_.metrics.empty());
    }
    VerdictRow failed = Begin(cell, base, candidate);
    failed.metric = kFailedPercent;
    failed.label = kFailedLabel;
    failed.unit = "%";
    failed.question.by_difference = true;
    failed.question.margin = options_.thresholds.margin;
    failed.question.least_difference = options_.thresholds.FailedPercentBound();
    add(std::move(failed), FailedPercent, true);
  }

  // Where connections are compared, no number of them is a circumstance.
  Result<VerdictTable> Finish(bool by_connections = false) {
    if (comparison_.rows.empty()) {
      std::string hint =
          "The two sides share no cell, or the workloads measure none of the metrics asked for.";
      for (const std::string& note : comparison_.notes) hint += " " + note;
      return Status::Error(sqlstate::kInvalidParameterValue, "there is nothing to compare")
          .WithHint(std::move(hint));
    }
    KeepCircumstancesThatTell();
    if (by_connections) {
      for (VerdictRow& row : comparison_.rows) row.connections = 0;
    }
    std::vector<stats::Question> questions;
    for (const VerdictRow& row : comparison_.rows) questions.push_back(row.question);
    std::vector<stats::Answer> answers = stats::JudgeFamily(questions, options_.family);
    for (size_t i = 0; i < answers.size(); ++i) {
      VerdictRow& row = comparison_.rows[i];
      if (!row.invalid.empty()) continue;
      row.answer = std::move(answers[i]);
      row.answer.base_median = medians_[i].base;
      row.answer.candidate_median = medians_[i].candidate;
    }
    stats::HoldBackWhereMoreFails(comparison_);
    return std::move(comparison_);
  }

 private:
  void Keep(const Cell& cell, VerdictRow row) {
    comparison_.rows.push_back(std::move(row));
    tells_apart_.push_back(cell.tells_apart);
    medians_.emplace_back();
  }

  // Of what tells cells apart, that in which rows of a workload and connection count differ.
  void KeepCircumstancesThatTell() {
    using Place = std::pair<std::string, int64_t>;
    std::map<Place, std::set<Pairs>> cells;
    std::map<std::pair<Place, std::pair<std::string, std::string>>, std::set<Pairs>> with;
    for (size_t i = 0; i < comparison_.rows.size(); ++i) {
      const VerdictRow& row = comparison_.rows[i];
      const Place place = {row.workload, row.connections};
      cells[place].insert(tells_apart_[i]);
      for (const auto& part : tells_apart_[i]) with[{place, part}].insert(tells_apart_[i]);
    }
    for (size_t i = 0; i < comparison_.rows.size(); ++i) {
      VerdictRow& row = comparison_.rows[i];
      const Place place = {row.workload, row.connections};
      for (const auto& part : tells_apart_[i]) {
        if (with[{place, part}].size() == cells[place].size()) continue;
        row.circumstances +=
            fmt::format("{}{} {}", row.circumstances.empty() ? "" : ", ", part.first, part.second);
      }
    }
  }

  static VerdictRow Begin(const Cell& cell, const std::string& base, const std::string& candidate) {
    VerdictRow row;
    row.cell = cell.name;
    row.pattern = cell.example->pattern;
    row.workload = cell.example->workload;
    row.connections = cell.example->connections;
    row.requests_per_connection = RequestsPerConnection(*cell.example);
    // The connections of a mixed load are mostly those that disturb; those that are measured stay.
    row.measured_clients = cell.example->pattern == "mixed" ? cell.example->connects_ok.value_or(0)
                                                            : cell.example->connections;
    row.base = base;
    row.candidate = candidate;
    return row;
  }

  static void Fill(const std::vector<const TrialRow*>& base,
                   const std::vector<const TrialRow*>& candidate, const Values& value_of,
                   stats::Question& question) {
    if (!question.paired) {
      const auto add = [&](const TrialRow& row, std::vector<double>& values) {
        if (const auto value = value_of(row)) values.push_back(*value);
      };
      for (const TrialRow* row : base) add(*row, question.base);
      for (const TrialRow* row : candidate) add(*row, question.candidate);
      return;
    }
    const auto measured = [&](const TrialRow* row) { return value_of(*row).has_value(); };
    // Of a side that lacks the metric in all its trials the other's figures still tell something.
    if (std::none_of(base.begin(), base.end(), measured) ||
        std::none_of(candidate.begin(), candidate.end(), measured)) {
      question.paired = false;
      Fill(base, candidate, value_of, question);
      return;
    }
    // A pair needs both of its values.
    for (size_t i = 0; i < std::min(base.size(), candidate.size()); ++i) {
      const auto a = value_of(*base[i]);
      const auto b = value_of(*candidate[i]);
      if (!a || !b) continue;
      question.base.push_back(*a);
      question.candidate.push_back(*b);
    }
  }

  const CompareOptions& options_;
  VerdictTable comparison_;
  std::vector<Pairs> tells_apart_;  // of each row
  std::vector<Medians> medians_;    // of each row
};

// The trials of both sides whose repetition both have.
Sides PairsByBlock(const Side& base, const Side& candidate) {
  Sides pairs;
  for (const TrialRow* row : base.ok) {
    const auto partner =
        std::find_if(candidate.ok.begin(), candidate.ok.end(),
                     [&](const TrialRow* other) { return other->repetition == row->repetition; });
    if (partner == candidate.ok.end()) continue;
    pairs.base.push_back(row);
    pairs.candidate.push_back(*partner);
  }
  return pairs;
}

// What the runs' surroundings differ in, as far as it explains differences.
void NoteSurroundings(const results::Run& base, const results::Run& candidate,
                      std::vector<std::string>& notes) {
  const auto differ = [&](std::string_view what, const std::string& a, const std::string& b) {
    if (a != b) notes.push_back(fmt::format("The runs differ in their {}: {} and {}.", what, a, b));
  };
  differ("machine", base.info.hostname, candidate.info.hostname);
  differ("CPU", base.info.cpu_model, candidate.info.cpu_model);
  differ("CPUs online", std::to_string(base.info.cpus_online),
         std::to_string(candidate.info.cpus_online));
  differ("kernel", base.info.kernel, candidate.info.kernel);
  differ("kind of build", base.info.build_kind, candidate.info.build_kind);
  differ("schema version", std::to_string(base.info.schema_version),
         std::to_string(candidate.info.schema_version));
  for (const auto* run : {&base, &candidate}) {
    if (run->info.outcome == "complete") continue;
    notes.push_back(fmt::format("The run {} is not complete ({}): what it has is compared.",
                                run->info.run_id, run->info.outcome));
  }
}

std::string ListSome(const std::vector<std::string>& names) {
  constexpr size_t kShown = 3;
  std::string text;
  for (size_t i = 0; i < std::min(names.size(), kShown); ++i) text += (i ? ", " : "") + names[i];
  if (names.size() > kShown) text += fmt::format(" and {} more", names.size() - kShown);
  return text;
}

}  // namespace

Result<VerdictTable> CompareRuns(const results::Run& base, const results::Run& candidate,
                                 const CompareOptions& options) {
  CONNBENCH_RETURN_IF_ERROR(CheckAsked(options.metrics));
  CONNBENCH_RETURN_IF_ERROR(CheckWhole(base));
  CONNBENCH_RETURN_IF_ERROR(CheckWhole(candidate));
  CONNBENCH_ASSIGN_OR_RETURN(const Cells base_cells, CellsOf(base, "", ""));
  CONNBENCH_ASSIGN_OR_RETURN(const Cells candidate_cells, CellsOf(candidate, "", ""));
  Builder builder(options, ComparisonKind::kRuns);
  VerdictTable& comparison = builder.comparison();
  comparison.base = base.info.run_id;
  comparison.candidate = candidate.info.run_id;
  const auto drift = DriftByMetric(base_cells, candidate_cells, options.thresholds.drift);
  bool shared = false;
  for (const auto& [name, cell] : base_cells) {
    const auto found = candidate_cells.find(name);
    if (found == candidate_cells.end()) {
      builder.AddInvalid(cell, "base", "candidate", "the candidate has no trial of this cell");
      continue;
    }
    shared = true;
    const Side& side = cell.side;
    const Side& other = found->second.side;
    if (side.ok.empty() || other.ok.empty()) {
      builder.AddInvalid(
          cell, "base", "candidate",
          side.ok.empty() ? "base: " + side.not_ok_reason : "candidate: " + other.not_ok_reason);
      continue;
    }
    const Sides sides = {side.ok, other.ok};
    builder.AddCell(cell, "base", "candidate", sides, sides, false, drift);
  }
  for (const auto& [name, cell] : candidate_cells) {
    if (base_cells.contains(name)) continue;
    builder.AddInvalid(cell, "base", "candidate", "the base has no trial of this cell");
  }
  if (!shared) {
    return Status::Error(sqlstate::kInvalidParameterValue, "the two runs share no cell")
        .WithHint(fmt::format("{} has {} cells, such as {}; {} has {}, such as {}.",
                              comparison.base, base_cells.size(),
                              base_cells.empty() ? "none" : base_cells.begin()->first,
                              comparison.candidate, candidate_cells.size(),
                              candidate_cells.empty() ? "none" : candidate_cells.begin()->first));
  }
  if (!base.info.run_id.empty() && base.info.run_id == candidate.info.run_id) {
    comparison.notes.push_back(fmt::format(
        "Both sides are one run, {}: they can differ in nothing. \"compare --halves\" shows what "
        "its noise does.",
        base.info.run_id));
    return builder.Finish();
  }
  comparison.notes.push_back(fmt::format(
      "Two runs made at different times ({}; {}): nothing pairs their repetitions, and drift of "
      "the machine between them is no sampling error. Intervals are Welch's, widened by at least "
      "{:.0f} % for times and {:.0f} % for counts. \"connbench gate\" measures both sides at once.",
      base.info.started_at, candidate.info.started_at,
      100 * options.thresholds.drift.value_or(kDriftOfTimes),
      100 * options.thresholds.drift.value_or(kDriftOfCounts)));
  NoteSurroundings(base, candidate, comparison.notes);
  return builder.Finish();
}

Result<VerdictTable> CompareWithinRun(const results::Run& run, const std::string& axis,
                                      const std::string& base_value,
                                      const CompareOptions& options) {
  CONNBENCH_RETURN_IF_ERROR(CheckAsked(options.metrics));
  CONNBENCH_RETURN_IF_ERROR(CheckWhole(run));
  const std::vector<std::string> axes = AxesOf(run);
  if (std::find(axes.begin(), axes.end(), axis) == axes.end()) {
    return Status::Error(sqlstate::kUndefinedObject, fmt::format("\"{}\" is not an axis", axis))
        .WithHint(fmt::format("The axes are: {}.", fmt::join(axes, " ")));
  }
  std::map<std::string, std::string> words_of;  // by value
  for (const TrialRow& row : run.trials) {
    words_of.try_emplace(AxisValue(row, axis), AxisValueInWords(row, axis));
  }
  if (!words_of.contains(base_value)) {
    std::string values;
    for (const auto& [value, words] : words_of) {
      values += fmt::format("{}{}", values.empty() ? "" : ", ",
                            value.empty() ? words : "\"" + value + "\"");
    }
    return Status::Error(sqlstate::kUndefinedObject,
                         fmt::format("the run has no trial with {} \"{}\"", axis, base_value))
        .WithHint(fmt::format("It has: {}.", values));
  }
  Builder builder(options, ComparisonKind::kAxis);
  VerdictTable& comparison = builder.comparison();
  comparison.base = words_of[base_value];
  const SettingsByContender known = SettingsOfContenders(run);
  CONNBENCH_ASSIGN_OR_RETURN(const Cells base, CellsOf(run, axis, base_value));
  const auto side_in_words = [&](const std::string& words, const Cell& cell, const Cell& other) {
    const std::string own = OwnVariedSettings(run, cell, other);
    return own.empty() ? words : words + " with " + own;
  };
  std::map<std::string, Cells> others;  // by value
  for (const auto& [value, words] : words_of) {
    if (value == base_value) continue;
    CONNBENCH_ASSIGN_OR_RETURN(others[value], CellsOf(run, axis, value));
  }
  std::vector<std::string> left_out;
  std::vector<std::string> alone;
  std::set<const Cell*> met;
  for (const auto& [name, cell] : base) {
    for (const auto& [value, cells] : others) {
      for (const auto& [other_name, other] : cells) {
        if (!AreAlike(cell, other, known)) continue;
        met.insert({&cell, &other});
        const std::string ours = side_in_words(words_of[base_value], cell, other);
        const std::string theirs = side_in_words(words_of[value], other, cell);
        if (cell.side.ok.empty() || other.side.ok.empty()) {
          const bool base_lacks = cell.side.ok.empty();
          left_out.push_back(
              fmt::format("{} in {} ({})", base_lacks ? ours : theirs, name,
                          base_lacks ? cell.side.not_ok_reason : other.side.not_ok_reason));
          continue;
        }
        builder.AddCell(cell, ours, theirs, PairsByBlock(cell.side, other.side),
                        {cell.side.ok, other.side.ok}, true, {});
      }
    }
    if (!met.contains(&cell)) {
      alone.push_back(fmt::format("{} in {}", words_of[base_value], name));
    }
  }
  // A value that a cell was not measured with is no breach of anything.
  for (const auto& [value, cells] : others) {
    for (const auto& [name, cell] : cells) {
      if (!met.contains(&cell)) alone.push_back(fmt::format("{} in {}", words_of[value], name));
    }
  }
  if (!left_out.empty()) {
    comparison.notes.push_back(
        fmt::format("Without a valid trial, so left out: {}.", ListSome(left_out)));
  }
  if (!alone.empty()) {
    comparison.notes.push_back(fmt::format(
        "Measured under conditions that the other side was not measured under, so left out: {}.{}",
        ListSome(alone),
        SaysWhoServes(axis) && axis != "contender"
            ? " \"--by contender\" holds models and targets against each other."
            : ""));
  }
  return builder.Finish(axis == "connections");
}

Result<VerdictTable> CompareHalves(const results::Run& run, const CompareOptions& options) {
  CONNBENCH_RETURN_IF_ERROR(CheckAsked(options.metrics));
  CONNBENCH_RETURN_IF_ERROR(CheckWhole(run));
  CONNBENCH_ASSIGN_OR_RETURN(const Cells cells, CellsOf(run, "", ""));
  Builder builder(options, ComparisonKind::kHalves);
  VerdictTable& comparison = builder.comparison();
  comparison.base = "odd repetitions";
  comparison.candidate = "even repetitions";
  size_t fewest = 0;
  size_t too_few = 0;
  for (const auto& [name, cell] : cells) {
    const Side& side = cell.side;
    if (side.ok.empty()) {
      builder.AddInvalid(cell, comparison.base, comparison.candidate, side.not_ok_reason);
      continue;
    }
    if (side.ok.size() < kMinRepetitionsForHalves) {
      fewest = too_few == 0 ? side.ok.size() : std::min(fewest, side.ok.size());
      ++too_few;
      continue;
    }
    Sides halves;  // odd and even
    for (size_t i = 0; i + 1 < side.ok.size(); i += 2) {
      halves.base.push_back(side.ok[i]);
      halves.candidate.push_back(side.ok[i + 1]);
    }
    builder.AddCell(cell, comparison.base, comparison.candidate, halves, halves, true, {});
  }
  if (too_few > 0) {
    comparison.repetitions_needed = kMinRepetitionsForHalves;
    comparison.notes.push_back(fmt::format(
        "Halves need {} repetitions of each cell, three for each half; {} of {} cells have fewer "
        "(the fewest: {}).",
        kMinRepetitionsForHalves, too_few, cells.size(), fewest));
    if (comparison.rows.empty()) return std::move(comparison);
  }
  return builder.Finish();
}

}  // namespace connbench::answers
