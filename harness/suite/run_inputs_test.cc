// Tests: a run's folder holds its inputs.
#include "harness/suite/run_inputs.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <iterator>

#include "harness/suite/plan_json.h"
#include "harness/workload/workload_json.h"

namespace connbench::suite {
namespace {

namespace fs = std::filesystem;
using testing::HasSubstr;

class RunInputsTest : public testing::Test {
 protected:
  RunInputsTest() {
    Write("mine/suite.toml", kSuite);
    Write("mine/queries/w.toml",
          "scripts = [{ file = \"../sql/q.sql\" }]\nsetup = \"t.sql\"\nconnections = 2\n"
          "define = { x = 1 }\n");
    Write("mine/queries/t.sql", "CREATE TABLE t (a int);\n");
    Write("mine/sql/q.sql", "SELECT :x;\n");
    Write("run/run.json", "{}");
  }
  ~RunInputsTest() override { fs::remove_all(root_); }

  void Write(const std::string& name, const std::string& text) const {
    const fs::path path = root_ / name;
    fs::create_directories(path.parent_path());
    std::ofstream(path) << text;
  }
  std::string Read(const std::string& name) const {
    std::ifstream in(root_ / name);
    return {(std::istreambuf_iterator<char>(in)), std::istreambuf_iterator<char>()};
  }
  std::string Run() const { return (root_ / "run").string(); }

  RunPlanInputs Make(const std::string& file = "mine/suite.toml") const {
    RunPlanInputs inputs;
    inputs.suite = *LoadSuite((root_ / file).string());
    inputs.overrides.has_seed = true;
    inputs.overrides.seed = INT64_MAX;
    inputs.waived = {"steal"};
    auto plan = MakePlan(inputs.suite, inputs.overrides);
    EXPECT_TRUE(plan.ok()) << plan.status().ToString();
    inputs.plan = std::move(*plan);
    return inputs;
  }

  static constexpr char kSuite[] =
      "models = [\"fork\"]\ntargets = [\"pgbouncer+thread\"]\n[[experiment]]\n"
      "workload = \"queries/w.toml\"\nuntil = { interval = 0.1 }\n"
      "[experiment.set]\nwork_mem = [\"1MB\", \"2MB\"]\n[experiment.vary]\n\"define.x\" = [1, 2]\n";
  const fs::path root_ =
      fs::temp_directory_path() / ("connbench-inputs-test-" + std::to_string(getpid()));
};

TEST_F(RunInputsTest, ThePlanReadsBackWhole) {
  const RunPlanInputs made = Make();
  const auto read = ReadPlanJson(WritePlanJson(made), "plan.json");
  ASSERT_TRUE(read.ok()) << read.status().ToString();
  EXPECT_EQ(read->plan.suite, "suite");
  EXPECT_EQ(read->plan.seed, uint64_t{INT64_MAX});
  EXPECT_EQ(read->waived, made.waived);
  ASSERT_EQ(read->plan.cells.size(), made.plan.cells.size());
  for (size_t i = 0; i < made.plan.cells.size(); ++i) {
    const Cell& cell = made.plan.cells[i];
    const Cell& back = read->plan.cells[i];
    EXPECT_EQ(back.name, cell.name);
    EXPECT_EQ(back.target.parts, cell.target.parts);
    EXPECT_EQ(back.settings, cell.settings);
    EXPECT_EQ(back.parameters, cell.parameters);
    EXPECT_EQ(back.until->interval, 0.1);
    EXPECT_EQ(load::WriteWorkloadJson(back.workload), load::WriteWorkloadJson(cell.workload));
  }
  ASSERT_EQ(read->plan.trials.size(), made.plan.trials.size());
  for (size_t i = 0; i < made.plan.trials.size(); ++i) {
    EXPECT_EQ(read->plan.trials[i].cell, made.plan.trials[i].cell);
    EXPECT_EQ(read->plan.trials[i].repetition, made.plan.trials[i].repetition);
    EXPECT_EQ(read->plan.trials[i].seed, made.plan.trials[i].seed);
  }
}

TEST_F(RunInputsTest, ACrossoverGoesOnPlanningAlike) {
  Write("mine/queries/churn.toml",
        "pattern = \"churn\"\nscripts = [{ file = \"../sql/q.sql\" }]\nconnections = 2\n"
        "define = { x = 1 }\n");
  Write("mine/cross.toml",
        "[crossover]\nworkload = \"queries/churn.toml\"\nmodels = [\"fork\", \"thread\"]\nto = 64\n"
        "duration = \"2s\"\n[crossover.set]\nwork_mem = \"2MB\"\n");
  const RunPlanInputs made = Make("mine/cross.toml");
  const auto read = ReadPlanJson(WritePlanJson(made), "plan.json");
  ASSERT_TRUE(read.ok()) << read.status().ToString();
  ASSERT_TRUE(read->plan.crossover.has_value());
  const auto before = MakeCrossoverCell(made.suite, made.overrides, "thread", 7);
  const auto after = MakeCrossoverCell(read->suite, read->overrides, "thread", 7);
  ASSERT_TRUE(before.ok() && after.ok());
  EXPECT_EQ(after->name, before->name);
  EXPECT_EQ(after->settings, before->settings);
  EXPECT_EQ(load::WriteWorkloadJson(after->workload), load::WriteWorkloadJson(before->workload));
}

TEST_F(RunInputsTest, APlaceInAFileIsNamedAsItLiesInTheRun) {
  const RunPlanInputs made = Make();
  const std::string table = (root_ / "mine/queries/t.sql").string();
  EXPECT_EQ(PlaceInRun(made, table + ":1"), "inputs/queries/t.sql:1");
  EXPECT_EQ(PlaceInRun(made, table + ":1:7"), "inputs/queries/t.sql:1:7");
  EXPECT_EQ(PlaceInRun(made, "the flag --sql:1"), "the flag --sql:1");
}

TEST_F(RunInputsTest, FilesKeepTheirPlacesAndNamesOfThisMachineStayOut) {
  ASSERT_TRUE(WriteRunInputs(Run(), Make()).ok());
  EXPECT_EQ(Read("run/inputs/suite.toml"), kSuite);
  EXPECT_EQ(Read("run/inputs/sql/q.sql"), "SELECT :x;\n");
  EXPECT_EQ(Read("run/inputs/queries/t.sql"), "CREATE TABLE t (a int);\n");
  EXPECT_EQ(Read("run/plan.json").find(root_.string()), std::string::npos);
  // It can be run as it lies there.
  const auto suite = LoadSuite(Run() + "/inputs/suite.toml");
  ASSERT_TRUE(suite.ok());
  EXPECT_TRUE(MakePlan(*suite, {}).ok());
  // And without it.
  fs::remove_all(root_ / "mine");
  const auto read = ReadRunInputs(Run());
  ASSERT_TRUE(read.ok()) << read.status().ToString();
  EXPECT_EQ(read->plan.cells[0].workload.scripts[0].text, "SELECT :x;\n");
  EXPECT_EQ(read->plan.cells[0].workload.scripts[0].path, "inputs/sql/q.sql");
}

TEST_F(RunInputsTest, WhatWasChangedOrLostIsNamed) {
  ASSERT_TRUE(WriteRunInputs(Run(), Make()).ok());
  Write("run/inputs/sql/q.sql", "SELECT 2;\n");
  auto read = ReadRunInputs(Run());
  ASSERT_FALSE(read.ok());
  EXPECT_THAT(read.status().error().message, HasSubstr("inputs/sql/q.sql was changed"));
  EXPECT_THAT(read.status().error().hint, HasSubstr("begin a new run"));
  fs::remove(root_ / "run/inputs/sql/q.sql");
  EXPECT_THAT(ReadRunInputs(Run()).status().error().message, HasSubstr("q.sql was lost"));
  Write("run/inputs/sql/q.sql", "SELECT :x;\n");
  EXPECT_TRUE(ReadRunInputs(Run()).ok());
  Write("run/plan.json", Read("run/plan.json") + " ");
  EXPECT_THAT(ReadRunInputs(Run()).status().error().message, HasSubstr("plan.json was changed"));
  Write("run/inputs.sha256", "nonsense\n");
  EXPECT_THAT(ReadRunInputs(Run()).status().error().message, HasSubstr("was damaged"));
  Write("run/inputs.sha256", "");
  EXPECT_THAT(ReadRunInputs(Run()).status().error().message, HasSubstr("was damaged"));
  fs::remove(root_ / "run/inputs.sha256");
  EXPECT_THAT(ReadRunInputs(Run()).status().error().hint, HasSubstr("--resume"));
  EXPECT_THAT(ReadRunInputs((root_ / "none").string()).status().error().message,
              HasSubstr("holds no run"));
}

TEST_F(RunInputsTest, APlanThatIsNoneSaysWhatIsWrong) {
  for (const char* text : {"", "[]", "{}", "{\"version\": 9}", "{\"version\": 1, \"suite\": 3}"}) {
    const auto read = ReadPlanJson(text, "plan.json");
    ASSERT_FALSE(read.ok()) << text;
    EXPECT_THAT(read.status().error().message, HasSubstr("plan.json: "));
  }
}

}  // namespace
}  // namespace connbench::suite
