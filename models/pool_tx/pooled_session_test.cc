// What a client of the pooler sees, message by message, and whose backend it gets. The backends are
// real; tests/system/test_pool_modes.py holds the same rules against PgBouncer.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>

#include "models/pool_tx/testing/pooled_client_test_base.h"

namespace connbench::models::testing {
namespace {

class PooledSessionTest : public PooledClientTest {};

TEST_F(PooledSessionTest, StatementsSurviveTheSwitchOfBackend) {
  Open(PoolMode::kTransaction, 2);
  const auto a = Client();
  const auto b = Client();
  a->Send(Parse("s", "select 42") + Sync());
  EXPECT_EQ(a->Until('Z'), "1Z");
  // The backend that was used last is taken first: this is the one that has the statement.
  EXPECT_EQ(Run(*b, "begin"), "CZ");
  EXPECT_EQ(Use(*a, "s"), "2DCZ") << "nothing of the Parse that was put before it";
  EXPECT_EQ(a->first_value(), "42");
  EXPECT_EQ(rig_->usage().switches, 1);
  EXPECT_EQ(Use(*a, "s"), "2DCZ");
  a->Send(DescribeStatement("s") + CloseStatement("s") + Sync());
  EXPECT_EQ(a->Until('Z'), "tT3Z");
  EXPECT_EQ(Use(*a, "s"), "EZ");
  EXPECT_EQ(a->error_code(), "26000");
}

TEST_F(PooledSessionTest, EachClientHasStatementsOfItsOwn) {
  Open(PoolMode::kTransaction, 1);
  const auto a = Client();
  const auto b = Client();
  a->Send(Parse("s", "select 1") + Sync());
  EXPECT_EQ(a->Until('Z'), "1Z");
  EXPECT_EQ(Use(*b, "s"), "EZ") << "the other's";
  b->Send(Parse("s", "select 2") + Sync());
  EXPECT_EQ(b->Until('Z'), "1Z");
  EXPECT_EQ(Use(*a, "s"), "2DCZ");
  EXPECT_EQ(a->first_value(), "1");
  EXPECT_EQ(Use(*b, "s"), "2DCZ");
  EXPECT_EQ(b->first_value(), "2");
  // A name that is taken is refused, and the statement stays.
  a->Send(Parse("s", "select 3") + Sync());
  EXPECT_EQ(a->Until('Z'), "EZ");
  EXPECT_EQ(a->error_code(), "42P05");
  EXPECT_EQ(Use(*a, "s"), "2DCZ");
  EXPECT_EQ(a->first_value(), "1");
}

TEST_F(PooledSessionTest, TheUnnamedStatementSurvivesTheSwitch) {
  Open(PoolMode::kTransaction, 1);
  const auto a = Client();
  const auto b = Client();
  a->Send(Parse("", "select 7") + Sync());
  EXPECT_EQ(a->Until('Z'), "1Z");
  b->Send(Parse("", "select 8") + Sync());
  EXPECT_EQ(b->Until('Z'), "1Z");
  EXPECT_EQ(Use(*a, ""), "2DCZ");
  EXPECT_EQ(a->first_value(), "7");
}

TEST_F(PooledSessionTest, AFailureSkipsUpToSyncAndNoFurther) {
  Open(PoolMode::kTransaction, 1);
  const auto a = Client();
  a->Send(Parse("bad", "select nope") + Bind("", "bad") + Execute("") + Sync() +
          Parse("good", "select 5") + Bind("", "good") + Execute("") + Sync());
  EXPECT_EQ(a->Until('Z'), "EZ");
  EXPECT_EQ(a->error_code(), "42703");
  EXPECT_EQ(a->Until('Z'), "12DCZ");
  EXPECT_EQ(a->first_value(), "5");
  EXPECT_EQ(Use(*a, "bad"), "EZ");
  EXPECT_EQ(a->error_code(), "26000");
}

TEST_F(PooledSessionTest, ATransactionKeepsItsBackendToItsEnd) {
  Open(PoolMode::kTransaction, 1);
  const auto a = Client();
  const auto b = Client();
  EXPECT_EQ(Run(*a, "begin"), "CZ");
  b->Send(Query("select 2"));  // waits in line
  EXPECT_EQ(Value(*a, "select 1"), "1");
  EXPECT_EQ(Run(*a, "commit"), "CZ");
  EXPECT_EQ(b->Until('Z'), "TDCZ");
  EXPECT_EQ(b->first_value(), "2");
  EXPECT_GT(rig_->usage().wait.max_ns, 0);
  EXPECT_GT(rig_->usage().pinned_ns, 0);
}

TEST_F(PooledSessionTest, AnAbandonedTransactionIsRolledBack) {
  Open(PoolMode::kTransaction, 1);
  auto a = Client();
  EXPECT_EQ(Run(*a, "create table t (a int)"), "CZ");
  EXPECT_EQ(Run(*a, "begin; insert into t values (1)"), "CCZ");
  a.reset();
  const auto b = Client();
  EXPECT_EQ(Value(*b, "select count(*) from t"), "0");
}

TEST_F(PooledSessionTest, SettingsFollowTheClient) {
  Open(PoolMode::kTransaction, 1);
  const auto a = Client("somebody", {{"application_name", "first"}});
  const auto b = Client("somebody", {{"application_name", "second"}});
  EXPECT_EQ(Value(*a, "show application_name"), "first");
  EXPECT_EQ(Value(*b, "show application_name"), "second");
  EXPECT_THAT(Run(*a, "set application_name = 'renamed'"), ::testing::AnyOf("CSZ", "SCZ"));
  EXPECT_EQ(Value(*b, "show application_name"), "second");
  EXPECT_EQ(Value(*a, "show application_name"), "renamed");
  // SET LOCAL belongs to the transaction, which has the backend to itself.
  EXPECT_EQ(Run(*a, "begin; set local statement_timeout = '7s'"), "CCZ");
  EXPECT_EQ(Value(*a, "show statement_timeout"), "7s");
  EXPECT_EQ(Run(*a, "commit"), "CZ");
  EXPECT_EQ(Value(*a, "show statement_timeout"), "0");
}

TEST_F(PooledSessionTest, ASessionIsLeasedUntilItsClientLeavesAndReset) {
  Open(PoolMode::kSession, 1);
  auto a = Client();
  EXPECT_EQ(Run(*a, "set statement_timeout = '7s'"), "CZ");
  EXPECT_EQ(Value(*a, "show statement_timeout"), "7s");
  a->Send(Parse("s", "select 1") + Sync());
  EXPECT_EQ(a->Until('Z'), "1Z");
  const auto b = Client();
  b->Send(Query("show statement_timeout"));
  EXPECT_EQ(Value(*a, "select 1"), "1") << "still the one who has it";
  a.reset();
  EXPECT_EQ(b->Until('Z'), "TDCZ");
  EXPECT_EQ(b->first_value(), "0") << "DISCARD ALL came between";
  EXPECT_EQ(Use(*b, "s"), "EZ");
  EXPECT_GE(rig_->usage().reset.count, 1);
}

TEST_F(PooledSessionTest, StatementModeRefusesTransactionBlocks) {
  Open(PoolMode::kStatement, 1);
  const auto a = Client();
  EXPECT_EQ(Value(*a, "select 1"), "1");
  EXPECT_EQ(Run(*a, "begin; rollback"), "CCZ") << "one message may hold a whole one";
  a->Send(Query("begin"));
  EXPECT_THAT(a->Until('Z'), ::testing::EndsWith("E"));
  EXPECT_EQ(a->error_code(), "08P01");
  EXPECT_TRUE(a->UntilClosed());
  const auto b = Client();
  EXPECT_EQ(Value(*b, "select 2"), "2") << "the backend is whole";
}

// What comes while the client's fiber is parked is two pieces of news, and the end must not be lost
// behind the data.
TEST_F(PooledSessionTest, AnEndBehindPipelinedMessagesIsSeen) {
  Open(PoolMode::kSession, 1);
  auto a = Client();
  EXPECT_EQ(Value(*a, "select 1"), "1");
  const auto b = Client();
  b->Send(Query("select 2"));  // parks in line
  EXPECT_EQ(Value(*a, "select 1"), "1");
  b->Send(Query("select 3"));
  EXPECT_EQ(Value(*a, "select 1"), "1");
  b->EndSending();
  EXPECT_EQ(Value(*a, "select 1"), "1");
  a.reset();
  EXPECT_EQ(b->Until('Z'), "TDCZ");
  EXPECT_EQ(b->Until('Z'), "TDCZ");
  EXPECT_EQ(b->first_value(), "3");
  EXPECT_TRUE(b->UntilClosed());
}

TEST_F(PooledSessionTest, HalfAMessageOrABadOneEndsItsClientOnly) {
  Open(PoolMode::kTransaction, 1);
  for (const std::string& bytes :
       {std::string("Q\0\0\0\x20select", 11), std::string("Q\0\0\0\x01", 5),
        std::string("?\0\0\0\x04", 5), std::string("B\0\0\0\x06\xff\0", 7),
        Parse("x", "select 1") + std::string("P\0\0\0\x05x", 6) + Sync()}) {
    const auto a = Client();
    a->Send(bytes);
    a->EndSending();
    EXPECT_TRUE(a->UntilClosed());
    const auto b = Client();
    EXPECT_EQ(Value(*b, "select 2"), "2");
  }
}

}  // namespace
}  // namespace connbench::models::testing
