// What a gate says.
#include "harness/gate/gate_report.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <string_view>
#include <vector>

#include "base/printable.h"
#include "base/units.h"
#include "harness/gate/calibration_file.h"
#include "harness/stats/words.h"
#include "results/metrics.h"
#include "results/schema.h"

namespace connbench::gate {
namespace {

using RowState = stats::SequentialGate::RowState;

constexpr double kPercent = 100;
// Figures from here on are printed whole.
constexpr double kWhole = 100;

constexpr size_t kColumns = 100;

// Breaks longer lines at blanks; what follows is indented.
std::string Wrap(std::string_view text) {
  std::string wrapped;
  while (!text.empty()) {
    std::string_view line = text.substr(0, text.find('\n'));
    text.remove_prefix(std::min(line.size() + 1, text.size()));
    std::string indent;
    while (indent.size() + line.size() > kColumns) {
      const size_t blank = line.rfind(' ', kColumns - indent.size());
      if (blank == std::string_view::npos || blank == 0) break;
      wrapped.append(indent).append(line.substr(0, blank)).append("\n");
      line.remove_prefix(blank + 1);
      indent = "  ";
    }
    wrapped.append(indent).append(line).append("\n");
  }
  return wrapped;
}

double Median(std::vector<double> values) {
  const auto middle = values.begin() + static_cast<ptrdiff_t>(values.size() / 2);
  std::nth_element(values.begin(), middle, values.end());
  return *middle;
}

std::string Figure(double value) {
  return value >= kWhole ? fmt::format("{:.0f}", value) : fmt::format("{:.3g}", value);
}

std::string Percent(double share) {
  if (!std::isfinite(share)) return "-";
  // "{:.2g}" alone would print 230 as 2.3e+02.
  return share * kPercent >= kWhole ? fmt::format("{:.0f} %", share * kPercent)
                                    : fmt::format("{:.2g} %", share * kPercent);
}

std::string_view LabelOf(const std::string& metric) {
  const auto* field = results::FindField<results::TrialRow>(metric);
  return field == nullptr ? std::string_view(metric) : field->column.label;
}

bool IsChange(stats::Verdict verdict) {
  return verdict == stats::Verdict::kBetter || verdict == stats::Verdict::kWorse;
}

size_t CountMeasured(const GateOutcome& outcome) {
  const auto unmeasured = std::count(outcome.unmeasured.begin(), outcome.unmeasured.end(), true);
  return outcome.rows.size() - static_cast<size_t>(unmeasured);
}

size_t CountOpen(const GateOutcome& outcome) {
  size_t open = 0;
  for (size_t row = 0; row < outcome.rows.size(); ++row) open += outcome.IsOpen(row) ? 1 : 0;
  return open;
}

int Count(const GateOutcome& outcome, stats::Verdict verdict) {
  return static_cast<int>(
      std::count_if(outcome.rows.begin(), outcome.rows.end(),
                    [&](const RowState& state) { return state.verdict == verdict; }));
}

// "steady: throughput: 4.8 % lower (3.9 to 5.7 %), 910 instead of 956 tx/s: worse."
std::string Sentence(const stats::VerdictRow& row) {
  return fmt::format("{}: {}: {}.\n", row.workload, stats::ChangeInWords(row),
                     stats::VerdictName(row.answer.verdict));
}

// A row's rounds, in the order of time.
std::array<std::vector<double>, kSides> ValuesOf(const GateOutcome& outcome, size_t row) {
  std::array<std::vector<double>, kSides> values;
  if (row >= outcome.means.size()) return values;
  for (const auto& means : outcome.means[row]) {
    if (!means) continue;
    values[kBase].push_back(means->base);
    values[kCandidate].push_back(means->candidate);
  }
  return values;
}

std::string TableLine(const GatePlan& plan, const GateOutcome& outcome, size_t row) {
  const RowState& state = outcome.rows[row];
  const auto values = ValuesOf(outcome, row);
  const std::string_view unit = plan.questions[row].unit;
  const std::string label =
      fmt::format("{}{}{}", LabelOf(plan.rows[row].metric), unit.empty() ? "" : ", ", unit);
  if (values[kBase].empty()) return fmt::format("  {:<24} not measured here: no verdict\n", label);
  const bool has_interval = std::isfinite(state.ratio.high);
  return fmt::format(
      "  {:<24} {:>9} {:>9} {:>7.3f} {:>16} {:>6} {:>7} {}\n", label, Figure(Median(values[kBase])),
      Figure(Median(values[kCandidate])), state.ratio.estimate,
      has_interval ? fmt::format("{:.3f} .. {:.3f}", state.ratio.low, state.ratio.high) : "-",
      state.rounds, Percent(state.smallest_effect_seen), stats::VerdictName(state.verdict));
}

std::string Table(const GatePlan& plan, const GateOutcome& outcome) {
  std::string text;
  for (size_t workload = 0; workload < plan.workloads.size(); ++workload) {
    text +=
        fmt::format("\n{}, {} connections\n  {:<24} {:>9} {:>9} {:>7} {:>16} {:>6} {:>7} {}\n",
                    plan.workloads[workload], plan.cells[kBase][workload].workload.connections, "",
                    "base", "candidate", "ratio", "95 % interval", "rounds", "finds", "verdict");
    for (size_t row = 0; row < plan.rows.size(); ++row) {
      if (plan.rows[row].workload == workload) text += TableLine(plan, outcome, row);
    }
  }
  return text +
         "  (medians of rounds, in each of which both servers were started anew; ratio: candidate "
         "over\n   base; finds: the smallest change that 95 % of such gates find; the interval "
         "holds however\n   often the gate has looked)\n";
}

std::string InvalidWindows(const GateOutcome& outcome) {
  std::string text;
  for (const Side side : {kBase, kCandidate}) {
    if (outcome.invalid_windows[side] == 0) continue;
    text += fmt::format("\n{} of {} windows of the {} are INVALID and in no pair:\n",
                        outcome.invalid_windows[side], outcome.windows[side], kSideNames[side]);
    for (const auto& [reason, count] : outcome.invalid_reasons[side]) {
      text += fmt::format("  {} x {}\n", count, Printable(reason));
    }
  }
  return text;
}

// What hit the windows from outside, a sentence for each check.
std::vector<std::string> Disturbances(const GateOutcome& outcome) {
  std::vector<std::string> sentences;
  for (const auto& [check, windows] : outcome.disturbed_windows) {
    sentences.push_back(fmt::format(
        "{}: above its bound in {} of {} windows of the base and {} of {} of the candidate. They "
        "count: it hits either side by chance, which makes the intervals wider.",
        check, windows[kBase], outcome.windows[kBase], windows[kCandidate],
        outcome.windows[kCandidate]));
  }
  return sentences;
}

// The smallest change that a calibrated machine finds, row by row.
std::vector<std::string> SmallestEffects(const GatePlan& plan, const Calibration& calibration) {
  std::vector<std::string> sentences = {
      fmt::format("{} of {} simulated gates of {} gave a false alarm: at most {:.2g} % do.",
                  calibration.false_alarms, calibration.gates,
                  FormatDuration(calibration.budget_ns), calibration.false_alarm_bound * kPercent),
      fmt::format("The smallest change found in {:.0f} % of them:", kPowerWanted * kPercent)};
  for (size_t row = 0; row < plan.rows.size(); ++row) {
    const std::string& workload = plan.workloads[plan.rows[row].workload];
    const auto found = std::find_if(
        calibration.rows.begin(), calibration.rows.end(), [&](const CalibratedRow& one) {
          return one.workload == workload && one.metric == plan.rows[row].metric;
        });
    sentences.push_back(fmt::format("  {}: {}: {}", workload, LabelOf(plan.rows[row].metric),
                                    found == calibration.rows.end() ? "not calibrated"
                                    : found->smallest_effect ? Percent(*found->smallest_effect)
                                                             : "none of those tried"));
  }
  return sentences;
}

// How far the verdict can be trusted, a sentence each.
std::vector<std::string> Trust(const GatePlan& plan, const GateOutcome& outcome,
                               const std::optional<Calibration>& calibration) {
  std::vector<std::string> sentences = Disturbances(outcome);
  for (const Side side : {kBase, kCandidate}) {
    if (plan.IsStartedAnew(side)) continue;
    sentences.push_back(fmt::format(
        "The {} is up already and is not started anew in each round: what its one server differs "
        "by from another of the same program counts as a change.",
        kSideNames[side]));
  }
  sentences.push_back(
      fmt::format("By design at most {:.2g} % of gates without a difference call one.",
                  plan.options.false_alarms * kPercent));
  if (!calibration) {
    sentences.emplace_back(
        "This machine is not calibrated: \"connbench gate --calibrate BASE\" measures how often a "
        "gate errs here, and which changes it finds.");
    return sentences;
  }
  sentences.push_back(fmt::format("Calibrated at {} with {}.", Printable(calibration->made_at),
                                  Printable(calibration->contender)));
  for (std::string& sentence : SmallestEffects(plan, *calibration)) {
    sentences.push_back(std::move(sentence));
  }
  if (calibration->machine != MachineOf()) {
    sentences.push_back(
        fmt::format("It was made on another machine ({}) and says little about this one.",
                    Printable(calibration->machine)));
  }
  if (calibration->window_ns != plan.options.window_ns ||
      calibration->budget_ns != plan.options.budget_ns ||
      calibration->margin != plan.options.margin) {
    sentences.push_back(
        fmt::format("It was made with windows of {}, a budget of {} and a threshold "
                    "of {}.",
                    FormatDuration(calibration->window_ns), FormatDuration(calibration->budget_ns),
                    Percent(calibration->margin)));
  }
  return sentences;
}

std::string Lines(const std::vector<std::string>& sentences) {
  std::string text;
  for (const std::string& sentence : sentences) text += sentence + "\n";
  return text;
}

// The largest change that a gate of this outcome could have missed.
double LargestUnseen(const GateOutcome& outcome) {
  double largest = 0;
  for (size_t row = 0; row < outcome.rows.size(); ++row) {
    // Of a row that was not measured nothing is claimed.
    if (row < outcome.unmeasured.size() && outcome.unmeasured[row]) continue;
    largest = std::max(largest, outcome.rows[row].smallest_effect_seen);
  }
  return largest;
}

// At the pace of the rounds so far.
std::string BudgetFor(const GateOutcome& outcome, size_t rounds) {
  if (outcome.rounds == 0) return "";
  const int64_t round_ns = outcome.elapsed_ns / outcome.rounds;
  const int64_t second = kNanosecondsPerSecond;
  const int64_t budget_ns = static_cast<int64_t>(rounds + 1) * round_ns;
  return fmt::format(" (--budget {}s)", (budget_ns + second - 1) / second);
}

std::string WhatIsMissing(const GatePlan& plan, const GateOutcome& outcome) {
  std::string text;
  for (size_t row = 0; row < outcome.rows.size(); ++row) {
    const RowState& state = outcome.rows[row];
    if (!outcome.IsOpen(row)) continue;
    const bool within_reach = state.rounds_needed && *state.rounds_needed > state.rounds;
    text += fmt::format("{}: {} is not decided{}{}.\n", plan.workloads[plan.rows[row].workload],
                        LabelOf(plan.rows[row].metric),
                        within_reach ? fmt::format(" after {} rounds; about {} would do",
                                                   state.rounds, *state.rounds_needed)
                                     : "",
                        within_reach ? BudgetFor(outcome, *state.rounds_needed) : "");
  }
  return text;
}

}  // namespace

stats::VerdictTable TableOf(const GatePlan& plan, const GateOutcome& outcome,
                            const std::optional<Calibration>& calibration) {
  const bool spoilt = !HasVerdict(outcome.end);
  stats::VerdictTable table;
  table.kind = stats::ComparisonKind::kGate;
  table.notes = Trust(plan, outcome, calibration);
  table.notes.insert(table.notes.begin(), Headline(plan, outcome));
  table.base = plan.Describe(kBase);
  table.candidate = plan.Describe(kCandidate);
  for (size_t row = 0; row < plan.rows.size(); ++row) {
    // A gate that could not even begin has neither.
    const RowState state = row < outcome.rows.size() ? outcome.rows[row] : RowState();
    const auto values = ValuesOf(outcome, row);
    const load::Workload& workload = plan.cells[kBase][plan.rows[row].workload].workload;
    stats::VerdictRow one;
    one.cell = fmt::format("workload:{}/connections:{}", workload.name, workload.connections);
    one.pattern = load::Name(workload.pattern);
    one.workload = workload.name;
    one.connections = workload.connections;
    one.base = table.base;
    one.candidate = table.candidate;
    one.metric = plan.rows[row].metric;
    one.label = LabelOf(one.metric);
    one.unit = plan.questions[row].unit;
    one.headline = results::RoleOf(one.pattern, one.metric) == results::MetricRole::kHeadline;
    one.question.base = values[kBase];
    one.question.candidate = values[kCandidate];
    one.question.paired = one.question.gated = true;
    one.question.direction = plan.questions[row].direction;
    one.question.margin = plan.questions[row].margin;
    one.question.metric = one.metric;
    // What a gate that was spoilt had seen until then is no verdict.
    if (spoilt) one.invalid = Headline(plan, outcome);
    one.answer.verdict = spoilt ? stats::Verdict::kInconclusive : state.verdict;
    if (!values[kBase].empty()) {
      one.answer.base_median = Median(values[kBase]);
      one.answer.candidate_median = Median(values[kCandidate]);
    }
    if (std::isfinite(state.ratio.high)) one.answer.ratio = state.ratio;
    if (std::isfinite(state.smallest_effect_seen)) {
      one.answer.smallest_effect = state.smallest_effect_seen;
    }
    one.answer.p = state.p;
    one.answer.blocks = state.rounds;
    one.answer.blocks_needed = state.rounds_needed;
    if (values[kBase].empty()) one.answer.reason = "not measured here";
    const bool unmeasured = row < outcome.unmeasured.size() && outcome.unmeasured[row];
    if (unmeasured && !spoilt) one.answer.verdict = stats::Verdict::kDescribed;
    table.rows.push_back(std::move(one));
  }
  return table;
}

ExitCode ExitCodeOf(const GateOutcome& outcome) {
  switch (outcome.end) {
    case GateEnd::kInterrupted:
      return kExitInterrupted;
    case GateEnd::kInvalid:
    case GateEnd::kFailed:
      return kExitInvalid;
    case GateEnd::kDecided:
    case GateEnd::kBudgetSpent:
      break;
  }
  if (Count(outcome, stats::Verdict::kWorse) > 0) return kExitRegression;
  const bool decided = CountOpen(outcome) == 0 && CountMeasured(outcome) > 0;
  return decided ? kExitOk : kExitInconclusive;
}

std::string Headline(const GatePlan& plan, const GateOutcome& outcome) {
  const size_t rows = CountMeasured(outcome);
  if (outcome.end == GateEnd::kInterrupted) return "Interrupted: there is no verdict.";
  if (outcome.end == GateEnd::kFailed) {
    return fmt::format("INVALID: {}", outcome.failure.ToString());
  }
  if (outcome.end == GateEnd::kInvalid) {
    return fmt::format("INVALID: {}: there is no verdict.", outcome.reason);
  }
  if (outcome.windows[kBase] == 0) {
    return fmt::format(
        "Cannot tell: the budget of {} has no room for one pair of windows of {} each.",
        FormatDuration(plan.options.budget_ns), FormatDuration(plan.options.window_ns));
  }
  switch (ExitCodeOf(outcome)) {
    case kExitRegression:
      return fmt::format("WORSE: in {} of {} rows the candidate is worse than its base.",
                         Count(outcome, stats::Verdict::kWorse), rows);
    case kExitOk: {
      const int better = Count(outcome, stats::Verdict::kBetter);
      return fmt::format(
          "Nothing is worse{}; in every row a change of {} or more is found in 95 % of such gates.",
          better == 0 ? "" : fmt::format(", and {} of {} rows are better", better, rows),
          Percent(LargestUnseen(outcome)));
    }
    default:
      return fmt::format("Cannot tell: {} of {} rows are not decided within {}.",
                         CountOpen(outcome), rows, FormatDuration(plan.options.budget_ns));
  }
}

std::string FormatGate(const GatePlan& plan, const GateOutcome& outcome,
                       const std::optional<Calibration>& calibration) {
  std::string text = fmt::format("Base: {}\nCandidate: {}\n\n{}\n", plan.Describe(kBase),
                                 plan.Describe(kCandidate), Headline(plan, outcome));
  if (!HasVerdict(outcome.end)) return Wrap(text + InvalidWindows(outcome));
  for (const stats::VerdictRow& row : TableOf(plan, outcome, calibration).rows) {
    if (IsChange(row.answer.verdict)) text += Sentence(row);
  }
  if (outcome.windows[kBase] == 0) return Wrap(text);
  text += WhatIsMissing(plan, outcome);
  text += Table(plan, outcome);
  text += InvalidWindows(outcome);
  return Wrap(text + "\n" + Lines(Trust(plan, outcome, calibration)));
}

std::string FormatCalibration(const GatePlan& plan, const Calibration& calibration) {
  return fmt::format("{} against itself, {} rounds in {}, on {}.\n", plan.Describe(kBase),
                     calibration.rounds, FormatDuration(calibration.budget_ns),
                     Printable(calibration.machine)) +
         Lines(SmallestEffects(plan, calibration));
}

}  // namespace connbench::gate
