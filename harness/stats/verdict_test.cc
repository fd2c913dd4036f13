#include "harness/stats/verdict.h"

#include <gtest/gtest.h>

#include <cmath>
#include <random>
#include <vector>

namespace connbench::stats {
namespace {

std::vector<double> Noisy(double centre, double relative_noise, size_t count, uint64_t seed) {
  std::mt19937_64 random(seed);
  std::normal_distribution<double> noise(1.0, relative_noise);
  std::vector<double> values;
  for (size_t i = 0; i < count; ++i) values.push_back(centre * noise(random));
  return values;
}

TEST(Verdict, APlantedRegressionIsFoundInBothDirections) {
  const auto base = Noisy(100, 0.01, 10, 1);
  const auto higher = Noisy(120, 0.01, 10, 2);
  EXPECT_EQ(Compare(base, higher, Direction::kLowerIsBetter, {}).verdict, Verdict::kWorse);
  EXPECT_EQ(Compare(base, higher, Direction::kHigherIsBetter, {}).verdict, Verdict::kBetter);
  EXPECT_EQ(Compare(higher, base, Direction::kLowerIsBetter, {}).verdict, Verdict::kBetter);
  EXPECT_NEAR(Compare(base, higher, Direction::kLowerIsBetter, {}).ratio, 1.2, 0.02);
}

TEST(Verdict, IdenticalCodeIsTheSameWhenTheNoiseIsSmall) {
  EXPECT_EQ(Compare(Noisy(50, 0.005, 12, 3), Noisy(50, 0.005, 12, 4), Direction::kLowerIsBetter, {})
                .verdict,
            Verdict::kSame);
}

TEST(Verdict, NoiseBeyondTheThresholdIsNeverCalledAChange) {
  int called = 0;
  for (uint64_t seed = 0; seed < 50; ++seed) {
    const auto verdict = Compare(Noisy(50, 0.3, 5, 2 * seed), Noisy(50, 0.3, 5, 2 * seed + 1),
                                 Direction::kLowerIsBetter, {})
                             .verdict;
    called += verdict == Verdict::kBetter || verdict == Verdict::kWorse ? 1 : 0;
  }
  // At 95 % confidence with five samples a few false alarms are owed; most must be silent.
  EXPECT_LE(called, 10);
}

TEST(Verdict, TooFewSamplesAreInconclusive) {
  const std::vector<double> base{100, 100};
  const std::vector<double> candidate{200, 200};
  EXPECT_EQ(Compare(base, candidate, Direction::kLowerIsBetter, {}).verdict,
            Verdict::kInconclusive);
  EXPECT_EQ(Compare({}, {}, Direction::kLowerIsBetter, {}).verdict, Verdict::kInconclusive);
}

TEST(Verdict, ZerosAndNansDoNotPassAsAVerdict) {
  const std::vector<double> zeros{0, 0, 0, 0};
  const std::vector<double> ones{1, 1, 1, 1};
  EXPECT_EQ(Compare(zeros, zeros, Direction::kLowerIsBetter, {}).verdict, Verdict::kSame);
  EXPECT_EQ(Compare(zeros, ones, Direction::kLowerIsBetter, {}).verdict, Verdict::kWorse);
  EXPECT_EQ(Compare(ones, zeros, Direction::kHigherIsBetter, {}).verdict, Verdict::kWorse);
  const std::vector<double> nans{NAN, 1, 1, 1};
  EXPECT_EQ(Compare(ones, nans, Direction::kLowerIsBetter, {}).verdict, Verdict::kInconclusive);
}

}  // namespace
}  // namespace connbench::stats
