// Ownership and privileges: every answer is PostgreSQL 15's, but for guests, which it does not
// have.

#include <gmock/gmock.h>

#include "engine/sql/testing/sql_test_base.h"

namespace connbench::engine {
namespace {

class AccessTest : public SqlTest {
 protected:
  AccessTest() : super_(*engine_, {}, "postgres") {
    super_.Run("create role app login; create role other login");
    app_ = std::make_unique<TestSession>(*engine_, std::vector<StartupParameter>(), "app");
    other_ = std::make_unique<TestSession>(*engine_, std::vector<StartupParameter>(), "other");
    super_.Run("create table t (id serial primary key, v int); create index ti on t (v)");
  }

  TestSession super_;
  std::unique_ptr<TestSession> app_;
  std::unique_ptr<TestSession> other_;
};

constexpr std::string_view kDenied = "42501 0 permission denied for table t";

TEST_F(AccessTest, OthersMayDoNothingWithATable) {
  for (const char* sql :
       {"select * from t", "select 1 from t where false", "select count(*) from t",
        "select * from t for update", "insert into t (v) values (1)", "insert into t select 1, 2",
        "update t set v = 1", "delete from t", "truncate t", "copy t to stdout",
        "copy t from stdin", "copy (select v from t) to stdout", "explain select * from t",
        "explain analyze delete from t", "begin; lock table t",
        "insert into t values (1, 2) returning id"}) {
    EXPECT_EQ(app_->Error(sql), kDenied) << sql;
    app_->Run("rollback");
  }
  EXPECT_EQ(app_->Error("drop table t"), "42501 0 must be owner of table t");
  EXPECT_EQ(app_->Error("drop table if exists nope, t"), "42501 0 must be owner of table t");
  EXPECT_EQ(app_->Error("create index on t (v)"), "42501 0 must be owner of table t");
  EXPECT_EQ(app_->Error("alter table t add unique (v)"), "42501 0 must be owner of table t");
  EXPECT_EQ(app_->Error("alter table t owner to app"), "42501 0 must be owner of table t");
  EXPECT_EQ(app_->Error("drop index ti"), "42501 0 must be owner of index ti");
  EXPECT_EQ(app_->Error("drop sequence t_id_seq"), "42501 0 must be owner of sequence t_id_seq");
  EXPECT_EQ(app_->Error("alter sequence t_id_seq restart"),
            "42501 0 must be owner of sequence t_id_seq");
  EXPECT_EQ(app_->Error("select nextval('t_id_seq')"),
            "42501 0 permission denied for sequence t_id_seq");
  EXPECT_EQ(app_->Error("select setval('t_id_seq', 7)"),
            "42501 0 permission denied for sequence t_id_seq");
  EXPECT_EQ(app_->Error("grant select on t to other"), kDenied);
  EXPECT_EQ(app_->Error("create table c (a int references t)"), kDenied);
  EXPECT_EQ(app_->Run("vacuum t"),
            "WARNING 01000 skipping \"t\" --- only table or database owner can vacuum it\nVACUUM");
  EXPECT_EQ(
      app_->Run("analyze"),
      "WARNING 01000 skipping \"pg_authid\" --- only superuser can analyze it\n"
      "WARNING 01000 skipping \"t\" --- only table or database owner can analyze it\nANALYZE");
  EXPECT_EQ(super_.Rows("select count(*) from t"), "0");
}

TEST_F(AccessTest, TheAnalysisComesBeforeTheCheck) {
  EXPECT_EQ(app_->Error("select nope from t"), "42703 8 column \"nope\" does not exist");
  EXPECT_EQ(app_->Run("prepare q as select * from t"), "PREPARE");
  EXPECT_EQ(app_->Error("execute q"), kDenied);
  super_.Run("grant select on t to app");
  EXPECT_EQ(app_->Run("execute q"), "SELECT 0");
  super_.Run("revoke select on t from app");
  EXPECT_EQ(app_->Error("execute q"), kDenied);
}

TEST_F(AccessTest, GrantsOneAfterTheOther) {
  EXPECT_EQ(super_.Run("grant insert on t to app"), "GRANT");
  EXPECT_EQ(app_->Error("insert into t (v) values (1)"),
            "42501 0 permission denied for sequence t_id_seq");
  EXPECT_EQ(super_.Run("grant usage on sequence t_id_seq to app"), "GRANT");
  EXPECT_EQ(app_->Run("insert into t (v) values (1)"), "INSERT 0 1");
  EXPECT_EQ(app_->Error("insert into t (v) values (1) returning id"), kDenied);
  EXPECT_EQ(super_.Run("grant update, delete on table t to app"), "GRANT");
  // What reads a column needs SELECT, too.
  EXPECT_EQ(app_->Run("update t set v = 2"), "UPDATE 1");
  EXPECT_EQ(app_->Error("update t set v = v + 1"), kDenied);
  EXPECT_EQ(app_->Error("update t set v = 2 where id = 1"), kDenied);
  EXPECT_EQ(app_->Error("delete from t where id = 1"), kDenied);
  EXPECT_EQ(app_->Error("select * from t for update"), kDenied);
  EXPECT_EQ(super_.Run("grant select on t to public"), "GRANT");
  EXPECT_EQ(app_->Run("update t set v = v + 1 where id = 1"), "UPDATE 1");
  EXPECT_EQ(app_->Run("select v from t for update"), "3\nSELECT 1");
  EXPECT_EQ(other_->Rows("select v from t"), "3");
  EXPECT_EQ(other_->Error("select v from t for update"), kDenied);
  EXPECT_EQ(app_->Run("begin; lock table t; rollback"), "BEGIN\nLOCK TABLE\nROLLBACK");
  EXPECT_EQ(app_->Error("truncate t"), kDenied);
  EXPECT_EQ(super_.Run("grant truncate on t to app; revoke select on t from public"),
            "GRANT\nREVOKE");
  EXPECT_EQ(app_->Run("truncate t"), "TRUNCATE TABLE");
  EXPECT_EQ(other_->Error("select v from t"), kDenied);
  EXPECT_EQ(super_.Run("revoke all on t from app"), "REVOKE");
  EXPECT_EQ(app_->Error("delete from t"), kDenied);
  EXPECT_EQ(super_.Run("grant all privileges on t to app, other"), "GRANT");
  EXPECT_EQ(other_->Run("delete from t"), "DELETE 0");
  EXPECT_EQ(super_.Run("revoke all on all tables in schema public from app, other"), "REVOKE");
  EXPECT_EQ(other_->Error("delete from t"), kDenied);
}

TEST_F(AccessTest, SequencesHaveTheirOwn) {
  super_.Run("create sequence s; grant select on sequence s to app; grant update on s to other");
  EXPECT_EQ(app_->Error("select nextval('s')"), "42501 0 permission denied for sequence s");
  EXPECT_EQ(app_->Error("select setval('s', 3)"), "42501 0 permission denied for sequence s");
  EXPECT_EQ(app_->Error("select currval('s')"),
            "55000 0 currval of sequence \"s\" is not yet defined in this session");
  EXPECT_EQ(other_->Rows("select nextval('s')"), "1");
  EXPECT_EQ(other_->Rows("select setval('s', 9)"), "9");
  EXPECT_EQ(other_->Error("select currval('s')"), "42501 0 permission denied for sequence s");
  EXPECT_EQ(other_->Error("select lastval()"), "42501 0 permission denied for sequence s");
}

TEST_F(AccessTest, IdentityNeedsInsertOnly) {
  super_.Run(
      "create table i (id int generated always as identity, v int);"
      "grant insert, select on i to app");
  EXPECT_EQ(app_->Run("insert into i (v) values (1) returning id"), "1\nINSERT 0 1");
  EXPECT_EQ(app_->Error("select nextval('i_id_seq')"),
            "42501 0 permission denied for sequence i_id_seq");
}

TEST_F(AccessTest, RefusesWhatCannotBeGranted) {
  EXPECT_EQ(super_.Error("grant select on t to nobody"), "42704 0 role \"nobody\" does not exist");
  EXPECT_EQ(super_.Error("grant foo on t to app"), "42601 0 unrecognized privilege type \"foo\"");
  EXPECT_EQ(super_.Error("grant execute on t to app"),
            "0LP01 0 invalid privilege type EXECUTE for table");
  EXPECT_EQ(super_.Error("grant usage on t to app"),
            "0LP01 0 invalid privilege type USAGE for table");
  EXPECT_EQ(super_.Error("grant insert on sequence t_id_seq to app"),
            "0LP01 0 invalid privilege type INSERT for sequence");
  EXPECT_EQ(super_.Error("grant select on sequence t to app"), "42809 0 \"t\" is not a sequence");
  EXPECT_EQ(super_.Error("grant select on t_pkey to app"), "42809 0 \"t_pkey\" is an index");
  EXPECT_EQ(super_.Error("grant select on nope to app"),
            "42P01 0 relation \"nope\" does not exist");
  EXPECT_EQ(super_.Error("grant select (v) on t to app"),
            "0A000 21 a privilege on columns is not supported");
  EXPECT_EQ(super_.Error("grant select on t to app with grant option"),
            "0A000 17 the GRANT OPTION is not supported");
  EXPECT_THAT(super_.Error("grant create on schema public to app"),
              ::testing::EndsWith("GRANT on this kind of object is not supported"));
  EXPECT_EQ(super_.Run("grant usage on table t_id_seq to app"), "GRANT");
  EXPECT_EQ(super_.Run("grant insert on t_id_seq to app"),
            "WARNING 0LP01 sequence \"t_id_seq\" only supports USAGE, SELECT, and UPDATE "
            "privileges\nGRANT");
  // Who has something but does not own it is told so, and nothing happens.
  super_.Run("grant select on t to app");
  EXPECT_EQ(app_->Run("grant select on t to other"),
            "WARNING 01007 no privileges were granted for \"t\"\nGRANT");
  EXPECT_EQ(app_->Run("revoke select on t from other"),
            "WARNING 01006 no privileges could be revoked for \"t\"\nREVOKE");
  EXPECT_EQ(other_->Error("select * from t"), kDenied);
}

TEST_F(AccessTest, OwnersDoAsTheyLike) {
  EXPECT_EQ(app_->Run("create table mine (id serial, v int)"), "CREATE TABLE");
  EXPECT_EQ(app_->Run("create index mi on mine (v)"), "CREATE INDEX");
  EXPECT_EQ(app_->Run("insert into mine (v) values (1)"), "INSERT 0 1");
  EXPECT_EQ(super_.Rows("select v from mine"), "1");
  EXPECT_EQ(other_->Error("select v from mine"), "42501 0 permission denied for table mine");
  EXPECT_EQ(app_->Run("grant select on mine to other"), "GRANT");
  EXPECT_EQ(other_->Rows("select v from mine"), "1");
  // An owner may take privileges from itself, and give them back.
  EXPECT_EQ(app_->Run("revoke select on mine from app"), "REVOKE");
  EXPECT_EQ(app_->Error("select v from mine"), "42501 0 permission denied for table mine");
  EXPECT_EQ(app_->Run("grant select on mine to app"), "GRANT");
  EXPECT_EQ(app_->Error("alter table mine owner to other"),
            "42501 0 must be member of role \"other\"");
  EXPECT_THAT(app_->Error("alter sequence mine_id_seq owner to other"),
              ::testing::EndsWith("cannot change owner of sequence \"mine_id_seq\""));
  EXPECT_EQ(super_.Run("alter index mi owner to other"),
            "WARNING 42809 cannot change owner of index \"mi\"\nALTER INDEX");
  EXPECT_EQ(super_.Run("alter table mine owner to other"), "ALTER TABLE");
  EXPECT_EQ(app_->Error("drop table mine"), "42501 0 must be owner of table mine");
  EXPECT_EQ(app_->Error("select v from mine"), "42501 0 permission denied for table mine");
  EXPECT_EQ(other_->Run("insert into mine (v) values (2)"), "INSERT 0 1");
  EXPECT_EQ(other_->Run("truncate mine restart identity"), "TRUNCATE TABLE");
  EXPECT_EQ(other_->Run("drop index mi; drop table mine"), "DROP INDEX\nDROP TABLE");
  EXPECT_EQ(app_->Run("create sequence q"), "CREATE SEQUENCE");
  EXPECT_EQ(super_.Run("alter sequence q owner to other"), "ALTER SEQUENCE");
  EXPECT_EQ(app_->Error("drop sequence q"), "42501 0 must be owner of sequence q");
  EXPECT_EQ(super_.Error("alter table t owner to nobody"),
            "42704 0 role \"nobody\" does not exist");
}

TEST_F(AccessTest, RolesThatOwnSomethingStay) {
  app_->Run("create table mine (id serial)");
  super_.Run("grant select on t to app");
  EXPECT_EQ(super_.Error("drop role app"),
            "2BP01 0 role \"app\" cannot be dropped because some objects depend on it");
  EXPECT_EQ(super_.Run("revoke all on t from app; alter table mine owner to other;"
                       "drop role app"),
            "REVOKE\nALTER TABLE\nDROP ROLE");
  // Its session goes on without rights, also if another role gets its name.
  EXPECT_EQ(app_->Error("select * from mine"), "42501 0 permission denied for table mine");
  super_.Run("create role app superuser");
  EXPECT_EQ(app_->Error("select * from mine"), "42501 0 permission denied for table mine");
  EXPECT_EQ(app_->Error("create role x"), "42501 0 permission denied to create role");
}

TEST_F(AccessTest, SuperusersComeAndGo) {
  EXPECT_EQ(app_->Run("prepare q as select v from t"), "PREPARE");
  super_.Run("alter role app superuser");
  EXPECT_EQ(app_->Run("execute q"), "SELECT 0");
  EXPECT_EQ(app_->Run("select rolname from pg_authid where oid = 10"), "postgres\nSELECT 1");
  super_.Run("alter role app nosuperuser");
  EXPECT_EQ(app_->Error("execute q"), kDenied);
  EXPECT_EQ(app_->Error("select rolname from pg_authid"),
            "42501 0 permission denied for table pg_authid");
  // What is rolled back has not been.
  super_.Run("alter role app superuser");
  EXPECT_EQ(app_->Run("begin; alter role app nosuperuser"), "BEGIN\nALTER ROLE");
  EXPECT_EQ(app_->Error("execute q"), kDenied);
  EXPECT_EQ(app_->Run("rollback; execute q"), "ROLLBACK\nSELECT 0");
  EXPECT_EQ(super_.Run("begin; grant select on t to other; rollback"), "BEGIN\nGRANT\nROLLBACK");
  EXPECT_EQ(other_->Error("select * from t"), kDenied);
}

TEST_F(AccessTest, GuestsShareWhatGuestsMake) {
  // a_ and b_ are "tester", which is no role; so is anybody else.
  TestSession bob(*engine_, {}, "bob");
  EXPECT_EQ(a_->Run("create table g (id serial, v int)"), "CREATE TABLE");
  EXPECT_EQ(bob.Run("insert into g (v) values (1); create index on g (v)"),
            "INSERT 0 1\nCREATE INDEX");
  EXPECT_EQ(app_->Error("select * from g"), "42501 0 permission denied for table g");
  EXPECT_EQ(bob.Error("select * from t"), kDenied);
  EXPECT_EQ(bob.Error("select * from pg_authid"), "42501 0 permission denied for table pg_authid");
  EXPECT_EQ(bob.Run("grant select on g to public"), "GRANT");
  EXPECT_EQ(app_->Rows("select v from g"), "1");
  super_.Run("grant select on t to public");
  EXPECT_EQ(bob.Run("select * from t"), "SELECT 0");
  EXPECT_EQ(bob.Run("drop table g"), "DROP TABLE");
}

TEST_F(AccessTest, AGuestBecomesTheRoleOfItsName) {
  TestSession carol(*engine_, {}, "carol");
  EXPECT_EQ(carol.Run("create table g (a int); prepare q as select * from g; execute q"),
            "CREATE TABLE\nPREPARE\nSELECT 0");
  super_.Run("create role carol");  // may not log in, so no login can have been its
  EXPECT_EQ(carol.Run("execute q"), "SELECT 0");
  super_.Run("alter role carol login");
  EXPECT_EQ(carol.Error("execute q"), "42501 0 permission denied for table g");
  EXPECT_EQ(carol.Run("create table mine (a int)"), "CREATE TABLE");
  EXPECT_EQ(a_->Error("select * from mine"), "42501 0 permission denied for table mine");
  EXPECT_EQ(a_->Run("drop table g"), "DROP TABLE");
}

TEST_F(AccessTest, SignalsGoToOnesOwn) {
  const auto call = [](std::string_view function, TestSession& target) {
    const std::string pid = target.Rows("select pg_backend_pid()");
    return "select " + std::string(function) + "(" + pid + ")";
  };
  EXPECT_EQ(app_->Error(call("pg_terminate_backend", super_)),
            "42501 0 must be a superuser to terminate superuser process");
  EXPECT_EQ(app_->Error(call("pg_cancel_backend", super_)),
            "42501 0 must be a superuser to cancel superuser query");
  EXPECT_EQ(app_->Error(call("pg_terminate_backend", *other_)),
            "42501 0 must be a member of the role whose process is being terminated or member of "
            "pg_signal_backend");
  EXPECT_EQ(app_->Error(call("pg_cancel_backend", *a_)),
            "42501 0 must be a member of the role whose query is being canceled or member of "
            "pg_signal_backend");
  TestSession second(*engine_, {}, "app");
  EXPECT_EQ(app_->Rows(call("pg_cancel_backend", second)), "t");
  EXPECT_EQ(app_->Rows("select pg_terminate_backend(99999)"), "f");
  EXPECT_EQ(super_.Rows(call("pg_terminate_backend", *other_)), "t");
}

TEST_F(AccessTest, OnlySelectOnASystemTableCanBeGranted) {
  EXPECT_EQ(super_.Run("grant select on pg_authid to app"), "GRANT");
  EXPECT_THAT(app_->Rows("select rolname from pg_authid"), ::testing::HasSubstr("postgres"));
  EXPECT_EQ(super_.Error("grant insert on pg_authid to app"),
            "42501 0 permission denied: \"pg_authid\" is a system catalog");
  EXPECT_EQ(super_.Run("revoke select on pg_authid from app"), "REVOKE");
  EXPECT_EQ(super_.Error("alter table pg_authid owner to app"),
            "42501 0 permission denied: \"pg_authid\" is a system catalog");
  EXPECT_EQ(app_->Error("drop table pg_authid"), "42501 0 must be owner of table pg_authid");
  EXPECT_EQ(app_->Error("insert into pg_authid (oid) values (1)"),
            "42501 0 permission denied for table pg_authid");
}

TEST_F(AccessTest, CheckpointsAreForSuperusers) {
  EXPECT_EQ(super_.Run("checkpoint"), "CHECKPOINT");
  EXPECT_EQ(app_->Error("checkpoint"),
            "42501 0 must be superuser or have privileges of pg_checkpoint to do CHECKPOINT");
}

}  // namespace
}  // namespace connbench::engine
