// Type oids that clients send: every one that PostgreSQL 15 has, and some that it has not, as
// parameters in every position. Each gets an answer or one clear error, and the session goes on.

#include <fmt/format.h>

#include <set>

#include "engine/executor/types/postgres_types.h"
#include "engine/executor/types/type.h"
#include "engine/sql/testing/sql_test_base.h"

namespace connbench::engine {
namespace {

constexpr Oid kNoSuchTypes[] = {1, 15, 999999, 16384, 4294967295, 66, 66 * 1000 + 23};

// Each has $1 as its only parameter.
constexpr std::string_view kPositions[] = {
    "select $1",
    "values ($1)",
    "values (1, $1), (2, null)",
    "select concat($1, 'a')",
    "select concat_ws('-', $1, $1)",
    "select distinct $1",
    "select 1 order by $1",
    "select a from t order by $1",
    "select count(*) from t group by $1",
    "select count($1) from t",
    "select max($1) from t",
    "select a from t limit $1",
    "select a from t offset $1",
    "select a from t where a in ($1)",
    "select a from t where a in (1, $1)",
    "select 1 where $1 between $1 and $1",
    "select coalesce($1, $1)",
    "select coalesce(null, $1, null)",
    "select greatest($1, $1)",
    "select nullif($1, $1)",
    "select case when true then $1 end",
    "select case $1 when $1 then 1 end",
    "select $1 is null",
    "select $1 is distinct from $1",
    "select $1 is true",
    "select not $1",
    "select $1 = $1",
    "select $1 < 'a'",
    "select - $1",
    "select $1 || 'a'",
    "select $1 || $1",
    "select 'a' like $1",
    "select $1::text",
    "select $1::varchar(3)",
    "select $1::int",
    "select cast($1 as timestamptz)",
    "select abs($1)",
    "select length($1)",
    "select pg_typeof($1)",
    "select format_type($1, null)",
    "select date_trunc('day', $1)",
    "select * from generate_series(1, $1)",
    "insert into t values ($1)",
    "insert into t values ($1, $1), (1, 'a')",
    "insert into t (b) select $1",
    "insert into t values (1, 'a') returning $1",
    "update t set a = $1",
    "update t set b = $1 where a = $1",
    "delete from t where b = $1 returning $1, b",
    "explain select $1",
};

class TypeOidTest : public SqlTest {
 protected:
  void SetUp() override {
    a_->Run("create table t (a int, b text); insert into t values (1, 'one'), (2, 'two')");
  }
  // Parse, Describe, Bind with a null and with a text, Execute, Sync. Only the codes of errors.
  std::string Try(std::string_view sql, Oid type) {
    Session& session = a_->session();
    CollectingSink sink;
    const Oid types[] = {type};
    Status status = session.Parse("", sql, types, sink);
    const bool parsed = status.ok();
    std::string outcome = parsed ? "parsed" : std::string(status.code());
    if (parsed) {
      EXPECT_TRUE(session.DescribeStatement("", sink).ok());
      for (const char* text : {static_cast<const char*>(nullptr), "1", "x"}) {
        const WireValue value = text == nullptr ? WireValue{} : WireValue{text, 1};
        for (WireFormat format : {WireFormat::kText, WireFormat::kBinary}) {
          status = session.Parse("", sql, types, sink);
          if (status.ok()) status = session.Bind("", "", {&format, 1}, {&value, 1}, {&format, 1});
          if (status.ok()) status = session.Execute("", 0, sink).TakeStatus();
          if (!session.Sync(sink).ok()) ADD_FAILURE() << sql << " with type " << type;
          EXPECT_NE(status.code(), sqlstate::kInternalError) << sql << " with type " << type;
        }
      }
    }
    static_cast<void>(session.Sync(sink));
    EXPECT_EQ(session.transaction_status(), TransactionStatus::kIdle);
    EXPECT_EQ(a_->Rows("select 1"), "1") << sql << " with type " << type;
    return outcome;
  }
};

TEST_F(TypeOidTest, TypesThatTheEngineLacksAreRefusedAtParse) {
  for (const PostgresType& type : AllPostgresTypes()) {
    if (IsKnownType(type.oid)) continue;
    for (std::string_view sql : kPositions) {
      ASSERT_EQ(Try(sql, type.oid), "0A000") << sql << " with type " << type.name;
    }
  }
  CollectingSink sink;
  const Oid jsonb[] = {3802};
  const Status status = a_->session().Parse("", "select $1", jsonb, sink);
  EXPECT_EQ(TestSession::ErrorText(status), "0A000 0 type \"jsonb\" is not supported");
  const Oid list[] = {3807};
  EXPECT_EQ(TestSession::ErrorText(a_->session().Parse("", "select $1", list, sink)),
            "0A000 0 type \"jsonb[]\" is not supported");
}

TEST_F(TypeOidTest, TypesThatDoNotExistAreRefusedAtParse) {
  for (Oid oid : kNoSuchTypes) {
    for (std::string_view sql : kPositions) ASSERT_EQ(Try(sql, oid), "42704") << sql << ' ' << oid;
  }
  CollectingSink sink;
  const Oid none[] = {999999};
  EXPECT_EQ(TestSession::ErrorText(a_->session().Parse("", "select $1", none, sink)),
            "42704 0 type with OID 999999 does not exist");
}

TEST_F(TypeOidTest, TypesOfTheEngineAreAnsweredInEveryPosition) {
  for (const TypeInfo& type : AllTypes()) {
    for (std::string_view sql : kPositions) Try(sql, type.oid);
  }
}

TEST_F(TypeOidTest, EveryTypeNameIsKnownMissingOrUnknown) {
  for (const PostgresType& type : AllPostgresTypes()) {
    for (const char* statement :
         {"select null::\"{}\"", "create table made (a \"{}\")", "select cast('1' as \"{}\")",
          "prepare p (\"{}\") as select $1"}) {
      const std::string error = a_->Error(fmt::format(fmt::runtime(statement), type.name));
      if (!IsKnownType(type.oid)) {
        EXPECT_EQ(error.substr(0, 5), "0A000") << statement << " with type " << type.name;
      } else {
        EXPECT_NE(error.substr(0, 5), "XX000") << statement << " with type " << type.name;
      }
      a_->Run("drop table if exists made; deallocate all");
    }
  }
  EXPECT_EQ(a_->Error("select null::nosuch").substr(0, 5), "42704");
}

}  // namespace
}  // namespace connbench::engine
