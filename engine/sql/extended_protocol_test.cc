// What the extended protocol promises besides rows: which error comes first, what a portal that is
// done answers, what tags count, and the contexts of errors. The right answers are PostgreSQL's.
#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "engine/sql/testing/sql_test_base.h"

namespace connbench::engine {
namespace {

using Lines = std::vector<std::string>;

class ExtendedProtocolTest : public SqlTest {
 protected:
  Session& session() { return a_->session(); }

  Status Parse(std::string_view name, std::string_view sql, std::vector<Oid> types = {}) {
    return session().Parse(name, sql, types, sink_);
  }
  Status Bind(std::string_view portal, std::string_view statement,
              std::vector<std::string> values = {}, std::vector<WireFormat> formats = {},
              std::vector<WireFormat> results = {}) {
    std::vector<WireValue> wire;
    for (const std::string& value : values) {
      wire.push_back({value.data(), static_cast<int32_t>(value.size())});
    }
    return session().Bind(portal, statement, formats, wire, results);
  }
  Status Execute(std::string_view portal, int64_t max_rows = 0) {
    return session().Execute(portal, max_rows, sink_).TakeStatus();
  }
  static std::string Text(const Status& status) { return TestSession::ErrorText(status); }
  void Sync() { ASSERT_TRUE(session().Sync(sink_).ok()); }

  CollectingSink sink_;
};

TEST_F(ExtendedProtocolTest, AStatementThatIsDoneCannotRunAgain) {
  a_->Run("create table t (a int)");
  for (const char* sql : {"insert into t values (1)", "begin", "create table u (a int)"}) {
    ASSERT_TRUE(Parse("", sql).ok());
    ASSERT_TRUE(Bind("p", "").ok());
    ASSERT_TRUE(Execute("p").ok());
    EXPECT_EQ(Text(Execute("p")), "55000 0 portal \"p\" cannot be run") << sql;
    Sync();
    a_->Run("rollback");
  }
  ASSERT_TRUE(Parse("", "select 1").ok());
  ASSERT_TRUE(Bind("p", "").ok());
  ASSERT_TRUE(Execute("p").ok());
  ASSERT_TRUE(Execute("p").ok());  // rows can be asked for again, and are none
  EXPECT_EQ(sink_.lines.back(), "SELECT 0");
}

// A portal that writes was bound before its table had the index and the key.
TEST_F(ExtendedProtocolTest, ABoundPortalWritesTheTableAsItIs) {
  a_->Run("create table p (id int primary key); create table t (a int); begin");
  ASSERT_TRUE(Parse("", "insert into t values (7)").ok());
  ASSERT_TRUE(Bind("one", "").ok());
  ASSERT_TRUE(Bind("two", "").ok());
  a_->Run("savepoint s; create index on t (a); set enable_seqscan = off");
  ASSERT_TRUE(Execute("one").ok());
  EXPECT_EQ(a_->Rows("select a from t where a = 7"), "7");
  a_->Run("savepoint s; delete from t; alter table t add foreign key (a) references p");
  EXPECT_EQ(Text(Execute("two")).substr(0, 5), "23503");
  a_->Run("rollback");
}

TEST_F(ExtendedProtocolTest, BindAndDescribeSeeWhatHasChanged) {
  const std::string changed = "0A000 0 cached plan must not change result type";
  a_->Run("create table t (a int); insert into t values (1)");
  for (const char* sql : {"select * from t", "insert into t values (2) returning *",
                          "update t set a = a returning *", "delete from t returning *"}) {
    ASSERT_TRUE(Parse("s", sql).ok());
    EXPECT_EQ(Text(Bind("", "s")), "ok");
    Sync();
    b_->Run("drop table t; create table t (a int, b int)");
    EXPECT_EQ(Text(session().DescribeStatement("s", sink_)), changed) << sql;
    Sync();
    EXPECT_EQ(Text(Bind("", "s")), changed) << sql;
    Sync();
    EXPECT_EQ(Text(session().CloseStatement("s")), "ok");
    b_->Run("drop table t; create table t (a int)");
  }
  // Another table of the same shape serves as well.
  ASSERT_TRUE(Parse("s", "select * from t").ok());
  ASSERT_TRUE(Parse("w", "insert into t values (3)").ok());
  Sync();
  b_->Run("drop table t; create table t (a int); insert into t values (7)");
  EXPECT_EQ(Text(session().DescribeStatement("s", sink_)), "ok");
  EXPECT_EQ(Text(Bind("", "s")), "ok");
  sink_.rows.clear();
  EXPECT_EQ(Text(Execute("")), "ok");
  EXPECT_EQ(sink_.rows, Lines{"7"});
  Sync();
  b_->Run("drop table t");
  const std::string gone = "42P01 15 relation \"t\" does not exist";
  sink_.lines.clear();
  EXPECT_EQ(Text(session().DescribeStatement("s", sink_)), gone);
  EXPECT_EQ(sink_.lines.size(), 1u) << "its parameters come first";
  Sync();
  EXPECT_EQ(Text(Bind("", "s")), gone);
  Sync();
  EXPECT_EQ(Text(Bind("", "w")), "42P01 13 relation \"t\" does not exist");
  Sync();
  // Without rows there is nothing to describe.
  EXPECT_EQ(Text(session().DescribeStatement("w", sink_)), "ok");
}

// What was bound to write may find another table when it runs.
TEST_F(ExtendedProtocolTest, AWriterLooksAgainWhenItRuns) {
  a_->Run("create table t (a int)");
  ASSERT_TRUE(Parse("", "insert into t values (1)").ok());
  ASSERT_TRUE(Bind("p", "").ok());
  ASSERT_TRUE(Parse("", "drop table t").ok());
  ASSERT_TRUE(Bind("", "").ok());
  ASSERT_TRUE(Execute("").ok());
  EXPECT_EQ(Text(Execute("p")).substr(0, 5), "42P01");
  Sync();
}

TEST_F(ExtendedProtocolTest, WhatNoBlockMayHoldIsRefusedInAPipeline) {
  a_->Run("create table t (a int); create index i on t (a)");
  const auto run = [&](const char* sql) {
    Status status = Parse("", sql);
    if (status.ok()) status = Bind("", "");
    if (status.ok()) status = Execute("");
    return Text(status);
  };
  const std::vector<std::pair<const char*, std::string>> commands = {
      {"vacuum t", "VACUUM"},
      {"create index concurrently j on t (a)", "CREATE INDEX CONCURRENTLY"},
      {"drop index concurrently i", "DROP INDEX CONCURRENTLY"},
      {"discard all", "DISCARD ALL"}};
  for (const auto& [sql, name] : commands) {
    EXPECT_EQ(run("select 1"), "ok");
    EXPECT_EQ(run(sql), "25001 0 " + name + " cannot be executed within a pipeline");
    Sync();
    EXPECT_EQ(run("begin"), "ok");
    EXPECT_EQ(run(sql), "25001 0 " + name + " cannot run inside a transaction block");
    Sync();
    a_->Run("rollback");
    // First in its pipeline it runs, and what fails behind it does not undo it.
    EXPECT_EQ(run(sql), "ok") << sql;
    EXPECT_EQ(run("select 1 / length(user || '') * 0 / 0"), "22012 0 division by zero");
    Sync();
    EXPECT_EQ(run("commit"), "ok");
    EXPECT_EQ(run("vacuum"), "ok");
    Sync();
  }
  EXPECT_EQ(a_->Error("drop index j"), "ok");
  EXPECT_EQ(a_->Error("drop index i"), "42704 0 index \"i\" does not exist");
  EXPECT_EQ(run("vacuum"), "ok");
  EXPECT_EQ(run("vacuum"), "25001 0 VACUUM cannot be executed within a pipeline");
  Sync();
  EXPECT_EQ(run("discard all"), "ok");
  EXPECT_EQ(run("discard all"), "ok");
  EXPECT_EQ(run("vacuum"), "ok");
  EXPECT_EQ(run("discard all"), "25001 0 DISCARD ALL cannot be executed within a pipeline");
  Sync();
}

TEST_F(ExtendedProtocolTest, PrepareTransactionEndsAFailedBlock) {
  a_->Run("create table t (a int)");
  a_->Run("begin; insert into t values (1)");
  EXPECT_EQ(a_->Error("select nope").substr(0, 5), "42703");
  EXPECT_EQ(a_->Error("prepare transaction 'x'"), "ok");
  EXPECT_EQ(a_->Rows("select count(*) from t"), "0");
  a_->Run("begin");
  EXPECT_EQ(a_->Error("  prepare transaction 'x'"), "0A000 3 two-phase commit is not supported");
  EXPECT_EQ(a_->Error("commit prepared 'x'").substr(0, 5), "25P02");
  a_->Run("rollback");
  for (const char* sql : {"commit prepared 'x'", "rollback prepared 'x'"}) {
    EXPECT_EQ(a_->Error(sql), "0A000 1 two-phase commit is not supported") << sql;
    ASSERT_TRUE(Parse("", std::string("\n") + sql).ok());
    ASSERT_TRUE(Bind("", "").ok());
    EXPECT_EQ(Text(Execute("")), "0A000 2 two-phase commit is not supported") << sql;
    Sync();
  }
}

TEST_F(ExtendedProtocolTest, ATagCountsTheRowsOfItsPiece) {
  a_->Run("create table t (a int); insert into t values (1), (2), (3)");
  ASSERT_TRUE(Parse("", "update t set a = a + 1 returning a").ok());
  ASSERT_TRUE(Bind("", "").ok());
  for (int i = 0; i < 3; ++i) ASSERT_TRUE(Execute("", i == 0 ? 2 : 0).ok());
  EXPECT_EQ(sink_.lines, Lines({"2", "3", "suspended", "4", "UPDATE 1", "UPDATE 0"}));
}

TEST_F(ExtendedProtocolTest, AFailedTransactionDescribesNoRows) {
  ASSERT_TRUE(Parse("rows", "select 1").ok());
  ASSERT_TRUE(Parse("none", "rollback").ok());
  Sync();
  a_->Run("begin");
  a_->Run("select nope");
  const std::string aborted =
      "25P02 0 current transaction is aborted, commands ignored until end of transaction block";
  EXPECT_EQ(Text(session().DescribeStatement("rows", sink_)), aborted);
  EXPECT_TRUE(session().DescribeStatement("none", sink_).ok());
  a_->Run("rollback");
}

TEST_F(ExtendedProtocolTest, ANameIsTakenOnlyByWhatIsRight) {
  ASSERT_TRUE(Parse("s", "select 1").ok());
  EXPECT_EQ(Text(Parse("s", "selec 1")).substr(0, 5), "42601");
  EXPECT_EQ(Text(Parse("s", "select 2")), "42P05 0 prepared statement \"s\" already exists");
}

TEST_F(ExtendedProtocolTest, ParametersWithoutATypeAreRefused) {
  a_->Run("create table t (a int)");
  EXPECT_EQ(Text(Parse("", "truncate t", {25, 0})),
            "42P18 0 could not determine data type of parameter $2");
  EXPECT_EQ(a_->Error("select 1, $1::int4"), "42P02 11 there is no parameter $1");
  for (const char* sql : {"select $1 is null", "select count($1)", "select concat('a', $1)",
                          "select $1 is distinct from null", "delete from t where $1 is null"}) {
    EXPECT_EQ(Text(Parse("", sql)), "42P18 0 could not determine data type of parameter $1") << sql;
  }
  EXPECT_TRUE(Parse("", "select a from t where a = $1 or $1 is null").ok());
  EXPECT_TRUE(Parse("", "select count(distinct $1)").ok());
  // Left open by the client, decided by the query inside.
  EXPECT_TRUE(Parse("", "declare c cursor for select a from t where a = $1", {0}).ok());
  EXPECT_TRUE(Parse("", "explain select a from t where a > $1 and $2 = 'x'", {0, 0}).ok());
  EXPECT_EQ(Text(Parse("", "declare c cursor for select $1 is null", {0})),
            "42P18 0 could not determine data type of parameter $1");
}

TEST_F(ExtendedProtocolTest, AParameterUsedBeforeItsTypeIsDecidedIsRefused) {
  EXPECT_EQ(Text(Parse("", "select $1 is null, $1::int4")),
            "42P08 8 could not determine data type of parameter $1");
  EXPECT_EQ(Text(Parse("", "select 1, concat($1), $1::text")),
            "42P08 18 could not determine data type of parameter $1");
}

TEST_F(ExtendedProtocolTest, ErrorsSayWhichParameter) {
  ASSERT_TRUE(Parse("", "select $1::int4, $2::int4").ok());
  Status status = Bind("", "", {"1", "x"});
  EXPECT_EQ(status.error().context, "unnamed portal parameter $2 = '...'");
  ASSERT_TRUE(Parse("", "select $1::int4").ok());
  status = Bind("p", "", {""});
  EXPECT_EQ(status.error().context, "portal \"p\" parameter $1 = ''");
  ASSERT_TRUE(Parse("", "select $1::int4").ok());
  status = Bind("", "", {"12345"}, {WireFormat::kBinary});
  EXPECT_EQ(Text(status), "22P03 0 incorrect binary data format in bind parameter 1");
  EXPECT_EQ(status.error().context, "unnamed portal parameter $1");
}

TEST_F(ExtendedProtocolTest, OnlyAFormatThatAValueNeedsMustExist) {
  const auto unknown = static_cast<WireFormat>(7);
  ASSERT_TRUE(Parse("", "select $1::int4").ok());
  EXPECT_EQ(Text(Bind("", "", {"1"}, {unknown})), "22023 0 unsupported format code: 7");
  ASSERT_TRUE(Parse("", "select 1").ok());
  EXPECT_TRUE(Bind("", "", {}, {unknown}).ok());  // there is no parameter
  ASSERT_TRUE(Bind("", "", {}, {}, {unknown}).ok());
  EXPECT_EQ(Text(Execute("")), "22023 0 unsupported format code: 7");
  Sync();
  a_->Run("create table t (a int)");
  ASSERT_TRUE(Parse("", "delete from t").ok());
  EXPECT_TRUE(Bind("", "", {}, {}, {unknown, unknown}).ok());  // there are no columns
  EXPECT_TRUE(Execute("").ok());
}

TEST_F(ExtendedProtocolTest, ErrorsOfCopySayWhereTheyHappened) {
  a_->Run("create table t (a int not null, b text)");
  const auto context = [&](std::string_view data) {
    const auto begun = session().Query("copy t from stdin", sink_);
    EXPECT_TRUE(begun.ok());
    Status status = session().CopyInData(data);
    if (status.ok()) status = session().CopyInDone(sink_).TakeStatus();
    return status.error().context;
  };
  EXPECT_EQ(context("1\tx\ny\tz\n"), "COPY t, line 2, column a: \"y\"");
  EXPECT_EQ(context("1\n"), "COPY t, line 1: \"1\"");
  EXPECT_EQ(context("\\N\tx\n"), "COPY t, line 1: \"\\N\tx\"");
  EXPECT_EQ(context(std::string(150, 'x') + "\n"),
            "COPY t, line 1, column a: \"" + std::string(100, 'x') + "...\"");
  ASSERT_TRUE(session().Query("copy t from stdin", sink_).ok());
  ASSERT_TRUE(session().CopyInData("1\tx\n2").ok());
  EXPECT_EQ(session().CopyInFail("why").error().context, "COPY t, line 2");
}

TEST_F(ExtendedProtocolTest, ASettingThatComesBackIsNotReported) {
  EXPECT_EQ(a_->Run("set local application_name = 'x'"),
            "WARNING 25P01 SET LOCAL can only be used in transaction blocks\nSET");
  EXPECT_EQ(a_->Run("begin; set application_name = 'x'; rollback"), "BEGIN\nSET\nROLLBACK");
  EXPECT_EQ(a_->Error("set application_name = 'a', 'b'"),
            "22023 0 SET application_name takes only one argument");
}

TEST_F(ExtendedProtocolTest, WhatAPortalHasWrittenIsSeenBeforeItsRowsAreFetched) {
  a_->Run("create table t (a int, b int); insert into t values (1, 1), (2, 2), (3, 3); begin");
  ASSERT_TRUE(Parse("", "update t set b = 9 returning a").ok());
  ASSERT_TRUE(Bind("p", "").ok());
  ASSERT_TRUE(Execute("p", 1).ok());
  EXPECT_EQ(a_->Rows("select count(*) from t where b = 9"), "3");
  EXPECT_EQ(a_->Run("delete from t"), "DELETE 3");
  a_->Run("rollback");
}

TEST_F(ExtendedProtocolTest, AQueryStringOfSeveralStatementsIsABlock) {
  a_->Run("create table t (a int)");
  EXPECT_EQ(a_->Run("select 1; lock table t; set local application_name = 'x'"),
            "1\nSELECT 1\nLOCK TABLE\nSET");
  EXPECT_EQ(a_->Error("lock table t"), "25P01 0 LOCK TABLE can only be used in transaction blocks");
  EXPECT_EQ(a_->Error("select 1; savepoint s"),
            "25P01 0 SAVEPOINT can only be used in transaction blocks");
  EXPECT_EQ(a_->Error("select 1; vacuum t"),
            "25001 0 VACUUM cannot run inside a transaction block");
}

TEST_F(ExtendedProtocolTest, DeallocateAllKeepsTheUnnamedStatement) {
  ASSERT_TRUE(Parse("", "deallocate all").ok());
  for (int i = 0; i < 2; ++i) {
    ASSERT_TRUE(Bind("", "").ok());
    ASSERT_TRUE(Execute("").ok());
  }
  EXPECT_EQ(sink_.lines, Lines({"DEALLOCATE ALL", "DEALLOCATE ALL"}));
}

TEST_F(ExtendedProtocolTest, AReadOnlyTransactionDescribesNoRowsOfAWrite) {
  a_->Run("create table t (a int)");
  const auto answer = session().Query("begin read only; delete from t returning a", sink_);
  EXPECT_EQ(Text(answer.status()), "25006 0 cannot execute DELETE in a read-only transaction");
  EXPECT_TRUE(sink_.columns.empty());
}

// PostgreSQL computes constants when it plans: whether a row would need them or not, before rows
// are described, and not when a statement is only prepared.
TEST_F(ExtendedProtocolTest, AConstantThatFailsIsAnErrorOfThePlan) {
  const std::string division = "22012 0 division by zero";
  a_->Run("create table t (a int)");
  for (const char* sql :
       {"select 1 / 0", "select 1 / 0 from t", "select a from t where a = 1 / 0",
        "select case when a = 1 then 1 / 0 else 0 end from t", "select a from t limit 1 / 0",
        "select coalesce(a, 1 / 0) from t", "select a from t order by 1 / 0 + a",
        "update t set a = 1 / 0", "insert into t select 1 / 0 from t", "explain select 1 / 0",
        "copy (select 1 / 0 from t) to stdout"}) {
    sink_ = {};
    EXPECT_EQ(Text(session().Query(sql, sink_).status()), division) << sql;
    EXPECT_TRUE(sink_.columns.empty() && sink_.lines.empty()) << sql;
  }
  for (const char* sql :
       {"select case when true then 1 when 1 / 0 = 1 then 1 / 0 else 1 / 0 end",
        "select case when false then 1 / 0 else 1 end",
        "select case 2 when 3 then 1 / 0 when 2 then 1 else 1 / 0 end", "select coalesce(1, 1 / 0)",
        "select 1 where true or 1 / 0 = 1", "select 1 where not (false and 1 / 0 = 1)",
        "select 1 where (true or 1 / 0 = 1) and not (false and (1 = 1 or 1 / 0 = 1))"}) {
    EXPECT_EQ(a_->Rows(sql), "1") << sql;
  }
  ASSERT_TRUE(Parse("s", "select 1 / 0").ok());
  sink_ = {};
  EXPECT_TRUE(session().DescribeStatement("s", sink_).ok());
  EXPECT_EQ(sink_.columns.size(), 1u);
  EXPECT_EQ(Text(Bind("", "s")), division);
  EXPECT_EQ(a_->Run("prepare p as select 1 / 0"), "PREPARE");
  EXPECT_EQ(a_->Error("execute p"), division);
}

// A statement of a Query message runs in the unnamed portal, which a failed one leaves behind until
// its transaction is rolled back.
TEST_F(ExtendedProtocolTest, AQueryThatFailsLeavesItsPortal) {
  const std::string aborted =
      "25P02 0 current transaction is aborted, commands ignored until end of transaction block";
  const std::string missing = "34000 0 portal \"\" does not exist";
  a_->Run("create table t (a int primary key); insert into t values (1)");
  a_->Run("begin");
  EXPECT_NE(a_->Error("insert into t values (1)"), "ok");
  EXPECT_TRUE(session().DescribePortal("", sink_).ok());
  EXPECT_EQ(Text(Execute("")), aborted);
  a_->Run("rollback");
  EXPECT_EQ(Text(Execute("")), missing);

  a_->Run("begin");
  EXPECT_NE(a_->Error("insert into t values (1) returning a"), "ok");
  EXPECT_EQ(Text(session().DescribePortal("", sink_)), aborted);
  EXPECT_NE(a_->Error("rollback to nope"), "ok");
  EXPECT_EQ(Text(Execute("")), "55000 0 portal \"\" cannot be run");
  a_->Run("rollback");

  // What does not come to run leaves the portal that was there.
  a_->Run("begin");
  ASSERT_TRUE(Parse("", "select 7").ok());
  ASSERT_TRUE(Bind("", "").ok());
  EXPECT_TRUE(session().Query("", sink_).ok());
  sink_ = {};
  ASSERT_TRUE(Execute("").ok());
  EXPECT_EQ(sink_.lines.front(), "7");
  EXPECT_NE(a_->Error("select nope"), "ok");
  EXPECT_EQ(Text(Execute("")), aborted);
  a_->Run("rollback");
}

TEST_F(ExtendedProtocolTest, AnEmptyStatementIsBoundOnlyInAGoodTransaction) {
  ASSERT_TRUE(Parse("e", "").ok());
  Sync();
  EXPECT_EQ(a_->Run("execute e"), "EXECUTE");
  a_->Run("begin");
  a_->Run("select nope");
  ASSERT_TRUE(Parse("", ";").ok());
  EXPECT_EQ(Text(Bind("", "e")).substr(0, 5), "25P02");
  a_->Run("rollback");
  EXPECT_TRUE(Bind("", "e").ok());
}

TEST_F(ExtendedProtocolTest, DriversCanResetTheirConnections) {
  EXPECT_EQ(a_->Run("select pg_advisory_unlock_all(); close all; unlisten *; reset all"),
            "\nSELECT 1\nCLOSE CURSOR ALL\nUNLISTEN\nRESET");
  EXPECT_EQ(a_->Error("close nope"), "34000 0 cursor \"nope\" does not exist");
  a_->Run("begin");
  ASSERT_TRUE(Parse("", "select 1").ok());
  ASSERT_TRUE(Bind("c", "").ok());
  a_->Run("close c");
  EXPECT_EQ(Text(Execute("c")), "34000 0 portal \"c\" does not exist");
}

TEST_F(ExtendedProtocolTest, NamesAreText) {
  const std::string bad = "p\xff\xfe";
  const std::string refused = "22021 0 invalid byte sequence for encoding \"UTF8\": 0xff";
  ASSERT_TRUE(Parse("", "select 1").ok());
  EXPECT_EQ(Text(Bind(bad, "")), refused);
  EXPECT_EQ(Text(Bind("", bad)), refused);
  EXPECT_EQ(Text(Parse(bad, "select 1")), refused);
  EXPECT_EQ(Text(Execute(bad)), refused);
  EXPECT_EQ(Text(session().DescribeStatement(bad, sink_)), refused);
  EXPECT_EQ(Text(session().DescribePortal(bad, sink_)), refused);
  EXPECT_EQ(Text(session().CloseStatement(bad)), refused);
  EXPECT_EQ(Text(session().ClosePortal(bad)), refused);
  ASSERT_TRUE(Parse("\xc3\xa9", "select 1").ok());
  EXPECT_EQ(Text(Bind("\xc3\xa9", "\xc3\xa9")), "ok");
}

TEST_F(ExtendedProtocolTest, ATableIsNotTakenFromUnderAQuery) {
  a_->Run("create table pd (a int primary key); insert into pd values (1), (2)");
  const auto in_use = [](const std::string& command) {
    return "55006 0 cannot " + command +
           " \"pd\" because it is being used by active queries in this session";
  };
  const std::pair<const char*, std::string> cases[] = {
      {"drop table pd", in_use("DROP TABLE")},
      {"drop table pd cascade", in_use("DROP TABLE")},
      {"truncate pd", in_use("TRUNCATE")},
      {"create index on pd (a)", in_use("CREATE INDEX")},
      {"alter table pd alter a set default 1", in_use("ALTER TABLE")},
      {"alter table pd drop constraint pd_pkey", in_use("ALTER TABLE")},
  };
  for (const auto& [sql, error] : cases) {
    for (const int rows : {-1, 1, 0}) {  // bound only, some read, all read
      a_->Run("begin");
      ASSERT_TRUE(Parse("", "select a from pd").ok());
      ASSERT_TRUE(Bind("p", "").ok());
      if (rows >= 0) {
        ASSERT_TRUE(Execute("p", rows).ok());
      }
      EXPECT_EQ(a_->Error(sql), error) << rows;
      a_->Run("rollback; begin");
      ASSERT_TRUE(Parse("", "select a from pd").ok());
      ASSERT_TRUE(Bind("p", "").ok());
      ASSERT_TRUE(session().ClosePortal("p").ok());
      EXPECT_EQ(a_->Error(sql), "ok") << rows;
      a_->Run("rollback");
    }
  }
}

TEST_F(ExtendedProtocolTest, AnIndexIsNotTakenFromUnderItsScan) {
  a_->Run("create table pi (a int primary key, b int); create index pib on pi (b)");
  a_->Run("insert into pi values (1, 1), (2, 2), (3, 3); set enable_seqscan = off");
  a_->Run("begin");
  ASSERT_TRUE(Parse("", "select a from pi where b > 1").ok());
  ASSERT_TRUE(Bind("p", "").ok());
  ASSERT_TRUE(Execute("p", 1).ok());
  EXPECT_EQ(a_->Error("drop index pib"),
            "55006 0 cannot DROP INDEX \"pib\" because it is being used by active queries in this "
            "session");
  a_->Run("rollback");

  // Another scan goes on, and what is written under it afterwards is not in the index.
  a_->Run("begin; set local enable_indexscan = off; set local enable_seqscan = on");
  ASSERT_TRUE(Parse("", "select a from pi where b > 1").ok());
  ASSERT_TRUE(Bind("p", "").ok());
  ASSERT_TRUE(Execute("p", 1).ok());
  ASSERT_TRUE(Parse("write", "insert into pi values (4, 4)").ok());
  ASSERT_TRUE(Bind("w", "write").ok());
  EXPECT_EQ(a_->Error("drop index pib"), "ok");
  EXPECT_TRUE(Execute("w").ok());
  EXPECT_TRUE(Execute("p").ok());
  a_->Run("commit");
  EXPECT_EQ(a_->Rows("select count(*) from pi where b > 1"), "3");
}

}  // namespace
}  // namespace connbench::engine
