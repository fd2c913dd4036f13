// Tests: from a suite to the trials that are run.
#include "harness/suite/plan.h"

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <map>
#include <set>

#include "engine/config.h"
#include "harness/stats/log_ratio.h"
#include "results/connection_limit.h"

namespace connbench::suite {
namespace {

using testing::Contains;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::Pair;

Suite ParseGood(const std::string& text) {
  auto suite = ParseSuite(text, "s.toml");
  EXPECT_TRUE(suite.ok()) << suite.status().ToString();
  return suite.ok() ? *suite : Suite();
}

Plan PlanGood(const Suite& suite, const PlanOverrides& overrides = {}) {
  auto plan = MakePlan(suite, overrides);
  EXPECT_TRUE(plan.ok()) << plan.status().ToString();
  return plan.ok() ? *plan : Plan();
}

std::vector<std::string> CellNames(const Plan& plan) {
  std::vector<std::string> names;
  for (const Cell& cell : plan.cells) names.push_back(cell.name);
  return names;
}

std::vector<std::string> Order(const Plan& plan) {
  std::vector<std::string> names;
  for (const Trial& trial : plan.trials) {
    names.push_back(plan.cells[trial.cell].name + "#" + std::to_string(trial.repetition));
  }
  return names;
}

constexpr char kSuite[] = R"(
repetitions = 4
models = ["fork", "thread"]
[[experiment]]
workload = "steady"
connections = [8, 64]
[[experiment]]
workload = "storm"
connections = [500]
models = ["fork"]
[experiment.set]
session_warmup_kb = [0, 64]
)";

TEST(PlanTest, CellsAreTheProductOfTheAxes) {
  EXPECT_THAT(CellNames(PlanGood(ParseGood(kSuite))),
              ElementsAre("model:fork/workload:steady/connections:8",
                          "model:thread/workload:steady/connections:8",
                          "model:fork/workload:steady/connections:64",
                          "model:thread/workload:steady/connections:64",
                          "model:fork/workload:storm/connections:500/session_warmup_kb:0",
                          "model:fork/workload:storm/connections:500/session_warmup_kb:64"));
}

TEST(PlanTest, TheSeedDecidesTheOrder) {
  const Suite suite = ParseGood(kSuite);
  PlanOverrides seven;
  seven.has_seed = true;
  seven.seed = 7;
  PlanOverrides eight = seven;
  eight.seed = 8;
  EXPECT_EQ(Order(PlanGood(suite, seven)), Order(PlanGood(suite, seven)));
  EXPECT_NE(Order(PlanGood(suite, seven)), Order(PlanGood(suite, eight)));
  EXPECT_EQ(PlanGood(suite, seven).trials[0].seed, PlanGood(suite, seven).trials[0].seed);
  // The same on every machine and with every library: these are the first of seed 7.
  std::vector<std::string> first = Order(PlanGood(suite, seven));
  first.resize(3);
  EXPECT_THAT(first,
              ElementsAre("model:fork/workload:storm/connections:500/session_warmup_kb:64#1",
                          "model:thread/workload:steady/connections:8#1",
                          "model:fork/workload:storm/connections:500/session_warmup_kb:0#1"));
}

TEST(PlanTest, TrialsAreInterleavedInBlocksOfRepetitions) {
  const Plan plan = PlanGood(ParseGood(kSuite));
  const size_t cells = plan.cells.size();
  ASSERT_EQ(plan.trials.size(), 4 * cells);
  std::set<std::vector<size_t>> orders;
  std::set<uint64_t> seeds;
  for (size_t block = 0; block < 4; ++block) {
    std::vector<size_t> order;
    for (size_t i = 0; i < cells; ++i) {
      const Trial& trial = plan.trials[block * cells + i];
      EXPECT_EQ(trial.repetition, static_cast<int>(block) + 1);
      order.push_back(trial.cell);
      seeds.insert(trial.seed);
    }
    orders.insert(order);
    std::sort(order.begin(), order.end());
    for (size_t i = 0; i < cells; ++i) EXPECT_EQ(order[i], i) << "block " << block;
  }
  EXPECT_GT(orders.size(), 1U) << "every block has the same order";
  EXPECT_EQ(seeds.size(), plan.trials.size());
}

TEST(PlanTest, TheCommandLineWins) {
  PlanOverrides overrides;
  overrides.models = {"thread-pool"};
  overrides.connections = {3};
  overrides.repetitions = 2;
  overrides.duration_ns = 5;
  overrides.filter = "steady";
  overrides.settings = {{"work_mem", "1MB"}};
  const Plan plan = PlanGood(ParseGood(kSuite), overrides);
  ASSERT_THAT(CellNames(plan), ElementsAre("model:thread-pool/workload:steady/connections:3"));
  EXPECT_EQ(plan.trials.size(), 2U);
  EXPECT_EQ(plan.cells[0].workload.duration_ns, 5);
  EXPECT_EQ(plan.cells[0].SettingsText(), "work_mem=1MB");
}

TEST(PlanTest, TheServerAdmitsAllConnectionsOfTheCell) {
  const Plan plan = PlanGood(ParseGood(kSuite));
  EXPECT_THAT(plan.cells[4].settings, Contains(Pair("max_connections", "513")));
  EXPECT_EQ(plan.cells[0].SettingsText(), "");
  Suite limited = ParseGood(kSuite);
  limited.settings = {{"max_connections", "100"}};
  const Plan kept = PlanGood(limited);
  EXPECT_THAT(kept.cells[4].settings, Contains(Pair("max_connections", "100")));
  EXPECT_EQ(kept.DescribeRaised(), "");
  EXPECT_THAT(kept.cells[4].ChosenRejections(), ElementsAre("53300"));
  EXPECT_TRUE(kept.cells[0].ChosenRejections().empty());
}

TEST(PlanTest, RoomIsLeftForASuperuserAndForSetUpWork) {
  EXPECT_GT(results::kConnectionsBeyondTheLoad,
            engine::EngineConfig().superuser_reserved_connections);
}

TEST(PlanTest, WhatWasRaisedIsSaid) {
  const Plan plan = PlanGood(ParseGood(kSuite));
  EXPECT_TRUE(plan.cells[4].ChosenRejections().empty());
  EXPECT_EQ(plan.DescribeRaised(),
            "max_connections was raised above its default, 100, where the load needs more:\n"
            "  to 513 in model:fork/workload:storm/connections:500/session_warmup_kb:0 and 1 more "
            "cell\n"
            "With --set max_connections=N it stays N, and rejected connects are counted.\n");
}

TEST(PlanTest, LadderStepsBeyondTheConnectionsAreLeftOut) {
  const Plan plan = PlanGood(
      ParseGood("[[experiment]]\nworkload = \"idle\"\nconnections = [60, 300]\nladder = [50, 60, "
                "100]\nmodels = [\"fork\"]\n"));
  EXPECT_THAT(plan.cells[0].workload.ladder, ElementsAre(50));
  EXPECT_THAT(plan.cells[1].workload.ladder, ElementsAre(50, 60, 100));
}

TEST(PlanTest, ErrorsSayWhere) {
  const auto error_of = [](const std::string& text, const PlanOverrides& overrides = {}) {
    const auto plan = MakePlan(ParseGood(text), overrides);
    return plan.ok() ? std::string() : plan.status().ToString();
  };
  EXPECT_THAT(error_of("[[experiment]]\nworkload = \"stedy\"\n"), HasSubstr("s.toml:1:1"));
  // Cells that would differ in their names alone.
  for (const char* unused : {"transactions_per_connection", "active", "\"define.nosuch\""}) {
    EXPECT_THAT(
        error_of(std::string("[[experiment]]\nworkload = \"steady\"\n"
                             "[experiment.vary]\n") +
                 unused + " = [1, 2]\n"),
        testing::AllOf(HasSubstr("s.toml:1:1"), HasSubstr("nothing in the workload steady uses")))
        << unused;
  }
  PlanOverrides filter;
  filter.filter = "nothing-like-this";
  EXPECT_THAT(error_of(kSuite, filter), HasSubstr("no cell"));
  filter.filter = "(";
  EXPECT_THAT(error_of(kSuite, filter), HasSubstr("no regular expression"));
  PlanOverrides model;
  model.models = {"forks"};
  EXPECT_THAT(error_of(kSuite, model), HasSubstr("\"fork\""));
  PlanOverrides setting;
  setting.settings = {{"work_men", "1MB"}};
  EXPECT_THAT(error_of(kSuite, setting), HasSubstr("\"work_mem\""));
}

// Clients and when they come are the workload's; only how often is varied.
TEST(PlanTest, ARateIsAnAxisOfAnOpenLoop) {
  const Plan plan =
      PlanGood(ParseGood("models = [\"fork\"]\n[[experiment]]\nworkload = \"open-loop\"\n"
                         "[experiment.vary]\nrate = [500, 2000]\n"));
  EXPECT_THAT(CellNames(plan), ElementsAre("model:fork/workload:open-loop/connections:64/rate:500",
                                           "model:fork/workload:open-loop/connections:64/rate:"
                                           "2000"));
  for (const Cell& cell : plan.cells) {
    const load::ArrivalSpec& arrivals = cell.workload.arrivals;
    EXPECT_EQ(cell.ParametersText(), "rate=" + arrivals.rate_text);
    EXPECT_EQ(arrivals.arrival_text, "poisson");
    EXPECT_NEAR(arrivals.ExpectedUntil(kNanosecondsPerSecond), std::stod(arrivals.rate_text), 1e-6);
    EXPECT_FALSE(cell.workload.connect_arrivals.given());
  }
}

TEST(PlanTest, AConnectRateIsAnAxisWhereConnectionsComeOneByOne) {
  const Plan plan =
      PlanGood(ParseGood("models = [\"fork\"]\n[[experiment]]\nworkload = \"connect-arrivals\"\n"
                         "connections = [10, 20]\n[experiment.vary]\nconnect_rate = [100, 400]\n"));
  ASSERT_EQ(plan.cells.size(), 4U);
  EXPECT_EQ(plan.cells[3].name,
            "model:fork/workload:connect-arrivals/connections:20/connect_rate:400");
  EXPECT_NEAR(plan.cells[3].workload.connect_arrivals.ExpectedUntil(kNanosecondsPerSecond), 400,
              1e-6);
  EXPECT_FALSE(plan.cells[3].workload.arrivals.given());
}

TEST(PlanTest, AVariedRateKeepsHowArrivalsAreSpaced) {
  Suite suite = ParseGood(
      "models = [\"fork\"]\n[[experiment]]\nworkload = \"open-loop\"\n"
      "[experiment.vary]\nrate = 100\n");
  suite.experiments[0].resolved = *load::FindWorkload("open-loop");
  // A shape is replaced as a whole, the bursts stay.
  suite.experiments[0].resolved->arrivals =
      *load::ParseArrivals("ramp(100, 2000, 10s)", "burst(5)", "");
  const Plan plan = PlanGood(suite);
  EXPECT_EQ(plan.cells[0].workload.arrivals.rate_text, "100");
  EXPECT_EQ(plan.cells[0].workload.arrivals.arrival_text, "burst(5)");
}

TEST(PlanTest, ARateOfAWorkloadWithoutOneIsRefused) {
  const auto error_of = [](const char* workload, const std::string& vary) {
    const auto plan =
        MakePlan(ParseGood(fmt::format("[[experiment]]\nworkload = \"{}\"\n[experiment.vary]\n{}\n",
                                       workload, vary)),
                 {});
    return plan.ok() ? std::string() : plan.status().ToString();
  };
  // Another pattern would be measured: a closed loop, a crowd that comes at once.
  EXPECT_THAT(error_of("steady", "rate = [10, 20]"),
              HasSubstr("nothing in the workload steady uses rate"));
  EXPECT_THAT(error_of("storm", "connect_rate = [10]"),
              HasSubstr("nothing in the workload storm uses connect_rate"));
  EXPECT_THAT(error_of("open-loop", "connect_rate = [10]"),
              HasSubstr("nothing in the workload open-loop uses connect_rate"));
}

TEST(PlanTest, TheQuickSuiteHasEveryModelUnderEveryPattern) {
  const auto suite = FindSuite("quick");
  ASSERT_TRUE(suite.ok()) << suite.status().ToString();
  const Plan plan = PlanGood(*suite);
  std::map<std::string, std::set<std::string>> models_of;
  for (const Cell& cell : plan.cells) {
    models_of[cell.workload.name].insert(cell.target.model);
  }
  for (const char* workload : {"storm", "churn", "steady", "idle"}) {
    EXPECT_THAT(models_of[workload],
                testing::UnorderedElementsAre("fork", "thread", "thread-pool"));
  }
}

// As README says.
TEST(PlanTest, EverySuiteKeepsItsTime) {
  const std::pair<const char*, int64_t> suites[] = {{"ablations", 720},
                                                    {"ci", 600},
                                                    {"full", 3600},
                                                    {"memory", 480},
                                                    {"models", 960},
                                                    {"postgres", 480},
                                                    {"quick", 180},
                                                    {"pooler-or-connections", 240},
                                                    {"claims/acceptor-ceiling", 300},
                                                    {"claims/memory-per-connection", 300},
                                                    {"claims/poolers-on-equal-cores", 300},
                                                    {"claims/reconnect-per-request", 300}};
  for (const auto& [name, seconds] : suites) {
    const auto suite = FindSuite(name);
    ASSERT_TRUE(suite.ok()) << suite.status().ToString();
    const Plan plan = PlanGood(*suite);
    int64_t estimated_ns = 0;
    for (const Trial& trial : plan.trials) estimated_ns += plan.EstimatedNs(trial);
    EXPECT_LT(estimated_ns, seconds * kNanosecondsPerSecond) << name << ", every repetition made";
    EXPECT_FALSE(suite->description.empty()) << name;
    // Its halves can be compared.
    for (const Cell& cell : plan.cells) {
      EXPECT_GE(cell.repetitions, 2 * stats::kMinBlocks) << name << ", " << cell.name;
    }
  }
}

}  // namespace
}  // namespace connbench::suite
