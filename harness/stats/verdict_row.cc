// A comparison as plain rows: what they come to.
#include "harness/stats/verdict_row.h"

#include <algorithm>
#include <numeric>

#include "base/exit_code.h"

namespace connbench::stats {

VerdictCounts Count(const VerdictTable& comparison) {
  VerdictCounts counts;
  for (const VerdictRow& row : comparison.rows) {
    if (!row.invalid.empty()) {
      ++counts.invalid;
      continue;
    }
    switch (row.answer.verdict) {
      case Verdict::kBetter:
        ++counts.better;
        break;
      case Verdict::kWorse:
        ++counts.worse;
        break;
      case Verdict::kSame:
        ++counts.same;
        break;
      case Verdict::kUnstable:
        ++counts.unstable;
        break;
      case Verdict::kInconclusive:
        ++counts.inconclusive;
        break;
      case Verdict::kDescribed:
        ++counts.described;
        break;
    }
  }
  return counts;
}

const VerdictRow* MoreFails(const VerdictTable& comparison, const VerdictRow& row) {
  for (const VerdictRow& other : comparison.rows) {
    const Question& question = other.question;
    if (!question.by_difference || other.cell != row.cell || other.candidate != row.candidate ||
        other.base != row.base || question.base.empty() || question.candidate.empty()) {
      continue;
    }
    const auto mean = [](const std::vector<double>& values) {
      return std::accumulate(values.begin(), values.end(), 0.0) /
             static_cast<double>(values.size());
    };
    const double rise = mean(question.candidate) - mean(question.base);
    if (rise > question.least_difference && rise > question.margin * mean(question.base)) {
      return &other;
    }
  }
  return nullptr;
}

void HoldBackWhereMoreFails(VerdictTable& comparison) {
  for (VerdictRow& row : comparison.rows) {
    const Verdict verdict = row.answer.verdict;
    if (!row.invalid.empty() || (verdict != Verdict::kBetter && verdict != Verdict::kSame) ||
        MoreFails(comparison, row) == nullptr) {
      continue;
    }
    row.answer.verdict = Verdict::kInconclusive;
    row.answer.blocks_needed.reset();
    row.answer.reason = "more work fails";
  }
}

int ExitCodeOf(const VerdictTable& comparison, bool strict) {
  if (comparison.kind == ComparisonKind::kAxis) return kExitOk;
  const VerdictCounts counts = Count(comparison);
  if (counts.worse > 0) return kExitRegression;
  if (counts.invalid > 0) return kExitInvalid;
  if (comparison.repetitions_needed > 0) return kExitInconclusive;
  const auto told = [](const VerdictRow& row) {
    return row.question.gated && (row.answer.ratio || row.answer.verdict == Verdict::kBetter ||
                                  row.answer.verdict == Verdict::kSame);
  };
  if (std::none_of(comparison.rows.begin(), comparison.rows.end(), told)) return kExitInconclusive;
  const auto fails_more = [&](const VerdictRow& row) {
    return row.question.gated && MoreFails(comparison, row) == &row;
  };
  if (std::any_of(comparison.rows.begin(), comparison.rows.end(), fails_more)) {
    return kExitInconclusive;
  }
  if (strict && counts.unstable + counts.inconclusive > 0) return kExitInconclusive;
  return kExitOk;
}

}  // namespace connbench::stats
