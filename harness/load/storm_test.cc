// Arrivals of connections, storms beyond the listen queue, failovers and disturbed victims, all
// against a server that misbehaves on purpose. Nothing here depends on how fast the machine is.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <string>
#include <thread>
#include <vector>

#include "harness/load/disturbance.h"
#include "harness/load/generator.h"
#include "harness/load/testing/fake_server.h"
#include "harness/load/testing/load_fixture.h"
#include "harness/workload/backoff.h"

namespace connbench::load {
namespace {

using ::testing::Contains;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

constexpr int64_t kOneMs = kNanosecondsPerMillisecond;

ArrivalSpec Arriving(const char* rate, const char* arrival = "constant") {
  auto spec = ParseArrivals(rate, arrival, ".");
  EXPECT_TRUE(spec.ok()) << spec.status().ToString();
  return spec.ok() ? *spec : ArrivalSpec{};
}

TEST(BackoffPause, GrowsToItsMaximumAndIsJittered) {
  Random random(1);
  const Backoff none;
  EXPECT_EQ(BackoffPauseNs(none, 0, random), 0);  // back at once
  EXPECT_EQ(BackoffPauseNs(none, 1, random), kReconnectPauseNs);
  const Backoff grows = {20 * kOneMs, 100 * kOneMs, 2, 0};
  EXPECT_EQ(BackoffPauseNs(grows, 0, random), 20 * kOneMs);
  EXPECT_EQ(BackoffPauseNs(grows, 2, random), 80 * kOneMs);
  EXPECT_EQ(BackoffPauseNs(grows, 3, random), 100 * kOneMs);
  EXPECT_EQ(BackoffPauseNs(grows, 5000, random), 100 * kOneMs);  // no overflow
  const Backoff jittered = {100 * kOneMs, 100 * kOneMs, 1, 0.5};
  int64_t low = INT64_MAX;
  int64_t high = 0;
  for (int i = 0; i < 1000; ++i) {
    const int64_t pause = BackoffPauseNs(jittered, 0, random);
    low = std::min(low, pause);
    high = std::max(high, pause);
  }
  EXPECT_GE(low, 50 * kOneMs);
  EXPECT_LT(low, 52 * kOneMs);
  EXPECT_LE(high, 100 * kOneMs);
  EXPECT_GT(high, 98 * kOneMs);
}

TEST(Storm, ConnectsArriveByTheirSchedule) {
  FakeServer server({Behaviour::kServe});
  for (const int threads : {1, 3}) {
    LoadConfig config = TestConfig(server.endpoint(), Pattern::kStorm, 12);
    config.threads = threads;
    config.workload.duration_ns = 60 * kNanosecondsPerSecond;  // for a busy machine
    config.workload.connect_arrivals = Arriving("200");
    const LoadResult result = MustRun(config);
    EXPECT_EQ(result.connects_ok(), 12U);
    EXPECT_EQ(result.schedule_lag.count(), 12U);
    // Evenly spaced, 5 ms apart, whichever thread they belong to.
    ASSERT_EQ(result.phases.size(), 12U);
    std::vector<MonotonicNs> intended;
    for (const ConnectionPhases& phases : result.phases) {
      EXPECT_GE(phases.connect_begin_ns, phases.intended_ns);
      intended.push_back(phases.intended_ns);
    }
    std::sort(intended.begin(), intended.end());
    if (threads == 1) {
      for (size_t i = 1; i < intended.size(); ++i)
        EXPECT_EQ(intended[i] - intended[i - 1], 5 * kOneMs);
    }
    EXPECT_GE(result.last_release_ns - result.first_connect_ns, 40 * kOneMs);
    // Latency counts from when the connect was due.
    int64_t from_due = 0;
    for (const ConnectionPhases& phases : result.phases) {
      from_due += phases.ready_ns - phases.intended_ns;
    }
    EXPECT_EQ(result.connect_latency.sum(), from_due);
  }
}

TEST(Storm, IsServedWhenTheLastClientHasItsFirstRow) {
  FakeServer server({Behaviour::kServeSlowly});
  const LoadResult result = MustRun(TestConfig(server.endpoint(), Pattern::kStorm, 5));
  EXPECT_EQ(result.clients_to_serve, 5U);
  EXPECT_EQ(result.clients_served, 5U);
  EXPECT_GE(result.all_served_ns, 20 * kOneMs);  // what a query takes there
  EXPECT_EQ(result.all_served_ns, result.last_transaction_end_ns - result.first_connect_ns);
  // Everybody asks at the release, whenever its connect() was called.
  EXPECT_EQ(result.request_time.max(), result.last_transaction_end_ns - result.window_begin_ns);
}

TEST(Storm, WithoutBackoffTriesOnceAndWithItUntilServed) {
  FakeServer server({Behaviour::kTooMany, Behaviour::kNotYet, Behaviour::kServe});
  LoadConfig config = TestConfig(server.endpoint(), Pattern::kStorm, 3);
  const LoadResult once = MustRun(config);
  EXPECT_EQ(once.connects_all, 3U);
  EXPECT_EQ(once.connects_ok(), 1U);
  EXPECT_EQ(once.clients_served, 1U);
  EXPECT_EQ(once.all_served_ns, 0);

  FakeServer again({Behaviour::kTooMany, Behaviour::kNotYet, Behaviour::kServe});
  config.endpoint = again.endpoint();
  config.workload.duration_ns = 60 * kNanosecondsPerSecond;
  config.workload.backoff = Backoff{};
  const LoadResult result = MustRun(config);
  EXPECT_EQ(result.connects_all, 5U);  // every attempt is counted, also the ones repeated
  EXPECT_EQ(Count(result, ConnectOutcome::kTooManyConnections), 1U);
  EXPECT_EQ(Count(result, ConnectOutcome::kCannotConnectNow), 1U);
  EXPECT_EQ(result.clients_served, 3U);
  EXPECT_GE(result.all_served_ns, kReconnectPauseNs);
  EXPECT_EQ(result.request_time.count(), 3U);
  EXPECT_GE(result.request_time.max(), kReconnectPauseNs) << "all attempts are one request";
}

TEST(Storm, AFullQueueOfAUnixSocketFailsAtOnceAndIsCounted) {
  // The kernel lets one more in than the backlog says.
  FakeServer server({Behaviour::kServe}, true, {.backlog = 2, .hold = true});
  LoadConfig config = TestConfig(server.endpoint(), Pattern::kStorm, 10);
  std::thread opener([&server] {
    usleep(50'000);
    server.Accept();
  });
  const LoadResult result = MustRun(config);
  opener.join();
  EXPECT_EQ(result.connects_all, 10U);
  // How long the release takes decides whether the queue moved meanwhile, so only bounds are sure.
  EXPECT_GE(Count(result, ConnectOutcome::kBacklogFull) + result.connects_ok(), 10U);
  EXPECT_GE(result.connects_ok(), 3U);
}

TEST(Storm, TcpsOwnRetriesAreToldApart) {
  FakeServer server({Behaviour::kServe}, false, {.backlog = 1, .hold = true});
  LoadConfig config = TestConfig(server.endpoint(), Pattern::kStorm, 6);
  std::thread opener([&server] {
    // Until the queue is full, and then for long enough that everybody has knocked.
    AwaitThat([&server] { return server.waiting_to_be_accepted() == 2; });
    usleep(300'000);
    server.Accept();
  });
  const LoadResult result = MustRun(config);
  opener.join();
  EXPECT_EQ(result.connects_ok(), 6U);
  // Two fit into the queue; the others are late by the kernel's retry, at least a second.
  EXPECT_GE(result.connects_retried, 1U);
  EXPECT_GE(result.syn_retries, result.connects_retried);
  EXPECT_EQ(result.unretried_connect_latency.count() + result.connects_retried, 6U);
  EXPECT_GE(result.connect_latency.max(), kNanosecondsPerSecond);
  EXPECT_EQ(result.connects_in_flight_max, 6U);  // nobody is let in until all have knocked
  uint64_t marked = 0;
  for (const ConnectionPhases& phases : result.phases) marked += phases.syn_retries > 0 ? 1 : 0;
  EXPECT_EQ(marked, result.connects_retried);
  // Nobody said beforehand that it would overflow: the figures are TCP's.
  EXPECT_FALSE(result.beyond_backlog);
  EXPECT_THAT(result.invalid_reasons, Contains(HasSubstr("the listen queue overflowed")));
}

TEST(Churn, SessionsArriveByTheirScheduleAndTakeAFreeClient) {
  FakeServer server({Behaviour::kServe});
  for (const int threads : {1, 2}) {
    LoadConfig config = TestConfig(server.endpoint(), Pattern::kChurn, 8);
    config.threads = threads;
    config.workload.duration_ns = 300 * kOneMs;
    config.workload.connect_arrivals = Arriving("100");
    config.workload.transactions_per_connection = 2;
    const LoadResult result = MustRun(config);
    // The schedule decides how many there are, not the server.
    EXPECT_EQ(result.connects_all, 30U);
    EXPECT_EQ(result.connects_all, result.connects_ok() + Count(result, ConnectOutcome::kNotBegun));
    EXPECT_GE(result.schedule_lag.count(), 1U);
  }
}

TEST(Churn, SessionsThatFindNoFreeClientAreCountedNotDropped) {
  FakeServer server({Behaviour::kHangsInQuery});
  LoadConfig config = TestConfig(server.endpoint(), Pattern::kChurn, 2);
  config.workload.duration_ns = 200 * kOneMs;
  config.statement_timeout_ns = 400 * kOneMs;
  config.workload.connect_arrivals = Arriving("100");
  const LoadResult result = MustRun(config);
  EXPECT_EQ(result.connects_all, 20U);
  EXPECT_GE(Count(result, ConnectOutcome::kNotBegun), 18U);  // both clients hang
  EXPECT_THAT(result.invalid_reasons, Contains(HasSubstr("found no free client")));
}

TEST(Churn, GeometricSessionsHaveTheirMean) {
  FakeServer server({Behaviour::kServe});
  LoadConfig config = TestConfig(server.endpoint(), Pattern::kChurn, 4);
  config.workload.transactions_per_connection = 5;
  config.workload.session_length = SessionLength::kGeometric;
  config.workload.duration_ns = kNanosecondsPerSecond;  // for a busy machine to come round in
  const LoadResult result = MustRun(config);
  ASSERT_GT(result.connects_ok(), 20U);
  const double mean =
      static_cast<double>(result.transactions_ok) / static_cast<double>(result.connects_ok());
  EXPECT_GT(mean, 2);
  EXPECT_LT(mean, 10);
}

// Each session is one request: what it waits for is its connect and its transaction.
TEST(Churn, ARequestCarriesItsConnect) {
  FakeServer server({Behaviour::kServe});
  LoadConfig config = TestConfig(server.endpoint(), Pattern::kChurn, 4);
  config.workload.duration_ns = 300 * kOneMs;
  const LoadResult result = MustRun(config);
  EXPECT_EQ(result.request_time.count(), result.connects_ok());
  EXPECT_GE(result.request_time.sum(),
            result.connect_latency.sum() + result.transaction_latency.sum());
  EXPECT_TRUE(result.closed_loop);
  const auto law = result.littles_law();
  ASSERT_TRUE(law);
  EXPECT_NEAR(law->mean_request_ns / law->clients_over_throughput_ns, 1, 0.02);
  EXPECT_NEAR(law->clients, 4, 0.2);
}

// A session's other transactions do not connect, and what is under way at the end runs to its end.
TEST(Churn, OnlyTheFirstRequestOfASessionConnects) {
  FakeServer server({Behaviour::kServeSlowly});
  LoadConfig config = TestConfig(server.endpoint(), Pattern::kChurn, 2);
  config.workload.duration_ns = 110 * kOneMs;
  config.workload.transactions_per_connection = 3;
  const LoadResult result = MustRun(config);
  EXPECT_EQ(result.connects_failed(), 0U);
  EXPECT_GE(result.transactions_ok, result.connects_ok()) << "each session had its first answer";
  EXPECT_EQ(result.request_time.count(), result.transactions_ok);
  // A later request that counted from the connect would hold at least one more query of 20 ms.
  const auto later = static_cast<int64_t>(result.transactions_ok - result.connects_ok());
  EXPECT_LT(result.request_time.sum(),
            result.connect_latency.sum() + result.transaction_latency.sum() + later * 20 * kOneMs);
  const auto law = result.littles_law();
  ASSERT_TRUE(law);
  EXPECT_NEAR(law->mean_request_ns / law->clients_over_throughput_ns, 1, 0.02);
}

TEST(Churn, ARequestThatIsStillConnectingWhenTheWindowClosesRunsToItsEnd) {
  LoadResult result;
  MonotonicNs accepted_at = 0;
  // The server accepts when the window has closed: how long that takes depends on the machine.
  for (int wait_ms = 100; wait_ms <= 6400; wait_ms *= 2) {
    FakeServer server({Behaviour::kServe}, false, {.hold = true});
    LoadConfig config = TestConfig(server.endpoint(), Pattern::kChurn, 1);
    config.workload.duration_ns = 50 * kOneMs;
    std::thread later([&] {
      std::this_thread::sleep_for(std::chrono::milliseconds(wait_ms));
      accepted_at = MonotonicNow();
      server.Accept();
    });
    result = MustRun(config);
    later.join();
    if (accepted_at > result.window_begin_ns + 50 * kOneMs) break;
  }
  ASSERT_GT(accepted_at, result.window_begin_ns + 50 * kOneMs);
  EXPECT_EQ(result.transactions_ok, 1U);
  EXPECT_EQ(result.transactions_ok_in_window, 0U);
  EXPECT_GT(result.request_time.min(), 50 * kOneMs);
  EXPECT_GT(result.transactions_ok_share_at_end, 0);
  EXPECT_LT(result.transactions_ok_share_at_end, 1);
}

TEST(Churn, AScheduledRequestCountsFromWhenItWasDue) {
  FakeServer server({Behaviour::kServeSlowly});
  LoadConfig config = TestConfig(server.endpoint(), Pattern::kChurn, 1);
  config.workload.duration_ns = 200 * kOneMs;
  config.workload.connect_arrivals = Arriving("100");  // twice what one client can do
  const LoadResult result = MustRun(config);
  EXPECT_FALSE(result.closed_loop);
  EXPECT_FALSE(result.littles_law());
  EXPECT_GT(result.request_time.max(), 60 * kOneMs) << "its wait for a free client is in it";
}

// Makes the server drop everyone when the run asks its harness to.
FakeHarness::OnEvent Dropping(FakeServer& server) {
  return [&server](const std::string& event) {
    if (event == "drop") server.DropEveryone();
  };
}

TEST(Failover, AllComeBackAndAreServedAgain) {
  for (const bool backs_off : {false, true}) {
    FakeServer server({Behaviour::kServe});
    LoadConfig config = TestConfig(server.endpoint(), Pattern::kFailover, 10);
    config.threads = 2;
    config.workload.duration_ns = 60 * kNanosecondsPerSecond;  // a bound, not a length
    if (backs_off) config.workload.backoff = Backoff{30 * kOneMs, 100 * kOneMs, 2, 0};
    const FakeHarness harness(Dropping(server));
    config.control_fd = harness.fd();
    const LoadResult result = MustRun(config);
    EXPECT_EQ(result.connections_lost, 10U);
    EXPECT_EQ(result.clients_served, 10U);
    EXPECT_EQ(result.connects_ok(), 20U);  // once before, once after
    EXPECT_EQ(result.transactions_ok, 10U);
    EXPECT_GE(result.all_served_ns, backs_off ? 30 * kOneMs : 1);
    EXPECT_EQ(result.request_time.count(), 10U);
    EXPECT_GE(result.request_time.min(), backs_off ? 30 * kOneMs : 1) << "its pause is in it";
    EXPECT_LE(result.request_time.max(), result.all_served_ns);
    EXPECT_GT(result.first_loss_ns, 0);
    EXPECT_THAT(result.invalid_reasons, IsEmpty());
  }
}

TEST(Failover, AttemptsOnTheWayBackAreCountedEach) {
  FakeServer server({Behaviour::kServe, Behaviour::kServe, Behaviour::kNotYet, Behaviour::kNotYet,
                     Behaviour::kTooMany, Behaviour::kServe});
  LoadConfig config = TestConfig(server.endpoint(), Pattern::kFailover, 2);
  config.workload.duration_ns = 60 * kNanosecondsPerSecond;
  const FakeHarness harness(Dropping(server));
  config.control_fd = harness.fd();
  const LoadResult result = MustRun(config);
  EXPECT_EQ(Count(result, ConnectOutcome::kCannotConnectNow), 2U);
  EXPECT_EQ(Count(result, ConnectOutcome::kTooManyConnections), 1U);
  EXPECT_EQ(result.connects_all, 7U);
  EXPECT_EQ(result.clients_served, 2U);
}

TEST(Failover, SaysSoWhenNobodyWasDroppedOrNotAllCameBack) {
  FakeServer server({Behaviour::kServe});
  LoadConfig config = TestConfig(server.endpoint(), Pattern::kFailover, 2);
  config.drop_command = "true";
  const LoadResult kept = MustRun(config);
  EXPECT_THAT(kept.invalid_reasons, Contains(HasSubstr("no connection was dropped")));
  config.drop_command = "exit 3";
  EXPECT_THAT(MustRun(config).invalid_reasons, Contains(HasSubstr("ended with 3")));

  FakeServer gone({Behaviour::kServe, Behaviour::kServe, Behaviour::kServe, Behaviour::kNotYet});
  config.endpoint = gone.endpoint();
  config.drop_command.clear();
  const FakeHarness harness(Dropping(gone));
  config.control_fd = harness.fd();
  config.workload.duration_ns = 400 * kOneMs;
  const LoadResult half = MustRun(config);
  EXPECT_EQ(half.clients_served, 1U);
  EXPECT_EQ(half.all_served_ns, 0);
  EXPECT_THAT(half.invalid_reasons, Contains(HasSubstr("1 of 2 clients were not served again")));
}

// A workload of two groups: victims, and what pattern disturbs them.
LoadConfig Disturbed(const Endpoint& endpoint, Pattern pattern, int connections) {
  LoadConfig config = TestConfig(endpoint, Pattern::kMixed, connections);
  config.workload.duration_ns = 800 * kOneMs;
  ClientGroup victim;
  victim.name = "victim";
  victim.connections = 2;
  ClientGroup other;
  other.name = "other";
  other.pattern = pattern;
  other.connections = 0;
  other.start_ns = 300 * kOneMs;
  other.stop_ns = 500 * kOneMs;
  config.workload.groups = {victim, other};
  return config;
}

TEST(Victim, GroupsAreCountedApart) {
  for (const Pattern pattern :
       {Pattern::kStorm, Pattern::kSteady, Pattern::kChurn, Pattern::kIdle}) {
    FakeServer server({Behaviour::kServe});
    const LoadResult result = MustRun(Disturbed(server.endpoint(), pattern, 5));
    EXPECT_EQ(result.connections, 2);
    EXPECT_EQ(result.connects_ok(), 2U) << Name(pattern);
    EXPECT_GT(result.transactions_ok, 0U);
    ASSERT_EQ(result.groups.size(), 1U);
    const LoadResult& other = result.groups[0];
    EXPECT_EQ(other.workload, "other");
    EXPECT_EQ(other.connections, 5);
    if (pattern == Pattern::kChurn) {
      EXPECT_GE(other.connects_ok(), 5U);
    } else {
      EXPECT_EQ(other.connects_ok(), 5U);
    }
    if (pattern == Pattern::kStorm) {
      EXPECT_EQ(other.transactions_ok, 5U);
      EXPECT_EQ(other.clients_served, 5U);
      EXPECT_GT(other.all_served_ns, 0);
    }
    if (pattern == Pattern::kIdle) {
      EXPECT_EQ(other.transactions_all, 0U);
    }
    const VictimResult& victims = result.victims;
    EXPECT_GE(victims.begin_ns, result.window_begin_ns + 300 * kOneMs);
    EXPECT_GE(victims.end_ns, victims.begin_ns);
    EXPECT_GT(victims.before.count(), 0U);
    EXPECT_GT(victims.after.count(), 0U);
    EXPECT_EQ(victims.before.count() + victims.during.count() + victims.after.count(),
              result.transactions_ok);
    EXPECT_EQ(result.phases.size(), result.connects_all + other.connects_all);
  }
}

TEST(Victim, ADisturberThatFailsSpoilsTheTrial) {
  FakeServer server({Behaviour::kServe, Behaviour::kServe, Behaviour::kTooMany});
  const LoadResult result = MustRun(Disturbed(server.endpoint(), Pattern::kStorm, 3));
  EXPECT_EQ(Count(result.groups[0], ConnectOutcome::kTooManyConnections), 3U);
  EXPECT_EQ(result.connects_failed(), 0U);
  EXPECT_THAT(result.invalid_reasons, Contains(HasSubstr("3 of 3 connects of group other failed")));
}

std::vector<Slice> Slices(const std::vector<double>& p99_us) {
  std::vector<Slice> slices;
  for (const double p99 : p99_us) {
    Slice slice;
    slice.begin_ns = static_cast<MonotonicNs>(slices.size()) * kSliceNs + kSliceNs;
    slice.in_window = true;
    slice.transactions_ok = p99 > 0 ? 10 : 0;
    slice.latency_us_p99 = p99;
    slices.push_back(slice);
  }
  return slices;
}

VictimResult Recovery(const std::vector<double>& p99_us, int begin_slice, int end_slice) {
  VictimResult result;
  result.begin_ns = (begin_slice + 1) * kSliceNs;
  result.end_ns = (end_slice + 1) * kSliceNs + kSliceNs / 2;
  FindRecovery(Slices(p99_us), result);
  return result;
}

TEST(Victim, RecoveryCountsFromTheDisturbanceToTheLastSliceThatFeltIt) {
  // Slices: 0 and 1 before, disturbed in 2 and 3. The bound is twice the worst of before: 40.
  const VictimResult nothing = Recovery({10, 20, 30, 20, 10, 15, 10}, 2, 3);
  EXPECT_TRUE(nothing.recovered);
  EXPECT_EQ(nothing.recovery_ns, 0);
  const VictimResult felt = Recovery({10, 20, 500, 20, 90, 15, 10, 10}, 2, 3);
  EXPECT_TRUE(felt.recovered);
  EXPECT_EQ(felt.recovery_ns, 3 * kSliceNs);
  // A stall in which nothing ends is felt, too.
  EXPECT_EQ(Recovery({10, 20, 20, 0, 20, 15, 10, 10}, 2, 3).recovery_ns, 2 * kSliceNs);
  const VictimResult never = Recovery({10, 20, 500, 500, 20, 20, 500}, 2, 3);
  EXPECT_FALSE(never.recovered);
  EXPECT_EQ(never.recovery_ns, 5 * kSliceNs);
  EXPECT_FALSE(Recovery({0, 0, 10, 10, 10, 10}, 2, 3).recovered);  // nothing to compare with
}

TEST(Victim, ATransactionThatOverlapsTheDisturbanceBelongsToIt) {
  Disturbance disturbance(2);
  VictimLedger ledger(disturbance);
  ledger.Record(10, 20);
  disturbance.PartBegins(100);
  disturbance.PartBegins(105);
  ledger.Record(90, 99);    // had ended when it began
  ledger.Record(95, 101);   // was under way
  ledger.Record(110, 120);  // in it
  disturbance.PartEnds(130);
  ledger.Record(120, 131);  // one part still disturbs
  disturbance.PartEnds(140);
  EXPECT_EQ(disturbance.end(), 140);
  ledger.Record(139, 500);  // due in it, served long after
  ledger.Record(140, 150);
  VictimResult result;
  ledger.AddTo(result);
  EXPECT_EQ(result.before.count(), 2U);
  EXPECT_EQ(result.during.count(), 4U);
  EXPECT_EQ(result.after.count(), 1U);
  EXPECT_EQ(result.p99_inflation(), 0);  // too few for a p99
}

TEST(Preflight, SaysThatAStormIsLongerThanTheListenQueue) {
  FakeServer server({Behaviour::kSilent});
  std::atomic<bool> stop{true};  // only what is said beforehand
  LoadConfig config = TestConfig(server.endpoint(), Pattern::kStorm, 1);
  config.stop = &stop;
  EXPECT_FALSE(MustRun(config).beyond_backlog);
}

}  // namespace
}  // namespace connbench::load
