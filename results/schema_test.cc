// Tests: the schema of a run's files.
#include "results/schema.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstdlib>
#include <fstream>
#include <iterator>
#include <set>

namespace connbench::results {
namespace {

using testing::ElementsAreArray;

// Compares with a committed file; CONNBENCH_UPDATE_FILES=1 writes it instead.
void ExpectCommitted(const std::string& path, const std::string& text) {
  const std::string full = std::string(CONNBENCH_SOURCE_DIR) + "/" + path;
  if (std::getenv("CONNBENCH_UPDATE_FILES") != nullptr) {
    std::ofstream(full) << text;
    return;
  }
  std::ifstream in(full);
  const std::string committed((std::istreambuf_iterator<char>(in)),
                              std::istreambuf_iterator<char>());
  EXPECT_EQ(committed, text) << path << " is not what the tables say; run results_test once with "
                             << "CONNBENCH_UPDATE_FILES=1 and commit it";
}

TEST(SchemaTest, CommittedPagesFollowTheTables) {
  ExpectCommitted("docs/csv-schema.md", SchemaMarkdown());
  ExpectCommitted("results/run.schema.json", RunJsonSchema());
}

TEST(SchemaTest, TrialsOpenWithTheColumnsThatOthersRelyOn) {
  std::vector<std::string_view> names;
  for (const auto& field : Fields<TrialRow>()) names.push_back(field.column.name);
  const std::vector<std::string_view> expected = {
      "run_id",
      "trial",
      "cell",
      "target",
      "model",
      "workload",
      "connections",
      "repetition",
      "pattern",
      "protocol",
      "contender",
      "status",
      "status_reason",
      "transactions_ok",
      "transactions_failed",
      "throughput_tps",
      "latency_us_p50",
      "latency_us_p99",
      "latency_us_p999",
      "latency_us_max",
      "connects_ok",
      "connects_failed",
      "connects_per_s",
      "connect_us_p50",
      "connect_us_p99",
      "rss_kb_per_connection",
      "pss_kb_per_connection",
      "private_kb_per_connection",
      "page_tables_kb_per_connection",
      "server_cpu_us_per_transaction",
      "server_cpu_us_per_connect",
      "server_context_switches_per_transaction",
      "client_cpu_fraction",
  };
  ASSERT_GE(names.size(), expected.size());
  names.resize(expected.size());
  EXPECT_THAT(names, ElementsAreArray(expected));
}

TEST(SchemaTest, ColumnsAreUniqueExplainedAndOpenWithTheKeys) {
  for (const FileDescription& file : DescribeFiles()) {
    std::set<std::string_view> names;
    for (const Column& column : file.columns) {
      EXPECT_TRUE(names.insert(column.name).second) << file.name << ": " << column.name;
      EXPECT_FALSE(column.help.empty()) << column.name;
      EXPECT_FALSE(column.label.empty()) << column.name;
      // A table in markdown has one line per column.
      EXPECT_EQ(column.help.find_first_of("|\n"), std::string_view::npos) << column.name;
    }
    ASSERT_GE(file.columns.size(), 11U);
    EXPECT_EQ(file.columns[0].name, "run_id");
    EXPECT_EQ(file.columns[7].name, "repetition");
    EXPECT_EQ(file.columns[10].name, "contender");
  }
}

TEST(SchemaTest, RolesTellWhatIsBetter) {
  EXPECT_EQ(FindField<TrialRow>("throughput_tps")->column.better(), Better::kHigher);
  EXPECT_EQ(FindField<TrialRow>("latency_us_p99")->column.better(), Better::kLower);
  EXPECT_EQ(FindField<TrialRow>("rss_kb_per_connection")->column.better(), Better::kNeither);
  EXPECT_TRUE(FindField<TrialRow>("model")->column.is_axis());
  EXPECT_EQ(FindField<TrialRow>("no_such_column"), nullptr);
}

TEST(SchemaTest, NumbersPrintShortAndExact) {
  TrialRow row;
  const auto* field = FindField<TrialRow>("throughput_tps");
  const std::pair<double, const char*> cases[] = {
      {0, "0"},       {-0.0, "0"},        {3, "3"},
      {12.5, "12.5"}, {0.9999, "0.9999"}, {1234567.891, "1234567.891"},
      {1e-9, "0"},    {100, "100"},       {-2.25, "-2.25"},
  };
  for (const auto& [value, text] : cases) {
    row.throughput_tps = value;
    EXPECT_EQ(field->Print(row), text);
  }
  row.throughput_tps.reset();
  EXPECT_EQ(field->Print(row), "");
}

TEST(SchemaTest, WhatWasNotMeasuredIsNoNumber) {
  TrialRow row;
  const auto* throughput = FindField<TrialRow>("throughput_tps");
  EXPECT_EQ(throughput->Measured(row), std::nullopt);
  row.throughput_tps = 0;
  EXPECT_EQ(throughput->Measured(row), 0);
  row.transactions_failed = 3;
  EXPECT_EQ(FindField<TrialRow>("transactions_failed")->Measured(row), 3);
  row.connections = 8;  // an axis
  EXPECT_EQ(FindField<TrialRow>("connections")->Measured(row), 8);
  row.model = "7";
  EXPECT_EQ(FindField<TrialRow>("model")->Measured(row), std::nullopt);
}

TEST(SchemaTest, AContenderIsTheModelOrTheTargetWithItsModel) {
  EXPECT_EQ(ContenderOf("builtin", "thread-pool"), "thread-pool");
  EXPECT_EQ(ContenderOf("postgres", ""), "postgres");
  EXPECT_EQ(ContenderOf("pgbouncer", "fork"), "pgbouncer+fork");
  EXPECT_EQ(ContenderOf("pgbouncer+postgres", ""), "pgbouncer+postgres");
}

}  // namespace
}  // namespace connbench::results
