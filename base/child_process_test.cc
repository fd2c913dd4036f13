// Tests: a child process of ours: a server, a load generator, gnuplot.
#include "base/child_process.h"

#include <gtest/gtest.h>
#include <unistd.h>

#include <csignal>

#include "base/clock.h"

namespace connbench {
namespace {

constexpr int64_t kPatience = 60 * kNanosecondsPerSecond;

TEST(ChildProcessTest, GivesItsExitAndWhatItSaid) {
  ChildOptions options;
  options.argv = {FindInPath("sh"), "-c", "echo $WORD >&2; exit 7"};
  ASSERT_NE(options.argv[0], "");
  options.env = {{"WORD", "hello"}};
  const int output = MakeOutputFile("test");
  options.descriptors = {{output, STDERR_FILENO}};
  auto child = ChildProcess::Start(options);
  ASSERT_TRUE(child.ok()) << child.status().ToString();
  const auto exit = child->Wait(kPatience);
  ASSERT_TRUE(exit.has_value());
  EXPECT_EQ(exit->exit_code(), 7);
  EXPECT_FALSE(exit->Clean());
  EXPECT_EQ(ReadOutputTail(output), "hello");
  close(output);
}

TEST(ChildProcessTest, AProgramThatIsNotThereIsAnErrorOfStart) {
  EXPECT_EQ(FindInPath("no-such-program-anywhere"), "");
  ChildOptions options;
  options.argv = {"/nonexistent/program"};
  EXPECT_FALSE(ChildProcess::Start(options).ok());
}

TEST(ChildProcessTest, ItsEndKillsTheChild) {
  ChildOptions options;
  options.argv = {FindInPath("sleep"), "600"};
  pid_t pid = 0;
  {
    auto child = ChildProcess::Start(options);
    ASSERT_TRUE(child.ok());
    pid = child->pid();
    EXPECT_FALSE(child->Wait(0).has_value());
    EXPECT_TRUE(child->running());
  }
  EXPECT_NE(kill(pid, 0), 0);
}

}  // namespace
}  // namespace connbench
