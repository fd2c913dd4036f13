// Comparisons of runs: what is paired with what, what is judged, and what bad input gives.
#include "harness/answers/compare_runs.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <random>

#include "base/exit_code.h"
#include "harness/answers/outputs.h"
#include "harness/stats/words.h"

namespace connbench::answers {
namespace {

using RunData = results::Run;
using results::TrialRow;
using stats::Verdict;
using ::testing::HasSubstr;

void AddTrials(RunData& run, const std::string& contender, const std::vector<double>& throughputs,
               std::string_view status = results::kTrialOk) {
  run.info.outcome = "complete";
  for (size_t i = 0; i < throughputs.size(); ++i) {
    TrialRow row;
    row.trial = static_cast<int64_t>(run.trials.size()) + 1;
    const bool target = contender.find("postgres") != std::string::npos;
    row.target = target ? contender : "builtin";
    row.model = target ? "" : contender;
    row.contender = contender;
    row.workload = row.pattern = "steady";
    row.connections = 64;
    row.repetition = static_cast<int64_t>(i) + 1;
    row.status = status;
    row.status_reason = status == results::kTrialOk ? "" : "client saturated";
    row.throughput_tps = throughputs[i];
    run.trials.push_back(row);
  }
  run.info.trials_written = static_cast<int64_t>(run.trials.size());
}

std::vector<double> Around(double value, size_t n, double noise, uint64_t seed) {
  std::mt19937_64 random(seed);
  std::normal_distribution<double> normal;
  std::vector<double> values;
  for (size_t i = 0; i < n; ++i) values.push_back(value * std::exp(noise * normal(random)));
  return values;
}

const stats::VerdictRow& RowOf(const stats::VerdictTable& table, const std::string& metric) {
  const auto found = std::find_if(table.rows.begin(), table.rows.end(),
                                  [&](const auto& row) { return row.metric == metric; });
  EXPECT_NE(found, table.rows.end()) << metric;
  return *found;
}

TEST(CompareRuns, APlantedRegressionExitsWithItsCode) {
  RunData base;
  RunData slower;
  AddTrials(base, "fork", Around(100, 6, 0.01, 1));
  AddTrials(slower, "fork", Around(60, 6, 0.01, 2));
  const auto worse = CompareRuns(base, slower, {});
  ASSERT_TRUE(worse.ok());
  EXPECT_EQ(RowOf(*worse, "throughput_tps").answer.verdict, Verdict::kWorse);
  EXPECT_EQ(stats::ExitCodeOf(*worse, false), kExitRegression);
  const auto better = CompareRuns(slower, base, {});
  EXPECT_EQ(stats::ExitCodeOf(*better, true), kExitOk);
}

TEST(CompareRuns, DriftBetweenRunsIsNamedAndIsNoRegression) {
  RunData base;
  RunData drifted;
  AddTrials(base, "fork", Around(100, 6, 0.005, 1));
  AddTrials(drifted, "fork", Around(93, 6, 0.005, 2));
  const auto compared = CompareRuns(base, drifted, {});
  ASSERT_TRUE(compared.ok());
  EXPECT_EQ(stats::ExitCodeOf(*compared, false), kExitOk);
  EXPECT_EQ(stats::ExitCodeOf(*compared, true), kExitInconclusive);
  EXPECT_THAT(compared->notes.front(), HasSubstr("different times"));
  CompareOptions trusting;
  trusting.thresholds.drift = 0;
  EXPECT_EQ(stats::ExitCodeOf(*CompareRuns(base, drifted, trusting), false), kExitRegression);
}

TEST(CompareRuns, InvalidTrialsNeverCountAndAreTold) {
  RunData base;
  RunData candidate;
  AddTrials(base, "fork", {100, 101, 99});
  AddTrials(candidate, "fork", {1, 1, 1}, results::kTrialInvalid);
  const auto compared = CompareRuns(base, candidate, {});
  ASSERT_TRUE(compared.ok());
  EXPECT_EQ(stats::Count(*compared).invalid, 1U);
  EXPECT_EQ(stats::ExitCodeOf(*compared, false), kExitInvalid);
  EXPECT_THAT(FormatPlain(*compared), HasSubstr("client saturated"));
}

TEST(CompareRuns, OneRepetitionHasFiguresAndNoRatio) {
  RunData base;
  RunData candidate;
  AddTrials(base, "fork", {2642});
  AddTrials(candidate, "fork", {2436});
  const auto compared = CompareRuns(base, candidate, {});
  ASSERT_TRUE(compared.ok());
  // Nothing could be told, so nothing passes.
  EXPECT_EQ(stats::ExitCodeOf(*compared, false), kExitInconclusive);
  const std::string text = FormatPlain(*compared);
  EXPECT_THAT(text, HasSubstr("2,642 tx/s"));
  EXPECT_THAT(text, HasSubstr("needs 3"));
  EXPECT_FALSE(RowOf(*compared, "throughput_tps").answer.ratio);
  EXPECT_EQ(text.find("1.000"), std::string::npos);
}

TEST(CompareRuns, BadValuesGiveNoVerdict) {
  const double nan = std::numeric_limits<double>::quiet_NaN();
  RunData base;
  AddTrials(base, "fork", {100, 101, 99, 100});
  for (const auto& bad :
       {std::vector<double>{100, nan, 99, 101}, std::vector<double>{-1, 5, 7, 8}}) {
    RunData candidate;
    AddTrials(candidate, "fork", bad);
    for (const auto& compared :
         {CompareRuns(base, candidate, {}), CompareRuns(candidate, base, {})}) {
      ASSERT_TRUE(compared.ok());
      const auto& row = RowOf(*compared, "throughput_tps");
      EXPECT_EQ(row.answer.verdict, Verdict::kInconclusive);
      EXPECT_FALSE(row.answer.ratio);
      EXPECT_FALSE(row.answer.reason.empty());
    }
  }
}

TEST(CompareRuns, ACandidateThatAnswersNothingIsWorse) {
  RunData base;
  RunData dead;
  AddTrials(base, "fork", {24'065, 24'210, 23'980, 24'101});
  AddTrials(dead, "fork", {0, 0, 0, 0});
  const auto compared = CompareRuns(base, dead, {});
  ASSERT_TRUE(compared.ok());
  const auto& row = RowOf(*compared, "throughput_tps");
  EXPECT_EQ(row.answer.verdict, Verdict::kWorse);
  EXPECT_FALSE(row.answer.ratio);
  EXPECT_EQ(row.answer.reason, "the candidate is 0");
  EXPECT_EQ(stats::ExitCodeOf(*compared, false), kExitRegression);
  EXPECT_EQ(RowOf(*CompareRuns(dead, base, {}), "throughput_tps").answer.verdict, Verdict::kBetter);
}

void SetFailures(RunData& run, int64_t ok, const std::vector<int64_t>& failed) {
  for (size_t i = 0; i < run.trials.size(); ++i) {
    run.trials[i].transactions_ok = ok;
    run.trials[i].transactions_failed = failed[i % failed.size()];
  }
}

TEST(CompareRuns, FailingIsNoWayToBeQuick) {
  RunData base;
  RunData failing;
  AddTrials(base, "fork", Around(100, 6, 0.01, 1));
  AddTrials(failing, "fork", Around(200, 6, 0.01, 2));
  SetFailures(base, 1'000, {0, 1, 0});
  SetFailures(failing, 1'000, {1'000, 990, 1'020});
  const auto compared = CompareRuns(base, failing, {});
  ASSERT_TRUE(compared.ok());
  EXPECT_EQ(RowOf(*compared, "failed_percent").answer.verdict, Verdict::kWorse);
  EXPECT_EQ(RowOf(*compared, "throughput_tps").answer.verdict, Verdict::kInconclusive);
  EXPECT_EQ(stats::ExitCodeOf(*compared, false), kExitRegression);
  EXPECT_THAT(stats::HeadlineSentences(*compared)[0],
              HasSubstr("candidate fails 50.0 % of its work, base 0 %"));
  EXPECT_THAT(FormatPlain(*compared), HasSubstr("more work fails"));
  // Failures that come and go are no proof, and no pass either.
  SetFailures(failing, 1'000, {1'000, 0, 0});
  const auto unsettled = CompareRuns(base, failing, {});
  EXPECT_EQ(RowOf(*unsettled, "failed_percent").answer.verdict, Verdict::kInconclusive);
  EXPECT_EQ(RowOf(*unsettled, "throughput_tps").answer.verdict, Verdict::kInconclusive);
  EXPECT_EQ(stats::ExitCodeOf(*unsettled, false), kExitInconclusive);
  // To fail less is better, and takes nothing from other rows.
  SetFailures(failing, 1'000, {1'000, 990, 1'020});
  const auto mended = CompareRuns(failing, base, {});
  EXPECT_EQ(RowOf(*mended, "failed_percent").answer.verdict, Verdict::kBetter);
}

TEST(CompareRuns, FailuresWithinTheBoundAreNoVerdict) {
  RunData base;
  RunData candidate;
  AddTrials(base, "fork", Around(100, 6, 0.01, 1));
  AddTrials(candidate, "fork", Around(200, 6, 0.01, 2));
  SetFailures(base, 100'000, {0, 0, 1});
  SetFailures(candidate, 100'000, {50, 60, 55});
  const auto compared = CompareRuns(base, candidate, {});
  ASSERT_TRUE(compared.ok());
  EXPECT_EQ(RowOf(*compared, "failed_percent").answer.verdict, Verdict::kDescribed);
  EXPECT_EQ(RowOf(*compared, "throughput_tps").answer.verdict, Verdict::kBetter);
  CompareOptions strict;
  ASSERT_TRUE(SetThreshold("failed_percent=0.01%", strict.thresholds).ok());
  EXPECT_EQ(RowOf(*CompareRuns(base, candidate, strict), "failed_percent").answer.verdict,
            Verdict::kWorse);
  // Both sides fail alike: a limit that the user chose.
  SetFailures(base, 1'000, {1'000, 1'001, 999});
  SetFailures(candidate, 1'000, {1'003, 1'001, 1'000});
  EXPECT_EQ(RowOf(*CompareRuns(base, candidate, {}), "throughput_tps").answer.verdict,
            Verdict::kBetter);
}

TEST(CompareRuns, OneRunHeldAgainstItselfIsNamed) {
  RunData run;
  run.info.run_id = "r1";
  AddTrials(run, "fork", Around(100, 6, 0.01, 1));
  const std::string text = FormatPlain(*CompareRuns(run, run, {}));
  EXPECT_THAT(text, HasSubstr("Both sides are one run, r1"));
  EXPECT_THAT(text, ::testing::Not(HasSubstr("different times")));
}

TEST(CompareRuns, WhatOneSideLacksIsNamedRatherThanMoreRepetitions) {
  RunData base;
  RunData candidate;
  AddTrials(base, "fork", {100, 101, 99});
  AddTrials(candidate, "fork", {100, 101, 99});
  for (TrialRow& row : candidate.trials) row.request_us_p99 = 700;
  const auto compared = CompareRuns(base, candidate, {});
  ASSERT_TRUE(compared.ok());
  const auto& row = RowOf(*compared, "request_us_p99");
  EXPECT_EQ(row.answer.reason, "the base has no value");
  EXPECT_FALSE(row.answer.blocks_needed);
  EXPECT_EQ(*row.answer.candidate_median, 700);
}

TEST(CompareRuns, CellsThatTheBaseLostAreInvalidToo) {
  RunData base;
  RunData candidate;
  for (RunData* run : {&base, &candidate}) AddTrials(*run, "fork", {100, 101, 99});
  AddTrials(candidate, "thread", {100, 101, 99});
  const auto compared = CompareRuns(base, candidate, {});
  ASSERT_TRUE(compared.ok());
  EXPECT_EQ(stats::ExitCodeOf(*compared, false), kExitInvalid);
  EXPECT_THAT(FormatPlain(*compared), HasSubstr("the base has no trial of this cell"));
}

TEST(CompareRuns, CellsOfOneSideOnlyAreTold) {
  RunData base;
  RunData candidate;
  AddTrials(base, "fork", {100, 101, 99});
  AddTrials(base, "thread", {100, 101, 99});
  AddTrials(candidate, "fork", {100, 101, 99});
  AddTrials(candidate, "poco", {100, 101, 99});
  const auto compared = CompareRuns(base, candidate, {});
  ASSERT_TRUE(compared.ok());
  EXPECT_EQ(stats::ExitCodeOf(*compared, false), kExitInvalid);
  const std::string text = FormatPlain(*compared);
  EXPECT_THAT(text, HasSubstr("the candidate has no trial of this cell"));
  EXPECT_THAT(text, HasSubstr("model:poco"));
  RunData other;
  AddTrials(other, "reactor", {100, 101, 99});
  EXPECT_THAT(CompareRuns(base, other, {}).status().ToString(), HasSubstr("share no cell"));
  EXPECT_FALSE(CompareRuns(RunData{}, RunData{}, {}).ok());
}

TEST(CompareRuns, OtherMachinesAndBrokenRunsAreNamed) {
  RunData base;
  RunData candidate;
  AddTrials(base, "fork", {100, 101, 99});
  AddTrials(candidate, "fork", {100, 101, 99});
  base.info.hostname = "a";
  candidate.info.hostname = "b";
  candidate.info.outcome = "interrupted";
  const std::string text = FormatPlain(*CompareRuns(base, candidate, {}));
  EXPECT_THAT(text, HasSubstr("differ in their machine: a and b"));
  EXPECT_THAT(text, HasSubstr("not complete (interrupted)"));
}

TEST(CompareWithinRun, HoldsModelsAndTargetsAgainstTheBaseAndNeverFails) {
  RunData run;
  AddTrials(run, "fork", {50, 51, 49, 50});
  AddTrials(run, "postgres", {100, 101, 99, 100});
  AddTrials(run, "pgbouncer+postgres", {640, 650, 630, 641});
  AddTrials(run, "thread", {1, 1, 1, 1}, results::kTrialInvalid);
  // A setting of PgBouncer belongs to its contender and makes no cell of its own.
  for (TrialRow& row : run.trials) {
    row.settings = row.target == "pgbouncer+postgres"
                       ? "pgbouncer.pool_mode=transaction shared_buffers=64MB"
                       : "shared_buffers=64MB";
  }
  const auto compared = CompareWithinRun(run, "contender", "postgres", {});
  ASSERT_TRUE(compared.ok());
  ASSERT_EQ(compared->rows.size(), 2U);
  for (const auto& row : compared->rows) {
    EXPECT_TRUE(row.answer.ratio) << row.candidate;
    EXPECT_TRUE(row.invalid.empty());
    EXPECT_EQ(row.answer.verdict, Verdict::kDescribed);
    EXPECT_TRUE(row.question.paired);
  }
  EXPECT_EQ(stats::ExitCodeOf(*compared, true), kExitOk);
  EXPECT_THAT(stats::HeadlineSentences(*compared),
              ::testing::Contains(
                  HasSubstr("pgbouncer+postgres answers 6.4 times as many requests as postgres")));
  EXPECT_THAT(FormatPlain(*compared), HasSubstr("thread"));
}

TEST(CompareWithinRun, PairsByBlock) {
  RunData run;
  AddTrials(run, "fork", {100, 200, 400, 800, 1600});
  AddTrials(run, "thread", {130, 261, 519, 1041, 2080});
  // The second block has no valid trial of one side, and the rest still pairs rightly.
  run.trials[6].status = results::kTrialInvalid;
  const auto compared = CompareWithinRun(run, "model", "fork", {});
  ASSERT_TRUE(compared.ok());
  const auto& answer = RowOf(*compared, "throughput_tps").answer;
  EXPECT_EQ(answer.blocks, 4U);
  ASSERT_TRUE(answer.ratio);
  EXPECT_NEAR(answer.ratio->estimate, 1.3, 0.01);
  EXPECT_GT(answer.ratio->low, 1.28);
  // Charts show the median of all valid repetitions; so do sentences and tables of comparisons.
  EXPECT_EQ(answer.base_median, 400);
  EXPECT_EQ(answer.candidate_median, (519 + 1041) / 2.0);
}

TEST(CompareWithinRun, AnyAxisMayBeCompared) {
  RunData run;
  AddTrials(run, "fork", {100, 101, 99});
  AddTrials(run, "fork", {150, 151, 149});
  for (size_t i = 3; i < 6; ++i) {
    run.trials[i].connections = 256;
    run.trials[i].settings = "max_connections=269";
  }
  const auto compared = CompareWithinRun(run, "connections", "64", {});
  ASSERT_TRUE(compared.ok());
  ASSERT_EQ(compared->rows.size(), 1U);
  EXPECT_EQ(compared->rows[0].candidate, "connections 256");
}

TEST(CompareWithinRun, NamesWhatThereIsWhenAskedForWhatIsNot) {
  RunData run;
  AddTrials(run, "fork", {100, 101, 99});
  AddTrials(run, "thread", {100, 101, 99});
  EXPECT_THAT(CompareWithinRun(run, "colour", "fork", {}).status().error().hint,
              HasSubstr("contender"));
  EXPECT_THAT(CompareWithinRun(run, "model", "poco", {}).status().error().hint,
              HasSubstr("thread"));
  CompareOptions unknown;
  unknown.metrics = {"tps"};
  EXPECT_EQ(CompareWithinRun(run, "model", "fork", unknown).status().code(),
            sqlstate::kUndefinedObject);
}

TEST(CompareHalves, NeedsSixRepetitions) {
  RunData run;
  AddTrials(run, "fork", {100, 101, 99, 100});
  const auto compared = CompareHalves(run, {});
  ASSERT_TRUE(compared.ok());
  EXPECT_EQ(stats::ExitCodeOf(*compared, false), kExitInconclusive);
  EXPECT_THAT(FormatPlain(*compared), HasSubstr("needs 6"));
  EXPECT_TRUE(compared->rows.empty());
  RunData enough;
  AddTrials(enough, "fork", {100, 101, 99, 100, 101, 100});
  const auto judged = CompareHalves(enough, {});
  ASSERT_TRUE(judged.ok());
  EXPECT_EQ(stats::ExitCodeOf(*judged, false), kExitOk);
  EXPECT_EQ(RowOf(*judged, "throughput_tps").answer.blocks, 3U);
}

}  // namespace
}  // namespace connbench::answers
