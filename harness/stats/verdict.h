// Better, worse, the same, or "the data cannot tell": the ratio of two medians with its bootstrap
// interval, held against a threshold.
//
// Safety: pure functions on private values. Errors: none; samples too few to tell are inconclusive.
#pragma once

#include <cstdint>
#include <span>
#include <string_view>

namespace connbench::stats {

enum class Direction : uint8_t { kHigherIsBetter, kLowerIsBetter };

enum class Verdict : uint8_t {
  kBetter,
  kWorse,
  kSame,          // the whole interval lies within the threshold
  kInconclusive,  // the interval allows more than one of the above, or there are too few samples
};
std::string_view VerdictName(Verdict verdict);

struct ComparisonOptions {
  double threshold = 0.05;   // a smaller change is not worth a word
  double confidence = 0.95;  // of the interval
  uint64_t seed = 1;         // of the bootstrap
};

// Fewer repetitions than this on either side carry no verdict.
inline constexpr size_t kMinimumSamples = 3;

struct Comparison {
  double base_median = 0;
  double candidate_median = 0;
  double ratio = 1;  // candidate / base; 1 when both medians are 0
  double ratio_low = 1;
  double ratio_high = 1;
  size_t base_samples = 0;
  size_t candidate_samples = 0;
  Verdict verdict = Verdict::kInconclusive;
};

// Better or worse needs both: an interval that excludes 1, and a ratio beyond the threshold. The
// first alone would call a reliably measured trifle a change, the second alone would call noise
// one.
Comparison Compare(std::span<const double> base, std::span<const double> candidate,
                   Direction direction, const ComparisonOptions& options);

}  // namespace connbench::stats
