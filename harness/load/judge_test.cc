// Tests: what makes the figures of a run say more about its client than about the server.
#include "harness/load/judge.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "harness/load/schedule_check.h"

namespace connbench::load {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;
using ::testing::StartsWith;

Workload Steady() {
  Workload workload;
  workload.pattern = Pattern::kSteady;
  return workload;
}

TEST(JudgeTest, ASaturatedThreadIsNamed) {
  LoadResult result;
  result.thread_cpu_fractions = {0.2, kSaturatedCpuFraction, 0.1};
  Judge(Steady(), result);
  EXPECT_THAT(result.invalid_reasons, IsEmpty());
  result.thread_cpu_fractions[1] = 0.97;
  Judge(Steady(), result);
  EXPECT_THAT(result.invalid_reasons,
              ElementsAre(StartsWith("client_cpu: client thread 1 used 97 % of a CPU")));
}

TEST(JudgeTest, AClockThatWentBackwardsIsNamed) {
  LoadResult result;
  result.transaction_latency.Record(1000);
  Judge(Steady(), result);
  EXPECT_THAT(result.invalid_reasons, IsEmpty());
  result.transaction_latency.Record(-1);
  Judge(Steady(), result);
  EXPECT_THAT(result.invalid_reasons, ElementsAre(StartsWith("clock: ")));
}

TEST(JudgeTest, AClientThatStoodStillIsNamedUnlessACrowdMadeItWait) {
  LoadResult result;
  result.client_stall_ns = kMaxClientStallNs;
  Judge(Steady(), result);
  EXPECT_THAT(result.invalid_reasons, IsEmpty());
  result.client_stall_ns = kMaxClientStallNs + 1;
  Workload storm;
  storm.pattern = Pattern::kStorm;
  Judge(storm, result);
  EXPECT_THAT(result.invalid_reasons, IsEmpty());
  Judge(Steady(), result);
  EXPECT_THAT(result.invalid_reasons, ElementsAre(StartsWith("client_stall: ")));
}

TEST(JudgeTest, AMachineThatSleptIsNamed) {
  LoadResult result;
  result.suspended_ns = 3 * kNanosecondsPerSecond;
  Judge(Steady(), result);
  EXPECT_THAT(result.invalid_reasons,
              ElementsAre(StartsWith("clock: the machine was suspended for 3 s")));
}

// Of a client that spends half of its time in connects: a request time that leaves them out is half
// of clients / throughput.
TEST(JudgeTest, ARequestTimeThatLittlesLawContradictsIsNamedWithBothFigures) {
  LoadResult result;
  result.closed_loop = true;
  result.window_end_ns = kNanosecondsPerSecond;
  result.transactions_ok_in_window = 1000;
  result.clients_present_ns = 2 * kNanosecondsPerSecond;
  result.requests_in_window_ns = result.clients_present_ns * 99 / 100;
  Judge(Steady(), result);
  EXPECT_THAT(result.invalid_reasons, IsEmpty());
  result.requests_in_window_ns = result.clients_present_ns / 2;
  Judge(Steady(), result);
  EXPECT_THAT(result.invalid_reasons,
              ElementsAre(StartsWith("littles_law: 2.0 clients / throughput is 2 ms, but the mean "
                                     "request time is 1 ms")));
  result.invalid_reasons.clear();
  result.interrupted = true;
  Judge(Steady(), result);
  EXPECT_THAT(result.invalid_reasons, IsEmpty());
}

// An open loop that sent all that was due, but two in a hundred late by this much.
LoadResult Late(int64_t lag_ns) {
  LoadResult result;
  result.rate = "1000";
  result.transactions_all = result.transactions_ok = result.transactions_sent_in_window = 1000;
  for (int i = 0; i < 1000; ++i) result.client_lag.Record(i < 980 ? 1000 : lag_ns);
  return result;
}

TEST(ScheduleCheckTest, AClientThatIsLateIsNamed) {
  EXPECT_THAT(CheckSchedule(Late(kMaxClientLagNs * 9 / 10), {}), IsEmpty());
  EXPECT_THAT(CheckSchedule(Late(kMaxClientLagNs * 11 / 10), {}),
              ElementsAre(StartsWith("schedule_lag: ")));
  // A burst is sent one after the other.
  ArrivalSpec burst;
  burst.burst = 10;
  EXPECT_THAT(CheckSchedule(Late(kMaxClientLagNs * 11 / 10), burst), IsEmpty());
  EXPECT_THAT(CheckSchedule(Late(2 * kMaxClientLagNs), burst),
              ElementsAre(StartsWith("schedule_lag: ")));
}

TEST(ScheduleCheckTest, WhatWasDueAndNotSentIsNamed) {
  LoadResult result = Late(0);
  result.transactions_sent_in_window = 991;
  EXPECT_THAT(CheckSchedule(result, {}), IsEmpty());
  result.transactions_sent_in_window = 980;
  EXPECT_THAT(CheckSchedule(result, {}), ElementsAre(StartsWith("achieved_rate: ")));
  result.rate.clear();  // a closed loop has no schedule to keep
  EXPECT_THAT(CheckSchedule(result, {}), IsEmpty());
}

}  // namespace
}  // namespace connbench::load
