// Cells: unlike trials never meet, and a trials.csv that lost or repeats trials is refused.
#include "harness/answers/cells.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "harness/answers/compare_runs.h"
#include "harness/stats/words.h"

namespace connbench::answers {
namespace {

using RunData = results::Run;
using results::TrialRow;
using ::testing::AllOf;
using ::testing::Contains;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::UnorderedElementsAre;

struct Conditions {
  std::string target = "builtin";
  std::string model = "fork";
  std::string settings = {};
  std::string parameters = {};
  int64_t connections = 64;
};

void AddTrials(RunData& run, const Conditions& conditions, double throughput) {
  run.info.outcome = "complete";
  for (int64_t repetition = 1; repetition <= 4; ++repetition) {
    TrialRow row;
    row.trial = static_cast<int64_t>(run.trials.size()) + 1;
    row.target = conditions.target;
    row.model = conditions.model;
    row.contender = results::ContenderOf(row.target, row.model);
    row.workload = row.pattern = "steady";
    row.connections = conditions.connections;
    row.settings = conditions.settings;
    row.parameters = conditions.parameters;
    row.repetition = repetition;
    row.status = results::kTrialOk;
    row.throughput_tps = throughput + 0.1 * static_cast<double>(repetition);
    run.trials.push_back(row);
  }
  run.info.trials_written = static_cast<int64_t>(run.trials.size());
}

// "candidate against base: base's median -> candidate's" of each row.
std::vector<std::string> Pairings(const Result<stats::VerdictTable>& table) {
  std::vector<std::string> told;
  if (!table.ok()) return {table.status().ToString()};
  for (const auto& row : table->rows) {
    told.push_back(row.candidate + " against " + row.base + ": " +
                   std::to_string(std::lround(row.answer.base_median.value_or(-1))) + " -> " +
                   std::to_string(std::lround(row.answer.candidate_median.value_or(-1))));
    EXPECT_EQ(row.answer.blocks, 4U);
  }
  return told;
}

TEST(Cells, AModelIsComparedBehindTheSameTargetOnly) {
  RunData run;
  AddTrials(run, {}, 100);
  AddTrials(run, {.model = "thread"}, 200);
  AddTrials(run, {.target = "pgbouncer", .settings = "pgbouncer.pool_mode=session"}, 500);
  AddTrials(run, {.target = "postgres", .model = ""}, 900);
  const auto by_model = CompareWithinRun(run, "model", "fork", {});
  EXPECT_THAT(Pairings(by_model), ElementsAre("thread against fork: 100 -> 200"));
  EXPECT_THAT(by_model->notes, Contains(HasSubstr("no model (target postgres) in")));
  EXPECT_THAT(Pairings(CompareWithinRun(run, "target", "builtin", {})),
              ElementsAre("pgbouncer against builtin: 100 -> 500"));
  EXPECT_THAT(Pairings(CompareWithinRun(run, "contender", "postgres", {})),
              UnorderedElementsAre("fork against postgres: 900 -> 100",
                                   "thread against postgres: 900 -> 200",
                                   "pgbouncer+fork against postgres: 900 -> 500"));
  EXPECT_THAT(CompareWithinRun(run, "model", "nosuch", {}).status().error().hint,
              HasSubstr("no model (target postgres)"));
}

TEST(Cells, SweptSettingsOfOneSideAreRowsOfTheirOwn) {
  RunData run;
  AddTrials(run, {.target = "postgres", .model = ""}, 100);
  for (const auto& [size, throughput] : {std::pair("1", 200), std::pair("20", 700)}) {
    AddTrials(run,
              {.target = "pgbouncer+postgres",
               .model = "",
               .settings = std::string("pgbouncer.pool_mode=transaction "
                                       "pgbouncer.default_pool_size=") +
                           size},
              throughput);
  }
  EXPECT_THAT(
      Pairings(CompareWithinRun(run, "contender", "postgres", {})),
      UnorderedElementsAre(
          "pgbouncer+postgres with pgbouncer.default_pool_size=1 against postgres: 100 -> 200",
          "pgbouncer+postgres with pgbouncer.default_pool_size=20 against postgres: 100 -> 700"));
  EXPECT_THAT(Pairings(CompareWithinRun(run, "pgbouncer.default_pool_size", "1", {})),
              ElementsAre("pgbouncer.default_pool_size 20 against pgbouncer.default_pool_size 1: "
                          "200 -> 700"));
}

TEST(Cells, ASettingThatBothSidesCanHaveKeepsThemApart) {
  RunData run;
  AddTrials(run, {.settings = "work_mem=1MB"}, 100);
  AddTrials(run, {.settings = "work_mem=64MB"}, 150);
  AddTrials(run, {.model = "thread", .settings = "work_mem=1MB"}, 200);
  AddTrials(run, {.model = "thread", .settings = "work_mem=64MB"}, 300);
  AddTrials(run, {.model = "reactor", .settings = "work_mem=2MB"}, 900);
  const auto compared = CompareWithinRun(run, "model", "fork", {});
  EXPECT_THAT(Pairings(compared), UnorderedElementsAre("thread against fork: 100 -> 200",
                                                       "thread against fork: 150 -> 300"));
  // Sentences say which is which.
  EXPECT_THAT(stats::HeadlineSentences(*compared),
              UnorderedElementsAre(HasSubstr("(work_mem 1MB)"), HasSubstr("(work_mem 64MB)")));
}

TEST(Cells, OnlyTheLimitThatFollowsFromTheLoadIsTakenOut) {
  RunData run;
  for (const int64_t connections : {200, 400}) {
    for (const char* model : {"fork", "thread"}) {
      AddTrials(run,
                {.model = model,
                 .settings = "max_connections=" + std::to_string(connections + 13),
                 .connections = connections},
                static_cast<double>(connections));
    }
  }
  EXPECT_THAT(Pairings(CompareWithinRun(run, "connections", "200", {})),
              ElementsAre("connections 400 against connections 200: 200 -> 400",
                          "connections 400 against connections 200: 200 -> 400"));
  // Chosen by the user: of each limit its own cell, five blocks and not ten.
  RunData swept;
  for (const char* model : {"fork", "thread"}) {
    for (const char* limit : {"100", "500"}) {
      AddTrials(swept, {.model = model, .settings = std::string("max_connections=") + limit}, 100);
    }
  }
  EXPECT_THAT(Pairings(CompareWithinRun(swept, "model", "fork", {})),
              ElementsAre("thread against fork: 100 -> 100", "thread against fork: 100 -> 100"));
  EXPECT_THAT(Pairings(CompareWithinRun(swept, "max_connections", "100", {})).size(), 2U);
}

TEST(Cells, SweptParametersAreAxes) {
  RunData run;
  for (const char* workers : {"1", "4"}) {
    AddTrials(run, {.parameters = std::string("workers=") + workers}, *workers * 10);
  }
  EXPECT_THAT(Pairings(CompareWithinRun(run, "workers", "1", {})),
              ElementsAre("workers 4 against workers 1: 490 -> 520"));
  EXPECT_THAT(CompareWithinRun(run, "workerz", "1", {}).status().error().hint,
              HasSubstr("workers"));
}

TEST(Cells, UnlikeTrialsThatWouldMeetAreRefusedByName) {
  RunData run;
  AddTrials(run, {}, 100);
  AddTrials(run, {}, 200);
  for (size_t i = 4; i < 8; ++i) run.trials[i].workload = "other";
  AddTrials(run, {}, 300);
  for (size_t i = 8; i < 12; ++i) run.trials[i].pattern = "churn";
  const auto refused = CompareWithinRun(run, "pattern", "steady", {});
  ASSERT_FALSE(refused.ok());
  EXPECT_THAT(refused.status().ToString(),
              AllOf(HasSubstr("trials 1 "), HasSubstr("and 5 "), HasSubstr("repetition 1")));
}

TEST(Cells, ATrialsFileThatIsNotAsItWasWrittenIsRefused) {
  RunData whole;
  AddTrials(whole, {}, 100);
  ASSERT_TRUE(CompareRuns(whole, whole, {}).ok());
  RunData cut = whole;
  cut.trials.pop_back();
  EXPECT_THAT(CompareRuns(whole, cut, {}).status().ToString(),
              HasSubstr("it has 3 trials, and run.json says that 4 were written"));
  EXPECT_FALSE(CompareHalves(cut, {}).ok());
  EXPECT_FALSE(CompareWithinRun(cut, "model", "fork", {}).ok());
  // A run that was killed does not know how many it wrote.
  cut.info.outcome = "running";
  EXPECT_TRUE(CompareRuns(whole, cut, {}).ok());
  RunData doubled = whole;
  doubled.trials.push_back(whole.trials[2]);
  ++doubled.info.trials_written;
  EXPECT_THAT(CompareRuns(doubled, whole, {}).status().ToString(), HasSubstr("trial 3 stands"));
  doubled.trials.back().trial = 5;
  EXPECT_THAT(CompareRuns(doubled, whole, {}).status().ToString(),
              HasSubstr("are both repetition 3"));
}

}  // namespace
}  // namespace connbench::answers
