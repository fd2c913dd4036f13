// Tests: is this machine fit to measure on? What would spoil the numbers, how badly, and what to
// do.
#include "harness/observe/fitness.h"

#include <gtest/gtest.h>

#include <cstdlib>
#include <functional>

#include "harness/observe/environment.h"

namespace connbench::observe {
namespace {

results::RunInfo GoodMachine() {
  results::RunInfo machine;
  machine.build_kind = "release";
  machine.cpus_online = machine.cpus_allowed = 8;
  machine.cpu_governor = "performance";
  machine.virtualised = "none";
  machine.thp_enabled = "madvise";
  machine.cgroup_cpu_max = machine.cgroup_memory_max = machine.cgroup_pids_max = "max";
  machine.ulimit_nofile = 65'536;
  machine.ulimit_nproc = -1;
  machine.pid_max = machine.threads_max = 131'072;
  machine.somaxconn = machine.tcp_max_syn_backlog = 4096;
  machine.ip_local_port_range = "32768 60999";
  machine.tcp_tw_reuse = 2;
  machine.aslr = 2;
  machine.cpu_turbo = "off";
  return machine;
}

Activity Quiet() {
  Activity activity;
  activity.mem_available_kb = 8 << 20;
  activity.dev_shm_free_kb = 1 << 20;
  return activity;
}

// What is wrong with a machine that is good but for one thing: exactly one finding, with a remedy.
Finding OnlyFinding(const std::function<void(results::RunInfo&, Activity&)>& spoil) {
  results::RunInfo machine = GoodMachine();
  Activity activity = Quiet();
  spoil(machine, activity);
  Finding only;
  int count = 0;
  for (const Finding& finding : CheckFitness(machine, activity)) {
    if (finding.fitness == Fitness::kGood) {
      EXPECT_TRUE(finding.remedy.empty()) << finding.subject;
      continue;
    }
    ++count;
    EXPECT_FALSE(finding.remedy.empty()) << finding.subject;
    only = finding;
  }
  EXPECT_LE(count, 1);
  return only;
}

TEST(FitnessTest, AGoodMachineHasNothingToMind) {
  EXPECT_EQ(OnlyFinding([](results::RunInfo&, Activity&) {}).fitness, Fitness::kGood);
}

TEST(FitnessTest, EachSpoilerIsFound) {
  using Machine = results::RunInfo;
  const std::pair<const char*, std::function<void(Machine&, Activity&)>> spoilers[] = {
      {"build", [](Machine& m, Activity&) { m.build_kind = "tsan"; }},
      {"CPUs", [](Machine& m, Activity&) { m.cpus_allowed = 1; }},
      {"CPU quota of the cgroup", [](Machine& m, Activity&) { m.cgroup_cpu_max = "50000 100000"; }},
      {"other load", [](Machine&, Activity& a) { a.busy_cpus = 0.6; }},
      {"CPU steal", [](Machine&, Activity& a) { a.steal_fraction = 0.06; }},
      {"free memory", [](Machine&, Activity& a) { a.mem_available_kb = 1000; }},
      {"swapping", [](Machine&, Activity& a) { a.swap_pages = 1; }},
      {"/dev/shm", [](Machine&, Activity& a) { a.dev_shm_free_kb = 65'536; }},
  };
  for (const auto& [subject, spoil] : spoilers) {
    const Finding finding = OnlyFinding(spoil);
    EXPECT_EQ(finding.subject, subject);
    EXPECT_EQ(finding.fitness, Fitness::kSpoils) << subject;
  }
}

TEST(FitnessTest, EachThingToMindIsFound) {
  using Machine = results::RunInfo;
  const std::pair<const char*, std::function<void(Machine&, Activity&)>> minded[] = {
      {"other load", [](Machine&, Activity& a) { a.busy_cpus = 0.2; }},
      {"CPU governor", [](Machine& m, Activity&) { m.cpu_governor = "powersave"; }},
      {"CPU turbo", [](Machine& m, Activity&) { m.cpu_turbo = "on"; }},
      {"address space layout", [](Machine& m, Activity&) { m.aslr = 0; }},
      {"SMT", [](Machine& m, Activity&) { m.smt_active = true; }},
      {"virtualisation", [](Machine& m, Activity&) { m.virtualised = "a hypervisor"; }},
      {"scheduler autogroups", [](Machine& m, Activity&) { m.sched_autogroup = 1; }},
      {"transparent huge pages", [](Machine& m, Activity&) { m.thp_enabled = "always"; }},
      {"open files (ulimit -n)", [](Machine& m, Activity&) { m.ulimit_nofile = 1024; }},
      {"processes (ulimit -u)", [](Machine& m, Activity&) { m.ulimit_nproc = 1024; }},
      {"tasks of the cgroup", [](Machine& m, Activity&) { m.cgroup_pids_max = "500"; }},
      {"net.core.somaxconn", [](Machine& m, Activity&) { m.somaxconn = 128; }},
      {"ports for connecting",
       [](Machine& m, Activity&) { m.ip_local_port_range = "50000 60000"; }},
      {"net.ipv4.tcp_tw_reuse", [](Machine& m, Activity&) { m.tcp_tw_reuse = 0; }},
  };
  for (const auto& [subject, spoil] : minded) {
    const Finding finding = OnlyFinding(spoil);
    EXPECT_EQ(finding.subject, subject);
    EXPECT_EQ(finding.fitness, Fitness::kMind) << subject;
  }
}

std::vector<Finding> NotGood(const results::RunInfo& machine, const Activity& activity,
                             const Demand& demand) {
  std::vector<Finding> findings = CheckFitness(machine, activity, demand);
  std::erase_if(findings, [](const Finding& f) { return f.fitness == Fitness::kGood; });
  return findings;
}

TEST(FitnessTest, WhatTheSuiteNeedsDecides) {
  results::RunInfo machine = GoodMachine();
  EXPECT_TRUE(NotGood(machine, Quiet(), {1000, 1000}).empty());
  // A limit that is merely modest becomes one that the suite cannot run under.
  machine.ulimit_nofile = 9000;
  EXPECT_TRUE(NotGood(machine, Quiet(), {1000, 0}).empty());
  Activity roomy = Quiet();
  roomy.mem_available_kb = int64_t{64} << 20;
  const auto files = NotGood(machine, roomy, {10'000, 0});
  ASSERT_EQ(files.size(), 1U);
  EXPECT_EQ(files[0].subject, "open files (ulimit -n)");
  EXPECT_EQ(files[0].fitness, Fitness::kSpoils);
  EXPECT_EQ(files[0].found, "9000, the suite needs 10128");
  machine.ulimit_nofile = 65'536;
  const auto storm = NotGood(machine, roomy, {10'000, 10'000});
  ASSERT_EQ(storm.size(), 1U);
  EXPECT_EQ(storm[0].subject, "net.core.somaxconn");
  EXPECT_EQ(storm[0].fitness, Fitness::kMind);
  EXPECT_EQ(storm[0].found, "4096, the suite's storm is 10000");
  const auto memory = NotGood(machine, Quiet(), {10'000, 0});
  ASSERT_EQ(memory.size(), 1U);
  EXPECT_EQ(memory[0].subject, "free memory");
}

TEST(FitnessTest, TheCgroupsLimitCountsWhereItIsTheLower) {
  EXPECT_EQ(CgroupHeadroomKb("max", "1000"), -1);
  EXPECT_EQ(CgroupHeadroomKb("9223372036854771712", "1000"), -1);
  EXPECT_EQ(CgroupHeadroomKb("", ""), -1);
  EXPECT_EQ(CgroupHeadroomKb("2097152", "1048576"), 1024);
  EXPECT_EQ(CgroupHeadroomKb("1048576", "2097152"), 0);
}

TEST(EnvironmentTest, TheMachineIsDescribed) {
  results::RunInfo info;
  DescribeBuild(info);
  DescribeMachine(info);
  EXPECT_FALSE(info.kernel.empty());
  EXPECT_FALSE(info.os.empty());
  EXPECT_GT(info.cpus_online, 0);
  EXPECT_GT(info.memory_kb, 0);
  EXPECT_GT(info.somaxconn, 0);
  EXPECT_GT(info.ulimit_nofile, 0);
  EXPECT_FALSE(info.compiler.empty());
  EXPECT_EQ(info.boost_version.substr(0, 4), "1.81");
  EXPECT_GE(ReadLoadAverage(), 0);
}

TEST(EnvironmentTest, PasswordsStayOutOfTheResults) {
  ::setenv("PGPASSWORD", "secret", 1);
  ::setenv("PGHOST", "here", 1);
  bool host = false;
  for (const auto& [name, value] : SteeringEnvironment()) {
    EXPECT_NE(value, "secret");
    host = host || (name == "PGHOST" && value == "here");
  }
  EXPECT_TRUE(host);
}

}  // namespace
}  // namespace connbench::observe
