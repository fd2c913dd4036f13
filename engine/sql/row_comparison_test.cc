// Rows that are written out and compared.

#include "engine/sql/testing/sql_test_base.h"

namespace connbench::engine {
namespace {

class RowComparisonTest : public SqlTest {
 protected:
  RowComparisonTest() {
    a_->Run(
        "create table r (a int, b int);"
        "insert into r values (1, 2), (1, 3), (2, 1), (2, null), (null, 1)");
  }
};

TEST_F(RowComparisonTest, OrdersByTheFirstColumnsThatDiffer) {
  EXPECT_EQ(a_->Rows("select a, b from r where (a, b) > (1, 2) order by 1, 2"), "1|3 2|1 2|<null>");
  EXPECT_EQ(a_->Rows("select a, b from r where (a, b) >= (1, 3) order by 1, 2"),
            "1|3 2|1 2|<null>");
  EXPECT_EQ(a_->Rows("select a, b from r where (a, b) < (2, 1) order by 1, 2"), "1|2 1|3");
  EXPECT_EQ(a_->Rows("select a, b from r where (a, b) <= (2, 1) order by 1, 2"), "1|2 1|3 2|1");
  // Null as soon as a null decides.
  EXPECT_EQ(a_->Rows("select (1, null) < (2, null), (1, null) < (1, 2), (null, 1) < (1, 1)"),
            "t|<null>|<null>");
  EXPECT_EQ(a_->Rows("select (1, 'a') < (1, 'b'), (1.5, 2) > (1, 2), row(1) < row(2)"), "t|t|t");
  EXPECT_EQ(a_->Error("select (random(), 1) < (0.5, 2)"),
            "0A000 22 an order of rows that are computed anew each time is not supported");
}

TEST_F(RowComparisonTest, FindsEqualRows) {
  EXPECT_EQ(a_->Rows("select a, b from r where (a, b) = (2, 1)"), "2|1");
  EXPECT_EQ(a_->Rows("select a, b from r where (a, b) <> (2, 1) order by 1, 2"), "1|2 1|3");
  EXPECT_EQ(a_->Rows("select a, b from r where (a, b) in ((1, 2), (2, 1)) order by 1"), "1|2 2|1");
  EXPECT_EQ(a_->Rows("select a, b from r where (a, b) not in ((1, 2), (2, 1)) order by 1, 2"),
            "1|3");
  EXPECT_EQ(a_->Rows("select (1, 2) between (1, 1) and (2, 2), "
                     "(3, 1) not between (1, 1) and (2, 2)"),
            "t|t");
  EXPECT_EQ(a_->Rows("select (a, b) is null, (a, b) is not null, "
                     "(a, b) is distinct from (2, null) from r where a = 2 order by b"),
            "f|t|t f|f|f");
}

TEST_F(RowComparisonTest, UsesAnIndexOnItsFirstColumn) {
  a_->Run(
      "create table k (a int primary key, b int);"
      "insert into k select g, g from generate_series(1, 5000) g");
  a_->Run("explain (costs off) select a from k where (a, b) > (4990, 3) order by a limit 5");
  std::string plan;
  for (const std::string& row : a_->last().rows) plan += row + "\n";
  EXPECT_NE(plan.find("Index Cond: (a >= 4990)"), std::string::npos) << plan;
  EXPECT_EQ(a_->Rows("select a from k where (a, b) > (4997, 4997) order by a"), "4998 4999 5000");
}

TEST_F(RowComparisonTest, RefusesRowsThatDoNotFit) {
  EXPECT_EQ(a_->Error("select (1, 2) < (1, 2, 3)"),
            "42601 15 unequal number of entries in row expressions");
  EXPECT_EQ(a_->Error("select row() = row()"), "0A000 14 cannot compare rows of zero length");
  EXPECT_EQ(a_->Error("select (1, 2) + (1, 2)"),
            "42804 15 row comparison operator must yield type boolean, not type integer");
  EXPECT_EQ(a_->Error("select (a, b) from r"), "0A000 8 a row expression is not supported");
}

// Each level repeats the one inside it three times.
TEST_F(RowComparisonTest, RefusesWhatRepeatsItselfWithoutEnd) {
  const auto nested = [](int levels) {
    std::string rows = "(a, b) < (b, a)";
    for (int i = 0; i < levels; ++i) rows = "(" + rows + ", a) < (true, b)";
    return "select count(*) from r where " + rows;
  };
  EXPECT_EQ(a_->Error(nested(5)), "ok");
  EXPECT_EQ(a_->Error(nested(40)).substr(0, 5), "54001");
}

}  // namespace
}  // namespace connbench::engine
