// UPDATE ... FROM and DELETE ... USING.
#include <gtest/gtest.h>

#include <string>

#include "engine/sql/testing/sql_test_base.h"

namespace connbench::engine {
namespace {

class UpdateFromTest : public SqlTest {
 protected:
  UpdateFromTest() {
    a_->Run(
        "create table t (k int primary key, v int, s text);"
        "insert into t select g, g * 10, 'x' || g from generate_series(1, 6) g;"
        "create table o (k int, n int, s text);"
        "insert into o values (1, 100, 'a'), (2, 200, 'b'), (2, 201, 'c'), (9, 900, 'd')");
  }
};

TEST_F(UpdateFromTest, UpdatesARowOnceHoweverManyRowsItJoins) {
  EXPECT_EQ(a_->Run("update t set v = v + 1 from o where t.k = o.k"), "UPDATE 2");
  EXPECT_EQ(a_->Rows("select v from t where k < 4 order by k"), "11 21 30");
}

TEST_F(UpdateFromTest, ReadsTheOtherRelationsInSetAndReturning) {
  EXPECT_EQ(a_->Rows("update t as x set v = o.n + p.v, s = x.s || o.s from o join t p on p.k = o.n "
                     "/ 50 where x.k = o.k and o.n = 100 returning x.*, o.n, p.k"),
            "1|120|x1a|100|2");
  EXPECT_EQ(a_->Rows("with w as (select k, max(n) as n from o group by k) "
                     "update t set v = w.n from w where w.k = t.k returning t.k, t.v"),
            "1|100 2|201");
  EXPECT_EQ(a_->Run("delete from t using o, generate_series(1, 3) g where t.k = g and o.k = g"),
            "DELETE 2");
  EXPECT_EQ(a_->Rows("delete from t using (select 3 as k) q where t.k = q.k returning *"),
            "3|30|x3|3");
  EXPECT_EQ(a_->Rows("select k from t order by k"), "4 5 6");
}

TEST_F(UpdateFromTest, JoinsInEveryWayWithTheSameResult) {
  for (const char* setting :
       {"set enable_indexscan = on", "set enable_indexscan = off", "set work_mem = '64kB'"}) {
    a_->Run(setting);
    a_->Run(
        "create table big (k int, v int); insert into big select g, 0 from "
        "generate_series(1, 3000) g; create table also (k int, v int); "
        "insert into also select g, g from generate_series(1, 6000, 2) g");
    EXPECT_EQ(a_->Run("update big set v = also.v from also where big.k = also.k"), "UPDATE 1500");
    EXPECT_EQ(a_->Run("delete from big using also where big.k = also.k - 1 and big.k > 10"),
              "DELETE 1495");
    EXPECT_EQ(a_->Rows("select count(*), sum(v) from big"), "1505|2250000");
    a_->Run("drop table big, also");
  }
}

TEST_F(UpdateFromTest, RefusesWhatPostgresqlRefuses) {
  EXPECT_EQ(a_->Error("update t set v = 1 from t where true"),
            "42712 0 table name \"t\" specified more than once");
  EXPECT_EQ(a_->Error("update t set v = 1 from lateral (select t.k) q"),
            "42P10 41 invalid reference to FROM-clause entry for table \"t\"");
  EXPECT_EQ(a_->Error("update t set v = k from o"), "42702 18 column reference \"k\" is ambiguous");
  EXPECT_EQ(a_->Error("delete from t using o where t.k = nowhere.k"),
            "42P01 35 missing FROM-clause entry for table \"nowhere\"");
}

TEST_F(UpdateFromTest, NeedsSelectOnTheTableOnlyIfItIsRead) {
  TestSession owner(*engine_, {}, "postgres");
  owner.Run(
      "create role writer login; create table mine (k int, v int); create table theirs (k int);"
      "insert into mine values (1, 1); insert into theirs values (1);"
      "grant update, delete on mine to writer; grant select on theirs to writer");
  TestSession writer(*engine_, {}, "writer");
  EXPECT_EQ(writer.Error("update mine set v = theirs.k from theirs where theirs.k = 1"), "ok");
  EXPECT_EQ(writer.Error("update mine set v = 2 from theirs where theirs.k = mine.k"),
            "42501 0 permission denied for table mine");
  EXPECT_EQ(writer.Error("delete from mine using theirs where theirs.k = 1"), "ok");
}

}  // namespace
}  // namespace connbench::engine
