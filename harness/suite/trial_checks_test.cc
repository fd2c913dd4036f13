// Tests: the self-checks of a trial.
#include "harness/suite/trial_checks.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <functional>
#include <set>
#include <string_view>

namespace connbench::suite {
namespace {

using testing::HasSubstr;
using testing::StartsWith;

load::LoadResult SoundLoad(load::Pattern pattern) {
  load::LoadResult load;
  load.pattern = pattern;
  load.threads = 1;
  load.connections = 500;
  load.window_end_ns = 2 * kNanosecondsPerSecond;
  load.transactions_all = load.transactions_ok = load.transactions_ok_in_window = 1000;
  for (int i = 1; i <= 1000; ++i) {
    load.transaction_latency.Record(i * 1000);
    load.request_time.Record(i * 1000);
  }
  load.connects_all = 500;
  load.connects_by_outcome[static_cast<size_t>(load::ConnectOutcome::kOk)] = 500;
  for (int i = 1; i <= 500; ++i) load.connect_latency.Record(i * 1000);
  load.client_cpu_fraction = 0.5;
  load.client_cpu_ns = kNanosecondsPerSecond;
  return load;
}

// Two CPUs for two seconds: one second of the server's, one of the client's, 0.1 of the harness.
Observation SoundObservation() {
  Observation observation;
  observation.cpus = 2;
  observation.usage.seconds = 2;
  observation.usage.cpu_user_s = 0.6;
  observation.usage.cpu_system_s = 0.4;
  observation.own_cpu_ns = 100 * kNanosecondsPerMillisecond;
  observation.host.cpu_ticks = 400;
  observation.host.work_ticks = 230;
  observation.host.idle_ticks = 150;
  return observation;
}

using Spoil = std::function<void(load::LoadResult&, Observation&)>;

std::vector<Breach> BreachesOf(const Spoil& spoil, load::Pattern pattern = load::Pattern::kSteady) {
  load::LoadResult load = SoundLoad(pattern);
  Observation observation = SoundObservation();
  spoil(load, observation);
  return FindBreaches(load, observation);
}

std::string ReasonOf(const Spoil& spoil, load::Pattern pattern = load::Pattern::kSteady) {
  return InvalidReason(BreachesOf(spoil, pattern), {});
}

TEST(TrialChecksTest, ASoundTrialHasNoReason) {
  EXPECT_EQ(ReasonOf([](load::LoadResult&, Observation&) {}), "");
  EXPECT_EQ(ReasonOf([](load::LoadResult&, Observation&) {}, load::Pattern::kStorm), "");
}

TEST(TrialChecksTest, TheTableIsComplete) {
  const std::set<std::string_view> kBounded = {"client_cpu",   "client_stall", "achieved_rate",
                                               "schedule_lag", "steal",        "other_load",
                                               "littles_law"};
  for (const TrialCheck& check : AllTrialChecks()) {
    EXPECT_FALSE(check.about.empty()) << check.name;
    EXPECT_FALSE(check.remedy.empty()) << check.name;
    EXPECT_EQ(check.bound > 0, kBounded.contains(check.name)) << check.name;
  }
}

TEST(TrialChecksTest, WhatTheLoadFoundIsNamed) {
  EXPECT_THAT(ReasonOf([](load::LoadResult& load, Observation&) {
                load.connects_by_outcome[0] = 499;
                load.connects_by_outcome[static_cast<size_t>(load::ConnectOutcome::kReset)] = 1;
                load.first_error = "connection reset";
              }),
              HasSubstr("connects: 1 of 500 connects failed (first: connection reset)"));
  EXPECT_THAT(ReasonOf([](load::LoadResult& load, Observation&) {
                load.connects_by_outcome[0] = 498;
                load.connects_by_outcome[static_cast<size_t>(load::ConnectOutcome::kNoPorts)] = 2;
              }),
              HasSubstr("ports: 2 connects found no free port"));
  EXPECT_EQ(ReasonOf([](load::LoadResult& load, Observation&) { load.connections_lost = 3; }),
            "connections_lost: 3 connections broke");
  EXPECT_THAT(ReasonOf([](load::LoadResult& load, Observation&) {
                load.transactions_ok = 0;
                load.transactions_failed = 1000;
                load.transaction_latency.Clear();
              }),
              HasSubstr("transactions: all 1000 transactions failed"));
  EXPECT_THAT(ReasonOf([](load::LoadResult& load, Observation&) { load.transactions_all = 1001; }),
              StartsWith("accounting: "));
}

TEST(TrialChecksTest, ASaturatedClientIsNamedOnce) {
  EXPECT_EQ(ReasonOf([](load::LoadResult& load, Observation&) { load.client_cpu_fraction = 0.97; }),
            "client_cpu: the load generator was the bottleneck: 97 % of a core");
  EXPECT_EQ(ReasonOf([](load::LoadResult& load, Observation&) {
              load.client_cpu_fraction = 0.97;
              load.invalid_reasons = {"client_cpu: client thread 0 used 97 % of a CPU"};
            }),
            "client_cpu: client thread 0 used 97 % of a CPU");
  EXPECT_EQ(ReasonOf([](load::LoadResult& load, Observation&) { load.client_cpu_fraction = 0.95; }),
            "");
}

TEST(TrialChecksTest, ReasonsOfTheLoadThatNoCheckKnowsCountAsTheClients) {
  EXPECT_EQ(ReasonOf([](load::LoadResult& load, Observation&) {
              load.invalid_reasons = {"its own", "clock: the clock went backwards"};
            }),
            "client: its own; clock: the clock went backwards");
}

TEST(TrialChecksTest, WhatTheWorkloadsCheckFoundIsNamed) {
  EXPECT_EQ(ReasonOf([](load::LoadResult&, Observation& o) {
              o.contradictions = {"check.sql:3: 1, 300000.00", "check.sql:9: 2"};
            }),
            "consistency: check.sql:3: 1, 300000.00; check.sql:9: 2");
}

TEST(TrialChecksTest, WhatTheMachineDidIsNamed) {
  EXPECT_EQ(ReasonOf([](load::LoadResult&, Observation& o) { o.host.steal_ticks = 28; }),
            "steal: the hypervisor took 7.0 % of the CPU time (at most 5 %)");
  EXPECT_EQ(ReasonOf([](load::LoadResult&, Observation& o) { o.host.steal_ticks = 20; }), "");
  EXPECT_EQ(ReasonOf([](load::LoadResult&, Observation& o) { o.host.swap_outs = 1; }),
            "swap: 1 pages were swapped");
  EXPECT_EQ(ReasonOf([](load::LoadResult&, Observation& o) { o.host.cgroup_throttled_us = 9; }),
            "throttling: the cgroup's CPU quota throttled for 9 us");
}

TEST(TrialChecksTest, OtherLoadIsWhatNoneOfOursUsed) {
  // 230 ticks are 2.3 s: 2.1 s of ours and 0.2 s of others, 5 % of two CPUs for two seconds.
  EXPECT_NEAR(OtherCpuFraction(SoundLoad(load::Pattern::kSteady), SoundObservation()), 0.05, 1e-9);
  EXPECT_EQ(ReasonOf([](load::LoadResult&, Observation& o) { o.host.work_ticks = 270; }),
            "other_load: other processes used 15.0 % of the CPU time (at most 10 %)");
  // Ticks say nothing about a window that holds only some of them.
  EXPECT_EQ(ReasonOf([](load::LoadResult& load, Observation& o) {
              o.usage.seconds = 0.4;
              o.usage.cpu_user_s = o.usage.cpu_system_s = 0;
              load.client_cpu_ns = 0;
            }),
            "");
  // Accounting that runs ahead of the ticks is no load, either.
  EXPECT_EQ(OtherCpuFraction(SoundLoad(load::Pattern::kSteady),
                             [] {
                               Observation o = SoundObservation();
                               o.host.work_ticks = 100;
                               return o;
                             }()),
            0);
}

TEST(TrialChecksTest, AFullAcceptQueueSpoilsOnlyWhatWasExpectedToFit) {
  const Spoil overflow = [](load::LoadResult& load, Observation& o) {
    o.host.listen_overflows = 2;
    o.host.syn_retries = 3;
    load.invalid_reasons = {"syn_retries: 3 SYNs were repeated"};
  };
  EXPECT_EQ(ReasonOf(overflow, load::Pattern::kStorm),
            "syn_retries: 3 SYNs were repeated; listen_overflows: 2 connections were turned away");
  const Spoil declared = [&](load::LoadResult& load, Observation& o) {
    overflow(load, o);
    load.beyond_backlog = true;
  };
  EXPECT_EQ(ReasonOf(declared, load::Pattern::kStorm), "");
  // On a Unix socket the queue fails what it cannot hold.
  const auto fail = [](load::LoadResult& load) {
    load.connects_by_outcome[0] = 490;
    load.connects_by_outcome[static_cast<size_t>(load::ConnectOutcome::kBacklogFull)] = 10;
    load.connect_latency.Clear();
    for (int i = 1; i <= 490; ++i) load.connect_latency.Record(i * 1000);
  };
  EXPECT_EQ(
      ReasonOf([&](load::LoadResult& load, Observation&) { fail(load); }, load::Pattern::kStorm),
      "connects: 10 of 500 connects failed");
  EXPECT_EQ(ReasonOf(
                [&](load::LoadResult& load, Observation&) {
                  fail(load);
                  load.beyond_backlog = true;
                },
                load::Pattern::kStorm),
            "");
}

TEST(TrialChecksTest, RejectionsThatTheUserChoseAreData) {
  const auto reject = [](load::LoadResult& load) {
    load.connects_by_outcome[0] = 489;
    load.connects_by_outcome[static_cast<size_t>(load::ConnectOutcome::kTooManyConnections)] = 10;
    load.connects_by_outcome[static_cast<size_t>(load::ConnectOutcome::kReset)] = 1;
    load.connect_errors["53300"] = 10;
    load.connect_latency.Clear();
    for (int i = 1; i <= 489; ++i) load.connect_latency.Record(i * 1000);
  };
  EXPECT_EQ(ReasonOf([&](load::LoadResult& load, Observation&) { reject(load); }),
            "connects: 11 of 500 connects failed");
  // What else fails still spoils the trial.
  EXPECT_EQ(ReasonOf([&](load::LoadResult& load, Observation& o) {
              reject(load);
              o.chosen_rejections = {"53300"};
            }),
            "connects: 1 of 500 connects failed");
}

TEST(TrialChecksTest, AFailoverIsAboutTheConnectionsThatItLoses) {
  const Spoil came_back = [](load::LoadResult& load, Observation&) {
    load.connections_lost = 500;
    load.connects_all += 20;
    load.connects_by_outcome[static_cast<size_t>(load::ConnectOutcome::kRefused)] = 20;
    load.clients_to_serve = load.clients_served = 500;
  };
  EXPECT_EQ(ReasonOf(came_back, load::Pattern::kFailover), "");
  const std::string not_all = ReasonOf(
      [&](load::LoadResult& load, Observation& o) {
        came_back(load, o);
        load.clients_served = 499;
        load.invalid_reasons = {"served: 1 of 500 clients were not served again"};
      },
      load::Pattern::kFailover);
  EXPECT_THAT(not_all, StartsWith("served: 1 of 500"));
}

TEST(TrialChecksTest, AWaivedCheckSpoilsNothingAndTheOthersStillDo) {
  const std::vector<Breach> breaches = BreachesOf([](load::LoadResult&, Observation& o) {
    o.host.work_ticks = 300;
    o.host.swap_ins = 4;
  });
  EXPECT_EQ(InvalidReason(breaches, {"other_load"}), "swap: 4 pages were swapped");
  EXPECT_EQ(InvalidReason(breaches, {"other_load", "swap"}), "");
  EXPECT_TRUE(CheckWaived({"other_load", "swap"}).ok());
  const Status unknown = CheckWaived({"other-load"});
  EXPECT_EQ(unknown.code(), sqlstate::kUndefinedObject);
  EXPECT_THAT(unknown.ToString(), HasSubstr("other_load"));
}

}  // namespace
}  // namespace connbench::suite
