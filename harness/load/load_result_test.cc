// Tests: everything one load run found out: a plain struct, and its file form.
#include "harness/load/load_result.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <cstdio>
#include <fstream>
#include <sstream>
#include <string>

namespace connbench::load {
namespace {

using ::testing::HasSubstr;

LoadResult Example() {
  LoadResult result;
  result.workload = "storm \"quoted\"";
  result.pattern = Pattern::kStorm;
  result.protocol_mode = "simple";
  result.connections = 3;
  result.threads = 1;
  result.seed = UINT64_MAX;
  result.window_begin_ns = 1'000'000'000;
  result.window_end_ns = 3'000'000'000;
  result.transactions_all = 4;
  result.transactions_ok = 2;
  result.transactions_failed = 1;
  result.transactions_skipped = 1;
  result.skipped_by_reason[static_cast<size_t>(SkipReason::kUnsent)] = 1;
  result.transactions_sent_in_window = 3;
  result.rate = "1000";
  result.arrival = "poisson";
  for (stats::Histogram* part : {&result.service_time, &result.schedule_lag, &result.client_lag}) {
    part->Record(300);
    part->Record(400);
  }
  result.warmup_state = "unsettled";
  result.transactions_ok_in_window = 2;
  result.transaction_errors["40001"] = 1;
  result.transaction_latency.Record(1000);
  result.transaction_latency.Record(2000);
  result.request_time.Record(7000);
  result.request_time.Record(8000);
  result.requests_in_window_ns = 11;
  result.unserved_in_window_ns = 12;
  result.clients_present_ns = 13;
  result.connects_all = 3;
  result.connects_by_outcome[static_cast<size_t>(ConnectOutcome::kOk)] = 2;
  result.connects_by_outcome[static_cast<size_t>(ConnectOutcome::kTooManyConnections)] = 1;
  result.connect_errors["53300"] = 1;
  result.connect_latency.Record(5000);
  result.connect_latency.Record(6000);
  result.first_connect_ns = 1'000'000'000;
  result.last_ready_ns = 1'500'000'000;
  result.thread_cpu_fractions = {0.25, 0.5};
  result.warnings = {"a", "b"};
  result.clients_to_serve = 4;
  result.clients_served = 4;
  result.all_served_ns = 123;
  result.beyond_backlog = true;
  result.victims.begin_ns = 5;
  result.victims.during = result.transaction_latency;
  result.victims.recovery_ns = 77;
  result.victims.recovered = true;
  result.groups.resize(1);
  result.groups[0].workload = "storm";
  result.groups[0].connects_all = 2;
  result.groups[0].connects_by_outcome[static_cast<size_t>(ConnectOutcome::kBacklogFull)] = 2;
  result.slices.resize(2);
  result.slices[1].transactions_ok = 7;
  result.slices[1].latency_us_p99 = 1.25;
  result.slices[1].in_window = true;
  ConnectionPhases phases;
  phases.client = 2;
  phases.connection_id = 77;
  phases.outcome = ConnectOutcome::kTooManyConnections;
  phases.in_window = true;
  phases.connect_begin_ns = 123456789012345;
  phases.ended_ns = 5;
  result.phases.push_back(phases);
  return result;
}

class LoadResultFile : public ::testing::Test {
 protected:
  void SetUp() override {
    char name[] = "/tmp/connbench_result_XXXXXX";
    const int fd = mkstemp(name);
    ASSERT_GE(fd, 0);
    close(fd);
    path_ = name;
  }
  void TearDown() override {
    std::remove(path_.c_str());
    std::remove((path_ + ".phases.csv").c_str());
  }
  std::string Text() const {
    std::ostringstream text;
    text << std::ifstream(path_).rdbuf();
    return text.str();
  }
  void Replace(const std::string& from, const std::string& to) const {
    std::string text = Text();
    const size_t at = text.find(from);
    ASSERT_NE(at, std::string::npos) << from;
    text.replace(at, from.size(), to);
    std::ofstream(path_) << text;
  }
  std::string path_;
};

TEST_F(LoadResultFile, ComesBackAsItWasWritten) {
  const LoadResult result = Example();
  ASSERT_TRUE(result.Check().ok()) << result.Check().ToString();
  ASSERT_TRUE(WriteLoadResult(result, path_).ok());
  const auto back = ReadLoadResult(path_);
  ASSERT_TRUE(back.ok()) << back.status().ToString();
  EXPECT_TRUE(back->Check().ok());
  EXPECT_EQ(back->workload, result.workload);
  EXPECT_EQ(back->seed, result.seed);
  EXPECT_EQ(back->transaction_errors, result.transaction_errors);
  EXPECT_EQ(back->connect_errors, result.connect_errors);
  EXPECT_EQ(back->connects_by_outcome, result.connects_by_outcome);
  EXPECT_TRUE(back->transaction_latency == result.transaction_latency);
  EXPECT_TRUE(back->request_time == result.request_time);
  EXPECT_EQ(back->requests_in_window_ns, 11);
  EXPECT_EQ(back->unserved_in_window_ns, 12);
  EXPECT_EQ(back->clients_present_ns, 13);
  EXPECT_FALSE(back->closed_loop);
  EXPECT_TRUE(back->connect_latency == result.connect_latency);
  EXPECT_TRUE(back->service_time == result.service_time);
  EXPECT_TRUE(back->schedule_lag == result.schedule_lag);
  EXPECT_EQ(back->skipped_by_reason, result.skipped_by_reason);
  EXPECT_EQ(back->warmup_state, "unsettled");
  EXPECT_DOUBLE_EQ(back->offered_tps(), 2.0);
  EXPECT_DOUBLE_EQ(back->sent_fraction(), 0.75);
  EXPECT_EQ(back->thread_cpu_fractions, result.thread_cpu_fractions);
  EXPECT_EQ(back->warnings, result.warnings);
  EXPECT_DOUBLE_EQ(back->throughput_tps(), 1.0);
  EXPECT_DOUBLE_EQ(back->connects_per_s(), 4.0);
  EXPECT_EQ(back->all_served_ns, 123);
  EXPECT_TRUE(back->beyond_backlog);
  EXPECT_EQ(back->victims.begin_ns, 5);
  EXPECT_EQ(back->victims.during.count(), result.victims.during.count());
  EXPECT_EQ(back->victims.recovery_ns, 77);
  EXPECT_TRUE(back->victims.recovered);
  ASSERT_EQ(back->groups.size(), 1U);
  EXPECT_EQ(back->groups[0].workload, "storm");
  EXPECT_EQ(back->groups[0].connects_by_outcome, result.groups[0].connects_by_outcome);
  ASSERT_EQ(back->slices.size(), 2U);
  EXPECT_EQ(back->slices[1].transactions_ok, 7U);
  EXPECT_TRUE(back->slices[1].in_window);
  EXPECT_DOUBLE_EQ(back->slices[1].latency_us_p99, 1.25);
  ASSERT_EQ(back->phases.size(), 1U);
  EXPECT_EQ(back->phases[0].connection_id, 77U);
  EXPECT_EQ(back->phases[0].outcome, ConnectOutcome::kTooManyConnections);
  EXPECT_EQ(back->phases[0].connect_begin_ns, 123456789012345);
  EXPECT_TRUE(back->phases[0].in_window);
}

TEST_F(LoadResultFile, DamageIsAnErrorThatNamesTheField) {
  ASSERT_TRUE(WriteLoadResult(Example(), path_).ok());
  Replace("\"transactions_ok\"", "\"transactions_oh\"");
  EXPECT_THAT(ReadLoadResult(path_).status().ToString(), HasSubstr("transactions_ok"));
  ASSERT_TRUE(WriteLoadResult(Example(), path_).ok());
  Replace("\"version\": " + std::to_string(kLoadResultVersion), "\"version\": 99");
  EXPECT_THAT(ReadLoadResult(path_).status().ToString(), HasSubstr("version 99"));
  std::ofstream(path_) << "{ \"version\" : 1,";
  EXPECT_FALSE(ReadLoadResult(path_).ok());
  ASSERT_TRUE(WriteLoadResult(Example(), path_).ok());
  std::ofstream(path_ + ".phases.csv", std::ios::app) << "1,2,nonsense,1\n";
  EXPECT_THAT(ReadLoadResult(path_).status().ToString(), HasSubstr(".phases.csv:3"));
  EXPECT_FALSE(ReadLoadResult("/nonexistent/x").ok());
  EXPECT_FALSE(WriteLoadResult(Example(), "/nonexistent/x").ok());
}

TEST(LoadResultCheck, NoticesWhatIsLostOrCountedTwice) {
  LoadResult result = Example();
  ++result.transactions_ok;
  EXPECT_THAT(result.Check().ToString(), HasSubstr("all 4 is not ok 3 + failed 1 + skipped 1"));
  result = Example();
  ++result.connects_by_outcome[static_cast<size_t>(ConnectOutcome::kReset)];
  EXPECT_THAT(result.Check().ToString(), HasSubstr("3 attempts, but 4 outcomes"));
  result = Example();
  result.transaction_latency.Record(1);
  EXPECT_THAT(result.Check().ToString(), HasSubstr("3 latencies for 2 transactions"));
  result = Example();
  result.request_time.Record(1);
  EXPECT_THAT(result.Check().ToString(), HasSubstr("3 request times for 2 transactions"));
  result = Example();
  result.connect_latency.Record(1);
  EXPECT_THAT(result.Check().ToString(), HasSubstr("3 connect latencies for 2 connects"));
  result = Example();
  result.skipped_by_reason[static_cast<size_t>(SkipReason::kLate)] = 1;
  EXPECT_THAT(result.Check().ToString(), HasSubstr("1 transactions skipped, for 2 reasons"));
  result = Example();
  result.service_time.Record(1);
  EXPECT_THAT(result.Check().ToString(), HasSubstr("3 service times or lags for 2 transactions"));
  result = Example();
  result.transactions_ok_in_window = 3;
  EXPECT_FALSE(result.Check().ok());
}

TEST(LittlesLaw, IsClientsOverThroughputBesideTheMeanRequest) {
  LoadResult result;
  result.closed_loop = true;
  result.window_end_ns = 10 * kNanosecondsPerSecond;
  result.transactions_ok_in_window = 19;
  result.transactions_ok_share_at_end = 0.5;
  EXPECT_FALSE(result.littles_law()) << "no request took any time";
  result.clients_present_ns = 20 * kNanosecondsPerSecond;  // two clients
  result.unserved_in_window_ns = kNanosecondsPerSecond / 2;
  result.requests_in_window_ns = 39 * kNanosecondsPerSecond / 2;
  const auto law = result.littles_law();
  ASSERT_TRUE(law);
  EXPECT_DOUBLE_EQ(law->clients, 1.95);
  EXPECT_DOUBLE_EQ(law->clients_over_throughput_ns, 1e9);
  EXPECT_DOUBLE_EQ(law->mean_request_ns, 1e9);
  result.closed_loop = false;
  EXPECT_FALSE(result.littles_law());
}

TEST(Outcomes, HaveNamesAndMeanings) {
  for (size_t i = 0; i < kConnectOutcomes; ++i) {
    const auto outcome = static_cast<ConnectOutcome>(i);
    EXPECT_EQ(ConnectOutcomeByName(Name(outcome)), outcome);
    EXPECT_FALSE(kConnectOutcomeMeanings[i].empty());
  }
  EXPECT_FALSE(ConnectOutcomeByName("nothing").has_value());
  EXPECT_EQ(OutcomeOfErrno(EADDRNOTAVAIL), ConnectOutcome::kNoPorts);
  EXPECT_EQ(OutcomeOfErrno(EAGAIN), ConnectOutcome::kBacklogFull);
  EXPECT_EQ(OutcomeOfErrno(ETIMEDOUT), ConnectOutcome::kTimedOut);
  EXPECT_EQ(OutcomeOfErrno(EMFILE), ConnectOutcome::kClientError);
  EXPECT_EQ(OutcomeOfSqlstate("28000"), ConnectOutcome::kAuthenticationFailed);
  EXPECT_EQ(OutcomeOfSqlstate("3D000"), ConnectOutcome::kServerError);
}

}  // namespace
}  // namespace connbench::load
