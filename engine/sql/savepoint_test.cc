// What savepoints keep, restore and share: locks, portals, modes, settings; and row locks of every
// mode. tests/system/test_isolation.py plays more of it, against PostgreSQL.

#include <gmock/gmock.h>

#include "engine/sql/testing/sql_test_base.h"

namespace connbench::engine {
namespace {

using ::testing::HasSubstr;

class SavepointTest : public SqlTest {
 protected:
  SavepointTest() {
    a_->Run("create table t (id int primary key, v int)");
    a_->Run("insert into t values (1, 10), (2, 20), (3, 30), (4, 40)");
    b_->Run("set lock_timeout = 20");
  }

  // Binds a named portal of the query.
  std::string Bind(std::string_view portal, std::string_view sql) {
    Session& session = a_->session();
    CollectingSink sink;
    Status status = session.Parse("", sql, {}, sink);
    if (status.ok()) status = session.Bind(portal, "", {}, {}, {});
    return status.ok() ? "ok" : TestSession::ErrorText(status);
  }
  // Its next rows, then "suspended" or the command's tag.
  std::string Execute(std::string_view portal, int64_t rows) {
    CollectingSink sink;
    const auto progress = a_->session().Execute(portal, rows, sink);
    if (!progress.ok()) return TestSession::ErrorText(progress.status());
    std::string text;
    for (const std::string& row : sink.rows) text += row + " ";
    return text + sink.lines.back();
  }
};

constexpr std::string_view kLockTimeout = "55P03 0 canceling statement due to lock timeout";

TEST_F(SavepointTest, ALockSurvivesTheRollbackOfAnUpdate) {
  a_->Run("begin; select v from t where id = 1 for update; savepoint s; update t set v = 0");
  a_->Run("rollback to s");
  EXPECT_EQ(b_->Error("update t set v = v + 1 where id = 1"), kLockTimeout);
  EXPECT_EQ(b_->Error("update t set v = v + 1 where id = 2"), "ok") << "only the savepoint had it";
  a_->Run("commit");
  EXPECT_EQ(b_->Error("update t set v = v + 1 where id = 1"), "ok");
}

TEST_F(SavepointTest, SharersShareAndSkipLockedSkips) {
  a_->Run("begin; select v from t where id = 1 for share");
  EXPECT_EQ(b_->Rows("begin; select v from t where id = 1 for share"), "10");
  EXPECT_EQ(b_->Rows("select id from t order by id for update skip locked"), "2 3 4");
  EXPECT_EQ(b_->Error("select id from t where id = 1 for update nowait"),
            "55P03 0 could not obtain lock on row in relation \"t\"");
  b_->Run("rollback");
  a_->Run("commit");
  EXPECT_EQ(b_->Rows("select id from t order by id for update nowait"), "1 2 3 4");
}

TEST_F(SavepointTest, AnUpdateOfNoKeyPassesAKeyShare) {
  a_->Run("begin; select v from t where id = 1 for key share");
  EXPECT_EQ(b_->Error("update t set v = 11 where id = 1"), "ok");
  EXPECT_EQ(b_->Error("update t set id = id, v = 12 where id = 1"), "ok");
  EXPECT_EQ(b_->Error("update t set id = 9 where id = 1"), kLockTimeout);
  EXPECT_EQ(b_->Error("delete from t where id = 1"), kLockTimeout);
  a_->Run("commit");
}

TEST_F(SavepointTest, PortalsLiveAsLongAsTheirLevel) {
  a_->Run("begin");
  ASSERT_EQ(Bind("outer", "select id from t order by id"), "ok");
  EXPECT_EQ(Execute("outer", 1), "1 suspended");
  a_->Run("savepoint s");
  ASSERT_EQ(Bind("inner", "select id from t order by id"), "ok");
  EXPECT_EQ(Execute("outer", 1), "2 suspended");
  a_->Run("rollback to s");
  EXPECT_EQ(Execute("outer", 1), "3 suspended");
  ASSERT_EQ(Bind("inner", "select id from t order by id"), "ok");
  a_->Run("release s");
  EXPECT_EQ(Execute("inner", 1), "1 suspended");
  EXPECT_EQ(Execute("outer", 0), "4 SELECT 1");
  a_->Run("savepoint s; select 1/0");
  a_->Run("rollback to s");
  EXPECT_EQ(Execute("inner", 1), "2 suspended");
  a_->Run("commit; begin");
  EXPECT_EQ(Execute("inner", 1), "34000 0 portal \"inner\" does not exist");
}

TEST_F(SavepointTest, ThePortalOfASavepointIsClosedByAnErrorInIt) {
  a_->Run("begin");
  ASSERT_EQ(Bind("outer", "select 6 / (3 - i) from generate_series(1, 5) i"), "ok");
  a_->Run("savepoint s");
  EXPECT_EQ(Execute("outer", 2), "3 6 suspended");
  EXPECT_THAT(Execute("outer", 1), HasSubstr("22012"));
  a_->Run("rollback to s");
  EXPECT_EQ(Execute("outer", 1), "55000 0 portal \"outer\" cannot be run");
}

// The savepoint takes its locks with it; the portal goes on reading.
TEST_F(SavepointTest, APortalKeepsItsTableLockThroughASavepointItFirstRanIn) {
  a_->Run("begin");
  ASSERT_EQ(Bind("p", "select id from t order by id"), "ok");
  a_->Run("savepoint s");
  EXPECT_EQ(Execute("p", 1), "1 suspended");
  a_->Run("rollback to s");
  EXPECT_EQ(b_->Error("drop table t"), kLockTimeout);
  EXPECT_EQ(Execute("p", 1), "2 suspended");
  a_->Run("rollback");
  EXPECT_EQ(b_->Error("drop table t"), "ok");
}

TEST_F(SavepointTest, ReadOnlyBelongsToItsLevel) {
  a_->Run("begin read only; savepoint x");
  EXPECT_EQ(a_->Error("set transaction read write"),
            "25001 0 cannot set transaction read-write mode inside a read-only transaction");
  a_->Run("rollback to x");
  EXPECT_THAT(a_->Error("insert into t values (5, 5)"), HasSubstr("25006"));
  a_->Run("rollback; begin; savepoint x; set transaction read only");
  EXPECT_THAT(a_->Error("select * from t for key share"),
              HasSubstr("25006 0 cannot execute SELECT FOR KEY SHARE in a read-only transaction"));
  a_->Run("rollback to x; set transaction read only; release x");
  EXPECT_EQ(a_->Error("insert into t values (5, 5)"), "ok");
  EXPECT_EQ(a_->Error("set transaction isolation level repeatable read"),
            "25001 0 SET TRANSACTION ISOLATION LEVEL must be called before any query");
  a_->Run("rollback; begin; savepoint x");
  EXPECT_EQ(a_->Error("set transaction isolation level repeatable read"),
            "25001 0 SET TRANSACTION ISOLATION LEVEL must not be called in a subtransaction");
}

TEST_F(SavepointTest, SerializableIsRefused) {
  // What is not supported names its statement's place.
  constexpr std::string_view kRefused = "0A000 1 isolation level \"serializable\" is not supported";
  EXPECT_EQ(a_->Error("begin isolation level serializable"), kRefused);
  EXPECT_EQ(a_->Error("set default_transaction_isolation = serializable"), kRefused);
  EXPECT_EQ(a_->Rows("show default_transaction_isolation"), "read committed");
  a_->Run("begin isolation level read uncommitted");
  EXPECT_EQ(a_->Rows("show transaction_isolation"), "read uncommitted");
  EXPECT_EQ(a_->Error("set transaction isolation level serializable"), kRefused);
}

}  // namespace
}  // namespace connbench::engine
