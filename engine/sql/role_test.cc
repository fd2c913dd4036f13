// Roles through both doors: the SQL statements and the login's look-up.

#include <gmock/gmock.h>
#include <unistd.h>

#include <fstream>
#include <thread>

#include "engine/roles/scram_secret.h"
#include "engine/sql/testing/sql_test_base.h"

namespace connbench::engine {
namespace {

class RoleTest : public SqlTest {
 protected:
  RoleTest() : super_(*engine_, {}, "postgres") {}

  std::optional<Role> Find(std::string_view name) {
    BlockingWaiter waiter;
    Result<std::optional<Role>> role = engine_->FindRole(name, kLoginConnection, waiter);
    EXPECT_TRUE(role.ok()) << role.status().ToString();
    return role.ok() ? *role : std::nullopt;
  }
  bool KnowsPassword(std::string_view name, std::string_view password) {
    const std::optional<Role> role = Find(name);
    return role && role->password && PasswordMatches(name, password, *role->password);
  }

  static constexpr uint32_t kLoginConnection = 999;
  TestSession super_;
};

TEST_F(RoleTest, BeginsWithTheSuperuserAlone) {
  EXPECT_FALSE(engine_->roles_changed());
  const std::optional<Role> postgres = Find("postgres");
  ASSERT_TRUE(postgres.has_value());
  EXPECT_TRUE(postgres->superuser);
  EXPECT_TRUE(postgres->can_login);
  EXPECT_FALSE(postgres->password.has_value());
  EXPECT_FALSE(Find("tester").has_value());
  EXPECT_EQ(super_.Rows("select oid, rolname, rolsuper, rolcanlogin, rolpassword from pg_authid"),
            "10|postgres|t|t|<null>");
  // The first table of a user gets the same oid as without roles.
  EXPECT_EQ(a_->Run("create table t (a int)"), "CREATE TABLE");
}

TEST_F(RoleTest, StoresPasswordsAsScramSecrets) {
  EXPECT_EQ(super_.Run("create role app login password 'secret'"), "CREATE ROLE");
  EXPECT_TRUE(engine_->roles_changed());
  const std::optional<Role> app = Find("app");
  ASSERT_TRUE(app.has_value());
  EXPECT_TRUE(app->can_login);
  EXPECT_FALSE(app->superuser);
  EXPECT_THAT(app->password.value_or(""), testing::StartsWith("SCRAM-SHA-256$4096:"));
  EXPECT_TRUE(KnowsPassword("app", "secret"));
  EXPECT_FALSE(KnowsPassword("app", "Secret"));

  EXPECT_EQ(super_.Run("set scram_iterations = 100; alter user app encrypted password 'other'"),
            "SET\nALTER ROLE");
  EXPECT_THAT(Find("app")->password.value_or(""), testing::StartsWith("SCRAM-SHA-256$100:"));
  EXPECT_TRUE(KnowsPassword("app", "other"));
  // One that is hashed already is stored as it is.
  const std::string hashed = *Find("app")->password;
  EXPECT_EQ(super_.Run("create user copy password '" + hashed + "'"), "CREATE ROLE");
  EXPECT_EQ(Find("copy")->password, hashed);
  EXPECT_EQ(super_.Rows("select rolpassword from pg_catalog.pg_authid where rolname = 'copy'"),
            hashed);
  EXPECT_EQ(super_.Run("alter role app password null"), "ALTER ROLE");
  EXPECT_FALSE(Find("app")->password.has_value());
  EXPECT_EQ(super_.Run("alter role app password ''"),
            "NOTICE 00000 empty string is not a valid password, clearing password\nALTER ROLE");
}

TEST_F(RoleTest, KnowsTheOptions) {
  EXPECT_EQ(super_.Run("create role r; create user u; create group g; create role s superuser"),
            "CREATE ROLE\nCREATE ROLE\nCREATE ROLE\nCREATE ROLE");
  EXPECT_EQ(super_.Rows("select rolname, rolcanlogin, rolsuper from pg_authid where oid > 10 "
                        "order by rolname"),
            "g|f|f r|f|f s|f|t u|t|f");
  EXPECT_EQ(super_.Run("alter role r login noinherit; alter role u nologin superuser"),
            "ALTER ROLE\nALTER ROLE");
  EXPECT_TRUE(Find("r")->can_login);
  EXPECT_FALSE(Find("r")->inherit);
  EXPECT_TRUE(Find("u")->superuser);
  EXPECT_FALSE(Find("u")->can_login);
  // What createuser sends.
  EXPECT_EQ(super_.Run("CREATE ROLE c NOSUPERUSER NOCREATEDB NOCREATEROLE INHERIT LOGIN "
                       "NOREPLICATION NOBYPASSRLS CONNECTION LIMIT -1"),
            "CREATE ROLE");
  EXPECT_EQ(super_.Error("create role d createdb"), "0A000 15 CREATEDB is not supported");
  EXPECT_EQ(super_.Error("create role d valid until 'tomorrow'"),
            "0A000 15 VALID UNTIL is not supported");
  EXPECT_EQ(super_.Error("create role d in role r"),
            "0A000 15 membership of roles is not supported");
  EXPECT_EQ(super_.Error("create role d login nologin"),
            "42601 21 conflicting or redundant options");
  EXPECT_EQ(super_.Error("create role d password 'a' password 'b'"),
            "42601 28 conflicting or redundant options");
  EXPECT_FALSE(Find("d").has_value());
}

TEST_F(RoleTest, RefusesNamesThatCannotBe) {
  EXPECT_EQ(super_.Error("create role postgres"), "42710 0 role \"postgres\" already exists");
  EXPECT_EQ(super_.Error("create role pg_mine"), "42939 0 role name \"pg_mine\" is reserved");
  EXPECT_EQ(super_.Error("alter role nobody login"), "42704 0 role \"nobody\" does not exist");
  EXPECT_EQ(super_.Error("drop role nobody"), "42704 0 role \"nobody\" does not exist");
  EXPECT_EQ(super_.Run("drop role if exists nobody"),
            "NOTICE 00000 role \"nobody\" does not exist, skipping\nDROP ROLE");
  EXPECT_EQ(super_.Error("drop role postgres"), "55006 0 current user cannot be dropped");
  const std::string long_name(100, 'n');
  EXPECT_EQ(super_.Run("create role " + long_name), "CREATE ROLE");
  EXPECT_TRUE(Find(long_name.substr(0, 63)).has_value());
}

TEST_F(RoleTest, IsTheSuperusersBusiness) {
  super_.Run("create user tester password 'old'; create user other");
  EXPECT_EQ(a_->Error("create role x"), "42501 0 permission denied to create role");
  EXPECT_EQ(a_->Error("drop role other"), "42501 0 permission denied to drop role");
  EXPECT_EQ(a_->Error("alter role other password 'x'"), "42501 0 permission denied");
  EXPECT_EQ(a_->Error("alter role tester superuser"), "42501 0 permission denied");
  EXPECT_EQ(a_->Run("alter role tester password 'new'"), "ALTER ROLE");
  EXPECT_TRUE(KnowsPassword("tester", "new"));
  EXPECT_EQ(a_->Run("alter role current_user password 'newer'"), "ALTER ROLE");
  EXPECT_TRUE(KnowsPassword("tester", "newer"));
}

TEST_F(RoleTest, NobodyWritesTheTableByHandOrReadsItUnasked) {
  EXPECT_EQ(a_->Error("select * from pg_authid"), "42501 0 permission denied for table pg_authid");
  EXPECT_EQ(a_->Error("copy pg_authid to stdout"), "42501 0 permission denied for table pg_authid");
  constexpr std::string_view kRefused =
      "42501 0 permission denied: \"pg_authid\" is a system catalog";
  for (const char* sql :
       {"update pg_authid set rolpassword = null", "delete from pg_authid",
        "insert into pg_authid (oid) values (1)", "truncate pg_authid", "drop table pg_authid",
        "create index i on pg_authid (oid)", "alter table pg_authid add primary key (oid)",
        "copy pg_authid from stdin", "select * from pg_authid for update"}) {
    EXPECT_EQ(super_.Error(sql), kRefused) << sql;
    super_.Run("rollback");
  }
  EXPECT_EQ(super_.Error("drop index pg_authid_rolname_index"),
            "42501 0 permission denied: \"pg_authid_rolname_index\" is a system catalog");
}

TEST_F(RoleTest, RollsBack) {
  super_.Run("begin; create user u password 'x'");
  EXPECT_EQ(super_.Rows("select count(*) from pg_authid"), "2");
  EXPECT_FALSE(Find("u").has_value());
  super_.Run("rollback");
  EXPECT_FALSE(engine_->roles_changed());
  EXPECT_EQ(super_.Run("create user u"), "CREATE ROLE");
  super_.Run("begin; drop user u");
  EXPECT_TRUE(Find("u").has_value());
  super_.Run("commit");
  EXPECT_FALSE(Find("u").has_value());
  super_.Run("begin; create user v; alter user v superuser; alter user v nosuperuser; commit");
  EXPECT_FALSE(Find("v")->superuser);
}

TEST_F(RoleTest, ChangesOfOneRoleAddUp) {
  super_.Run("create role r");
  TestSession second(*engine_, {}, "postgres");
  super_.Run("begin; alter role r login");
  std::thread waits([&] { EXPECT_EQ(second.Run("alter role r superuser"), "ALTER ROLE"); });
  super_.Run("commit");
  waits.join();
  EXPECT_TRUE(Find("r")->can_login);
  EXPECT_TRUE(Find("r")->superuser);
}

TEST_F(RoleTest, LooksUpWhileOnlyReservedSlotsAreLeft) {
  std::vector<std::unique_ptr<TestSession>> sessions;
  // SmallConfig has 20, of which three are here already.
  for (int i = 0; i < 14; ++i) sessions.push_back(std::make_unique<TestSession>(*engine_));
  EXPECT_TRUE(Find("postgres").has_value());
  for (int i = 0; i < 3; ++i) {
    sessions.push_back(
        std::make_unique<TestSession>(*engine_, std::vector<StartupParameter>(), "postgres"));
  }
  BlockingWaiter waiter;
  EXPECT_EQ(engine_->FindRole("postgres", kLoginConnection, waiter).status().code(),
            sqlstate::kTooManyConnections);
}

class PasswordFileTest : public testing::Test {
 protected:
  Result<std::unique_ptr<Engine>> Create(const std::string& content, EngineKind kind) {
    const std::string path = testing::TempDir() + "connbench_pwfile." + std::to_string(getpid());
    std::ofstream(path) << content;
    EngineConfig config;
    config.segment_backing = SegmentBacking::kAnonymous;
    config.engine = kind;
    config.max_connections = 10;
    config.scram_iterations = 16;
    config.pwfile = path;
    Result<std::unique_ptr<Engine>> engine = Engine::Create(config);
    unlink(path.c_str());
    return engine;
  }
};

TEST_F(PasswordFileTest, GivesTheSuperuserAPassword) {
  for (const EngineKind kind : {EngineKind::kReal, EngineKind::kCanned}) {
    Result<std::unique_ptr<Engine>> engine = Create("top secret\nsecond line\n", kind);
    ASSERT_TRUE(engine.ok()) << engine.status().ToString();
    BlockingWaiter waiter;
    const Result<std::optional<Role>> role = (*engine)->FindRole("postgres", 1, waiter);
    ASSERT_TRUE(role.ok() && role->has_value());
    EXPECT_THAT((*role)->password.value_or(""), testing::StartsWith("SCRAM-SHA-256$16:"));
    EXPECT_TRUE(PasswordMatches("postgres", "top secret", *(*role)->password));
    EXPECT_FALSE((*engine)->roles_changed());
    EXPECT_FALSE((*engine)->FindRole("nobody", 1, waiter)->has_value());
  }
}

TEST_F(PasswordFileTest, MustHoldOne) {
  EXPECT_EQ(Create("\n", EngineKind::kReal).status().code(), "F0000");
  EXPECT_EQ(Create("", EngineKind::kReal).status().code(), "F0000");
  EngineConfig config;
  config.segment_backing = SegmentBacking::kAnonymous;
  config.pwfile = "/nonexistent/file";
  const Status missing = Engine::Create(config).status();
  EXPECT_EQ(missing.code(), sqlstate::kSystemError);
  EXPECT_THAT(missing.error().message, testing::HasSubstr("/nonexistent/file"));
}

}  // namespace
}  // namespace connbench::engine
