// Tests: docs/suite-reference.md is what the readers accept.
#include "harness/suite/reference.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iterator>

#include "harness/suite/suite_file.h"
#include "harness/workload/workload.h"

namespace connbench::suite {
namespace {

using testing::AllOf;
using testing::HasSubstr;
using testing::Not;

// A date: no key takes one. A key that nobody reads would let it pass.
constexpr std::string_view kNoValue = "1979-05-27";

// CONNBENCH_UPDATE_FILES=1 writes the page instead.
TEST(SuiteReferenceTest, TheCommittedPageFollowsTheTables) {
  const std::string path = std::string(CONNBENCH_SOURCE_DIR) + "/docs/suite-reference.md";
  if (std::getenv("CONNBENCH_UPDATE_FILES") != nullptr) {
    std::ofstream(path) << SuiteReferenceMarkdown();
    return;
  }
  std::ifstream in(path);
  const std::string committed((std::istreambuf_iterator<char>(in)),
                              std::istreambuf_iterator<char>());
  EXPECT_EQ(committed, SuiteReferenceMarkdown())
      << "run suite_test once with CONNBENCH_UPDATE_FILES=1 and commit docs/suite-reference.md";
}

std::string SuiteWith(const load::FileKey& key) {
  const std::string line = std::string(key.name) + " = " + std::string(kNoValue) + "\n";
  if (key.table == "suite") return line;
  if (key.table == "experiment") {
    return "[[experiment]]\n" + line + (key.name == "workload" ? "" : "workload = \"steady\"\n");
  }
  if (key.table == "until") return "[until]\n" + line;
  std::string text = "[crossover]\n" + line;
  if (key.name != "workload") text += "workload = \"churn\"\n";
  if (key.name != "models") text += "models = [\"fork\", \"thread\"]\n";
  return text;
}

TEST(SuiteReferenceTest, EveryKeyOfASuiteIsRead) {
  for (const load::FileKey& key : SuiteFileKeys()) {
    const auto suite = ParseSuite(SuiteWith(key), "mine.toml");
    ASSERT_FALSE(suite.ok()) << key.table << ": " << key.name;
    EXPECT_THAT(suite.status().error().message,
                AllOf(HasSubstr(key.name), Not(HasSubstr("unknown key"))))
        << key.table;
  }
}

std::string WorkloadWith(const load::FileKey& key) {
  const std::string pair = std::string(key.name) + " = " + std::string(kNoValue);
  if (key.table == "workload") return pair + "\n";
  if (key.table == "backoff") return "backoff = { " + pair + " }\n";
  if (key.table == "script") {
    return "scripts = [{ " + pair + (key.name == "file" ? "" : ", file = \"a.sql\"") + " }]\n";
  }
  return "[[group]]\n" + pair + "\n" + (key.name == "name" ? "" : "name = \"a\"\n") +
         "[[group]]\nname = \"b\"\n";
}

TEST(SuiteReferenceTest, EveryKeyOfAWorkloadIsRead) {
  const auto folder = std::filesystem::temp_directory_path() / "connbench-reference-test";
  std::filesystem::create_directories(folder);
  std::ofstream(folder / "a.sql") << "SELECT 1;\n";
  for (const load::FileKey& key : load::WorkloadFileKeys()) {
    const std::string path = (folder / "a.toml").string();
    std::ofstream(path) << WorkloadWith(key);
    const auto workload = load::LoadWorkload(path);
    ASSERT_FALSE(workload.ok()) << key.table << ": " << key.name;
    EXPECT_THAT(workload.status().error().message,
                AllOf(HasSubstr(key.name == "file" ? "script needs its file" : key.name),
                      Not(HasSubstr("unknown key"))))
        << key.table;
  }
  std::filesystem::remove_all(folder);
}

}  // namespace
}  // namespace connbench::suite
