// DECLARE, FETCH, MOVE and CLOSE.
#include <gtest/gtest.h>

#include <string>

#include "engine/sql/testing/sql_test_base.h"

namespace connbench::engine {
namespace {

class CursorTest : public SqlTest {
 protected:
  CursorTest() {
    a_->Run("create table t (k int); insert into t select g from generate_series(1, 10) g");
  }
};

TEST_F(CursorTest, FetchesForward) {
  EXPECT_EQ(a_->Run("begin"), "BEGIN");
  EXPECT_EQ(a_->Run("declare c no scroll cursor for select k from t order by k"), "DECLARE CURSOR");
  EXPECT_EQ(a_->Run("fetch c"), "1\nFETCH 1");
  EXPECT_EQ(a_->Rows("fetch 2 from c"), "2 3");
  EXPECT_EQ(a_->Run("move 2 in c"), "MOVE 2");
  EXPECT_EQ(a_->Rows("fetch relative 2 c"), "7");
  EXPECT_EQ(a_->Rows("fetch absolute 8 c"), "8");
  EXPECT_EQ(a_->Run("move 0 in c"), "MOVE 1");
  EXPECT_EQ(a_->Run("fetch all c"), "9\n10\nFETCH 2");
  EXPECT_EQ(a_->Run("fetch forward all c"), "FETCH 0");
  EXPECT_EQ(a_->Run("move 0 in c"), "MOVE 0");
  EXPECT_EQ(a_->Run("close c"), "CLOSE CURSOR");
  EXPECT_EQ(a_->Error("fetch c"), "34000 0 cursor \"c\" does not exist");
}

TEST_F(CursorTest, SeesWhatWasThereWhenItWasDeclared) {
  a_->Run(
      "begin; declare c cursor for select k from t order by k; delete from t where k > 3; "
      "insert into t values (11)");
  EXPECT_EQ(a_->Rows("fetch all c"), "1 2 3 4 5 6 7 8 9 10");
}

TEST_F(CursorTest, EndsWithItsSavepointAndItsTransaction) {
  a_->Run(
      "begin; declare outer_ cursor for select k from t order by k; savepoint s; "
      "declare inner_ cursor for select k from t order by k; fetch 2 outer_; rollback to s");
  EXPECT_EQ(a_->Rows("fetch outer_"), "3");
  EXPECT_EQ(a_->Error("fetch inner_"), "34000 0 cursor \"inner_\" does not exist");
  a_->Run("rollback; begin");
  EXPECT_EQ(a_->Error("fetch outer_"), "34000 0 cursor \"outer_\" does not exist");
}

TEST_F(CursorTest, LocksTheRowsThatItGives) {
  a_->Run("begin; declare c cursor for select k from t order by k for update; fetch 2 c");
  EXPECT_EQ(b_->Rows("select k from t order by k for update skip locked"), "3 4 5 6 7 8 9 10");
}

TEST_F(CursorTest, RefusesTheRest) {
  EXPECT_EQ(a_->Error("declare c cursor for select 1"),
            "25P01 0 DECLARE CURSOR can only be used in transaction blocks");
  const auto error = [&](const std::string& statement) {
    a_->Run(
        "rollback; begin; declare c no scroll cursor for select 1; declare d cursor for "
        "select 1; fetch c; fetch d");
    return a_->Error(statement);
  };
  EXPECT_EQ(error("declare c cursor for select 1"), "42P03 0 cursor \"c\" already exists");
  EXPECT_EQ(error("fetch backward 1 c"), "55000 0 cursor can only scan forward");
  EXPECT_EQ(error("fetch absolute 1 c"), "55000 0 cursor can only scan forward");
  EXPECT_EQ(error("fetch 0 c"), "55000 0 cursor can only scan forward");
  EXPECT_EQ(error("fetch last d").substr(0, 5), "0A000");
  EXPECT_EQ(error("declare e scroll cursor for select 1").substr(0, 5), "0A000");
  EXPECT_EQ(error("declare e cursor with hold for select 1").substr(0, 5), "0A000");
  EXPECT_EQ(error("declare e scroll no scroll cursor for select 1").substr(0, 5), "42P11");
  EXPECT_EQ(error("declare e insensitive cursor for select k from t for update"),
            "42P11 0 DECLARE INSENSITIVE CURSOR ... FOR UPDATE is not valid");
  EXPECT_EQ(error("declare e cursor for select nowhere"),
            "42703 29 column \"nowhere\" does not exist");
  EXPECT_EQ(error("declare e cursor for select $1"), "42P02 29 there is no parameter $1");
  EXPECT_EQ(error("declare e cursor for select 1 / (k - 2) from t; fetch 3 e"),
            "22012 0 division by zero");
  EXPECT_EQ(a_->Error("fetch c").substr(0, 5), "25P02");
}

TEST_F(CursorTest, KeepsTheParametersOfTheMessageThatDeclaredIt) {
  a_->Run("begin");
  EXPECT_EQ(a_->Extended("declare c cursor for select k, $2::text from t where k > $1 order by k",
                         {"8", "a longer text than fits"}),
            "DECLARE CURSOR");
  EXPECT_EQ(a_->Extended("select $1::int", {"3"}), "3\nSELECT 1");
  EXPECT_EQ(a_->Extended("fetch 5 from c", {}),
            "9|a longer text than fits\n10|a longer text than fits\nFETCH 2");
}

}  // namespace
}  // namespace connbench::engine
