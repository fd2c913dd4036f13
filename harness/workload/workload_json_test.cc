// Tests: a resolved workload as text.
#include "harness/workload/workload_json.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace connbench::load {
namespace {

using ::testing::HasSubstr;

TEST(WorkloadJson, EveryWorkloadThatComesWithTheProgramComesBackAsItWas) {
  for (const Workload& workload : ListWorkloads().workloads) {
    const std::string text = WriteWorkloadJson(workload);
    const auto back = ReadWorkloadJson(text);
    ASSERT_TRUE(back.ok()) << workload.name << ": " << back.status().ToString();
    EXPECT_EQ(WriteWorkloadJson(*back), text) << workload.name;
    EXPECT_EQ(back->name, workload.name);
    EXPECT_EQ(back->pattern, workload.pattern);
    EXPECT_EQ(back->AllGroups().size(), workload.AllGroups().size());
  }
}

TEST(WorkloadJson, KeepsWhatIsHardToKeep) {
  Workload workload;
  workload.name = "quotes \" \\ \n and ü";
  workload.scripts = {{"a.sql", std::string("SELECT '\0';", 11), kMaxScriptWeight}};
  workload.arrivals = *ParseArrivals("ramp(0.1, 1e3, 10s)", "burst(7)", ".");
  workload.arrivals.instants = {0, INT64_MAX};
  workload.backoff = Backoff{1, 2, 1.1, 0.3};
  workload.define = {{"a", ""}, {"b", "0.1"}};
  workload.ladder = {1, 2};
  workload.warmup_max_ns = -1;
  workload.groups = {ClientGroup{}, ClientGroup{}};
  workload.groups[1].backoff = std::nullopt;
  const auto back = ReadWorkloadJson(WriteWorkloadJson(workload));
  ASSERT_TRUE(back.ok()) << back.status().ToString();
  EXPECT_EQ(back->name, workload.name);
  EXPECT_EQ(back->scripts[0].text, workload.scripts[0].text);
  EXPECT_EQ(back->scripts[0].weight, kMaxScriptWeight);
  EXPECT_EQ(back->arrivals.spacing, ArrivalSpec::Spacing::kBurst);
  EXPECT_EQ(back->arrivals.burst, 7);
  ASSERT_EQ(back->arrivals.pieces.size(), workload.arrivals.pieces.size());
  EXPECT_EQ(back->arrivals.pieces[0].from, 0.1);
  EXPECT_EQ(back->arrivals.instants, workload.arrivals.instants);
  ASSERT_TRUE(back->backoff.has_value());
  EXPECT_EQ(back->backoff->multiplier, 1.1);
  EXPECT_EQ(back->define, workload.define);
  EXPECT_EQ(back->ladder, workload.ladder);
  EXPECT_EQ(back->warmup_max_ns, -1);
  EXPECT_FALSE(back->groups[1].backoff.has_value());
}

TEST(WorkloadJson, WhatIsWrongIsNamed) {
  EXPECT_FALSE(ReadWorkloadJson("").ok());
  EXPECT_FALSE(ReadWorkloadJson("[]").ok());
  std::string text = WriteWorkloadJson(Workload{});
  const auto replaced = [&](const char* from, const char* to) {
    std::string copy = text;
    copy.replace(copy.find(from), std::string_view(from).size(), to);
    return ReadWorkloadJson(copy).status().ToString();
  };
  EXPECT_THAT(replaced("\"pattern\":\"steady\"", "\"pattern\":\"stead\""), HasSubstr("pattern: "));
  EXPECT_THAT(replaced("\"queue_limit\"", "\"queue\""), HasSubstr("no field queue_limit"));
  EXPECT_THAT(replaced("\"active\":0", "\"active\":\"many\""), HasSubstr("active: "));
}

}  // namespace
}  // namespace connbench::load
