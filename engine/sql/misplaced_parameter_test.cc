// Parameters where PostgreSQL's grammar has none are syntax errors, at their place.
#include <gtest/gtest.h>

#include <string>

#include "engine/sql/testing/sql_test_base.h"

namespace connbench::engine {
namespace {

class MisplacedParameterTest : public SqlTest {
 protected:
  // Of a Parse message.
  std::string ParseError(std::string_view sql) {
    const std::string error = TestSession::ErrorText(a_->session().Parse("", sql, {}, a_->sink()));
    a_->Run("rollback");
    return error;
  }
};

TEST_F(MisplacedParameterTest, IsASyntaxErrorWhereALiteralMustStand) {
  for (std::string sql : {"set work_mem = $1",
                          "set a.b to 1, $1",
                          "set time zone $1",
                          "set role $1",
                          "set session authorization $1",
                          "set search_path to $1",
                          "set local work_mem = $1",
                          "create role z password $1",
                          "create user z login encrypted password $1",
                          "alter role postgres password $1",
                          "select timestamp $1",
                          "select interval $1",
                          "select varchar(3) $1",
                          "select int $1",
                          "select float8 $1 + 1",
                          "select f $1",
                          "select extract($1 from now())",
                          "select 1 from pg_authid where timestamp $1 < now()",
                          "values (1, timestamp $1)",
                          "insert into t values (timestamp $1)",
                          "prepare p as select timestamp $1",
                          "explain select timestamp $1",
                          "select case when true then timestamp $1 end",
                          "select 1 limit int $1"}) {
    const std::string error =
        "42601 " + std::to_string(sql.find('$') + 1) + " syntax error at or near \"$1\"";
    EXPECT_EQ(ParseError(sql), error) << sql;
    EXPECT_EQ(a_->Error(sql), error) << sql;
  }
  // Counted in characters.
  EXPECT_EQ(a_->Error("select 'ä', timestamp $12"), "42601 23 syntax error at or near \"$12\"");
}

TEST_F(MisplacedParameterTest, StandsWhereAnExpressionDoes) {
  for (std::string_view sql :
       {"select $1::timestamp", "select cast($1 as timestamp)", "select date_part($1, now())",
        "select 1 limit $1", "select position($1 in $2)", "values ($1::int)",
        "select extract(year from $1::timestamp)", "select now() at time zone $1",
        "explain select $1::int", "select '$1', $1::int", "select 1 as \"$1\" where $1"}) {
    EXPECT_EQ(ParseError(sql), "ok") << sql;
  }
}

// It was cleared.
TEST_F(MisplacedParameterTest, LeavesAPasswordAlone) {
  TestSession superuser(*engine_, {}, "postgres");
  superuser.Run("create role anna login password 'secret'");
  const std::string before = superuser.Rows("select rolpassword from pg_authid order by rolname");
  EXPECT_NE(superuser.Error("alter role anna password $1"), "ok");
  EXPECT_EQ(superuser.Rows("select rolpassword from pg_authid order by rolname"), before);
}

}  // namespace
}  // namespace connbench::engine
