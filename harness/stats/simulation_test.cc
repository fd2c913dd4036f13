// The short form of the simulations behind docs/method/statistics.md, with fixed seeds.
#include "harness/stats/testing/simulation.h"

#include <gtest/gtest.h>

#include <string>

namespace connbench::stats::testing {
namespace {

constexpr int kSamples = 2'000;
constexpr double kPromised = 0.94;

TEST(Coverage, PairedIntervalsHoldTheTruthAtSmallN) {
  for (const Noise noise : kAllNoise) {
    for (const size_t n : {3U, 5U, 10U, 30U}) {
      EXPECT_GE(PairedCoverage(noise, n, kSamples, 1), kPromised)
          << NoiseName(noise) << " n = " << n;
    }
  }
}

TEST(Coverage, UnpairedIntervalsHoldTheTruthAtSmallNAndUnderDrift) {
  for (const Noise noise : kAllNoise) {
    for (const size_t n : {3U, 5U, 10U, 30U}) {
      EXPECT_GE(UnpairedCoverage(noise, n, kSamples, 1), kPromised)
          << NoiseName(noise) << " n = " << n;
    }
  }
}

TEST(SmallestEffect, IsFoundAsOftenAsPromisedInComparisonsLikeThatWhichNamesIt) {
  constexpr int kComparisons = 150;
  // Of this many comparisons, a share of 0.95 shows at least this one in 99 of 100 tests.
  constexpr double kLeast = 0.90;
  for (const Noise noise : kAllNoise) {
    for (const size_t n : {3U, 5U, 8U, 15U}) {
      for (const bool paired : {true, false}) {
        EXPECT_GE(ShareFound(noise, n, paired, kComparisons, 1), kLeast)
            << NoiseName(noise) << " n = " << n << (paired ? " pairs" : " two runs");
      }
    }
  }
}

TEST(Suites, AThingAgainstItselfIsHardlyEverWorse) {
  constexpr int kSuites = 100;
  const auto recorded = LoadRecorded(CONNBENCH_REFERENCE_FOLDER "/quick");
  ASSERT_TRUE(recorded.ok()) << recorded.status().ToString();
  ASSERT_GE(recorded->size(), 15U);
  for (const bool paired : {false, true}) {
    for (const SuiteNoise noise :
         {SuiteNoise::kRecorded, SuiteNoise::kDrifting, SuiteNoise::kBistable}) {
      const auto outcome = SimulateSuites(*recorded, {noise, 4, paired}, kSuites, 1);
      EXPECT_GT(outcome.rows, 80U);
      EXPECT_LE(outcome.exit_4, 1) << SuiteNoiseName(noise) << (paired ? " halves" : " two runs");
    }
  }
}

}  // namespace
}  // namespace connbench::stats::testing
