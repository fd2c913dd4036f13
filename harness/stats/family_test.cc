// Verdicts of a family: what is called a change, what is not, and why.
#include "harness/stats/family.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <limits>
#include <random>
#include <vector>

#include "harness/stats/power.h"

namespace connbench::stats {
namespace {

using ::testing::DoubleNear;
using ::testing::ElementsAre;

Question Gated(std::vector<double> base, std::vector<double> candidate) {
  Question question;
  question.base = std::move(base);
  question.candidate = std::move(candidate);
  question.gated = true;
  question.paired = true;
  question.metric = question.scatters_like = "latency_us_p50";
  return question;
}

Answer JudgeOne(const Question& question) { return JudgeFamily(std::vector{question}).front(); }

TEST(Holm, GivesWhatRGives) {
  // R: p.adjust(c(0.01, 0.04, 0.03, 0.005), "holm")
  EXPECT_THAT(HolmAdjusted(std::vector{0.01, 0.04, 0.03, 0.005}),
              ElementsAre(DoubleNear(0.03, 1e-12), DoubleNear(0.06, 1e-12), DoubleNear(0.06, 1e-12),
                          DoubleNear(0.02, 1e-12)));
  EXPECT_TRUE(HolmAdjusted({}).empty());
  EXPECT_THAT(HolmAdjusted(std::vector{0.9, 0.8}), ElementsAre(1, 1));
}

TEST(Family, AClearChangeIsBetterOrWorseByItsDirection) {
  Question question = Gated({100, 102, 99, 101, 100, 98}, {150, 152, 149, 151, 150, 148});
  EXPECT_EQ(JudgeOne(question).verdict, Verdict::kWorse);
  question.direction = Direction::kHigherIsBetter;
  EXPECT_EQ(JudgeOne(question).verdict, Verdict::kBetter);
  const Answer answer = JudgeOne(question);
  ASSERT_TRUE(answer.ratio);
  EXPECT_NEAR(answer.ratio->estimate, 1.5, 0.01);
  EXPECT_LE(answer.p, kFamilyLevel);
  EXPECT_FALSE(answer.blocks_needed);
}

TEST(Family, OnlyGatedRowsAreJudged) {
  Question question = Gated({100, 102, 99, 101}, {200, 204, 198, 202});
  question.gated = false;
  const Answer answer = JudgeOne(question);
  EXPECT_EQ(answer.verdict, Verdict::kDescribed);
  EXPECT_TRUE(answer.ratio);
  EXPECT_FALSE(answer.smallest_effect);
}

TEST(Family, AReliableTrifleIsTheSame) {
  const Answer answer =
      JudgeOne(Gated({100, 101, 100, 101, 100, 101}, {102, 103, 102.1, 103, 102, 103}));
  EXPECT_EQ(answer.verdict, Verdict::kSame);
  EXPECT_GT(answer.ratio->low, 1);
}

TEST(Family, BlocksCancelWhatBothSidesShare) {
  // The machine's speed varies threefold; within each block the candidate takes 30 % longer.
  Question question = Gated({100, 300, 150, 220, 120, 260}, {130, 391, 195, 285, 157, 338});
  EXPECT_EQ(JudgeOne(question).verdict, Verdict::kWorse);
  question.paired = false;
  EXPECT_NE(JudgeOne(question).verdict, Verdict::kWorse);
}

TEST(Family, ManyRowsShareOneError) {
  // Alone the row would be called worse; among a hundred that differ by chance it is not.
  const Question question = Gated({100, 103, 98, 101, 97}, {112, 111, 112, 109, 113});
  ASSERT_EQ(JudgeOne(question).verdict, Verdict::kWorse);
  std::mt19937_64 random(1);
  std::normal_distribution<double> noise(100, 2);
  std::vector<Question> family = {question};
  for (int row = 0; row < 100; ++row) {
    Question other = Gated({}, {});
    other.scatters_like = "throughput_tps";
    for (int i = 0; i < 5; ++i) {
      other.base.push_back(noise(random));
      other.candidate.push_back(noise(random));
    }
    family.push_back(other);
  }
  const std::vector<Answer> answers = JudgeFamily(family);
  EXPECT_EQ(answers[0].verdict, Verdict::kInconclusive);
  ASSERT_TRUE(answers[0].blocks_needed);
  EXPECT_GT(*answers[0].blocks_needed, 5U);
  for (const Answer& answer : answers) EXPECT_NE(answer.verdict, Verdict::kWorse);
}

TEST(Family, RowsThatScatterAlikeTellHowMuch) {
  // Three pairs that agree by chance, in a metric that scatters by 20 % everywhere else.
  std::vector<Question> family = {Gated({100, 100.1, 99.9}, {130, 130.1, 130})};
  ASSERT_EQ(JudgeFamily(family)[0].verdict, Verdict::kWorse);
  std::mt19937_64 random(2);
  std::normal_distribution<double> noise(100, 15);
  for (int row = 0; row < 5; ++row) {
    family.push_back(Gated({noise(random), noise(random), noise(random)},
                           {noise(random), noise(random), noise(random)}));
  }
  EXPECT_NE(JudgeFamily(family)[0].verdict, Verdict::kWorse);
}

TEST(Family, NoiseThatSwampsARowIsUnstable) {
  const Answer answer = JudgeOne(Gated({100, 160, 90, 150}, {150, 95, 160, 100}));
  EXPECT_EQ(answer.verdict, Verdict::kUnstable);
  EXPECT_GT(answer.relabelled, kUnstable);
}

TEST(Family, TooFewRepetitionsCarryNoIntervalAndSayWhatTheyNeed) {
  for (const size_t n : {0U, 1U, 2U}) {
    const Answer answer =
        JudgeOne(Gated(std::vector<double>(n, 2642), std::vector<double>(n, 2436)));
    EXPECT_EQ(answer.verdict, Verdict::kInconclusive);
    EXPECT_FALSE(answer.ratio);
    EXPECT_FALSE(answer.smallest_effect);
    EXPECT_EQ(answer.blocks_needed, 3U);
    EXPECT_FALSE(answer.reason.empty());
  }
}

TEST(Family, WhatHasNoRatioIsJudgedByTheDifference) {
  // Failures where there were none: pairs can tell, and so can two sides. Two repetitions cannot,
  // nor can three that agree: small counts do so by chance.
  Question question = Gated(std::vector<double>(10, 0), {7, 9, 8, 7, 6, 9, 7, 8, 7, 9});
  for (const bool paired : {true, false}) {
    question.paired = paired;
    const Answer many = JudgeOne(question);
    EXPECT_EQ(many.verdict, Verdict::kWorse);
    EXPECT_FALSE(many.ratio);
    EXPECT_EQ(many.reason, "the base is 0");
  }
  EXPECT_EQ(JudgeOne(Gated({0, 0, 0, 0, 0}, {25, 25, 25, 25, 25})).verdict, Verdict::kWorse);
  EXPECT_EQ(JudgeOne(Gated({0, 0, 0}, {1, 1, 1})).verdict, Verdict::kInconclusive);
  const Answer two = JudgeOne(Gated({0, 0}, {7, 9}));
  EXPECT_EQ(two.verdict, Verdict::kInconclusive);
  EXPECT_EQ(two.blocks_needed, 3U);
  // Where more repetitions help, their number is told.
  const Answer noisy = JudgeOne(Gated({0, 0, 1, 0}, {3, 0, 4, 1}));
  EXPECT_EQ(noisy.verdict, Verdict::kInconclusive);
  ASSERT_TRUE(noisy.blocks_needed);
  EXPECT_GT(*noisy.blocks_needed, 4U);
}

TEST(Family, CountsNearZeroThatDoNotDifferAreSeldomCalledDifferent) {
  std::mt19937_64 random(4);
  FamilyOptions quick;
  quick.explain = false;
  for (const double mean : {0.3, 1.0, 3.0}) {
    std::poisson_distribution<int> count(mean);
    for (const size_t n : {3U, 5U, 10U}) {
      for (const bool paired : {true, false}) {
        constexpr int kRounds = 2'000;
        int false_alarms = 0;
        for (int round = 0; round < kRounds; ++round) {
          Question question = Gated({}, {});
          question.paired = paired;
          for (size_t i = 0; i < n; ++i) {
            question.base.push_back(count(random));
            question.candidate.push_back(count(random));
          }
          const Verdict verdict = JudgeFamily({&question, 1}, quick).front().verdict;
          false_alarms += verdict == Verdict::kWorse || verdict == Verdict::kBetter ? 1 : 0;
        }
        EXPECT_LE(false_alarms, kRounds * 0.015) << mean << " n " << n << " paired " << paired;
      }
    }
  }
}

TEST(Family, TheSmallestChangeThatIsFoundLiesBeyondTheMargin) {
  // A change of 5 % is called worse only if it is measured as more than that.
  std::mt19937_64 random(5);
  std::normal_distribution<double> noise(0, 0.01);
  const auto question_of = [&](double effect) {
    Question question = Gated({}, {});
    for (int i = 0; i < 6; ++i) {
      question.base.push_back(100 * std::exp(noise(random)));
      question.candidate.push_back(100 * (1 + effect) * std::exp(noise(random)));
    }
    return question;
  };
  double smallest = 0;
  constexpr int kRounds = 400;
  for (int round = 0; round < kRounds; ++round) {
    const auto effect = JudgeOne(question_of(0)).smallest_effect;
    ASSERT_TRUE(effect);
    EXPECT_GT(*effect, kDefaultMargin);
    smallest += *effect / kRounds;
  }
  int found = 0;
  for (int round = 0; round < kRounds; ++round) {
    found += JudgeOne(question_of(smallest)).verdict == Verdict::kWorse ? 1 : 0;
  }
  EXPECT_GE(found, kRounds * (kPower - 0.03)) << "at " << smallest;
}

TEST(Family, WhatIsNoNumberGivesNoVerdict) {
  const double nan = std::numeric_limits<double>::quiet_NaN();
  const Answer answer = JudgeOne(Gated({1, nan, 3, 4}, {100, 200, 300, 400}));
  EXPECT_EQ(answer.verdict, Verdict::kInconclusive);
  EXPECT_FALSE(answer.ratio);
  EXPECT_NE(answer.reason.find("not a number"), std::string::npos);
}

TEST(Family, ZeroVarianceIsNoCertaintyAndNoCrash) {
  EXPECT_EQ(JudgeOne(Gated({2, 2, 2}, {2, 2, 2})).verdict, Verdict::kSame);
  EXPECT_EQ(JudgeOne(Gated({2, 2, 2}, {4, 4, 4})).verdict, Verdict::kWorse);
}

TEST(Family, DriftOfTwoRunsIsNoChange) {
  Question question = Gated({100, 101, 99, 100}, {106, 107, 105, 106});
  question.paired = false;
  ASSERT_EQ(JudgeOne(question).verdict, Verdict::kWorse);
  question.drift = 0.10;
  const Answer answer = JudgeOne(question);
  EXPECT_EQ(answer.verdict, Verdict::kInconclusive);
  EXPECT_FALSE(answer.blocks_needed) << "no number of repetitions averages drift away";
  EXPECT_GT(*answer.smallest_effect, 0.10);
}

}  // namespace
}  // namespace connbench::stats
