// What a sample of this size could have shown, and how large one must be to settle a question.
//
// Safety: pure functions, any thread. Errors: none.
#pragma once

#include <cstddef>
#include <optional>

#include "harness/stats/log_ratio.h"

namespace connbench::stats {

// A difference of the smallest effect is found in this share of samples.
inline constexpr double kPower = 0.95;
// Nobody makes more repetitions than this to settle one row.
inline constexpr size_t kMaxBlocksAsked = 1'000;
// Degrees of freedom of the noise, the row's own or of all rows that scatter alike: five pairs.
inline constexpr double kLeastNoiseDegrees = 4;

// What decides a row.
struct Decision {
  double level = 0.01;       // two-sided, of this row: its share of the family's
  double log_margin = 0;     // a smaller change is not worth a word
  double confidence = 0.95;  // of the interval that must lie within the margin for "same"
  double drift = 0;          // a log, as in RatioInterval
};

// The smallest log ratio that kPower of the samples like this one find: told from chance and drift,
// and measured beyond the margin. The sample says how noisy they are, and how surely it says so.
// nullopt: too few repetitions know too little of the noise (fewer than kLeastNoiseDegrees), so
// that whatever were named would often not be found: a second mode of it may not have shown itself.
std::optional<double> SmallestEffect(const LogRatio& sample, const Decision& decision);

// How many blocks in all would settle a row whose ratio and noise are what the sample says: a
// change, if the ratio lies beyond the margin, else "same". nullopt: more than kMaxBlocksAsked, or
// no number would, because drift is as large as what is asked.
std::optional<size_t> BlocksToSettle(const LogRatio& sample, const Decision& decision);

}  // namespace connbench::stats
