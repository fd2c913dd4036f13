// Whole runs of the load generator against servers that behave, and that do not.
#include "harness/load/generator.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <string>
#include <thread>
#include <vector>

#include "harness/load/testing/fake_server.h"
#include "harness/load/testing/load_fixture.h"
#include "harness/load/worker.h"

namespace connbench::load {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

// A port of loopback at which nobody listens, and which nobody else gets meanwhile.
class Nobody {
 public:
  Nobody() : fd_(socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)) {
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    socklen_t length = sizeof(address);
    EXPECT_EQ(bind(fd_, reinterpret_cast<sockaddr*>(&address), length), 0);
    EXPECT_EQ(getsockname(fd_, reinterpret_cast<sockaddr*>(&address), &length), 0);
    endpoint_.port = ntohs(address.sin_port);
  }
  ~Nobody() { close(fd_); }
  Nobody(const Nobody&) = delete;
  Nobody& operator=(const Nobody&) = delete;

  const Endpoint& endpoint() const { return endpoint_; }

 private:
  const int fd_;
  Endpoint endpoint_;
};

TEST(Generator, StormHoldsAllConnectionsAndStampsEveryPhase) {
  FakeServer server({Behaviour::kServe});
  constexpr int kConnections = 40;
  for (const int threads : {1, 3}) {
    LoadConfig config = TestConfig(server.endpoint(), Pattern::kStorm, kConnections);
    config.threads = threads;
    const LoadResult result = MustRun(config);
    EXPECT_EQ(result.connects_ok(), uint64_t{kConnections});
    EXPECT_EQ(result.transactions_ok, uint64_t{kConnections});
    EXPECT_EQ(result.connections_held_max, kConnections);
    EXPECT_EQ(result.first_row_latency.count(), uint64_t{kConnections});
    ASSERT_EQ(result.phases.size(), size_t{kConnections});
    std::vector<uint32_t> clients;
    for (const ConnectionPhases& p : result.phases) {
      clients.push_back(p.client);
      EXPECT_EQ(p.outcome, ConnectOutcome::kOk);
      EXPECT_TRUE(p.in_window);
      EXPECT_NE(p.connection_id, 0U);
      EXPECT_LE(result.window_begin_ns, p.connect_begin_ns);
      EXPECT_LE(p.connect_begin_ns, p.connect_end_ns);
      EXPECT_LE(p.connect_end_ns, p.startup_sent_ns);
      EXPECT_LE(p.startup_sent_ns, p.authenticated_ns);
      EXPECT_LE(p.authenticated_ns, p.ready_ns);
      EXPECT_LE(p.ready_ns, p.first_query_ns);
      EXPECT_LE(p.first_query_ns, p.first_row_ns);
      EXPECT_LE(p.first_row_ns, p.ended_ns);
    }
    std::sort(clients.begin(), clients.end());
    for (uint32_t i = 0; i < kConnections; ++i) EXPECT_EQ(clients[i], i);
    uint64_t in_slices = 0;
    for (const Slice& slice : result.slices) in_slices += slice.connects_ok;
    EXPECT_EQ(in_slices, uint64_t{kConnections});
    EXPECT_GT(result.connects_per_s(), 0);
  }
}

// Connects and transactions that ended in the window, by its slices.
std::pair<uint64_t, uint64_t> InSlices(const LoadResult& result) {
  std::pair<uint64_t, uint64_t> sums;
  MonotonicNs expected = result.window_begin_ns;
  for (const Slice& slice : result.slices) {
    if (!slice.in_window) continue;
    EXPECT_EQ(slice.begin_ns, expected);  // from the window's begin, without gaps
    expected += kSliceNs;
    sums.first += slice.connects_ok;
    sums.second += slice.transactions_ok;
  }
  return sums;
}

TEST(Generator, SlicesOfTheWindowAddUpToWhatEndedInIt) {
  for (const Behaviour behaviour : {Behaviour::kServe, Behaviour::kServeSlowly}) {
    for (const Pattern pattern :
         {Pattern::kStorm, Pattern::kSteady, Pattern::kChurn, Pattern::kIdle}) {
      for (const bool timed : {true, false}) {
        FakeServer server({behaviour});
        LoadConfig config = TestConfig(server.endpoint(), pattern, 5);
        config.threads = 2;
        config.workload.active = 3;
        config.workload.duration_ns = 250 * kNanosecondsPerMillisecond;
        config.workload.warmup_ns = 130 * kNanosecondsPerMillisecond;
        const bool counted = pattern == Pattern::kSteady || pattern == Pattern::kIdle;
        if (!timed && counted) config.transactions_per_client = 8;
        const LoadResult result = MustRun(config);
        const auto [connects, transactions] = InSlices(result);
        EXPECT_EQ(transactions, result.transactions_ok_in_window) << Name(pattern);
        EXPECT_EQ(connects, counted ? 0 : result.connects_ok_in_window) << Name(pattern);
        if (pattern == Pattern::kStorm) {
          EXPECT_EQ(connects, result.connects_ok());
        }
        uint64_t all = 0;
        for (const Slice& slice : result.slices) all += slice.transactions_ok;
        EXPECT_EQ(all, result.transactions_ok + result.warmup_transactions) << Name(pattern);
      }
    }
  }
}

TEST(Generator, EveryFailureOfAConnectHasItsOutcome) {
  const std::pair<Behaviour, ConnectOutcome> cases[] = {
      {Behaviour::kSilent, ConnectOutcome::kDeadline},
      {Behaviour::kReset, ConnectOutcome::kReset},
      {Behaviour::kClose, ConnectOutcome::kReset},
      {Behaviour::kGarbage, ConnectOutcome::kProtocolError},
      {Behaviour::kTooMany, ConnectOutcome::kTooManyConnections},
      {Behaviour::kNotYet, ConnectOutcome::kCannotConnectNow},
      {Behaviour::kWantsPassword, ConnectOutcome::kAuthenticationFailed},
      {Behaviour::kBadPassword, ConnectOutcome::kAuthenticationFailed},
      {Behaviour::kInternal, ConnectOutcome::kServerError},
  };
  for (const auto& [behaviour, outcome] : cases) {
    for (const Pattern pattern : {Pattern::kStorm, Pattern::kSteady, Pattern::kIdle}) {
      FakeServer server({behaviour});
      LoadConfig config = TestConfig(server.endpoint(), pattern, 5);
      config.connect_timeout_ns = 200 * kNanosecondsPerMillisecond;
      const LoadResult result = MustRun(config);
      EXPECT_EQ(Count(result, outcome), 5U) << Name(outcome) << ": " << result.first_error;
      EXPECT_EQ(result.connects_all, 5U);
      EXPECT_EQ(result.connects_ok(), 0U);
      EXPECT_EQ(result.transactions_all, 0U);
      EXPECT_EQ(result.phases.size(), 5U);
      EXPECT_FALSE(result.first_error.empty());
    }
  }
}

TEST(Generator, NobodyListening) {
  const Nobody nobody;
  const LoadResult result = MustRun(TestConfig(nobody.endpoint(), Pattern::kStorm, 3));
  EXPECT_EQ(Count(result, ConnectOutcome::kRefused), 3U);
  EXPECT_THAT(result.first_error, HasSubstr("Connection refused"));
  Endpoint missing;
  missing.host = "/nonexistent";
  const LoadResult local = MustRun(TestConfig(missing, Pattern::kSteady, 2));
  EXPECT_EQ(Count(local, ConnectOutcome::kRefused), 2U);
}

TEST(Generator, ChurnAgainstNobodyNeitherSpinsNorHangs) {
  const Nobody nobody;
  LoadConfig config = TestConfig(nobody.endpoint(), Pattern::kChurn, 2);
  const LoadResult result = MustRun(config);
  EXPECT_GT(Count(result, ConnectOutcome::kRefused), 0U);
  EXPECT_EQ(result.connects_ok(), 0U);
  // 2 clients, 100 ms, one attempt per 10 ms: the pause is what bounds it.
  EXPECT_LE(result.connects_all,
            2 * static_cast<uint64_t>(config.workload.duration_ns / kReconnectPauseNs + 2));
}

TEST(Generator, PartOfACrowdFailsAndTheRestGoesOn) {
  FakeServer server({Behaviour::kServe, Behaviour::kTooMany, Behaviour::kServe, Behaviour::kReset,
                     Behaviour::kServe});
  const LoadResult result = MustRun(TestConfig(server.endpoint(), Pattern::kSteady, 5));
  EXPECT_EQ(result.connects_ok(), 3U);
  EXPECT_EQ(Count(result, ConnectOutcome::kTooManyConnections), 1U);
  EXPECT_EQ(Count(result, ConnectOutcome::kReset), 1U);
  EXPECT_EQ(result.connect_errors.at("53300"), 1U);
  EXPECT_GT(result.transactions_ok, 0U);
  EXPECT_EQ(result.connections_held_max, 3);
}

TEST(Generator, SteadyInEveryProtocolMode) {
  for (const ProtocolMode mode :
       {ProtocolMode::kSimple, ProtocolMode::kExtended, ProtocolMode::kPrepared}) {
    FakeServer server({Behaviour::kServe});
    LoadConfig config = TestConfig(server.endpoint(), Pattern::kSteady, 3);
    config.workload.protocol = mode;
    config.transactions_per_client = 10;
    const LoadResult result = MustRun(config);
    EXPECT_EQ(result.transactions_ok, 30U);
    EXPECT_EQ(result.transactions_ok_in_window, 30U);
    EXPECT_GT(result.throughput_tps(), 0);
    const bool simple = mode == ProtocolMode::kSimple;
    EXPECT_EQ(server.Received('Q'), simple ? 30 : 0);
    EXPECT_EQ(server.Received('E'), simple ? 0 : 30);
    EXPECT_EQ(server.Received('D'), simple ? 0 : 30);
    EXPECT_EQ(server.Received('S'), simple ? 0 : 30);
    // Prepared: parsed once per connection.
    EXPECT_EQ(server.Received('P'), simple ? 0 : mode == ProtocolMode::kPrepared ? 3 : 30);
    server.WaitUntilClosed();
    EXPECT_EQ(server.Received('X'), 3);
  }
}

TEST(Generator, WarmUpIsInNoFigure) {
  FakeServer server({Behaviour::kServeSlowly});
  LoadConfig config = TestConfig(server.endpoint(), Pattern::kSteady, 2);
  config.workload.warmup_ns = 100 * kNanosecondsPerMillisecond;
  config.transactions_per_client = 2;
  const LoadResult result = MustRun(config);
  EXPECT_GT(result.warmup_transactions, 0U);
  EXPECT_EQ(result.transactions_all, 4U);
  EXPECT_EQ(result.transaction_latency.count(), 4U);
  EXPECT_EQ(static_cast<uint64_t>(server.Received('Q')), result.warmup_transactions + 4);
}

TEST(Generator, TheBusiestThreadSpeaksForTheClient) {
  // A client each: the first thread's is answered at once, the second's every 20 ms.
  FakeServer server({Behaviour::kServe, Behaviour::kServeSlowly});
  LoadConfig config = TestConfig(server.endpoint(), Pattern::kSteady, 2);
  config.threads = 2;
  const LoadResult result = MustRun(config);
  ASSERT_EQ(result.thread_cpu_fractions.size(), 2U);
  EXPECT_NE(result.thread_cpu_fractions[0], result.thread_cpu_fractions[1]);
  EXPECT_EQ(result.client_cpu_fraction, *std::max_element(result.thread_cpu_fractions.begin(),
                                                          result.thread_cpu_fractions.end()));
}

TEST(Generator, CountsWhatEndsAfterTheWindowButNotInItsThroughput) {
  FakeServer server({Behaviour::kServeSlowly});
  LoadConfig config = TestConfig(server.endpoint(), Pattern::kSteady, 4);
  config.workload.duration_ns = 50 * kNanosecondsPerMillisecond;
  const LoadResult result = MustRun(config);
  EXPECT_EQ(result.transactions_all, result.transactions_ok);
  EXPECT_GE(result.transactions_ok, 4U);
  EXPECT_LT(result.transactions_ok_in_window, result.transactions_ok);
  EXPECT_GE(result.transaction_latency.min(), 20 * kNanosecondsPerMillisecond);
}

TEST(Generator, ChurnConnectsAnewForEveryFewTransactions) {
  FakeServer server({Behaviour::kServe});
  LoadConfig config = TestConfig(server.endpoint(), Pattern::kChurn, 2);
  config.workload.duration_ns = kNanosecondsPerSecond;  // for a busy machine to come round in
  config.workload.transactions_per_connection = 3;
  const LoadResult result = MustRun(config);
  EXPECT_GT(result.connects_ok(), 2U);
  EXPECT_EQ(result.connects_failed(), 0U);
  EXPECT_LE(result.transactions_ok, result.connects_ok() * 3);
  EXPECT_GE(result.transactions_ok + 2 * 3, result.connects_ok() * 3);
  EXPECT_EQ(result.phases.size(), result.connects_all);
  EXPECT_EQ(static_cast<uint64_t>(server.accepted()), result.connects_all);
  EXPECT_EQ(result.connections_lost, 0U);
}

TEST(Generator, IdleClimbsItsLadderAndOnlyTheActiveOnesWork) {
  FakeServer server({Behaviour::kServe});
  LoadConfig config = TestConfig(server.endpoint(), Pattern::kIdle, 12);
  config.workload.ladder = {8, 4};
  config.workload.active = 2;
  config.transactions_per_client = 5;
  const LoadResult result = MustRun(config);
  EXPECT_EQ(result.connects_ok(), 12U);
  EXPECT_EQ(result.transactions_ok, 10U);
  EXPECT_EQ(server.Received('Q'), 10);
  server.WaitUntilClosed();
  EXPECT_EQ(server.Received('X'), 12);
}

TEST(Generator, AWindowInWhichNobodyIsActiveIsLongAndCostsNothing) {
  FakeServer server({Behaviour::kServe});
  LoadConfig config = TestConfig(server.endpoint(), Pattern::kIdle, 4);
  config.workload.active = 0;
  config.workload.duration_ns = 50 * kNanosecondsPerMillisecond;
  const LoadResult result = MustRun(config);
  EXPECT_GE(result.window_end_ns - result.window_begin_ns, config.workload.duration_ns);
  EXPECT_EQ(result.client_cpu_fraction, 0);
  EXPECT_TRUE(result.invalid_reasons.empty()) << "its threads had nothing to be busy with";
}

TEST(Generator, WorksOverUnixSockets) {
  FakeServer server({Behaviour::kServe}, true);
  LoadConfig config = TestConfig(server.endpoint(), Pattern::kSteady, 3);
  config.transactions_per_client = 5;
  EXPECT_EQ(MustRun(config).transactions_ok, 15U);
}

TEST(Generator, FailedTransactionsAreCountedOnceAndTheClientGoesOn) {
  FakeServer server({Behaviour::kServe});
  LoadConfig config = TestConfig(server.endpoint(), Pattern::kSteady, 2);
  config.workload.scripts = {{"t.sql", "SELECT 1;\nSELECT 'fail';\nSELECT 2;", 1}};
  config.transactions_per_client = 4;
  const LoadResult result = MustRun(config);
  EXPECT_EQ(result.transactions_all, 8U);
  EXPECT_EQ(result.transactions_failed, 8U);
  EXPECT_EQ(result.transaction_errors.at("22012"), 8U);
  EXPECT_EQ(server.Received('Q'), 16);  // what follows the failure is not sent
  EXPECT_THAT(result.first_error, HasSubstr("it failed [22012]"));
}

TEST(Generator, RollsAFailedTransactionBack) {
  FakeServer server({Behaviour::kConflict});
  for (const ProtocolMode mode : {ProtocolMode::kSimple}) {
    LoadConfig config = TestConfig(server.endpoint(), Pattern::kSteady, 1);
    config.workload.protocol = mode;
    config.workload.scripts = {{"t.sql", "BEGIN;\nUPDATE t;\nEND;", 1}};
    config.transactions_per_client = 3;
    const LoadResult result = MustRun(config);
    EXPECT_EQ(result.transaction_errors.at("40001"), 3U);
    EXPECT_EQ(server.Received('Q'), 9);  // BEGIN, UPDATE, ROLLBACK, three times
  }
}

TEST(Generator, AStatementThatCanNeverWorkEndsItsClientEarly) {
  FakeServer server({Behaviour::kServe});
  LoadConfig config = TestConfig(server.endpoint(), Pattern::kSteady, 2);
  config.workload.scripts = {{"t.sql", "SELECT nonsense;", 1}};
  config.workload.duration_ns = 3600 * kNanosecondsPerSecond;  // it must not last that long
  const LoadResult result = MustRun(config);
  EXPECT_EQ(result.transactions_failed, 2U);
  EXPECT_EQ(result.transaction_errors.at("42601"), 2U);
}

TEST(Generator, LostConnectionsAreCountedApart) {
  FakeServer server({Behaviour::kDiesInQuery});
  LoadConfig config = TestConfig(server.endpoint(), Pattern::kSteady, 3);
  const LoadResult result = MustRun(config);
  EXPECT_EQ(result.connects_ok(), 3U);
  EXPECT_EQ(result.connections_lost, 3U);
  EXPECT_EQ(result.transactions_all, 3U);
  EXPECT_EQ(result.transaction_errors.at("connection_lost"), 3U);
}

TEST(Generator, AStatementThatHangsMeetsItsDeadline) {
  for (const Pattern pattern : {Pattern::kSteady, Pattern::kStorm, Pattern::kChurn}) {
    FakeServer server({Behaviour::kHangsInQuery});
    LoadConfig config = TestConfig(server.endpoint(), pattern, 2);
    config.statement_timeout_ns = 150 * kNanosecondsPerMillisecond;
    config.workload.duration_ns = 2 * kNanosecondsPerSecond;  // for a busy machine to begin in
    const LoadResult result = MustRun(config);
    EXPECT_EQ(result.transactions_ok, 0U);
    EXPECT_GE(result.transaction_errors.at("deadline"), 2U);
  }
}

TEST(Generator, ScriptErrorsFailTheTransactionNotTheProgram) {
  FakeServer server({Behaviour::kServe});
  LoadConfig config = TestConfig(server.endpoint(), Pattern::kSteady, 1);
  config.workload.scripts = {{"t.sql", "\\set z 0\n\\set a 1 / :z\nSELECT :a;", 1}};
  const LoadResult result = MustRun(config);
  EXPECT_EQ(result.transaction_errors.at("script"), 1U);
  EXPECT_THAT(result.first_error, HasSubstr("t.sql:2: division by zero"));
}

TEST(Generator, ScriptsWithoutSqlGiveWayAndEnd) {
  FakeServer server({Behaviour::kServe});
  LoadConfig config = TestConfig(server.endpoint(), Pattern::kSteady, 3);
  config.workload.scripts = {{"t.sql", "\\set a 1", 1}};
  const LoadResult result = MustRun(config);
  EXPECT_GT(result.transactions_ok, 0U);
  config.workload.scripts = {{"t.sql", "\\sleep 20 ms\nSELECT 1;", 1}};
  config.transactions_per_client = 2;
  const LoadResult slept = MustRun(config);
  EXPECT_EQ(slept.transactions_ok, 6U);
  EXPECT_GE(slept.transaction_latency.min(), 20 * kNanosecondsPerMillisecond);
}

TEST(Generator, GsetFeedsTheNextStatement) {
  FakeServer server({Behaviour::kServe});
  LoadConfig config = TestConfig(server.endpoint(), Pattern::kSteady, 1);
  config.workload.scripts = {
      {"t.sql", "SELECT x\\gset\n\\if :x = 1\nSELECT 'good';\n\\else\nSELECT 'fail';\n\\endif", 1}};
  config.transactions_per_client = 3;
  EXPECT_EQ(MustRun(config).transactions_ok, 3U);
}

TEST(Generator, StopEndsEveryPatternSoon) {
  for (const Pattern pattern :
       {Pattern::kStorm, Pattern::kSteady, Pattern::kChurn, Pattern::kIdle}) {
    for (const Behaviour behaviour :
         {Behaviour::kServe, Behaviour::kSilent, Behaviour::kHangsInQuery}) {
      FakeServer server({behaviour});
      LoadConfig config = TestConfig(server.endpoint(), pattern, 3);
      config.workload.duration_ns = 3600 * kNanosecondsPerSecond;
      config.workload.active = 1;
      config.hold_ns = 3600 * kNanosecondsPerSecond;
      std::atomic<bool> stop{false};
      config.stop = &stop;
      std::thread stopper([&stop] {
        usleep(100'000);
        stop = true;
      });
      const MonotonicNs began = MonotonicNow();
      const LoadResult result = MustRun(config);
      stopper.join();
      EXPECT_TRUE(result.interrupted);
      // The grace, and a generous allowance for a busy machine.
      EXPECT_LT(MonotonicNow() - began, 60 * kNanosecondsPerSecond);
    }
  }
}

std::vector<std::string> EventsOf(Pattern pattern) {
  FakeServer server({Behaviour::kServe});
  LoadConfig config = TestConfig(server.endpoint(), pattern, 6);
  config.workload.duration_ns = 20 * kNanosecondsPerMillisecond;
  config.workload.ladder = {2, 4};
  config.workload.active = 1;
  FakeHarness harness;
  config.control_fd = harness.fd();
  EXPECT_FALSE(MustRun(config).interrupted);
  return harness.Finish();
}

TEST(Control, EventsOfEveryPatternInOrder) {
  EXPECT_THAT(EventsOf(Pattern::kStorm), ElementsAre("begin 0", "held 6", "end 6", "closed 0"));
  EXPECT_THAT(EventsOf(Pattern::kChurn), ElementsAre("begin 0", "end 0", "closed 0"));
  EXPECT_THAT(EventsOf(Pattern::kSteady), ElementsAre("held 6", "begin 6", "end 6", "closed 0"));
  EXPECT_THAT(EventsOf(Pattern::kIdle),
              ElementsAre("held 2", "held 4", "held 6", "begin 6", "end 6", "closed 0"));
}

TEST(Control, AHarnessThatIsGoneEndsTheRun) {
  for (const Pattern pattern : {Pattern::kStorm, Pattern::kChurn, Pattern::kSteady}) {
    FakeServer server({Behaviour::kServe});
    LoadConfig config = TestConfig(server.endpoint(), pattern, 3);
    config.workload.duration_ns = 3600 * kNanosecondsPerSecond;
    FakeHarness harness({}, 1);
    config.control_fd = harness.fd();
    EXPECT_TRUE(MustRun(config).interrupted);
    EXPECT_EQ(harness.Finish().size(), 1U);
  }
}

TEST(Generator, RefusesWhatCannotRun) {
  const Nobody nobody;
  const auto error = [](LoadConfig config) {
    const auto result = RunLoad(config);
    return result.ok() ? std::string("ran") : result.status().ToString();
  };
  const LoadConfig good = TestConfig(nobody.endpoint(), Pattern::kSteady, 1);
  LoadConfig config = good;
  config.workload.connections = 0;
  EXPECT_THAT(error(config), HasSubstr("0 connections"));
  config = good;
  config.threads = 0;
  EXPECT_THAT(error(config), HasSubstr("0 threads"));
  config = good;
  config.workload.scripts.clear();
  EXPECT_THAT(error(config), HasSubstr("no script"));
  config = good;
  config.endpoint.port = 0;
  EXPECT_THAT(error(config), HasSubstr("0 is no port"));
  config = good;
  config.endpoint.host = "no.such.host.invalid";
  EXPECT_THAT(error(config), HasSubstr("is not known"));
  config = good;
  config.source_addresses = 1;
  config.workload.connections = kMaxConnections;
  EXPECT_THAT(error(config),
              testing::AnyOf(HasSubstr("RLIMIT_NOFILE"), HasSubstr("ip_local_port_range")));
}

TEST(Generator, ConnectsFromSeveralAddresses) {
  FakeServer server({Behaviour::kServe});
  LoadConfig config = TestConfig(server.endpoint(), Pattern::kStorm, 9);
  config.source_addresses = 3;
  const LoadResult result = MustRun(config);
  EXPECT_EQ(result.connects_ok(), 9U);
  EXPECT_FALSE(result.warnings.empty());
}

}  // namespace
}  // namespace connbench::load
