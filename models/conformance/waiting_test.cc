// How sessions wait: for a lock whose holder needs the same workers, beside a statement that
// computes for long, and for clients that say nothing.
#include <memory>

#include "models/conformance/conformance.h"

namespace connbench::models::testing {
namespace {

class Waiting : public Conformance {
 protected:
  // Whatever was begun comes to its end first.
  static void ExpectTakesNoCpuTime(const TestServer& server) {
    constexpr int kWatchMs = 300;
    int64_t spent_ns = 0;
    EXPECT_TRUE(WaitUntil([&] {
      const int64_t before_ns = CpuTimeOfTree(server.pid());
      SleepMs(kWatchMs);
      spent_ns = CpuTimeOfTree(server.pid()) - before_ns;
      return spent_ns < kWatchMs * int64_t{1'000'000} / 100;
    })) << spent_ns;
  }
};

// All workers of a pool wait for a row whose holder is idle in its transaction; its next statement
// must find a worker.
TEST_P(Waiting, SessionsThatWaitForARowDoNotStarveItsHolder) {
  constexpr int kWaiting = 16;
  TestServer server(RealOptions(kFewWorkers));
  ASSERT_TRUE(server.ready()) << server.log();
  TestClient holder(server.port());
  ASSERT_NO_FATAL_FAILURE(MakeAndLockCounter(server.port(), holder));
  std::vector<std::unique_ptr<TestClient>> waiting;
  for (int i = 0; i < kWaiting; ++i) {
    waiting.push_back(std::make_unique<TestClient>(server.port()));
    ASSERT_TRUE(waiting.back()->Start()) << waiting.back()->error_message();
    waiting.back()->SendQuery(kIncrement);
  }
  EXPECT_TRUE(holder.Query("select 1"));
  EXPECT_TRUE(holder.Query("commit"));
  for (const auto& client : waiting) EXPECT_TRUE(client->Finish()) << client->error_message();
  ASSERT_TRUE(holder.Query("select value from counter"));
  EXPECT_EQ(holder.rows(), std::vector<std::string>{std::to_string(kWaiting + 1)});
}

TEST_P(Waiting, DeadlocksAreFoundBetweenSessionsThatWait) {
  std::vector<std::string> settings = kFewWorkers;
  settings.emplace_back("deadlock_timeout=50ms");
  TestServer server(RealOptions(settings));
  ASSERT_TRUE(server.ready()) << server.log();
  MakeCounter(server.port());
  TestClient first(server.port());
  TestClient second(server.port());
  ASSERT_TRUE(first.Start()) << first.error_message();
  ASSERT_TRUE(second.Start()) << second.error_message();
  ASSERT_TRUE(first.Query("insert into counter values (2, 0)")) << first.error_message();
  ASSERT_TRUE(first.Query("begin"));
  ASSERT_TRUE(second.Query("begin"));
  ASSERT_TRUE(first.Query("update counter set value = 1 where id = 1"));
  ASSERT_TRUE(second.Query("update counter set value = 2 where id = 2"));
  first.SendQuery("update counter set value = 1 where id = 2");
  WaitForLockWaits(server, 1);
  second.SendQuery("update counter set value = 2 where id = 1");
  const bool first_went_on = first.Finish();
  const bool second_went_on = second.Finish();
  EXPECT_NE(first_went_on, second_went_on);
  EXPECT_EQ((first_went_on ? second : first).error_code(), "40P01");
}

// One of two workers computes; whoever comes meanwhile is served.
TEST_P(Waiting, LongStatementLetsOthersRun) {
  TestServer server(RealOptions(kFewWorkers));
  ASSERT_TRUE(server.ready()) << server.log();
  TestClient computing(server.port());
  ASSERT_TRUE(computing.Start()) << computing.error_message();
  computing.SendQuery(kLongQuery);
  // So many that some of them meet the busy worker, if clients are shared out.
  std::vector<std::unique_ptr<TestClient>> others;
  for (int i = 0; i < 8; ++i) {
    others.push_back(std::make_unique<TestClient>(server.port()));
    ASSERT_TRUE(others.back()->Start()) << others.back()->error_message();
  }
  for (const auto& client : others) EXPECT_TRUE(client->Query("select 1"));
}

// Nobody polls in vain: a server with nothing but idle sessions takes no CPU time.
TEST_P(Waiting, IdleSessionsTakeNoCpuTime) {
#if defined(__SANITIZE_THREAD__)
  GTEST_SKIP() << "ThreadSanitizer wakes a thread of its own in every process ten times a second";
#endif
  constexpr int kIdle = 50;
  TestServer server(Options());
  ASSERT_TRUE(server.ready()) << server.log();
  std::vector<std::unique_ptr<TestClient>> clients;
  for (int i = 0; i < kIdle; ++i) {
    clients.push_back(std::make_unique<TestClient>(server.port()));
    ASSERT_TRUE(clients.back()->Start()) << clients.back()->error_message();
  }
  ExpectTakesNoCpuTime(server);
  for (const auto& client : clients) EXPECT_TRUE(client->Query("select 1"));
}

// Nor does one whose sessions wait for a lock, or for a client in the middle of a transaction.
TEST_P(Waiting, SessionsThatWaitForALockTakeNoCpuTime) {
#if defined(__SANITIZE_THREAD__)
  GTEST_SKIP() << "ThreadSanitizer wakes a thread of its own in every process ten times a second";
#endif
  constexpr int kWaiting = 8;
  TestServer server(RealOptions({"deadlock_timeout=10ms", "pool_size=10"}));
  ASSERT_TRUE(server.ready()) << server.log();
  TestClient holder(server.port());
  ASSERT_NO_FATAL_FAILURE(MakeAndLockCounter(server.port(), holder));
  std::vector<std::unique_ptr<TestClient>> waiting;
  for (int i = 0; i < kWaiting; ++i) {
    waiting.push_back(std::make_unique<TestClient>(server.port()));
    ASSERT_TRUE(waiting.back()->Start()) << waiting.back()->error_message();
    waiting.back()->SendQuery(kIncrement);
  }
  WaitForLockWaits(server, kWaiting);
  ExpectTakesNoCpuTime(server);
  EXPECT_TRUE(holder.Query("commit"));
  for (const auto& client : waiting) EXPECT_TRUE(client->Finish()) << client->error_message();
}

INSTANTIATE_TEST_SUITE_P(Models, Waiting, EveryModel(), ModelName);

}  // namespace
}  // namespace connbench::models::testing
