// Intervals of ratios against reference values: R's published output of t.test on Student's sleep
// data, SciPy, and values computed with mpmath 1.3.0 at 30 digits; none of them uses Boost.Math.
#include "harness/stats/log_ratio.h"

#include <gtest/gtest.h>

#include <cmath>
#include <limits>
#include <vector>

namespace connbench::stats {
namespace {

std::vector<double> Exp(std::vector<double> values) {
  for (double& value : values) value = std::exp(value);
  return values;
}

// The sleep data in an order in which neighbours do not resemble each other.
const std::vector<double> kFirstDrug = {-0.1, 0.0, 0.8, 3.7, 0.7, -0.2, 3.4, -1.6, 2.0, -1.2};
const std::vector<double> kSecondDrug = {-0.1, 4.6, 1.6, 5.5, 1.9, 1.1, 4.4, 0.8, 3.4, 0.1};

TEST(PairedLogRatio, GivesWhatRGives) {
  // R: t.test(second, first, paired = TRUE): t = 4.0621, df = 9, p-value = 0.002833,
  // 95 percent confidence interval 0.7001142 2.4598858, mean 1.58.
  const auto sample = PairedLogRatio(Exp(kFirstDrug), Exp(kSecondDrug));
  ASSERT_TRUE(sample);
  EXPECT_NEAR(sample->mean, 1.58, 1e-12);
  EXPECT_DOUBLE_EQ(sample->degrees, 9);
  EXPECT_NEAR(sample->mean / sample->standard_error, 4.0621, 5e-5);
  EXPECT_NEAR(PValue(*sample), 0.002833, 5e-7);
  const Interval ratio = RatioInterval(*sample);
  EXPECT_NEAR(std::log(ratio.low), 0.7001142, 5e-8);
  EXPECT_NEAR(std::log(ratio.high), 2.4598858, 5e-8);
}

TEST(PairedLogRatio, GivesWhatMpmathGives) {
  const auto five = PairedLogRatio(std::vector{100.0, 103.0, 98.0, 101.0, 97.0},
                                   std::vector{110.0, 108.0, 109.0, 104.0, 111.0});
  ASSERT_TRUE(five);
  const Interval ratio = RatioInterval(*five);
  EXPECT_NEAR(ratio.estimate, 1.0861469066, 1e-9);
  EXPECT_NEAR(ratio.low, 1.02915596599, 1e-9);
  EXPECT_NEAR(ratio.high, 1.14629379968, 1e-9);
  EXPECT_NEAR(PValue(*five), 0.0130859734127, 1e-10);
  const auto three = PairedLogRatio(std::vector{12.5, 14.1, 13.2}, std::vector{12.9, 14.4, 13.9});
  ASSERT_TRUE(three);
  EXPECT_NEAR(RatioInterval(*three).low, 0.996084103031, 1e-9);
  EXPECT_NEAR(PValue(*three), 0.0608623105411, 1e-10);
}

TEST(UnpairedLogRatio, GivesWhatRGives) {
  // R: t.test(extra ~ group, data = sleep): t = -1.8608, df = 17.776, p-value = 0.07939,
  // 95 percent confidence interval -3.3654832 0.2054832.
  const std::vector<double> first = {-0.2, 0.7, -1.6, 3.4, -1.2, 3.7, -0.1, 2.0, 0.0, 0.8};
  const std::vector<double> second = {1.1, 4.4, 0.1, 5.5, -0.1, 4.6, 0.8, 3.4, 1.6, 1.9};
  ASSERT_EQ(AutocorrelationInflation(first), 1);
  ASSERT_EQ(AutocorrelationInflation(second), 1);
  const auto sample = UnpairedLogRatio(Exp(first), Exp(second));
  ASSERT_TRUE(sample);
  EXPECT_NEAR(sample->degrees, 17.776, 5e-4);
  EXPECT_NEAR(PValue(*sample), 0.07939, 5e-6);
  const Interval ratio = RatioInterval(*sample);
  EXPECT_NEAR(std::log(ratio.low), -0.2054832, 5e-8);
  EXPECT_NEAR(std::log(ratio.high), 3.3654832, 5e-8);
}

// Sides of fewer than 8 count as if neighbours correlated by 0.2: variances are 1.5 times as large.
TEST(UnpairedLogRatio, GivesWhatMpmathGives) {
  const auto sample =
      UnpairedLogRatio(std::vector{637.0, 655.0, 610.0, 640.0}, std::vector{99.0, 101.0, 97.0});
  ASSERT_TRUE(sample);
  const Interval ratio = RatioInterval(*sample);
  EXPECT_NEAR(ratio.estimate, 0.155812919657, 1e-10);
  EXPECT_NEAR(ratio.low, 0.146816532787, 1e-10);
  EXPECT_NEAR(ratio.high, 0.165360572622, 1e-10);
  EXPECT_NEAR(sample->degrees, 4.99301220471, 1e-9);
  EXPECT_NEAR(PValue(*sample), 5.7703896881e-9, 1e-15);
  EXPECT_EQ(sample->blocks, 3U);
}

// scipy.stats.ttest_ind(equal_var=False) and t.interval of SciPy 1.10.1, on logs.
TEST(UnpairedLogRatio, GivesWhatScipyGives) {
  const auto sample =
      UnpairedLogRatio(std::vector{637.0, 655.0, 610.0, 640.0, 622.0, 651.0, 618.0, 645.0},
                       std::vector{99.0, 101.0, 97.0, 103.0, 98.0, 102.0, 96.0, 100.0});
  ASSERT_TRUE(sample);
  EXPECT_NEAR(sample->degrees, 13.968280366271994, 1e-9);
  EXPECT_NEAR(sample->mean / sample->standard_error, -146.86027034439792, 1e-8);
  EXPECT_NEAR(PValue(*sample) / 1.121174612257576e-23, 1, 1e-9);
  const Interval ratio = RatioInterval(*sample);
  EXPECT_NEAR(ratio.low, 0.1525724273470135, 1e-12);
  EXPECT_NEAR(ratio.high, 0.16105980546686258, 1e-12);
}

TEST(LogRatio, DriftWidensTheIntervalAndIsNoEvidence) {
  const auto sample = UnpairedLogRatio(std::vector{100.0, 101.0, 99.0, 100.0},
                                       std::vector{105.0, 106.0, 104.0, 105.0});
  ASSERT_TRUE(sample);
  const double drift = std::log(1.10);
  EXPECT_LT(PValue(*sample), 0.001);
  EXPECT_EQ(PValue(*sample, drift), 1);
  EXPECT_NEAR(RatioInterval(*sample, 0.95, drift).low, RatioInterval(*sample).low / 1.10, 1e-12);
  EXPECT_NEAR(RatioInterval(*sample, 0.95, drift).high, RatioInterval(*sample).high * 1.10, 1e-12);
}

TEST(LogRatio, NoNumberWhereTheSampleCarriesNone) {
  const std::vector<double> two = {1, 2};
  const std::vector<double> three = {1, 2, 3};
  const std::vector<double> zero = {1, 0, 3};
  const std::vector<double> nan = {1, std::numeric_limits<double>::quiet_NaN(), 3};
  const std::vector<double> infinite = {1, std::numeric_limits<double>::infinity(), 3};
  EXPECT_FALSE(PairedLogRatio(two, two));
  EXPECT_FALSE(PairedLogRatio(two, three));
  EXPECT_FALSE(UnpairedLogRatio(two, three));
  EXPECT_FALSE(UnpairedLogRatio({}, {}));
  for (const auto* bad : {&zero, &nan, &infinite}) {
    EXPECT_FALSE(PairedLogRatio(three, *bad));
    EXPECT_FALSE(UnpairedLogRatio(*bad, three));
  }
}

TEST(LogRatio, EqualRepetitionsStillHaveAnInterval) {
  const std::vector<double> base = {2, 2, 2};
  const std::vector<double> candidate = {2.5, 2.5, 2.5};
  const auto sample = PairedLogRatio(base, candidate);
  ASSERT_TRUE(sample);
  const Interval ratio = RatioInterval(*sample);
  EXPECT_LT(ratio.low, 1.25);
  EXPECT_GT(ratio.high, 1.25);
  // The rows of a metric that scatters do not let three equal values count as certainty.
  const Interval wide = RatioInterval(*PairedLogRatio(base, candidate, 0.2));
  EXPECT_LT(wide.low, 1);
}

TEST(LogRatio, NeighboursThatResembleEachOtherCountAsFewer) {
  std::vector<double> slow;
  std::vector<double> quick;
  for (int i = 0; i < 20; ++i) {
    slow.push_back(i < 10 ? 1 : 2);
    quick.push_back(i % 2 == 0 ? 1 : 2);
  }
  EXPECT_GT(AutocorrelationInflation(slow), 5);
  EXPECT_EQ(AutocorrelationInflation(quick), 1);
  EXPECT_EQ(AutocorrelationInflation(std::vector{1.0, 1.0, 2.0, 2.0}), 1);
  EXPECT_EQ(AutocorrelationInflation(std::vector<double>(20, 3.0)), 1);
}

}  // namespace
}  // namespace connbench::stats
