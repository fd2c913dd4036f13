// WITH RECURSIVE: rows, types, memory, ends, plans, and where a query may not read itself.

#include "engine/sql/testing/sql_test_base.h"

namespace connbench::engine {
namespace {

class RecursionTest : public SqlTest {
 protected:
  RecursionTest() {
    a_->Run(
        "create table edge (a int, b int);"
        "insert into edge values (1, 2), (2, 3), (3, 1), (3, 4), (4, 5), (10, 11)");
  }
};

TEST_F(RecursionTest, ReadsWhatItsStepsHaveFound) {
  EXPECT_EQ(a_->Rows("with recursive t (n) as (select 1 union all select n + 1 from t "
                     "where n < 4) select * from t"),
            "1 2 3 4");
  // A step reads the rows of the step before, and no others.
  EXPECT_EQ(a_->Rows("with recursive t (n, level) as (values (1, 0), (5, 0) union all "
                     "select n + 1, level + 1 from t where n % 3 <> 0) select * from t"),
            "1|0 5|0 2|1 6|1 3|2");
  // Without ALL, rows that were seen are no rows of a step: a circle ends.
  EXPECT_EQ(a_->Rows("with recursive t (n) as (select 1 union select b from t join edge "
                     "on a = n) select n from t order by 1"),
            "1 2 3 4 5");
  EXPECT_EQ(a_->Rows("with recursive t (n) as (select 1.0 union select 1.00 from t) "
                     "select * from t"),
            "1.0");
  EXPECT_EQ(a_->Rows("with recursive t (n) as (select null::int union select n from t) "
                     "select n from t"),
            "<null>");
  EXPECT_EQ(a_->Rows("with recursive t (n) as (select 1 union all select 5 union select n + 2 "
                     "from t where n < 6) select n from t order by 1"),
            "1 3 5 7");
}

TEST_F(RecursionTest, EndsWithItsReaders) {
  EXPECT_EQ(a_->Rows("with recursive t (n) as (select 1 union all select n + 1 from t) "
                     "select n from t limit 3"),
            "1 2 3");
  a_->Run("set statement_timeout = '50ms'");
  EXPECT_EQ(a_->Error("with recursive t (n) as (select 1 union all select n from t) "
                      "select count(*) from t")
                .substr(0, 5),
            "57014");
  a_->Run("reset statement_timeout");
}

TEST_F(RecursionTest, KeepsRowsWithinItsMemory) {
  a_->Run("set work_mem = '64kB'");
  EXPECT_EQ(a_->Rows("with recursive t (n) as (select g from generate_series(1, 5000) g "
                     "union all select n + 5000 from t where n <= 10000) "
                     "select count(*), sum(n) from t"),
            "15000|112507500");
  EXPECT_EQ(a_->Error("with recursive t (n) as (select g from generate_series(1, 5000) g "
                      "union select n + 5000 from t where n <= 10000) select count(*) from t"),
            "53200 0 out of memory");
  a_->Run("reset work_mem");
  EXPECT_EQ(a_->Rows("with recursive t (n) as (select g from generate_series(1, 5000) g "
                     "union select n + 5000 from t where n <= 10000) select count(*) from t"),
            "15000");
}

TEST_F(RecursionTest, BeginsAnewWhatAStepContains) {
  // A query of WITH inside the step, and a subquery that reads it.
  EXPECT_EQ(a_->Rows("with recursive t (n) as (select 1 union all (with u as (select n from t) "
                     "select n + 1 from u where n < 4 and n in (select n from u))) "
                     "select n from t"),
            "1 2 3 4");
  EXPECT_EQ(a_->Rows("with recursive t (n) as (select 1 union all select s.m from t, lateral "
                     "(select t.n + 1 as m) s where m < 4) select n from t"),
            "1 2 3");
  // The whole recursion, for each row of the query around it, whose columns both terms read.
  EXPECT_EQ(a_->Rows("select g, (with recursive t (n) as (select g union all select n + g from t "
                     "where n < 10) select count(*) from t) from generate_series(1, 4) g"),
            "1|10 2|5 3|4 4|3");
  EXPECT_EQ(a_->Rows("select g, (with recursive t (n) as (select 1 union all select n + g from t "
                     "where n < 10) select sum(n) from t) from generate_series(1, 3) g"),
            "1|55 2|36 3|22");
}

TEST_F(RecursionTest, ReadsQueriesBehindIt) {
  EXPECT_EQ(a_->Rows("with recursive p as (select x + 1 from q), q as (select 1 as x) "
                     "select * from p"),
            "2");
  EXPECT_EQ(a_->Rows("with recursive t (n) as (select 1 union all select n + 1 from t where n < 3),"
                     " u (m) as (select n from t union all select m + 10 from u where m < 10) "
                     "select m from u order by 1"),
            "1 2 3 11 12 13");
  EXPECT_EQ(a_->Error("with recursive p as (select * from q), q as (select * from p) "
                      "select * from p"),
            "0A000 16 mutual recursion between WITH items is not implemented");
  // A name with a schema, and one that a WITH further in defines, are no reference.
  EXPECT_EQ(a_->Rows("with recursive edge (n) as (select a from public.edge where a > 3) "
                     "select n from edge order by 1"),
            "4 10");
  EXPECT_EQ(a_->Rows("with recursive t (n) as (select 1 union all (with t as (select 7 as n) "
                     "select n from t)) select n from t"),
            "1 7");
}

TEST_F(RecursionTest, HasTheTypesOfItsFirstTerm) {
  EXPECT_EQ(a_->Rows("with recursive t (c) as (select 'a' union all select c || 'b' from t "
                     "where length(c) < 3) select c, pg_typeof(c) from t"),
            "a|text ab|text abb|text");
  EXPECT_EQ(a_->Error("with recursive t (n) as (select 1 union all select n + 1.5 from t) "
                      "select n from t"),
            "42804 33 recursive query \"t\" column 1 has type integer in non-recursive term but "
            "type numeric overall");
  EXPECT_EQ(a_->Error("with recursive t (n) as (select 1.5::numeric(5,2) union all "
                      "select n + 1 from t) select n from t")
                .substr(0, 5),
            "42804");
  EXPECT_EQ(a_->Error("with recursive t (n, m) as (select 1 union all select n from t) select 1"),
            "42P10 16 WITH query \"t\" has 1 columns available but 2 columns specified");
}

TEST_F(RecursionTest, RefusesReferencesWithoutAMeaning) {
  const struct {
    const char* terms;
    const char* error;
  } cases[] = {
      {"select n from t", "does not have the form non-recursive-term UNION [ALL] recursive-term"},
      {"select n from t union all select 1", "must not appear within its non-recursive term"},
      {"select 1 union all select 1 from t, t u", "must not appear more than once"},
      {"select 1 union all select a from edge where a in (select n from t)",
       "must not appear within a subquery"},
      {"select 1 union all select a from edge left join t on a = n",
       "must not appear within an outer join"},
      {"select 1 union all select a from t full join edge on a = n",
       "must not appear within an outer join"},
      {"select 1 union all (select n from t intersect all select 1)",
       "must not appear within INTERSECT"},
      {"select 1 union all (select 1 except select n from t)", "must not appear within EXCEPT"},
  };
  for (const auto& each : cases) {
    const std::string error =
        a_->Error("with recursive t (n) as (" + std::string(each.terms) + ") select n from t");
    EXPECT_EQ(error.substr(0, 5), "42P19") << each.terms;
    EXPECT_NE(error.find(each.error), std::string::npos) << error;
  }
  EXPECT_EQ(a_->Error("with recursive t (n) as (select 1 union all select max(n) from t) select 1"),
            "42P19 52 aggregate functions are not allowed in a recursive query's recursive term");
  EXPECT_EQ(a_->Error("with recursive t (n) as (select 1 union all select n from t order by 1) "
                      "select 1"),
            "0A000 70 ORDER BY in a recursive query is not implemented");
  EXPECT_EQ(a_->Error("with recursive t (n) as (select 1 union all select n from t limit 1) "
                      "select 1"),
            "0A000 67 LIMIT in a recursive query is not implemented");
  EXPECT_EQ(a_->Error("with recursive t (n) as (select 1 union all select n from t) "
                      "search depth first by n set o select 1")
                .substr(0, 5),
            "0A000");
}

// Each reads the one behind it. Ordering them takes no time; running them would take a deep stack.
TEST_F(RecursionTest, OrdersAnyNumberOfQueries) {
  const auto chain = [](int length) {
    std::string with = "with recursive ";
    for (int i = 0; i < length; ++i) {
      with += "q" + std::to_string(i) + " as (select * from q" + std::to_string(i + 1) + "), ";
    }
    return with + "q" + std::to_string(length) + " as (select 7) select * from q0";
  };
  EXPECT_EQ(a_->Rows(chain(10)), "7");
  EXPECT_EQ(a_->Error(chain(5000)).substr(0, 5), "54001");
}

TEST_F(RecursionTest, ShowsItsPlan) {
  a_->Run(
      "explain (costs off) with recursive t (n) as (select 1 union all select n + 1 from t "
      "where n < 5) select n from t");
  std::string plan;
  for (const std::string& row : a_->last().rows) plan += row + "\n";
  EXPECT_EQ(plan,
            "CTE Scan on t\n"
            "  CTE t\n"
            "    ->  Recursive Union\n"
            "          ->  Result\n"
            "          ->  WorkTable Scan on t\n"
            "                Filter: (n < 5)\n");
}

}  // namespace
}  // namespace connbench::engine
