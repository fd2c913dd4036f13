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

// A run and the same done again read the same files, also where the first ones are gone.
TEST_F(RunInputsTest, FilesOfSettingsAndTargetsComeAlong) {
  Write("mine/rules/hba.conf", "host all all all trust\n");
  Write("mine/rules/other.conf", "local all all trust\n");
  Write("mine/rules/pw", "secret\n");
  fs::permissions(root_ / "mine/rules/pw", fs::perms::owner_read | fs::perms::owner_write);
  Write("mine/rules/users", "\"a\" \"b\"\n");
  Write("mine/server.toml", "command = [\"true\"]\n");
  Write("mine/files.toml",
        "models = [\"fork\"]\ntargets = [\"pgbouncer+thread\", \"file:server.toml\"]\n"
        "[set]\npwfile = \"rules/pw\"\n[set.pgbouncer]\nauth_file = \"rules/users\"\n"
        "[[experiment]]\nworkload = \"queries/w.toml\"\n"
        "[experiment.set]\nhba_file = [\"rules/hba.conf\", \"rules/other.conf\"]\n");
  const RunPlanInputs made = Make("mine/files.toml");
  ASSERT_TRUE(WriteRunInputs(Run(), made).ok());
  EXPECT_EQ(Read("run/inputs/rules/hba.conf"), "host all all all trust\n");
  EXPECT_EQ(Read("run/inputs/server.toml"), "command = [\"true\"]\n");
  EXPECT_EQ(fs::status(root_ / "run/inputs/rules/pw").permissions(),
            fs::perms::owner_read | fs::perms::owner_write);
  EXPECT_EQ(Read("run/plan.json").find(root_.string()), std::string::npos);
  fs::remove_all(root_ / "mine");
  const auto read = ReadRunInputs(Run());
  ASSERT_TRUE(read.ok()) << read.status().ToString();
  const RunPlanInputs placed = PlaceInputs(made, Run());
  ASSERT_EQ(read->plan.cells.size(), 5U);
  for (size_t i = 0; i < read->plan.cells.size(); ++i) {
    const Cell& cell = read->plan.cells[i];
    EXPECT_EQ(cell.name, placed.plan.cells[i].name);
    EXPECT_EQ(cell.SettingsText(), placed.plan.cells[i].SettingsText());
    const targets::TargetRequest request = cell.Request();
    const std::string file = targets::FileOfTarget(request.name.text);
    if (!file.empty()) {
      EXPECT_EQ(file, (root_ / "run/inputs/server.toml").string());
    }
    for (const auto& [name, value] : request.settings) {
      EXPECT_TRUE(fs::exists(value)) << name << "=" << value;
      EXPECT_TRUE(value.starts_with(Run())) << name << "=" << value;
    }
  }
  EXPECT_THAT(read->plan.cells[0].name, HasSubstr("/hba_file:inputs/rules/hba.conf"));
  EXPECT_THAT(read->plan.cells[0].SettingsText(), HasSubstr("pwfile=inputs/rules/pw"));
  // Done again from there: the copies are the files.
  const RunPlanInputs again = PlaceInputs(*read, (root_ / "rerun").string());
  EXPECT_EQ(again.plan.cells[0].SettingsText(), read->plan.cells[0].SettingsText());
  EXPECT_EQ(targets::ValueOf(again.plan.cells[0].Request().settings, "pwfile"),
            (root_ / "rerun/inputs/rules/pw").string());
}

TEST_F(RunInputsTest, AFileOfASettingThatCannotBeReadIsNamed) {
  Write("mine/files.toml",
        "models = [\"fork\"]\n[set]\nhba_file = \"nosuch\"\n[[experiment]]\n"
        "workload = \"queries/w.toml\"\n");
  const Status status = WriteRunInputs(Run(), Make("mine/files.toml"));
  ASSERT_FALSE(status.ok());
  EXPECT_THAT(status.error().message, HasSubstr("mine/nosuch"));
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
