// ALTER TABLE: columns that come, go and change their types. tests/system/test_alter_table.py
// compares with PostgreSQL; here is what rows, snapshots, savepoints and plans make of it.

#include <gmock/gmock.h>

#include <string>

#include "engine/sql/testing/sql_test_base.h"

namespace connbench::engine {
namespace {

class AlterTest : public SqlTest {
 protected:
  void SetUp() override {
    a_->Run("create table t (a int primary key, b text); insert into t values (1, 'x'), (2, null)");
  }
};

TEST_F(AlterTest, ColumnsComeToRowsThatAreThere) {
  EXPECT_EQ(a_->Run("alter table t add c int default 5 not null, add d text"), "ALTER TABLE");
  EXPECT_EQ(a_->Run("insert into t values (3, 'z', 6, 'new')"), "INSERT 0 1");
  EXPECT_EQ(a_->Rows("select * from t order by a"), "1|x|5|<null> 2|<null>|5|<null> 3|z|6|new");
  EXPECT_EQ(a_->Run("update t set d = 'd' where c = 5"), "UPDATE 2");
  EXPECT_EQ(a_->Run("alter table t add e serial, add f int default 2 * 4"), "ALTER TABLE");
  EXPECT_EQ(a_->Rows("select * from t order by a"), "1|x|5|d|2|8 2|<null>|5|d|3|8 3|z|6|new|1|8");
  EXPECT_EQ(a_->Run("create unique index on t (f, a); create index on t (c)"),
            "CREATE INDEX\nCREATE INDEX");
  EXPECT_EQ(a_->Rows("select a from t where f = 8 and a = 2"), "2");
  EXPECT_EQ(b_->Rows("select count(*), sum(f) from t"), "3|24");
}

TEST_F(AlterTest, ADroppedColumnLeavesItsPlaceAndNothingElse) {
  a_->Run("alter table t add c int default 7; insert into t values (3, 'y', 8)");
  EXPECT_EQ(a_->Run("alter table t drop column b"), "ALTER TABLE");
  EXPECT_EQ(a_->Rows("select * from t order by a"), "1|7 2|7 3|8");
  EXPECT_EQ(a_->Error("select b from t"), "42703 8 column \"b\" does not exist");
  EXPECT_EQ(a_->Run("insert into t values (4, 9) returning *"), "4|9\nINSERT 0 1");
  EXPECT_EQ(a_->Run("insert into t values (4, 1) on conflict (a) do update set c = excluded.c "
                    "returning t.*"),
            "4|1\nINSERT 0 1");
  EXPECT_EQ(a_->Run("alter table t add b int"), "ALTER TABLE");
  EXPECT_EQ(a_->Run("update t set b = a; copy t to stdout"),
            "UPDATE 4\ncopy out 3\ncopy done\nCOPY 4");
  EXPECT_EQ(a_->Rows("select attname, attnum, attisdropped from pg_attribute where attrelid = "
                     "'t'::regclass order by attnum"),
            "a|1|f ........pg.dropped.2........|2|t c|3|f b|4|f");
  EXPECT_EQ(a_->Rows("select * from t x (p, q) natural join t order by p limit 1"), "1|1|7|1|7");
  EXPECT_EQ(a_->Run("alter table t drop a, drop b, drop c; insert into t default values;"
                    "select count(*) from t"),
            "ALTER TABLE\nINSERT 0 1\n5\nSELECT 1");
}

TEST_F(AlterTest, SavepointsAndRollbacksGiveTheTableBack) {
  a_->Run("create index on t (b)");
  a_->Run("begin; alter table t alter b type int using a * 10; savepoint s");
  EXPECT_EQ(a_->Rows("select a from t where b = 20"), "2");
  a_->Run("alter table t drop b, add c text default 'c'; insert into t values (3, 'z')");
  EXPECT_EQ(a_->Rows("select * from t order by a"), "1|c 2|c 3|z");
  a_->Run("rollback to s; alter table t add d bigint default 4; insert into t values (5, 50, 6)");
  EXPECT_EQ(a_->Rows("select * from t order by a"), "1|10|4 2|20|4 5|50|6");
  EXPECT_EQ(a_->Error("alter table t alter b type text using (1 / (b - 50))"),
            "22012 0 division by zero");
  a_->Run("rollback");
  EXPECT_EQ(a_->Rows("select * from t order by a"), "1|x 2|<null>");
  EXPECT_EQ(a_->Rows("select a from t where b = 'x'"), "1");
  EXPECT_EQ(b_->Rows("select * from t order by a"), "1|x 2|<null>");
}

TEST_F(AlterTest, AnOlderSnapshotSeesRowsThatWereNotWrittenAnew) {
  b_->Run("begin isolation level repeatable read; select 1 from pg_class limit 1");
  a_->Run("delete from t where a = 2; alter table t add c int default 3; alter table t drop b");
  EXPECT_EQ(b_->Rows("select * from t order by a"), "1|3 2|3");
  b_->Run("commit");
  EXPECT_EQ(b_->Rows("select * from t order by a"), "1|3");
}

TEST_F(AlterTest, ViewsCountTheColumnsThatTheyWereMadeWith) {
  a_->Run(
      "alter table t add c int default 3, add d int default 4; alter table t drop b;"
      "create view v as select p, r from t as x (p, q, r);"
      "create view w as select sum(x.d) as s from t x join t y using (a)");
  EXPECT_EQ(a_->Rows("select * from v order by p"), "1|4 2|4");
  EXPECT_EQ(a_->Run("alter table t drop c, add e int default 5"), "ALTER TABLE");
  EXPECT_EQ(a_->Rows("select * from v order by p"), "1|4 2|4");
  const std::string text = a_->Rows("select pg_get_viewdef('v'::regclass)");
  EXPECT_EQ(a_->Rows(text.substr(0, text.size() - 1) + " order by 1"), "1|4 2|4") << text;
  EXPECT_EQ(FullError("alter table t alter d type bigint"),
            "0A000 cannot alter type of a column used by a view or rule\n"
            "rule _RETURN on view v depends on column \"d\"\n");
  EXPECT_EQ(a_->Run("alter table t drop d cascade"),
            "NOTICE 00000 drop cascades to 2 other objects\nALTER TABLE");
}

TEST_F(AlterTest, PlansFollowTheTable) {
  a_->Run("prepare star as select * from t; prepare put as insert into t (a) values ($1)");
  b_->Run("alter table t add c int default 3");
  EXPECT_THAT(a_->Error("execute star"), testing::HasSubstr("cached plan must not change"));
  EXPECT_EQ(a_->Run("execute put (7)"), "INSERT 0 1");
  b_->Run("alter table t drop c, alter a type bigint");
  EXPECT_EQ(a_->Run("execute put (8)"), "INSERT 0 1");
  EXPECT_EQ(b_->Rows("select * from t order by a"), "1|x 2|<null> 7|<null> 8|<null>");
}

TEST_F(AlterTest, KeysBetweenTablesAreCheckedWithTheNewType) {
  a_->Run("create table c (x int references t on update cascade); insert into c values (1), (2)");
  EXPECT_EQ(a_->Run("update t set a = 3 where a = 2"), "UPDATE 1");
  EXPECT_EQ(a_->Run("alter table c alter x type bigint"), "ALTER TABLE");
  EXPECT_EQ(a_->Run("update t set a = 2 where a = 3"), "UPDATE 1");
  EXPECT_EQ(a_->Rows("select x from c order by x"), "1 2");
  EXPECT_EQ(FullError("alter table c alter x type text"),
            "42804 foreign key constraint \"c_x_fkey\" cannot be implemented\n"
            "Key columns \"x\" and \"a\" are of incompatible types: text and integer.\n");
  EXPECT_EQ(a_->Error("alter table t alter a type bigint using a + 1").substr(0, 5), "23503");
  EXPECT_EQ(a_->Run("alter table t alter a type numeric"), "ALTER TABLE");
  EXPECT_EQ(a_->Error("delete from t where a = 2").substr(0, 5), "23503");
  EXPECT_EQ(FullError("alter table t drop a"),
            "2BP01 cannot drop column a of table t because other objects depend on it\n"
            "constraint c_x_fkey on table c depends on column a of table t\n"
            "Use DROP ... CASCADE to drop the dependent objects too.");
  EXPECT_EQ(a_->Run("alter table t drop a cascade"),
            "NOTICE 00000 drop cascades to constraint c_x_fkey on table c\nALTER TABLE");
  EXPECT_EQ(a_->Run("insert into c values (99)"), "INSERT 0 1");
}

TEST_F(AlterTest, OneStatementGoesInPostgresqlsOrder) {
  EXPECT_EQ(a_->Run("alter table t add check (c > 1), add constraint k unique (c, a), "
                    "alter b type int using a, add c int default 2, drop constraint t_pkey"),
            "ALTER TABLE");
  EXPECT_EQ(a_->Rows("select * from t order by a"), "1|1|2 2|2|2");
  EXPECT_EQ(a_->Error("alter table t add d int default 1, add check (d > 1), drop c"),
            "23514 0 check constraint \"t_d_check\" of relation \"t\" is violated by some row");
  EXPECT_EQ(a_->Rows("select * from t order by a"), "1|1|2 2|2|2");
}

TEST_F(AlterTest, MoreGenerationsThanARowCanTellWriteTheRowsAnew) {
  for (int i = 0; i < 140; ++i) {
    const std::string n = std::to_string(i);
    ASSERT_EQ(a_->Run("alter table t add c" + n + " int default " + n), "ALTER TABLE");
    if (i % 20 == 0) a_->Run("insert into t (a) values (" + std::to_string(i + 10) + ")");
  }
  EXPECT_EQ(a_->Rows("select count(*), sum(c0), sum(c62), sum(c63), sum(c139) from t"),
            "9|0|558|567|1251");
}

TEST_F(AlterTest, ATableHasSoManyColumnsDroppedOnesToo) {
  for (int i = 0; i < 254; ++i) {
    ASSERT_EQ(a_->Run("alter table t add c int; alter table t drop c"), "ALTER TABLE\nALTER TABLE")
        << i;
  }
  EXPECT_EQ(a_->Error("alter table t add c int"), "54011 0 tables can have at most 256 columns");
}

}  // namespace
}  // namespace connbench::engine
