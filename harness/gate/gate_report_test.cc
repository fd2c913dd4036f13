// Tests: what a gate says.
#include "harness/gate/gate_report.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <sstream>

#include "harness/gate/calibration_file.h"
#include "harness/gate/testing/made_up.h"

namespace connbench::gate {
namespace {

using testing::HasSubstr;
using testing::Not;

constexpr int64_t kReportBudget = 600 * kNanosecondsPerSecond;
constexpr size_t kColumns = 100;

std::string Report(double slowdown, double noise, int64_t budget_ns = kReportBudget,
                   const std::optional<Calibration>& calibration = std::nullopt) {
  const GatePlan plan = MadeUpPlan();
  MadeUpServers servers(slowdown, noise);
  return FormatGate(plan, RunMadeUp(plan, servers, budget_ns), calibration);
}

TEST(GateReportTest, WhatIsWorseIsSaidInASentence) {
  const std::string text = Report(0.1, 0.01);
  EXPECT_THAT(text, HasSubstr("WORSE: in 2 of 2 rows"));
  EXPECT_THAT(text,
              testing::ContainsRegex("steady: throughput: .*lower.* instead of .* tx/s: worse"));
  EXPECT_THAT(text, testing::ContainsRegex("churn: request mean: .*instead of.*: worse"));
}

TEST(GateReportTest, NothingWorseNamesTheChangeThatWouldHaveBeenFound) {
  EXPECT_THAT(Report(0, 0.01), testing::ContainsRegex(
                                   "Nothing is worse; in every row a change of [0-9.]+ % or more"));
  EXPECT_THAT(Report(-0.1, 0.01), HasSubstr("Nothing is worse, and 2 of 2 rows are better"));
}

TEST(GateReportTest, WhatIsUndecidedSaysHowManyRoundsWouldDo) {
  const std::string text = Report(0, 0.06, 60 * kNanosecondsPerSecond);
  EXPECT_THAT(text, HasSubstr("Cannot tell: "));
  EXPECT_THAT(text, testing::ContainsRegex("after [0-9]+ rounds; about [0-9]+ would do"));
}

TEST(GateReportTest, LinesFitTheTerminal) {
  for (const double slowdown : {-0.1, 0.0, 0.1}) {
    std::istringstream lines(Report(slowdown, 0.01));
    for (std::string line; std::getline(lines, line);) EXPECT_LE(line.size(), kColumns) << line;
  }
}

TEST(GateReportTest, TheMachinesCalibrationIsPrintedWithTheVerdict) {
  EXPECT_THAT(Report(0, 0.01), HasSubstr("connbench gate --calibrate"));
  Calibration calibration;
  calibration.machine = MachineOf();
  calibration.made_at = "2026-11-28T12:00:00Z";
  calibration.contender = "thread";
  calibration.window_ns = kDefaultWindowNs;
  calibration.budget_ns = kDefaultBudgetNs;
  calibration.margin = kDefaultMargin;
  calibration.gates = 400;
  calibration.false_alarms = 1;
  calibration.false_alarm_bound = 0.0118;
  calibration.rows = {{"steady", "throughput_tps", 0.01, 0.03}};
  const std::string text = Report(0, 0.01, kReportBudget, calibration);
  EXPECT_THAT(text, HasSubstr("1 of 400 simulated gates"));
  EXPECT_THAT(text, HasSubstr("steady: throughput: 3 %"));
  EXPECT_THAT(text, HasSubstr("churn: request mean: not calibrated"));
  EXPECT_THAT(text, Not(HasSubstr("another machine")));
  calibration.machine = "elsewhere";
  calibration.budget_ns = kNanosecondsPerSecond;
  const std::string other = Report(0, 0.01, kReportBudget, calibration);
  EXPECT_THAT(other, HasSubstr("another machine (elsewhere)"));
  EXPECT_THAT(other, HasSubstr("a budget of 1 s"));
}

}  // namespace
}  // namespace connbench::gate
