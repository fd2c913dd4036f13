// Views: what they keep, what they read and as whom, what stands in the way. The answers are
// PostgreSQL 15's, but for those of what is lacking (0A000).

#include <gmock/gmock.h>

#include "engine/sql/testing/sql_test_base.h"

namespace connbench::engine {
namespace {

class ViewTest : public SqlTest {
 protected:
  ViewTest() : admin_(*engine_, {}, "postgres") {
    a_->Run(
        "create table t (a int primary key, b text, c int);"
        "insert into t values (1, 'one', 10), (2, 'two', 20);"
        "create table u (x int, y text);"
        "insert into u values (1, 'p'), (3, 'q')");
  }

  TestSession admin_;
};

TEST_F(ViewTest, StandsWhereATableMay) {
  EXPECT_EQ(a_->Run("create view v as select a, b from t"), "CREATE VIEW");
  EXPECT_EQ(a_->Rows("select * from v order by a"), "1|one 2|two");
  EXPECT_EQ(a_->Rows("select v.b, y from v join u on a = x"), "one|p");
  EXPECT_EQ(a_->Rows("select y, (select b from v where a = x) from u order by x"),
            "p|one q|<null>");
  EXPECT_EQ(a_->Rows("with a as (select * from v) select count(*) from a, v"), "4");
  EXPECT_EQ(a_->Rows("select a from v union select x from u order by 1"), "1 2 3");
  EXPECT_EQ(a_->Run("insert into u select a, b from v where a = 2"), "INSERT 0 1");
  EXPECT_EQ(a_->Run("update u set y = b from v where a = x"), "UPDATE 2");
  EXPECT_EQ(a_->Run("delete from u using v where a = x and b = 'two'"), "DELETE 1");
  EXPECT_EQ(a_->Rows("select * from u order by x"), "1|one 3|q");
  EXPECT_EQ(a_->Rows("select w.p from v w(p, q) where q = 'two'"), "2");
  EXPECT_EQ(a_->Run("drop view v"), "DROP VIEW");
  EXPECT_EQ(a_->Error("select * from v"), "42P01 15 relation \"v\" does not exist");
}

TEST_F(ViewTest, KeepsWhatItsNamesMeant) {
  a_->Run(
      "create view v as select * from t where c > 5;"
      "create view w(k, n) as select a, b from v natural join (select 1 as a) s");
  EXPECT_EQ(a_->Run("alter table t rename to moved; alter table moved rename a to z;"
                    "alter table moved rename column b to a"),
            "ALTER TABLE\nALTER TABLE\nALTER TABLE");
  EXPECT_EQ(a_->Run("create table t (a int)"), "CREATE TABLE");
  EXPECT_EQ(a_->Rows("select a, b from v order by a"), "1|one 2|two");
  EXPECT_EQ(a_->Rows("select * from w"), "1|one");
  EXPECT_EQ(a_->Run("alter view v rename to vv; alter table vv rename column a to first"),
            "ALTER VIEW\nALTER TABLE");
  EXPECT_EQ(a_->Rows("select first from vv order by 1"), "1 2");
  EXPECT_EQ(a_->Rows("select * from w"), "1|one");
  EXPECT_EQ(a_->Run("create or replace view vv as select z as first, a as b, c, c as d from moved"),
            "CREATE VIEW");
  EXPECT_EQ(a_->Rows("select * from w"), "1|one");
  EXPECT_EQ(a_->Error("alter view moved rename to x"), "42809 0 \"moved\" is not a view");
  EXPECT_EQ(a_->Error("alter view vv rename to w"), "42P07 0 relation \"w\" already exists");
  EXPECT_EQ(a_->Error("alter view vv rename first to b"),
            "42701 0 column \"b\" of relation \"vv\" already exists");
}

TEST_F(ViewTest, ACheckKnowsItsColumnByItsNewName) {
  a_->Run("create table k (n int, constraint positive check (n > 0))");
  EXPECT_EQ(a_->Run("alter table k rename n to \"Number\""), "ALTER TABLE");
  EXPECT_EQ(a_->Error("insert into k values (-1)"),
            "23514 0 new row for relation \"k\" violates check constraint \"positive\"");
}

TEST_F(ViewTest, AForeignKeyFollowsNewNames) {
  a_->Run("create table f (r int references t on update cascade); insert into f values (1)");
  EXPECT_EQ(a_->Run("alter table t rename to moved; alter table moved rename a to z;"
                    "alter table f rename r to s; alter table f rename to g"),
            "ALTER TABLE\nALTER TABLE\nALTER TABLE\nALTER TABLE");
  EXPECT_EQ(a_->Run("insert into g values (2)"), "INSERT 0 1");
  EXPECT_EQ(a_->Error("insert into g values (9)"),
            "23503 0 insert or update on table \"g\" violates foreign key constraint "
            "\"f_r_fkey\"");
  EXPECT_EQ(a_->Run("update moved set z = 7 where z = 1"), "UPDATE 1");
  EXPECT_EQ(a_->Rows("select s from g order by 1"), "2 7");
}

TEST_F(ViewTest, IsReplacedByOneThatBeginsWithItsColumns) {
  a_->Run("create view v as select a, b from t");
  EXPECT_EQ(a_->Error("create view v as select 1"), "42P07 0 relation \"v\" already exists");
  EXPECT_EQ(a_->Error("create or replace view v as select a from t"),
            "42P16 0 cannot drop columns from view");
  EXPECT_EQ(a_->Error("create or replace view v as select a as x, b from t"),
            "42P16 0 cannot change name of view column \"a\" to \"x\"");
  EXPECT_EQ(a_->Error("create or replace view v as select b as a, b from t"),
            "42P16 0 cannot change data type of view column \"a\" from integer to text");
  EXPECT_EQ(a_->Error("create or replace view t as select 1"), "42809 0 \"t\" is not a view");
  EXPECT_EQ(a_->Run("create or replace view v as select a, b, c from t where a = 1"),
            "CREATE VIEW");
  EXPECT_EQ(a_->Rows("select * from v"), "1|one|10");
}

TEST_F(ViewTest, APreparedStatementSeesItsNewText) {
  a_->Run("create view v as select a from t");
  a_->Run("prepare p as select sum(a) from v");
  EXPECT_EQ(a_->Rows("execute p"), "3");
  b_->Run("create or replace view v as select a * 10 as a from t");
  EXPECT_EQ(a_->Rows("execute p"), "30");
  b_->Run("begin; create or replace view v as select 7 as a; rollback");
  EXPECT_EQ(a_->Rows("execute p"), "30");
}

TEST_F(ViewTest, StandsInTheWayOfWhatItReads) {
  a_->Run(
      "create view v as select a from t; create view w as select a from v;"
      "create view grouped as select a, b from t group by a");
  EXPECT_EQ(FullError("drop table t"),
            "2BP01 cannot drop table t because other objects depend on it\n"
            "view v depends on table t\nview w depends on view v\nview grouped depends on table t\n"
            "Use DROP ... CASCADE to drop the dependent objects too.");
  EXPECT_EQ(FullError("alter table t drop constraint t_pkey"),
            "2BP01 cannot drop constraint t_pkey on table t because other objects depend on it\n"
            "view grouped depends on constraint t_pkey on table t\n"
            "Use DROP ... CASCADE to drop the dependent objects too.");
  EXPECT_EQ(a_->Run("drop view v cascade"), "NOTICE 00000 drop cascades to view w\nDROP VIEW");
  EXPECT_EQ(a_->Run("drop table t cascade"),
            "NOTICE 00000 drop cascades to view grouped\nDROP TABLE");
  EXPECT_EQ(a_->Error("select * from grouped"), "42P01 15 relation \"grouped\" does not exist");
  EXPECT_EQ(FullError("drop table nosuch"), "42P01 table \"nosuch\" does not exist\n\n");
  EXPECT_EQ(a_->Error("drop view u"), "42809 0 \"u\" is not a view");
}

TEST_F(ViewTest, ReadsAsItsOwner) {
  admin_.Run(
      "create role reader login; create role owner_role login;"
      "create table secret (n int); insert into secret values (1);"
      "create view v as select n from secret; grant select on v to reader");
  TestSession reader(*engine_, {}, "reader");
  EXPECT_EQ(reader.Rows("select * from v"), "1");
  EXPECT_EQ(reader.Error("select * from secret"), "42501 0 permission denied for table secret");
  admin_.Run("alter view v owner to owner_role");
  EXPECT_EQ(reader.Error("select * from v"), "42501 0 permission denied for table secret");
  admin_.Run("grant select on secret to owner_role");
  EXPECT_EQ(reader.Rows("select * from v"), "1");
  EXPECT_EQ(a_->Error("select * from v"), "42501 0 permission denied for view v");
  EXPECT_EQ(reader.Error("drop view v"), "42501 0 must be owner of view v");
  EXPECT_EQ(reader.Error("create or replace view v as select 2 as n"),
            "42501 0 must be owner of view v");
}

TEST_F(ViewTest, IsNotWritten) {
  a_->Run("create view v as select a, b from t; create view n as select count(*) from t");
  EXPECT_EQ(FullError("insert into n values (1)"),
            "55000 cannot insert into view \"n\"\n"
            "Views that return aggregate functions are not automatically updatable.\n"
            "To enable inserting into the view, provide an INSTEAD OF INSERT trigger or an "
            "unconditional ON INSERT DO INSTEAD rule.");
  EXPECT_EQ(a_->Error("update n set count = 1"), "55000 0 cannot update view \"n\"");
  EXPECT_EQ(a_->Error("delete from n"), "55000 0 cannot delete from view \"n\"");
  // PostgreSQL writes the table behind it.
  EXPECT_EQ(a_->Error("insert into v values (5)"), "0A000 13 writing a view is not supported");
  EXPECT_EQ(a_->Error("truncate v"), "42809 0 \"v\" is not a table");
  EXPECT_EQ(a_->Error("copy v to stdout"), "42809 0 cannot copy from view \"v\"");
  EXPECT_EQ(a_->Error("create index on v (a)"), "42809 0 cannot create index on relation \"v\"");
  EXPECT_EQ(a_->Run("begin; lock table v; rollback"), "BEGIN\nLOCK TABLE\nROLLBACK");
  EXPECT_EQ(a_->Run("copy (select b from v order by a) to stdout"),
            "copy out 1\ncopy done\nCOPY 2");
}

TEST_F(ViewTest, AViewOfItselfIsAnError) {
  a_->Run("create view v as select 1 as n; create view w as select n from v");
  EXPECT_EQ(a_->Run("create or replace view v as select n from w"), "CREATE VIEW");
  EXPECT_EQ(a_->Error("select * from v"), "54001 0 queries are nested too deep");
  EXPECT_EQ(a_->Run("drop view v, w"), "DROP VIEW");
}

TEST_F(ViewTest, DepthIsBounded) {
  a_->Run("create view v0 as select 1 as n");
  std::string error = "ok";
  for (int i = 1; i < 64 && error == "ok"; ++i) {
    error = a_->Error("create view v" + std::to_string(i) + " as select n from v" +
                      std::to_string(i - 1));
  }
  EXPECT_EQ(error, "54001 0 queries are nested too deep");
}

TEST_F(ViewTest, ATimeIsReadWhenTheViewIsMade) {
  a_->Run("set timezone = 'UTC'");
  a_->Run("create view v as select timestamptz '2024-01-01 12:00' as t, 'now'::timestamp as n");
  const std::string now = a_->Rows("select n from v");
  EXPECT_EQ(a_->Rows("select pg_sleep(0.01), n from v"), "|" + now);
  a_->Run("set timezone = 'Asia/Tokyo'");
  EXPECT_EQ(a_->Rows("select t from v"), "2024-01-01 21:00:00+09");
}

TEST_F(ViewTest, ItsTextHasTheNamesOfToday) {
  a_->Run(
      "create view v as select a, b from t where c > 5;"
      "create view w (k) as\n  select a /* AS */ from v");
  EXPECT_EQ(a_->Rows("select pg_get_viewdef('v'::regclass)"), " select a, b from t where c > 5;");
  a_->Run("alter table t rename to moved; alter table moved rename a to z");
  EXPECT_EQ(a_->Rows("select definition from pg_views where viewname = 'v'"),
            " WITH t(a, b, c) AS (SELECT z, b, c FROM public.moved) "
            "SELECT * FROM (select a, b from t where c > 5) v(a, b);");
  EXPECT_EQ(a_->Rows("select pg_get_viewdef('w')"),
            " SELECT * FROM (select a /* AS */ from v) w(k);");
}

TEST_F(ViewTest, CommentsDoNotSwallowWhatFollows) {
  a_->Run("create view x (n) as select 1 -- one");
  EXPECT_EQ(a_->Rows("select pg_get_viewdef('x')"), " SELECT * FROM (select 1 -- one\n) x(n);");
  a_->Run("create view y as " + a_->Rows("select pg_get_viewdef('x')"));
  EXPECT_EQ(a_->Rows("select * from y"), "1");
}

TEST_F(ViewTest, ReadsItselfByWith) {
  a_->Run("create recursive view n(i) as select 1 union all select i + 1 from n where i < 3");
  EXPECT_EQ(a_->Rows("select * from n"), "1 2 3");
  EXPECT_EQ(a_->Rows("select pg_get_viewdef('n')"),
            " SELECT * FROM (WITH RECURSIVE n(i) AS (select 1 union all select i + 1 from n where "
            "i < 3) SELECT i FROM n) n(i);");
}

TEST_F(ViewTest, ATableTakesItsRowsFromAQuery) {
  EXPECT_EQ(a_->Run("create table m as select a, b || '!' as s from t"), "SELECT 2");
  EXPECT_EQ(a_->Rows("select * from m order by 1"), "1|one! 2|two!");
  EXPECT_EQ(a_->Run("create table n (k, v) as values (1, 'x') with no data"), "CREATE TABLE AS");
  EXPECT_EQ(a_->Rows("select * from n"), "");
  EXPECT_EQ(a_->Run("select a into o from t where a = 2"), "SELECT 1");
  EXPECT_EQ(a_->Rows("select * from o"), "2");
  EXPECT_EQ(a_->Error("create table o as select 1"), "42P07 0 relation \"o\" already exists");
  EXPECT_EQ(a_->Run("create table if not exists o as select 1"),
            "NOTICE 42P07 relation \"o\" already exists, skipping\nCREATE TABLE AS");
  EXPECT_EQ(a_->Error("create table p (a, b) as select 1"),
            "42601 0 too many column names were specified");
  EXPECT_EQ(a_->Error("create table p as select 1 as a, 2 as a"),
            "42701 0 column \"a\" specified more than once");
  a_->Run("prepare q as select a from t where a > $1");
  EXPECT_EQ(a_->Run("create table p as execute q(1)"), "SELECT 1");
  EXPECT_EQ(a_->Extended("create table r as select $1::int as n", {"5"}), "SELECT 1");
  EXPECT_EQ(a_->Rows("select n + 1 from r"), "6");
  EXPECT_EQ(a_->Error("select 1 union select 2 into z"),
            "42601 30 INTO is only allowed on first SELECT of UNION/INTERSECT/EXCEPT");
  EXPECT_EQ(a_->Run("begin; create table s as select 1; rollback"), "BEGIN\nSELECT 1\nROLLBACK");
  EXPECT_EQ(a_->Error("select * from s"), "42P01 15 relation \"s\" does not exist");
}

}  // namespace
}  // namespace connbench::engine
