// Tests: one client thread's side of an open loop.
#include "harness/load/open_loop.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <cmath>
#include <numeric>
#include <string>
#include <thread>
#include <vector>

#include "harness/load/generator.h"
#include "harness/load/testing/fake_server.h"
#include "harness/load/testing/load_fixture.h"
#include "harness/load/wake_lead.h"

namespace connbench::load {
namespace {

using ::testing::Contains;
using ::testing::HasSubstr;

constexpr int64_t kMillisecond = kNanosecondsPerMillisecond;

ArrivalSpec Spec(std::string_view rate, std::string_view arrival = "constant") {
  auto spec = ParseArrivals(rate, arrival, "/");
  EXPECT_TRUE(spec.ok()) << spec.status().ToString();
  return *spec;
}

OpenLoop Loop(const ArrivalSpec& spec, const OpenLoop::Limits& limits) {
  return {Arrivals(spec, 1), 1000, limits};
}

TEST(OpenLoop, ArrivalsAreDueFromItsBeginningUntilItsEnd) {
  const ArrivalSpec spec = Spec("1000");
  OpenLoop loop = Loop(spec, {.until = 1000 + 3 * kMillisecond, .queue = 10});
  for (int64_t i = 0; i < 3; ++i) {
    EXPECT_EQ(loop.next_due(), 1000 + i * kMillisecond);
    EXPECT_TRUE(loop.TakeDue(5000));
  }
  EXPECT_EQ(loop.next_due(), kNoDeadline);
  ASSERT_EQ(loop.waiting(), 3U);
  for (int64_t i = 0; i < 3; ++i) {
    const OpenLoop::Arrival arrival = loop.TakeWaiting();
    EXPECT_EQ(arrival.intended, 1000 + i * kMillisecond) << "first come, first served";
    EXPECT_EQ(arrival.noticed, 5000);
  }
}

TEST(OpenLoop, NeitherMoreThanItsNumberNorThanItsQueue) {
  const ArrivalSpec spec = Spec("1000");
  OpenLoop loop = Loop(spec, {.arrivals = 4, .queue = 2});
  EXPECT_TRUE(loop.TakeDue(0));
  EXPECT_TRUE(loop.TakeDue(0));
  EXPECT_FALSE(loop.TakeDue(0)) << "two wait already";
  loop.TakeWaiting();
  EXPECT_TRUE(loop.TakeDue(0));
  EXPECT_EQ(loop.next_due(), kNoDeadline) << "that was the fourth";
  EXPECT_EQ(loop.waiting_max(), 2U);
}

TEST(OpenLoop, TheConnectionFreeForLongestIsTaken) {
  const ArrivalSpec spec = Spec("1000");
  OpenLoop loop = Loop(spec, {.queue = 2});
  loop.AddFree(7);
  loop.AddFree(3);
  EXPECT_EQ(loop.TakeFree(), 7U);
  EXPECT_EQ(loop.TakeFree(), 3U);
  EXPECT_FALSE(loop.has_free());
}

TEST(OpenLoop, AnEarlierEndHolds) {
  const ArrivalSpec spec = Spec("1000");
  OpenLoop loop = Loop(spec, {.queue = 2});
  loop.EndAt(1000 + kMillisecond);
  EXPECT_EQ(loop.next_due(), 1000) << "due before the end";
  loop.TakeDue(2000);
  EXPECT_EQ(loop.next_due(), kNoDeadline);
}

TEST(WakeLead, FollowsTheShortestDelays) {
  WakeLead lead;
  EXPECT_EQ(lead.ns(), 0);
  for (int i = 0; i < 1000; ++i) lead.Woke(20'000);
  EXPECT_NEAR(lead.ns(), 20'000, 100);
  lead.Woke(12'000);
  EXPECT_EQ(lead.ns(), 12'000);
  lead.Woke(5'000'000);
  EXPECT_LT(lead.ns(), 14'000) << "one long delay says little";
  lead.Woke(-1);
  EXPECT_EQ(lead.ns(), 0);
  for (int i = 0; i < 10'000; ++i) lead.Woke(5'000'000);
  EXPECT_LE(lead.ns(), WakeLead::kMaxNs);
}

// From here on against a server.

LoadConfig Config(const FakeServer& server, int connections, const ArrivalSpec& arrivals,
                  int64_t duration_ms) {
  LoadConfig config = TestConfig(server.endpoint(), Pattern::kSteady, connections);
  config.workload.arrivals = arrivals;
  config.workload.duration_ns = duration_ms * kMillisecond;
  return config;
}

uint64_t Skipped(const LoadResult& result, SkipReason reason) {
  return result.skipped_by_reason[static_cast<size_t>(reason)];
}

TEST(OpenLoopRun, SendsWhatWasDueWhateverTheNumberOfThreads) {
  for (const int threads : {1, 3}) {
    FakeServer server({Behaviour::kServe});
    LoadConfig config = Config(server, 6, Spec("500"), 200);
    config.threads = threads;
    const LoadResult result = MustRun(config);
    EXPECT_EQ(result.transactions_all, 100U);
    EXPECT_EQ(result.transactions_ok, 100U);
    EXPECT_DOUBLE_EQ(result.offered_tps(), 500);
    // Latency is schedule lag and service time, to the nanosecond.
    EXPECT_EQ(result.transaction_latency.sum(),
              result.schedule_lag.sum() + result.service_time.sum());
    EXPECT_LE(result.client_lag.sum(), result.schedule_lag.sum());
    EXPECT_EQ(result.client_lag.negative_count(), 0U) << "nothing is sent before it is due";
  }
}

TEST(OpenLoopRun, AFixedNumberOfTransactionsEndsTheRun) {
  FakeServer server({Behaviour::kServe});
  LoadConfig config = Config(server, 3, Spec("2000", "burst(5)"), 0);
  config.transactions_per_client = 7;
  const LoadResult result = MustRun(config);
  EXPECT_EQ(result.transactions_all, 21U);
  EXPECT_EQ(result.transactions_ok, 21U);
}

TEST(OpenLoopRun, ScriptsWithoutSqlOrWithSleepsAreScheduledToo) {
  FakeServer server({Behaviour::kServe});
  LoadConfig config = Config(server, 2, Spec("200"), 100);
  config.workload.scripts = {{"set.sql", "\\set a 1\n", 1},
                             {"sleep.sql", "\\sleep 1 ms\nSELECT 1;", 1}};
  const LoadResult result = MustRun(config);
  EXPECT_EQ(result.transactions_all, 20U);
  EXPECT_EQ(result.transactions_ok, 20U);
}

// What a server that stood still does to arrivals that did not wait for it: those intended for the
// time in which it stood still wait for its end, and for those before them. The one connection
// serves in the order of arrival: the client has each answer between the server's stamps of sending
// it and of reading the next query, which bound each latency. A test of the arithmetic, on a
// machine of any speed.
TEST(OpenLoopRun, AStallCountsForEveryArrivalThatWasDueInIt) {
  FakeServer server({Behaviour::kServe});
  const LoadConfig config = Config(server, 1, Spec("100"), 2000);
  std::thread staller([&] {
    AwaitThat([&server] { return server.served().size() >= 70; });  // 0.7 s of the window
    server.Pause();
    usleep(500'000);
    server.Resume();
  });
  const LoadResult result = MustRun(config);
  staller.join();
  const std::vector<FakeServer::ServedQuery> served = server.served();
  ASSERT_EQ(result.transactions_all, 200U);
  ASSERT_EQ(result.transactions_ok, served.size());
  std::vector<int64_t> at_least;
  std::vector<int64_t> at_most;
  for (size_t i = 0; i < served.size(); ++i) {
    const MonotonicNs due = result.window_begin_ns + static_cast<int64_t>(i) * 10 * kMillisecond;
    const bool last = i + 1 == served.size();
    at_least.push_back(served[i].answered - due);
    at_most.push_back((last ? result.last_transaction_end_ns : served[i + 1].asked) - due);
  }
  std::sort(at_least.begin(), at_least.end());
  std::sort(at_most.begin(), at_most.end());
  for (const double percentile : {90.0, 99.0, 100.0}) {
    const auto rank =
        static_cast<size_t>(std::ceil(percentile / 100 * static_cast<double>(served.size())));
    const auto low = static_cast<double>(at_least[rank - 1]);
    const auto measured =
        static_cast<double>(result.transaction_latency.ValueAtPercentile(percentile));
    constexpr double kResolution = 0.01;  // of the histogram, generously
    EXPECT_GE(measured, low * (1 - kResolution)) << "p" << percentile;
    EXPECT_LE(measured, static_cast<double>(at_most[rank - 1]) * (1 + kResolution))
        << "p" << percentile;
    EXPECT_GE(low, percentile < 99 ? 250e6 : 450e6) << "the stall is in the prediction";
  }
  // What counting from the send would have shown, as a closed loop does: one transaction hung.
  EXPECT_GE(result.service_time.max(), 400 * kMillisecond);
  EXPECT_LT(result.service_time.ValueAtPercentile(90),
            result.transaction_latency.ValueAtPercentile(90) / 2);
  EXPECT_GE(result.waiting_max, 40U);
}

TEST(OpenLoopRun, ARateBeyondReachIsInvalidAndSaysSo) {
  FakeServer server({Behaviour::kServeSlowly});  // 2 connections, 20 ms each: 100/s at most
  LoadConfig config = Config(server, 2, Spec("500"), 200);
  LoadResult result = MustRun(config);
  EXPECT_EQ(result.transactions_all, 100U);
  EXPECT_LT(result.sent_fraction(), 0.9);
  EXPECT_THAT(result.invalid_reasons, Contains(HasSubstr("transactions/s that were due, only")));

  config.workload.queue_limit = 5;
  result = MustRun(config);
  EXPECT_GT(Skipped(result, SkipReason::kQueueFull), 50U);
  EXPECT_LE(result.waiting_max, 5U);
  EXPECT_THAT(result.invalid_reasons, Contains(HasSubstr("queue_limit")));
}

TEST(OpenLoopRun, WhatIsLateIsSkippedAsPgbenchDoes) {
  FakeServer server({Behaviour::kServeSlowly});
  LoadConfig config = Config(server, 1, Spec("200"), 300);
  config.workload.latency_limit_ns = 30 * kMillisecond;
  const LoadResult result = MustRun(config);
  EXPECT_EQ(result.transactions_all, 60U);
  EXPECT_GT(Skipped(result, SkipReason::kLate), 30U);
  // One that began within the limit may still end after it.
  EXPECT_GT(result.transactions_late, 0U);
  EXPECT_LE(result.transactions_late, result.transactions_ok);
}

TEST(OpenLoopRun, LostConnectionsLoseNoCount) {
  FakeServer server({Behaviour::kDiesInQuery});
  const LoadResult result = MustRun(Config(server, 2, Spec("1000"), 200));
  EXPECT_EQ(result.transactions_failed, 2U);
  EXPECT_EQ(result.connections_lost, 2U);
  EXPECT_EQ(result.transactions_ok, 0U);
}

TEST(OpenLoopRun, AnInterruptEndsItAtOnce) {
  FakeServer server({Behaviour::kServe});
  std::atomic<bool> stop{false};
  LoadConfig config = Config(server, 2, Spec("1000"), 60'000);
  config.stop = &stop;
  std::thread stopper([&] {
    AwaitThat([&server] { return !server.served().empty(); });
    stop = true;
  });
  const MonotonicNs began = MonotonicNow();
  const LoadResult result = MustRun(config);
  stopper.join();
  EXPECT_TRUE(result.interrupted);
  EXPECT_GT(result.transactions_ok, 0U);
  EXPECT_LT(MonotonicNow() - began, 20 * kNanosecondsPerSecond);
}

TEST(OpenLoopRun, PatternsThatItDoesNotFitAreRefused) {
  FakeServer server({Behaviour::kServe});
  LoadConfig config = Config(server, 2, Spec("1000"), 100);
  config.workload.pattern = Pattern::kStorm;
  EXPECT_THAT(RunLoad(config).status().ToString(),
              HasSubstr("rate does not apply to pattern storm"));
}

}  // namespace
}  // namespace connbench::load
