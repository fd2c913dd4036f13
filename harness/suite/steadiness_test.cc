// Tests: whether a cell has been repeated often enough.
#include "harness/suite/steadiness.h"

#include <gtest/gtest.h>

#include <cmath>

#include "results/metrics.h"

namespace connbench::suite {
namespace {

Plan MakeTestPlan(const std::string& until) {
  const auto suite =
      ParseSuite("models = [\"fork\"]\nrepetitions = 3\n" + until +
                     "[[experiment]]\nworkload = \"steady\"\nconnections = [8, 64]\n",
                 "s.toml");
  EXPECT_TRUE(suite.ok()) << suite.status().ToString();
  auto plan = MakePlan(*suite, {});
  EXPECT_TRUE(plan.ok()) << plan.status().ToString();
  return plan.ok() ? *plan : Plan();
}

results::TrialRow Row(const Plan& plan, size_t cell, int repetition, double tps,
                      std::string_view status = results::kTrialOk) {
  results::TrialRow row;
  row.cell = plan.cells[cell].name;
  row.repetition = repetition;
  row.throughput_tps = tps;
  row.status = status;
  return row;
}

constexpr char kUntil[] = "until = { interval = 0.05, max_repetitions = 6 }\n";

TEST(SteadinessTest, WithoutUntilThePlanIsWhatItSays) {
  const Plan plan = MakeTestPlan("");
  EXPECT_EQ(plan.trials.size(), 6U);
  const Steadiness steadiness(plan);
  EXPECT_TRUE(steadiness.Needs({0, 3, 0}));
  EXPECT_FALSE(steadiness.Needs({0, 4, 0}));
}

TEST(SteadinessTest, ACellIsRepeatedUntilItsIntervalIsNarrow) {
  const Plan plan = MakeTestPlan(kUntil);
  EXPECT_EQ(plan.trials.size(), 12U);
  Steadiness steadiness(plan);
  for (int i = 1; i <= 3; ++i) {
    steadiness.Add(Row(plan, 0, i, 1000 + i));             // within a few tenths of a percent
    steadiness.Add(Row(plan, 1, i, i == 2 ? 800 : 1000));  // far from it
  }
  EXPECT_FALSE(steadiness.Needs({0, 4, 0}));
  EXPECT_TRUE(steadiness.Needs({1, 4, 0}));
  EXPECT_EQ(steadiness.ExpectedRepetitions(0), 3);
  EXPECT_EQ(steadiness.ExpectedRepetitions(1), 6);
  EXPECT_TRUE(steadiness.FindUnsteady().empty()) << "its repetitions are not used up";
}

TEST(SteadinessTest, TheIntervalIsStudentsAroundTheMean) {
  const Plan plan = MakeTestPlan(kUntil);
  Steadiness steadiness(plan);
  for (int i = 1; i <= 3; ++i) steadiness.Add(Row(plan, 0, i, 90 + 5 * i));  // 95, 100, 105
  // s = 5, t(2, 97.5 %) = 4.3027
  EXPECT_NEAR(*steadiness.RelativeHalfWidth(0, 4), 4.3027 * 5 / std::sqrt(3) / 100, 1e-4);
}

TEST(SteadinessTest, ARepetitionIsDecidedByThoseBeforeIt) {
  const Plan plan = MakeTestPlan(kUntil);
  Steadiness steadiness(plan);
  for (int i = 1; i <= 3; ++i) steadiness.Add(Row(plan, 0, i, i == 2 ? 800 : 1000));
  EXPECT_TRUE(steadiness.Needs({0, 4, 0}));
  // A resumed run sees all that was made at once and must not decide differently.
  for (int i = 4; i <= 6; ++i) steadiness.Add(Row(plan, 0, i, 933));
  EXPECT_TRUE(steadiness.Needs({0, 4, 0}));
}

TEST(SteadinessTest, InvalidTrialsCountAsMadeAndHaveNoValue) {
  const Plan plan = MakeTestPlan(kUntil);
  Steadiness steadiness(plan);
  for (int i = 1; i <= 6; ++i) {
    steadiness.Add(Row(plan, 0, i, 1000, i <= 2 ? results::kTrialOk : results::kTrialInvalid));
  }
  EXPECT_TRUE(steadiness.Needs({0, 6, 0})) << "two values carry no interval";
  EXPECT_FALSE(steadiness.Needs({0, 7, 0})) << "the cap holds";
  const auto unsteady = steadiness.FindUnsteady();
  ASSERT_EQ(unsteady.size(), 1U);
  EXPECT_EQ(unsteady[0].cell, plan.cells[0].name);
  EXPECT_EQ(unsteady[0].metric, "throughput_tps");
  EXPECT_FALSE(unsteady[0].reached.has_value());
}

TEST(SteadinessTest, AFixedNumberOfRepetitionsTurnsItOff) {
  const auto suite = ParseSuite(
      std::string("models = [\"fork\"]\n") + kUntil + "[[experiment]]\nworkload = \"storm\"\n",
      "s.toml");
  PlanOverrides overrides;
  overrides.repetitions = 2;
  const auto plan = MakePlan(*suite, overrides);
  ASSERT_TRUE(plan.ok());
  EXPECT_EQ(plan->trials.size(), 2U);
}

TEST(SteadinessTest, TheMetricIsWhatThePatternMeasuresUnlessNamed) {
  for (const load::PatternRow& row : load::kPatterns) {
    EXPECT_FALSE(results::MetricsWith(row.name, results::MetricRole::kHeadline).empty())
        << row.name;
  }
  EXPECT_EQ(results::MetricPatterns().size(), load::kPatterns.size());
  const Plan plan = MakeTestPlan("until = { metric = \"latency_us_p99\", max_repetitions = 4 }\n");
  Steadiness steadiness(plan);
  for (int i = 1; i <= 4; ++i) {
    results::TrialRow row = Row(plan, 0, i, 1000 * i);
    row.latency_us_p99 = 250;
    steadiness.Add(row);
  }
  // The throughput jumps, but that is not what was asked for.
  EXPECT_TRUE(steadiness.FindUnsteady().empty());
}

}  // namespace
}  // namespace connbench::suite
