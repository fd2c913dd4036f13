// A pool without a free page: what gives pages back must still work, and what needs some must fail
// without harm.

#include <gmock/gmock.h>

#include "engine/sql/testing/sql_test_base.h"

namespace connbench::engine {
namespace {

class FullPoolTest : public testing::Test {
 protected:
  FullPoolTest() {
    EngineConfig config;
    config.segment_backing = SegmentBacking::kAnonymous;
    config.shared_buffers_bytes = int64_t{2} << 20;  // 256 pages
    config.max_connections = 5;
    Result<std::unique_ptr<Engine>> engine = Engine::Create(config);
    EXPECT_TRUE(engine.ok()) << engine.status().ToString();
    engine_ = std::move(*engine);
    session_ = std::make_unique<TestSession>(*engine_);
  }

  void Fill() {
    constexpr int kMostInserts = 1000;
    for (int i = 0; i < kMostInserts; ++i) {
      const std::string error =
          session_->Error("insert into t select g, repeat('x', 1000) from generate_series(1, 8) g");
      if (error == "ok") continue;
      EXPECT_THAT(error, testing::StartsWith("53100"));
      return;
    }
    ADD_FAILURE() << "the pool does not fill";
  }
  std::string Run(std::string_view sql) { return session_->Run(sql); }

  std::unique_ptr<Engine> engine_;
  std::unique_ptr<TestSession> session_;
};

TEST_F(FullPoolTest, TruncateEmptiesIt) {
  Run("create table t (a int, b text); create index ta on t (a); create index tb on t (b, a);"
      "create table other (a int primary key); insert into other values (1)");
  for (int round = 0; round < 3; ++round) {
    Fill();
    EXPECT_THAT(session_->Error("create table n (a int primary key)"),
                testing::StartsWith("53100"));
    EXPECT_THAT(session_->Error("create index on t (b)"), testing::StartsWith("53100"));
    EXPECT_EQ(Run("vacuum t, other"), "VACUUM");
    EXPECT_EQ(Run("begin; truncate t; rollback"), "BEGIN\nTRUNCATE TABLE\nROLLBACK");
    EXPECT_EQ(Run("update other set a = 1"), "UPDATE 1");
    EXPECT_EQ(Run("truncate t, other"), "TRUNCATE TABLE");
    EXPECT_EQ(Run("insert into other values (1)"), "INSERT 0 1");
    EXPECT_EQ(session_->Rows("select count(*) from t"), "0");
  }
}

TEST_F(FullPoolTest, DropEmptiesIt) {
  for (int round = 0; round < 3; ++round) {
    Run("create table t (a int, b text); create index ta on t (a); create index tb on t (b)");
    Fill();
    EXPECT_EQ(Run("drop index tb"), "DROP INDEX");
    Fill();
    EXPECT_EQ(Run("alter table t alter a set default 3; grant select on t to public"),
              "ALTER TABLE\nGRANT");
    EXPECT_EQ(Run("drop table t"), "DROP TABLE");
  }
}

TEST_F(FullPoolTest, ManyTruncationsInOneTransactionEndInAnError) {
  Run("create table t (a int, b text); create index ta on t (a)");
  Fill();
  Run("begin");
  std::string answer;
  for (int i = 0; i < 100 && answer.empty(); ++i) {
    const std::string error = session_->Error("truncate t");
    if (error != "ok") answer = error;
  }
  EXPECT_THAT(answer, testing::StartsWith("53100"));
  EXPECT_EQ(Run("rollback; truncate t"), "ROLLBACK\nTRUNCATE TABLE");
  Fill();
}

TEST_F(FullPoolTest, ColumnsComeAndGoWhereNoRowCanBeWrittenAnew) {
  Run("create table t (a int, b text); create index ta on t (a)");
  Fill();
  const std::string before = session_->Rows("select count(*), sum(a), max(b) from t");
  for (int round = 0; round < 3; ++round) {
    EXPECT_THAT(session_->Error("alter table t alter a type bigint"), testing::StartsWith("53100"));
    EXPECT_EQ(session_->Rows("select count(*), sum(a), max(b) from t"), before);
    EXPECT_EQ(Run("alter table t add c int default 4 not null"), "ALTER TABLE");
    EXPECT_EQ(session_->Rows("select min(c) from t where a = 3"), "4");
    EXPECT_EQ(Run("alter table t drop c"), "ALTER TABLE");
  }
  EXPECT_EQ(Run("truncate t; alter table t alter a type bigint, drop b"),
            "TRUNCATE TABLE\nALTER TABLE");
}

}  // namespace
}  // namespace connbench::engine
