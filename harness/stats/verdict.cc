#include "harness/stats/verdict.h"

#include <algorithm>
#include <cmath>

#include "harness/stats/bootstrap.h"

namespace connbench::stats {

std::string_view VerdictName(Verdict verdict) {
  switch (verdict) {
    case Verdict::kBetter:
      return "better";
    case Verdict::kWorse:
      return "worse";
    case Verdict::kSame:
      return "same";
    case Verdict::kInconclusive:
      return "inconclusive";
  }
  return "";
}

Comparison Compare(std::span<const double> base, std::span<const double> candidate,
                   Direction direction, const ComparisonOptions& options) {
  Comparison result;
  result.base_samples = base.size();
  result.candidate_samples = candidate.size();
  result.base_median = Median(base).value_or(0);
  result.candidate_median = Median(candidate).value_or(0);
  const auto finite = [](double value) { return std::isfinite(value); };
  if (std::min(base.size(), candidate.size()) < kMinimumSamples ||
      !std::all_of(base.begin(), base.end(), finite) ||
      !std::all_of(candidate.begin(), candidate.end(), finite)) {
    return result;
  }
  const bool higher_is_better = direction == Direction::kHigherIsBetter;
  const auto all_zero = [](std::span<const double> values) {
    return std::all_of(values.begin(), values.end(), [](double value) { return value == 0; });
  };
  if (all_zero(base)) {
    // No ratio exists (failures that were none before): any change from 0 is a change.
    if (all_zero(candidate)) {
      result.verdict = Verdict::kSame;
    } else if (result.candidate_median != 0) {
      result.ratio = result.ratio_low = result.ratio_high = INFINITY;
      result.verdict = higher_is_better ? Verdict::kBetter : Verdict::kWorse;
    }
    return result;
  }
  const auto interval = BootstrapRatioOfMedians(base, candidate, options.seed, options.confidence);
  if (!interval) return result;
  result.ratio = interval->estimate;
  result.ratio_low = interval->low;
  result.ratio_high = interval->high;
  const double low_bound = 1 - options.threshold;
  const double high_bound = 1 + options.threshold;
  if (result.ratio_low > 1 && result.ratio > high_bound) {
    result.verdict = higher_is_better ? Verdict::kBetter : Verdict::kWorse;
  } else if (result.ratio_high < 1 && result.ratio < low_bound) {
    result.verdict = higher_is_better ? Verdict::kWorse : Verdict::kBetter;
  } else if (result.ratio_low >= low_bound && result.ratio_high <= high_bound) {
    result.verdict = Verdict::kSame;
  }
  return result;
}

}  // namespace connbench::stats
