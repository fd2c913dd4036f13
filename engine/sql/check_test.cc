// CHECK constraints: names, rows that break them, what the catalogs show.
#include <gtest/gtest.h>

#include <string>

#include "engine/sql/testing/sql_test_base.h"

namespace connbench::engine {
namespace {

using CheckTest = SqlTest;

TEST_F(CheckTest, NamesThemAsPostgresqlDoes) {
  EXPECT_EQ(
      a_->Error("create table t (a int check (a > 0) check (b > a), b int constraint b_is_big "
                "check (b > 10), check (a <> 5), check (1 < 2), check (a > -5))"),
      "ok");
  EXPECT_EQ(a_->Rows("select conname, conkey, contype, pg_get_constraintdef(oid) from "
                     "pg_constraint where conrelid = 't'::regclass order by conname"),
            "b_is_big|{2}|c|CHECK ((b > 10)) t_a_check|{1}|c|CHECK ((a > 0)) "
            "t_a_check1|{1}|c|CHECK ((a <> 5)) t_a_check2|{1}|c|CHECK ((a > '-5'::integer)) "
            "t_check|{2,1}|c|CHECK ((b > a)) t_check1|<null>|c|CHECK (true)");
  EXPECT_EQ(a_->Rows("select relchecks from pg_class where relname = 't'"), "6");
  EXPECT_EQ(
      a_->Error("create table u (a int constraint c check (a > 0) constraint c check (a < 9))"),
      "42710 0 check constraint \"c\" already exists");
  EXPECT_EQ(a_->Error("create table u (a int unique, constraint c check (a > 0), "
                      "constraint c unique (a))"),
            "42710 0 constraint \"c\" for relation \"u\" already exists");
}

TEST_F(CheckTest, RefusesRowsInEveryStatement) {
  a_->Run("create table t (a int, b text not null check (length(b) < 4), check (a > 0))");
  EXPECT_EQ(a_->Error("insert into t values (1, 'abc'), (null, 'x')"), "ok");
  EXPECT_EQ(a_->Error("insert into t values (0, 'abcd')"),
            "23514 0 new row for relation \"t\" violates check constraint \"t_a_check\"");
  EXPECT_EQ(a_->Error("insert into t values (0, null)").substr(0, 5), "23502");
  EXPECT_EQ(a_->Error("update t set b = b || 'd' where a = 1"),
            "23514 0 new row for relation \"t\" violates check constraint \"t_b_check\"");
  EXPECT_NE(a_->Run("copy t from stdin", "5\tabcd\n").find("23514"), std::string::npos);
  a_->Run("create unique index t_a on t (a)");
  EXPECT_EQ(a_->Error("insert into t values (1, 'x') on conflict (a) do update set a = -1"),
            "23514 0 new row for relation \"t\" violates check constraint \"t_a_check\"");
  EXPECT_EQ(a_->Error("insert into t values (1, 'x') on conflict (a) do update set b = 'y'"), "ok");
  EXPECT_EQ(a_->Rows("select * from t order by a"), "1|y <null>|x");
}

TEST_F(CheckTest, ComeAndGoByAlterTable) {
  a_->Run("create table t (a int); insert into t values (1), (2)");
  EXPECT_EQ(a_->Error("alter table t add check (a > 1)"),
            "23514 0 check constraint \"t_a_check\" of relation \"t\" is violated by some row");
  EXPECT_EQ(a_->Error("alter table t add constraint c check (a > 0)"), "ok");
  EXPECT_EQ(a_->Error("alter table t add constraint c check (a > 0)"),
            "42710 0 constraint \"c\" for relation \"t\" already exists");
  EXPECT_EQ(a_->Error("alter table t add check (nowhere > 0)"),
            "42703 0 column \"nowhere\" does not exist");
  EXPECT_EQ(a_->Error("alter table t add check (a > 0) deferrable").substr(0, 5), "0A000");
  EXPECT_EQ(a_->Error("insert into t values (0)").substr(0, 5), "23514");
  EXPECT_EQ(a_->Error("insert into t values (1) on conflict on constraint c do nothing"),
            "42809 0 constraint in ON CONFLICT clause has no associated index");
  EXPECT_EQ(a_->Error("begin; alter table t drop constraint c; insert into t values (0); rollback"),
            "ok");
  EXPECT_EQ(a_->Error("insert into t values (0)").substr(0, 5), "23514");
  EXPECT_EQ(a_->Error("alter table t drop constraint c; insert into t values (0)"), "ok");
}

TEST_F(CheckTest, RefusesWhatNoConditionMayHave) {
  const auto error = [&](const std::string& condition) {
    return a_->Error("create table t (a int, check (" + condition + "))");
  };
  EXPECT_EQ(error("a"), "42804 31 argument of CHECK must be type boolean, not type integer");
  EXPECT_EQ(error("x > 1"), "42703 31 column \"x\" does not exist");
  EXPECT_EQ(error("max(a) > 1"),
            "42803 31 aggregate functions are not allowed in check constraints");
  EXPECT_EQ(error("a in (select 1)"), "0A000 33 cannot use subquery in check constraint");
  EXPECT_EQ(error("a > $1"), "42P02 35 there is no parameter $1");
}

TEST_F(CheckTest, KeepsTheMeaningOfEveryExpression) {
  a_->Run(
      "create table t (\"A b\" int, s text, d timestamp, n numeric(5, 2), f bool, "
      "check (\"A b\" in (1, 2) or \"A b\" between 10 and 20), check (s like 'x%' or s is null), "
      "check (d > '2000-01-01'), check (case when n > 1 then f else true end), "
      "check (coalesce(n, 0) < 100 and not (n = 50)))");
  EXPECT_EQ(a_->Error("insert into t values (2, 'xy', '2020-02-02', 1.5, true)"), "ok");
  EXPECT_EQ(a_->Error("insert into t values (15, null, null, null, null)"), "ok");
  for (const char* row :
       {"3, null, null, 0, null", "1, 'ax', null, 0, null", "1, null, '1999-01-01', 0, null",
        "1, null, null, 1.5, false", "1, null, null, 100, true", "1, null, null, 50, true"}) {
    EXPECT_EQ(a_->Error(std::string("insert into t values (") + row + ")").substr(0, 5), "23514")
        << row;
  }
}

}  // namespace
}  // namespace connbench::engine
