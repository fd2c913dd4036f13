// Intervals around what is reported.
#include "harness/stats/intervals.h"

#include <algorithm>
#include <boost/math/distributions/binomial.hpp>
#include <boost/math/distributions/students_t.hpp>
#include <cmath>
#include <vector>

namespace connbench::stats {
namespace {

double MedianOf(std::vector<double>& values) {
  const size_t middle = values.size() / 2;
  std::nth_element(values.begin(), values.begin() + static_cast<ptrdiff_t>(middle), values.end());
  const double upper = values[middle];
  if (values.size() % 2 == 1) return upper;
  return (*std::max_element(values.begin(), values.begin() + static_cast<ptrdiff_t>(middle)) +
          upper) /
         2;
}

}  // namespace

std::optional<double> Median(std::span<const double> samples) {
  if (samples.empty()) return std::nullopt;
  std::vector<double> copy(samples.begin(), samples.end());
  return MedianOf(copy);
}

std::optional<RankInterval> QuantileRanks(uint64_t samples, double quantile, double confidence) {
  if (samples == 0 || !(quantile > 0 && quantile < 1) || !(confidence > 0 && confidence < 1)) {
    return std::nullopt;
  }
  // B = how many samples lie below the quantile is binomial. The interval [X(low), X(high)] misses
  // when B < low, or when B >= high: each with at most half of what confidence leaves.
  const boost::math::binomial below(static_cast<double>(samples), quantile);
  const double tail = (1 - confidence) / 2;
  const auto n = static_cast<int64_t>(samples);
  // P(B <= k), 0 below the range.
  const auto at_most = [&](int64_t k) {
    return k < 0 ? 0.0 : boost::math::cdf(below, static_cast<double>(std::min(k, n)));
  };
  const auto at_least = [&](int64_t k) {
    return k <= 0 ? 1.0
                  : boost::math::cdf(boost::math::complement(below, static_cast<double>(k - 1)));
  };
  // The largest low with P(B <= low - 1) <= tail, by bisection; the smallest high likewise.
  if (at_most(0) > tail || at_least(n) > tail) return std::nullopt;
  int64_t low = 1;
  for (int64_t beyond = n + 1; beyond - low > 1;) {
    const int64_t middle = low + (beyond - low) / 2;
    (at_most(middle - 1) <= tail ? low : beyond) = middle;
  }
  int64_t high = n;
  for (int64_t below_high = 0; high - below_high > 1;) {
    const int64_t middle = below_high + (high - below_high) / 2;
    (at_least(middle) <= tail ? high : below_high) = middle;
  }
  return RankInterval{static_cast<uint64_t>(low), static_cast<uint64_t>(high)};
}

std::optional<Interval> PercentileInterval(const Histogram& histogram, double percentile,
                                           double confidence) {
  const auto ranks = QuantileRanks(histogram.count(), percentile / 100, confidence);
  if (!ranks) return std::nullopt;
  return Interval{static_cast<double>(histogram.ValueAtPercentile(percentile)),
                  static_cast<double>(histogram.ValueAtRank(ranks->low)),
                  static_cast<double>(histogram.ValueAtRank(ranks->high))};
}

std::optional<Interval> MedianInterval(std::span<const double> samples, double confidence) {
  const auto ranks = QuantileRanks(samples.size(), 0.5, confidence);
  if (!ranks) return std::nullopt;
  std::vector<double> sorted(samples.begin(), samples.end());
  std::sort(sorted.begin(), sorted.end());
  return Interval{*Median(samples), sorted[ranks->low - 1], sorted[ranks->high - 1]};
}

std::optional<Interval> MeanInterval(std::span<const double> samples, double confidence) {
  if (samples.size() < 2 || !(confidence > 0 && confidence < 1)) return std::nullopt;
  const auto n = static_cast<double>(samples.size());
  double mean = 0;
  for (const double sample : samples) mean += sample / n;
  double squares = 0;
  for (const double sample : samples) squares += (sample - mean) * (sample - mean);
  const double t = boost::math::quantile(boost::math::students_t(n - 1), (1 + confidence) / 2);
  const double half = t * std::sqrt(squares / (n - 1) / n);
  return Interval{mean, mean - half, mean + half};
}

std::optional<Line> LeastSquares(std::span<const double> x, std::span<const double> y,
                                 double confidence) {
  constexpr size_t kMinPoints = 3;
  if (x.size() != y.size() || x.size() < kMinPoints || !(confidence > 0 && confidence < 1)) {
    return std::nullopt;
  }
  const auto n = static_cast<double>(x.size());
  double mean_x = 0;
  double mean_y = 0;
  for (size_t i = 0; i < x.size(); ++i) {
    mean_x += x[i] / n;
    mean_y += y[i] / n;
  }
  double sxx = 0;
  double sxy = 0;
  double syy = 0;
  for (size_t i = 0; i < x.size(); ++i) {
    sxx += (x[i] - mean_x) * (x[i] - mean_x);
    sxy += (x[i] - mean_x) * (y[i] - mean_y);
    syy += (y[i] - mean_y) * (y[i] - mean_y);
  }
  if (!(sxx > 0)) return std::nullopt;
  Line line;
  line.slope.estimate = sxy / sxx;
  line.intercept = mean_y - line.slope.estimate * mean_x;
  double residual_squares = 0;
  for (size_t i = 0; i < x.size(); ++i) {
    const double residual = y[i] - line.intercept - line.slope.estimate * x[i];
    residual_squares += residual * residual;
  }
  line.r_squared = syy > 0 ? 1 - residual_squares / syy : 1;
  const double standard_error = std::sqrt(residual_squares / (n - 2) / sxx);
  const double t = boost::math::quantile(boost::math::students_t(n - 2), (1 + confidence) / 2);
  line.slope.low = line.slope.estimate - t * standard_error;
  line.slope.high = line.slope.estimate + t * standard_error;
  return line;
}

}  // namespace connbench::stats
