// Tests: gates drawn from the rounds of real A/A gates; the short form of docs/gate-power.md.
#include <gtest/gtest.h>

#include <fstream>
#include <string>

#include "harness/gate/calibration.h"
#include "harness/gate/testing/recorded_rounds.h"

namespace connbench::gate {
namespace {

constexpr int kGates = 100;
constexpr size_t kRoundsOfAMinute = 12;

// On a quiet machine and on a busy one.
class RecordedRoundsTest : public testing::TestWithParam<const char*> {
 protected:
  void SetUp() override {
    auto read = ReadRecordedRounds(std::string(CONNBENCH_RECORDED_ROUNDS) + GetParam());
    ASSERT_TRUE(read.ok()) << read.status().ToString();
    models_ = std::move(*read);
    ASSERT_GE(models_.size(), 3U);
  }
  std::map<std::string, RecordedGates> models_;
};

TEST_P(RecordedRoundsTest, AProgramAgainstItselfIsHardlyEverWorse) {
  int alarms = 0;
  for (const auto& [model, recorded] : models_) {
    ASSERT_GE(recorded.rounds.front().size(), kFewestRounds) << model;
    alarms += SimulateGates(recorded.plan, recorded.rounds, 0, kRoundsOfAMinute, kGates, 1).alarms;
  }
  // 1 % of them, and three standard deviations.
  const double expected = kDefaultFalseAlarms * kGates * static_cast<double>(models_.size());
  EXPECT_LE(alarms, expected + 3 * std::sqrt(expected));
}

TEST_P(RecordedRoundsTest, ALargerChangeIsFoundMoreOften) {
  for (const auto& [model, recorded] : models_) {
    const auto small = SimulateGates(recorded.plan, recorded.rounds, 0.05, 40, kGates / 4, 1);
    const auto large = SimulateGates(recorded.plan, recorded.rounds, 4.0, 40, kGates / 4, 1);
    for (size_t row = 0; row < recorded.plan.rows.size(); ++row) {
      EXPECT_GE(large.worse[row], small.worse[row]) << model << " " << row;
      EXPECT_GE(large.worse[row], kGates / 4 * 9 / 10)
          << model << " " << recorded.plan.questions[row].metric;
    }
  }
}

INSTANTIATE_TEST_SUITE_P(Machines, RecordedRoundsTest, testing::Values(".csv", "_busy.csv"));

TEST(RecordedRoundsFileTest, WhatIsNoFileOfRoundsIsSaid) {
  EXPECT_FALSE(ReadRecordedRounds("/nowhere/rounds.csv").ok());
}

}  // namespace
}  // namespace connbench::gate
