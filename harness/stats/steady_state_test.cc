// Tests: when a series of measurements has left its beginning behind.
#include "harness/stats/steady_state.h"

#include <gtest/gtest.h>

#include <cmath>
#include <random>
#include <vector>

namespace connbench::stats {
namespace {

std::vector<double> Noise(size_t count, double mean, double deviation, unsigned seed) {
  std::mt19937 random(seed);
  std::normal_distribution<double> normal(mean, deviation);
  std::vector<double> series(count);
  for (double& value : series) value = normal(random);
  return series;
}

TEST(SteadyState, TooShortASeriesSaysNothing) {
  EXPECT_FALSE(HasSettled({}));
  EXPECT_FALSE(HasSettled(Noise(kMserBatch * kMinMserBatches - 1, 100, 0, 1)));
}

TEST(SteadyState, AConstantIsSteadyFromItsBeginning) {
  const std::vector<double> series(50, 7.0);
  EXPECT_EQ(SteadyFrom(series), 0U);
}

TEST(SteadyState, NoiseSettles) {
  int settled = 0;
  for (unsigned seed = 0; seed < 200; ++seed) settled += HasSettled(Noise(100, 1000, 100, seed));
  EXPECT_GE(settled, 160) << "of 200 steady series";
}

TEST(SteadyState, AStartUpTransientIsCutOff) {
  int settled = 0;
  for (unsigned seed = 0; seed < 50; ++seed) {
    std::vector<double> series = Noise(200, 1000, 20, seed);
    for (size_t i = 0; i < 60; ++i) series[i] *= static_cast<double>(i) / 60;
    EXPECT_FALSE(HasSettled(std::span(series).first(75))) << seed << ": most of it is the start";
    // Noise may move the cut to the end of the series, seldom; never into the start.
    const auto from = SteadyFrom(series);
    if (!from) continue;
    ++settled;
    EXPECT_GE(*from, 45U) << seed;
    EXPECT_LE(*from, 100U) << seed;
  }
  EXPECT_GE(settled, 43);
}

TEST(SteadyState, WhatKeepsMovingNeverSettles) {
  for (unsigned seed = 0; seed < 50; ++seed) {
    std::vector<double> growing = Noise(400, 0, 5, seed);
    for (size_t i = 0; i < growing.size(); ++i) growing[i] += 2 * static_cast<double>(i);
    for (size_t length = 100; length <= growing.size(); length += 50) {
      EXPECT_FALSE(HasSettled(std::span(growing).first(length))) << seed << ", " << length;
    }
  }
}

TEST(SteadyState, AChangeOfLevelIsNoticedUntilAsMuchHasFollowed) {
  std::vector<double> series = Noise(300, 1000, 10, 3);
  for (size_t i = 140; i < series.size(); ++i) series[i] += 500;
  EXPECT_FALSE(HasSettled(std::span(series).first(200)));
  const auto from = SteadyFrom(series);
  ASSERT_TRUE(from);
  EXPECT_NEAR(static_cast<double>(*from), 140, 2 * kMserBatch);
}

}  // namespace
}  // namespace connbench::stats
