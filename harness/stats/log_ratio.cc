// How many times the base's value the candidate's is, and how well that is known.
#include "harness/stats/log_ratio.h"

#include <algorithm>
#include <boost/math/distributions/students_t.hpp>
#include <cmath>
#include <vector>

#include "base/assert.h"

namespace connbench::stats {
namespace {

// A correlation with the next value says nothing in a shorter series.
constexpr size_t kMinForAutocorrelation = 8;
constexpr double kMaxAutocorrelation = 0.9;
// Of a run's own repetitions where they are too few to tell: a correlation of 0.2. Pairs lose it.
constexpr double kAssumedInflation = 1.5;
constexpr double kRoundingOfSquares = 1e-20;

struct Moments {
  double mean = 0;
  double variance = 0;
  double inflation = 1;
  size_t n = 0;

  // Of the mean, with the noise of one value at least this.
  double SquaredError(double least_variance) const {
    return std::max(variance, least_variance) * inflation / static_cast<double>(n);
  }
  // A series whose values resemble each other counts as fewer values.
  double degrees() const { return std::max(1.0, static_cast<double>(n) / inflation - 1); }
};

Moments MomentsOf(std::span<const double> values) {
  Moments moments;
  moments.n = values.size();
  const auto n = static_cast<double>(values.size());
  for (const double value : values) moments.mean += value / n;
  for (const double value : values) {
    moments.variance += (value - moments.mean) * (value - moments.mean) / (n - 1);
  }
  moments.inflation = AutocorrelationInflation(values);
  return moments;
}

// Of neighbours, that makes the variance of a mean grow by this much.
double CorrelationOf(double inflation) { return (inflation - 1) / (inflation + 1); }

// False if a value has no logarithm.
bool TakeLogs(std::span<const double> values, std::vector<double>& logs) {
  for (const double value : values) {
    if (!(value > 0) || !std::isfinite(value)) return false;
    logs.push_back(std::log(value));
  }
  return true;
}

}  // namespace

double AutocorrelationInflation(std::span<const double> series) {
  if (series.size() < kMinForAutocorrelation) return 1;
  const auto n = static_cast<double>(series.size());
  double mean = 0;
  for (const double value : series) mean += value / n;
  double squares = 0;
  double products = 0;
  for (size_t i = 0; i < series.size(); ++i) {
    squares += (series[i] - mean) * (series[i] - mean);
    if (i > 0) products += (series[i] - mean) * (series[i - 1] - mean);
  }
  // Equal values differ by rounding alone.
  if (!(squares > n * kRoundingOfSquares * (1 + mean * mean))) return 1;
  // The estimate is low by about 1/n without any correlation, by (1 + 4r)/n with correlation r.
  const double raw = products / squares;
  const double r = std::clamp((raw * n + 1) / (n - 4), 0.0, kMaxAutocorrelation);
  return (1 + r) / (1 - r);
}

std::optional<LogRatio> PairedLogRatio(std::span<const double> base,
                                       std::span<const double> candidate, double least_noise) {
  std::vector<double> differences;
  std::vector<double> base_logs;
  if (base.size() != candidate.size() || base.size() < kMinBlocks || !TakeLogs(base, base_logs) ||
      !TakeLogs(candidate, differences)) {
    return std::nullopt;
  }
  for (size_t i = 0; i < differences.size(); ++i) differences[i] -= base_logs[i];
  return RatioOfDifferences(differences, least_noise);
}

std::optional<LogRatio> UnpairedLogRatio(std::span<const double> base,
                                         std::span<const double> candidate, double least_noise) {
  std::vector<double> base_logs;
  std::vector<double> candidate_logs;
  if (std::min(base.size(), candidate.size()) < kMinBlocks || !TakeLogs(base, base_logs) ||
      !TakeLogs(candidate, candidate_logs)) {
    return std::nullopt;
  }
  return RatioOfSides(base_logs, candidate_logs, least_noise);
}

LogRatio RatioOfDifferences(std::span<const double> differences, double least_noise) {
  CONNBENCH_ASSERT(differences.size() >= kMinBlocks, "a few pairs at least");
  const Moments moments = MomentsOf(differences);
  LogRatio ratio;
  ratio.mean = moments.mean;
  ratio.blocks = moments.n;
  ratio.noise = std::max(std::sqrt(moments.variance), least_noise);
  ratio.standard_error = std::sqrt(moments.SquaredError(least_noise * least_noise));
  ratio.degrees = moments.degrees();
  ratio.sides[0] = {moments.n, ratio.noise, CorrelationOf(moments.inflation)};
  return ratio;
}

LogRatio RatioOfSides(std::span<const double> base_logs, std::span<const double> candidate_logs,
                      double least_noise) {
  CONNBENCH_ASSERT(std::min(base_logs.size(), candidate_logs.size()) >= kMinBlocks,
                   "a few values at least");
  const Moments a = MomentsOf(base_logs);
  const Moments b = MomentsOf(candidate_logs);
  // least_noise is that of a difference of two values.
  const double least_variance = least_noise * least_noise / 2;
  const auto inflation_beyond_moments = [](const Moments& side) {
    return side.n < kMinForAutocorrelation ? kAssumedInflation : 1;
  };
  const double error_a = a.SquaredError(least_variance) * inflation_beyond_moments(a);
  const double error_b = b.SquaredError(least_variance) * inflation_beyond_moments(b);
  const double error = error_a + error_b;
  LogRatio ratio;
  ratio.mean = b.mean - a.mean;
  ratio.blocks = std::min(a.n, b.n);
  ratio.noise = std::max(std::sqrt(a.variance + b.variance), least_noise);
  ratio.standard_error = std::sqrt(error);
  // Welch and Satterthwaite.
  ratio.degrees =
      error * error / (error_a * error_a / a.degrees() + error_b * error_b / b.degrees());
  for (const Moments* side : {&a, &b}) {
    ratio.sides[side == &a ? 0 : 1] = {
        side->n, std::sqrt(std::max(side->variance, least_variance)),
        CorrelationOf(side->inflation * inflation_beyond_moments(*side))};
  }
  return ratio;
}

Interval RatioInterval(const LogRatio& sample, double confidence, double drift) {
  const boost::math::students_t student(sample.degrees);
  const double half =
      boost::math::quantile(boost::math::complement(student, (1 - confidence) / 2)) *
          sample.standard_error +
      drift;
  return {std::exp(sample.mean), std::exp(sample.mean - half), std::exp(sample.mean + half)};
}

double PValue(const LogRatio& sample, double drift) {
  const double distance = std::abs(sample.mean) - drift;
  if (distance <= 0) return 1;
  const boost::math::students_t student(sample.degrees);
  return 2 * boost::math::cdf(boost::math::complement(student, distance / sample.standard_error));
}

}  // namespace connbench::stats
