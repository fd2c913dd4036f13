// Relabelling against counts by hand.
#include "harness/stats/permutation.h"

#include <gtest/gtest.h>

#include <vector>

namespace connbench::stats {
namespace {

// Student's sleep data (1908), second drug minus first.
const std::vector<double> kSleep = {1.2, 2.4, 1.3, 1.3, 0.0, 1.0, 1.8, 0.8, 4.6, 1.4};

TEST(Permutation, CountsEveryLabellingOfSmallSides) {
  // Of 20 ways to choose three of six, two are as far apart.
  EXPECT_DOUBLE_EQ(PermutationP(std::vector{1.0, 2.0, 3.0}, std::vector{4.0, 5.0, 6.0}), 0.1);
  EXPECT_DOUBLE_EQ(PermutationP(std::vector{1.0, 2.0, 3.0, 4.0}, std::vector{5.0, 6.0, 7.0, 8.0}),
                   2.0 / 70);
  EXPECT_DOUBLE_EQ(PermutationP(std::vector{1.0, 2.0}, std::vector{1.0, 2.0}), 1);
  EXPECT_DOUBLE_EQ(PermutationP({}, std::vector{1.0}), 1);
}

TEST(Permutation, SignsOfPairs) {
  // Only all of one sign reach it; the pair without a difference has either.
  EXPECT_DOUBLE_EQ(SignFlipP(kSleep), 4.0 / 1024);
  EXPECT_DOUBLE_EQ(SignFlipP(std::vector{1.0, 1.0, 1.0}), 0.25);
  EXPECT_DOUBLE_EQ(SignFlipP({}), 1);
}

// scipy.stats.permutation_test (SciPy 1.10.1), all arrangements, two-sided.
TEST(Permutation, GivesWhatScipyGives) {
  EXPECT_NEAR(PermutationP(std::vector{1.0, 2.0, 3.0, 9.0}, std::vector{4.0, 5.0, 6.0, 7.0}),
              0.45714285714285713, 1e-12);
  EXPECT_NEAR(SignFlipP(std::vector{1.2, 2.4, -1.3, 1.3, 0.4, 1.0, -0.2}), 0.203125, 1e-12);
}

TEST(Permutation, DrawsWhereThereAreTooManyAndIsTheSameEachTime) {
  std::vector<double> base;
  std::vector<double> candidate;
  for (int i = 0; i < 30; ++i) {
    base.push_back(i);
    candidate.push_back(i + 0.5);
  }
  const double p = PermutationP(base, candidate);
  EXPECT_EQ(p, PermutationP(base, candidate));
  EXPECT_GT(p, 0.7);  // Student's t gives 0.83
  for (double& value : candidate) value += 100;
  EXPECT_LE(PermutationP(base, candidate), 1.0 / kMaxArrangements);
}

TEST(Permutation, RelabellingLeavesOutTheRealDifference) {
  // Twice as large, without any noise: labels make no difference.
  EXPECT_NEAR(RelabelledPairs(std::vector{0.7, 0.7, 0.7}), 0, 1e-12);
  EXPECT_DOUBLE_EQ(RelabelledSides(std::vector{1.0, 1.0, 1.0}, std::vector{2.0, 2.0, 2.0}), 0);
  EXPECT_GT(RelabelledPairs(std::vector{0.5, 0.9, 0.7}), 0.05);
}

}  // namespace
}  // namespace connbench::stats
