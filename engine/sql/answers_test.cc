// Small answers that are easily got wrong: codes of the parser's errors, primary keys in GROUP BY,
// sequences as tables, the ends of ranges. The right answers are PostgreSQL's.
#include <gtest/gtest.h>

#include <string>

#include "engine/sql/testing/sql_test_base.h"

namespace connbench::engine {
namespace {

class AnswersTest : public SqlTest {
 protected:
  TestSession superuser_{*engine_, {}, "postgres"};
};

TEST_F(AnswersTest, TheParsersErrorsHaveTheirCodes) {
  EXPECT_EQ(a_->Error("select E'\\u00zz'"), "22025 10 invalid Unicode escape");
  EXPECT_EQ(a_->Error("select 'ä', E'\\U00zz'"), "22025 15 invalid Unicode escape");
  EXPECT_EQ(a_->Error("select U&'\\zzzz'"), "42601 11 invalid Unicode escape");
  EXPECT_EQ(a_->Error("select E'\\uD800'").substr(0, 8), "42601 16");
  EXPECT_EQ(a_->Error("select E'\\U00110000'").substr(0, 8), "42601 10");
  EXPECT_EQ(a_->Error("select 1::float(54)"),
            "22023 17 precision for type float must be less than 54 bits");
  EXPECT_EQ(a_->Error("select 1::float(0)"),
            "22023 17 precision for type float must be at least 1 bit");
  EXPECT_EQ(superuser_.Error("create role public"), "42939 13 role name \"public\" is reserved");
  EXPECT_EQ(superuser_.Error("create role none"), "42939 13 role name \"none\" is reserved");
  EXPECT_EQ(superuser_.Error("create role current_user"),
            "42939 13 CURRENT_USER cannot be used as a role name here");
  EXPECT_EQ(superuser_.Error("create role session_user"),
            "42939 13 SESSION_USER cannot be used as a role name here");
  EXPECT_EQ(superuser_.Error("alter role none superuser"),
            "42939 12 role name \"none\" is reserved");
  // A word of the text is no message.
  EXPECT_EQ(a_->Error("select 'x' \"not supported\" \"not implemented\"").substr(0, 5), "42601");
}

TEST_F(AnswersTest, WhoGroupsByThePrimaryKeyHasTheWholeRow) {
  a_->Run(
      "create table g (i int, j int, n int, primary key (i, j)); create table u (i int unique, n "
      "int); insert into g values (1, 1, 10), (1, 2, 20), (2, 1, 30)");
  EXPECT_EQ(a_->Rows("select i, n from g group by i, j order by n"), "1|10 1|20 2|30");
  EXPECT_EQ(a_->Rows("select j + n, count(*) from g group by j, i having n > 10 order by n desc"),
            "31|1 22|1");
  EXPECT_EQ(a_->Rows("select * from g group by 1, 2 order by 3"), "1|1|10 1|2|20 2|1|30");
  EXPECT_EQ(a_->Error("select i, n from g group by i").substr(0, 8), "42803 11");
  EXPECT_EQ(a_->Error("select i, n from u group by i").substr(0, 8), "42803 11");
}

TEST_F(AnswersTest, ASequenceIsATableThatCannotBeReadYet) {
  superuser_.Run("create sequence sq; create role other login");
  EXPECT_EQ(superuser_.Error("select * from sq"),
            "0A000 15 reading a sequence as a table is not supported");
  TestSession other(*engine_, {}, "other");
  EXPECT_EQ(other.Error("select last_value from sq").substr(0, 5), "42501");
  EXPECT_EQ(superuser_.Error("insert into sq values (1)").substr(0, 5), "42809");
}

TEST_F(AnswersTest, TheEndsOfRanges) {
  EXPECT_EQ(a_->Rows("select right('abc', -2147483648), left('abc', -2147483648), right('abc', "
                     "-2147483647), right('abc', 2147483647)"),
            "abc|||abc");
  EXPECT_EQ(a_->Error("select repeat('a', 1073741823)"), "54000 0 requested length too large");
  EXPECT_EQ(a_->Error("select repeat('a', 1073741820)"), "54000 0 requested length too large");
}

TEST_F(AnswersTest, SetConfigOfNullResets) {
  a_->Run("set work_mem = '8MB'; set a.b = 'c'; set application_name = 'x'");
  const std::string work_mem = b_->Rows("show work_mem");
  EXPECT_EQ(a_->Rows("select set_config('work_mem', null, false)"), work_mem);
  EXPECT_EQ(a_->Rows("show work_mem"), work_mem);
  EXPECT_EQ(a_->Rows("select set_config('application_name', '', false)"), "");
  EXPECT_EQ(a_->Rows("begin; select set_config('transaction_read_only', 'on', true)"), "on");
  EXPECT_EQ(a_->Error("select set_config('work_mem', '', false)").substr(0, 5), "22023");
  a_->Run("rollback");
}

TEST_F(AnswersTest, ATimestampHasEachKindOfWordOnce) {
  for (const char* words :
       {"2000-01-01 BC BC", "2000-01-01 BC AD", "2000-01-01 10:00 AM PM", "2000-01-01 10:00 AM AM",
        "Sat 2000-01-01 Sat", "jan jan 1 2000", "2000-01-01 z z"}) {
    EXPECT_EQ(a_->Error(std::string("select timestamp '") + words + "'"),
              std::string("22007 18 invalid input syntax for type timestamp: \"") + words + '"');
  }
  EXPECT_EQ(a_->Rows("select timestamp 'Sat jan 1 2000 10:00 PM AD'"), "2000-01-01 22:00:00");
}

}  // namespace
}  // namespace connbench::engine
