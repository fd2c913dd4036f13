// Tests: where one curve overtakes another.
#include "harness/stats/crossover.h"

#include <gtest/gtest.h>

#include <cmath>
#include <functional>
#include <random>

namespace connbench::stats {
namespace {

// Sessions of x transactions: a model with a dear connect and cheap transactions against one with a
// cheap connect and dear transactions. Throughput is x / (connect + x * transaction).
struct Model {
  double connect_us = 0;
  double transaction_us = 0;
  double Throughput(double x) const { return x * 1e6 / (connect_us + x * transaction_us); }
};
constexpr Model kProcess = {900, 40};
constexpr Model kPool = {150, 50};
// 900 + 40 x = 150 + 50 x
constexpr double kTrueCrossing = 75;

// Multiplicative noise, of each measurement and, common to a pair, of the machine.
class Machine {
 public:
  Machine(double noise, double drift, uint64_t seed)
      : noise_(0, noise), drift_(0, drift), random_(seed) {}
  std::pair<double, double> Measure(const Model& base, const Model& candidate, double x) {
    const double drift = std::exp(drift_(random_));
    return {base.Throughput(x) * drift * std::exp(noise_(random_)),
            candidate.Throughput(x) * drift * std::exp(noise_(random_))};
  }

 private:
  std::normal_distribution<double> noise_;
  std::normal_distribution<double> drift_;
  std::mt19937_64 random_;
};

struct Outcome {
  CrossoverResult result;
  int pairs = 0;
};

Outcome Search(const Model& base, const Model& candidate, double noise, uint64_t seed,
               CrossoverOptions options = {}) {
  Machine machine(noise, 0.2, seed);
  options.resamples = 1000;
  options.seed = seed;
  CrossoverSearch search(options);
  Outcome outcome;
  while (const auto x = search.Next()) {
    const auto [b, c] = machine.Measure(base, candidate, static_cast<double>(*x));
    search.Add(*x, b, c);
    if (++outcome.pairs > 1000) {
      ADD_FAILURE() << "the search does not end";
      break;
    }
  }
  outcome.result = search.Result();
  return outcome;
}

TEST(Crossover, WithoutNoiseTheCrossingIsFoundToTheResolution) {
  const Outcome outcome = Search(kProcess, kPool, 1e-6, 1);
  EXPECT_EQ(outcome.result.verdict, CrossoverVerdict::kCrosses);
  EXPECT_TRUE(outcome.result.candidate_ahead_below);
  EXPECT_LE(outcome.result.clear_below, 75);
  EXPECT_GE(outcome.result.clear_above, 75);
  EXPECT_NEAR(outcome.result.at.estimate, kTrueCrossing, 2);
  EXPECT_LE(outcome.pairs, 12 * 4) << "bisection takes a logarithm's number of values";
}

TEST(Crossover, TheOtherWayRoundIsTheSameCrossing) {
  const Outcome outcome = Search(kPool, kProcess, 1e-6, 1);
  EXPECT_EQ(outcome.result.verdict, CrossoverVerdict::kCrosses);
  EXPECT_FALSE(outcome.result.candidate_ahead_below);
  EXPECT_NEAR(outcome.result.at.estimate, kTrueCrossing, 2);
  CrossoverOptions lower;
  lower.direction = Direction::kLowerIsBetter;
  // The same numbers as costs: who was ahead is behind.
  EXPECT_TRUE(Search(kPool, kProcess, 1e-6, 1, lower).result.candidate_ahead_below);
}

TEST(Crossover, TheBandHoldsTheTruthAboutAsOftenAsItSays) {
  int held = 0;
  constexpr int kSeeds = 100;
  double widest = 0;
  for (int seed = 1; seed <= kSeeds; ++seed) {
    const CrossoverResult result =
        Search(kProcess, kPool, 0.02, static_cast<uint64_t>(seed)).result;
    if (result.verdict != CrossoverVerdict::kCrosses) continue;
    held += result.at.low <= kTrueCrossing && kTrueCrossing <= result.at.high ? 1 : 0;
    widest = std::max(widest, result.at.high / result.at.low);
  }
  EXPECT_GE(held, 85) << "of " << kSeeds;
  EXPECT_LT(widest, 4) << "a band that holds everything says nothing";
}

TEST(Crossover, ModelsThatNeverCrossAreSaidNotTo) {
  int told = 0;
  for (uint64_t seed = 1; seed <= 50; ++seed) {
    const Outcome worse = Search({100, 40}, {900, 50}, 0.02, seed);
    told += worse.result.verdict == CrossoverVerdict::kBaseAlwaysAhead ? 1 : 0;
    EXPECT_EQ(worse.result.points.size(), 2U) << "the ends are enough";
  }
  EXPECT_EQ(told, 50);
  EXPECT_EQ(Search({900, 50}, {100, 40}, 0.02, 1).result.verdict,
            CrossoverVerdict::kCandidateAlwaysAhead);
}

TEST(Crossover, EqualModelsCannotBeTold) {
  int cannot = 0;
  for (uint64_t seed = 1; seed <= 50; ++seed) {
    const CrossoverVerdict verdict = Search(kPool, kPool, 0.02, seed).result.verdict;
    cannot += verdict == CrossoverVerdict::kCannotTell ? 1 : 0;
  }
  // Looking after every pair raises the share of false decisions; both ends must be false to
  // differ.
  EXPECT_GE(cannot, 30);
  EXPECT_EQ(Search(kPool, kPool, 1e-9, 1).result.verdict, CrossoverVerdict::kCannotTell);
}

TEST(Crossover, NoiseThatHidesTheCrossingWidensTheBand) {
  const CrossoverResult quiet = Search(kProcess, kPool, 0.005, 3).result;
  const CrossoverResult loud = Search(kProcess, kPool, 0.05, 3).result;
  ASSERT_EQ(quiet.verdict, CrossoverVerdict::kCrosses);
  if (loud.verdict == CrossoverVerdict::kCrosses) {
    EXPECT_GT(loud.at.high / loud.at.low, quiet.at.high / quiet.at.low);
  }
}

TEST(Crossover, PairsWithoutAResultEndTheSearchTogetherWithTheOthers) {
  CrossoverOptions options;
  CrossoverSearch search(options);
  int pairs = 0;
  while (const auto x = search.Next()) {
    search.Add(*x, 0, 100);
    ASSERT_LE(++pairs, 2 * options.max_pairs);
  }
  EXPECT_EQ(search.Result().verdict, CrossoverVerdict::kCannotTell);
  ASSERT_EQ(search.Result().points.size(), 2U);
  EXPECT_EQ(search.Result().points[0].pairs, 0);
}

TEST(Crossover, NeighboursAreTheFinestResolution) {
  CrossoverOptions options;
  options.to = 2;
  const Outcome outcome = Search({100, 10}, {10, 60}, 1e-6, 1, options);  // crosses at 1.8
  EXPECT_EQ(outcome.result.verdict, CrossoverVerdict::kCrosses);
  EXPECT_EQ(outcome.result.points.size(), 2U);
  EXPECT_EQ(outcome.result.clear_below, 1);
  EXPECT_EQ(outcome.result.clear_above, 2);
}

}  // namespace
}  // namespace connbench::stats
