// The words of a comparison: which direction is better, and what a sample can say.
//
// Safety: plain values; any thread. Errors: none.
#pragma once

#include <cstdint>
#include <string_view>

namespace connbench::stats {

enum class Direction : uint8_t { kHigherIsBetter, kLowerIsBetter };

enum class Verdict : uint8_t {
  kBetter,        // the difference is no chance, and larger than the margin
  kWorse,         // the same in the other direction
  kSame,          // the whole 95 % interval lies within the margin
  kUnstable,      // values swapped between the sides differ by over 10 % by chance alone
  kInconclusive,  // the interval allows more than one of the above, or there is none
  kDescribed,     // figures only: nobody asked for a verdict
};
std::string_view VerdictName(Verdict verdict);

// The verdict for a difference that is no chance. log_ratio is that of candidate over base.
Verdict BetterOrWorse(double log_ratio, Direction direction);

}  // namespace connbench::stats
