// Joins: rows, names, plans, memory, and what they must refuse.

#include "engine/sql/testing/sql_test_base.h"

namespace connbench::engine {
namespace {

class JoinTest : public SqlTest {
 protected:
  JoinTest() {
    a_->Run(
        "create table a (id int primary key, x int, t text);"
        "create table b (id int primary key, aid int, y int);"
        "create index b_aid on b (aid);"
        "create table c (k bigint, v text);"
        "insert into a values (1, 10, 'one'), (2, 20, 'two'), (3, null, 'three'), (4, 10, null);"
        "insert into b values (1, 1, 10), (2, 1, 20), (3, 2, null), (4, null, 10), (5, 9, 90);"
        "insert into c values (1, 'p'), (1, 'q'), (2, 'r'), (null, 's'), (10, 't')");
  }
  // The plan's lines, joined by '/', without indentation and costs.
  std::string Plan(const std::string& sql) {
    a_->Run("explain (costs off) " + sql);
    std::string plan;
    for (std::string row : a_->last().rows) {
      row.erase(0, row.find_first_not_of(" ->"));
      plan += (plan.empty() ? "" : "/") + row;
    }
    return plan.empty() ? a_->last().lines.back() : plan;
  }
};

TEST_F(JoinTest, JoinsInnerLeftRightFullAndCross) {
  EXPECT_EQ(a_->Rows("select a.id, b.id from a, b where a.id = b.aid order by 1, 2"),
            "1|1 1|2 2|3");
  EXPECT_EQ(a_->Rows("select a.id, b.id from a join b on a.id = b.aid order by 1, 2"),
            "1|1 1|2 2|3");
  EXPECT_EQ(a_->Rows("select a.id, b.id from a left join b on a.id = b.aid order by 1, 2"),
            "1|1 1|2 2|3 3|<null> 4|<null>");
  EXPECT_EQ(a_->Rows("select a.id, b.id from a right join b on a.id = b.aid order by 2"),
            "1|1 1|2 2|3 <null>|4 <null>|5");
  EXPECT_EQ(a_->Rows("select a.id, b.id from a full join b on a.id = b.aid order by 1, 2"),
            "1|1 1|2 2|3 3|<null> 4|<null> <null>|4 <null>|5");
  EXPECT_EQ(a_->Rows("select count(*) from a cross join b"), "20");
  EXPECT_EQ(a_->Rows("select count(*) from a full join b on true"), "20");
  EXPECT_EQ(a_->Rows("select count(*) from a full join b on false"), "9");
  EXPECT_EQ(a_->Rows("select count(*) from a, b, c"), "100");
}

TEST_F(JoinTest, JoinsOnOtherThanEquality) {
  EXPECT_EQ(a_->Rows("select a.id, b.id from a join b on a.id < b.aid order by 1, 2"),
            "1|3 1|5 2|5 3|5 4|5");
  EXPECT_EQ(a_->Rows("select a.id, b.id from a left join b on a.id > b.aid order by 1, 2"),
            "1|<null> 2|1 2|2 3|1 3|2 3|3 4|1 4|2 4|3");
  EXPECT_EQ(a_->Rows("select a.id, c.v from a join c on a.id = c.k and a.x = 10 order by 2"),
            "1|p 1|q");
}

TEST_F(JoinTest, KeepsConditionsOfOuterJoinsApart) {
  // In ON a condition decides about pairs, in WHERE about the result.
  EXPECT_EQ(a_->Rows("select a.id, b.id from a left join b on a.id = b.aid and a.id = 1 "
                     "order by 1, 2"),
            "1|1 1|2 2|<null> 3|<null> 4|<null>");
  EXPECT_EQ(a_->Rows("select a.id, b.id from a left join b on a.id = b.aid and b.y = 20 "
                     "order by 1, 2"),
            "1|2 2|<null> 3|<null> 4|<null>");
  EXPECT_EQ(a_->Rows("select a.id, b.id from a left join b on a.id = b.aid where b.id is null "
                     "order by 1"),
            "3|<null> 4|<null>");
  EXPECT_EQ(a_->Rows("select a.id, b.id from a left join b on false order by 1"),
            "1|<null> 2|<null> 3|<null> 4|<null>");
  EXPECT_EQ(a_->Rows("select a.id, b.id, c.v from a left join (b join c on c.k = b.id) "
                     "on b.aid = a.id order by 1, 2, 3"),
            "1|1|p 1|1|q 1|2|r 2|<null>|<null> 3|<null>|<null> 4|<null>|<null>");
}

TEST_F(JoinTest, MergesColumnsOfUsingAndNatural) {
  EXPECT_EQ(a_->Rows("select * from a join b using (id) order by id"),
            "1|10|one|1|10 2|20|two|1|20 3|<null>|three|2|<null> 4|10|<null>|<null>|10");
  EXPECT_EQ(a_->Rows("select id from a full join b using (id) order by id"), "1 2 3 4 5");
  EXPECT_EQ(a_->Rows("select id, a.id from a right join b using (id) order by 1"),
            "1|1 2|2 3|3 4|4 5|<null>");
  EXPECT_EQ(a_->Rows("select id, j.y from (a natural join b) as j where id = 2"), "2|20");
  EXPECT_EQ(a_->Rows("select j.n, o from (a natural join b) as j (n, o) where n = 2"), "2|20");
  EXPECT_EQ(a_->Error("select 1 from a join b using (x)"),
            "42703 0 column \"x\" specified in USING clause does not exist in right table");
  EXPECT_EQ(a_->Error("select 1 from a join b using (id, id)"),
            "42701 0 column name \"id\" appears more than once in USING clause");
  EXPECT_EQ(a_->Error("select 1 from c join a z (p, v, q) using (v)"),
            "42804 0 JOIN/USING types text and integer cannot be matched");
  EXPECT_EQ(a_->Error("select 1 from (a cross join b) join c on true join a z using (id)"),
            "42702 0 common column name \"id\" appears more than once in left table");
}

TEST_F(JoinTest, ResolvesNamesAsPostgresDoes) {
  EXPECT_EQ(a_->Rows("select l.id, r.id from a l, a r where l.id = r.x / 10 order by 1, 2"),
            "1|1 1|4 2|2");
  EXPECT_EQ(a_->Rows("select b.*, a.t from a join b on a.id = b.aid where b.id = 3"),
            "3|2|<null>|two");
  EXPECT_EQ(a_->Rows("select x, y from a, b where aid = a.id and b.id = 1"), "10|10");
  EXPECT_EQ(a_->Error("select id from a, b"), "42702 8 column reference \"id\" is ambiguous");
  EXPECT_EQ(a_->Error("select 1 from a, a"), "42712 0 table name \"a\" specified more than once");
  EXPECT_EQ(a_->Error("select 1 from a x join b x on true"),
            "42712 0 table name \"x\" specified more than once");
  EXPECT_EQ(a_->Error("select z.id from a, b"),
            "42P01 8 missing FROM-clause entry for table \"z\"");
  EXPECT_EQ(a_->Error("select a.id from a x, b"),
            "42P01 8 invalid reference to FROM-clause entry for table \"a\"");
  EXPECT_EQ(a_->last().lines.empty(), false);
  EXPECT_EQ(a_->Error("select 1 from a, b join c on a.id = c.k"),
            "42P01 30 invalid reference to FROM-clause entry for table \"a\"");
  EXPECT_EQ(a_->Error("select 1 from a, b join c on x = c.k"),
            "42703 30 column \"x\" does not exist");
  EXPECT_EQ(a_->Error("select a.id from (a join b on true) as j"),
            "42P01 8 invalid reference to FROM-clause entry for table \"a\"");
  EXPECT_EQ(a_->Error("select 1 from a join b on a.id"),
            "42804 27 argument of JOIN/ON must be type boolean, not type integer");
  EXPECT_EQ(a_->Error("select 1 from a join b on count(*) = 1"),
            "42803 27 aggregate functions are not allowed in JOIN conditions");
}

TEST_F(JoinTest, GroupsSortsAndLimitsAboveAJoin) {
  EXPECT_EQ(a_->Rows("select a.t, count(*), sum(b.y) from a join b on b.aid = a.id group by a.t "
                     "order by 1"),
            "one|2|30 two|1|<null>");
  // The primary key stands for its own table's columns only.
  EXPECT_EQ(a_->Rows("select a.t, a.x, count(b.id) from a left join b on b.aid = a.id "
                     "group by a.id having count(b.id) < 2 order by a.id"),
            "two|20|1 three|<null>|0 <null>|10|0");
  EXPECT_EQ(a_->Error("select b.y from a join b on b.aid = a.id group by a.id"),
            "42803 8 column \"b.y\" must appear in the GROUP BY clause or be used in an aggregate "
            "function");
  EXPECT_EQ(a_->Rows("select distinct a.x from a, b order by 1 limit 2"), "10 20");
  EXPECT_EQ(a_->Rows("select b.id from a join b on b.aid = a.id order by b.id desc limit 1 "
                     "offset 1"),
            "2");
}

TEST_F(JoinTest, TakesParametersAndPlansAgainAfterDdl) {
  const std::string sql = "select a.id, b.id from a join b on b.aid = a.id where a.id = $1";
  EXPECT_NE(a_->Extended(sql, {"2"}).find("2|3"), std::string::npos);
  EXPECT_NE(a_->Extended("select count(*) from a full join b on $1", {"f"}).find("9"),
            std::string::npos);
  a_->Run("prepare p (int) as " + sql + " order by 2");
  EXPECT_EQ(a_->Rows("execute p (1)"), "1|1 1|2");
  b_->Run("drop index b_aid");
  EXPECT_EQ(a_->Rows("execute p (1)"), "1|1 1|2");
  b_->Run("drop table b; create table b (aid int, id int); insert into b values (1, 7)");
  EXPECT_EQ(a_->Rows("execute p (1)"), "1|7");
  b_->Run("drop table b");
  EXPECT_TRUE(a_->Rows("execute p (1)").starts_with("ERROR"));
}

TEST_F(JoinTest, DescribesColumnsByTheirTables) {
  a_->Rows("select a.t, b.id, a.id + b.id as s from a, b where a.id = b.aid");
  EXPECT_EQ(a_->last().columns, (std::vector<std::string>{"t:25", "id:23", "s:23"}));
  EXPECT_EQ(a_->Rows("select a.id from a, generate_series(1, 2) g where a.id = g order by 1"),
            "1 2");
  a_->Run("create table into_ (i int, j int)");
  EXPECT_EQ(a_->Run("insert into into_ select a.id, b.id from a join b on a.id = b.aid"),
            "INSERT 0 3");
}

// What the statement inserts is not read by its own inner scans.
TEST_F(JoinTest, DoesNotSeeItsOwnInserts) {
  EXPECT_EQ(a_->Run("insert into b select l.id * 10 + r.id, l.id, 0 from b l join b r "
                    "on r.id >= l.id"),
            "INSERT 0 15");
  EXPECT_EQ(a_->Run("insert into b select 100 + l.id * 100 + r.id, 1, 0 from b l join b r "
                    "on r.aid = l.id where l.id < 4"),
            "INSERT 0 15");
}

TEST_F(JoinTest, ChoosesIndexHashOrPairs) {
  a_->Run(
      "create table big (id int primary key, f int);"
      "insert into big select g, g % 100 from generate_series(1, 5000) g");
  EXPECT_EQ(Plan("select * from a join big on big.id = a.x where a.id = 1"),
            "Nested Loop/Index Scan using a_pkey on a/Index Cond: (a.id = 1)/"
            "Index Scan using big_pkey on big/Index Cond: (big.id = a.x)");
  EXPECT_EQ(Plan("select * from big l join big r on l.f = r.id"),
            "Hash Join/Hash Cond: (l.f = r.id)/Seq Scan on big l/Seq Scan on big r");
  EXPECT_EQ(Plan("select * from a join b on a.x < b.y"),
            "Nested Loop/Join Filter: (a.x < b.y)/Seq Scan on a/Materialize/Seq Scan on b");
  EXPECT_EQ(a_->Rows("select count(*), sum(l.id) from big l join big r on l.f = r.id"),
            "4950|12375000");
}

// The inner side does not fit: both are sorted by hash, and nothing else changes.
TEST_F(JoinTest, JoinsMoreThanWorkMemHolds) {
  a_->Run(
      "create table l (k int, p text); create table r (k int, p text);"
      "insert into l select g % 3000, repeat('l', 40) from generate_series(1, 6000) g;"
      "insert into r select g % 4000, repeat('r', 40) from generate_series(1, 4000) g;"
      "insert into l values (null, 'n'), (null, 'n'); insert into r values (null, 'n')");
  const std::string counts[] = {
      "select count(*), count(l.k), count(r.k), sum(l.k), sum(length(r.p)) from l ",
      " r on l.k = r.k and length(l.p) + length(r.p) = 80"};
  std::string large;
  for (const char* join : {"join", "left join", "right join", "full join"}) {
    large += a_->Rows(counts[0] + join + counts[1]) + "\n";
  }
  EXPECT_EQ(large.substr(0, large.find('\n')), "6000|6000|6000|8997000|240000");
  a_->Run("set work_mem = '64kB'");
  std::string small;
  for (const char* join : {"join", "left join", "right join", "full join"}) {
    small += a_->Rows(counts[0] + join + counts[1]) + "\n";
  }
  EXPECT_EQ(small, large);
  a_->Run("explain (analyze, costs off, timing off) select count(*) from l join r on l.k = r.k");
  bool merged = false;
  for (const std::string& row : a_->last().rows) {
    merged = merged || row.find("merge by hash") != std::string::npos;
  }
  EXPECT_TRUE(merged);
  // One key alone passes the limit.
  a_->Run("update l set k = 1; update r set k = 1");
  EXPECT_TRUE(a_->Error("select count(*) from l join r on l.k = r.k").starts_with("53200"));
  EXPECT_EQ(a_->Rows("select count(*) from l join r on l.k < r.k - 1 where l.p = 'n'"), "0");
}

// Rows that match nothing must not be gathered under one hash.
TEST_F(JoinTest, KeepsAnyNumberOfRowsWithoutAKey) {
  a_->Run(
      "create table l (k int, p text); create table r (k int, p text);"
      "insert into l select null, repeat('l', 200) from generate_series(1, 3000) g;"
      "insert into r select null, repeat('r', 200) from generate_series(1, 3000) g;"
      "insert into l values (1, 'l'); insert into r values (1, 'r'); set work_mem = '64kB'");
  const std::string counts =
      "select count(*), count(l.k), count(r.k), sum(length(l.p)), sum(length(r.p)) from l ";
  EXPECT_EQ(a_->Rows(counts + "full join r on l.k = r.k"), "6001|1|1|600001|600001");
  EXPECT_EQ(a_->Rows(counts + "right join r on l.k = r.k"), "3001|1|1|1|600001");
  EXPECT_EQ(a_->Rows(counts + "left join r on l.k = r.k"), "3001|1|1|600001|1");
}

// A joined row may be larger than all that a hash join may hold.
TEST_F(JoinTest, HoldsARowThatIsLargerThanWorkMem) {
  a_->Run(
      "create table w (k int, p text); set work_mem = '64kB';"
      "insert into w select g, repeat('w', 6000) from generate_series(1, 3) g");
  std::string lengths = "length(w0.p)";
  std::string wide = "w w0";
  for (int i = 1; i < 25; ++i) {
    const std::string name = "w" + std::to_string(i);
    lengths += " + length(" + name + ".p)";
    wide += " join w " + name + " on " + name + ".k = w0.k";
  }
  EXPECT_EQ(a_->Rows("select count(*), sum(" + lengths + ") from a full join (" + wide +
                     ") on a.id = w0.k"),
            "4|450000");
}

TEST_F(JoinTest, TestsAVolatileConditionForEachJoinedRow) {
  a_->Run("create sequence s; create sequence t; create sequence u");
  EXPECT_EQ(a_->Rows("select count(*) from a, b where nextval('s') > 0"), "20");
  EXPECT_EQ(a_->Rows("select currval('s')"), "20");
  EXPECT_EQ(a_->Rows("select count(*) from a left join b on a.id = b.aid where nextval('t') > 0"),
            "5");
  EXPECT_EQ(a_->Rows("select currval('t')"), "5");
  EXPECT_EQ(a_->Rows("select count(*) from a join b on a.id = b.aid and nextval('u') > 0"), "3");
  EXPECT_EQ(a_->Rows("select currval('u')"), "3");
}

TEST_F(JoinTest, RefusesWhatItCannotDo) {
  EXPECT_EQ(a_->Error("select 1 from a, b for update"),
            "0A000 18 FOR UPDATE over a join is not supported");
  EXPECT_EQ(a_->Error("select 1 from a full join b on a.id < b.id"),
            "0A000 1 FULL JOIN is only supported with merge-joinable or hash-joinable join "
            "conditions");
  EXPECT_EQ(a_->Error("select 1 from a join b using (id) as u"),
            "0A000 1 the clause \"join using alias\" is not supported");
  std::string many = "select count(*) from generate_series(1, 1) g0";
  for (int i = 1; i < 64; ++i) many += ", generate_series(1, 1) g" + std::to_string(i);
  EXPECT_EQ(a_->Rows(many), "1");
  EXPECT_TRUE(a_->Error(many + ", a").starts_with("0A000"));
  std::string nested = "select 1 from a";
  for (int i = 1; i < 100; ++i) nested += " join a a" + std::to_string(i) + " on true";
  EXPECT_TRUE(a_->Error(nested).starts_with("0A000")) << a_->Error(nested);
}

TEST_F(JoinTest, ChecksThePrivilegesOnEachRelation) {
  TestSession super(*engine_, {}, "postgres");
  super.Run(
      "create role app login; create table p (k int); create table q (k int);"
      "insert into p values (1), (2); insert into q values (2), (3); grant select on p to app");
  TestSession app(*engine_, {}, "app");
  EXPECT_EQ(app.Error("select 1 from p, q"), "42501 0 permission denied for table q");
  EXPECT_EQ(app.Error("select 1 from q l left join p r using (k)"),
            "42501 0 permission denied for table q");
  super.Run("grant select on q to app");
  EXPECT_EQ(app.Rows("select k from p join q using (k)"), "2");
}

TEST_F(JoinTest, CanBeCancelledInEveryLoop) {
  a_->Run("set statement_timeout = '100ms'");
  for (const char* sql : {
           "select count(*) from generate_series(1, 100000) a, generate_series(1, 100000) b",
           "select count(*) from generate_series(1, 100000) a join generate_series(1, 100000) b "
           "on a < b - 200000",
           "select count(*) from generate_series(1, 100000) a join generate_series(1, 100000) b "
           "on a % 2 = b % 2",
           "select count(*) from generate_series(1, 100000) a full join "
           "generate_series(1, 100000) b on true",
       }) {
    EXPECT_EQ(a_->Error(sql), "57014 0 canceling statement due to statement timeout");
  }
  a_->Run("set statement_timeout = 0");
  EXPECT_EQ(a_->Rows("select count(*) from a, b"), "20");
}

}  // namespace
}  // namespace connbench::engine
