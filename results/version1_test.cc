// Tests: files of schema version 1 are read as what they meant.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <set>

#include "results/metrics.h"
#include "results/reader.h"

namespace connbench::results {
namespace {

constexpr char kKeys[] = "run_id,trial,cell,target,model,workload,connections,repetition";

template <typename Row>
std::vector<Row> Read(const std::string& columns, const std::string& lines) {
  const auto rows = ParseCsv<Row>(kKeys + columns + "\n" + lines, "old.csv");
  EXPECT_TRUE(rows.ok()) << rows.status().ToString();
  return rows.ok() ? *rows : std::vector<Row>();
}

TEST(Version1Test, KeysAreMadeUpFor) {
  const auto rows =
      Read<ErrorRow>(",kind,outcome,count",
                     "r,1,c,builtin,fork,storm,8,1,connect,ok,3\n"
                     "r,2,c/protocol:extended/a:b,pgbouncer,fork,steady,8,1,connect,ok,3\n"
                     "r,3,c,postgres,,of-my-own,8,1,connect,ok,3\n");
  ASSERT_EQ(rows.size(), 3U);
  EXPECT_EQ(rows[0].pattern + " " + rows[0].protocol + " " + rows[0].contender,
            "storm simple fork");
  EXPECT_EQ(rows[1].pattern + " " + rows[1].protocol + " " + rows[1].contender,
            "steady extended pgbouncer+fork");
  EXPECT_EQ(rows[2].pattern + " " + rows[2].protocol + " " + rows[2].contender, "  postgres");
}

TEST(Version1Test, AnOutcomeThatDidNotOccurHasNoRow) {
  const auto rows = Read<ErrorRow>(",kind,outcome,count",
                                   "r,1,c,builtin,fork,storm,8,1,connect,ok,3\n"
                                   "r,1,c,builtin,fork,storm,8,1,connect,refused,0\n");
  EXPECT_EQ(rows.size(), 1U);
}

TEST(Version1Test, AZeroThatStoodForNothingIsEmpty) {
  const auto rows = Read<TrialRow>(
      ",status,status_reason,transactions_ok,transactions_failed,throughput_tps,latency_us_p50,"
      "latency_us_p999,window_s,steal_fraction,all_served_ms,victim_p99_inflation,"
      "memory_kb_per_connection,memory_kb_per_connection_low,memory_kb_per_connection_high,"
      "offered_tps,pool_services,pool_pinned_fraction",
      "r,1,c,builtin,fork,steady,8,1,OK,,70,0,35,12.5,0,2,0,0,0,8,8,8,0,0,0\n"
      "r,2,c,builtin,pool-tx,steady,8,1,OK,,70,0,35,12.5,0,2,0,0,0,8,7,9,0,10,0\n");
  ASSERT_EQ(rows.size(), 2U);
  const TrialRow& row = rows[0];
  EXPECT_EQ(row.throughput_tps, 35);
  EXPECT_EQ(row.transactions_failed, 0) << "a count can be 0";
  EXPECT_EQ(row.steal_fraction, 0) << "and so can a share";
  EXPECT_EQ(row.latency_us_p999, std::nullopt);
  EXPECT_EQ(row.all_served_ms, std::nullopt);
  EXPECT_EQ(row.victim_p99_inflation, std::nullopt);
  EXPECT_EQ(row.offered_tps, std::nullopt);
  EXPECT_EQ(row.memory_kb_per_connection, 8);
  EXPECT_EQ(row.memory_kb_per_connection_low, std::nullopt) << "an interval without width";
  EXPECT_EQ(rows[1].memory_kb_per_connection_low, 7);
  EXPECT_EQ(row.pool_services, std::nullopt);
  EXPECT_EQ(row.pool_pinned_fraction, std::nullopt);
  EXPECT_EQ(rows[1].pool_pinned_fraction, 0) << "it has a pool";
}

TEST(Version1Test, ATrialThatNeverCameToItsWindowMeasuredNothing) {
  const auto rows = Read<TrialRow>(
      ",status,status_reason,transactions_ok,transactions_failed,throughput_tps,seed,started_s,"
      "window_s",
      "r,1,c,builtin,fork,steady,8,1,INVALID,no server,0,0,0,7,1.5,0\n");
  ASSERT_EQ(rows.size(), 1U);
  EXPECT_EQ(rows[0].transactions_ok, std::nullopt);
  EXPECT_EQ(rows[0].window_s, std::nullopt);
  EXPECT_EQ(rows[0].seed, 7);
  EXPECT_EQ(rows[0].started_s, 1.5);
}

TEST(Version1Test, WhereNobodyConnectedARequestIsATransaction) {
  const std::string columns = ",status,latency_us_p50,window_s";
  const auto rows = Read<TrialRow>(columns,
                                   "r,1,c,builtin,fork,steady,8,1,OK,12.5,1\n"
                                   "r,2,c,builtin,fork,churn,8,1,OK,12.5,1\n");
  ASSERT_EQ(rows.size(), 2U);
  EXPECT_EQ(rows[0].request_us_p50, 12.5);
  EXPECT_EQ(rows[1].request_us_p50, std::nullopt) << "its connects are not in it";
}

TEST(Version1Test, RunsOfThisVersionAreRead) {
  for (const char* name : {"quick", "postgres"}) {
    const auto run =
        Run::Load(std::string(CONNBENCH_SOURCE_DIR) + "/results/testdata/version1/" + name);
    ASSERT_TRUE(run.ok()) << run.status().ToString();
    EXPECT_EQ(run->rows_left_out, 0);
    for (const TrialRow& row : run->trials) {
      EXPECT_FALSE(row.contender.empty());
      EXPECT_FALSE(row.protocol.empty()) << row.cell;
      EXPECT_THAT(MetricPatterns(), testing::Contains(row.pattern)) << row.workload;
      if (row.status != kTrialOk) continue;
      EXPECT_GT(row.connects_ok.value_or(0), 0) << row.cell;
      for (const Field<TrialRow>& field : Fields<TrialRow>()) {
        // No metric of its own kind is exactly 0.
        if (field.column.better() == Better::kNeither || field.column.type != ColumnType::kReal ||
            field.column.name.starts_with("pool_")) {
          continue;
        }
        EXPECT_NE(field.Measured(row), 0) << row.cell << " " << field.column.name;
      }
    }
  }
}

}  // namespace
}  // namespace connbench::results
