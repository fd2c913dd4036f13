// The gate that may look after every block.
#include "harness/stats/sequential.h"

#include <gtest/gtest.h>

#include <cmath>
#include <limits>
#include <vector>

#include "harness/stats/testing/simulation.h"

namespace connbench::stats {
namespace {

using Values = std::vector<std::optional<double>>;

std::vector<GateRow> OneRow() {
  GateRow row;
  row.metric = "latency_us_p50";
  row.margin = 0.03;
  return {row};
}

// Bayes factors by numerical integration of the noncentral t likelihood over normal effects (mpmath
// 1.3.0), which knows nothing of the closed form: 4.868482453 for t = 3, n = 10, variance 0.25;
// 56.29379562 for t = 5, n = 20, 0.09; 2.537019468 for t = 2.5, n = 8, 2.
TEST(AnytimeP, IsTheInverseOfTheMixtureOfLikelihoods) {
  EXPECT_NEAR(1 / AnytimeP(2.5, 8, 2), 2.537019468, 1e-8);  // both stakes on the same
  const double wide_10 = 2 / AnytimeP(3, 10, 0.25) - 4.868482453;
  EXPECT_NEAR(wide_10, 1 / AnytimeP(3, 10, 2), 1e-7);
  const double wide_20 = 2 / AnytimeP(5, 20, 0.09) - 56.29379562;
  EXPECT_NEAR(wide_20, 1 / AnytimeP(5, 20, 2), 1e-6);
  EXPECT_EQ(AnytimeP(0, 10, 0.25), 1);
  EXPECT_EQ(AnytimeP(100, 1, 0.25), 1);
}

// Who looks after each of 300 values at a test that counts looks for nothing rejects a third of all
// true "no difference" at 5 %.
TEST(AnytimeP, HoweverOftenOneLooksItErrsNoMoreThanItSays) {
  constexpr int kSeries = 1'000;
  constexpr int kLooks = 300;
  constexpr double kLevel = 0.05;
  testing::NoiseSource source(11);
  int rejected = 0;
  for (int i = 0; i < kSeries; ++i) {
    double sum = 0;
    double squares = 0;
    int n = 0;
    for (const double value : source.Series(testing::Noise::kNormal, kLooks)) {
      const double log = std::log(value);
      sum += log;
      squares += log * log;
      if (++n < 2) continue;
      const double variance = (squares - sum * sum / n) / (n - 1);
      if (AnytimeP(sum / std::sqrt(n * variance), static_cast<size_t>(n), 0.09) > kLevel) continue;
      ++rejected;
      break;
    }
  }
  // 50 are expected at most, with a standard deviation of 7.
  EXPECT_LE(rejected, 70);
}

TEST(AnytimeHalfWidth, IsWhereTheTestRejects) {
  for (const size_t n : {12U, 40U, 200U}) {
    const double half = AnytimeHalfWidth(n, 0.01, 0.09);
    ASSERT_TRUE(std::isfinite(half)) << n;
    EXPECT_NEAR(AnytimeP(half, n, 0.09), 0.01, 1e-6);
    EXPECT_GT(half, 2.58) << "narrower than a look at a time that was fixed before";
  }
  EXPECT_TRUE(std::isinf(AnytimeHalfWidth(2, 0.001, 0.09)));
}

TEST(SequentialGate, FindsAChangeAndStopsThere) {
  SequentialGate gate(OneRow(), 0.01, 0.03);
  size_t blocks = 0;
  while (!gate.all_decided() && blocks < 100) {
    const double noise = 1 + 0.01 * static_cast<double>(blocks % 3);
    gate.AddBlock(Values{100 * noise}, Values{120.0 + static_cast<double>(blocks % 2)});
    gate.EndRound();
    ++blocks;
  }
  EXPECT_EQ(gate.rows()[0].verdict, Verdict::kWorse);
  EXPECT_LE(blocks, 12U);
  EXPECT_GT(gate.rows()[0].ratio.low, 1);
}

TEST(SequentialGate, SaysSameOnlyWithTheEffectThatItWouldHaveSeen) {
  SequentialGate gate(OneRow(), 0.01, 0.03);
  for (int i = 0; i < 100 && !gate.all_decided(); ++i) {
    gate.AddBlock(Values{100.0 + i % 3}, Values{101.0 + (i * 7) % 3 - 0.95});
    gate.EndRound();
  }
  const auto& state = gate.rows()[0];
  EXPECT_EQ(state.verdict, Verdict::kSame);
  EXPECT_LT(state.smallest_effect_seen, 0.05);
  EXPECT_GT(state.smallest_effect_seen, 0);
}

TEST(SequentialGate, BlocksWithoutAPairCountForNothing) {
  std::vector<GateRow> rows = {OneRow()[0], OneRow()[0]};
  SequentialGate gate(rows, 0.01, 0.03);
  const double nan = std::numeric_limits<double>::quiet_NaN();
  for (int i = 0; i < 20; ++i) {
    gate.AddBlock(Values{100.0 + i % 2, std::nullopt}, Values{200.0, 100.0});
    gate.EndRound();
    gate.AddBlock(Values{nan, 0.0}, Values{200.0, 100.0});
    gate.EndRound();
  }
  EXPECT_EQ(gate.rows()[0].rounds, 20U);
  EXPECT_EQ(gate.rows()[0].verdict, Verdict::kWorse);
  EXPECT_EQ(gate.rows()[1].rounds, 0U);
  EXPECT_EQ(gate.rows()[1].verdict, Verdict::kInconclusive);
  EXPECT_FALSE(gate.all_decided());
  EXPECT_TRUE(std::isinf(gate.rows()[1].smallest_effect_seen));
}

TEST(SequentialGate, TooFewRoundsDecideNothingHoweverClear) {
  SequentialGate gate(OneRow(), 0.01, 0.03);
  for (int i = 0; i < 7; ++i) {
    // Many blocks of one round are no more than one.
    for (int block = 0; block < 5; ++block) {
      gate.AddBlock(Values{100.0}, Values{1'000.0 + i + block});
    }
    gate.EndRound();
  }
  EXPECT_FALSE(gate.all_decided());
  EXPECT_EQ(gate.rows()[0].rounds_needed, 8U);
}

TEST(SequentialGate, ARoundIsTheMeanLogRatioOfItsPairs) {
  SequentialGate gate(OneRow(), 0.01, 0.03);
  gate.AddBlock(Values{100.0}, Values{200.0});
  gate.AddBlock(Values{100.0}, Values{800.0});
  gate.AddBlock(Values{100.0}, Values{std::nullopt});
  EXPECT_EQ(gate.rows()[0].rounds, 0U) << "a round that has not ended is no evidence";
  gate.EndRound();
  EXPECT_EQ(gate.rows()[0].rounds, 1U);
  EXPECT_NEAR(gate.rows()[0].ratio.estimate, 4, 1e-9);
  ASSERT_TRUE(gate.rounds()[0][0].has_value());
  EXPECT_NEAR(gate.rounds()[0][0]->base, 100, 1e-9);
  EXPECT_NEAR(gate.rounds()[0][0]->candidate, 400, 1e-9);
  gate.AddBlock(Values{100.0}, Values{1.0});
  gate.DropRound();
  gate.EndRound();
  EXPECT_FALSE(gate.rounds()[0][1].has_value());
  EXPECT_EQ(gate.rows()[0].rounds, 1U);
}

// What two servers of one program differ by is large beside the noise of windows here, as it is in
// counts of page faults: were each block taken for evidence, most of these gates would see one.
TEST(SequentialGate, WhatServersDifferByIsNoChange) {
  testing::GateOptions options;
  options.deviation = 0.002;
  options.rows = 5;
  options.max_rounds = 20;
  for (const size_t blocks : {1U, 4U}) {
    for (const double servers : {0.01, 0.04}) {
      options.blocks_per_round = blocks;
      options.server_deviation = servers;
      const auto outcome = testing::SimulateGates(options, 100, 7);
      EXPECT_LE(outcome.false_alarms, 2) << servers << " x " << blocks;
      EXPECT_GE(outcome.covered, 94) << servers << " x " << blocks;
    }
  }
}

TEST(SequentialGate, FindsAChangeThroughWhatServersDifferBy) {
  testing::GateOptions options;
  options.deviation = 0.02;
  options.server_deviation = 0.02;
  options.blocks_per_round = 3;
  options.rows = 10;
  options.max_rounds = 60;
  options.ratio = 1.05;
  const auto outcome = testing::SimulateGates(options, 40, 7);
  EXPECT_GE(outcome.found, 38);
  EXPECT_GE(outcome.covered, 37);
}

// Looking after every round; the full table is made by stats_simulation.
TEST(SequentialGate, LookingAgainRaisesNoFalseAlarms) {
  for (const auto noise : testing::kAllNoise) {
    testing::GateOptions options;
    options.noise = noise;
    options.max_rounds = 60;
    options.rows = 5;
    const auto outcome = testing::SimulateGates(options, 60, 3);
    EXPECT_LE(outcome.false_alarms, 1) << testing::NoiseName(noise);
    EXPECT_GE(outcome.covered, 57) << testing::NoiseName(noise);
  }
}

}  // namespace
}  // namespace connbench::stats
