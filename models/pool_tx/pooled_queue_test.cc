// Clients that wait for a backend, that leave, or that do not read what they asked for: nobody else
// waits for them longer than a setting says.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <chrono>
#include <string>
#include <thread>

#include "models/pool_tx/testing/pooled_client_test_base.h"

namespace connbench::models::testing {
namespace {

using std::chrono_literals::operator""ms;

class PooledQueueTest : public PooledClientTest {
 protected:
  // How many clients of the pool are in that state, asked by somebody for whom there is a backend.
  int64_t InState(RawClient& observer, std::string_view state) {
    return std::stoll(Value(
        observer,
        "select count(*) from connbench_pool_clients where state = '" + std::string(state) + "'"));
  }
  // Waits for the state, which nothing announces.
  void AwaitState(RawClient& observer, std::string_view state, int64_t clients) {
    for (int i = 0; i < 1000 && InState(observer, state) != clients; ++i) {
      std::this_thread::sleep_for(5ms);
    }
    EXPECT_EQ(InState(observer, state), clients) << state;
  }
};

constexpr PoolLimits kTransactions{.mode = PoolMode::kTransaction};

TEST_F(PooledQueueTest, AClientDoesNotWaitForEver) {
  Open({.mode = PoolMode::kTransaction, .query_wait_timeout_ns = 50'000'000}, 1);
  const auto a = Client();
  const auto b = Client();
  EXPECT_EQ(Run(*a, "begin"), "CZ");
  b->Send(Query("select 1"));
  EXPECT_EQ(b->Until('Z'), "E");
  EXPECT_EQ(b->error_code(), "53300");
  EXPECT_TRUE(b->UntilClosed());
  EXPECT_EQ(Run(*a, "commit"), "CZ");
  EXPECT_EQ(Value(*Client(), "select 2"), "2");
}

TEST_F(PooledQueueTest, WhatAClientThatLeftHadAskedForNeverRuns) {
  Open(kTransactions, 1, /*reserve=*/1);
  const auto observer = Client("postgres");
  const auto a = Client();
  EXPECT_EQ(Run(*a, "create table t (a int)"), "CZ");
  EXPECT_EQ(Run(*a, "begin"), "CZ");
  auto b = Client();
  b->Send(Query("insert into t values (1)"));
  const auto c = Client();
  c->Send(Query("select count(*) from t"));
  AwaitState(*observer, "waiting", 2);
  b.reset();
  AwaitState(*observer, "waiting", 1);
  EXPECT_EQ(Run(*a, "commit"), "CZ");
  EXPECT_EQ(c->Until('Z'), "TDCZ");
  EXPECT_EQ(c->first_value(), "0");
  EXPECT_EQ(Value(*a, "select count(*) from t"), "0");
}

TEST_F(PooledQueueTest, ACancelledClientLeavesTheLine) {
  Open(kTransactions, 1, /*reserve=*/1);
  const auto observer = Client("postgres");
  const auto a = Client();
  const auto b = Client();
  EXPECT_EQ(Run(*a, "create table t (a int)"), "CZ");
  EXPECT_EQ(Run(*a, "begin"), "CZ");
  b->Send(Query("insert into t values (1)"));
  AwaitState(*observer, "waiting", 1);
  // Who does not wait has nothing to be cancelled.
  for (const RawClient* client : {observer.get(), b.get()}) {
    RawClient canceller(rig_->path());
    canceller.Send(client->CancelRequest());
    EXPECT_TRUE(canceller.UntilClosed());
  }
  EXPECT_EQ(b->Until('Z'), "EZ");
  EXPECT_EQ(b->error_code(), "57014");
  AwaitState(*observer, "waiting", 0);
  EXPECT_EQ(Run(*a, "commit"), "CZ");
  EXPECT_EQ(Value(*a, "select count(*) from t"), "0");
  EXPECT_EQ(Value(*b, "select 3"), "3") << "its session goes on";
}

TEST_F(PooledQueueTest, ACancelledBatchIsSkippedUpToItsSync) {
  Open(kTransactions, 1, /*reserve=*/1);
  const auto observer = Client("postgres");
  const auto a = Client();
  const auto b = Client();
  b->Send(Parse("kept", "select 4") + Parse("", "select 5") + Sync());
  EXPECT_EQ(b->Until('Z'), "11Z");
  EXPECT_EQ(Run(*a, "create table t (a int)"), "CZ");
  EXPECT_EQ(Run(*a, "begin"), "CZ");
  b->Send(Parse("", "insert into t values (1)") + Bind("", "") + Execute(""));
  AwaitState(*observer, "waiting", 1);
  RawClient canceller(rig_->path());
  canceller.Send(b->CancelRequest());
  EXPECT_EQ(b->Until('E'), "E");
  EXPECT_EQ(b->error_code(), "57014");
  b->Send(Query("select 6") + Bind("", "kept") + Sync());  // a Query, too, is of the batch
  EXPECT_EQ(b->Until('Z'), "Z");
  EXPECT_EQ(Run(*a, "commit"), "CZ");
  EXPECT_EQ(Value(*a, "select count(*) from t"), "0");
  EXPECT_EQ(Use(*b, "kept"), "2DCZ");
  // A Parse that failed takes the unnamed statement with it.
  EXPECT_EQ(Use(*b, ""), "EZ");
  EXPECT_EQ(b->error_code(), "26000");
}

TEST_F(PooledQueueTest, WhatAClientThatLeftHadRunningIsCancelled) {
  Open(kTransactions, 1);
  auto a = Client();
  a->Send(Query("select pg_sleep(1000)"));
  std::this_thread::sleep_for(20ms);  // it runs by now; if not, it never does
  a.reset();
  EXPECT_EQ(Value(*Client(), "select 2"), "2");
}

TEST_F(PooledQueueTest, AnAnswerThatIsNotReadHoldsNoBackend) {
  Open(kTransactions, 1);
  const auto a = Client();
  a->Send(Query("select repeat('x', 300000)"));
  EXPECT_EQ(Value(*Client(), "select 2"), "2");
  EXPECT_EQ(a->Until('Z'), "TDCZ");
  EXPECT_EQ(a->first_value(), std::string(300'000, 'x'));
}

TEST_F(PooledQueueTest, AClientThatDoesNotReadLosesItsBackend) {
  Open({.mode = PoolMode::kTransaction, .client_write_timeout_ns = 50'000'000}, 1);
  const auto a = Client();
  a->Send(Query("select repeat('x', 10000) from generate_series(1, 10000)"));
  EXPECT_EQ(Value(*Client(), "select 2"), "2");
  a->EndSending();
  EXPECT_THAT(a->Until('Z'), ::testing::Not(::testing::EndsWith("Z")));
  EXPECT_TRUE(a->closed());
}

TEST_F(PooledQueueTest, AClientThatReadsSlowlyGetsEverything) {
  Open({.mode = PoolMode::kTransaction, .client_write_timeout_ns = 1'000'000'000}, 1);
  const auto a = Client();
  a->Send(Query("select repeat('x', 10000) from generate_series(1, 2000)"));
  for (int i = 0; i < 5; ++i) {
    std::this_thread::sleep_for(20ms);
    EXPECT_EQ(a->Until('D').back(), 'D');
  }
  EXPECT_THAT(a->Until('Z'), ::testing::EndsWith("CZ"));
}

TEST_F(PooledQueueTest, SuperusersHaveBackendsInReserve) {
  Open(kTransactions, 1, /*reserve=*/1);
  const auto a = Client();
  const auto b = Client();
  const auto superuser = Client("postgres");
  EXPECT_EQ(Run(*a, "begin"), "CZ");
  b->Send(Query("select 1"));
  AwaitState(*superuser, "waiting", 1);
  EXPECT_EQ(InState(*superuser, "silent"), 1);
  EXPECT_EQ(InState(*superuser, "active"), 1) << "who asks";
  const std::string holder = Value(*superuser,
                                   "select backend_id from connbench_pool_clients where state = "
                                   "'silent'");
  EXPECT_EQ(Value(*superuser, "select pg_terminate_backend(" + holder + ")"), "t");
}

TEST_F(PooledQueueTest, TheViewForgetsThoseWhoLeave) {
  Open(kTransactions, 1);
  const auto a = Client();
  EXPECT_EQ(InState(*a, "idle"), 0);
  auto b = Client();
  EXPECT_EQ(InState(*a, "idle"), 1);
  b.reset();
  AwaitState(*a, "idle", 0);
}

}  // namespace
}  // namespace connbench::models::testing
