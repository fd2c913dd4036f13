// INSERT ... SELECT: literals and parameters without a type take that of their column.
#include <gtest/gtest.h>

#include <string>

#include "engine/sql/testing/sql_test_base.h"

namespace connbench::engine {
namespace {

class InsertSelectTest : public SqlTest {
 protected:
  InsertSelectTest() {
    a_->Run(
        "create table w (a int4, n numeric(5,1), s varchar(3), at timestamp);"
        "create table one (i int4); insert into one values (1)");
  }
};

TEST_F(InsertSelectTest, LiteralsTakeTheTypeOfTheirColumn) {
  for (const char* select :
       {"select '5'", "select null", "select '6' limit 1", "select '7' from one",
        "select '8' from one order by i limit 1", "select '9' as a where true",
        "select '10' from one group by i", "select i from one"}) {
    EXPECT_EQ(a_->Error(std::string("insert into w(a) ") + select), "ok") << select;
  }
  EXPECT_EQ(a_->Rows("select a from w"), "5 <null> 6 7 8 9 10 1");
  a_->Run("truncate w");
  EXPECT_EQ(a_->Error("insert into w select '1', '2.25', 'abc   ', '2000-01-02'"), "ok");
  EXPECT_EQ(a_->Rows("select * from w"), "1|2.3|abc|2000-01-02 00:00:00");
}

TEST_F(InsertSelectTest, ParametersTakeTheTypeOfTheirColumn) {
  Session& session = a_->session();
  ASSERT_TRUE(
      session.Parse("p", "insert into w(a, n, s) select $1, $2, $3 from one", {}, a_->sink()).ok());
  a_->sink().lines.clear();
  ASSERT_TRUE(session.DescribeStatement("p", a_->sink()).ok());
  EXPECT_EQ(a_->sink().lines[0], "parameters 23 1700 1043");
  EXPECT_NE(a_->Extended("insert into w(a) select $1", {"12"}).find("INSERT 0 1"),
            std::string::npos);
  EXPECT_EQ(a_->Rows("select a from w"), "12");
}

// Before they are compared with each other they must have a type, which is text then.
TEST_F(InsertSelectTest, WhatIsComparedIsText) {
  const std::string message = " column \"a\" is of type integer but expression is of type text";
  EXPECT_EQ(a_->Error("insert into w(a) select distinct '5'"), "42804 34" + message);
  EXPECT_EQ(a_->Error("insert into w(a) select '5' order by 1"), "42804 25" + message);
  EXPECT_EQ(a_->Error("insert into w(a) select '5' as x group by x"), "42804 25" + message);
}

TEST_F(InsertSelectTest, TellsWhatDoesNotFit) {
  EXPECT_EQ(a_->Error("insert into w(a) select 'x'"),
            "22P02 25 invalid input syntax for type integer: \"x\"");
  EXPECT_EQ(a_->Error("insert into w(s) select 'abcd'"),
            "22001 0 value too long for type character varying(3)");
  EXPECT_EQ(a_->Error("insert into w(a) select '1', '2'"),
            "42601 30 INSERT has more expressions than target columns");
}

}  // namespace
}  // namespace connbench::engine
