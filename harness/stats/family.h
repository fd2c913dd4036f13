// Verdicts for all rows of a comparison at once: with a hundred rows some differ by chance, so the
// rows that are judged share one error (Holm), and rows of the same metric and contender tell each
// other how much that metric scatters.
//
// Values that have no logarithm (0) are judged by Student's t on the difference of the means, as a
// share of the larger one; such a row has a verdict and no ratio.
//
// Only gated rows get a verdict; the others are described. docs/method/statistics.md has the rules
// and their calibration.
// Safety: pure functions, any thread. Errors: none; a sample that carries no answer says why.
#pragma once

#include <cstddef>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "harness/stats/log_ratio.h"
#include "harness/stats/verdict.h"

namespace connbench::stats {

// "Better" or "worse" by chance in any row of a comparison: at most this often.
inline constexpr double kFamilyLevel = 0.01;
inline constexpr double kDefaultMargin = 0.05;
// A row in which random labels make this much difference is unstable.
inline constexpr double kUnstable = 0.10;

// One row: a metric of a cell on both sides, values in the order of time.
struct Question {
  std::vector<double> base;
  std::vector<double> candidate;
  bool paired = false;  // value i of both sides comes from the same block
  bool gated = false;
  Direction direction = Direction::kLowerIsBetter;
  double margin = kDefaultMargin;  // a smaller change is not worth a word
  double drift = 0;                // as a share: what two runs differ by without a cause
  // Judged by the difference of the means, never as a ratio: shares near 0. A difference of up to
  // least_difference, in the metric's unit, gets no verdict.
  bool by_difference = false;
  double least_difference = 0;
  std::string metric;
  std::string scatters_like;  // rows that name the same share their noise: metric and contender
};

struct Answer {
  Verdict verdict = Verdict::kDescribed;
  // Of the question's values; none where a side has none. A comparison of pairs puts the medians of
  // all valid repetitions here, which charts and tables show, too (answers/compare_runs.cc).
  std::optional<double> base_median;
  std::optional<double> candidate_median;
  // candidate / base with its interval at 95 %, drift included; none if the sample carries none.
  std::optional<Interval> ratio;
  double p = 1;           // of a gated row, after Holm's correction
  size_t blocks = 0;      // pairs, or repetitions of the side that has fewer
  double relabelled = 0;  // as a share: what labels alone make, of a row that is not settled
  // The smallest change that would have been called better or worse with kPower, as a share (0.05:
  // 5 %): beyond chance and beyond the margin. None where there is no ratio.
  std::optional<double> smallest_effect;
  // Blocks that would settle the row, all counted; none if it is settled or no number would.
  std::optional<size_t> blocks_needed;
  std::string reason;  // why there is no ratio
};

struct FamilyOptions {
  double level = kFamilyLevel;
  double confidence = kDefaultConfidence;
  // Whether rows that are not settled say why and what they need, which takes most of the time.
  bool explain = true;
};

std::vector<Answer> JudgeFamily(std::span<const Question> questions,
                                const FamilyOptions& options = {});

// Holm's step-down: each p as it counts in its family. Same order as given.
std::vector<double> HolmAdjusted(std::span<const double> p);

}  // namespace connbench::stats
