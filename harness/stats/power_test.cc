// How large a sample must be: against a count by hand and against simulation.
#include "harness/stats/power.h"

#include <gtest/gtest.h>

#include <cmath>
#include <vector>

#include "harness/stats/testing/noise.h"

namespace connbench::stats {
namespace {

LogRatio SampleWith(double mean, double noise, size_t blocks) {
  LogRatio sample;
  sample.mean = mean;
  sample.noise = noise;
  sample.blocks = blocks;
  sample.degrees = static_cast<double>(blocks) - 1;
  sample.standard_error = noise / std::sqrt(static_cast<double>(blocks));
  sample.sides[0] = {blocks, noise, 0};
  return sample;
}

TEST(Power, BlocksToSettleAreThoseOfAPowerTable) {
  // t(n - 1, 0.975) * 0.10 / sqrt(n) <= 0.05 holds from n = 18 on: t(17) = 2.1098, t(16) = 2.1199.
  EXPECT_EQ(BlocksToSettle(SampleWith(0, 0.10, 4), {0.05, 0.05, 0.95, 0}), 18U);
  // A change of 0.20 beyond the margin at the level 0.001.
  const auto change = BlocksToSettle(SampleWith(0.20, 0.05, 4), {0.001, 0.05, 0.95, 0});
  ASSERT_TRUE(change);
  EXPECT_EQ(*change, 5U);  // t(4, 0.9995) = 8.610: 0.193; t(3) = 12.92: 0.323
}

TEST(Power, NoNumberOfBlocksBeatsDrift) {
  EXPECT_FALSE(BlocksToSettle(SampleWith(0.03, 0.01, 4), {0.01, 0.05, 0.95, 0.10}));
  EXPECT_FALSE(BlocksToSettle(SampleWith(0.05, 3.0, 4), {0.01, 0.05, 0.95, 0}));
}

TEST(Power, FourPairsAloneNameNoSmallestEffect) {
  EXPECT_FALSE(SmallestEffect(SampleWith(0, 0.10, 4), {0.05, 0, 0.95, 0}));
  EXPECT_TRUE(SmallestEffect(SampleWith(0, 0.10, 5), {0.05, 0, 0.95, 0}));
  LogRatio known = SampleWith(0, 0.10, 3);
  known.shared_degrees = 20;  // other rows scatter alike
  EXPECT_TRUE(SmallestEffect(known, {0.05, 0, 0.95, 0}));
}

TEST(Power, TheSmallestEffectIsFoundAsOftenAsPromised) {
  testing::NoiseSource source(7);
  constexpr size_t kBlocks = 6;
  constexpr int kRepeats = 2'000;
  const double effect =
      SmallestEffect(SampleWith(0, 0.10 * std::sqrt(2), kBlocks), {0.05, 0, 0.95, 0}).value();
  int found = 0;
  for (int i = 0; i < kRepeats; ++i) {
    const auto blocks =
        source.PairedBlocks(testing::Noise::kLognormal, kBlocks, std::exp(effect), 0.10);
    const auto sample = PairedLogRatio(blocks.base, blocks.candidate);
    found += PValue(*sample) <= 0.05 ? 1 : 0;
  }
  EXPECT_GT(found, kPower * kRepeats);
}

}  // namespace
}  // namespace connbench::stats
