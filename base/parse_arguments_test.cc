// Tests: reading the command line.
#include "base/parse_arguments.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstdlib>

#include "base/exit_code.h"

namespace connbench::cli {
namespace {

using testing::HasSubstr;
using testing::Not;

class ParseArgumentsTest : public testing::Test {
 protected:
  ParseArgumentsTest() {
    setenv("COLUMNS", "80", 1);
    app_.require_subcommand(1);
    CLI::App* run = app_.add_subcommand("run", "measures");
    run->set_help_flag("--help");
    run->add_option("WHAT", what_, "what to run");
    run->add_option("--models", models_, "who serves")->check(CLI::IsMember({"fork", "thread"}));
    run->add_option("-c,--connections", connections_, "how many")->check(CLI::Range(1, 9));
    CLI::App* load = app_.add_subcommand("load", "drives a server");
    load->set_help_flag("--help");
    load->add_option("-h,--host", host_, "the server's host");
  }
  ~ParseArgumentsTest() override { unsetenv("COLUMNS"); }

  // What is printed is in out_ and err_.
  std::optional<int> Parse(std::vector<const char*> words) {
    words.insert(words.begin(), "tool");
    testing::internal::CaptureStdout();
    testing::internal::CaptureStderr();
    const auto exit_code = ParseArguments(app_, static_cast<int>(words.size()),
                                          const_cast<char**>(words.data()), {{"test", "tests"}});
    out_ = testing::internal::GetCapturedStdout();
    err_ = testing::internal::GetCapturedStderr();
    return exit_code;
  }

  CLI::App app_{"a tool", "tool"};
  std::string what_, models_, host_;
  int connections_ = 0;
  std::string out_, err_;
};

TEST_F(ParseArgumentsTest, FillsWhatIsDeclared) {
  EXPECT_EQ(Parse({"run", "quick", "--models", "fork", "-c", "3"}), std::nullopt);
  EXPECT_EQ(what_ + models_, "quickfork");
  EXPECT_EQ(connections_, 3);
}

TEST_F(ParseArgumentsTest, NearCommandsAreNamed) {
  EXPECT_EQ(Parse({"rnu"}), kExitUsage);
  EXPECT_THAT(err_, HasSubstr("there is no command \"rnu\""));
  EXPECT_THAT(err_, HasSubstr("hint: Near names: \"run\"."));
  EXPECT_EQ(Parse({"tset"}), kExitUsage);
  EXPECT_THAT(err_, HasSubstr("\"test\""));
  EXPECT_EQ(Parse({"test"}), kExitUsage);
  EXPECT_THAT(err_, HasSubstr("./connbench test"));
}

TEST_F(ParseArgumentsTest, NearFlagsAreNamed) {
  EXPECT_EQ(Parse({"run", "--modells=fork"}), kExitUsage);
  EXPECT_THAT(err_, HasSubstr("there is no flag \"--modells\""));
  EXPECT_THAT(err_, HasSubstr("\"--models\""));
  EXPECT_EQ(Parse({"run", "-models", "fork"}), kExitUsage);
  EXPECT_THAT(err_, HasSubstr("\"--models\""));
  EXPECT_EQ(Parse({"run", "--zzzzzzzz"}), kExitUsage);
  EXPECT_THAT(err_, HasSubstr("tool run --help"));
  EXPECT_EQ(Parse({"run", "a", "b"}), kExitUsage);
  EXPECT_THAT(err_, HasSubstr("unexpected argument \"b\""));
}

TEST_F(ParseArgumentsTest, ValuesAreChecked) {
  EXPECT_EQ(Parse({"run", "-c", "10"}), kExitUsage);
  EXPECT_EQ(Parse({"run", "-c", "0x3"}), kExitUsage);
  EXPECT_EQ(Parse({"run", "--models", "poll"}), kExitUsage);
  EXPECT_THAT(err_, HasSubstr("thread"));
}

TEST_F(ParseArgumentsTest, HIsHelpWhereItIsNotTheHost) {
  EXPECT_EQ(Parse({"run", "-h"}), kExitOk);
  EXPECT_THAT(out_, HasSubstr("Usage: tool run"));
  EXPECT_EQ(Parse({"load", "-h", "db1"}), std::nullopt);
  EXPECT_EQ(host_, "db1");
  EXPECT_EQ(Parse({"load", "--help"}), kExitOk);
  EXPECT_THAT(out_, HasSubstr("-h,--host TEXT"));
}

TEST_F(ParseArgumentsTest, HelpHasValuesCommandsAndExitCodes) {
  EXPECT_EQ(Parse({"run", "--help"}), kExitOk);
  EXPECT_THAT(out_, HasSubstr("  --models TEXT         who serves (fork, thread)\n"));
  EXPECT_THAT(out_, HasSubstr("how many (1 to 9)\n"));
  EXPECT_THAT(out_, HasSubstr("Exit codes:\n  0    fine"));
  EXPECT_THAT(out_, Not(HasSubstr("launcher")));
  EXPECT_EQ(Parse({"--help"}), kExitOk);
  EXPECT_THAT(out_, HasSubstr("Commands:\n  run   measures\n"));
  EXPECT_THAT(out_, HasSubstr("Commands of the launcher, ./connbench:\n  test  tests\n"));
}

}  // namespace
}  // namespace connbench::cli
