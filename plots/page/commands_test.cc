// Tests: command lines can be pasted, and do not write over the run they repeat.
#include "plots/page/commands.h"

#include <gtest/gtest.h>

namespace connbench::plots {
namespace {

results::Run RunOf(std::vector<std::string> argv) {
  results::Run run;
  run.folder = "results/my run";
  run.info.argv = std::move(argv);
  return run;
}

TEST(Commands, WordsAreQuotedForAShell) {
  EXPECT_EQ(ShellWord("workload:steady/connections:8"), "workload:steady/connections:8");
  EXPECT_EQ(ShellWord(""), "''");
  EXPECT_EQ(ShellWord("a b"), "'a b'");
  EXPECT_EQ(ShellWord("it's $(id)"), "'it'\\''s $(id)'");
  EXPECT_EQ(ShellWord("~"), "'~'");
}

TEST(Commands, ARunIsRepeatedIntoAFolderOfItsOwn) {
  const auto run = RunOf({"connbench", "run", "models", "-o", "results/x", "--output=y", "-oz",
                          "--resume", "--repetitions", "3"});
  EXPECT_EQ(RunCommand(run), "./connbench run models --repetitions 3");
  EXPECT_EQ(RepeatCommand(run, "workload:a.b/connections:8"),
            "./connbench run models --repetitions 3 --filter 'workload:a\\.b/connections:8$'");
}

TEST(Commands, AFilterIsGivenOnce) {
  const auto run = RunOf({"connbench", "run", "models", "--filter", "steady"});
  EXPECT_EQ(RepeatCommand(run, "workload:a/connections:8"),
            "./connbench run models --filter steady");
}

TEST(Commands, AResumedRunIsDoneAgainFromItsFolder) {
  EXPECT_EQ(RepeatCommand(RunOf({"connbench", "resume", "x"}), "workload:a/connections:8"),
            "./connbench rerun 'results/my run'");
  EXPECT_EQ(RunCommand(RunOf({})), "./connbench rerun 'results/my run'");
}

TEST(Commands, AComparisonNamesItsBase) {
  EXPECT_EQ(CompareCommand(RunOf({}), "dsn:a b"),
            "./connbench compare --by contender --base 'dsn:a b' 'results/my run'");
}

}  // namespace
}  // namespace connbench::plots
