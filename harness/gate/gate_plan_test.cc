// Tests: what a gate measures.
#include "harness/gate/gate_plan.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace connbench::gate {
namespace {

using testing::Contains;
using testing::HasSubstr;
using testing::Not;
using testing::Pair;

GateOptions Between(const std::string& base, const std::string& candidate) {
  GateOptions options;
  options.contenders = {base, candidate};
  return options;
}

GatePlan PlanGood(const GateOptions& options) {
  auto plan = MakeGatePlan(options);
  EXPECT_TRUE(plan.ok()) << plan.status().ToString();
  return plan.ok() ? *plan : GatePlan();
}

std::string ErrorOf(const GateOptions& options) {
  const auto plan = MakeGatePlan(options);
  EXPECT_FALSE(plan.ok());
  return plan.ok() ? "" : plan.status().ToString();
}

TEST(GatePlanTest, BothSidesHaveTheSameWorkloadsAndSettingsOfTheirOwn) {
  GateOptions options = Between("thread", "thread");
  options.common_settings = {{"shared_buffers", "64MB"}, {"work_mem", "1MB"}};
  options.settings[kCandidate] = {{"work_mem", "8MB"}};
  const GatePlan plan = PlanGood(options);
  ASSERT_EQ(plan.cells[kBase].size(), 2U);
  ASSERT_EQ(plan.cells[kCandidate].size(), 2U);
  EXPECT_EQ(plan.cells[kBase][0].name, "side:base/model:thread/workload:steady/connections:8");
  EXPECT_EQ(plan.cells[kCandidate][1].name,
            "side:candidate/model:thread/workload:churn/connections:8");
  EXPECT_THAT(plan.Request(kBase).settings, Contains(Pair("work_mem", "1MB")));
  EXPECT_THAT(plan.Request(kCandidate).settings, Contains(Pair("work_mem", "8MB")));
  EXPECT_THAT(plan.Request(kCandidate).settings, Contains(Pair("shared_buffers", "64MB")));
  EXPECT_EQ(plan.Describe(kBase), "thread");
  EXPECT_EQ(plan.Describe(kCandidate), "thread (work_mem=8MB)");
}

TEST(GatePlanTest, WindowsAreShortWithAFixedWarmUp) {
  const GatePlan plan = PlanGood(Between("fork", "thread"));
  const load::Workload& steady = plan.cells[kBase][0].workload;
  EXPECT_EQ(steady.duration_ns, kDefaultWindowNs);
  EXPECT_EQ(steady.warmup_ns, kDefaultWindowNs / kWarmupShare);
  EXPECT_EQ(steady.longest_warmup_ns(), steady.warmup_ns);
  EXPECT_EQ(plan.ShortestPairNs(), 2 * (steady.duration_ns + steady.warmup_ns));
}

TEST(GatePlanTest, EveryWorkloadHasItsGatedRows) {
  const GatePlan plan = PlanGood(Between("fork", "thread"));
  ASSERT_EQ(plan.rows.size(), plan.questions.size());
  std::vector<std::string> names;
  for (size_t row = 0; row < plan.rows.size(); ++row) {
    EXPECT_EQ(plan.questions[row].cell, plan.workloads[plan.rows[row].workload]);
    names.push_back(plan.questions[row].cell + " " + plan.questions[row].metric);
  }
  EXPECT_THAT(names, Contains("steady throughput_tps"));
  EXPECT_THAT(names, Contains("churn server_cpu_us_per_connect"));
  EXPECT_THAT(names, Not(Contains("steady fairness_jain")));
}

TEST(GatePlanTest, TheServerHoldsTheLargestWorkload) {
  GateOptions options = Between("fork", "thread");
  options.workloads = {"steady", "storm"};
  const GatePlan plan = PlanGood(options);
  EXPECT_THAT(plan.Request(kBase).settings, Contains(Pair("max_connections", "1013")));
  EXPECT_EQ(plan.Request(kBase).connections, 1000);
  EXPECT_EQ(plan.Request(kBase).protocol, load::ProtocolMode::kPrepared);
}

TEST(GatePlanTest, MistakesAreSaidBeforeAnythingStarts) {
  EXPECT_THAT(ErrorOf(Between("thread", "threads")), HasSubstr("\"thread\""));
  GateOptions options = Between("thread", "fork");
  options.workloads = {"steedy"};
  EXPECT_THAT(ErrorOf(options), HasSubstr("steady"));
  options.workloads = {"failover-storm"};
  EXPECT_THAT(ErrorOf(options), HasSubstr("servers stay up"));
  options.workloads = {"steady"};
  options.window_ns = 1;
  EXPECT_THAT(ErrorOf(options), HasSubstr("100 ms"));
  options = Between("thread", "fork");
  options.settings[kCandidate] = {{"work_memm", "1MB"}};
  EXPECT_THAT(ErrorOf(options), HasSubstr("work_mem"));
}

}  // namespace
}  // namespace connbench::gate
