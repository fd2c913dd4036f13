// Defaults are kept as text: what is read back gives what the expression gave. Random expressions
// are compared with PostgreSQL in tests/system/test_expressions.py.

#include <fmt/format.h>

#include "engine/sql/testing/sql_test_base.h"

namespace connbench::engine {
namespace {

struct Default {
  std::string_view type;
  std::string_view expression;
};

// Every kind of node, every type's literal, and what has a grammar of its own.
constexpr Default kDefaults[] = {
    {"char(5)", "'abc'::bpchar"},
    {"char(5)", "'abc'"},
    {"char(5)", "'abc'::char(5)"},
    {"text", "'abc'::char"},
    {"text", "'abcdef'::varchar(3)"},
    {"text", "'it''s a \\ backslash'"},
    {"text", "'äöü€'::name"},
    {"text", "'xy'::\"char\""},
    {"timestamp", "now()::timestamp"},
    {"timestamptz", "now()"},
    {"timestamptz", "current_timestamp(3)"},
    {"timestamp", "localtimestamp"},
    {"timestamp", "localtimestamp(0)"},
    {"timestamp", "'infinity'"},
    {"timestamptz", "'2024-02-29 12:34:56.789+02'"},
    {"timestamp", "'0044-03-15 BC'::timestamp"},
    {"text", "now() at time zone 'UTC'"},
    {"text", "current_user"},
    {"text", "session_user"},
    {"text", "user"},
    {"text", "current_role"},
    {"text", "current_schema"},
    {"text", "current_catalog"},
    {"bigint", "extract(epoch from now())::bigint"},
    {"numeric", "extract(year from '2024-02-29'::timestamp)"},
    {"float8", "date_part('hour', now())"},
    {"timestamptz", "date_trunc('day', now())"},
    {"numeric", "'NaN'::numeric"},
    {"numeric", "'-Infinity'"},
    {"numeric(7,2)", "-12345.675"},
    {"numeric", "1e-20"},
    {"float8", "'NaN'"},
    {"float8", "'-Infinity'::float8"},
    {"float4", "'1.1'::float4"},
    {"float8", "'1.1'::float4"},
    {"bigint", "-9223372036854775808"},
    {"smallint", "-5::smallint"},
    {"oid", "4294967295"},
    {"bool", "'yes'"},
    {"bool", "null"},
    {"text", "null::int"},
    {"int", "case when length(current_user) > 0 then 1 else 2 end"},
    {"int", "case length(current_user) when 0 then 1 when 6 then 7 end"},
    {"text", "coalesce(null, current_user, 'x')"},
    {"text", "nullif(current_user, 'nobody')"},
    {"text", "greatest(current_user, 'zzz', 'a')"},
    {"text", "least(current_user, 'zzz')"},
    {"bool", "current_user in ('a', 'tester')"},
    {"bool", "length(current_user) not in (1, 2)"},
    {"bool", "current_user is null"},
    {"bool", "current_user is not null and not (length(current_user) = 3 or false)"},
    {"bool", "(length(current_user) > 3) is not true"},
    {"bool", "(length(current_user) > 3) is unknown"},
    {"bool", "current_user is distinct from 'x'"},
    {"bool", "current_user is not distinct from 'tester'"},
    {"bool", "length(current_user) between symmetric 9 and 1"},
    {"bool", "current_user like 't%\\%' escape '%'"},
    {"bool", "current_user not ilike 'T%'"},
    {"text", "concat(now() is null, 1.50, current_user, null)"},
    {"text", "concat_ws('-', current_user, length(current_user))"},
    {"text", "trim(both 't' from current_user)"},
    {"text", "substring(current_user from 2 for 3)"},
    {"int", "position('s' in current_user)"},
    {"text", "upper(current_user) || 1 || true"},
    {"text", "(length(current_user) + 1.5)::varchar(2)"},
    {"int", "- length(current_user) * 2 % 5 & 3 | 4 # 1"},
    {"int", "@ (- length(current_user))"},
    {"int", "~ length(current_user) << 2 >> 1"},
    {"float8", "|/ length(current_user)"},
    {"numeric", "length(current_user) ^ 2.5"},
    {"int", "(length(current_user) * 9.3)::int"},
    {"text", "pg_typeof(1.5)"},
    {"int", "char_length(repeat('ab', length(current_user)))"},
    {"text", "current_setting('TimeZone')"},
};

using ColumnDefaultsTest = SqlTest;

TEST_F(ColumnDefaultsTest, GiveWhatTheExpressionGives) {
  for (const Default& d : kDefaults) {
    const std::string made =
        a_->Run(fmt::format("create table d (k int, c {} default ({}))", d.type, d.expression));
    EXPECT_EQ(made, "CREATE TABLE") << d.type << " default " << d.expression;
    // In one transaction, so that now() is the same.
    const std::string inserted = a_->Run(
        fmt::format("begin; insert into d (k) values (1); insert into d values (2, default); "
                    "insert into d values (3, {}); commit",
                    d.expression));
    EXPECT_EQ(inserted.find("ERROR"), std::string::npos) << d.expression << ": " << inserted;
    EXPECT_EQ(a_->Rows("select count(*) from d"), "3") << d.type << " default " << d.expression;
    a_->Run("select c from d order by k");
    const std::vector<std::string> rows = a_->last().rows;
    if (rows.size() == 3) {
      EXPECT_EQ(rows[0], rows[2]) << d.type << " default " << d.expression;
      EXPECT_EQ(rows[1], rows[2]) << d.type << " default " << d.expression;
    }
    a_->Run("rollback; drop table if exists d");
  }
}

// PostgreSQL reads a literal when the default is written: 'now' stays what it was then, and a time
// without a zone keeps the zone of that session.
TEST_F(ColumnDefaultsTest, ReadLiteralsOnce) {
  a_->Run("set timezone = 'Europe/Berlin'");
  a_->Run(
      "create table d (k int, a timestamptz default '2024-07-01 12:00', "
      "b timestamptz default 'now', c timestamp default 'now'::timestamp)");
  a_->Run("insert into d (k) values (1)");
  a_->Run("select pg_sleep(0.01)");
  b_->Run("set timezone = 'UTC'");
  b_->Run("insert into d (k) values (2)");
  EXPECT_EQ(b_->Rows("select a from d where k = 2"), "2024-07-01 10:00:00+00");
  EXPECT_EQ(b_->Rows("select count(*) from d group by a, b, c"), "2");
}

TEST_F(ColumnDefaultsTest, AreCheckedWhenTheyAreWritten) {
  EXPECT_EQ(a_->Error("create table d (a int, b int default a)"),
            "0A000 38 cannot use column reference in DEFAULT expression");
  EXPECT_EQ(a_->Error("create table d (a int, b int default a + 1)"),
            "0A000 38 cannot use column reference in DEFAULT expression");
  EXPECT_EQ(a_->Error("create table d (b int default count(*))").substr(0, 5), "42803");
  EXPECT_EQ(a_->Error("create table d (b int default 'x'::text)").substr(0, 5), "42804");
  EXPECT_EQ(a_->Error("create table d (b timestamp default true)").substr(0, 5), "42804");
}

}  // namespace
}  // namespace connbench::engine
