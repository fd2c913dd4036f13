// Which tables a run has, and what is in them.
#include "plots/page/tables.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace connbench::plots {
namespace {

using results::TrialRow;
using testing::ElementsAre;
using testing::IsEmpty;

TrialRow Trial(const std::string& model, const std::string& pattern, int64_t connections,
               const std::string& axes = "") {
  TrialRow row;
  row.target = "builtin";
  row.model = model;
  row.contender = model;
  row.pattern = pattern;
  row.workload = pattern;
  row.protocol = "simple";
  row.connections = connections;
  row.cell = "model:" + model + "/workload:" + pattern +
             "/connections:" + std::to_string(connections) + axes;
  row.status = results::kTrialOk;
  return row;
}

std::vector<std::string> TitlesOf(const std::vector<FigureTable>& tables) {
  std::vector<std::string> titles;
  for (const FigureTable& table : tables) titles.push_back(table.title);
  return titles;
}

std::vector<std::string> LabelsOf(const FigureTable& table) {
  std::vector<std::string> labels;
  for (const FigureRow& row : table.rows) labels.push_back(row.label);
  return labels;
}

TEST(TablesTest, AnEmptyRunHasNone) { EXPECT_THAT(BuildTables({}), IsEmpty()); }

TEST(TablesTest, HeadlinesComeFirstAndWhatNobodyMeasuredIsLeftOut) {
  results::Run run;
  TrialRow row = Trial("fork", "storm", 500);
  row.latency_us_p50 = 10;
  row.request_us_mean = 2000;
  row.all_served_ms = 40;
  row.connects_failed = 0;
  run.trials = {row};
  const auto tables = BuildTables(run);
  EXPECT_THAT(TitlesOf(tables), ElementsAre("workload:storm/connections:500"));
  EXPECT_THAT(LabelsOf(tables[0]),
              ElementsAre("request mean [us]", "all served [ms]", "after login p50 [us]"));
}

TEST(TablesTest, HeadlinesOfAVictimAndOfMemoryAreShown) {
  results::Run run;
  TrialRow victim = Trial("fork", "mixed", 8);
  victim.victim_p99_inflation = 3;
  victim.victim_recovery_ms = 100;
  TrialRow idle = Trial("fork", "idle", 400);
  idle.private_kb_per_connection = 90;
  idle.memory_kb_per_connection = 160;
  run.trials = {victim, idle};
  const auto tables = BuildTables(run);
  ASSERT_EQ(tables.size(), 2U);
  EXPECT_THAT(LabelsOf(tables[0]),
              ElementsAre("private / connection [kB]", "memory / connection [kB]"));
  EXPECT_THAT(LabelsOf(tables[1]), ElementsAre("p99 inflation", "recovery [ms]"));
}

TEST(TablesTest, OnlyValidTrialsGiveFiguresAndAMissingFigureIsNone) {
  results::Run run;
  TrialRow row = Trial("fork", "steady", 8);
  row.throughput_tps = 100;
  TrialRow invalid = row;
  invalid.throughput_tps = 1;
  invalid.status = results::kTrialInvalid;
  TrialRow lacking = row;
  lacking.throughput_tps.reset();
  TrialRow other = Trial("thread", "steady", 8);
  other.status = results::kTrialInvalid;
  run.trials = {row, invalid, lacking, other};
  const auto tables = BuildTables(run);
  ASSERT_EQ(tables.size(), 1U);
  EXPECT_THAT(tables[0].contenders, ElementsAre("fork", "thread"));
  ASSERT_EQ(tables[0].rows.size(), 1U);
  EXPECT_THAT(tables[0].rows[0].repetitions, ElementsAre(ElementsAre(100), IsEmpty()));
}

TEST(TablesTest, ASweptAxisIsATableOfItsOwnOrderedByValue) {
  results::Run run;
  for (const int64_t connections : {64, 8, 256}) {
    for (const char* model : {"fork", "thread"}) {
      TrialRow row = Trial(model, "steady", connections);
      row.throughput_tps = static_cast<double>(connections);
      row.request_us_p99 = 5;
      run.trials.push_back(row);
    }
  }
  const auto tables = BuildTables(run);
  EXPECT_THAT(TitlesOf(tables),
              ElementsAre("workload:steady, throughput [tx/s] by connections",
                          "workload:steady, request p99 [us] by connections",
                          "workload:steady/connections:8", "workload:steady/connections:64",
                          "workload:steady/connections:256"));
  EXPECT_EQ(tables[0].corner, "connections");
  EXPECT_THAT(LabelsOf(tables[0]), ElementsAre("8", "64", "256"));
  EXPECT_THAT(tables[0].rows[2].repetitions, ElementsAre(ElementsAre(256), ElementsAre(256)));
}

TEST(TablesTest, SettingsAndParametersAreAxesAndWhatTheyDoNotConcernStandsFirst) {
  results::Run run;
  const auto add = [&](const char* model, const char* axes) {
    TrialRow row = Trial(model, "churn", 8, axes);
    row.request_us_mean = 7;
    run.trials.push_back(row);
  };
  add("pool-tx", "/protocol:prepared/pool_size:16");
  add("pool-tx", "/protocol:prepared/pool_size:2");
  add("fork", "/protocol:prepared");
  const auto tables = BuildTables(run);
  ASSERT_EQ(tables.size(), 4U);
  EXPECT_EQ(tables[0].title,
            "workload:churn/connections:8/protocol:prepared, request mean [us] by pool_size");
  EXPECT_THAT(LabelsOf(tables[0]), ElementsAre("(not set)", "2", "16"));
  EXPECT_THAT(tables[0].contenders, ElementsAre("fork", "pool-tx"));
}

TEST(TablesTest, TrialsOfAnExperimentThatDoesNotVaryAnAxisAreNoRowOfIt) {
  results::Run run;
  const auto add = [&](const char* model, const char* axes) {
    TrialRow row = Trial(model, "churn", 8, axes);
    row.request_us_mean = 7;
    run.trials.push_back(row);
  };
  add("fork", "");
  add("fork", "/huge_pages:off");
  add("fork", "/huge_pages:try");
  const auto tables = BuildTables(run);
  ASSERT_FALSE(tables.empty());
  EXPECT_EQ(tables[0].title, "workload:churn/connections:8, request mean [us] by huge_pages");
  EXPECT_THAT(LabelsOf(tables[0]), ElementsAre("off", "try"));
}

}  // namespace
}  // namespace connbench::plots
