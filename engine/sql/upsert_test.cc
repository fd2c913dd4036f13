// INSERT ... ON CONFLICT: what it answers, and many sessions that count in the same rows.
#include <gtest/gtest.h>

#include <atomic>
#include <string>
#include <thread>
#include <vector>

#include "engine/sql/testing/sql_test_base.h"

namespace connbench::engine {
namespace {

class UpsertTest : public SqlTest {
 protected:
  UpsertTest() {
    a_->Run(
        "create table t (k int primary key, u int unique, v int not null);"
        "insert into t values (1, 10, 100), (2, 20, 200)");
  }
};

TEST_F(UpsertTest, DoesNothingForARowThatIsThere) {
  EXPECT_EQ(a_->Run("insert into t values (1, 11, 0), (3, 30, 300) on conflict do nothing"),
            "INSERT 0 1");
  EXPECT_EQ(a_->Run("insert into t values (9, 10, 0) on conflict do nothing"), "INSERT 0 0");
  EXPECT_EQ(a_->Error("insert into t values (9, 10, 0) on conflict (k) do nothing"),
            "23505 0 duplicate key value violates unique constraint \"t_u_key\"");
  EXPECT_EQ(a_->Run("insert into t values (9, null, 0) on conflict (u) do nothing"), "INSERT 0 1");
  EXPECT_EQ(a_->Rows("insert into t values (1, 0, 0), (4, 40, 0) on conflict (k) do nothing "
                     "returning k"),
            "4");
}

TEST_F(UpsertTest, UpdatesTheRowThatIsThere) {
  EXPECT_EQ(a_->Rows("insert into t values (1, 11, 5), (3, 30, 300) on conflict (k) "
                     "do update set v = t.v + excluded.v, u = excluded.u returning *"),
            "1|11|105 3|30|300");
  EXPECT_EQ(a_->Run("insert into t values (2, 0, 1) on conflict on constraint t_pkey "
                    "do update set v = 0 where t.v > 1000"),
            "INSERT 0 0");
  EXPECT_EQ(a_->Run("insert into t as x values (7, 20, 1) on conflict (u) "
                    "do update set (k, v) = (select excluded.k, max(v) from t)"),
            "INSERT 0 1");
  EXPECT_EQ(a_->Rows("select * from t order by k"), "1|11|105 3|30|300 7|20|300");
}

TEST_F(UpsertTest, ChangesNoRowTwice) {
  EXPECT_EQ(a_->Error("insert into t values (1, 0, 1), (1, 0, 2) on conflict (k) "
                      "do update set v = excluded.v"),
            "21000 0 ON CONFLICT DO UPDATE command cannot affect row a second time");
  EXPECT_EQ(a_->Error("insert into t values (5, 50, 1), (5, 51, 2) on conflict (k) "
                      "do update set v = excluded.v"),
            "21000 0 ON CONFLICT DO UPDATE command cannot affect row a second time");
  EXPECT_EQ(a_->Run("insert into t values (5, 50, 1), (5, 51, 2) on conflict do nothing"),
            "INSERT 0 1");
  // Two commands of one transaction are two.
  EXPECT_EQ(a_->Error("begin; insert into t values (1, 0, 1) on conflict (k) do update set v = 1; "
                      "savepoint s; "
                      "insert into t values (1, 0, 1) on conflict (k) do update set v = t.v + 1; "
                      "rollback to s; "
                      "insert into t values (1, 0, 1) on conflict (k) do update set v = t.v + 5; "
                      "commit"),
            "ok");
  EXPECT_EQ(a_->Rows("select v from t where k = 1"), "6");
}

TEST_F(UpsertTest, InfersIndexesAndRefusesTheRest) {
  const auto error = [&](const std::string& rest) {
    return a_->Error("insert into t values (1, 1, 1) on conflict " + rest);
  };
  EXPECT_EQ(error("(v) do nothing"),
            "42P10 0 there is no unique or exclusion constraint matching the ON CONFLICT "
            "specification");
  EXPECT_EQ(error("(k, u) do nothing").substr(0, 5), "42P10");
  EXPECT_EQ(error("(k, k) do nothing"), "ok");
  EXPECT_EQ(error("((k)) do nothing"), "ok");
  EXPECT_EQ(error("((k + 1)) do nothing").substr(0, 5), "42P10");
  EXPECT_EQ(error("(k) where v > 0 do nothing"), "ok");
  EXPECT_EQ(error("(k) where v do nothing"), "ok");
  EXPECT_EQ(error("(x) do nothing"), "42703 44 column \"x\" does not exist");
  EXPECT_EQ(error("(k desc) do nothing"), "42P10 44 ASC/DESC is not allowed in ON CONFLICT clause");
  EXPECT_EQ(error("on constraint t_x do nothing"),
            "42704 0 constraint \"t_x\" for table \"t\" does not exist");
  EXPECT_EQ(error("do update set v = 1"),
            "42601 32 ON CONFLICT DO UPDATE requires inference specification or constraint name");
  EXPECT_EQ(error("(k) do update set v = v + 1"), "42702 66 column reference \"v\" is ambiguous");
  EXPECT_EQ(error("(k) do update set v = 1 returning excluded.v"),
            "42P01 78 invalid reference to FROM-clause entry for table \"excluded\"");
}

TEST_F(UpsertTest, ATableCalledAsTheRowProposedIsAmbiguous) {
  a_->Run("create table excluded (k int primary key, v int); insert into excluded values (1, 1)");
  const std::string insert =
      "insert into excluded values (1, 4) on conflict (k) do update set v = ";
  EXPECT_EQ(a_->Error(insert + "excluded.v"), "42P09 70 table reference \"excluded\" is ambiguous");
  EXPECT_EQ(a_->Rows(insert + "public.excluded.v + 1 returning excluded.v"), "2");
  EXPECT_EQ(a_->Rows("insert into excluded as e values (1, 4) on conflict (k) "
                     "do update set v = excluded.v + e.v returning v"),
            "6");
}

TEST_F(UpsertTest, ExplainCountsWhatBecameOfTheRows) {
  const std::string plan = a_->Run(
      "explain (analyze, costs off) insert into t values (1, 10, 0), (2, 20, 0), (3, 30, 0) "
      "on conflict (k) do update set v = 0 where t.k = 1");
  EXPECT_NE(plan.find("Rows Removed by Conflict Filter: 1\n"), std::string::npos) << plan;
  EXPECT_NE(plan.find("Tuples Inserted: 1\n"), std::string::npos) << plan;
  EXPECT_NE(plan.find("Conflicting Tuples: 2\n"), std::string::npos) << plan;
}

TEST_F(UpsertTest, RefusesARowThatARepeatableReadDoesNotSee) {
  a_->Run("begin isolation level repeatable read; select 1 from t");
  b_->Run("insert into t values (5, 50, 0)");
  EXPECT_EQ(a_->Error("savepoint s; insert into t values (5, 51, 0) on conflict do nothing"),
            "40001 0 could not serialize access due to concurrent update");
  EXPECT_EQ(a_->Error("rollback to s; insert into t values (5, 51, 0) on conflict (k) "
                      "do update set v = 1"),
            "40001 0 could not serialize access due to concurrent update");
  a_->Run("rollback");
}

TEST_F(UpsertTest, LeavesAWaitWhenTheRowItWaitsForIsTakenBack) {
  // b waits for the row that a has just inserted, then for its savepoint to be rolled back.
  a_->Run("begin; savepoint s; insert into t values (5, 50, 0)");
  std::thread waiter([this] {
    EXPECT_EQ(b_->Run("insert into t values (5, 51, 1) on conflict (k) do update set v = 2"),
              "INSERT 0 1");
  });
  TestSession observer(*engine_);
  while (observer.Rows("select count(*) from connbench_lock_waits") == "0") {
    std::this_thread::yield();
  }
  a_->Run("rollback to s");
  waiter.join();
  a_->Run("commit");
  EXPECT_EQ(a_->Rows("select * from t where k = 5"), "5|51|1");
}

constexpr int kUpserters = 6;
constexpr int kRounds = 150;

// Counters that sessions make and count in; now and then one is deleted, with what it has counted.
TEST_F(UpsertTest, LosesNoCountAmongManySessions) {
  a_->Run("create table counters (id int unique, other int unique, n int)");
  std::atomic<int> counted = 0;
  std::atomic<int> gone = 0;
  std::vector<std::thread> threads;
  for (int thread = 0; thread < kUpserters; ++thread) {
    threads.emplace_back([this, thread, &counted, &gone] {
      TestSession client(*engine_);
      for (int round = 0; round < kRounds; ++round) {
        const std::string id = std::to_string((thread * 7 + round) % 5);
        if (round % 16 == thread) {
          const std::string deleted =
              client.Rows("delete from counters where id = " + id + " returning n");
          if (!deleted.empty()) gone += std::stoi(deleted);
        }
        // By either key, so that both indexes are arbiters in turn.
        const std::string target = round % 3 == 0 ? "other" : "id";
        const std::string answer =
            client.Extended("insert into counters values ($1, $1, 1) on conflict (" + target +
                                ") do update set n = counters.n + excluded.n",
                            {id});
        if (answer.find("INSERT 0 1") != std::string::npos) {
          ++counted;
        } else {
          // Another inserter may come between the two indexes.
          EXPECT_NE(answer.find("23505"), std::string::npos) << answer;
        }
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(a_->Rows("select coalesce(sum(n), 0) from counters"), std::to_string(counted - gone));
  EXPECT_EQ(a_->Rows("select count(*) - count(distinct id) from counters"), "0");
}

// No target: both indexes are arbiters, and who loses the second takes its row back.
TEST_F(UpsertTest, InsertsEachPairOnceAmongManySessions) {
  a_->Run("create table pairs (a int unique, b int unique)");
  std::atomic<int> inserted = 0;
  std::vector<std::thread> threads;
  for (int thread = 0; thread < kUpserters; ++thread) {
    threads.emplace_back([this, thread, &inserted] {
      TestSession client(*engine_);
      for (int round = 0; round < kRounds; ++round) {
        const std::string a = std::to_string(round);
        const std::string b = std::to_string(round + (thread % 2));
        const std::string answer =
            client.Extended("insert into pairs values ($1, $2) on conflict do nothing", {a, b});
        EXPECT_NE(answer.find("INSERT 0 "), std::string::npos) << answer;
        if (answer.find("INSERT 0 1") != std::string::npos) ++inserted;
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(
      a_->Rows("select count(*), count(distinct a), count(distinct b) from pairs"),
      std::to_string(inserted) + "|" + std::to_string(inserted) + "|" + std::to_string(inserted));
  // Each number that was offered is taken, else its row would have gone in.
  EXPECT_EQ(a_->Rows("select count(*) from generate_series(0, 149) g where not exists "
                     "(select from pairs where a = g or b = g)"),
            "0");
}

}  // namespace
}  // namespace connbench::engine
