// The words of a comparison.
#include "harness/stats/verdict.h"

namespace connbench::stats {

std::string_view VerdictName(Verdict verdict) {
  switch (verdict) {
    case Verdict::kBetter:
      return "better";
    case Verdict::kWorse:
      return "worse";
    case Verdict::kSame:
      return "same";
    case Verdict::kUnstable:
      return "unstable";
    case Verdict::kInconclusive:
      return "inconclusive";
    case Verdict::kDescribed:
      return "described";
  }
  return "";
}

Verdict BetterOrWorse(double log_ratio, Direction direction) {
  const bool higher = log_ratio > 0;
  return higher == (direction == Direction::kHigherIsBetter) ? Verdict::kBetter : Verdict::kWorse;
}

}  // namespace connbench::stats
