// Tests: targets described in TOML.
#include "harness/targets/target_file.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <csignal>

namespace connbench::targets {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::Pair;

std::string ErrorOf(const std::string& text) {
  const auto file = ParseTargetFile(text, "x.toml");
  EXPECT_FALSE(file.ok()) << text;
  return file.ok() ? "" : file.status().ToString();
}

TEST(TargetFileTest, EveryKeyIsRead) {
  const auto file = ParseTargetFile(R"(
description = "A pooler."
needs = ["pooler"]
in_front = true
command = ["pooler", "-f", "{folder}/pooler.conf"]
prepare = [["pooler-init", "{folder}"]]
port = 6543
ready = "log:listening"
start_timeout_s = 3
stop_timeout_s = 4
stop_signal = "INT"
clean_exits = [0, 2]
pid_file = "{folder}/pid"
lacks = ["prepared", "crash"]
user = "app"
database = "shop"
tables = "none"
[settings]
pool_size = 20
mode = "fast"
[files]
"pooler.conf" = "size = {pool_size}"
)",
                                    "dir/my-pooler.toml");
  ASSERT_TRUE(file.ok()) << file.status().ToString();
  EXPECT_EQ(file->name, "my-pooler");
  EXPECT_TRUE(file->in_front);
  EXPECT_THAT(file->command, ElementsAre("pooler", "-f", "{folder}/pooler.conf"));
  EXPECT_THAT(file->prepare, ElementsAre(ElementsAre("pooler-init", "{folder}")));
  EXPECT_EQ(file->port, 6543);
  EXPECT_EQ(file->ready, "log:listening");
  EXPECT_EQ(file->start_timeout_s, 3);
  EXPECT_EQ(file->stop_timeout_s, 4);
  EXPECT_EQ(SignalByName(file->stop_signal), SIGINT);
  EXPECT_THAT(file->clean_exits, ElementsAre(0, 2));
  EXPECT_EQ(file->pid_file, "{folder}/pid");
  EXPECT_THAT(file->lacks, ElementsAre("prepared", "crash"));
  EXPECT_EQ(file->user, "app");
  EXPECT_EQ(file->database, "shop");
  EXPECT_EQ(file->tables, "none");
  EXPECT_THAT(file->settings,
              testing::UnorderedElementsAre(Pair("pool_size", "20"), Pair("mode", "fast")));
  EXPECT_THAT(file->files, ElementsAre(Pair("pooler.conf", "size = {pool_size}")));
}

TEST(TargetFileTest, MistakesAreSaidWithTheirPlace) {
  EXPECT_THAT(ErrorOf("command = ["), HasSubstr("x.toml:1:"));
  EXPECT_THAT(ErrorOf(""), HasSubstr("command is missing"));
  EXPECT_THAT(ErrorOf("command = [\"x\"]\ncomand = []"),
              testing::AllOf(HasSubstr("x.toml:2:"), HasSubstr("\"command\"")));
  const std::string good = "command = [\"x\"]\n";
  EXPECT_THAT(ErrorOf(good + "port = 0"), HasSubstr("x.toml:2:"));
  EXPECT_THAT(ErrorOf(good + "port = \"5432\""), HasSubstr("whole number"));
  EXPECT_THAT(ErrorOf(good + "ready = \"soon\""), HasSubstr("log:TEXT"));
  EXPECT_THAT(ErrorOf(good + "tables = \"drop\""), HasSubstr("fresh"));
  EXPECT_THAT(ErrorOf(good + "stop_signal = \"SIGTERM\""), HasSubstr("without SIG"));
  EXPECT_THAT(ErrorOf(good + "lacks = [\"prepare\"]"), HasSubstr("\"prepared\""));
  EXPECT_THAT(ErrorOf(good + "in_front = 1"), HasSubstr("true or false"));
  EXPECT_THAT(ErrorOf(good + "prepare = [\"initdb\"]"), HasSubstr("list of texts"));
  EXPECT_THAT(ErrorOf(good + "prepare = [[]]"), HasSubstr("empty"));
  EXPECT_THAT(ErrorOf(good + "clean_exits = [256]"), HasSubstr("0 to 255"));
  EXPECT_THAT(ErrorOf(good + "files = { \"../x\" = \"\" }"), HasSubstr("no plain name"));
  EXPECT_THAT(ErrorOf(good + "settings = { a = [1] }"), HasSubstr("whole number"));
}

TEST(TargetFileTest, PlaceholdersAreFilledInAndOtherBracesKept) {
  const std::map<std::string, std::string> values = {{"port", "5433"}, {"pool_size", "20"}};
  const auto filled = FillIn("listen { port {port}; } {} { {pool_size}}", values);
  ASSERT_TRUE(filled.ok());
  EXPECT_EQ(*filled, "listen { port 5433; } {} { 20}");
  const auto wrong = FillIn("{prt}", values);
  ASSERT_FALSE(wrong.ok());
  EXPECT_THAT(wrong.status().ToString(), testing::AllOf(HasSubstr("{prt}"), HasSubstr("\"port\"")));
}

TEST(TargetFileTest, ThoseThatComeWithConnbenchAreGood) {
  const auto names = TargetFileNames();
  EXPECT_THAT(names, ElementsAre("haproxy", "pgpool"));
  for (const std::string& name : names) {
    const auto file = LoadTargetFile(TargetFolder() + "/" + name + ".toml");
    ASSERT_TRUE(file.ok()) << file.status().ToString();
    EXPECT_FALSE(file->description.empty());
    EXPECT_FALSE(file->needs.empty());
  }
}

}  // namespace
}  // namespace connbench::targets
