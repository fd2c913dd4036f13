// Tests: how often a gate errs, simulated on made-up A/A gates.
#include "harness/gate/calibration.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>

#include "harness/gate/calibration_file.h"
#include "harness/gate/testing/made_up.h"

namespace connbench::gate {
namespace {

using testing::HasSubstr;

Rounds MeasureAa(const GatePlan& plan, double noise) {
  MadeUpServers servers(0, noise);
  return RunMadeUp(plan, servers, 70 * kNanosecondsPerSecond, /*until_budget=*/true).means;
}

TEST(CalibrationTest, BoundsAreThoseOfClopperAndPearson) {
  // R: binom.test(0, 400, alternative = "less", conf.level = 0.95), and 3 of 400.
  EXPECT_NEAR(UpperBound(0, 400), 0.007461, 1e-6);
  EXPECT_NEAR(UpperBound(3, 400), 0.019263, 1e-5);
  EXPECT_EQ(UpperBound(5, 5), 1);
}

TEST(CalibrationTest, AQuietMachineFindsSmallerChangesThanANoisyOne) {
  const GatePlan plan = MadeUpPlan();
  const auto quiet = Calibrate(plan, MeasureAa(plan, 0.005), 1);
  const auto noisy = Calibrate(plan, MeasureAa(plan, 0.05), 1);
  ASSERT_TRUE(quiet.ok() && noisy.ok());
  EXPECT_LE(quiet->false_alarm_bound, 0.02);
  EXPECT_LE(noisy->false_alarm_bound, 0.03);
  for (size_t row = 0; row < plan.rows.size(); ++row) {
    ASSERT_TRUE(quiet->rows[row].smallest_effect.has_value());
    // A change has to lie beyond the threshold to be called one.
    EXPECT_GT(*quiet->rows[row].smallest_effect, kDefaultMargin);
    EXPECT_LE(*quiet->rows[row].smallest_effect, 0.04);
    EXPECT_GT(noisy->rows[row].smallest_effect.value_or(1), *quiet->rows[row].smallest_effect);
    EXPECT_NEAR(quiet->rows[row].noise, 0.005 * std::sqrt(2), 0.002);
  }
}

TEST(CalibrationTest, TooFewRoundsAreRefused) {
  const GatePlan plan = MadeUpPlan();
  MadeUpServers servers(0, 0.01);
  const GateOutcome outcome =
      RunMadeUp(plan, servers, 10 * kNanosecondsPerSecond, /*until_budget=*/true);
  const auto calibration = Calibrate(plan, outcome.means, 1);
  ASSERT_FALSE(calibration.ok());
  EXPECT_THAT(calibration.status().ToString(), HasSubstr("--budget"));
}

class CalibrationFileTest : public testing::Test {
 protected:
  CalibrationFileTest() {
    std::string path = (std::filesystem::temp_directory_path() / "connbench-test.XXXXXX").string();
    EXPECT_NE(::mkdtemp(path.data()), nullptr);
    folder_ = path;
  }
  ~CalibrationFileTest() override {
    std::error_code ignored;
    std::filesystem::remove_all(folder_, ignored);
  }
  std::string folder_;
};

TEST_F(CalibrationFileTest, WhatIsWrittenIsRead) {
  const std::string path = folder_ + "/state/calibration.json";
  const auto none = ReadCalibration(path);
  ASSERT_TRUE(none.ok());
  EXPECT_FALSE(none->has_value());
  Calibration calibration;
  calibration.machine = "a \"machine\"\nof mine";
  calibration.contender = "fork";
  calibration.budget_ns = 600 * kNanosecondsPerSecond;
  calibration.gates = 400;
  calibration.false_alarms = 3;
  calibration.false_alarm_bound = 0.0193;
  calibration.rows = {{"steady", "throughput_tps", 0.02, 0.03}, {"churn", "x", 0.5, std::nullopt}};
  ASSERT_TRUE(WriteCalibration(calibration, path).ok());
  const auto back = ReadCalibration(path);
  ASSERT_TRUE(back.ok()) << back.status().ToString();
  ASSERT_TRUE(back->has_value());
  EXPECT_EQ((*back)->machine, calibration.machine);
  EXPECT_EQ((*back)->budget_ns, calibration.budget_ns);
  EXPECT_EQ((*back)->false_alarms, 3);
  EXPECT_EQ((*back)->rows[0].smallest_effect, 0.03);
  EXPECT_FALSE((*back)->rows[1].smallest_effect.has_value());
}

TEST_F(CalibrationFileTest, WhatIsNoCalibrationIsSaid) {
  const std::string path = folder_ + "/calibration.json";
  for (const char* text : {"", "{", "[]", "{}", R"({"version": 2})", R"({"version": "one"})"}) {
    std::ofstream(path) << text;
    const auto read = ReadCalibration(path);
    ASSERT_FALSE(read.ok()) << text;
    EXPECT_THAT(read.status().ToString(), HasSubstr(path));
  }
  EXPECT_FALSE(WriteCalibration({}, "/proc/nowhere/calibration.json").ok());
}

}  // namespace
}  // namespace connbench::gate
