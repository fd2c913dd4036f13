// Intervals around what is reported: how far a figure would move if the measurement were made
// again. Nothing here assumes normal data except the intervals of a mean and of a
// regression, which say so.
//
// Safety: pure functions, any thread. The same seed gives the same interval. Errors: a sample too
// small to carry an answer gives std::nullopt, never a number.
#pragma once

#include <cstdint>
#include <optional>
#include <span>

#include "harness/stats/histogram.h"

namespace connbench::stats {

struct Interval {
  double estimate = 0;
  double low = 0;
  double high = 0;
};

inline constexpr double kDefaultConfidence = 0.95;

// The middle value, or the mean of the two in the middle; nullopt if there is none.
std::optional<double> Median(std::span<const double> samples);

// The ranks (1-based, low <= high) of a sorted sample of this size between which the quantile of
// its population lies with at least this confidence: the exact binomial interval, no matter the
// distribution. nullopt if the sample is too small for that.
struct RankInterval {
  uint64_t low = 0;
  uint64_t high = 0;
};
std::optional<RankInterval> QuantileRanks(uint64_t samples, double quantile,
                                          double confidence = kDefaultConfidence);

// The same as values. percentile is 0 to 100.
std::optional<Interval> PercentileInterval(const Histogram& histogram, double percentile,
                                           double confidence = kDefaultConfidence);
std::optional<Interval> MedianInterval(std::span<const double> samples,
                                       double confidence = kDefaultConfidence);

// The mean with Student's interval, which supposes about normal samples; needs two of them.
std::optional<Interval> MeanInterval(std::span<const double> samples,
                                     double confidence = kDefaultConfidence);

// y = intercept + slope.estimate * x by least squares. The slope's interval is Student's, which
// supposes independent, equally spread residuals; it needs three points and two different x.
struct Line {
  Interval slope;
  double intercept = 0;
  double r_squared = 0;
};
std::optional<Line> LeastSquares(std::span<const double> x, std::span<const double> y,
                                 double confidence = kDefaultConfidence);

}  // namespace connbench::stats
