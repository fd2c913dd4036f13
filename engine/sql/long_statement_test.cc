// Statements that are long: their analysis takes time in proportion, and it can be interrupted.
#include <gtest/gtest.h>

#include <string>

#include "base/clock.h"
#include "engine/executor/types/string_type.h"
#include "engine/sql/nesting.h"
#include "engine/sql/testing/sql_test_base.h"

namespace connbench::engine {
namespace {

class LongStatementTest : public SqlTest {
 protected:
  // item, count times, with commas.
  static std::string List(std::string_view item, int count) {
    std::string list(item);
    for (int i = 1; i < count; ++i) (list += ',') += item;
    return list;
  }
  MonotonicNs TimeOf(const std::string& sql) {
    const MonotonicNs begin = MonotonicNow();
    EXPECT_EQ(a_->Error(sql), "ok");
    return MonotonicNow() - begin;
  }
};

// What an error's position costs, all of the text, is paid by errors alone. A comment makes the
// text long without making it more work.
TEST_F(LongStatementTest, NothingReadsTheWholeTextForEveryNode) {
  constexpr int kItems = 4000;
  a_->Run("create table t (a int8)");
  const std::string comment = "/*" + std::string(4'000'000, 'x') + "*/ ";
  const std::string casts = List("(1::int8)", kItems);
  const std::string few_columns = List("t.*", 1000);
  for (const std::string& sql : {"values " + casts, "insert into t values " + casts,
                                 "select 1 from t where a in (" + List("1::int8", kItems) + ")",
                                 "select coalesce(null::int8," + List("'1'::int8", kItems) + ")",
                                 "select " + few_columns + " from t limit 0"}) {
    const MonotonicNs alone = TimeOf(sql);
    const MonotonicNs with_comment = TimeOf(comment + sql);
    // Parsing the comment takes some 10 ms; before, it was read thousands of times.
    EXPECT_LT(with_comment, 10 * alone + 500 * kNanosecondsPerMillisecond) << sql.substr(0, 60);
  }
}

// 10 ms are not enough for any of these: only their preparation is run.
TEST_F(LongStatementTest, PreparationCanBeInterrupted) {
  constexpr int kItems = 40'000;
  std::string whens;
  for (int i = 0; i < kItems; ++i) whens += " when " + std::to_string(i) + " then 1";
  a_->Run("create table t (a int8); set statement_timeout = '10ms'");
  const std::string canceled = "57014 0 canceling statement due to statement timeout";
  for (const std::string& sql :
       {"values " + List("(0)", kItems), "insert into t values " + List("(0)", kItems),
        "select 1 from t where a in (" + List("a", kItems) + ")",
        "select case a" + whens + " end from t"}) {
    // At once, not when the work is done.
    for (const std::string& statement : {"prepare p as " + sql, "explain " + sql, sql}) {
      EXPECT_EQ(a_->Error(statement), canceled) << statement.substr(0, 60);
    }
    EXPECT_EQ(TestSession::ErrorText(a_->session().Parse("s", sql, {}, a_->sink())), canceled);
  }
}

std::string Repeated(std::string_view unit, size_t bytes) {
  std::string text;
  while (text.size() < bytes) text += unit;
  return text;
}

// libpg_query's scanner would read these again and again: 100 kB took seconds.
TEST_F(LongStatementTest, LongRunsOfOperatorCharactersAreRefused) {
  for (const size_t bytes : {size_t{100'000}, size_t{400'000}}) {
    for (const std::string& sql :
         {"select " + Repeated("/*", bytes),
          "select " + Repeated("/*", bytes) + Repeated("*/", bytes),
          "select 1" + Repeated("/**/", bytes), "select 1" + Repeated("+-", bytes) + "1",
          "select 1" + Repeated("+/**/", bytes) + "1", "select 1 /*" + Repeated("/*/", bytes),
          "select 1 " + Repeated("*/", bytes), "select 1 " + Repeated("@+/**/", bytes)}) {
      const Status status = CheckNesting(sql);
      EXPECT_EQ(status.code(), sqlstate::kStatementTooComplex) << sql.substr(0, 60);
      EXPECT_EQ(status.error().message, "statement is too complex");
      EXPECT_GT(status.error().position, 20) << sql.substr(0, 60);
    }
    // These are read once.
    for (const std::string& sql :
         {"select 1 /*" + Repeated("*", bytes) + "*/", "select 1 /*" + Repeated("+-", bytes) + "*/",
          "select 1 " + Repeated("-", bytes), "select 1 " + Repeated("--+-+-\n", bytes),
          "select '" + Repeated("+-/*", bytes) + "'", "select $a$" + Repeated("/*", bytes) + "$a$",
          "select 1 " + Repeated("/* +-----------------+ */\n/**************/ ", bytes),
          "select 1 /* " + Repeated("/* a */", bytes) + "*/"}) {
      EXPECT_TRUE(CheckNesting(sql).ok()) << sql.substr(0, 60);
    }
  }
  EXPECT_EQ(a_->Error("select " + Repeated("/*", 100'000)).substr(0, 6), "54001 ");
}

// A value of any size may be wrong, and its error is on its way to the client without interrupts.
TEST_F(LongStatementTest, ErrorsQuoteOnlyTheBeginningOfALongValue) {
  constexpr size_t kBytes = 1'000'000;
  const std::string x = "repeat('x', " + std::to_string(kBytes) + ")";
  const std::string nines = "repeat('9', " + std::to_string(kBytes) + ")";
  for (const std::string& sql : std::initializer_list<std::string>{
           "select " + x + "::timestamp",
           "select " + x + "::timestamptz",
           "select " + x + "::int2",
           "select " + x + "::int",
           "select " + x + "::int8",
           "select " + x + "::oid",
           "select " + x + "::numeric",
           "select " + x + "::bool",
           "select " + x + "::float4",
           "select " + x + "::float8",
           "select " + x + "::regtype",
           "select nextval(" + x + ")",
           "select nextval(repeat('x.', 100000))",
           "select setval(" + x + ", 1)",
           "select date_trunc(" + x + ", now())",
           "select extract(year from now()) + date_part(" + x + ", now())",
           "select current_setting(" + x + ")",
           "select now() at time zone " + x,
           "select now() at time zone (" + x + " || '/y')",
           "select set_config('work_mem', " + x + ", false)",
           "select set_config('TimeZone', " + x + ", false)",
           "select set_config('DateStyle', " + x + ", false)",
           "select set_config(" + x + ", 'a', false)",
           "select set_config('a b.' || " + x + ", '', true)",
           "select set_config('client_encoding', " + x + ", false)",
           "select set_config('client_min_messages', " + x + ", false)",
           "select set_config('default_transaction_isolation', " + x + ", false)",
           "select set_config('transaction_isolation', " + x + ", false)",
           "select set_config('enable_seqscan', " + x + ", false)",
           "select set_config('statement_timeout', " + nines + ", false)",
           "select " + nines + "::int",
           "select " + nines + "::oid",
           "select " + nines + "::float8",
           "select ('2000-01-01 00:00:00.' || " + nines + ")::timestamp",
           "select (" + nines + " || '-01-01')::timestamp",
           "select pg_get_serial_sequence(" + x + ", 'a')",
           "select 1 a" + std::string(kBytes, 'b') + " \"" + std::string(kBytes, 'c')}) {
    const std::string error = a_->Error(sql);
    EXPECT_NE(error, "ok") << sql.substr(0, 60);
    EXPECT_LT(error.size(), 2 * kMaxQuotedBytes) << sql.substr(0, 60) << error.substr(0, 60);
  }
  // What anybody writes is quoted whole.
  const std::string word(kMaxQuotedBytes, 'x');
  EXPECT_EQ(a_->Error("select '" + word + "'::int"),
            "22P02 8 invalid input syntax for type integer: \"" + word + "\"");
  EXPECT_EQ(a_->Error("select 'x" + word + "'::int"),
            "22P02 8 invalid input syntax for type integer: \"" + word + "...\"");
}

// Digits beyond any number's are only counted.
TEST_F(LongStatementTest, LongNumbersOverflowOrAreTaken) {
  EXPECT_EQ(a_->Error("select repeat('9', 2000000)::numeric"),
            "22003 0 value overflows numeric format");
  EXPECT_EQ(a_->Error("select ('0.' || repeat('9', 2000000))::numeric"),
            "22003 0 value overflows numeric format");
  EXPECT_EQ(a_->Error("select (repeat('9', 2000000) || 'x')::numeric").substr(0, 5), "22P02");
  EXPECT_EQ(a_->Rows("select (repeat('0', 2000000) || '12.50')::numeric"), "12.50");
  EXPECT_EQ(a_->Rows("select ('0.' || repeat('0', 200000) || '1e200001')::numeric"), "1");
  EXPECT_EQ(a_->Rows("select '000'::numeric, '.5'::numeric, '00.50'::numeric, '5.'::numeric"),
            "0|0.5|0.50|5");
}

TEST_F(LongStatementTest, ASleepOfAnyLengthIsOne) {
  a_->Run("set statement_timeout = '10ms'");
  for (const char* seconds : {"1e300", "'infinity'", "1e10", "9.3e9", "1e18"}) {
    EXPECT_EQ(a_->Error(std::string("select pg_sleep(") + seconds + ")"),
              "57014 0 canceling statement due to statement timeout");
  }
}

// The clock runs from the beginning, and the parser's time counts.
TEST_F(LongStatementTest, ParsingIsPartOfAStatement) {
  a_->Run("set statement_timeout = '10ms'");
  EXPECT_EQ(a_->Error("select " + List("'" + std::string(100'000, 'x') + "'", 1000)),
            "57014 0 canceling statement due to statement timeout");
  EXPECT_EQ(a_->Error("select 1"), "ok");
}

}  // namespace
}  // namespace connbench::engine
