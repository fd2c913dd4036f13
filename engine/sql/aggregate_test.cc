// Aggregates: ORDER BY and DISTINCT in them, and groups that work_mem cannot hold. The answers are
// PostgreSQL's.

#include "engine/sql/testing/sql_test_base.h"

namespace connbench::engine {
namespace {

class AggregateTest : public SqlTest {
 protected:
  AggregateTest() {
    a_->Run(
        "create table g (id int, k int, t text, n numeric);"
        "insert into g select i, i % 3, 't' || i % 4, (i % 5) * 0.5 from generate_series(1, 12) i;"
        "insert into g values (13, null, null, null)");
  }
};

TEST_F(AggregateTest, TakesItsInputsInOrder) {
  EXPECT_EQ(a_->Rows("select k, string_agg(t, ',' order by id desc) from g group by k order by k"),
            "0|t0,t1,t2,t3 1|t2,t3,t0,t1 2|t3,t0,t1,t2 <null>|<null>");
  EXPECT_EQ(a_->Rows("select string_agg(t, ',' order by n nulls first, id) from g where k = 1"),
            "t2,t1,t3,t0");
  EXPECT_EQ(a_->Rows("select string_agg(t, '' order by t) filter (where id < 4) from g"), "t1t2t3");
  EXPECT_EQ(a_->Rows("select max(t order by (select 1)) from g"), "t3");
  EXPECT_EQ(a_->Rows("select string_agg(t, ',' order by id) from g where id > 20"), "<null>");
  EXPECT_EQ(a_->Rows("select x, (select string_agg(t, '' order by id % x, id) from g where id < 5) "
                     "from generate_series(1, 3) x"),
            "1|t1t2t3t0 2|t2t0t1t3 3|t3t1t0t2");
}

TEST_F(AggregateTest, ArraysHaveAMinimumAndAMaximum) {
  EXPECT_EQ(a_->Rows("select min(array[n, id]), max(array[id]), max(array[t, 'z']) from g"),
            "{0.0,5}|{13}|{NULL,z}");
  EXPECT_EQ(a_->Rows("select k, max(array[t]) from g group by k order by k"),
            "0|{t3} 1|{t3} 2|{t3} <null>|{NULL}");
  EXPECT_EQ(a_->Rows("select max('a'), min(null::int[]) from g"), "a|<null>");
}

TEST_F(AggregateTest, LeavesOutWhatIsEqual) {
  EXPECT_EQ(a_->Rows("select string_agg(distinct t, ',') from g"), "t0,t1,t2,t3");
  EXPECT_EQ(a_->Rows("select string_agg(distinct t, ',' order by t desc) from g"), "t3,t2,t1,t0");
  EXPECT_EQ(a_->Rows("select count(distinct n), sum(distinct n), count(n), sum(id) from g"),
            "5|5.0|12|91");
  EXPECT_EQ(a_->Rows("select k, count(distinct t), count(distinct k) from g group by k order by k"),
            "0|4|1 1|4|1 2|4|1 <null>|0|0");
  EXPECT_EQ(a_->Rows("select count(distinct v) from (values (1.0), (1.00), (2)) s (v)"), "2");
}

TEST_F(AggregateTest, RefusesWhatCannotBeOrdered) {
  EXPECT_EQ(a_->Error("select string_agg(distinct t, ',' order by id) from g"),
            "42P10 44 in an aggregate with DISTINCT, ORDER BY expressions must appear in argument "
            "list");
  EXPECT_EQ(a_->Error("select sum(id order by max(id)) from g"),
            "42803 24 aggregate function calls cannot be nested");
  EXPECT_EQ(a_->Error("select sum(id) within group (order by id) from g"),
            "0A000 8 WITHIN GROUP is not supported");
}

// Each way of holding groups gives what the others give.
TEST_F(AggregateTest, HoldsMoreGroupsThanWorkMem) {
  a_->Run(
      "create table big (id int, k int, t text);"
      "insert into big select i, i * 7919 % 5003, repeat('x', 40) || i % 5003 "
      "from generate_series(1, 20000) i");
  const char* queries[] = {
      "select count(*), sum(c), sum(s), min(m) from (select k, count(*) c, sum(id) s, max(t) m "
      "from big group by k) g",
      "select count(*), sum(length(k)) from (select t k from big group by t having count(*) > 3) g",
      "select sum(length(s)), min(s) from (select k % 50 k, string_agg(t, '' order by id) s from "
      "big group by 1) g",
      "select count(distinct t), sum(distinct k), count(distinct k) filter (where id % 2 = 0) "
      "from big",
      "select sum(d), count(*) from (select k % 2000 k, count(distinct t) d from big group by 1) g",
      "select k, count(*) from big group by k order by 2 desc, 1 limit 3",
      "select sum(c) from generate_series(1, 2) x, lateral (select count(*) c from (select k + x "
      "from big where id < 6000 group by 1) g) h",
  };
  for (const char* sql : queries) {
    a_->Run("set work_mem = '64MB'");
    const std::string large = a_->Rows(sql);
    a_->Run("set work_mem = '64kB'");
    EXPECT_EQ(a_->Rows(sql), large) << sql;
  }
  EXPECT_EQ(a_->Rows("select sum(c) from (select count(*) c from big group by t) g"), "20000");
  a_->Run("explain (analyze, timing off, costs off) select k, count(*) from big group by k");
  std::string plan;
  for (const std::string& row : a_->last().rows) plan += row + "\n";
  EXPECT_NE(plan.find("Disk Usage: "), std::string::npos) << plan;
}

TEST_F(AggregateTest, CanBeCancelledWhileItSorts) {
  a_->Run("set statement_timeout = '100ms'; set work_mem = '64kB'");
  const std::string many = "generate_series(1, 1000000000) x";
  EXPECT_EQ(a_->Error("select x from " + many + " group by x").substr(0, 5), "57014");
  EXPECT_EQ(a_->Error("select count(distinct x) from " + many).substr(0, 5), "57014");
}

}  // namespace
}  // namespace connbench::engine
