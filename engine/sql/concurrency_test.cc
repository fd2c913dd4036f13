// Many sessions at once, each on its own thread: pgbench's transaction, whose sums must agree.

#include <atomic>
#include <thread>

#include "engine/sql/testing/sql_test_base.h"

namespace connbench::engine {
namespace {

using ConcurrencyTest = SqlTest;

constexpr int kThreads = 6;
constexpr int kTransactions = 60;
constexpr int kAccounts = 50;
constexpr int kTellers = 5;

bool RunTransfer(TestSession& client, const std::string& aid, const std::string& tid,
                 const std::string& delta) {
  const auto ok = [](const std::string& answer) {
    return answer.find("ERROR") == std::string::npos;
  };
  client.Run("begin");
  return ok(client.Extended("update accounts set balance = balance + $1 where id = $2",
                            {delta, aid})) &&
         ok(client.Extended("select balance from accounts where id = $1", {aid})) &&
         ok(client.Run("update tellers set balance = balance + " + delta + " where id = " + tid)) &&
         ok(client.Run("update branches set balance = balance + " + delta + " where id = 1")) &&
         ok(client.Extended("insert into history values ($1, $2, now())", {aid, delta})) &&
         ok(client.Run("commit"));
}

TEST_F(ConcurrencyTest, KeepsTheSumsOfTransfers) {
  for (const char* table : {"accounts", "tellers", "branches"}) {
    a_->Run(std::string("create table ") + table + " (id int primary key, balance int)");
  }
  a_->Run("create table history (id int, delta int, at timestamp)");
  a_->Run("insert into accounts select g, 0 from generate_series(1, 50) g");
  a_->Run("insert into tellers select g, 0 from generate_series(1, 5) g");
  a_->Run("insert into branches values (1, 0)");
  std::atomic<int> failures = 0;
  std::vector<std::thread> threads;
  for (int t = 0; t < kThreads; ++t) {
    threads.emplace_back([this, t, &failures] {
      TestSession client(*engine_);
      uint32_t random = static_cast<uint32_t>(t) + 1;
      const auto next = [&random](int count) {
        random = random * 1664525u + 1013904223u;
        return std::to_string(1 + (random >> 8) % static_cast<uint32_t>(count));
      };
      for (int i = 0; i < kTransactions; ++i) {
        if (!RunTransfer(client, next(kAccounts), next(kTellers), next(1000))) ++failures;
        if (i == kTransactions / 2 && t == 0) client.Run("vacuum accounts");
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(failures, 0);
  const std::string sum = a_->Rows("select sum(delta) from history");
  EXPECT_EQ(a_->Rows("select sum(balance) from accounts"), sum);
  EXPECT_EQ(a_->Rows("select sum(balance) from tellers"), sum);
  EXPECT_EQ(a_->Rows("select sum(balance) from branches"), sum);
  EXPECT_EQ(a_->Rows("select count(*) from history"), std::to_string(kThreads * kTransactions));
}

TEST_F(ConcurrencyTest, KeepsUniqueKeysUnique) {
  a_->Run("create table t (k int primary key, who int)");
  std::atomic<int> inserted = 0;
  std::vector<std::thread> threads;
  for (int t = 0; t < kThreads; ++t) {
    threads.emplace_back([this, t, &inserted] {
      TestSession client(*engine_);
      for (int k = 1; k <= 100; ++k) {
        const std::string answer = client.Extended("insert into t values ($1, $2)",
                                                   {std::to_string(k), std::to_string(t)});
        if (answer == "INSERT 0 1") {
          ++inserted;
        } else {
          EXPECT_NE(answer.find("23505"), std::string::npos) << answer;
        }
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(inserted, 100);
  EXPECT_EQ(a_->Rows("select count(*), min(k), max(k) from t"), "100|1|100");
}

TEST_F(ConcurrencyTest, ChangesTablesUnderRunningStatements) {
  a_->Run(
      "create table t (k int, v int); insert into t select g, 0 from generate_series(1, 100) g");
  std::atomic<bool> stop = false;
  std::vector<std::thread> threads;
  for (int t = 0; t < 3; ++t) {
    threads.emplace_back([this, &stop] {
      TestSession client(*engine_);
      CollectingSink sink;
      EXPECT_TRUE(client.session().Parse("p", "select count(*) from t where k = 7", {}, sink).ok());
      EXPECT_TRUE(client.session().Sync(sink).ok());
      while (!stop) {
        sink = {};
        Status status = client.session().Bind("", "p", {}, {}, {});
        if (status.ok()) status = client.session().Execute("", 0, sink).TakeStatus();
        EXPECT_TRUE(client.session().Sync(sink).ok());
        EXPECT_TRUE(status.ok()) << status.ToString();
        EXPECT_TRUE(sink.rows.size() == 1 && (sink.rows[0] == "1" || sink.rows[0] == "0"));
      }
    });
  }
  for (int i = 0; i < 20; ++i) {
    EXPECT_EQ(a_->Error("create index t_k on t (k)"), "ok");
    EXPECT_EQ(a_->Error("begin; truncate t; rollback"), "ok");
    EXPECT_EQ(a_->Error("drop index t_k"), "ok");
    EXPECT_EQ(a_->Error("begin; truncate t; insert into t select g, 0 from generate_series(1, 100) "
                        "g; commit"),
              "ok");
  }
  stop = true;
  for (std::thread& thread : threads) thread.join();
}

}  // namespace
}  // namespace connbench::engine
