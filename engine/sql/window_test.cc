// Window functions: how rows of a partition are kept and read again, when they are computed, and
// what EXPLAIN says. Their answers in general are compared with PostgreSQL's in queries.sql and in
// tests/system/test_windows.py.

#include "engine/sql/testing/sql_test_base.h"

namespace connbench::engine {
namespace {

class WindowTest : public SqlTest {
 protected:
  WindowTest() {
    a_->Run(
        "create table e (id int primary key, a int, b int); create index on e (a, b);"
        "insert into e select i, i % 10, i % 7 from generate_series(1, 100) i");
  }

  // How many of the numbers from 1 to 20,000 have another value than is expected of them.
  std::string Wrong(std::string_view call, std::string_view expected) {
    return a_->Rows("select count(*) from (select i, " + std::string(call) +
                    " as got from generate_series(1, 20000) i) s where got is distinct from " +
                    std::string(expected));
  }
};

TEST_F(WindowTest, PartitionsBeyondWorkMemGoThroughAFile) {
  for (const char* memory : {"64MB", "64kB"}) {
    a_->Run("set work_mem = '" + std::string(memory) + "'");
    EXPECT_EQ(Wrong("row_number() over (order by i desc)", "20001 - i"), "0") << memory;
    EXPECT_EQ(Wrong("sum(i) over (order by i)", "i * (i + 1) / 2"), "0") << memory;
    EXPECT_EQ(Wrong("lag(i, 15000) over (order by i)", "nullif(greatest(i - 15000, 0), 0)"), "0")
        << memory;
    // Forwards, then back, row after row.
    EXPECT_EQ(Wrong("lead(i, case i % 2 when 0 then 3000 else -3000 end, 0) over (order by i)",
                    "case when i % 2 = 0 and i <= 17000 then i + 3000"
                    "     when i % 2 = 1 and i > 3000 then i - 3000 else 0 end"),
              "0")
        << memory;
    EXPECT_EQ(
        Wrong("first_value(i) over (order by i rows 5000 preceding)", "greatest(i - 5000, 1)"), "0")
        << memory;
    EXPECT_EQ(Wrong("count(*) over (order by i range between 10000 preceding and 1 following)",
                    "least(i + 1, 20000) - greatest(i - 10000, 1) + 1"),
              "0")
        << memory;
    EXPECT_EQ(Wrong("count(*) over (partition by i % 2 order by i / 100 groups between current row "
                    "and unbounded following)",
                    "case when i < 100 then 10000 else got end"),
              "0")
        << memory;
    EXPECT_EQ(Wrong("max(i) over (partition by i / 5000)", "least(i / 5000 * 5000 + 4999, 20000)"),
              "0")
        << memory;
    EXPECT_EQ(Wrong("ntile(4) over (order by i)", "(i - 1) / 5000 + 1"), "0") << memory;
  }
}

TEST_F(WindowTest, ReadsNoMoreThanItNeeds) {
  // The fourth row divides by zero.
  EXPECT_EQ(
      a_->Rows("select sum(12 / (4 - i)) over (rows current row) from generate_series(1, 9) i "
               "limit 3"),
      "4 6 12");
  EXPECT_EQ(a_->Rows("select row_number() over () from generate_series(1, 100000000) limit 2"),
            "1 2");
  EXPECT_EQ(a_->Rows("select lead(i, 2) over () from generate_series(1, 100000000) i limit 2"),
            "3 4");
}

TEST_F(WindowTest, StopsWhenItIsAskedTo) {
  a_->Run("set statement_timeout = '100ms'");
  for (const char* call :
       {"max(i) over (order by i rows between current row and unbounded following)",
        "count(*) over (order by i rows unbounded preceding exclude current row)",
        "string_agg('x', '') over (order by i rows between 50000 preceding and current row)",
        "cume_dist() over (order by i / 2)"}) {
    EXPECT_EQ(a_->Error("select count(x) from (select " + std::string(call) +
                        " as x from generate_series(1, 10000000) i) s"),
              "57014 0 canceling statement due to statement timeout")
        << call;
  }
}

TEST_F(WindowTest, RunsAgain) {
  a_->Run("prepare p as select id, sum(id) over (order by id rows $1 preceding) from e limit 3");
  EXPECT_EQ(a_->Rows("execute p(1)"), "1|1 2|3 3|5");
  EXPECT_EQ(a_->Error("execute p(-1)"), "22013 0 frame starting offset must not be negative");
  EXPECT_EQ(a_->Rows("execute p(2)"), "1|1 2|3 3|6");
  EXPECT_EQ(a_->Error("execute p(null)"), "22004 0 frame starting offset must not be null");
  EXPECT_EQ(
      a_->Rows("select x, (select max(r) from (select row_number() over (order by id) r from e "
               "where id <= x * 2) s) from generate_series(1, 3) x"),
      "1|2 2|4 3|6");
  a_->Run("begin; declare c cursor for select id, lead(id) over (order by id) from e");
  EXPECT_EQ(a_->Rows("fetch 2 from c"), "1|2 2|3");
  EXPECT_EQ(a_->Rows("fetch 2 from c"), "3|4 4|5");
  a_->Run("rollback");
}

TEST_F(WindowTest, AMovingFrameTakesRowsOut) {
  a_->Run(
      "create table n (i int, n numeric); insert into n values (1, 1.50), (2, 2), (3, 'NaN'),"
      "(4, 4.125), (5, null), (6, 'infinity'), (7, 7.0), (8, 8)");
  EXPECT_EQ(a_->Rows("select sum(n) over w, avg(n) over w, count(n) over w from n "
                     "window w as (order by i rows 1 preceding) order by i"),
            "1.50|1.50000000000000000000|1 3.50|1.7500000000000000|2 NaN|NaN|2 NaN|NaN|2 "
            "4.125|4.1250000000000000|1 Infinity|Infinity|1 Infinity|Infinity|2 "
            "15.0|7.5000000000000000|2");
  // A state that took each row in again would take a minute.
  a_->Run("set statement_timeout = '20s'");
  EXPECT_EQ(a_->Rows("select sum(s), sum(c) from (select sum(i) over w s, count(*) over w c from "
                     "generate_series(1, 200000) i window w as (order by i rows 100000 preceding)) "
                     "t"),
            "1166686666750000|15000150000");
}

TEST_F(WindowTest, ExplainShowsTheSortsThatWindowsShare) {
  a_->Run(
      "explain (costs off) select row_number() over (order by a, b), sum(b) over (partition by "
      "a), rank() over (order by b) from e order by a");
  EXPECT_EQ(
      a_->last().rows,
      (std::vector<std::string>{
          "WindowAgg", "  ->  WindowAgg", "        ->  Sort", "              Sort Key: a, b",
          "              ->  WindowAgg", "                    ->  Sort",
          "                          Sort Key: b", "                          ->  Seq Scan on e"}));
  a_->Run("explain (costs off) select row_number() over (order by id) r from e order by r limit 5");
  EXPECT_EQ(a_->last().rows,
            (std::vector<std::string>{
                "Limit", "  ->  Sort", "        Sort Key: (row_number() OVER (?))",
                "        ->  WindowAgg", "              ->  Index Scan using e_pkey on e"}));
}

// Each takes of the stack.
TEST_F(WindowTest, AQueryHasManyWindowsButNotAnyNumber) {
  const auto query = [](int windows) {
    std::string calls;
    for (int i = 0; i < windows; ++i) {
      calls += (i > 0 ? " + " : "") + std::string("rank() over (order by (a + 1) % ") +
               std::to_string(i + 2) + ")";
    }
    return "select sum(x) from (select " + calls + " as x from e) s";
  };
  EXPECT_EQ(a_->Rows(query(2)), "6000");
  EXPECT_EQ(a_->Error(query(60)), "ok");
  EXPECT_EQ(a_->Error(query(120)), "54001 0 expression is nested too deep");
}

TEST_F(WindowTest, RefusesRowLocks) {
  EXPECT_EQ(a_->Error("select row_number() over () from e for share"),
            "0A000 1 FOR SHARE is not allowed with window functions");
  EXPECT_EQ(a_->Error("values (1) order by row_number() over ()"),
            "0A000 21 a window function here is not supported");
}

}  // namespace
}  // namespace connbench::engine
