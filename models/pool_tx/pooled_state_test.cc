// What belongs to a client of the pooler follows it from backend to backend, and nobody else meets
// it: settings, prepared statements, and what only a session can hold.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>

#include "models/pool_tx/testing/pooled_client_test_base.h"

namespace connbench::models::testing {
namespace {

class PooledStateTest : public PooledClientTest {
 protected:
  // The settings that b sees are a new session's.
  static void ExpectFresh(RawClient& b) {
    EXPECT_EQ(Value(b, "show default_transaction_read_only"), "off");
    EXPECT_EQ(Value(b, "show timezone"), "UTC");
    EXPECT_EQ(Value(b, "show statement_timeout"), "0");
    EXPECT_EQ(Run(b, "create table fresh (a int)"), "CZ");
    EXPECT_EQ(Run(b, "drop table fresh"), "CZ");
  }
};

TEST_F(PooledStateTest, DeallocateAllIsNoDiscardAll) {
  for (const PoolMode mode : {PoolMode::kSession, PoolMode::kTransaction, PoolMode::kStatement}) {
    Open(mode, 1);
    auto a = Client();
    EXPECT_THAT(Run(*a,
                    "set default_transaction_read_only = on; set timezone = 'Europe/Paris'; "
                    "set statement_timeout = '7s'; deallocate all"),
                ::testing::StartsWith("CCCC"));
    a.reset();
    ExpectFresh(*Client());
  }
}

TEST_F(PooledStateTest, StatementsAreDroppedInTheOrderOfTheRequests) {
  Open(PoolMode::kTransaction, 1);
  const auto a = Client();
  a->Send(Parse("s0", "select 0") + Sync() + Query("deallocate all") + Parse("s1", "select 1") +
          Sync());
  EXPECT_EQ(a->Until('Z'), "1Z");
  EXPECT_EQ(a->Until('Z'), "CZ");
  EXPECT_EQ(a->Until('Z'), "1Z");
  EXPECT_EQ(Use(*a, "s1"), "2DCZ");
  EXPECT_EQ(Use(*a, "s0"), "EZ");
  EXPECT_EQ(a->error_code(), "26000");

  // The same in one batch: what was prepared before goes, what comes behind stays.
  a->Send(Parse("", "deallocate all") + Bind("", "") + Parse("before", "select 2") + Execute("") +
          Parse("s1", "select 3") + Parse("s2", "select 4") + Sync());
  EXPECT_EQ(a->Until('Z'), "121C11Z");
  EXPECT_EQ(Use(*a, "before"), "EZ");
  EXPECT_EQ(Use(*a, "s1"), "2DCZ");
  EXPECT_EQ(a->first_value(), "3");
  EXPECT_EQ(Use(*a, "s2"), "2DCZ");
  a->Send(Parse("", "discard all") + Bind("", "") + Execute("") + Sync() + Bind("", "s2") + Sync());
  EXPECT_EQ(a->Until('Z'), "12CZ");
  EXPECT_EQ(a->Until('Z'), "EZ");
}

TEST_F(PooledStateTest, AStatementThatWasDroppedIsNotPreparedAgainElsewhere) {
  Open(PoolMode::kTransaction, 2);
  const auto a = Client();
  const auto b = Client();
  a->Send(Parse("s", "select 1") + Sync());
  EXPECT_EQ(a->Until('Z'), "1Z");
  EXPECT_EQ(Run(*b, "begin"), "CZ");  // takes the backend that has it
  a->Send(Parse("", "deallocate all") + Bind("", "") + Execute("") + Bind("", "s") + Execute("") +
          Sync());
  EXPECT_EQ(a->Until('Z'), "12CEZ");
  EXPECT_EQ(a->error_code(), "26000");
  a->Send(Parse("s", "select 2") + Sync());
  EXPECT_EQ(a->Until('Z'), "1Z");
  EXPECT_EQ(Run(*b, "commit"), "CZ");
  EXPECT_EQ(Use(*a, "s"), "2DCZ");
  EXPECT_EQ(a->first_value(), "2");
}

TEST_F(PooledStateTest, WhatNeverHappenedIsTakenBack) {
  Open(PoolMode::kTransaction, 1);
  const auto a = Client();
  a->Send(Parse("s", "select 1") + Parse("", "select 5") + Sync());
  EXPECT_EQ(a->Until('Z'), "11Z");
  a->Send(Bind("", "none") + CloseStatement("s") + Parse("t", "select 2") + CloseStatement("") +
          Parse("", "select 6") + Sync());
  EXPECT_EQ(a->Until('Z'), "EZ");
  EXPECT_EQ(Use(*a, ""), "2DCZ");
  EXPECT_EQ(a->first_value(), "5");
  EXPECT_EQ(Use(*a, "s"), "2DCZ");
  EXPECT_EQ(Use(*a, "t"), "EZ");
  a->Send(Parse("t", "select 3") + Sync());
  EXPECT_EQ(a->Until('Z'), "1Z");
  EXPECT_EQ(Use(*a, "t"), "2DCZ");
  EXPECT_EQ(a->first_value(), "3");
}

TEST_F(PooledStateTest, TheUnnamedStatementIsNobodyElses) {
  Open(PoolMode::kTransaction, 1);
  const auto a = Client();
  const auto b = Client();
  a->Send(Parse("", "select 'mine'") + Sync());
  EXPECT_EQ(a->Until('Z'), "1Z");
  EXPECT_EQ(Use(*b, ""), "EZ");
  EXPECT_EQ(b->error_code(), "26000");
  EXPECT_EQ(Use(*a, ""), "2DCZ");
  EXPECT_EQ(a->first_value(), "mine");
  // A simple query drops it, also when another backend comes next.
  EXPECT_EQ(Run(*a, "select 1"), "TDCZ");
  b->Send(Parse("", "select 2") + Sync());
  EXPECT_EQ(b->Until('Z'), "1Z");
  EXPECT_EQ(Use(*a, ""), "EZ");
  // A Parse that fails takes the one before with it.
  b->Send(Parse("", "select nope") + Sync());
  EXPECT_EQ(b->Until('Z'), "EZ");
  EXPECT_EQ(Use(*b, ""), "EZ");
  EXPECT_EQ(b->error_code(), "26000");
}

TEST_F(PooledStateTest, NoNameReachesThePoolersOwn) {
  Open(PoolMode::kTransaction, 1);
  const auto a = Client();
  const auto b = Client();
  a->Send(Parse("s", "select 'mine'") + Sync());
  EXPECT_EQ(a->Until('Z'), "1Z");
  const std::string name = PooledStatement::BackendName(1);
  EXPECT_EQ(Use(*b, name), "EZ");
  EXPECT_EQ(b->error_code(), "26000");
  b->Send(DescribeStatement(name) + Sync() + CloseStatement(name) + Sync());
  EXPECT_EQ(b->Until('Z'), "EZ");
  EXPECT_EQ(b->Until('Z'), "3Z");
  EXPECT_EQ(Run(*b, "deallocate " + name), "EZ");
  EXPECT_EQ(Run(*b, "prepare " + name + " as select 2"), "CZ");
  EXPECT_EQ(Use(*a, "s"), "2DCZ");
  EXPECT_EQ(a->first_value(), "mine");
}

TEST_F(PooledStateTest, ErrorsCallAStatementByItsClientsName) {
  Open(PoolMode::kTransaction, 1);
  const auto a = Client();
  a->Send(Parse("mine", "select $1::int") + Bind("", "mine") + Sync());
  EXPECT_EQ(a->Until('Z'), "1EZ");
  EXPECT_THAT(a->error_message(), ::testing::EndsWith("prepared statement \"mine\" requires 1"));
  a->Send(Parse("mine", "select 2") + Sync());
  EXPECT_EQ(a->Until('Z'), "EZ");
  EXPECT_EQ(a->error_message(), "prepared statement \"mine\" already exists");
  // Another name of the same text, and a name that the batch has dropped.
  a->Send(Parse("other", "select $1::int") + Bind("", "other") + Sync());
  EXPECT_EQ(a->Until('Z'), "1EZ");
  EXPECT_THAT(a->error_message(), ::testing::EndsWith("prepared statement \"other\" requires 1"));
  a->Send(Bind("", "mine") + Sync());
  EXPECT_EQ(a->Until('Z'), "EZ");
  EXPECT_THAT(a->error_message(), ::testing::EndsWith("prepared statement \"mine\" requires 1"));
}

// In a failed transaction the backend takes no statement but one that ends it.
TEST_F(PooledStateTest, ATakenNameIsTakenInAFailedTransactionToo) {
  Open(PoolMode::kTransaction, 2);
  const auto a = Client();
  const auto b = Client();
  a->Send(Parse("mine", "select 1") + Sync());
  EXPECT_EQ(a->Until('Z'), "1Z");
  // Now on a backend that does not know the statement.
  EXPECT_EQ(Run(*b, "begin"), "CZ");
  EXPECT_EQ(Run(*a, "begin"), "CZ");
  EXPECT_EQ(Run(*a, "select nope"), "EZ");
  a->Send(Parse("mine", "rollback") + Sync());
  EXPECT_EQ(a->Until('Z'), "EZ");
  EXPECT_EQ(a->error_code(), "42P05");
  EXPECT_EQ(a->error_message(), "prepared statement \"mine\" already exists");
  a->Send(Parse("mine", "select 2") + Sync());
  EXPECT_EQ(a->Until('Z'), "EZ");
  EXPECT_EQ(a->error_code(), "25P02");
}

TEST_F(PooledStateTest, SettingsFollowWhatTheBackendDoesWithThem) {
  Open(PoolMode::kTransaction, 1);
  const auto a = Client("somebody", {{"application_name", "first"}, {"work_mem", "1MB"}});
  const auto b = Client();
  const auto expect = [&](std::string_view name, std::string_view value) {
    EXPECT_EQ(Run(*b, "select 1"), "TDCZ");  // b has the backend in between
    EXPECT_EQ(Value(*a, "show " + std::string(name)), value);
  };
  const auto run = [&](std::string_view sql) { (void)Run(*a, sql); };
  run("set statement_timeout = '5s'");
  expect("statement_timeout", "5s");
  EXPECT_EQ(Value(*b, "show statement_timeout"), "0");
  run("begin; set statement_timeout = '6s'; rollback");
  expect("statement_timeout", "5s");
  run("set statement_timeout = '6s'; select 1 / 0");
  expect("statement_timeout", "5s");
  run("begin; set lock_timeout = '1s'; savepoint s; set lock_timeout = '2s'; rollback to s; "
      "commit");
  expect("lock_timeout", "1s");
  run("begin; set local lock_timeout = '3s'; commit");
  expect("lock_timeout", "1s");
  run("select set_config('lock_timeout', '4s', false)");
  expect("lock_timeout", "4s");
  run("select set_config('my.own', 'it''s', false)");
  expect("my.own", "it's");
  run("set work_mem = '2MB'; reset work_mem");
  expect("work_mem", "1MB");
  run("set application_name = 'other'; reset all");
  expect("application_name", "first");
  expect("lock_timeout", "0");
  EXPECT_EQ(Run(*b, "show my.own"), "EZ");
  run("set timezone = 'Asia/Tokyo'");
  run("discard all");
  expect("timezone", "UTC");
}

TEST_F(PooledStateTest, AParameterThatIsRefusedIsRefusedEachTime) {
  Open(PoolMode::kTransaction, 1);
  for (int i = 0; i < 3; ++i) {
    RawClient a(rig_->path());
    EXPECT_FALSE(a.Start("somebody", {{"work_mem", "a lot"}}));
    EXPECT_EQ(a.error_code(), "22023");
    EXPECT_TRUE(a.UntilClosed());
    ExpectFresh(*Client());
  }
}

TEST_F(PooledStateTest, WhatOnlyASessionHoldsIsForgottenBetweenClients) {
  for (const PoolMode mode : {PoolMode::kSession, PoolMode::kTransaction}) {
    Open(mode, 1);
    auto a = Client();
    EXPECT_EQ(Run(*a, "create table s (id serial)"), "CZ");
    EXPECT_EQ(Run(*a, "prepare p as select 1"), "CZ");
    EXPECT_EQ(Run(*a, "select nextval('s_id_seq'), setseed(0.5)"), "TDCZ");
    EXPECT_EQ(Value(*a, "execute p"), "1") << "nobody came between";
    if (mode == PoolMode::kSession) a.reset();
    const auto b = Client();
    EXPECT_EQ(Run(*b, "execute p"), "EZ");
    EXPECT_EQ(b->error_code(), "26000");
    EXPECT_THAT(Run(*b, "select lastval()"), ::testing::EndsWith("EZ"));
    EXPECT_EQ(b->error_code(), "55000");
    EXPECT_EQ(Run(*b, "prepare p as select 2"), "CZ");
  }
}

// What a text means is decided when it is prepared.
TEST_F(PooledStateTest, ATextIsNotSharedAcrossTimeZones) {
  Open(PoolMode::kTransaction, 1);
  const auto a = Client("somebody", {{"timezone", "Asia/Tokyo"}});
  const auto b = Client();
  const std::string text = "select extract(epoch from '2020-01-01 00:00'::timestamptz)::bigint";
  a->Send(Parse("s", text) + Sync());
  EXPECT_EQ(a->Until('Z'), "1Z");
  b->Send(Parse("s", text) + Sync());
  EXPECT_EQ(b->Until('Z'), "1Z");
  EXPECT_EQ(Use(*b, "s"), "2DCZ");
  EXPECT_EQ(b->first_value(), "1577836800");
  EXPECT_EQ(Use(*a, "s"), "2DCZ");
  EXPECT_EQ(a->first_value(), "1577804400");
}

TEST_F(PooledStateTest, AnIdleTimeoutIsItsClientsAlone) {
  Open(PoolMode::kTransaction, 1);
  const auto a = Client();
  const auto b = Client();
  EXPECT_EQ(Run(*a, "set idle_session_timeout = '50ms'"), "CZ");
  EXPECT_EQ(a->Until('Z'), "E");
  EXPECT_EQ(a->error_code(), "57P05");
  EXPECT_TRUE(a->UntilClosed());
  EXPECT_EQ(Value(*b, "select 1"), "1");
}

}  // namespace
}  // namespace connbench::models::testing
