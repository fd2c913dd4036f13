// Tests: settings that change nothing are found.
#include "harness/suite/unused_settings.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace connbench::suite {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

std::vector<std::string> UnusedOf(const std::string& text, const PlanOverrides& overrides = {}) {
  const auto suite = ParseSuite(text, "s.toml");
  EXPECT_TRUE(suite.ok()) << suite.status().ToString();
  return suite.ok() ? FindUnusedSettings(*suite, overrides) : std::vector<std::string>();
}

TEST(UnusedSettingsTest, ASettingOfNobodyIsNamedWithItsPlace) {
  EXPECT_THAT(UnusedOf(R"(models = ["fork"]
[set]
work_mem = "1MB"
[set.postgres]
jit = "on"
[[experiment]]
workload = "steady"
[[experiment]]
workload = "churn"
[experiment.set]
workers = [1, 2]
session_warmup_kb = [0, 64]
)"),
              ElementsAre("s: postgres.jit in [set] has no effect: it concerns none of the "
                          "contenders",
                          "s.toml:8:1: workers has no effect: it concerns none of the "
                          "experiment's contenders"));
}

TEST(UnusedSettingsTest, OneContenderIsEnough) {
  EXPECT_THAT(UnusedOf(R"(models = ["fork", "thread-pool"]
targets = ["pgbouncer+postgres"]
[set]
workers = 2
work_mem = "1MB"
[set.pgbouncer]
pool.pool_size = 5
[[experiment]]
workload = "steady"
[experiment.set]
"postgres.jit" = ["on", "off"]
)"),
              IsEmpty());
}

TEST(UnusedSettingsTest, WhatEachExperimentSetsItselfIsSaid) {
  const std::string text = R"(models = ["fork"]
[set]
work_mem = "1MB"
[[experiment]]
workload = "steady"
[experiment.set]
work_mem = "2MB"
)";
  EXPECT_THAT(UnusedOf(text), ElementsAre(HasSubstr("sets it itself")));
  EXPECT_THAT(UnusedOf(text + "[[experiment]]\nworkload = \"churn\"\n"), IsEmpty());
}

TEST(UnusedSettingsTest, FewerContendersTodayAreNoMistakeOfTheSuite) {
  const std::string text = R"(models = ["fork", "thread-pool"]
[[experiment]]
workload = "steady"
[experiment.set]
workers = 2
)";
  PlanOverrides overrides;
  overrides.models = {"fork"};
  EXPECT_THAT(UnusedOf(text, overrides), IsEmpty());
  overrides.settings = {{"workers", "4"}, {"work_mem", "1MB"}};
  EXPECT_THAT(UnusedOf(text, overrides), ElementsAre(HasSubstr("--set workers=4 has no effect")));
}

TEST(UnusedSettingsTest, ACrossoverHasTwoContenders) {
  const std::string text =
      "[crossover]\nworkload = \"churn\"\nmodels = [\"fork\", \"thread-pool\"]\n[crossover.set]\n";
  EXPECT_THAT(UnusedOf(text + "workers = 2\n"), IsEmpty());
  EXPECT_THAT(UnusedOf(text + "hybrid_threads = 2\n"), ElementsAre(HasSubstr("hybrid_threads")));
}

TEST(UnusedSettingsTest, SuitesThatComeWithTheProgramHaveNone) {
  for (const Suite& suite : ListSuites().suites) {
    EXPECT_THAT(FindUnusedSettings(suite, {}), IsEmpty()) << suite.name;
  }
}

}  // namespace
}  // namespace connbench::suite
