// Which plan a statement gets, and the bounds that keep parsing and sorting within their means.

#include <pthread.h>

#include "engine/executor/nodes/external_sorter.h"
#include "engine/sql/nesting.h"
#include "engine/sql/parse_tree.h"
#include "engine/sql/testing/sql_test_base.h"

namespace connbench::engine {
namespace {

class PlannerTest : public SqlTest {
 protected:
  PlannerTest() {
    a_->Run(
        "create table t (a int, b int, c text, d int not null, primary key (a, b));"
        "create index t_d on t (d);"
        "insert into t select g % 10, g, 'x', g from generate_series(1, 1000) g");
  }
  // The plan's lines, joined by '/', without indentation and costs.
  std::string Plan(const std::string& sql) {
    a_->Run("explain (costs off) " + sql);
    std::string plan;
    for (std::string row : a_->last().rows) {
      row.erase(0, row.find_first_not_of(" ->"));
      plan += (plan.empty() ? "" : "/") + row;
    }
    return plan.empty() ? a_->last().lines.back() : plan;
  }
};

TEST_F(PlannerTest, UsesAnIndexForEqualityRangeAndOrder) {
  EXPECT_EQ(Plan("select * from t where a = 1 and b = 2"),
            "Index Scan using t_pkey on t/Index Cond: ((a = 1) AND (b = 2))");
  EXPECT_EQ(Plan("select * from t where a = 1"),
            "Index Scan using t_pkey on t/Index Cond: (a = 1)");
  EXPECT_EQ(Plan("select * from t where a = 1 and b > 5 and c = 'x'"),
            "Index Scan using t_pkey on t/Index Cond: ((a = 1) AND (b > 5))/"
            "Filter: (c = 'x'::text)");
  EXPECT_EQ(Plan("select * from t where d between 3 and 7"),
            "Index Scan using t_d on t/Index Cond: ((d >= 3) AND (d <= 7))");
  EXPECT_EQ(Plan("select * from t where d in (1, 2)"),
            "Index Scan using t_d on t/Index Cond: (d IN (1, 2))");
  EXPECT_EQ(Plan("select * from t where b = 5"), "Seq Scan on t/Filter: (b = 5)");
  EXPECT_EQ(Plan("select d from t order by d limit 3"), "Limit/Index Scan using t_d on t");
  EXPECT_EQ(Plan("select d from t order by d desc limit 3"),
            "Limit/Index Scan Backward using t_d on t");
  EXPECT_EQ(Plan("select d from t order by d"), "Sort/Sort Key: d/Seq Scan on t");
  EXPECT_EQ(Plan("select b from t where a = 3 order by b"),
            "Index Scan using t_pkey on t/Index Cond: (a = 3)");
  EXPECT_EQ(Plan("select b from t where a = 3 order by c"),
            "Sort/Sort Key: c/Index Scan using t_pkey on t/Index Cond: (a = 3)");
  EXPECT_EQ(Plan("update t set c = 'y' where d = 4"),
            "Update on t/Index Scan using t_d on t/Index Cond: (d = 4)");
  EXPECT_EQ(Plan("delete from t where d < 4 and b <> 2"),
            "Delete on t/Index Scan using t_d on t/Index Cond: (d < 4)/Filter: (b <> 2)");
}

TEST_F(PlannerTest, FindsTheSameRowsWithAndWithoutIndexes) {
  const char* conditions[] = {"a = 1",
                              "a = 1 and b > 500",
                              "a = 3 and b between 100 and 200",
                              "d < 7",
                              "d > 995",
                              "d >= 10 and d < 12",
                              "d in (5, 3, 5, 2000)",
                              "a in (1, 2) and b < 50",
                              "d = null",
                              "d between 7 and 3",
                              "a = 1 and b in (11, 21, 22)",
                              "d > 2.5 and d < 4"};
  for (const std::string condition : conditions) {
    const std::string sql = "select count(*), sum(b), min(d), max(d) from t where " + condition;
    a_->Run("set enable_indexscan = on");
    const std::string with = a_->Rows(sql);
    a_->Run("set enable_indexscan = off");
    EXPECT_EQ(with, a_->Rows(sql)) << condition;
  }
  a_->Run("reset all");
}

TEST_F(PlannerTest, SortsGroupsAndDistinguishes) {
  EXPECT_EQ(Plan("select distinct c from t"), "Unique/Sort/Sort Key: c/Seq Scan on t");
  EXPECT_EQ(Plan("select a, count(*) from t where d > 5 group by a having count(*) > 1 order by 2"),
            "Sort/Sort Key: count(*)/HashAggregate/Group Key: a/Filter: (count(*) > 1)/"
            "Index Scan using t_d on t/Index Cond: (d > 5)");
  EXPECT_EQ(Plan("select 1"), "Result");
  EXPECT_EQ(Plan("insert into t values (1, 2, 'x', 3)"), "Insert on t/Values Scan on \"*VALUES*\"");
}

TEST_F(PlannerTest, SortsBeyondWorkMem) {
  a_->Run("set work_mem = 64");
  a_->Run(
      "create table big (id int, pad text); insert into big "
      "select (g * 7919) % 20011, 'some text to make the rows longer' from "
      "generate_series(1, 20000) g");
  a_->Run("explain (analyze, timing off, costs off) select id from big order by id");
  std::string plan;
  for (const std::string& row : a_->last().rows) plan += row + "\n";
  EXPECT_NE(plan.find("Sort Method: external merge"), std::string::npos) << plan;
  a_->Run("select id from big order by id, pad");
  const std::vector<std::string>& rows = a_->last().rows;
  ASSERT_EQ(rows.size(), 20000u);
  for (size_t i = 1; i < rows.size(); ++i) {
    ASSERT_LT(std::stoi(rows[i - 1]), std::stoi(rows[i]));
  }
}

TEST(ExternalSorterTest, MergesRunsOfAnySize) {
  for (const int64_t limit : {1024, 16 * 1024, 1 << 30}) {
    ExternalSorter sorter;
    sorter.SetMemoryLimit(limit);
    uint32_t state = 7;
    constexpr int kRecords = 3000;
    for (int i = 0; i < kRecords; ++i) {
      state = state * 1664525u + 1013904223u;
      const std::string key = std::to_string(state % 1000) + std::string(state % 50, 'k');
      // Some records are larger than a read buffer.
      const std::string payload(i % 500 == 0 ? 300'000 : state % 100, 'p');
      ASSERT_TRUE(sorter.Add(key, payload + key).ok());
    }
    ASSERT_TRUE(sorter.Finish().ok());
    std::string last;
    std::string_view key;
    std::string_view payload;
    int count = 0;
    while (true) {
      Result<bool> found = sorter.Next(key, payload);
      ASSERT_TRUE(found.ok());
      if (!*found) break;
      ++count;
      EXPECT_LE(last, key);
      EXPECT_TRUE(payload.ends_with(key));
      last = key;
    }
    EXPECT_EQ(count, kRecords);
    EXPECT_EQ(sorter.spilled_bytes() > 0, limit < (1 << 30));
  }
}

// The list of the records takes more memory than the records themselves.
TEST(ExternalSorterTest, ReadsRunsOfSmallRecordsWithinItsLimit) {
  for (const int64_t limit : {64 * 1024, 1024 * 1024}) {
    ExternalSorter sorter;
    sorter.SetMemoryLimit(limit);
    constexpr uint32_t kRecords = 100'000;
    uint32_t state = 7;
    for (uint32_t i = 0; i < kRecords; ++i) {
      state = state * 1664525u + 1013904223u;
      const uint32_t number = __builtin_bswap32(state);
      ASSERT_TRUE(sorter.Add({reinterpret_cast<const char*>(&number), sizeof number}, "p").ok());
    }
    ASSERT_TRUE(sorter.Finish().ok());
    constexpr int64_t kReadBufferBytes = 8 * 1024;
    EXPECT_GT(sorter.runs(), 0u);
    EXPECT_LE(static_cast<int64_t>(sorter.runs()) * kReadBufferBytes, limit);
    EXPECT_LE(sorter.memory_bytes(), limit);
    std::string last;
    std::string_view key;
    std::string_view payload;
    uint32_t count = 0;
    while (*sorter.Next(key, payload)) {
      ++count;
      ASSERT_LE(last, key);
      last = key;
    }
    EXPECT_EQ(count, kRecords);
  }
}

// Parses on a thread whose stack is as small as a server's may be.
std::string ParseOnSmallStack(const std::string& sql) {
  struct Work {
    const std::string* sql;
    std::string answer;
  } work{&sql, ""};
  pthread_attr_t attributes;
  pthread_attr_init(&attributes);
  constexpr size_t kStackBytes = size_t{256} << 10;
  pthread_attr_setstacksize(&attributes, kStackBytes);
  pthread_t thread;
  pthread_create(
      &thread, &attributes,
      [](void* argument) -> void* {
        auto* mine = static_cast<Work*>(argument);
        Result<ParseTree> tree = ParseTree::Parse(*mine->sql, nullptr);
        mine->answer = tree.ok() ? "ok" : tree.status().error().code;
        return nullptr;
      },
      &work);
  pthread_join(thread, nullptr);
  pthread_attr_destroy(&attributes);
  return work.answer;
}

std::string Repeat(std::string_view text, int times) {
  std::string repeated;
  for (int i = 0; i < times; ++i) repeated += text;
  return repeated;
}

TEST(NestingTest, NeverOverflowsASmallStack) {
  for (const int n : {10, 60, 100, 1000, 9000}) {
    const std::string texts[] = {
        "select 1" + Repeat("+1", n),
        "select " + Repeat("- ", n) + "a",
        "select " + Repeat("not ", n) + "a",
        "select " + Repeat("f(", n) + "1" + Repeat(")", n),
        "select " + Repeat("case when ", n) + "true" + Repeat(" then 1 end", n),
        "select " + Repeat("case when a and b then ", n) + "1" + Repeat(" end", n),
        "select " + Repeat("(select ", n) + "1" + Repeat(")", n),
        "select * from " + Repeat("(select * from ", n) + "a" + Repeat(") x", n),
        "select 1" + Repeat(" union select 1", n),
        "select * from a" + Repeat(" join a on true", n),
        "select 1" + Repeat("::int", n),
        "select 1" + Repeat(" is null", n),
        "select a between 1 and 2" + Repeat(" is null between 1 and 2", n),
        "select " + Repeat("array[", n) + "1" + Repeat("]", n),
        "select 'a'" + Repeat("||e'\\'('", n),
        "select " + Repeat("f(a, ", n) + "1" + Repeat(")", n),
        "select " + Repeat("(", n) + "1" + Repeat("+1)", n),
        "select 1" + Repeat(" operator(pg_catalog.+) 1", n),
        "select a" + Repeat(" collate \"C\"", n),
        "select a" + Repeat(" at time zone 'UTC'", n),
    };
    for (const std::string& text : texts) {
      const std::string answer = ParseOnSmallStack(text);
      EXPECT_TRUE(answer == "ok" || answer == "54001" || answer == "42601")
          << answer << " " << text.substr(0, 60) << " x " << n;
      // Parentheses alone leave no trace in the tree, and cost the parser nothing.
      const bool must_refuse = n >= 1000;
      const bool must_pass = n == 10;
      EXPECT_FALSE(must_refuse && answer == "ok") << text.substr(0, 60) << " x " << n;
      EXPECT_FALSE(must_pass && answer == "54001") << text.substr(0, 60) << " x " << n;
    }
  }
}

TEST(NestingTest, BoundsTheWordsOfAStatement) {
  const auto code = [](const std::string& sql) { return std::string(CheckNesting(sql).code()); };
  const int most = static_cast<int>(kMaxStatementWords);
  EXPECT_EQ(code("select " + Repeat("1,", most - 2) + "1"), "00000");
  EXPECT_EQ(code("select " + Repeat("1,", most - 1) + "1"), "54001");
  EXPECT_EQ(code("select " + Repeat("a.b,", most) + "1"), "54001");
  EXPECT_EQ(code("select '" + Repeat("1,", most) + "' /*" + Repeat("1,", most) + "*/"), "00000");
}

TEST(NestingTest, LetsLongFlatStatementsPass) {
  EXPECT_EQ(ParseOnSmallStack("insert into t values (1, -2, 'x')" +
                              Repeat(", (1, -2, 'it''s (((')", 5000)),
            "ok");
  EXPECT_EQ(ParseOnSmallStack("select 1 from t where a = 1" + Repeat(" or a = 1 + 2", 2000)), "ok");
  EXPECT_EQ(ParseOnSmallStack("select 1 from t where a in (1" + Repeat(", -3", 5000) + ")"), "ok");
}

using GroupKeyTest = SqlTest;

TEST_F(GroupKeyTest, RefusesToGroupByAnAggregate) {
  a_->Run("create table g (a int); insert into g values (1), (2)");
  EXPECT_EQ(a_->Error("select 7, count(*) from g group by 2"),
            "42803 11 aggregate functions are not allowed in GROUP BY");
  EXPECT_EQ(a_->Error("select 7, count(*) + 1 as n from g group by n"),
            "42803 11 aggregate functions are not allowed in GROUP BY");
  EXPECT_EQ(a_->Rows("select 20, count(*) from g group by 1 having count(*) = 2"), "20|2");
  EXPECT_EQ(a_->Rows("select 20, count(*) from g group by 1 having count(*) = 20"), "");
}

}  // namespace
}  // namespace connbench::engine
