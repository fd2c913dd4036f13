// Statements in loops go on for ever in a pool that has room for a small part of the versions they
// make.

#include "base/testing/generated.h"
#include "engine/sql/testing/sql_test_base.h"

namespace connbench::engine {
namespace {

class SpaceTestGenerated : public ::testing::Test {
 protected:
  SpaceTestGenerated() {
    EngineConfig config;
    config.segment_backing = SegmentBacking::kAnonymous;
    config.shared_buffers_bytes = 2 << 20;
    config.max_connections = 8;
    config.max_relations = 64;
    config.deadlock_timeout_ms = 100;
    engine_ = std::move(Engine::Create(config).value());
    a_ = std::make_unique<TestSession>(*engine_, std::vector<StartupParameter>{}, "postgres");
  }

  // Runs the statements, with $ for the number of the round, until one fails or so many rounds.
  void Loop(int64_t rounds, const std::vector<std::string>& statements) {
    for (int64_t round = 0; round < rounds; ++round) {
      for (std::string sql : statements) {
        for (size_t at = sql.find('$'); at != std::string::npos; at = sql.find('$')) {
          sql.replace(at, 1, std::to_string(round));
        }
        ASSERT_EQ(a_->Error(sql), "ok") << sql;
      }
    }
  }

  std::unique_ptr<Engine> engine_;
  std::unique_ptr<TestSession> a_;
};

TEST_F(SpaceTestGenerated, UpdatesOfIndexedColumns) {
  a_->Run("create table t (id int primary key, v int, w text)");
  a_->Run("create index on t (v)");
  a_->Run("create index on t (w, v)");
  a_->Run("insert into t select g, g, 'w' || g from generate_series(1, 100) g");
  Loop(testing::GeneratedCases(250), {"update t set v = v + 1, w = 'w' || $"});
  EXPECT_EQ(a_->Rows("select count(*), count(distinct w), min(v - id) from t"),
            "100|1|" + std::to_string(testing::GeneratedCases(250)));
  EXPECT_EQ(a_->Rows("select count(*) from t where v > 0"), "100");
}

TEST_F(SpaceTestGenerated, InsertsAndDeletesWithASequence) {
  a_->Run("create table t (id serial primary key, v int)");
  Loop(testing::GeneratedCases(15'000),
       {"insert into t (v) values ($)", "delete from t where v < $ - 50"});
  EXPECT_EQ(a_->Rows("select count(*), max(v) - min(v) from t"), "51|50");
}

TEST_F(SpaceTestGenerated, ManyRowsAtOnceComeAndGo) {
  a_->Run("create table t (id int primary key, v text unique)");
  Loop(testing::GeneratedCases(60),
       {"insert into t select g, 'v' || g from generate_series(1, 1500) g", "delete from t"});
  Loop(testing::GeneratedCases(60),
       {"insert into t select $ * 2000 + g, 'v' || ($ * 2000 + g) from generate_series(1, 1500) g",
        "delete from t"});
  EXPECT_EQ(a_->Rows("select count(*) from t"), "0");
}

TEST_F(SpaceTestGenerated, WorkThatIsRolledBack) {
  a_->Run("create table t (id int primary key, v int)");
  a_->Run("create index on t (v)");
  a_->Run("insert into t values (0, 0)");
  Loop(testing::GeneratedCases(100),
       {"begin", "insert into t select g, $ from generate_series(1, 500) g", "rollback", "begin",
        "savepoint s", "insert into t select g, $ from generate_series(1, 500) g",
        "update t set v = v + 1", "rollback to s", "update t set v = v + 1 where id = 0",
        "release s", "commit"});
  EXPECT_EQ(a_->Rows("select * from t"), "0|" + std::to_string(testing::GeneratedCases(100)));
}

TEST_F(SpaceTestGenerated, TablesThatAreMadeTruncatedAndDropped) {
  a_->Run("create table kept (id int primary key)");
  Loop(testing::GeneratedCases(400),
       {"create table t (id serial primary key, v text)", "create index t_v on t (v)",
        "insert into t (v) select 'x' from generate_series(1, 300)", "truncate t",
        "insert into t (v) values ('y')", "drop table t", "truncate kept",
        "insert into kept values ($)"});
  Loop(testing::GeneratedCases(400), {"begin", "create table t (id int primary key)",
                                      "insert into t values (1)", "drop table t", "rollback"});
  EXPECT_EQ(a_->Rows("select count(*) from kept"), "1");
}

TEST_F(SpaceTestGenerated, SequencesAndRoles) {
  a_->Run("create table t (id serial primary key)");
  Loop(testing::GeneratedCases(1'000),
       {"create role r$ login password 'x'", "alter role r$ superuser", "drop role r$",
        "create table t2 (id serial)", "select nextval('t2_id_seq'), nextval('t_id_seq')",
        "drop table t2"});
  EXPECT_EQ(a_->Rows("select nextval('t_id_seq')"),
            std::to_string(testing::GeneratedCases(1'000) + 1));
}

// The same key, of rows that are deleted and inserted again, and by COPY.
TEST_F(SpaceTestGenerated, AUniqueKeyThatComesBack) {
  a_->Run("create table t (id int primary key, v int unique)");
  std::string rows;
  for (int i = 0; i < 200; ++i) rows += std::to_string(i) + "\t" + std::to_string(1000 - i) + "\n";
  for (int64_t round = 0; round < testing::GeneratedCases(300); ++round) {
    ASSERT_NE(a_->Run("copy t from stdin", rows).find("COPY 200"), std::string::npos) << round;
    ASSERT_EQ(a_->Error("update t set v = v + 5000"), "ok");
    ASSERT_EQ(a_->Error("delete from t where id % 2 = 0"), "ok");
    ASSERT_EQ(a_->Rows("select count(*) from t where v > 5000"), "100");
    ASSERT_EQ(a_->Error("delete from t"), "ok");
  }
}

// A cursor's snapshot keeps its rows, up to a full pool; then the loop goes on.
TEST_F(SpaceTestGenerated, ALongSnapshotInBetween) {
  TestSession b(*engine_);
  a_->Run("create table t (id int primary key, v int)");
  a_->Run("create index on t (v)");
  a_->Run("insert into t select g, g from generate_series(1, 100) g");
  a_->Run("grant select on t to public");
  for (int round = 0; round < 3; ++round) {
    b.Run("begin isolation level repeatable read");
    const std::string before = b.Rows("select id, v from t order by v");
    std::string error = "ok";
    int updates = 0;
    while ((error = a_->Error("update t set v = v + 1")) == "ok") ASSERT_LT(++updates, 100'000);
    EXPECT_EQ(error.substr(0, 5), "53100");
    EXPECT_EQ(b.Rows("select id, v from t order by v"), before);
    EXPECT_EQ(b.Rows("select id, v from t where v > 0 order by v"), before);
    b.Run("commit");
    int failures = 0;
    for (int i = 0; i < 200; ++i) {
      if (a_->Error("update t set v = v + 1") != "ok") ++failures;
    }
    EXPECT_LE(failures, 3);
  }
}

}  // namespace
}  // namespace connbench::engine
