// Tests: a workload file: what a client does, in TOML beside its SQL scripts.
#include "harness/workload/workload.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <string>

namespace connbench::load {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

class WorkloadFile : public ::testing::Test {
 protected:
  void SetUp() override {
    char name[] = "/tmp/connbench_workload_XXXXXX";
    ASSERT_NE(mkdtemp(name), nullptr);
    folder_ = name;
    std::ofstream(folder_ + "/s.sql") << "SELECT :rows, :scale;\n";
    std::ofstream(folder_ + "/bad.sql") << "\\set a 1 +\n";
    std::ofstream(folder_ + "/setup.sql") << "CREATE TABLE t(a int);\nSELECT 'fail';\n";
  }
  void TearDown() override { std::filesystem::remove_all(folder_); }

  Result<Workload> Load(const std::string& text) const {
    std::ofstream(folder_ + "/w.toml") << text;
    return LoadWorkload(folder_ + "/w.toml");
  }
  std::string Error(const std::string& text) const {
    const auto workload = Load(text);
    return workload.ok() ? "loaded" : workload.status().ToString();
  }
  std::string folder_;
};

constexpr const char* kScripts = "scripts = [{ file = \"s.sql\" }]\ndefine = { rows = 5 }\n";

TEST_F(WorkloadFile, ReadsEveryKey) {
  const auto workload = Load(
      "name = \"n\"\ndescription = \"d\"\npattern = \"idle\"\nprotocol = \"extended\"\n"
      "connections = 7\nduration = \"2min\"\nwarmup = \"10ms\"\n"
      "transactions_per_connection = 3\nactive = 2\nladder = [1, 5]\nscale = 4\n"
      "setup = \"setup.sql\"\ntables = [\"t\"]\n"
      "scripts = [{ file = \"s.sql\", weight = 9 }]\n[define]\nrows = 1.5\nhot = true\n");
  ASSERT_TRUE(workload.ok()) << workload.status().ToString();
  EXPECT_EQ(workload->name, "n");
  EXPECT_EQ(workload->pattern, Pattern::kIdle);
  EXPECT_EQ(workload->protocol, ProtocolMode::kExtended);
  EXPECT_EQ(workload->connections, 7);
  EXPECT_EQ(workload->duration_ns, 120 * kNanosecondsPerSecond);
  EXPECT_EQ(workload->warmup_ns, 10 * kNanosecondsPerMillisecond);
  EXPECT_EQ(workload->transactions_per_connection, 3);
  EXPECT_EQ(workload->active, 2);
  EXPECT_THAT(workload->ladder, ElementsAre(1, 5));
  EXPECT_EQ(workload->scale, 4);
  ASSERT_EQ(workload->scripts.size(), 1U);
  EXPECT_EQ(workload->scripts[0].weight, 9);
  EXPECT_EQ(workload->define.at("rows"), "1.5");
  EXPECT_EQ(workload->define.at("hot"), "true");
  EXPECT_THAT(workload->setup.text, HasSubstr("CREATE TABLE"));
}

TEST_F(WorkloadFile, ReadsHowConnectionsArriveAndComeBack) {
  const auto workload =
      Load(std::string(kScripts) +
           "pattern = \"churn\"\nsession_length = \"geometric\"\nconnect_rate = \"500\"\n"
           "connect_arrival = \"constant\"\n"
           "backoff = { initial = \"20ms\", max = \"2s\", multiplier = 3, jitter = 0.25 }\n");
  ASSERT_TRUE(workload.ok()) << workload.status().ToString();
  EXPECT_EQ(workload->session_length, SessionLength::kGeometric);
  EXPECT_EQ(workload->connect_arrivals.spacing, ArrivalSpec::Spacing::kConstant);
  ASSERT_TRUE(workload->backoff.has_value());
  EXPECT_EQ(workload->backoff->initial_ns, 20 * kNanosecondsPerMillisecond);
  EXPECT_EQ(workload->backoff->max_ns, 2 * kNanosecondsPerSecond);
  EXPECT_DOUBLE_EQ(workload->backoff->multiplier, 3);
  EXPECT_DOUBLE_EQ(workload->backoff->jitter, 0.25);
}

TEST_F(WorkloadFile, GroupsTakeFromTheWorkloadWhatTheyDoNotSay) {
  const auto workload = Load(std::string(kScripts) +
                             "connections = 50\n"
                             "[[group]]\nname = \"victim\"\npattern = \"steady\"\nconnections = 8\n"
                             "[[group]]\nname = \"storm\"\npattern = \"storm\"\nstart = \"2s\"\n");
  ASSERT_TRUE(workload.ok()) << workload.status().ToString();
  EXPECT_EQ(workload->pattern, Pattern::kMixed);
  EXPECT_EQ(workload->total_connections(), 58);
  const std::vector<ClientGroup> groups = workload->AllGroups();
  ASSERT_EQ(groups.size(), 2U);
  EXPECT_EQ(groups[1].connections, 50);
  EXPECT_EQ(groups[1].start_ns, 2 * kNanosecondsPerSecond);
  EXPECT_EQ(groups[1].scripts.size(), 1U);
}

TEST_F(WorkloadFile, ErrorsNameThePlaceAndTheRemedy) {
  const std::pair<std::string, const char*> cases[] = {
      {std::string(kScripts) + "conections = 5\n", "w.toml:3:14: unknown key \"conections\""},
      {std::string(kScripts) + "conections = 5\n", "Near names: \"connections\""},
      {std::string(kScripts) + "pattern = \"strom\"\n", "Near names: \"storm\"."},
      {std::string(kScripts) + "zzzzzzzzzzzzz = 1\n", "Known: \"name\", \"description\""},
      {std::string(kScripts) + "name = \"../x\"\n", "w.toml:3:8: \"../x\" cannot be the name"},
      {std::string(kScripts) + "duration = \"0s\"\n", "w.toml:3:12: a measured window of 0 s"},
      {std::string(kScripts) + "rate = 0\n", "w.toml:3:8: the rate is always 0"},
      {std::string(kScripts) + "rate = nan\n", "w.toml:3:8: "},
      {std::string(kScripts) + "rate = \"1e400\"\n", "w.toml:3:9: "},
      {std::string(kScripts) + "backoff = { jitter = nan }\n", "jitter must be a number"},
      {"scripts = [{ file = \"s.sql\", weight = 9223372036854775807 }]\n", "weight must be"},
      {std::string(kScripts) + "pattern = 5\n", "w.toml:3:11: pattern cannot be that"},
      {std::string(kScripts) + "connections = 0\n", "connections must be a whole number from 1"},
      {std::string(kScripts) + "connections = \"5\"\n", "w.toml:3:15"},
      {std::string(kScripts) + "duration = \"5 parsec\"\n", "duration: \"5 parsec\" is not a"},
      {std::string(kScripts) + "duration = 5\n", "must be a duration"},
      {std::string(kScripts) + "ladder = [0]\n", "a step of ladder"},
      {std::string(kScripts) + "name = [\n", "w.toml:3:10: "},
      {"name = \"x\"\n", "it has no scripts"},
      {"scripts = [{ file = \"missing.sql\" }]\n", "missing.sql"},
      {"scripts = [{ file = \"bad.sql\" }]\n", "bad.sql:1:11"},
      {"scripts = [{ flie = \"s.sql\" }]\n", "Near names: \"file\"."},
      {"scripts = [{ file = \"s.sql\", weight = -1 }]\n", "weight must be"},
      {std::string(kScripts) + "setup = \"missing.sql\"\n", "missing.sql"},
      {std::string(kScripts) + "connect_rate = \"fast\"\n", "w.toml:3:"},
      {std::string(kScripts) + "session_length = \"long\"\n", "Known: \"fixed\", \"geometric\"."},
      {std::string(kScripts) + "backoff = { initial = \"1s\" }\n", "w.toml:3:11: backoff: initial"},
      {std::string(kScripts) + "backoff = { jitter = 2 }\n", "jitter must be a number from 0 to 1"},
      {std::string(kScripts) + "backoff = { jitters = 1 }\n", "Near names: \"jitter\"."},
      {std::string(kScripts) + "pattern = \"mixed\"\n", "belong together"},
      {std::string(kScripts) + "[[group]]\nname = \"a\"\n", "from 2 to 16 groups"},
      {std::string(kScripts) + "[[group]]\nname = \"a\"\n[[group]]\nname = \"a\"\n",
       "w.toml:5:1: there are two groups \"a\""},
      {std::string(kScripts) + "[[group]]\nname = \"a\"\npattern = \"storm\"\n[[group]]\n"
                               "name = \"b\"\n",
       "the first group is what is measured"},
      {std::string(kScripts) + "[[group]]\nname = \"a\"\n[[group]]\npattern = \"idle\"\n",
       "a group needs its name"},
      {std::string(kScripts) + "[[group]]\nname = \"a\"\n[[group]]\nname = \"b\"\n"
                               "start = \"2s\"\nstop = \"1s\"\n",
       "stop must be later"},
  };
  for (const auto& [text, expected] : cases) EXPECT_THAT(Error(text), HasSubstr(expected)) << text;
  EXPECT_FALSE(LoadWorkload(folder_ + "/none.toml").ok());
}

TEST(Workloads, ThatComeWithTheProgramLoad) {
  const WorkloadList list = ListWorkloads();
  for (const Status& error : list.errors) ADD_FAILURE() << error.ToString();
  std::vector<std::string> names;
  for (const Workload& workload : list.workloads) {
    names.push_back(workload.name);
    EXPECT_FALSE(workload.description.empty()) << workload.name;
  }
  for (const char* name :
       {"storm", "churn", "steady", "idle", "tpcb", "select-only", "simple-update", "sort", "scan",
        "idle-heavy", "victim", "victim-idle", "noisy-neighbour", "failover-storm"}) {
    EXPECT_THAT(names, testing::Contains(name));
  }
  const auto missing = FindWorkload("strom");
  ASSERT_FALSE(missing.ok());
  EXPECT_THAT(missing.status().ToString(), HasSubstr("Known are churn"));
}

}  // namespace
}  // namespace connbench::load
