// Subqueries, VALUES in FROM, set operations and WITH: rows, names, plans, memory, and errors.

#include <thread>

#include "engine/sql/testing/sql_test_base.h"

namespace connbench::engine {
namespace {

class SubqueryTest : public SqlTest {
 protected:
  SubqueryTest() {
    a_->Run(
        "create table a (id int primary key, x int, t text);"
        "create table b (id int primary key, aid int, y int);"
        "create index b_aid on b (aid);"
        "insert into a values (1, 10, 'one'), (2, 20, 'two'), (3, null, 'three'), (4, 10, null);"
        "insert into b values (1, 1, 10), (2, 1, 20), (3, 2, null), (4, null, 10), (5, 9, 90)");
  }
  // The plan's lines with their indentation, without costs, joined by '\n'.
  std::string Plan(const std::string& sql) {
    a_->Run("explain (costs off) " + sql);
    std::string plan;
    for (const std::string& row : a_->last().rows) plan += row + "\n";
    return plan.empty() ? a_->last().lines.back() : plan;
  }
};

TEST_F(SubqueryTest, ReadsSubqueriesInFrom) {
  EXPECT_EQ(a_->Rows("select * from (select id, x + 1 as x1 from a where id < 3) s order by 1"),
            "1|11 2|21");
  EXPECT_EQ(a_->Rows("select k, s.v from (select id, t from a) s (k, v) where k = 2"), "2|two");
  EXPECT_EQ(a_->Rows("select s.n, b.id from (select aid, count(*) n from b group by aid) s "
                     "join b on b.aid = s.aid order by 2"),
            "2|1 2|2 1|3 1|5");
  EXPECT_EQ(a_->Rows("select u.id || v.id from (select t || 'x' as id from a where id < 3) u, "
                     "(select t || 'y' as id from a where id < 3) v order by 1"),
            "onexoney onextwoy twoxoney twoxtwoy");
  EXPECT_EQ(a_->Rows("select count(*) from (select) s"), "1");
  EXPECT_EQ(a_->Rows("select max(n) from (select count(*) n from (select aid from b) p "
                     "group by aid) q"),
            "2");
  EXPECT_EQ(a_->Error("select 1 from a, (select a.id) s"),
            "42P01 26 missing FROM-clause entry for table \"a\"");
  EXPECT_EQ(a_->Error("select s.z from (select 1 as y) s"), "42703 8 column s.z does not exist");
  EXPECT_EQ(a_->Error("select 1 from (select 1) s (p, q)"),
            "42P10 0 table \"s\" has 1 columns available but 2 columns specified");
  EXPECT_EQ(a_->Error("select 1 from (select 1) s, (select 2) s"),
            "42712 0 table name \"s\" specified more than once");
}

TEST_F(SubqueryTest, ReadsValuesInFrom) {
  EXPECT_EQ(a_->Rows("select * from (values (1, 'p'), (2, null)) v order by column1"),
            "1|p 2|<null>");
  EXPECT_EQ(a_->Rows("select v.k, a.t from (values (2), (4)) v (k) join a on a.id = v.k "
                     "order by 1"),
            "2|two 4|<null>");
  EXPECT_EQ(a_->Rows("values (1, 'a'), (2.5, 'b') order by 1 desc limit 1"), "2.5|b");
  EXPECT_EQ(a_->Error("select * from (values (1), ('x'::text)) v"),
            "42804 29 VALUES types integer and text cannot be matched");
}

TEST_F(SubqueryTest, CombinesQueries) {
  EXPECT_EQ(a_->Rows("select x from a union select y from b order by 1"), "10 20 90 <null>");
  EXPECT_EQ(a_->Rows("select x from a union all select y from b order by 1"),
            "10 10 10 10 20 20 90 <null> <null>");
  EXPECT_EQ(a_->Rows("select x from a intersect select y from b order by 1"), "10 20 <null>");
  EXPECT_EQ(a_->Rows("select x from a intersect all select y from b order by 1"),
            "10 10 20 <null>");
  EXPECT_EQ(a_->Rows("select y from b except select x from a"), "90");
  EXPECT_EQ(a_->Rows("select y from b except all select x from a where id = 1 order by 1"),
            "10 20 90 <null>");
  EXPECT_EQ(a_->Rows("select 1 union select 2 intersect select 2 order by 1"), "1 2");
  EXPECT_EQ(a_->Rows("(select 1 union all select 1) union select 1"), "1");
  EXPECT_EQ(a_->Rows("(select 1 union select 1) union all select 1"), "1 1");
  EXPECT_EQ(a_->Rows("select id as k, 'a' from a union all (select id, t from a order by 1 limit 1)"
                     " order by k, 2 limit 2"),
            "1|a 1|one");
  EXPECT_EQ(a_->Rows("values (1), (2) except values (2)"), "1");
  EXPECT_EQ(a_->Rows("select count(*) from (select 1 union all select 2) s"), "2");
}

TEST_F(SubqueryTest, ResolvesTheTypesOfSetOperations) {
  a_->Rows("select 1 as n union all select 2.5");
  EXPECT_EQ(a_->last().columns, (std::vector<std::string>{"n:1700"}));
  a_->Rows("select null union all select 2::bigint");
  EXPECT_EQ(a_->last().columns, (std::vector<std::string>{"?column?:20"}));
  EXPECT_EQ(a_->Rows("select '3' union all select 4 order by 1"), "3 4");
  EXPECT_EQ(a_->Rows("select 'a' union all select null order by 1"), "a <null>");
  EXPECT_EQ(a_->Error("select 1 union select 'x'"),
            "22P02 23 invalid input syntax for type integer: \"x\"");
  EXPECT_EQ(a_->Error("select null union select null union select 1"),
            "42804 44 UNION types text and integer cannot be matched");
  EXPECT_EQ(a_->Error("select 1, 2 except select 3"),
            "42601 27 each EXCEPT query must have the same number of columns");
  EXPECT_EQ(a_->Error("select id from a union select id from b order by id + 1"),
            "0A000 50 invalid UNION/INTERSECT/EXCEPT ORDER BY clause");
  EXPECT_EQ(a_->Error("select id from a union select id from b order by nope"),
            "42703 50 column \"nope\" does not exist");
  EXPECT_EQ(a_->Error("select id from a union select id from b for update"),
            "0A000 1 FOR UPDATE is not allowed with UNION/INTERSECT/EXCEPT");
}

TEST_F(SubqueryTest, EvaluatesScalarSubqueries) {
  EXPECT_EQ(a_->Rows("select (select max(y) from b)"), "90");
  EXPECT_EQ(a_->Rows("select (select y from b where id = 77)"), "<null>");
  EXPECT_EQ(a_->Rows("select id, (select sum(y) from b where aid = a.id) from a order by id"),
            "1|30 2|<null> 3|<null> 4|<null>");
  EXPECT_EQ(a_->Rows("select id from a where x = (select min(y) from b) order by 1"), "1 4");
  EXPECT_EQ(a_->Rows("select id from a where id = (select max(aid) from b where aid < 5)"), "2");
  EXPECT_EQ(a_->Rows("select (select t || '!' from a where id = b.aid) from b order by id"),
            "one! one! two! <null> <null>");
  EXPECT_EQ(a_->Rows("select (select 10) between (select 9) and (select 11)"), "t");
  EXPECT_EQ(a_->Error("select (select id from a)"),
            "21000 0 more than one row returned by a subquery used as an expression");
  EXPECT_EQ(a_->Error("select (select id, x from a)"),
            "42601 8 subquery must return only one column");
  EXPECT_EQ(a_->Error("select id from a where x = (select nope from b)"),
            "42703 36 column \"nope\" does not exist");
}

TEST_F(SubqueryTest, NamesColumnsAfterTheirSubqueries) {
  a_->Rows("select (select count(*) from b), exists (select 1), 1 in (select 1), (select 1 as k)");
  EXPECT_EQ(a_->last().columns,
            (std::vector<std::string>{"count:20", "exists:16", "?column?:16", "k:23"}));
}

TEST_F(SubqueryTest, ReachesOuterQueriesThroughSeveralLevels) {
  EXPECT_EQ(a_->Rows("select id from a where exists (select 1 from b where aid = a.id and "
                     "exists (select 1 from b c where c.aid = a.id and c.id > b.id)) order by 1"),
            "1");
  EXPECT_EQ(a_->Rows("select id, (select (select a.x + b.y) from b where aid = a.id "
                     "order by b.id limit 1) from a order by id"),
            "1|20 2|<null> 3|<null> 4|<null>");
  // An inner name hides the outer one.
  EXPECT_EQ(a_->Rows("select (select id from b where id = 5) from a where id = 1"), "5");
  EXPECT_EQ(a_->Rows("select (select max(s.v) from (select a.id * 10 + b.id as v from b) s) "
                     "from a order by 1"),
            "15 25 35 45");
  EXPECT_EQ(a_->Rows("select (select count(*) from generate_series(1, a.id) g) from a order by 1"),
            "1 2 3 4");
  EXPECT_EQ(a_->Rows("select (select a.x union select a.id order by 1 limit 1) from a order by id"),
            "1 2 3 4");
  EXPECT_EQ(a_->Rows("select (values (a.id + 1)) from a order by 1"), "2 3 4 5");
  EXPECT_EQ(a_->Rows("select (select y from b order by id limit 1 offset a.id) from a order by id"),
            "20 <null> 10 90");
  EXPECT_EQ(a_->Rows("select l.id, (select l.x + r.id) from a l join a r using (id) order by 1"),
            "1|11 2|22 3|<null> 4|14");
}

TEST_F(SubqueryTest, TestsExistence) {
  EXPECT_EQ(a_->Rows("select id from a where exists (select 1 from b where aid = a.id) order by 1"),
            "1 2");
  EXPECT_EQ(a_->Rows("select id from a where not exists (select * from b where aid = a.id) "
                     "order by 1"),
            "3 4");
  EXPECT_EQ(a_->Rows("select exists (select 1 from b where id = 77), exists (select 1 / 0 from b)"),
            "f|t");
  EXPECT_EQ(a_->Rows("select exists (select count(*) from b where id = 77)"), "t");
}

TEST_F(SubqueryTest, ComparesWithAnyAndAll) {
  EXPECT_EQ(a_->Rows("select id from a where id in (select aid from b) order by 1"), "1 2");
  // A null among the rows leaves open what is not among them.
  EXPECT_EQ(a_->Rows("select id from a where id not in (select aid from b)"), "");
  EXPECT_EQ(a_->Rows("select id from a where id not in (select aid from b where aid > 0) "
                     "order by 1"),
            "3 4");
  EXPECT_EQ(a_->Rows("select null in (select 1), null in (select 1 where false), "
                     "1 in (select null::int), 1 in (select 1 union select null)"),
            "<null>|f|<null>|t");
  EXPECT_EQ(a_->Rows("select 3 > all (select aid from b where aid < 3), 3 > all (select aid "
                     "from b), 1 < any (select aid from b), 1 = all (select 1 where false)"),
            "t|f|t|t");
  EXPECT_EQ(a_->Rows("select id from a where x <> all (select y from b where aid = a.id) "
                     "order by 1"),
            "3 4");
  EXPECT_EQ(a_->Rows("select id from a where (id, x) in (select aid, y from b) order by 1"), "1");
  EXPECT_EQ(a_->Rows("select id from a where id::bigint in (select aid::numeric from b) "
                     "order by 1"),
            "1 2");
  EXPECT_EQ(a_->Rows("select 'one' in (select t from a), '2' in (select id from a)"), "t|t");
  EXPECT_EQ(a_->Error("select 1 in (select 1, 2)"), "42601 10 subquery has too many columns");
  EXPECT_EQ(a_->Error("select (1, 2) in (select 1)"), "42601 15 subquery has too few columns");
  EXPECT_EQ(a_->Error("select 1 from a where t in (select id from b)").substr(0, 5), "42883");
  EXPECT_EQ(a_->Error("select id + any (select 1) from a").substr(0, 5), "42804");
}

TEST_F(SubqueryTest, StandsInEveryClause) {
  EXPECT_EQ(a_->Rows("select aid, count(*) from b group by aid having count(*) > "
                     "(select min(id) from a) order by 1"),
            "1|2");
  EXPECT_EQ(a_->Rows("select aid, (select t from a where id = b.aid) from b group by aid "
                     "order by 1"),
            "1|one 2|two 9|<null> <null>|<null>");
  EXPECT_EQ(a_->Error("select aid, (select t from a where id = b.y) from b group by aid"),
            "42803 41 subquery uses ungrouped column \"b.y\" from outer query");
  EXPECT_EQ(a_->Rows("select sum((select x from a where id = b.aid)) from b"), "40");
  EXPECT_EQ(a_->Rows("select id from a order by (select count(*) from b where aid = a.id) desc, "
                     "id limit (select 2)"),
            "1 2");
  EXPECT_EQ(a_->Rows("select a.id, b.id from a left join b on b.aid = a.id and b.y in "
                     "(select x from a) order by 1, 2"),
            "1|1 1|2 2|<null> 3|<null> 4|<null>");
  EXPECT_EQ(a_->Rows("select case when exists (select 1 from b where aid = a.id) then 'y' else 'n' "
                     "end from a order by id"),
            "y y n n");
  EXPECT_EQ(a_->Error("select (select sum(a.x) from b) from a"),
            "0A000 16 an aggregate of an outer query is not supported");
  EXPECT_EQ(a_->Error("create table d (k int default (select 1))").substr(0, 5), "0A000");
}

TEST_F(SubqueryTest, Writes) {
  EXPECT_EQ(a_->Run("update a set x = (select sum(y) from b where aid = a.id) where id in "
                    "(select aid from b)"),
            "UPDATE 2");
  EXPECT_EQ(a_->Rows("select id, x from a order by 1"), "1|30 2|<null> 3|<null> 4|10");
  EXPECT_EQ(a_->Run("update a set (x, t) = (select y, 'b' || id from b where id = a.id)"),
            "UPDATE 4");
  EXPECT_EQ(a_->Rows("select id, x, t from a order by 1"), "1|10|b1 2|20|b2 3|<null>|b3 4|10|b4");
  EXPECT_EQ(a_->Error("update a set (x, t) = (select 1)"),
            "42601 23 number of columns does not match number of values");
  EXPECT_EQ(a_->Rows("delete from b where not exists (select 1 from a where id = aid) "
                     "returning id, (select count(*) from b)"),
            "4|5 5|5");
  EXPECT_EQ(a_->Run("insert into b select 10 + s.id, s.id, 0 from (select id from a union all "
                    "select 5) s where s.id not in (select id from b)"),
            "INSERT 0 2");
  EXPECT_EQ(a_->Run("insert into b values ((select max(id) + 1 from b), 0, 0)"), "INSERT 0 1");
  EXPECT_EQ(a_->Run("insert into b with w as (select 100 as k) select k, k, k from w"),
            "INSERT 0 1");
  EXPECT_EQ(a_->Run("with w as (select 100 as k) delete from b using w where b.id = w.k"),
            "DELETE 1");
  EXPECT_EQ(a_->Run("with w as (select 100 as k) delete from b where id in (select k from w)"),
            "DELETE 0");
  // Its own rows are not seen.
  EXPECT_EQ(a_->Run("insert into a select id + 10, (select count(*) from a) from a"), "INSERT 0 4");
  EXPECT_EQ(a_->Rows("select distinct x from a where id > 10"), "4");
}

TEST_F(SubqueryTest, RunsQueriesOfWith) {
  EXPECT_EQ(a_->Rows("with w as (select id, x from a where id < 3) select l.id, r.x from w l, w r "
                     "order by 1, 2"),
            "1|10 1|20 2|10 2|20");
  EXPECT_EQ(a_->Rows("with u (k) as (select id from a), v as (select k + 1 as k from u) "
                     "select sum(k) from v"),
            "14");
  EXPECT_EQ(a_->Rows("with w as (select random() as r) select count(distinct r) from "
                     "(select r from w union all select r from w) s"),
            "1");
  EXPECT_EQ(a_->Rows("with a as (select 7 as id) select id from a"), "7");
  EXPECT_EQ(a_->Rows("with w as (select 1 as k) select (with w as (select 2 as k) select k from w),"
                     " k from w"),
            "2|1");
  // One that depends on the outer row is run for each.
  EXPECT_EQ(a_->Rows("select id, (with w as (select y from b where aid = a.id) select "
                     "(select count(*) from w) + (select count(y) from w)) from a order by 1"),
            "1|4 2|1 3|0 4|0");
  EXPECT_EQ(a_->Rows("with w as materialized (select id from a) select count(*) from w where id in "
                     "(select id from w where id > 2)"),
            "2");
  EXPECT_EQ(a_->Error("with w as (select 1), w as (select 2) select 1"),
            "42712 23 WITH query name \"w\" specified more than once");
  EXPECT_EQ(a_->Error("with w (p, q) as (select 1) select 1"),
            "42P10 6 WITH query \"w\" has 1 columns available but 2 columns specified");
  EXPECT_EQ(a_->Error("with w as (delete from a returning id) select * from w"),
            "0A000 6 a statement that writes in WITH is not supported");
  EXPECT_EQ(a_->Error("with w as (select nope from a) select 1"),
            "42703 19 column \"nope\" does not exist");
}

TEST_F(SubqueryTest, JoinsWhatIsLateral) {
  EXPECT_EQ(a_->Rows("select a.id, s.y from a, lateral (select y from b where aid = a.id) s "
                     "order by 1, 2"),
            "1|10 1|20 2|<null>");
  EXPECT_EQ(a_->Rows("select a.id, s.n from a left join lateral (select a.t || y as n from b "
                     "where aid = a.id order by y limit 1) s on s.n like 'one%' order by 1"),
            "1|one10 2|<null> 3|<null> 4|<null>");
  EXPECT_EQ(a_->Rows("select a.id, g from a, generate_series(a.id, 2) g order by 1, 2"),
            "1|1 1|2 2|2");
  // Whatever comes first in the text and has the fewest rows, it follows what it reads.
  EXPECT_EQ(a_->Rows("select count(*) from a join b on b.aid = a.id, lateral (select 1 where "
                     "a.id < b.id) s, lateral (select a.id as k limit 1) u where u.k = a.id"),
            "2");
  EXPECT_EQ(
      a_->Rows("select a.id, s.c from a, lateral (with w as (select y from b where aid = a.id)"
               " select (select count(*) from w) as c) s order by 1"),
      "1|2 2|1 3|0 4|0");
  EXPECT_EQ(a_->Rows("select (select sum(s.v) from b, lateral (select b.y + a.id as v) s "
                     "where b.aid = a.id) from a order by a.id"),
            "32 <null> <null> <null>");
  EXPECT_EQ(a_->Error("select 1 from a right join lateral (select a.id) s on true"),
            "42P10 44 invalid reference to FROM-clause entry for table \"a\"");
  EXPECT_EQ(a_->Error("select 1 from lateral (select a.id) s, a"),
            "42P01 31 missing FROM-clause entry for table \"a\"");
  EXPECT_EQ(Plan("select * from a, lateral (select y from b where aid = a.id) s"),
            "Nested Loop\n"
            "  ->  Seq Scan on a\n"
            "  ->  Subquery Scan on s\n"
            "        ->  Index Scan using b_aid on b\n"
            "              Index Cond: (aid = a.id)\n");
}

TEST_F(SubqueryTest, ExplainsSubqueries) {
  EXPECT_EQ(Plan("select id from a where x = (select min(y) from b)"),
            "Seq Scan on a\n"
            "  Filter: (x = $0)\n"
            "  InitPlan 1 (returns $0)\n"
            "    ->  Aggregate\n"
            "          ->  Seq Scan on b\n");
  EXPECT_EQ(Plan("select id from a where exists (select 1 from b where aid = a.id)"),
            "Seq Scan on a\n"
            "  Filter: (SubPlan 1)\n"
            "  SubPlan 1\n"
            "    ->  Index Scan using b_aid on b\n"
            "          Index Cond: (aid = a.id)\n");
  EXPECT_EQ(Plan("select id from a where x not in (select y from b)"),
            "Seq Scan on a\n"
            "  Filter: (NOT (hashed SubPlan 1))\n"
            "  SubPlan 1\n"
            "    ->  Seq Scan on b\n");
  EXPECT_EQ(Plan("select * from (select x from a) s where x = 10"),
            "Subquery Scan on s\n"
            "  Filter: (x = 10)\n"
            "  ->  Seq Scan on a\n");
  EXPECT_EQ(Plan("select x from a union select y from b"),
            "Unique\n"
            "  ->  Sort\n"
            "        Sort Key: x\n"
            "        ->  Append\n"
            "              ->  Seq Scan on a\n"
            "              ->  Seq Scan on b\n");
  EXPECT_EQ(Plan("with w as (select id from a) select l.id from w l, w r"),
            "Nested Loop\n"
            "  CTE w\n"
            "    ->  Seq Scan on a\n"
            "  ->  CTE Scan on w l\n"
            "  ->  Materialize\n"
            "        ->  CTE Scan on w r\n");
  const std::string analyzed = a_->Run(
      "explain (analyze, costs off, timing off, summary off) select id from a where id < 3 and "
      "exists (select 1 from b where aid = a.id)");
  EXPECT_NE(analyzed.find("Index Scan using b_aid on b (actual rows=1 loops=2)"), std::string::npos)
      << analyzed;
}

TEST_F(SubqueryTest, TakesParametersAndPlansAgainAfterDdl) {
  const std::string sql =
      "select id from a where x = $1 and id in (select aid from b where y = $1) order by 1";
  EXPECT_EQ(a_->Extended(sql, {"10"}), "1\nSELECT 1");
  EXPECT_NE(a_->Extended("select $1 in (select id from a)", {"3"}).find("t"), std::string::npos);
  a_->Run("prepare p (int) as select (select count(*) from b where aid = $1)");
  EXPECT_EQ(a_->Rows("execute p (1)"), "2");
  EXPECT_EQ(a_->Rows("execute p (2)"), "1");
  b_->Run("insert into b values (6, 2, 0)");
  EXPECT_EQ(a_->Rows("execute p (2)"), "2");
  b_->Run("drop table b; create table b (aid int); insert into b values (2), (2), (2)");
  EXPECT_EQ(a_->Rows("execute p (2)"), "3");
  b_->Run("drop table b");
  EXPECT_TRUE(a_->Rows("execute p (2)").starts_with("ERROR"));
}

TEST_F(SubqueryTest, ChecksThePrivilegesOnEachTable) {
  TestSession super(*engine_, {}, "postgres");
  super.Run(
      "create role app login; create table p (k int); create table q (k int);"
      "insert into p values (1), (2); insert into q values (2), (3); grant select on p to app");
  TestSession app(*engine_, {}, "app");
  for (const char* sql : {
           "select k from p where k in (select k from q)",
           "select (select count(*) from q)",
           "select * from (select k from q) s",
           "select k from p union select k from q",
           "with w as (select k from q) select * from w",
       }) {
    EXPECT_EQ(app.Error(sql), "42501 0 permission denied for table q") << sql;
  }
  super.Run("grant select on q to app");
  EXPECT_EQ(app.Rows("select k from p where k in (select k from q)"), "2");
  EXPECT_EQ(app.Error("delete from p where k in (select k from q)"),
            "42501 0 permission denied for table p");
}

TEST_F(SubqueryTest, StoresMoreThanWorkMemHolds) {
  a_->Run(
      "create table big (id int primary key, p text);"
      "insert into big select g, repeat('p', 200) || g from generate_series(1, 2000) g");
  const char* queries[] = {
      "select count(*) from big where p in (select p from big where id % 2 = 0)",
      "select count(*) from generate_series(1, 3) g where 'pp' < all (select p || g from big) "
      "or g > 1",
      "with w as (select * from big) select count(*), sum(l.id) from w l join w r using (id)",
      "select count(*), sum(length(p)) from (select p from big union select p from big) s",
      "select count(*) from (select p from big intersect select p from big where id < 1300) s",
      "select count(*) from (select * from big where id < 30) l, (select * from big) r "
      "where l.id < r.id % 7",
  };
  std::string large;
  for (const char* sql : queries) large += a_->Rows(sql) + "\n";
  EXPECT_EQ(large.substr(0, large.find('\n')), "1000");
  a_->Run("set work_mem = '64kB'");
  std::string small;
  for (const char* sql : queries) small += a_->Rows(sql) + "\n";
  EXPECT_EQ(small, large);
}

TEST_F(SubqueryTest, FetchesInParts) {
  Session& session = a_->session();
  const std::string sql =
      "with w as (select id from a) select w.id, (select count(*) from b where aid = w.id) "
      "from w union all select id, 0 from (select id from b) s";
  a_->Run("begin");
  ASSERT_TRUE(session.Parse("", sql, {}, a_->sink()).ok());
  ASSERT_TRUE(session.Bind("p", "", {}, {}, {}).ok());
  CollectingSink parts;
  for (int part = 0; part < 5; ++part) {
    ASSERT_TRUE(session.Execute("p", 2, parts).ok());
    // Another plan of the same session runs in between.
    EXPECT_EQ(a_->Rows("select (select count(*) from a where exists (select 1))"), "4");
  }
  EXPECT_EQ(parts.rows, (std::vector<std::string>{"1|2", "2|1", "3|0", "4|0", "1|0", "2|0", "3|0",
                                                  "4|0", "5|0"}));
  EXPECT_EQ(parts.lines.back(), "SELECT 1");
  a_->Run("commit");
}

TEST_F(SubqueryTest, CanBeCancelledInEveryLoop) {
  a_->Run("set statement_timeout = '100ms'");
  const std::string many = "select g from generate_series(1, 1000000000) g";
  for (const std::string& sql : std::vector<std::string>{
           "select count(*) from (" + many + ") s",
           "select 0 in (" + many + ")",
           "select 0 > any (select g from generate_series(1, 1000000000) g)",
           "select (select count(*) from generate_series(1, 1000000000) g)",
           many + " except " + many,
           "with w as (" + many + ") select count(*) from w",
           "select count(*) from generate_series(1, 100000) h where h < all (select g + 100000 "
           "from generate_series(1, 100000) g)",
           "select count(*) from generate_series(1, 1000000000) h where exists (select 1 where "
           "h < 0)",
       }) {
    EXPECT_EQ(a_->Error(sql), "57014 0 canceling statement due to statement timeout") << sql;
  }
  a_->Run("set statement_timeout = 0");
  EXPECT_EQ(a_->Rows("select count(*) from (select 1) s"), "1");
}

TEST_F(SubqueryTest, BoundsItsDepth) {
  const auto nested = [](const std::string& before, const std::string& after, int levels) {
    std::string sql = "select 1";
    for (int i = 0; i < levels; ++i) sql = before + sql + after;
    return sql;
  };
  EXPECT_EQ(a_->Rows(nested("select (", ")", 15)), "1");
  EXPECT_EQ(a_->Rows(nested("select * from (", ") s", 15)), "1");
  EXPECT_EQ(a_->Error(nested("select (", ")", 100)).substr(0, 5), "54001");
  EXPECT_EQ(a_->Error(nested("select * from (", ") s", 100)).substr(0, 5), "54001");
  std::string chain = "select 1";
  for (int i = 2; i <= 300; ++i) chain += " union all select " + std::to_string(i);
  EXPECT_EQ(a_->Rows("select count(*) from (" + chain + ") s"), "300");
}

// A row that changed while the statement waited is looked at again in its newest version;
// subqueries still see the statement's snapshot.
TEST_F(SubqueryTest, ChecksChangedRowsAgain) {
  a_->Run("create table acc (id int primary key, v int)");
  struct Case {
    const char* sql;
    const char* tag;
    const char* rows;
  };
  for (const Case& test : {
           Case{"update acc set v = v + 1 where v = (select min(v) from acc)", "UPDATE 0", "7 5"},
           Case{"update acc set v = v + 1 where id = 1 and exists "
                "(select 1 from acc c where c.id = acc.id and c.v = 1)",
                "UPDATE 1", "8 5"},
           Case{"update acc set v = (select c.v from acc c where c.id = acc.id) + 1 where id = 1",
                "UPDATE 1", "2 5"},
           Case{"delete from acc where v in (select min(v) from acc)", "DELETE 0", "7 5"},
       }) {
    a_->Run("delete from acc; insert into acc values (1, 1), (2, 5)");
    a_->Run("begin; update acc set v = 7 where id = 1");
    const auto waits = engine_->counters().lock_waits;
    std::string tag;
    std::thread waiter([&] { tag = b_->Run(test.sql); });
    while (engine_->counters().lock_waits == waits) std::this_thread::yield();
    a_->Run("commit");
    waiter.join();
    EXPECT_EQ(tag, test.tag) << test.sql;
    EXPECT_EQ(a_->Rows("select v from acc order by id"), test.rows) << test.sql;
  }
}

}  // namespace
}  // namespace connbench::engine
