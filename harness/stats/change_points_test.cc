// Change points: against reference values, on made-up series, and how often noise alone has one.
#include "harness/stats/change_points.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <limits>

#include "harness/stats/testing/noise.h"

namespace connbench::stats {
namespace {

using ::testing::AllOf;
using ::testing::ElementsAre;
using ::testing::Field;
using ::testing::Ge;
using ::testing::IsEmpty;
using ::testing::Le;
using testing::Noise;
using testing::NoiseSource;

constexpr double kBound = 0.01;

// Flow of the Nile at Aswan, 1871 to 1970: the dam of 1898 is the textbook's change point.
constexpr double kNile[] = {
    1120, 1160, 963, 1210, 1160, 1160, 813,  1230, 1370, 1140, 995,  935,  1110, 994,  1020,
    960,  1180, 799, 958,  1140, 1100, 1210, 1150, 1250, 1260, 1220, 1030, 1100, 774,  840,
    874,  694,  940, 833,  701,  916,  692,  1020, 1050, 969,  831,  726,  456,  824,  702,
    1120, 1100, 832, 764,  821,  768,  845,  864,  862,  698,  845,  744,  796,  1040, 759,
    781,  865,  845, 944,  984,  897,  822,  1010, 771,  676,  649,  846,  812,  742,  801,
    1040, 860,  874, 848,  890,  744,  749,  838,  1050, 918,  986,  797,  923,  975,  815,
    1020, 906,  901, 1170, 912,  746,  919,  718,  714,  740};

std::vector<double> NoiseAlone(uint64_t seed, size_t n, Noise noise = Noise::kNormal) {
  return NoiseSource(seed).Series(noise, n, 0.05);
}

std::vector<size_t> Places(const std::vector<double>& series, double bound = kBound) {
  std::vector<size_t> places;
  for (const ChangePoint& change : FindChangePoints(series, bound)) places.push_back(change.at);
  return places;
}

// Expected: the formula of Matteson and James, summed over all pairs by another program.
TEST(ChangePointsTest, AgreesWithReferenceValues) {
  EXPECT_NEAR(BestSplit(kNile).energy, 4916.590807675145, 1e-9);
  EXPECT_EQ(BestSplit(kNile).at, 28U);
  const std::span<const double> nile(kNile);
  EXPECT_NEAR(BestSplit(nile.first(28)).energy, 474.96153846153845, 1e-9);
  EXPECT_EQ(BestSplit(nile.first(28)).at, 21U);
  EXPECT_NEAR(BestSplit(nile.subspan(28)).energy, 724.4736842105262, 1e-9);
  EXPECT_EQ(BestSplit(nile.subspan(28)).at, 17U);
  const double step[] = {1, 2, 3, 10, 11, 12};
  EXPECT_DOUBLE_EQ(BestSplit(step).energy, 23);
  EXPECT_EQ(BestSplit(step).at, 3U);
  const double dip[] = {1, 2, 1, 2, 9, 8, 9, 8, 1, 2, 1, 2};
  EXPECT_NEAR(BestSplit(dip).energy, 25.333333333333336, 1e-12);
  EXPECT_EQ(BestSplit(dip).at, 4U);
  const auto found = FindChangePoints(kNile, kBound);
  ASSERT_EQ(found.size(), 1U);
  EXPECT_EQ(found[0].at, 28U);
  EXPECT_LE(found[0].p, 0.0021) << "no random order but the one that was observed";
}

TEST(ChangePointsTest, FindsAStepWhereItIs) {
  std::vector<double> series = NoiseAlone(1, 40);
  for (size_t i = 25; i < series.size(); ++i) series[i] *= 1.3;
  EXPECT_THAT(Places(series), ElementsAre(25));
}

TEST(ChangePointsTest, FindsTheStepUpAndTheStepDown) {
  std::vector<double> series = NoiseAlone(2, 60);
  for (size_t i = 20; i < 40; ++i) series[i] *= 1.4;
  EXPECT_THAT(Places(series), ElementsAre(20, 40));
}

TEST(ChangePointsTest, AFewValuesOnTheNewLevelAreEnoughAfterALongHistory) {
  const std::pair<double, size_t> needed[] = {{0.01, 2}, {0.01 / 36, 4}, {0.01 / 86, 4}};
  for (const auto& [bound, values] : needed) {
    std::vector<double> series = NoiseAlone(3, 30 + values);
    for (size_t i = 30; i < series.size(); ++i) series[i] *= 0.5;
    EXPECT_THAT(Places(series, bound), ElementsAre(30)) << bound;
  }
}

TEST(ChangePointsTest, ADriftIsAChange) {
  std::vector<double> series = NoiseAlone(4, 50);
  for (size_t i = 0; i < series.size(); ++i) series[i] *= 1 + 0.02 * static_cast<double>(i);
  EXPECT_THAT(FindChangePoints(series, kBound), Not(IsEmpty()));
  EXPECT_THAT(FindChangePoints(series, kBound),
              Each(Field(&ChangePoint::at, AllOf(Ge(kMinSegment), Le(50 - kMinSegment)))));
}

TEST(ChangePointsTest, AnOutlierIsNoChange) {
  for (const size_t at : {size_t{0}, size_t{15}, size_t{28}, size_t{29}}) {
    std::vector<double> series = NoiseAlone(5, 30);
    series[at] *= 10;
    EXPECT_THAT(Places(series), IsEmpty()) << at;
  }
}

TEST(ChangePointsTest, WhatCannotTellSaysNothing) {
  EXPECT_THAT(Places({}), IsEmpty());
  EXPECT_THAT(Places({1}), IsEmpty());
  EXPECT_THAT(Places({1, 1, 9, 9}), IsEmpty()) << "too few to tell from chance";
  EXPECT_THAT(Places(std::vector<double>(50, 7)), IsEmpty());
  std::vector<double> broken = NoiseAlone(6, 40);
  for (size_t i = 20; i < broken.size(); ++i) broken[i] *= 2;
  broken[3] = std::numeric_limits<double>::quiet_NaN();
  EXPECT_THAT(Places(broken), IsEmpty());
}

TEST(ChangePointsTest, KnowsHowManyValuesItNeeds) {
  EXPECT_EQ(ValuesNeeded(0.05), 9U);
  EXPECT_EQ(ValuesNeeded(0.01), 11U);
  EXPECT_EQ(ValuesNeeded(0.01 / 36), 17U);
  for (const double bound : {0.05, 0.01, 0.01 / 36}) {
    std::vector<double> series(ValuesNeeded(bound), 1);
    for (size_t i = 0; i < series.size(); ++i) {
      series[i] = static_cast<double>(i % 3) + (i < series.size() / 2 ? 0 : 100);
    }
    EXPECT_THAT(Places(series, bound), ElementsAre(series.size() / 2)) << bound;
  }
}

// Autocorrelated noise is left out: its slow states are levels.
TEST(ChangePointsTest, NoiseAloneSeldomHasOne) {
  constexpr size_t kSeriesOfEach = 500;
  size_t series = 0;
  size_t with_change = 0;
  for (const Noise noise :
       {Noise::kNormal, Noise::kLognormal, Noise::kHeavyTailed, Noise::kBimodal}) {
    NoiseSource source(7);
    for (size_t i = 0; i < kSeriesOfEach; ++i) {
      const std::vector<double> values = source.Series(noise, 12 + i % 40, 0.1);
      ++series;
      if (!FindChangePoints(values, kBound).empty()) ++with_change;
    }
  }
  RecordProperty("series", static_cast<int>(series));
  RecordProperty("with_change", static_cast<int>(with_change));
  EXPECT_LE(with_change, series / 100) << "of " << series;
}

}  // namespace
}  // namespace connbench::stats
