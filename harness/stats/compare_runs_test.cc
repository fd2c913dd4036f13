#include "harness/stats/compare_runs.h"

#include <gtest/gtest.h>

#include <cmath>
#include <random>

#include "base/exit_code.h"

namespace connbench::stats {
namespace {

using RunData = results::Run;
using results::TrialRow;

void AddTrials(RunData& run, const char* model, std::initializer_list<double> throughputs,
               std::string_view status = results::kTrialOk) {
  for (const double tps : throughputs) {
    TrialRow row;
    row.trial = static_cast<int64_t>(run.trials.size()) + 1;
    row.target = "builtin";
    row.model = model;
    row.workload = "steady";
    row.connections = 64;
    row.repetition = row.trial;
    row.status = status;
    row.status_reason = status == results::kTrialOk ? "" : "client saturated";
    row.throughput_tps = tps;
    run.trials.push_back(row);
  }
}

TEST(CompareRuns, APlantedRegressionExitsWithItsCode) {
  RunData base;
  RunData slower;
  AddTrials(base, "fork", {100, 101, 99, 100, 102});
  AddTrials(slower, "fork", {80, 81, 79, 80, 82});
  const auto worse = CompareRuns(base, slower, {}, {});
  ASSERT_TRUE(worse.ok());
  EXPECT_EQ(worse->worse, 1);
  EXPECT_EQ(worse->ExitCode(false), kExitRegression);
  const auto better = CompareRuns(slower, base, {}, {});
  EXPECT_EQ(better->better, 1);
  EXPECT_EQ(better->ExitCode(true), kExitOk);
  const auto same = CompareRuns(base, base, {}, {});
  EXPECT_EQ(same->same, 1);
}

TEST(CompareRuns, InvalidTrialsNeverEnterAMedianAndAreTold) {
  RunData base;
  RunData candidate;
  AddTrials(base, "fork", {100, 101, 99});
  AddTrials(candidate, "fork", {1, 1, 1}, results::kTrialInvalid);
  const auto compared = CompareRuns(base, candidate, {}, {});
  ASSERT_TRUE(compared.ok());
  EXPECT_EQ(compared->invalid, 1);
  EXPECT_EQ(compared->worse, 0);
  EXPECT_EQ(compared->ExitCode(false), kExitInvalid);
  EXPECT_NE(FormatComparison(*compared, TableStyle::kPlain).find("client saturated"),
            std::string::npos);
}

TEST(CompareRuns, InconclusiveCountsOnlyWhenStrict) {
  RunData base;
  RunData noisy;
  AddTrials(base, "fork", {100, 101, 99});
  AddTrials(noisy, "fork", {50, 150, 100});
  const auto compared = CompareRuns(base, noisy, {}, {});
  EXPECT_EQ(compared->inconclusive, 1);
  EXPECT_EQ(compared->ExitCode(false), kExitOk);
  EXPECT_EQ(compared->ExitCode(true), kExitInconclusive);
}

TEST(CompareWithinRun, HoldsEveryModelAgainstTheBase) {
  RunData run;
  AddTrials(run, "fork", {100, 101, 99});
  AddTrials(run, "thread", {200, 201, 199});
  AddTrials(run, "thread-pool", {50, 51, 49});
  const auto compared = CompareWithinRun(run, "model", "fork", {"throughput_tps"}, {});
  ASSERT_TRUE(compared.ok());
  ASSERT_EQ(compared->rows.size(), 2U);
  EXPECT_EQ(compared->rows[0].candidate, "thread");
  EXPECT_EQ(compared->rows[0].comparison.verdict, Verdict::kBetter);
  EXPECT_EQ(compared->rows[1].comparison.verdict, Verdict::kWorse);
  EXPECT_EQ(compared->rows[0].cell, "workload:steady/connections:64");
  const std::string markdown = FormatComparison(*compared, TableStyle::kMarkdown);
  EXPECT_EQ(markdown.rfind("| cell", 0), 0U);
  EXPECT_NE(markdown.find("|---"), std::string::npos);
}

TEST(CompareWithinRun, NamesWhatThereIsWhenAskedForWhatIsNot) {
  RunData run;
  AddTrials(run, "fork", {100, 101, 99});
  AddTrials(run, "thread", {100, 101, 99});
  EXPECT_NE(CompareWithinRun(run, "colour", "fork", {}, {}).status().error().hint.find("workload"),
            std::string::npos);
  EXPECT_NE(CompareWithinRun(run, "model", "poco", {}, {}).status().error().hint.find("thread"),
            std::string::npos);
  EXPECT_EQ(CompareWithinRun(run, "model", "fork", {"tps"}, {}).status().code(),
            sqlstate::kUndefinedObject);
}

// Ten repetitions with the scatter of a busy machine: slow drift, and noise of each trial.
void AddNoisyTrials(RunData& run, double tps, double noise, uint64_t seed) {
  std::mt19937_64 random(seed);
  std::normal_distribution<double> each(0, noise);
  for (int i = 0; i < 10; ++i) {
    const double drift = 1 + 0.02 * std::sin(i / 3.0);
    AddTrials(run, "fork", {tps * drift * std::exp(each(random))});
    run.trials.back().repetition = i + 1;
  }
}

constexpr int kCalibrationRuns = 100;

TEST(Calibration, ARunAgainstItselfIsHardlyEverBetterOrWorse) {
  int false_alarms = 0;
  for (int seed = 1; seed <= kCalibrationRuns; ++seed) {
    RunData run;
    AddNoisyTrials(run, 10'000, 0.03, static_cast<uint64_t>(seed));
    const auto halves = CompareHalves(run, {"throughput_tps"}, {});
    ASSERT_TRUE(halves.ok());
    ASSERT_EQ(halves->rows.size(), 1U);
    EXPECT_EQ(halves->rows[0].comparison.base_samples, 5U);
    false_alarms += halves->worse + halves->better;
  }
  EXPECT_LE(false_alarms, 5) << "of " << kCalibrationRuns;
}

TEST(Calibration, TwoRunsOfTheSameAreHardlyEverBetterOrWorse) {
  int false_alarms = 0;
  int found = 0;
  for (int seed = 1; seed <= kCalibrationRuns; ++seed) {
    RunData base;
    RunData same;
    RunData slower;
    AddNoisyTrials(base, 10'000, 0.03, static_cast<uint64_t>(seed));
    AddNoisyTrials(same, 10'000, 0.03, static_cast<uint64_t>(seed + 1000));
    AddNoisyTrials(slower, 8'800, 0.03, static_cast<uint64_t>(seed + 2000));
    const auto against_same = CompareRuns(base, same, {}, {});
    const auto against_slower = CompareRuns(base, slower, {}, {});
    ASSERT_TRUE(against_same.ok() && against_slower.ok());
    false_alarms += against_same->worse + against_same->better;
    found += against_slower->worse;
    EXPECT_EQ(against_slower->better, 0);
  }
  EXPECT_LE(false_alarms, 3) << "of " << kCalibrationRuns;
  EXPECT_GE(found, 95) << "planted regressions of 12 % found, of " << kCalibrationRuns;
}

}  // namespace
}  // namespace connbench::stats
