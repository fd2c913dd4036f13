// Sentences from verdicts.
#include "harness/stats/words.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <limits>
#include <map>
#include <optional>

#include "harness/stats/power.h"

namespace connbench::stats {
namespace {

struct PatternWords {
  std::string_view pattern;
  std::string_view clients;  // {} is their number
};
constexpr std::array kPatterns = {
    PatternWords{"churn", "With {} clients that connect for each request"},
    PatternWords{"storm", "When {} clients connect at the same instant"},
    PatternWords{"steady", "With {} clients that stay connected"},
    PatternWords{"idle", "With {} connections of which few work"},
    PatternWords{"failover", "When {} clients are dropped and come back"},
    PatternWords{"mixed", "With {} clients while others disturb them"},
};

// Units that a quantity moves through as it grows; factor to the next.
struct UnitStep {
  std::string_view unit;
  std::string_view larger;
  double factor;
};
constexpr std::array kSteps = {
    UnitStep{"us", "ms", 1000},
    UnitStep{"ms", "s", 1000},
    UnitStep{"kB", "MB", 1024},
    UnitStep{"MB", "GB", 1024},
};

std::string WithThousands(const std::string& digits) {
  std::string out;
  for (size_t i = 0; i < digits.size(); ++i) {
    if (i > 0 && (digits.size() - i) % 3 == 0) out += ',';
    out += digits[i];
  }
  return out;
}

// Three significant digits, thousands separated.
std::string ThreeDigits(double value) {
  const double size = std::abs(value);
  if (size == 0) return "0";
  if (!std::isfinite(value)) return "more than any number";
  const std::string sign = value < 0 ? "-" : "";
  if (size >= 99.95) return sign + WithThousands(fmt::format("{:.0f}", size));
  if (size >= 9.995) return sign + fmt::format("{:.1f}", size);
  if (size >= 0.0095) return sign + fmt::format("{:.2f}", size);
  return sign + fmt::format("{:.2g}", size);
}

// Ratios this large or small are told as multiples, others as percentages.
constexpr double kTold = 2;

std::string Factor(double ratio) {
  if (ratio > 1000) return "over 1,000";
  return ratio >= 9.95 ? fmt::format("{:.0f}", ratio) : fmt::format("{:.1f}", ratio);
}

std::string PercentDigits(double share) {
  const double percent = std::abs(share) * 100;
  if (percent > 1000) return "over 1,000";
  if (percent >= 9.95) return fmt::format("{:.0f}", percent);
  return percent >= 0.995 || percent == 0 ? fmt::format("{:.1f}", percent)
                                          : fmt::format("{:.2f}", percent);
}

// "12 % {more} ... (10 to 14 %)", the interval turned to the same side.
struct Told {
  std::string size;   // "6.4 times as many", "12 % more"
  std::string range;  // "6.1 to 6.7", "10 to 14 %", "1.0 % fewer to 3.4 % more"
};

Told TellRatio(const Interval& ratio, std::string_view as_much, std::string_view more,
               std::string_view less) {
  if (ratio.estimate >= kTold) {
    return {fmt::format("{} times {}", Factor(ratio.estimate), as_much),
            fmt::format("{} to {}", Factor(ratio.low), Factor(ratio.high))};
  }
  if (ratio.estimate <= 1 / kTold) {
    return {fmt::format("{} % {}", PercentDigits(ratio.estimate), as_much),
            fmt::format("{} to {} %", PercentDigits(ratio.low), PercentDigits(ratio.high))};
  }
  const bool is_more = ratio.estimate >= 1;
  const std::string size =
      fmt::format("{} % {}", PercentDigits(ratio.estimate - 1), is_more ? more : less);
  if (ratio.low >= 1) {
    return {size,
            fmt::format("{} to {} %", PercentDigits(ratio.low - 1), PercentDigits(ratio.high - 1))};
  }
  if (ratio.high <= 1) {
    return {size,
            fmt::format("{} to {} %", PercentDigits(1 - ratio.high), PercentDigits(1 - ratio.low))};
  }
  return {size, fmt::format("{} % {} to {} % {}", PercentDigits(1 - ratio.low), less,
                            PercentDigits(ratio.high - 1), more)};
}

bool IsTime(std::string_view unit) { return unit == "us" || unit == "ms" || unit == "s"; }

bool IsRate(std::string_view unit) { return unit == "tx/s" || unit == "1/s"; }

std::string Medians(const VerdictRow& row) {
  const Answer& answer = row.answer;
  if (!answer.base_median || !answer.candidate_median) return "";
  return fmt::format("{} instead of {}", Quantity(*answer.candidate_median, row.unit),
                     Quantity(*answer.base_median, row.unit));
}

// What is told of a rate: "answers 6.4 times as many requests as postgres (6.1 to 6.7)".
std::string RateClause(const VerdictRow& row) {
  const std::string_view verb = row.metric == "connects_per_s" ? "connects" : "answers";
  const std::string_view things = row.metric == "connects_per_s" ? "clients" : "requests";
  if (!row.answer.ratio) return fmt::format("{} {}", row.label, Medians(row));
  const bool far = row.answer.ratio->estimate >= kTold || row.answer.ratio->estimate <= 1 / kTold;
  const Told told = TellRatio(*row.answer.ratio, "as many", "more", "fewer");
  return fmt::format("{} {} {} {} {} ({})", verb, told.size, things, far ? "as" : "than", row.base,
                     told.range);
}

// What is told of a time: "a request takes 99 ms instead of 637 ms".
std::string TimeClause(const VerdictRow& row) {
  static const std::map<std::string_view, std::string_view> kWords = {
      {"request_us_mean", "a request takes"},
      {"request_us_p50", "half of the requests take at most"},
      {"request_us_p99", "99 % of the requests take at most"},
      {"all_served_ms", "all are served after"},
      {"victim_recovery_ms", "latency is calm again after"},
      {"latency_us_p50", "half of the transactions take at most"},
      {"latency_us_p99", "99 % of the transactions take at most"},
      {"connect_us_p50", "half of the connects take at most"},
  };
  const auto found = kWords.find(row.metric);
  const std::string begin =
      found == kWords.end() ? fmt::format("{} is", row.label) : std::string(found->second);
  return fmt::format("{} {}", begin, Medians(row));
}

std::string OtherClause(const VerdictRow& row) {
  if (!row.answer.ratio) return fmt::format("{} is {}", row.label, Medians(row));
  const Told told = TellRatio(*row.answer.ratio, "as much", "more", "less");
  return fmt::format("{} is {}: {} ({})", row.label, Medians(row), told.size, told.range);
}

bool HasFigures(const VerdictRow& row) {
  return row.invalid.empty() && row.answer.base_median && row.answer.candidate_median;
}

std::string Join(const std::vector<std::string>& parts, std::string_view between) {
  std::string text;
  for (const std::string& part : parts) text += (text.empty() ? "" : std::string(between)) + part;
  return text;
}

std::string Plural(size_t count, std::string_view one, std::string_view many) {
  return fmt::format("{} {}", count, count == 1 ? one : many);
}

// Rows of one cell and candidate, headlines only.
struct Group {
  const VerdictRow* first = nullptr;
  std::vector<const VerdictRow*> rows;
};

std::vector<Group> HeadlineGroups(const VerdictTable& comparison) {
  std::vector<Group> groups;
  std::map<std::pair<std::string, std::string>, size_t> index;
  for (const VerdictRow& row : comparison.rows) {
    if (!row.headline || !HasFigures(row)) continue;
    const auto [found, added] =
        index.try_emplace({row.cell, row.base + "\n" + row.candidate}, groups.size());
    if (added) groups.push_back({&row, {}});
    groups[found->second].rows.push_back(&row);
  }
  // What carries an interval first, and rates first among those: they name both contenders.
  for (Group& group : groups) {
    std::stable_sort(group.rows.begin(), group.rows.end(),
                     [](const VerdictRow* a, const VerdictRow* b) {
                       const auto rank = [](const VerdictRow* row) {
                         return std::pair(!row->answer.ratio, !IsRate(row->unit));
                       };
                       return rank(a) < rank(b);
                     });
  }
  return groups;
}

// "fork fails 50 % of its work, thread 0 %": before anything that such a contender does better.
std::string FailureClause(const VerdictTable& comparison, const VerdictRow& row) {
  const VerdictRow* fails = MoreFails(comparison, row);
  if (fails == nullptr || !HasFigures(*fails)) return "";
  return fmt::format("{} fails {} of its work, {} {}", row.candidate,
                     Quantity(*fails->answer.candidate_median, fails->unit), row.base,
                     Quantity(*fails->answer.base_median, fails->unit));
}

std::string SentenceOf(const VerdictTable& comparison, const Group& group) {
  std::vector<std::string> clauses;
  for (const VerdictRow* row : group.rows) {
    const bool opens = clauses.empty();
    // Figures without an interval are worth a word only where there are no others.
    if (!opens && !row->answer.ratio) continue;
    std::string clause;
    if (IsRate(row->unit)) {
      clause = opens ? fmt::format("{} {}", row->candidate, RateClause(*row)) : OtherClause(*row);
    } else if (IsTime(row->unit)) {
      clause = TimeClause(*row);
    } else {
      clause = OtherClause(*row);
    }
    // Where no rate opens, somebody still has to be named.
    if (opens && !IsRate(row->unit)) {
      clause = fmt::format("{} against {}: {}", row->candidate, row->base, clause);
      if (IsTime(row->unit) && row->answer.ratio) {
        const Told told = TellRatio(*row->answer.ratio, "as long", "longer", "shorter");
        clause += fmt::format(", {} ({})", told.size, told.range);
      }
    }
    clauses.push_back(clause);
  }
  const std::string failure = FailureClause(comparison, *group.first);
  if (!failure.empty()) clauses.insert(clauses.begin(), failure);
  std::string sentence = fmt::format("{}, {}.", Circumstances(*group.first), Join(clauses, "; "));
  const Answer& answer = group.rows.front()->answer;
  if (!answer.ratio && !answer.reason.empty()) {
    sentence += fmt::format(" No ratio: {}.", answer.reason);
  }
  return sentence;
}

// "Nothing is worse" says nothing without what would have been found.
std::string NothingWorse(const VerdictTable& comparison, size_t judged) {
  std::optional<double> least;
  std::optional<double> most;
  size_t without = 0;
  for (const VerdictRow& row : comparison.rows) {
    if (!row.question.gated || !row.invalid.empty() || row.question.by_difference) continue;
    const auto& effect = row.answer.smallest_effect;
    if (!effect) {
      ++without;
      continue;
    }
    least = std::min(least.value_or(*effect), *effect);
    most = std::max(most.value_or(*effect), *effect);
  }
  if (!least) {
    return fmt::format("No judged row is worse, of {}; none of them carries an interval.", judged);
  }
  std::string text = fmt::format(
      "No judged row is worse, of {}; a change would have been found in {} of cases from {} on in "
      "the quietest row, from {} on in the noisiest",
      judged, PercentInWords(kPower), PercentInWords(*least), PercentInWords(*most));
  if (without > 0) {
    text += fmt::format("; {} no interval, so in {} no size of change would have been",
                        Plural(without, "row carries", "rows carry"), without == 1 ? "it" : "them");
  }
  return text + ".";
}

// "In 2 cells more work fails than before."
std::string CellsThatFailMore(const VerdictTable& comparison) {
  size_t cells = 0;
  for (const VerdictRow& row : comparison.rows) {
    if (row.question.by_difference && MoreFails(comparison, row) == &row) ++cells;
  }
  return cells == 0 ? ""
                    : fmt::format("In {} more work fails than with the base: see \"failed work\".",
                                  Plural(cells, "cell", "cells"));
}

}  // namespace

std::string Quantity(double value, std::string_view unit) {
  for (const UnitStep& step : kSteps) {
    if (unit == step.unit && std::abs(value) >= step.factor * 0.9995) {
      value /= step.factor;
      unit = step.larger;
    }
  }
  const std::string digits = ThreeDigits(value);
  return unit.empty() ? digits : fmt::format("{} {}", digits, unit);
}

std::string PercentInWords(double share) { return PercentDigits(share) + " %"; }

std::string RatioInWords(double ratio) {
  return TellRatio({ratio, ratio, ratio}, "as much", "more", "less").size;
}

std::string Circumstances(const VerdictRow& row) {
  const auto* words =
      std::find_if(kPatterns.begin(), kPatterns.end(),
                   [&](const PatternWords& known) { return known.pattern == row.pattern; });
  std::string text;
  if (row.connections <= 0) {
    text = fmt::format("In {}", row.cell);
  } else if (words == kPatterns.end()) {
    text = fmt::format("With {} clients", row.connections);
  } else {
    const int64_t clients = row.measured_clients > 0 ? row.measured_clients : row.connections;
    text = fmt::format(fmt::runtime(words->clients), clients);
    if (row.pattern == "churn" && row.requests_per_connection > 1) {
      text = fmt::format("With {} clients that connect for every {} requests", clients,
                         row.requests_per_connection);
    }
  }
  std::vector<std::string> more;
  if (row.connections > 0 && !row.workload.empty() && row.workload != row.pattern) {
    more.push_back("workload " + row.workload);
  }
  if (row.measured_clients > 0 && row.measured_clients != row.connections) {
    more.push_back(fmt::format("connections {}", row.connections));
  }
  if (!row.circumstances.empty()) more.push_back(row.circumstances);
  return more.empty() ? text : fmt::format("{} ({})", text, Join(more, ", "));
}

std::string ChangeInWords(const VerdictRow& row) {
  const Answer& answer = row.answer;
  if (!answer.ratio) return fmt::format("{}: {}", row.label, Medians(row));
  const bool time = IsTime(row.unit);
  const Told told = TellRatio(*answer.ratio, time ? "as long" : "as much",
                              time ? "longer" : "higher", time ? "shorter" : "lower");
  return fmt::format("{}: {} ({}), {}", row.label, told.size, told.range, Medians(row));
}

std::string WhatIsMissing(const VerdictRow& row) {
  const Answer& answer = row.answer;
  if (!answer.reason.empty() && !answer.ratio) return answer.reason;
  const bool open =
      answer.verdict == Verdict::kInconclusive || answer.verdict == Verdict::kUnstable;
  if (open && answer.blocks_needed) {
    return fmt::format("needs {} repetitions, has {}", *answer.blocks_needed, answer.blocks);
  }
  if (open) return answer.reason.empty() ? "no number of repetitions settles it" : answer.reason;
  if (answer.smallest_effect && answer.verdict == Verdict::kSame) {
    return fmt::format("a change of {} would have been seen",
                       PercentInWords(*answer.smallest_effect));
  }
  return "";
}

std::vector<std::string> HeadlineSentences(const VerdictTable& comparison) {
  std::vector<std::string> sentences;
  for (const Group& group : HeadlineGroups(comparison)) {
    sentences.push_back(SentenceOf(comparison, group));
  }
  return sentences;
}

std::string Conclusion(const VerdictTable& comparison) {
  const VerdictCounts counts = Count(comparison);
  if (comparison.kind == ComparisonKind::kAxis) {
    return fmt::format("Described, not judged: {} against {}.",
                       Plural(counts.described, "row", "rows"), comparison.base);
  }
  std::vector<std::string> sentences;
  if (comparison.repetitions_needed > 0) {
    sentences.push_back(
        fmt::format("Too few repetitions: needs {}.", comparison.repetitions_needed));
  }
  const size_t judged = counts.judged();
  if (judged == 0 && counts.invalid == 0 && comparison.repetitions_needed == 0) {
    sentences.emplace_back("No row is gated, so nothing is judged.");
  }
  if (counts.worse > 0) {
    sentences.push_back(fmt::format("{} of {} {} worse.", counts.worse,
                                    Plural(judged, "judged row", "judged rows"),
                                    counts.worse == 1 ? "is" : "are"));
  } else if (judged > 0) {
    sentences.push_back(NothingWorse(comparison, judged));
  }
  if (const std::string failing = CellsThatFailMore(comparison); !failing.empty()) {
    sentences.push_back(failing);
  }
  std::vector<std::string> others;
  const auto tell = [&](size_t count, std::string_view what) {
    if (count > 0) others.push_back(fmt::format("{} {}", count, what));
  };
  tell(counts.better, "better");
  tell(counts.same, "the same");
  tell(counts.unstable, "unstable");
  tell(counts.inconclusive, "inconclusive");
  tell(counts.invalid, "INVALID");
  if (!others.empty()) {
    sentences.push_back(fmt::format("{}: {}.", sentences.empty() ? "The rows" : "Of the others",
                                    Join(others, ", ")));
  }
  return Join(sentences, " ");
}

std::vector<std::string> HowToRead(const VerdictTable& comparison) {
  std::vector<std::string> lines = {
      "Ratio: candidate / base. Interval: where the true ratio lies in 95 of 100 such comparisons.",
      comparison.kind == ComparisonKind::kRuns ? "n: repetitions on each side."
      : comparison.kind == ComparisonKind::kGate
          ? "n: rounds; in each of them both servers were started anew, and measured in pairs."
      : comparison.kind == ComparisonKind::kHalves
          ? "n: pairs of an odd repetition and the even one that follows it, in one run."
          : "n: pairs of base and candidate that were measured in the same block.",
      "needs N: this many of them, all counted, would settle the row if it goes on as it is.",
  };
  if (comparison.kind != ComparisonKind::kAxis) {
    lines.push_back(fmt::format(
        "All judged rows share a false-alarm rate of {} (Holm). \"same\": the whole interval lies "
        "within the margin.",
        PercentInWords(kFamilyLevel)));
  }
  const auto failing = [](const VerdictRow& row) { return row.question.by_difference; };
  if (std::any_of(comparison.rows.begin(), comparison.rows.end(), failing)) {
    lines.emplace_back(
        "Failed work: the larger one of the shares of transactions and of connects that failed. "
        "Where it rises, no row of the cell is better or the same.");
  }
  return lines;
}

}  // namespace connbench::stats
