// Runs over time: what is a series, what is a change, and what bad input gives.
#include "harness/answers/history.h"

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <random>
#include <sstream>

#include "base/exit_code.h"
#include "harness/answers/outputs.h"
#include "harness/answers/text.h"

namespace connbench::answers {
namespace {

using RunData = results::Run;
using results::TrialRow;
using ::testing::HasSubstr;
using ::testing::Not;

TrialRow Trial(const std::string& contender, int64_t repetition, double throughput) {
  TrialRow row;
  row.trial = repetition;
  row.target = "builtin";
  row.model = row.contender = contender;
  row.workload = row.pattern = "steady";
  row.connections = 64;
  row.repetition = repetition;
  row.status = results::kTrialOk;
  row.throughput_tps = throughput;
  return row;
}

// The number-th run, of three repetitions around this throughput.
RunData RunOf(size_t number, double throughput, const std::string& contender = "fork") {
  RunData run;
  run.info.run_id = "r" + std::to_string(number);
  run.info.started_at = fmt::format("2026-{:02}-{:02}T00:00:00Z", 1 + number / 28, 1 + number % 28);
  run.info.suite = "quick";
  run.info.outcome = "complete";
  run.info.hostname = "box";
  run.info.cpu_model = "cpu";
  run.info.build_kind = "release";
  run.info.git_sha = "0123456789abcdef" + std::to_string(number);
  for (int64_t i = 1; i <= 3; ++i) {
    run.trials.push_back(Trial(contender, i, throughput * (0.99 + 0.005 * static_cast<double>(i))));
  }
  return run;
}

// So many runs on one level, so many on another; the level 1 is 1,000 a second.
std::vector<RunData> Levels(const std::vector<std::pair<size_t, double>>& levels,
                            double noise = 0.01) {
  std::mt19937_64 random(1);
  std::normal_distribution<double> normal;
  std::vector<RunData> runs;
  for (const auto& [count, level] : levels) {
    for (size_t i = 0; i < count; ++i) {
      runs.push_back(RunOf(runs.size(), 1000 * level * std::exp(noise * normal(random))));
    }
  }
  return runs;
}
std::vector<RunData> Steps(size_t before, size_t after, double level, double noise = 0.01) {
  return Levels({{before, 1}, {after, level}}, noise);
}

History Made(std::vector<RunData> runs, const HistoryOptions& options = {}) {
  Result<History> history = MakeHistory(std::move(runs), options);
  EXPECT_TRUE(history.ok()) << history.status().ToString();
  return history.ok() ? std::move(*history) : History();
}

TEST(History, TheNewestRunsBeyondAStepDownExitWithFour) {
  const History history = Made(Steps(15, 5, 0.9));
  EXPECT_EQ(ExitCodeOf(history), kExitRegression);
  ASSERT_EQ(history.groups.size(), 1U);
  ASSERT_EQ(history.groups[0].series.size(), 1U);
  const HistorySeries& series = history.groups[0].series[0];
  ASSERT_EQ(series.changes.size(), 1U);
  EXPECT_EQ(series.changes[0].value, 15U);
  EXPECT_NEAR(series.changes[0].after / series.changes[0].before, 0.9, 0.02);
  EXPECT_THAT(FormatHistory(history, "plain"), HasSubstr("commit 012345678"));
}

TEST(History, AStepUpIsNoReasonToFail) {
  const History history = Made(Steps(15, 5, 1.1));
  EXPECT_EQ(ExitCodeOf(history), kExitOk);
  EXPECT_FALSE(history.groups[0].series[0].changes.at(0).worse);
}

TEST(History, AFaultThatWasMendedIsHistory) {
  const History history = Made(Levels({{12, 1}, {12, 0.8}, {12, 1}}));
  EXPECT_EQ(history.groups[0].series[0].changes.size(), 2U);
  EXPECT_EQ(ExitCodeOf(history), kExitOk);
}

TEST(History, AChangeUnderTheMarginFailsNothing) {
  const History history = Made(Steps(15, 15, 0.99, 0.0005));
  ASSERT_EQ(history.groups[0].series[0].changes.size(), 1U);
  EXPECT_TRUE(history.groups[0].series[0].changes[0].worse);
  EXPECT_EQ(ExitCodeOf(history), kExitOk);
  EXPECT_THAT(FormatHistory(history, "plain"), HasSubstr("small"));
}

TEST(History, NoiseAndAnOutlierAreNoChange) {
  EXPECT_EQ(ExitCodeOf(Made(Steps(30, 0, 1))), kExitOk);
  std::vector<RunData> runs = Steps(29, 0, 1);
  runs.push_back(RunOf(29, 100));
  const History history = Made(runs);
  EXPECT_TRUE(history.groups[0].series[0].changes.empty());
  EXPECT_EQ(ExitCodeOf(history), kExitOk);
}

TEST(History, TooFewRunsExitWithFiveAndSayHowMany) {
  for (const size_t runs : {size_t{1}, size_t{10}}) {
    const History history = Made(Steps(runs, 0, 1));
    EXPECT_EQ(ExitCodeOf(history), kExitInconclusive);
    EXPECT_THAT(FormatHistory(history, "plain"), HasSubstr("needs 11"));
  }
  EXPECT_EQ(ExitCodeOf(Made(Steps(11, 0, 1))), kExitOk);
}

TEST(History, AllSeriesShareTheFalseAlarms) {
  std::vector<RunData> runs = Steps(20, 0, 1);
  for (RunData& run : runs) {
    for (int model = 0; model < 9; ++model) {
      run.trials.push_back(Trial("m" + std::to_string(model), 1, 500));
    }
  }
  const History history = Made(runs);
  EXPECT_EQ(history.groups[0].series.size(), 10U);
  EXPECT_DOUBLE_EQ(history.bound, kHistoryFalseAlarms / 10);
  EXPECT_DOUBLE_EQ(Made(runs, {.contenders = {"fork"}}).bound, kHistoryFalseAlarms);
}

// Runs of another machine, suite or build say nothing about these.
TEST(History, OnlyRunsOfOneMachineAndSuiteAreASeries) {
  std::vector<RunData> runs = Steps(15, 5, 0.5);
  for (size_t i = 15; i < 20; ++i) runs[i].info.hostname = "another";
  const History history = Made(runs);
  ASSERT_EQ(history.groups.size(), 2U);
  EXPECT_THAT(history.groups[0].machine, HasSubstr("another")) << "that of the newest run first";
  EXPECT_EQ(ExitCodeOf(history), kExitInconclusive);
  for (size_t i = 15; i < 20; ++i) {
    runs[i].info.hostname = "box";
    runs[i].info.suite = "ci";
  }
  EXPECT_EQ(Made(runs).groups.size(), 2U);
  for (size_t i = 15; i < 20; ++i) {
    runs[i].info.suite = "quick";
    for (TrialRow& row : runs[i].trials) row.connections = 8;
  }
  EXPECT_EQ(Made(runs).groups.size(), 1U);
  EXPECT_EQ(Made(runs).groups[0].series.size(), 2U);
}

TEST(History, WhatDiffersIsSaid) {
  std::vector<RunData> runs = Steps(15, 5, 0.8);
  for (size_t i = 15; i < 20; ++i) {
    runs[i].info.kernel = "6.2";
    runs[i].info.schema_version = 2;
  }
  const History history = Made(runs);
  EXPECT_THAT(history.groups[0].runs[15].differs,
              ::testing::ElementsAre("schema version", "kernel"));
  EXPECT_TRUE(history.groups[0].runs[16].differs.empty());
  EXPECT_THAT(FormatHistory(history, "markdown"), HasSubstr("differ in: schema version, kernel"));
}

TEST(History, RunsStandInTheOrderOfTime) {
  std::vector<RunData> runs = Steps(15, 5, 0.9);
  std::reverse(runs.begin(), runs.end());
  const History history = Made(runs);
  EXPECT_EQ(history.groups[0].runs.front().run_id, "r0");
  EXPECT_EQ(ExitCodeOf(history), kExitRegression);
}

TEST(History, InvalidTrialsAndIncompleteRunsAreLeftOut) {
  std::vector<RunData> runs = Steps(15, 5, 0.5);
  for (size_t i = 15; i < 20; ++i) {
    for (TrialRow& row : runs[i].trials) row.status = results::kTrialInvalid;
  }
  const History invalid = Made(runs);
  EXPECT_EQ(ExitCodeOf(invalid), kExitInconclusive) << "nothing of the newest run can be judged";
  EXPECT_THAT(FormatHistory(invalid, "plain"), HasSubstr("no valid trial"));
  runs = Steps(15, 5, 0.5);
  for (size_t i = 15; i < 20; ++i) runs[i].info.outcome = "interrupted";
  const History interrupted = Made(runs);
  EXPECT_EQ(ExitCodeOf(interrupted), kExitOk);
  EXPECT_EQ(interrupted.notes.size(), 5U);
  EXPECT_THAT(interrupted.notes[0], HasSubstr("not complete (interrupted)"));
}

TEST(History, BadAskingIsAnError) {
  EXPECT_EQ(MakeHistory({}, {}).status().code(), sqlstate::kInvalidParameterValue);
  const auto metric = MakeHistory(Steps(3, 0, 1), {.metrics = {"speed"}});
  EXPECT_EQ(metric.status().code(), sqlstate::kUndefinedObject);
  const auto contender = MakeHistory(Steps(3, 0, 1), {.contenders = {"frok"}});
  EXPECT_EQ(contender.status().code(), sqlstate::kUndefinedObject);
  EXPECT_THAT(contender.status().ToString(), HasSubstr("fork"));
  EXPECT_FALSE(MakeHistory(Steps(3, 0, 1), {.metrics = {"memory_kb_per_connection"}}).ok());
}

TEST(History, EveryOutputIsHarmlessAndFits) {
  std::vector<RunData> runs = Steps(15, 5, 0.9);
  for (RunData& run : runs) {
    run.info.suite = "<b>\"evil\"\n=1+1";
    run.info.git_sha = "\x1b[2J";
    run.info.run_id += "|<script>";
    for (TrialRow& row : run.trials) row.contender = row.model = "=cmd,\"x\"\x1b[2J<i>";
  }
  runs.back().info.kernel = std::string(300, 'k');
  const History history = Made(runs);
  for (const std::string& name : HistoryFormatNames()) {
    const std::string text = FormatHistory(history, name);
    EXPECT_TRUE(text.ends_with('\n')) << name;
    EXPECT_EQ(text.find('\x1b'), std::string::npos) << name;
  }
  EXPECT_EQ(FormatHistory(history, "markdown").find("<script"), std::string::npos);
  EXPECT_THAT(FormatHistory(history, "csv"), HasSubstr("\"'=cmd,\"\"x\"\""));
  std::istringstream plain(FormatHistory(history, "plain"));
  for (std::string line; std::getline(plain, line);) {
    EXPECT_LE(DisplayWidth(line), kTableColumns) << line;
  }
}

}  // namespace
}  // namespace connbench::answers
