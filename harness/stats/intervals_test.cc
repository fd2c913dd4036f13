// Tests: intervals around what is reported.
#include "harness/stats/intervals.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cstdint>
#include <random>
#include <vector>

namespace connbench::stats {
namespace {

TEST(Median, OfOddEvenAndNone) {
  EXPECT_EQ(Median(std::vector<double>{3, 1, 2}), 2);
  EXPECT_EQ(Median(std::vector<double>{4, 1, 2, 3}), 2.5);
  EXPECT_EQ(Median({}), std::nullopt);
}

TEST(QuantileRanks, MatchTheTableOfTheSignTest) {
  // Median, 95 %: n = 5 cannot carry it (2 * 0.5^5 = 0.0625), n = 6 is the smallest that can.
  EXPECT_FALSE(QuantileRanks(5, 0.5, 0.95).has_value());
  auto six = QuantileRanks(6, 0.5, 0.95);
  ASSERT_TRUE(six.has_value());
  EXPECT_EQ(six->low, 1U);
  EXPECT_EQ(six->high, 6U);
  auto twenty = QuantileRanks(20, 0.5, 0.95);
  ASSERT_TRUE(twenty.has_value());
  EXPECT_EQ(twenty->low, 6U);
  EXPECT_EQ(twenty->high, 15U);
}

TEST(QuantileRanks, RefusesWhatTheSampleCannotCarry) {
  EXPECT_FALSE(QuantileRanks(0, 0.5).has_value());
  EXPECT_FALSE(QuantileRanks(100, 0.999).has_value());
  EXPECT_TRUE(QuantileRanks(10'000, 0.999).has_value());
  EXPECT_FALSE(QuantileRanks(100, 1.0).has_value());
}

TEST(QuantileRanks, CoverThePopulationAsOftenAsPromised) {
  std::mt19937_64 random(7);
  std::exponential_distribution<double> draw(1);
  constexpr int kTrials = 2000;
  constexpr double kP90 = 2.302585092994046;  // of the exponential distribution
  const auto ranks = QuantileRanks(200, 0.9, 0.95);
  ASSERT_TRUE(ranks.has_value());
  int covered = 0;
  std::vector<double> sample(200);
  for (int trial = 0; trial < kTrials; ++trial) {
    for (double& value : sample) value = draw(random);
    std::sort(sample.begin(), sample.end());
    covered += sample[ranks->low - 1] <= kP90 && kP90 <= sample[ranks->high - 1];
  }
  EXPECT_GE(covered, kTrials * 94 / 100);
  EXPECT_LE(covered, kTrials * 99 / 100);  // and is not wastefully wide
}

TEST(PercentileInterval, HoldsTheEstimate) {
  Histogram histogram;
  for (int64_t i = 1; i <= 2000; ++i) histogram.Record(i);
  const auto p99 = PercentileInterval(histogram, 99);
  ASSERT_TRUE(p99.has_value());
  EXPECT_EQ(p99->estimate, 1980);
  EXPECT_LT(p99->low, 1980);
  EXPECT_GT(p99->high, 1980);
  EXPECT_FALSE(PercentileInterval(histogram, 99.99).has_value());
}

TEST(LeastSquares, FindsAnExactLine) {
  const std::vector<double> x = {0, 50, 100, 200};
  const std::vector<double> y = {5, 155, 305, 605};
  const auto line = LeastSquares(x, y);
  ASSERT_TRUE(line.has_value());
  EXPECT_NEAR(line->slope.estimate, 3, 1e-12);
  EXPECT_NEAR(line->intercept, 5, 1e-9);
  EXPECT_NEAR(line->slope.high - line->slope.low, 0, 1e-9);
  EXPECT_NEAR(line->r_squared, 1, 1e-12);
}

TEST(LeastSquares, IntervalMatchesATextbookExample) {
  // x = 1..5, y = 2, 4, 5, 4, 5: slope 0.6, standard error 0.2828, t(3, 97.5 %) = 3.1824.
  const auto line =
      LeastSquares(std::vector<double>{1, 2, 3, 4, 5}, std::vector<double>{2, 4, 5, 4, 5});
  ASSERT_TRUE(line.has_value());
  EXPECT_NEAR(line->slope.estimate, 0.6, 1e-12);
  EXPECT_NEAR(line->slope.low, 0.6 - 3.182446 * 0.2828427, 1e-5);
  EXPECT_NEAR(line->slope.high, 0.6 + 3.182446 * 0.2828427, 1e-5);
  EXPECT_NEAR(line->r_squared, 0.6, 1e-12);
}

TEST(LeastSquares, RefusesWhatHasNoSlope) {
  EXPECT_FALSE(LeastSquares(std::vector<double>{1, 2}, std::vector<double>{1, 2}).has_value());
  EXPECT_FALSE(
      LeastSquares(std::vector<double>{1, 1, 1}, std::vector<double>{1, 2, 3}).has_value());
  EXPECT_FALSE(LeastSquares(std::vector<double>{1, 2, 3}, std::vector<double>{1, 2}).has_value());
}

}  // namespace
}  // namespace connbench::stats
