// What the page opens with.
#include "plots/page/answer.h"

#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <optional>
#include <set>

#include "harness/answers/compare_runs.h"
#include "harness/stats/intervals.h"
#include "harness/stats/words.h"
#include "plots/page/commands.h"
#include "plots/summary.h"
#include "results/metrics.h"

namespace connbench::plots {
namespace {

using results::Run;
using results::TrialRow;
using stats::VerdictRow;
using stats::VerdictTable;

// "fork, thread and reactor"
std::string Enumerate(const std::vector<std::string>& names) {
  std::string text;
  for (size_t i = 0; i < names.size(); ++i) {
    if (i > 0) text += i + 1 == names.size() ? " and " : ", ";
    text += names[i];
  }
  return text;
}

// More names are counted instead.
constexpr size_t kMaxNamesInQuestion = 6;

std::string Question(std::span<const Run> runs) {
  if (runs.size() > 1) {
    std::vector<std::string> names;
    for (const Run& run : runs) names.push_back(run.info.run_id);
    return names.size() <= kMaxNamesInQuestion
               ? fmt::format("What differs between {}?", Enumerate(names))
               : fmt::format("What differs between {} runs?", names.size());
  }
  const Run& run = runs.front();
  std::vector<std::string> workloads;
  for (const TrialRow& row : run.trials) {
    if (std::find(workloads.begin(), workloads.end(), row.workload) == workloads.end()) {
      workloads.push_back(row.workload);
    }
  }
  std::sort(workloads.begin(), workloads.end());
  const std::vector<std::string> contenders = ContendersOf(run);
  if (contenders.empty()) return "What was measured?";
  if (contenders.size() == 1) {
    return fmt::format("How does {} do under {}?", contenders.front(), Enumerate(workloads));
  }
  return fmt::format("Which of {} does best under {}, and by how much?",
                     contenders.size() <= kMaxNamesInQuestion
                         ? Enumerate(contenders)
                         : fmt::format("{} contenders", contenders.size()),
                     Enumerate(workloads));
}

// Whether the row's candidate is ahead of the other's.
bool IsAhead(const VerdictRow& row, const VerdictRow& other) {
  return row.question.direction == stats::Direction::kHigherIsBetter
             ? *row.answer.candidate_median > *other.answer.candidate_median
             : *row.answer.candidate_median < *other.answer.candidate_median;
}

bool HasFigures(const VerdictRow& row) {
  return row.headline && row.invalid.empty() && row.answer.base_median &&
         row.answer.candidate_median;
}

// Of each workload the combination with the most connections, and there the contender that is ahead
// in the first headline metric.
VerdictTable OpeningRows(const VerdictTable& table) {
  std::map<std::string, const VerdictRow*> largest;
  for (const VerdictRow& row : table.rows) {
    if (!HasFigures(row)) continue;
    const VerdictRow*& found = largest[row.workload];
    if (found == nullptr || row.connections > found->connections) found = &row;
  }
  VerdictTable opening;
  opening.kind = table.kind;
  opening.base = table.base;
  for (const auto& [workload, example] : largest) {
    const VerdictRow* best = nullptr;
    for (const VerdictRow& row : table.rows) {
      if (row.cell != example->cell || row.metric != example->metric || !HasFigures(row)) continue;
      if (best == nullptr || IsAhead(row, *best)) best = &row;
    }
    for (const VerdictRow& row : table.rows) {
      // Where more work fails, the sentence says so first.
      const bool told = row.headline || row.question.by_difference;
      if (row.cell == best->cell && row.candidate == best->candidate && told) {
        opening.rows.push_back(row);
      }
    }
  }
  return opening;
}

// What changed, the verdict first, as in the markdown of `connbench compare`.
std::vector<std::string> ChangeSentences(const VerdictTable& table) {
  std::vector<std::string> sentences;
  for (const VerdictRow& row : table.rows) {
    if (!row.invalid.empty() || (row.answer.verdict != stats::Verdict::kBetter &&
                                 row.answer.verdict != stats::Verdict::kWorse)) {
      continue;
    }
    sentences.push_back(fmt::format("{}: {}: {}.", stats::VerdictName(row.answer.verdict),
                                    stats::Circumstances(row), stats::ChangeInWords(row)));
  }
  return sentences;
}

// Where nothing is compared: the headlines of each cell.
std::vector<std::string> FigureSentences(const Run& run) {
  std::map<std::string, std::vector<const TrialRow*>> cells;
  for (const TrialRow& row : run.trials) {
    if (row.status == results::kTrialOk) cells[row.cell].push_back(&row);
  }
  std::vector<std::string> sentences;
  for (const auto& [cell, trials] : cells) {
    const TrialRow& example = *trials.front();
    VerdictRow place;
    place.cell = cell;
    place.pattern = example.pattern;
    place.workload = example.workload;
    place.connections = example.connections;
    std::string figures;
    for (const std::string_view metric :
         results::MetricsWith(example.pattern, results::MetricRole::kHeadline)) {
      std::vector<double> values;
      for (const TrialRow* trial : trials) {
        if (const auto value = results::MetricValue(*trial, metric)) values.push_back(*value);
      }
      const auto median = stats::Median(values);
      if (!median) continue;
      const results::Column& column = results::FindField<TrialRow>(metric)->column;
      figures += fmt::format("{}{} {}", figures.empty() ? "" : "; ", column.label,
                             stats::Quantity(*median, column.unit));
    }
    if (figures.empty()) continue;
    sentences.push_back(
        fmt::format("{}, {}: {}.", stats::Circumstances(place), ContenderName(example), figures));
  }
  return sentences;
}

Comparison CompareContenders(const Run& run) {
  Comparison comparison;
  comparison.run = &run;
  const std::vector<std::string> contenders = ContendersOf(run);
  if (contenders.size() < 2) {
    comparison.why_none = "The run has one contender, so nothing is compared.";
    return comparison;
  }
  const std::string base = DefaultBase(contenders);
  comparison.title = fmt::format("Everything against {}", base);
  comparison.command = CompareCommand(run, base);
  auto table = answers::CompareWithinRun(run, "contender", base, {});
  if (table.ok()) {
    comparison.table = std::move(*table);
  } else {
    comparison.why_none = fmt::format("Nothing is compared: {}.", table.status().error().message);
  }
  return comparison;
}

Comparison CompareTwoRuns(const Run& base, const Run& candidate) {
  Comparison comparison;
  comparison.run = &candidate;
  comparison.title = fmt::format("{} against {}", candidate.info.run_id, base.info.run_id);
  comparison.command = CommandLine({"./connbench", "compare", base.folder, candidate.folder});
  auto table = answers::CompareRuns(base, candidate, {});
  if (table.ok()) {
    comparison.table = std::move(*table);
  } else {
    comparison.why_none = fmt::format("{}: {}.", comparison.title, table.status().error().message);
  }
  return comparison;
}

// The chart of what the first row says.
void ChooseChart(const VerdictTable& table, Answer& answer) {
  const auto first = std::find_if(table.rows.begin(), table.rows.end(), HasFigures);
  if (first == table.rows.end()) return;
  answer.metric = first->metric;
  answer.workload = first->workload;
}

}  // namespace

std::vector<std::string> ContendersOf(const Run& run) {
  std::set<std::string> names;
  for (const TrialRow& row : run.trials) names.insert(ContenderName(row));
  return {names.begin(), names.end()};
}

std::string DefaultBase(const std::vector<std::string>& contenders) {
  for (const std::string_view preferred : {"postgres", "fork"}) {
    if (std::find(contenders.begin(), contenders.end(), preferred) != contenders.end()) {
      return std::string(preferred);
    }
  }
  return contenders.empty() ? "" : contenders.front();
}

std::vector<Comparison> CompareAll(std::span<const Run> runs) {
  std::vector<Comparison> comparisons;
  if (runs.size() == 1) comparisons.push_back(CompareContenders(runs.front()));
  for (size_t i = 1; i < runs.size(); ++i) {
    comparisons.push_back(CompareTwoRuns(runs.front(), runs[i]));
  }
  return comparisons;
}

Answer AnswerOf(std::span<const Run> runs, std::span<const Comparison> comparisons) {
  Answer answer;
  answer.question = Question(runs);
  std::vector<std::string> sentences;
  for (const Comparison& comparison : comparisons) {
    if (!comparison.why_none.empty()) {
      answer.note += (answer.note.empty() ? "" : " ") + comparison.why_none;
    } else if (runs.size() == 1) {
      const VerdictTable opening = OpeningRows(comparison.table);
      sentences = stats::HeadlineSentences(opening);
      ChooseChart(opening, answer);
      answer.more = stats::HeadlineSentences(comparison.table);
      answer.note = fmt::format(
          "The contender that is ahead where a workload has the most clients, against {}. Figures "
          "are medians of all valid repetitions, as in charts and tables. Ratios come from pairs "
          "of trials of one block; in parentheses: where the true ratio lies in 95 of 100 such "
          "runs.",
          comparison.table.base);
    } else {
      sentences.push_back(
          fmt::format("{}: {}", comparison.title, stats::Conclusion(comparison.table)));
      for (std::string& change : ChangeSentences(comparison.table)) {
        sentences.push_back(std::move(change));
      }
      if (answer.metric.empty()) ChooseChart(comparison.table, answer);
    }
  }
  if (sentences.empty() && runs.size() == 1) sentences = FigureSentences(runs.front());
  if (sentences.empty() && answer.note.empty()) answer.note = "There is no valid trial.";
  const size_t shown = std::min(sentences.size(), kMaxOpeningSentences);
  answer.sentences.assign(sentences.begin(), sentences.begin() + static_cast<ptrdiff_t>(shown));
  if (answer.more.empty()) {
    answer.more.assign(sentences.begin() + static_cast<ptrdiff_t>(shown), sentences.end());
  }
  return answer;
}

}  // namespace connbench::plots
