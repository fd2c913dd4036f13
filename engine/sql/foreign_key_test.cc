// Foreign keys: what is checked when, what their actions do, who waits for whom.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <atomic>
#include <string>
#include <thread>
#include <vector>

#include "engine/sql/testing/sql_test_base.h"

namespace connbench::engine {
namespace {

class ForeignKeyTest : public SqlTest {
 protected:
  ForeignKeyTest() {
    a_->Run(
        "create table p (id int primary key, v int); insert into p values (1, 0), (2, 0), (3, 0);"
        "create table c (k int primary key, pid int references p)");
  }
};

TEST_F(ForeignKeyTest, ReferencesMustBeThere) {
  EXPECT_EQ(a_->Run("insert into c values (1, 1), (2, null)"), "INSERT 0 2");
  EXPECT_EQ(a_->Error("insert into c values (3, 4)"),
            "23503 0 insert or update on table \"c\" violates foreign key constraint "
            "\"c_pid_fkey\"");
  EXPECT_EQ(a_->Error("update c set pid = 9 where k = 1"),
            "23503 0 insert or update on table \"c\" violates foreign key constraint "
            "\"c_pid_fkey\"");
  EXPECT_EQ(a_->Run("update c set pid = 2"), "UPDATE 2");
  EXPECT_EQ(a_->Error("delete from p where id = 2"),
            "23503 0 update or delete on table \"p\" violates foreign key constraint "
            "\"c_pid_fkey\" on table \"c\"");
  EXPECT_EQ(a_->Error("update p set id = 5 where id = 2"),
            "23503 0 update or delete on table \"p\" violates foreign key constraint "
            "\"c_pid_fkey\" on table \"c\"");
  EXPECT_EQ(a_->Run("delete from p where id = 1; update p set v = 1"), "DELETE 1\nUPDATE 2");
  EXPECT_EQ(a_->Rows("select * from c order by k"), "1|2 2|2");
}

TEST_F(ForeignKeyTest, EveryWayOfWritingIsChecked) {
  EXPECT_THAT(a_->Run("copy c from stdin", "1\t1\n2\t7\n"),
              testing::HasSubstr("insert or update on table \"c\""));
  EXPECT_EQ(a_->Run("copy c from stdin", "1\t1\n2\t\\N\n"), "copy in 2\nCOPY 2");
  EXPECT_THAT(a_->Error("insert into c values (1, 8) on conflict (k) do update set pid = 8"),
              testing::StartsWith("23503"));
  EXPECT_THAT(a_->Error("insert into c select 5, 5"), testing::StartsWith("23503"));
  EXPECT_THAT(a_->Error("update c set pid = p.id + 5 from p where p.id = c.pid"),
              testing::StartsWith("23503"));
  EXPECT_THAT(a_->Error("delete from p using c where c.pid = p.id"), testing::StartsWith("23503"));
  EXPECT_THAT(a_->Error("insert into c values (7, 7) returning *"), testing::StartsWith("23503"));
  EXPECT_EQ(a_->Rows("select count(*) from c"), "2");
}

TEST_F(ForeignKeyTest, AreCheckedWhenTheStatementHasEnded) {
  a_->Run("create table s (id int primary key, parent int references s)");
  EXPECT_EQ(a_->Run("insert into s values (1, 2), (2, 3), (3, 1)"), "INSERT 0 3");
  EXPECT_EQ(a_->Run("update s set id = 14 - id, parent = 14 - parent"), "UPDATE 3");
  EXPECT_THAT(a_->Error("delete from s where id = 11"), testing::StartsWith("23503"));
  EXPECT_EQ(a_->Run("delete from s"), "DELETE 3");
}

TEST_F(ForeignKeyTest, Cascade) {
  a_->Run(
      "create table d (id int primary key references p on delete cascade on update cascade);"
      "create table e (id int references d on delete set null on update cascade, n int);"
      "insert into d values (1), (2); insert into e values (1, 1), (2, 2), (2, 3)");
  EXPECT_EQ(a_->Run("update p set id = id + 10"), "UPDATE 3");
  EXPECT_EQ(a_->Rows("select * from e order by n"), "11|1 12|2 12|3");
  EXPECT_EQ(a_->Run("delete from p where id = 12"), "DELETE 1");
  EXPECT_EQ(a_->Rows("select * from d"), "11");
  EXPECT_EQ(a_->Rows("select * from e order by n"), "11|1 <null>|2 <null>|3");
}

TEST_F(ForeignKeyTest, CascadesDownADeepTree) {
  a_->Run(
      "create table s (id int primary key, parent int references s on delete cascade);"
      "insert into s select i, nullif(i - 1, 0) from generate_series(1, 2000) i");
  EXPECT_EQ(a_->Run("delete from s where id = 1"), "DELETE 1");
  EXPECT_EQ(a_->Rows("select count(*) from s"), "0");
}

TEST_F(ForeignKeyTest, EventsBeyondWorkMemGoThroughAFile) {
  a_->Run(
      "create table w (id int primary key, pid int references p on delete cascade);"
      "create table x (wid int references w on delete cascade); create index on x (wid);"
      "create index on w (pid)");
  a_->Run("set work_mem = '64kB'; insert into w select i, 1 from generate_series(1, 5000) i");
  EXPECT_EQ(a_->Run("insert into x select id from w"), "INSERT 0 5000");
  EXPECT_EQ(a_->Run("delete from p where id = 1"), "DELETE 1");
  EXPECT_EQ(a_->Rows("select count(*) from x"), "0");
}

TEST_F(ForeignKeyTest, SetDefault) {
  a_->Run(
      "create table d (a int default 2 references p on delete set default, b int);"
      "insert into d values (1, 1), (3, 3)");
  EXPECT_EQ(a_->Run("delete from p where id = 1"), "DELETE 1");
  EXPECT_EQ(a_->Rows("select * from d order by b"), "2|1 3|3");
  EXPECT_EQ(a_->Error("delete from p where id = 2"),
            "23503 0 update or delete on table \"p\" violates foreign key constraint "
            "\"d_a_fkey\" on table \"d\"");
}

// Two actions change a row: what the first has written is checked in the second's version.
TEST_F(ForeignKeyTest, AnotherActionHidesNoCheck) {
  a_->Run(
      "create table q (id int primary key, t int unique); insert into q values (1, 1), (7, 7);"
      "create table d (a int default 99 references q on delete set default,"
      "                t int default 7 references q (t) on delete set default);"
      "insert into d values (1, 1)");
  EXPECT_EQ(a_->Error("delete from q where id = 1"),
            "23503 0 insert or update on table \"d\" violates foreign key constraint "
            "\"d_a_fkey\"");
}

TEST_F(ForeignKeyTest, MatchFullAndColumnsToSet) {
  a_->Run(
      "create table q (a int, b int, unique (b, a)); insert into q values (1, 2), (1, 3);"
      "create table f (k int, x int, y int, foreign key (x, y) references q (a, b) match full);"
      "create table g (x int, y int, foreign key (x, y) references q (a, b) "
      "on delete set null (y))");
  EXPECT_EQ(a_->Run("insert into f values (1, 1, 2), (2, null, null)"), "INSERT 0 2");
  EXPECT_THAT(a_->Error("insert into f values (1, 1, null)"), testing::StartsWith("23503"));
  EXPECT_EQ(a_->Run("insert into g values (1, 3), (7, null)"), "INSERT 0 2");
  EXPECT_EQ(a_->Run("delete from q where b = 3"), "DELETE 1");
  EXPECT_EQ(a_->Rows("select * from g order by x"), "1|<null> 7|<null>");
}

// Values of two types are compared as the referenced type is.
TEST_F(ForeignKeyTest, ComparesTypesAsTheReferencedOne) {
  a_->Run(
      "create table q (a varchar(3) primary key); insert into q values ('a'), ('b ');"
      "create table d (k int, a char(3) references q on update cascade on delete cascade)");
  EXPECT_EQ(a_->Run("insert into d values (1, 'a')"), "INSERT 0 1");
  EXPECT_EQ(FullError("insert into d values (2, 'b')"),
            "23503 insert or update on table \"d\" violates foreign key constraint \"d_a_fkey\"\n"
            "Key (a)=(b  ) is not present in table \"q\".\n");
  EXPECT_EQ(a_->Run("delete from q where a = 'b '; update q set a = 'zz'"), "DELETE 1\nUPDATE 1");
  EXPECT_EQ(a_->Rows("select k, a from d"), "1|zz ");
  a_->Run("alter table d drop constraint d_a_fkey; insert into q values ('b '), ('x')");
  a_->Run("insert into d values (3, 'x')");
  EXPECT_EQ(a_->Error("alter table d add foreign key (a) references q"), "ok");
  a_->Run("alter table d drop constraint d_a_fkey; insert into d values (4, 'b')");
  EXPECT_EQ(a_->Error("alter table d add foreign key (a) references q").substr(0, 5), "23503");
}

TEST_F(ForeignKeyTest, ATimestampMayReferToADate) {
  a_->Run(
      "create table q (d date primary key); insert into q values ('2020-01-01'), ('2020-01-02');"
      "create table t (at timestamp references q on update cascade, z timestamptz references q)");
  EXPECT_EQ(a_->Run("insert into t values ('2020-01-01', '2020-01-02')"), "INSERT 0 1");
  EXPECT_EQ(a_->Error("insert into t values ('2020-01-01 00:00:01', null)").substr(0, 5), "23503");
  EXPECT_EQ(a_->Error("delete from q where d = '2020-01-02'").substr(0, 5), "23503");
  EXPECT_EQ(a_->Run("update q set d = '2020-03-01' where d = '2020-01-01'"), "UPDATE 1");
  EXPECT_EQ(a_->Rows("select at from t"), "2020-03-01 00:00:00");
}

TEST_F(ForeignKeyTest, PreparedStatementsNoticeNewKeys) {
  a_->Run(
      "create table o (id int); prepare remove as delete from p where id = $1;"
      "prepare add as insert into o values ($1); execute add (1)");
  EXPECT_EQ(a_->Run("execute remove (3)"), "DELETE 1");
  b_->Run("alter table o add foreign key (id) references p");
  EXPECT_THAT(a_->Error("execute add (77)"), testing::StartsWith("23503"));
  EXPECT_THAT(a_->Error("execute remove (1)"), testing::StartsWith("23503"));
  b_->Run("alter table o drop constraint o_id_fkey");
  EXPECT_EQ(a_->Run("execute add (77); execute remove (1)"), "INSERT 0 1\nDELETE 1");
}

TEST_F(ForeignKeyTest, ExistingRowsAreChecked) {
  a_->Run("create table o (id int); insert into o values (1), (null), (8)");
  EXPECT_EQ(a_->Error("alter table o add constraint k foreign key (id) references p"),
            "23503 0 insert or update on table \"o\" violates foreign key constraint \"k\"");
  EXPECT_EQ(a_->Run("alter table o add constraint k foreign key (id) references p not valid"),
            "ALTER TABLE");
  EXPECT_THAT(a_->Error("insert into o values (9)"), testing::StartsWith("23503"));
  EXPECT_THAT(a_->Error("alter table o validate constraint k"), testing::StartsWith("23503"));
  EXPECT_EQ(a_->Rows("select convalidated from pg_constraint where conname = 'k'"), "f");
  a_->Run("update o set id = 2 where id = 8");
  EXPECT_EQ(a_->Run("alter table o validate constraint k"), "ALTER TABLE");
  EXPECT_EQ(a_->Rows("select convalidated from pg_constraint where conname = 'k'"), "t");
}

TEST_F(ForeignKeyTest, AreNamedAsInPostgreSql) {
  a_->Run("create table e_x (y int references p); create table e (x_y int references p)");
  a_->Run("create table " + std::string(63, 't') + " (" + std::string(60, 'a') +
          " int references p, b serial, check (b > 1))");
  EXPECT_EQ(a_->Rows("select conname from pg_constraint where contype <> 'p' order by 1"),
            "c_pid_fkey e_x_y_fkey e_x_y_fkey1 " + std::string(29, 't') + "_" +
                std::string(28, 'a') + "_fkey " + std::string(55, 't') + "_b_check");
  EXPECT_EQ(a_->Rows("select relname from pg_class where relkind = 'S'"),
            std::string(57, 't') + "_b_seq");
}

TEST_F(ForeignKeyTest, DroppedKeysAskForNothing) {
  a_->Run("insert into c values (1, 1)");
  EXPECT_EQ(a_->Run("begin; drop table c; delete from p where id = 1; rollback"),
            "BEGIN\nDROP TABLE\nDELETE 1\nROLLBACK");
  EXPECT_THAT(a_->Error("delete from p where id = 1"), testing::StartsWith("23503"));
  a_->Run("drop table c");
  EXPECT_EQ(a_->Run("delete from p where id = 1"), "DELETE 1");
  a_->Run("create table c (pid int references p); insert into c values (2)");
  EXPECT_THAT(a_->Error("delete from p where id = 2"), testing::StartsWith("23503"));
  a_->Run("alter table p drop constraint p_pkey cascade");
  EXPECT_EQ(a_->Run("delete from p where id = 2"), "DELETE 1");
}

// A prepared statement's plan need not change when the table at the key's other end gets new names.
TEST_F(ForeignKeyTest, TablesAreRenamedUnderAPreparedStatement) {
  a_->Run(
      "prepare add as insert into c values ($1, $2); prepare remove as delete from p where id = $1;"
      "execute add (1, 1); execute remove (3)");
  b_->Run("alter table p rename to q; alter table q rename id to number; create table p (id int)");
  EXPECT_EQ(a_->Run("execute add (2, 2)"), "INSERT 0 1");
  EXPECT_THAT(a_->Error("execute add (3, 3)"), testing::StartsWith("23503"));
  b_->Run("drop table p; alter table q rename to p; alter table p rename number to id");
  b_->Run("alter table c rename to d; alter table d rename pid to of_p; create table c (pid int)");
  EXPECT_EQ(a_->Error("execute remove (1)"),
            "23503 0 update or delete on table \"p\" violates foreign key constraint "
            "\"c_pid_fkey\" on table \"d\"");
}

TEST_F(ForeignKeyTest, TablesAreRenamedUnderADeferredCheck) {
  a_->Run("create table d (a int constraint late references p initially deferred)");
  EXPECT_EQ(a_->Run("begin; insert into d values (1); alter table p rename to q;"
                    "alter table q rename id to number; commit"),
            "BEGIN\nINSERT 0 1\nALTER TABLE\nALTER TABLE\nCOMMIT");
  a_->Run("begin; insert into d values (2), (8)");
  b_->Run("alter table q rename to r; create table q (number int); insert into q values (8)");
  EXPECT_EQ(FullError("commit"),
            "23503 insert or update on table \"d\" violates foreign key constraint \"late\"\n"
            "Key (a)=(8) is not present in table \"r\".\n");
  EXPECT_EQ(a_->Rows("select * from d"), "1");
}

// The checks that wait are forgotten with the key, unless it is ALTER TABLE that drops it.
TEST_F(ForeignKeyTest, AKeyWithPendingChecksIsDropped) {
  a_->Run(
      "drop table c; create table d (a int constraint late references p initially deferred);"
      "insert into d values (1)");
  for (const char* write : {"insert into d values (8)", "delete from p where id = 1"}) {
    const std::string table = *write == 'i' ? "d" : "p";
    EXPECT_EQ(a_->Run("begin; " + std::string(write)).substr(0, 6), "BEGIN\n");
    EXPECT_EQ(a_->Error("alter table d drop constraint late"),
              "55006 0 cannot ALTER TABLE \"" + table + "\" because it has pending trigger events");
    a_->Run("rollback");
  }
  const std::string drop = "alter table p drop constraint p_pkey cascade";
  a_->Run("begin; insert into d values (8); savepoint s");
  EXPECT_EQ(a_->Error(drop), "ok");
  a_->Run("rollback to s");
  EXPECT_EQ(a_->Error("commit").substr(0, 5), "23503");
  a_->Run("begin; declare o cursor for select * from d; insert into d values (8)");
  EXPECT_EQ(a_->Error(drop), "ok");
  EXPECT_EQ(a_->Run("commit"), "COMMIT");
  EXPECT_EQ(a_->Rows("select * from d"), "1 8");
  a_->Run(
      "delete from d where a = 8; alter table p add primary key (id);"
      "alter table d add foreign key (a) references p initially deferred");
  EXPECT_EQ(a_->Run("begin; delete from p where id = 1; drop table d; commit"),
            "BEGIN\nDELETE 1\nDROP TABLE\nCOMMIT");
}

// Half the sessions delete what the others refer to.
TEST_F(ForeignKeyTest, LeaveNoOrphanAmongManySessions) {
  constexpr int kSessions = 4;
  constexpr int kRounds = 200;
  a_->Run(
      "create index on c (pid); alter table c drop constraint c_pid_fkey;"
      "alter table c add foreign key (pid) references p on delete cascade");
  std::atomic<int> errors = 0;
  std::vector<std::thread> threads;
  for (int number = 0; number < kSessions; ++number) {
    threads.emplace_back([&, number] {
      TestSession session(*engine_);
      for (int round = 0; round < kRounds; ++round) {
        const std::string id = std::to_string(round % 3 + 1);
        const std::string sql =
            number % 2 == 0 ? "insert into c values (" + std::to_string(number * kRounds + round) +
                                  ", " + id + ")"
                            : "delete from p where id = " + id + "; insert into p values (" + id +
                                  ", 0) on conflict do nothing";
        const std::string answer = session.Error(sql);
        if (answer != "ok" && !answer.starts_with("23503")) ++errors;
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(errors, 0);
  EXPECT_EQ(a_->Rows("select count(*) from c where pid not in (select id from p)"), "0");
}

}  // namespace
}  // namespace connbench::engine
