// Queries that parallel workers help with: the same rows as without them, and every desk is free
// again however a query ends.
#include <fmt/format.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <chrono>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "engine/engine.h"
#include "engine/sql/testing/sql_test_base.h"

namespace connbench::engine {
namespace {

constexpr int kWorkers = 2;

class ParallelQueryTest : public ::testing::Test {
 protected:
  ParallelQueryTest() {
    EngineConfig config;
    config.segment_backing = SegmentBacking::kAnonymous;
    config.shared_buffers_bytes = int64_t{32} << 20;
    config.max_connections = 20;
    config.max_parallel_workers = kWorkers;
    auto made = Engine::Create(config);
    EXPECT_TRUE(made.ok()) << made.status().ToString();
    engine_ = std::move(*made);
    StartWorkers();
    a_ = std::make_unique<TestSession>(*engine_, std::vector<StartupParameter>{}, "postgres");
    EXPECT_EQ(
        a_->Error("create table t (a int, b int, c text, n numeric, f float8, w timestamptz,"
                  " d interval);"
                  "insert into t select g, case when g % 10 = 0 then null else g % 7 end, 'row ' ||"
                  " g, g * 1.50, g / 4.0, '2020-01-01'::timestamptz + g * '1 hour'::interval,"
                  " g * '1 minute'::interval from generate_series(1, 5000) g;"
                  "set parallel_setup_cost = 0; set parallel_tuple_cost = 0;"
                  "set min_parallel_table_scan_size = 0"),
        "ok");
  }
  ~ParallelQueryTest() override {
    a_.reset();
    StopWorkers();
  }

  // As models/task_staff.h does.
  void StartWorkers() {
    for (const Task& task : engine_->tasks()) {
      stops_.push_back(std::make_unique<TaskStop>());
      workers_.emplace_back([this, &task, stop = stops_.back().get()] {
        const Status ran = engine_->RunTask(task, *stop);
        EXPECT_TRUE(ran.ok()) << ran.ToString();
      });
    }
  }
  void StopWorkers() {
    for (const auto& stop : stops_) stop->Request();
    for (std::thread& worker : workers_) worker.join();
    workers_.clear();
    stops_.clear();
  }

  std::vector<std::string> Sorted(std::string_view sql) {
    a_->Run(sql);
    std::vector<std::string> lines = a_->last().lines;
    std::sort(lines.begin(), lines.end());
    return lines;
  }
  std::string Plan(std::string_view sql) {
    return a_->Run(fmt::format("explain (costs off) {}", sql));
  }
  // How many workers help with the query now.
  int Launched(std::string_view sql = "select count(*) from t") {
    const std::string plan =
        a_->Run(fmt::format("explain (analyze, costs off, timing off, summary off) {}", sql));
    constexpr std::string_view kLabel = "Workers Launched: ";
    const size_t at = plan.find(kLabel);
    if (at == std::string::npos) return -1;
    return plan[at + kLabel.size()] - '0';
  }
  // A worker that has just been freed is idle at once, but one that starts may not be there yet.
  bool AllAreFree() {
    for (int i = 0; i < 1000; ++i) {
      if (Launched() == kWorkers) return true;
      std::this_thread::sleep_for(std::chrono::milliseconds(5));
    }
    return false;
  }

  std::unique_ptr<Engine> engine_;
  std::vector<std::unique_ptr<TaskStop>> stops_;
  std::vector<std::thread> workers_;
  std::unique_ptr<TestSession> a_;
};

TEST_F(ParallelQueryTest, RowsAreThoseOfOneSession) {
  ASSERT_TRUE(AllAreFree());
  for (const char* sql :
       {"select * from t",
        "select a, c from t where a % 3 = 1",
        "select a from t where a < 0",
        "select count(*), count(b), sum(a), sum(b), avg(a), min(a), max(a) from t",
        "select sum(n), avg(n), min(n), max(n), sum(a::bigint), avg(a::bigint) from t",
        "select min(c), max(c), min(w), max(w), min(f), max(f) from t",
        "select sum(d), avg(d), min(d), max(d) from t",
        "select bool_and(a > 0), bool_or(a > 4999), every(b > 3) from t",
        "select count(*), sum(a), min(c), sum(n) from t where a < 0",
        "select b, count(*), sum(a), avg(n), min(c), max(d) from t group by b",
        "select b, count(*) filter (where a > 100) from t group by b having count(*) > 10",
        "select a % 1000, sum(f) from t group by 1",
        "select a, count(*) from t group by a",
        "select distinct b from t",
        "select a from t order by a desc limit 10",
        "select count(*) from t union all select sum(a) from t",
        "with x as (select b, count(*) as k from t group by b) select sum(k), count(*) from x",
        "select x.b from (select b, max(a) as m from t group by b) x where x.m > 4995",
        "select now() = max(now()), current_user = min(current_user::text) from t",
        "select row_number() over (order by a) from t limit 3"}) {
    ASSERT_EQ(a_->Error("set max_parallel_workers_per_gather = 0"), "ok");
    EXPECT_EQ(Plan(sql).find("Gather"), std::string::npos);
    const std::vector<std::string> alone = Sorted(sql);
    ASSERT_EQ(a_->Error("set max_parallel_workers_per_gather = 2"), "ok");
    EXPECT_EQ(Sorted(sql), alone) << sql;
    ASSERT_EQ(a_->Error("set parallel_leader_participation = off"), "ok");
    EXPECT_EQ(Sorted(sql), alone) << sql;
    ASSERT_EQ(a_->Error("reset parallel_leader_participation"), "ok");
  }
  EXPECT_TRUE(AllAreFree());
}

TEST_F(ParallelQueryTest, GroupsThatFindNoRoomAreCombinedToo) {
  ASSERT_TRUE(AllAreFree());
  const std::string sql = "select a, c, count(*), sum(n), max(c) from t group by a, c";
  ASSERT_EQ(a_->Error("set work_mem = '64kB'; set max_parallel_workers_per_gather = 0"), "ok");
  const std::vector<std::string> alone = Sorted(sql);
  ASSERT_EQ(a_->Error("reset max_parallel_workers_per_gather"), "ok");
  EXPECT_NE(Plan(sql).find("Finalize HashAggregate"), std::string::npos);
  EXPECT_EQ(Sorted(sql), alone);
}

TEST_F(ParallelQueryTest, ExplainShowsBothStages) {
  EXPECT_EQ(Plan("select count(*) from t where a > 1"),
            "Finalize Aggregate\n"
            "  ->  Gather\n"
            "        Workers Planned: 2\n"
            "        ->  Partial Aggregate\n"
            "              ->  Parallel Seq Scan on t\n"
            "                    Filter: (a > 1)\n"
            "EXPLAIN");
  EXPECT_EQ(Plan("select b, sum(a) from t group by b"),
            "Finalize HashAggregate\n"
            "  Group Key: b\n"
            "  ->  Gather\n"
            "        Workers Planned: 2\n"
            "        ->  Partial HashAggregate\n"
            "              Group Key: b\n"
            "              ->  Parallel Seq Scan on t\n"
            "EXPLAIN");
  EXPECT_EQ(Plan("select a from t order by c"),
            "Sort\n"
            "  Sort Key: c\n"
            "  ->  Gather\n"
            "        Workers Planned: 2\n"
            "        ->  Parallel Seq Scan on t\n"
            "EXPLAIN");
}

TEST_F(ParallelQueryTest, WhatMustNotBeDoneTwiceIsDoneByOne) {
  ASSERT_EQ(a_->Error("create sequence s; create table u (a int primary key)"), "ok");
  for (const char* sql :
       {"select nextval('s') from t", "select random() from t", "select a from t for update",
        "select string_agg(c, ',') from t", "select count(distinct b) from t",
        "select pg_backend_pid() from t", "select (select count(*) from u), a from t",
        "insert into u select a from t", "update t set b = 1", "delete from t",
        "select unnest(array[a, b]) from t", "select a from t where a in (select a from u)"}) {
    EXPECT_EQ(Plan(sql).find("Gather"), std::string::npos) << sql;
  }
  ASSERT_EQ(a_->Error("reset parallel_setup_cost"), "ok");
  EXPECT_EQ(Plan("select count(*) from t").find("Gather"), std::string::npos);
  ASSERT_EQ(a_->Error("set force_parallel_mode = on"), "ok");
  EXPECT_NE(Plan("select count(*) from t").find("Gather"), std::string::npos);
}

TEST_F(ParallelQueryTest, AnErrorInAWorkerIsTheStatements) {
  ASSERT_TRUE(AllAreFree());
  ASSERT_EQ(a_->Error("set parallel_leader_participation = off"), "ok");
  EXPECT_EQ(a_->Error("select 1 / (a - 2500) from t"), "22012 0 division by zero");
  EXPECT_EQ(a_->Error("select sum(1 / (a - 2500)) from t"), "22012 0 division by zero");
  EXPECT_EQ(a_->Error("select 'x' || repeat(c, 1 << 30) from t where a = 4999").substr(0, 5),
            "54000");
  EXPECT_TRUE(AllAreFree());
}

TEST_F(ParallelQueryTest, ATimeoutEndsTheWorkers) {
  ASSERT_TRUE(AllAreFree());
  const std::string slow = "select count(*) from t where length(repeat(c, 20000)) > a";
  for (const char* takes_part : {"on", "off"}) {
    ASSERT_EQ(a_->Error(fmt::format("set parallel_leader_participation = {}", takes_part)), "ok");
    EXPECT_EQ(a_->Error("set statement_timeout = 20; " + slow),
              "57014 0 canceling statement due to statement timeout");
    ASSERT_EQ(a_->Error("reset statement_timeout"), "ok");
    EXPECT_TRUE(AllAreFree());
  }
}

TEST_F(ParallelQueryTest, ALimitEndsTheWorkers) {
  ASSERT_TRUE(AllAreFree());
  for (int i = 0; i < 50; ++i) {
    a_->Run("select a, c, repeat(c, 100) from t limit 1");
    ASSERT_EQ(a_->last().rows.size(), 1u);
    ASSERT_EQ(Launched(), kWorkers);
  }
}

TEST_F(ParallelQueryTest, ARowMayBeLongerThanTheQueue) {
  ASSERT_TRUE(AllAreFree());
  ASSERT_EQ(a_->Error("set parallel_leader_participation = off"), "ok");
  a_->Run("select repeat('x', 200000 + a) from t where a <= 20");
  ASSERT_EQ(a_->last().rows.size(), 20u);
  size_t bytes = 0;
  for (const std::string& row : a_->last().rows) bytes += row.size();
  EXPECT_EQ(bytes, 20u * 200000 + 210);
}

TEST_F(ParallelQueryTest, ParametersReachTheWorkers) {
  ASSERT_TRUE(AllAreFree());
  ASSERT_EQ(a_->Error("set parallel_leader_participation = off"), "ok");
  EXPECT_EQ(a_->Extended("select count(*), max($2 || c) from t where a <= $1", {"300", "x"}),
            "300|xrow 99\nSELECT 1");
  ASSERT_EQ(a_->Error("prepare p (int) as select count(*), min(a) from t where a > $1"), "ok");
  EXPECT_EQ(a_->Rows("execute p (4990)"), "10|4991");
  EXPECT_EQ(Launched("execute p (4990)"), kWorkers);
}

TEST_F(ParallelQueryTest, AWorkersPlanThatDiffersIsNotUsed) {
  ASSERT_TRUE(AllAreFree());
  ASSERT_EQ(a_->Error("create index on t (a); set enable_indexscan = off;"
                      "prepare p as select count(*), max(a) from t where a > 4000"),
            "ok");
  EXPECT_EQ(Launched("select count(*), max(a) from t where a > 4000"), kWorkers);
  // The leader keeps its plan; a worker would take the index.
  ASSERT_EQ(a_->Error("set enable_indexscan = on"), "ok");
  for (const char* takes_part : {"on", "off"}) {
    ASSERT_EQ(a_->Error(fmt::format("set parallel_leader_participation = {}", takes_part)), "ok");
    EXPECT_EQ(a_->Rows("execute p"), "1000|5000");
  }
  EXPECT_TRUE(AllAreFree());
}

TEST_F(ParallelQueryTest, WorkersSeeWhatTheTransactionWrote) {
  ASSERT_TRUE(AllAreFree());
  ASSERT_EQ(
      a_->Error("set parallel_leader_participation = off; set force_parallel_mode = on; begin;"
                "delete from t where a > 4000;"
                "insert into t (a) select g from generate_series(1, 7) g; savepoint s;"
                "delete from t"),
      "ok");
  EXPECT_EQ(a_->Rows("select count(*) from t"), "0");
  EXPECT_EQ(a_->Rows("rollback to s; select count(*) from t"), "4007");
  EXPECT_EQ(Launched(), kWorkers);
  // What only this transaction knows of the catalog is not for them.
  EXPECT_EQ(a_->Rows("alter table t add column e int default 5; select sum(e) from t"), "20035");
  EXPECT_EQ(Launched("select sum(e) from t"), 0);
  EXPECT_EQ(a_->Rows("rollback; select count(*) from t"), "5000");
  TestSession b(*engine_, {}, "postgres");
  ASSERT_EQ(a_->Error("begin isolation level repeatable read; select count(*) from t"), "ok");
  ASSERT_EQ(b.Error("delete from t where a <= 1000"), "ok");
  ASSERT_EQ(b.Error("vacuum t"), "ok");
  EXPECT_EQ(a_->Rows("select count(*) from t; commit; select count(*) from t"), "5000 4000");
}

TEST_F(ParallelQueryTest, AWorkerStandsInNoLineForItsLeadersLocks) {
  ASSERT_TRUE(AllAreFree());
  ASSERT_EQ(a_->Error("set parallel_leader_participation = off; begin; select count(*) from t"),
            "ok");
  TestSession b(*engine_, {}, "postgres");
  std::thread locker([&] { EXPECT_EQ(b.Error("alter table t add column z int"), "ok"); });
  while (a_->Rows("select count(*) from pg_locks where not granted") != "1") {
    std::this_thread::sleep_for(std::chrono::milliseconds(1));
  }
  EXPECT_EQ(a_->Rows("select count(*) from t"), "5000");
  EXPECT_EQ(Launched(), kWorkers);
  EXPECT_EQ(a_->Error("commit"), "ok");
  locker.join();
}

TEST_F(ParallelQueryTest, WithoutWorkersOneSessionDoesAll) {
  StopWorkers();
  EXPECT_EQ(Launched(), 0);
  EXPECT_EQ(a_->Rows("select count(*), sum(a) from t"), "5000|12502500");
  ASSERT_EQ(a_->Error("set parallel_leader_participation = off"), "ok");
  EXPECT_EQ(a_->Rows("select count(*), sum(a) from t"), "5000|12502500");
  StartWorkers();
  EXPECT_TRUE(AllAreFree());
}

TEST_F(ParallelQueryTest, AStatementTooLongForADeskIsItsLeadersAlone) {
  ASSERT_TRUE(AllAreFree());
  const std::string sql = "select count(*) from t where c <> '" + std::string(70000, 'x') + "'";
  EXPECT_EQ(a_->Rows(sql), "5000");
  EXPECT_EQ(Launched(sql), 0);
}

TEST_F(ParallelQueryTest, AFetchInPartsAndACursorHaveNoWorkers) {
  ASSERT_TRUE(AllAreFree());
  CollectingSink sink;
  Session& session = a_->session();
  ASSERT_TRUE(session.Parse("", "select a from t", {}, sink).ok());
  ASSERT_TRUE(session.Bind("", "", {}, {}, {}).ok());
  ASSERT_TRUE(session.Execute("", 10, sink).ok());
  {
    TestSession b(*engine_, {}, "postgres");
    ASSERT_EQ(b.Error("set force_parallel_mode = on; set min_parallel_table_scan_size = 0"), "ok");
    EXPECT_NE(b.Run("explain analyze select count(*) from t").find("Workers Launched: 2"),
              std::string::npos);
  }
  ASSERT_TRUE(session.Execute("", 0, sink).ok());
  EXPECT_EQ(sink.rows.size(), 5000u);
  ASSERT_TRUE(session.Sync(sink).ok());
  EXPECT_EQ(a_->Rows("begin; declare c cursor for select a from t; fetch 1 from c; commit"), "1");
  EXPECT_TRUE(AllAreFree());
}

}  // namespace
}  // namespace connbench::engine
