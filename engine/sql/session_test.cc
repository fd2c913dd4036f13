// Sessions: transactions, prepared statements, portals, COPY, settings.

#include <fmt/format.h>

#include <atomic>
#include <thread>

#include "engine/sql/testing/sql_test_base.h"

namespace connbench::engine {
namespace {

using SessionTest = SqlTest;

TEST_F(SessionTest, RunsStatementsOfOneStringInOneTransaction) {
  EXPECT_EQ(a_->Run("create table t (a int); insert into t values (1); select a from t"),
            "CREATE TABLE\nINSERT 0 1\n1\nSELECT 1");
  EXPECT_EQ(a_->Run("insert into t values (2); select 1/0; insert into t values (3)"),
            "INSERT 0 1\nERROR 22012 0 division by zero");
  EXPECT_EQ(a_->Rows("select a from t"), "1");
  EXPECT_EQ(a_->session().transaction_status(), TransactionStatus::kIdle);
  EXPECT_EQ(a_->Run(" ; "), "empty query");
}

TEST_F(SessionTest, KeepsATransactionBlock) {
  a_->Run("create table t (a int)");
  EXPECT_EQ(a_->Run("begin"), "BEGIN");
  EXPECT_EQ(a_->Run("begin"), "WARNING 25001 there is already a transaction in progress\nBEGIN");
  a_->Run("insert into t values (1)");
  EXPECT_EQ(a_->session().transaction_status(), TransactionStatus::kInTransaction);
  EXPECT_EQ(b_->Rows("select count(*) from t"), "0");
  EXPECT_EQ(a_->Run("commit"), "COMMIT");
  EXPECT_EQ(b_->Rows("select count(*) from t"), "1");
  EXPECT_EQ(a_->Run("commit"), "WARNING 25P01 there is no transaction in progress\nCOMMIT");
}

TEST_F(SessionTest, FailsABlockUntilRollback) {
  a_->Run("create table t (a int)");
  a_->Run("begin; insert into t values (1)");
  EXPECT_EQ(a_->Error("select nope from t"), "42703 8 column \"nope\" does not exist");
  EXPECT_EQ(a_->session().transaction_status(), TransactionStatus::kFailed);
  EXPECT_EQ(a_->Error("select 1"),
            "25P02 0 current transaction is aborted, commands ignored until end of transaction "
            "block");
  EXPECT_EQ(a_->Run("commit"), "ROLLBACK");
  EXPECT_EQ(a_->Rows("select count(*) from t"), "0");
}

TEST_F(SessionTest, GoesBackToSavepoints) {
  a_->Run("create table t (a int)");
  EXPECT_EQ(a_->Run("begin; insert into t values (1); savepoint s; insert into t values (2)"),
            "BEGIN\nINSERT 0 1\nSAVEPOINT\nINSERT 0 1");
  EXPECT_NE(a_->Error("select 1/0"), "ok");
  EXPECT_EQ(a_->Run("rollback to s"), "ROLLBACK");
  EXPECT_EQ(a_->Rows("select a from t"), "1");
  EXPECT_EQ(a_->Run("insert into t values (3); release s; commit"), "INSERT 0 1\nRELEASE\nCOMMIT");
  EXPECT_EQ(a_->Rows("select a from t order by a"), "1 3");
  EXPECT_EQ(a_->Error("begin; rollback to nope"), "3B001 0 savepoint \"nope\" does not exist");
  a_->Run("rollback");
  EXPECT_EQ(a_->Error("savepoint s"), "25P01 0 SAVEPOINT can only be used in transaction blocks");
}

TEST_F(SessionTest, TerminatesAnotherSession) {
  const std::string id = b_->Rows("select pg_backend_pid()");
  EXPECT_TRUE(b_->session().TerminationRequested().ok());
  EXPECT_EQ(a_->Rows("select pg_terminate_backend(" + id + ")"), "t");
  EXPECT_EQ(b_->session().TerminationRequested().code(), sqlstate::kAdminShutdown);
  EXPECT_EQ(a_->Rows("select pg_terminate_backend(0)"), "f");
}

// An index has no entries for versions that were dead when it was made, but an older snapshot may
// still see them.
TEST_F(SessionTest, AnOldSnapshotDoesNotUseAnIndexThatIsYounger) {
  a_->Run("create table t (a int, b int); insert into t values (1, 1), (2, 2)");
  b_->Run("prepare p(int) as select b from t where a = $1");
  b_->Run("begin isolation level repeatable read");
  EXPECT_EQ(b_->Rows("execute p(1)"), "1");
  a_->Run("update t set a = 3, b = 3 where a = 1; delete from t where a = 2");
  a_->Run("create index t_a on t (a)");
  EXPECT_EQ(b_->Rows("execute p(1)"), "1");
  EXPECT_EQ(b_->Rows("execute p(2)"), "2");
  EXPECT_EQ(b_->Rows("execute p(3)"), "");
  EXPECT_EQ(b_->Rows("select b from t where a = 1"), "1");
  EXPECT_EQ(b_->Rows("select b from t where a = 3"), "");
  b_->Run("commit");
  // Later transactions use it, prepared statements too.
  EXPECT_EQ(b_->Rows("execute p(3)"), "3");
  EXPECT_NE(b_->Run("explain execute p(3)").find("Index Scan using t_a"), std::string::npos);
}

TEST_F(SessionTest, KeepsIsolationLevelsApart) {
  a_->Run("create table t (a int); insert into t values (1)");
  b_->Run("begin isolation level repeatable read");
  EXPECT_EQ(b_->Rows("select a from t"), "1");
  a_->Run("update t set a = 2");
  EXPECT_EQ(b_->Rows("select a from t"), "1");
  EXPECT_EQ(b_->Error("update t set a = 3"),
            "40001 0 could not serialize access due to concurrent update");
  EXPECT_EQ(b_->Run("rollback"), "ROLLBACK");
  b_->Run("begin");
  EXPECT_EQ(b_->Rows("select a from t"), "2");
  a_->Run("update t set a = 5");
  EXPECT_EQ(b_->Rows("select a from t"), "5");
  b_->Run("commit");
  EXPECT_EQ(a_->Error("begin read only; insert into t values (1)"),
            "25006 0 cannot execute INSERT in a read-only transaction");
  a_->Run("rollback");
}

TEST_F(SessionTest, RereadsARowThatChangedWhileItWaited) {
  a_->Run("create table t (id int primary key, v int); insert into t values (1, 10), (2, 20)");
  a_->Run("begin; update t set v = 100 where id = 1; update t set v = 0 where id = 2");
  std::string updated;
  std::thread waiter([&] { updated = b_->Run("update t set v = v + 1 where v > 5"); });
  // The other session reaches the lock some time or other; the outcome is the same either way.
  while (engine_->counters().lock_waits == 0) std::this_thread::yield();
  a_->Run("commit");
  waiter.join();
  EXPECT_EQ(updated, "UPDATE 1");
  EXPECT_EQ(a_->Rows("select id, v from t order by id"), "1|101 2|0");
}

TEST_F(SessionTest, ResolvesADeadlock) {
  a_->Run("create table t (id int primary key, v int); insert into t values (1, 0), (2, 0)");
  a_->Run("begin; update t set v = 1 where id = 1");
  b_->Run("begin; update t set v = 2 where id = 2");
  std::string from_b;
  std::thread other([&] { from_b = b_->Run("update t set v = 2 where id = 1"); });
  while (engine_->counters().lock_waits == 0) std::this_thread::yield();
  const std::string from_a = a_->Run("update t set v = 1 where id = 2");
  const bool a_lost = from_a.find("40P01") != std::string::npos;
  a_->Run(a_lost ? "rollback" : "commit");
  other.join();
  EXPECT_NE(a_lost, from_b.find("40P01") != std::string::npos) << from_a << from_b;
  b_->Run("rollback");
}

TEST_F(SessionTest, TellsWhatAPreparedStatementIs) {
  a_->Run("create table t (id int primary key, s varchar(5), v bigint)");
  CollectingSink sink;
  ASSERT_TRUE(a_->session().Parse("p", "select s, v + $2 from t where id = $1", {}, sink).ok());
  ASSERT_TRUE(a_->session().DescribeStatement("p", sink).ok());
  EXPECT_EQ(sink.lines, std::vector<std::string>({"parameters 23 20"}));
  EXPECT_EQ(sink.columns, std::vector<std::string>({"s:1043", "?column?:20"}));
  EXPECT_TRUE(a_->session().Sync(sink).ok());
  EXPECT_EQ(TestSession::ErrorText(a_->session().Parse("p", "select 1", {}, sink)),
            "42P05 0 prepared statement \"p\" already exists");
  EXPECT_EQ(TestSession::ErrorText(a_->session().Parse("q", "select 1; select 2", {}, sink)),
            "42601 0 cannot insert multiple commands into a prepared statement");
  EXPECT_EQ(TestSession::ErrorText(a_->session().Bind("", "nope", {}, {}, {})),
            "26000 0 prepared statement \"nope\" does not exist");
  EXPECT_EQ(TestSession::ErrorText(a_->session().Bind("", "p", {}, {}, {})),
            "08P01 0 bind message supplies 0 parameters, but prepared statement \"p\" requires 2");
  EXPECT_TRUE(a_->session().Sync(sink).ok());
}

TEST_F(SessionTest, RunsAPreparedStatementAgainAndAgain) {
  a_->Run(
      "create table t (id int primary key, v int); insert into t "
      "select g, g * 10 from generate_series(1, 100) g");
  CollectingSink sink;
  ASSERT_TRUE(a_->session().Parse("p", "select v from t where id = $1", {}, sink).ok());
  for (int i = 1; i <= 100; ++i) {
    const std::string text = std::to_string(i);
    const WireValue value{text.data(), static_cast<int32_t>(text.size())};
    ASSERT_TRUE(a_->session().Bind("", "p", {}, {&value, 1}, {}).ok());
    ASSERT_TRUE(a_->session().Execute("", 0, sink).ok());
    ASSERT_TRUE(a_->session().Sync(sink).ok());
    EXPECT_EQ(sink.rows.back(), std::to_string(i * 10));
  }
}

TEST_F(SessionTest, TakesBinaryInt8ForAnInt4Column) {
  a_->Run("create table t (id int primary key, c char(3)); insert into t values (7, 'x')");
  CollectingSink sink;
  const Oid type = 20;
  ASSERT_TRUE(a_->session().Parse("p", "select c, id from t where id = $1", {&type, 1}, sink).ok());
  const char bytes[] = {0, 0, 0, 0, 0, 0, 0, 7};
  const WireValue value{bytes, 8};
  const WireFormat binary = WireFormat::kBinary;
  ASSERT_TRUE(a_->session().Bind("", "p", {&binary, 1}, {&value, 1}, {&binary, 1}).ok());
  ASSERT_TRUE(a_->session().Execute("", 0, sink).ok());
  ASSERT_TRUE(a_->session().Sync(sink).ok());
  EXPECT_EQ(sink.rows.at(0), std::string("x  |\0\0\0\7", 8));
}

TEST_F(SessionTest, SuspendsAPortal) {
  CollectingSink sink;
  Session& session = a_->session();
  ASSERT_TRUE(session.Parse("", "select * from generate_series(1, 5)", {}, sink).ok());
  ASSERT_TRUE(session.Bind("c", "", {}, {}, {}).ok());
  ASSERT_TRUE(session.Execute("c", 2, sink).ok());
  ASSERT_TRUE(session.Execute("c", 2, sink).ok());
  ASSERT_TRUE(session.Execute("c", 2, sink).ok());
  EXPECT_EQ(sink.lines, std::vector<std::string>(
                            {"1", "2", "suspended", "3", "4", "suspended", "5", "SELECT 1"}));
  ASSERT_TRUE(session.Sync(sink).ok());
  EXPECT_EQ(TestSession::ErrorText(session.Execute("c", 0, sink).TakeStatus()),
            "34000 0 portal \"c\" does not exist");
  ASSERT_TRUE(session.Sync(sink).ok());
}

TEST_F(SessionTest, RunsAWriteToItsEndWhateverIsFetched) {
  CollectingSink sink;
  Session& session = a_->session();
  a_->Run("create table t (a int)");
  ASSERT_TRUE(session.Parse("", "insert into t values (1), (2), (3) returning a", {}, sink).ok());
  ASSERT_TRUE(session.Bind("w", "", {}, {}, {}).ok());
  ASSERT_TRUE(session.Execute("w", 2, sink).ok());
  ASSERT_TRUE(session.Sync(sink).ok());
  EXPECT_EQ(sink.lines, std::vector<std::string>({"1", "2", "suspended"}));
  EXPECT_EQ(a_->Rows("select count(*) from t"), "3");
  a_->Run("begin");
  ASSERT_TRUE(session.Parse("", "delete from t returning a", {}, sink).ok());
  ASSERT_TRUE(session.Bind("w", "", {}, {}, {}).ok());
  sink = {};
  ASSERT_TRUE(session.Execute("w", 1, sink).ok());
  ASSERT_TRUE(session.Execute("w", 0, sink).ok());
  EXPECT_EQ(sink.lines, std::vector<std::string>({"1", "suspended", "2", "3", "DELETE 2"}));
  a_->Run("commit");
}

TEST_F(SessionTest, RunsTwoPortalsOfOneStatement) {
  CollectingSink sink;
  Session& session = a_->session();
  a_->Run("create table t (a int); insert into t values (1), (2), (3)");
  a_->Run("begin");
  ASSERT_TRUE(session.Parse("p", "select a from t order by a", {}, sink).ok());
  ASSERT_TRUE(session.Bind("x", "p", {}, {}, {}).ok());
  ASSERT_TRUE(session.Bind("y", "p", {}, {}, {}).ok());
  ASSERT_TRUE(session.Execute("x", 1, sink).ok());
  ASSERT_TRUE(session.Execute("y", 0, sink).ok());
  ASSERT_TRUE(session.Execute("x", 0, sink).ok());
  EXPECT_EQ(sink.rows, std::vector<std::string>({"1", "1", "2", "3", "2", "3"}));
  EXPECT_EQ(TestSession::ErrorText(session.Bind("x", "p", {}, {}, {})),
            "42P03 0 cursor \"x\" already exists");
  a_->Run("rollback");
}

TEST_F(SessionTest, PlansAgainAfterDdl) {
  a_->Run("create table t (id int, v int); insert into t values (1, 2)");
  CollectingSink sink;
  Session& session = a_->session();
  const auto run = [&](std::string_view name) {
    sink = {};
    Status status = session.Bind("", name, {}, {}, {});
    if (status.ok()) status = session.Execute("", 0, sink).TakeStatus();
    Status synced = session.Sync(sink);
    EXPECT_TRUE(synced.ok());
    return status.ok() ? (sink.rows.empty() ? "none" : sink.rows[0])
                       : TestSession::ErrorText(status);
  };
  ASSERT_TRUE(session.Parse("star", "select * from t", {}, sink).ok());
  ASSERT_TRUE(session.Parse("id", "select id from t", {}, sink).ok());
  ASSERT_TRUE(session.Sync(sink).ok());
  EXPECT_EQ(run("star"), "1|2");
  b_->Run("truncate t");
  EXPECT_EQ(run("star"), "none");
  b_->Run("insert into t values (3, 4); alter table t add primary key (id)");
  EXPECT_EQ(run("star"), "3|4");
  b_->Run("drop table t; create table t (id int); insert into t values (9)");
  EXPECT_EQ(run("id"), "9");
  EXPECT_EQ(run("star"), "0A000 0 cached plan must not change result type");
  b_->Run("drop table t");
  EXPECT_EQ(run("id"), "42P01 16 relation \"t\" does not exist");
}

TEST_F(SessionTest, ForgetsPlansThatRestOnRolledBackChanges) {
  a_->Run("create table t (id int, v int); insert into t values (1, 2)");
  a_->Run("begin; truncate t; prepare p as select count(*) from t");
  EXPECT_EQ(a_->Rows("execute p"), "0");
  a_->Run("rollback");
  EXPECT_EQ(a_->Rows("execute p"), "1");
}

TEST_F(SessionTest, EndsThePipelineAtSync) {
  a_->Run("create table t (a int primary key)");
  CollectingSink sink;
  Session& session = a_->session();
  ASSERT_TRUE(session.Parse("i", "insert into t values ($1)", {}, sink).ok());
  for (const char* text : {"1", "2"}) {
    const WireValue value{text, 1};
    ASSERT_TRUE(session.Bind("", "i", {}, {&value, 1}, {}).ok());
    ASSERT_TRUE(session.Execute("", 0, sink).ok());
  }
  EXPECT_EQ(b_->Rows("select count(*) from t"), "0");
  ASSERT_TRUE(session.Sync(sink).ok());
  EXPECT_EQ(b_->Rows("select count(*) from t"), "2");
}

TEST_F(SessionTest, CopiesBothWays) {
  a_->Run("create table t (id int primary key, s text, d timestamp default '2000-01-01')");
  EXPECT_EQ(a_->Run("copy t (id, s) from stdin", "1\tone\n2\t\\N\n3\ta\\tb\\\\\\n\\x41\n\\.\nrest"),
            "copy in 2\nCOPY 3");
  EXPECT_EQ(a_->Run("copy t from stdin with (format csv, header)",
                    "id,s,d\n4,\"say \"\"hi\"\",\nthere\",2001-02-03\n5,,2002-01-01 10:00\n"),
            "copy in 3\nCOPY 2");
  a_->Run("copy t to stdout");
  EXPECT_EQ(a_->last().copied,
            "1\tone\t2000-01-01 00:00:00\n2\t\\N\t2000-01-01 00:00:00\n"
            "3\ta\\tb\\\\\\nA\t2000-01-01 00:00:00\n"
            "4\tsay \"hi\",\\nthere\t2001-02-03 00:00:00\n5\t\\N\t2002-01-01 10:00:00\n");
  a_->Run("copy (select s, id from t where id in (1, 4) order by id) to stdout csv header");
  EXPECT_EQ(a_->last().copied, "s,id\none,1\n\"say \"\"hi\"\",\nthere\",4\n");
  EXPECT_EQ(a_->Run("copy t (id, s) from stdin; select 7", "9\tx\n"),
            "copy in 2\nCOPY 1\n7\nSELECT 1");
  EXPECT_EQ(a_->Run("copy t (id) from stdin", "x\n"),
            "copy in 1\nERROR 22P02 0 invalid input syntax for type integer: \"x\"");
  EXPECT_EQ(a_->Run("copy t (id, s) from stdin", "10\n"),
            "copy in 2\nERROR 22P04 0 missing data for column \"s\"");
  EXPECT_EQ(a_->Run("copy t (id) from stdin", "10\t1\n"),
            "copy in 1\nERROR 22P04 0 extra data after last expected column");
  EXPECT_EQ(a_->Run("copy t (id) from stdin", "1\n"),
            "copy in 1\nERROR 23505 0 duplicate key value violates unique constraint \"t_pkey\"");
  EXPECT_EQ(a_->Rows("select count(*) from t"), "6");
}

TEST_F(SessionTest, FailsACopyThatTheClientGaveUp) {
  a_->Run("create table t (id int)");
  CollectingSink sink;
  ASSERT_TRUE(a_->session().Query("copy t from stdin", sink).ok());
  ASSERT_TRUE(a_->session().CopyInData("1\n").ok());
  EXPECT_EQ(TestSession::ErrorText(a_->session().CopyInFail("no more")),
            "57014 0 COPY from stdin failed: no more");
  EXPECT_EQ(a_->Rows("select count(*) from t"), "0");
}

TEST_F(SessionTest, KeepsSettings) {
  EXPECT_EQ(a_->Run("set application_name = 'x y'"), "SET\napplication_name=x y");
  EXPECT_EQ(a_->Rows("show application_name"), "x y");
  EXPECT_EQ(a_->Run("set application_name = 'x y'"), "SET");
  EXPECT_EQ(a_->Run("set statement_timeout = '90s'; show statement_timeout"), "SET\n90s\nSHOW");
  EXPECT_EQ(a_->Run("set statement_timeout = 120000; show statement_timeout"), "SET\n2min\nSHOW");
  a_->Run("begin; set local work_mem = '1MB'; set extra_float_digits = 2");
  EXPECT_EQ(a_->Rows("show work_mem"), "1MB");
  a_->Run("commit");
  EXPECT_EQ(a_->Rows("show work_mem"), "4MB");
  EXPECT_EQ(a_->Rows("show extra_float_digits"), "2");
  a_->Run("begin; set extra_float_digits = 3; rollback");
  EXPECT_EQ(a_->Rows("show extra_float_digits"), "2");
  EXPECT_EQ(a_->Run("reset all"), "RESET\napplication_name=");
  EXPECT_EQ(a_->Rows("show extra_float_digits"), "1");
  EXPECT_EQ(a_->Run("set my.setting = 'v'; show my.setting"), "SET\nv\nSHOW");
  EXPECT_EQ(a_->Rows("show transaction_isolation"), "read committed");
  EXPECT_EQ(a_->Rows("begin isolation level repeatable read; show transaction_isolation"),
            "repeatable read");
  a_->Run("rollback");
  EXPECT_EQ(
      a_->Error("set max_connections = 5"),
      "55P02 0 parameter \"max_connections\" cannot be changed without restarting the server");
  EXPECT_EQ(a_->Run("discard all"), "DISCARD ALL");
  TestSession c(*engine_,
                {{"application_name", "c"}, {"statement_timeout", "5s"}, {"work_mem", "2MB"}});
  EXPECT_EQ(c.Rows("show statement_timeout"), "5s");
  c.Run("set statement_timeout = 0; reset statement_timeout");
  EXPECT_EQ(c.Rows("show statement_timeout"), "5s");
  EXPECT_EQ(c.Rows("select current_setting('work_mem'), current_user, current_database()"),
            "2MB|tester|testdb");
}

TEST_F(SessionTest, StopsAtTheStatementTimeout) {
  a_->Run("set statement_timeout = 30");
  EXPECT_EQ(a_->Error("select pg_sleep(60)"),
            "57014 0 canceling statement due to statement timeout");
  EXPECT_EQ(a_->Error("select count(*) from generate_series(1, 10000000000)"),
            "57014 0 canceling statement due to statement timeout");
  EXPECT_EQ(a_->Rows("select 1"), "1");
}

TEST_F(SessionTest, StopsWhenCanceled) {
  std::atomic<bool> done = false;
  std::string answer;
  std::thread runner([&] {
    answer = a_->Error("select pg_sleep(600)");
    done = true;
  });
  // A cancel that comes before the statement is forgotten, so it is sent until it hits.
  constexpr uint32_t kConnectionOfA = 1;
  while (!done) {
    engine_->Cancel(kConnectionOfA, a_->session().cancel_key());
    std::this_thread::yield();
  }
  runner.join();
  EXPECT_EQ(answer, "57014 0 canceling statement due to user request");
}

TEST_F(SessionTest, RefusesDeepNesting) {
  std::string deep = "select ";
  for (int i = 0; i < 100000; ++i) deep += "1+";
  EXPECT_TRUE(a_->Error(deep + "1").starts_with("54001")) << a_->Error(deep + "1");
  std::string parentheses(5000, '(');
  EXPECT_TRUE(
      a_->Error("select " + parentheses + "1" + std::string(5000, ')')).starts_with("54001"));
  EXPECT_EQ(a_->Rows("select 1"), "1");
}

TEST_F(SessionTest, AnswersNotSupportedWithThePosition) {
  EXPECT_EQ(a_->Error("select (array[1, 2])[1:2]"),
            "0A000 9 selecting a field or part of an expression is not supported");
  EXPECT_EQ(a_->Error("create materialized view v as select 1"),
            "0A000 26 a materialized view is not supported");
  EXPECT_EQ(a_->Error("select 1;  listen c"), "0A000 12 LISTEN is not supported");
  EXPECT_EQ(a_->Error("create temp table t (a int)"),
            "0A000 19 a temporary table is not supported");
  EXPECT_EQ(a_->Error("select 'ä', array[array[1]]"),
            "0A000 13 an array of several dimensions is not supported");
  EXPECT_EQ(a_->Rows("select 1"), "1");
}

TEST_F(SessionTest, ShowsThePoolsOfTheModel) {
  EXPECT_EQ(a_->Rows("select * from connbench_pools"), "");
  PoolAccount* account = engine_->OpenPoolAccount(0, 2);
  ASSERT_NE(account, nullptr);
  ASSERT_NE(engine_->OpenPoolAccount(1, 3), nullptr);
  account->TakenUp(1000, 3000);
  account->Ran(3000, 8000);
  account->Served(3000, 8000);
  account->Switched();
  EXPECT_EQ(
      a_->Rows("select pool, workers, waits, wait_us, services, service_us_max, resets, busy_us, "
               "switches from connbench_pools order by pool"),
      "0|2|1|2|1|5|0|5|1 1|3|0|0|0|0|0|0|0");
  EXPECT_EQ(a_->Rows("select sum(workers) from pg_catalog.connbench_pools p where p.pool >= 0"),
            "5");
  EXPECT_EQ(b_->Rows("select workers from connbench_pools where pool = 1"), "3");
  EXPECT_EQ(a_->Error("select * from public.connbench_pools"),
            "42P01 15 relation \"connbench_pools\" does not exist");
  EXPECT_EQ(a_->Error("delete from connbench_pools"),
            "42501 0 permission denied for view connbench_pools");
}

// The first line's end is the end of all; the answers are PostgreSQL's.
TEST_F(SqlTest, CopyTakesOneKindOfLineEnd) {
  a_->Run("create table t (s text)");
  const auto copy = [&](const char* options, const std::string& data) {
    std::string answer = a_->Run(std::string("copy t from stdin ") + options, data);
    return answer.substr(answer.find('\n') + 1);
  };
  const auto bad = [](const char* what) { return std::string("ERROR 22P04 0 ") + what; };
  for (const char* data : {"a\nb\n", "a\r\nb\r\n", "a\rb\r", "a\rb", "a\r\nb"}) {
    EXPECT_EQ(copy("", data), "COPY 2") << data;
    EXPECT_EQ(copy("csv", data), "COPY 2") << data;
  }
  for (const char* data : {"a\r\nb\n", "a\rb\n"}) {
    EXPECT_EQ(copy("", data), bad("literal newline found in data"));
    EXPECT_EQ(copy("csv", data), bad("unquoted newline found in data"));
  }
  for (const char* data : {"a\nb\r\n", "a\nb\rc\n", "a\r\nb\r", "a\r\nb\rc\r\n"}) {
    EXPECT_EQ(copy("", data), bad("literal carriage return found in data"));
    EXPECT_EQ(copy("csv", data), bad("unquoted carriage return found in data"));
  }
  EXPECT_EQ(copy("", "a\nb\\\rc\n\\\nd\n"), "COPY 3");
  EXPECT_EQ(copy("csv", "a\n\"b\rc\"\n"), "COPY 2");
  // Byte by byte, too.
  CollectingSink sink;
  ASSERT_TRUE(a_->session().Query("truncate t; copy t from stdin", sink).ok());
  for (const char c : std::string("a\r\nb\\\r\r\n\r\n")) {
    ASSERT_TRUE(a_->session().CopyInData({&c, 1}).ok());
  }
  ASSERT_TRUE(a_->session().CopyInDone(sink).ok());
  EXPECT_EQ(a_->Rows("select replace(s, chr(13), 'R') from t"), "a bR ");
}

// "\\." ends the data, if a line's end like those before follows; the answers are PostgreSQL's.
TEST_F(SqlTest, CopyEndsAtItsMarker) {
  a_->Run("create table t (s text)");
  struct CopyCase {
    std::string options;
    std::string data;
    std::string answer;
  };
  const CopyCase cases[] = {
      {"", "1\n\\.\n2\n", "COPY 1"},
      {"", "1\n\\.", "end-of-copy marker corrupt"},
      {"", "1\r\n\\.\r\n2\r\n", "COPY 1"},
      {"", "1\n\\.\r\n2\n", "end-of-copy marker does not match previous newline style"},
      {"", "1\r\n\\.\n2\r\n", "end-of-copy marker does not match previous newline style"},
      {"", "1\r\\.\r2\r", "COPY 1"},
      {"", "1\r\\.\n", "end-of-copy marker does not match previous newline style"},
      {"", "1\n\\.\r", "end-of-copy marker does not match previous newline style"},
      {"", "\\.\n", "COPY 0"},
      {"", "\\.\r\n", "COPY 0"},
      {"", "\\.", "end-of-copy marker corrupt"},
      {"", "\\.x\n", "end-of-copy marker corrupt"},
      {"", "a\\.\n", "COPY 1"},
      {"", "1\n\\.x\n", "end-of-copy marker corrupt"},
      {"", "1\n\\. \n", "end-of-copy marker corrupt"},
      {"", "1\\.\n2\n", "COPY 1"},
      {"", "x\n\\.\n\\.\n", "COPY 1"},
      {"", "\\.\r", "COPY 0"},
      {"", "1\r\n\\.", "end-of-copy marker corrupt"},
      {"", "1\r\n\\.\r", "end-of-copy marker corrupt"},
      {"", "1\r\\.", "end-of-copy marker corrupt"},
      {"", "1\n2\\.", "end-of-copy marker corrupt"},
      {"", "1\n\\.\n\n", "COPY 1"},
      {"", "\\.\r\n2\n", "COPY 0"},
      {"", "1\n\\..\n", "end-of-copy marker corrupt"},
      {"", "\\.\n\r\n", "COPY 0"},
      {"", "1\r\n\\.\rX", "end-of-copy marker corrupt"},
      {"", "\n\\.\n", "COPY 1"},
      {"", "\r\n\\.\n", "end-of-copy marker does not match previous newline style"},
      {"", "\r\\.\n", "end-of-copy marker does not match previous newline style"},
      {"csv", "1\n\\.\n2\n", "COPY 1"},
      {"csv", "1\n\\.", "COPY 2"},
      {"csv", "1\r\n\\.\r\n2\r\n", "COPY 1"},
      {"csv", "1\n\\.\r\n2\n", "end-of-copy marker does not match previous newline style"},
      {"csv", "1\r\n\\.\n2\r\n", "unquoted newline found in data"},
      {"csv", "1\r\\.\r2\r", "COPY 1"},
      {"csv", "1\r\\.\n", "end-of-copy marker does not match previous newline style"},
      {"csv", "1\n\\.\r", "end-of-copy marker does not match previous newline style"},
      {"csv", "\\.\n", "COPY 0"},
      {"csv", "\\.\r\n", "COPY 0"},
      {"csv", "\\.", "COPY 1"},
      {"csv", "\\.x\n", "COPY 1"},
      {"csv", "a\\.\n", "COPY 1"},
      {"csv", "1\n\\.x\n", "COPY 2"},
      {"csv", "1\n\\. \n", "COPY 2"},
      {"csv", "1\\.\n2\n", "COPY 2"},
      {"csv", "x\n\\.\n\\.\n", "COPY 1"},
      {"csv", "\\.\r", "COPY 0"},
      {"csv", "1\r\n\\.", "COPY 2"},
      {"csv", "1\r\n\\.\r", "unquoted carriage return found in data"},
      {"csv", "1\r\\.", "COPY 2"},
      {"csv", "1\n2\\.", "COPY 2"},
      {"csv", "1\n\\.\n\n", "COPY 1"},
      {"csv", "\\.\r\n2\n", "COPY 0"},
      {"csv", "1\n\\..\n", "COPY 2"},
      {"csv", "\\.\n\r\n", "COPY 0"},
      {"csv", "1\r\n\\.\rX", "unquoted carriage return found in data"},
      {"csv", "\n\\.\n", "COPY 1"},
      {"csv", "\r\n\\.\n", "unquoted newline found in data"},
      {"csv", "\r\\.\n", "end-of-copy marker does not match previous newline style"},
  };
  for (const CopyCase& one : cases) {
    std::string answer = a_->Run("copy t from stdin " + one.options, one.data);
    answer = answer.substr(answer.find('\n') + 1);
    if (!one.answer.starts_with("COPY")) {
      EXPECT_EQ(answer, "ERROR 22P04 0 " + one.answer) << one.options << " " << one.data;
      continue;
    }
    EXPECT_EQ(answer, one.answer) << one.options << " " << one.data;
    // Byte by byte, too.
    CollectingSink sink;
    ASSERT_TRUE(a_->session().Query("truncate t; copy t from stdin " + one.options, sink).ok());
    for (const char c : one.data) ASSERT_TRUE(a_->session().CopyInData({&c, 1}).ok());
    ASSERT_TRUE(a_->session().CopyInDone(sink).ok());
    EXPECT_EQ("COPY " + a_->Rows("select count(*) from t"), one.answer) << one.data;
  }
  a_->Run("truncate t; copy t from stdin", "a\\.\nb\n");
  EXPECT_EQ(a_->Rows("select s from t"), "a");
  a_->Run("truncate t; copy t from stdin csv", "a\\.\n\\.x\n");
  EXPECT_EQ(a_->Rows("select s from t"), "a\\. \\.x");
}

}  // namespace
}  // namespace connbench::engine
