// Tests: a suite file: what to measure, as TOML.
#include "harness/suite/suite_file.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "harness/suite/plan.h"

namespace connbench::suite {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

constexpr char kGood[] = R"(name = "mine"
description = "what for"
repetitions = 5
seed = 42
models = ["fork", "thread-pool"]

[set]
shared_buffers = "64MB"

[[experiment]]
workload = "steady"
connections = [8, 64]
duration = "1500ms"
warmup = "0s"

[[experiment]]
workload = "idle"
connections = 200
ladder = [50, 100]
models = ["thread"]
repetitions = 2
[experiment.set]
session_warmup_kb = [0, 1024]
)";

TEST(SuiteFileTest, ReadsEverything) {
  const auto suite = ParseSuite(kGood, "mine.toml");
  ASSERT_TRUE(suite.ok()) << suite.status().ToString();
  EXPECT_EQ(suite->name, "mine");
  EXPECT_EQ(suite->description, "what for");
  EXPECT_EQ(suite->repetitions, 5);
  EXPECT_EQ(suite->seed, 42U);
  EXPECT_THAT(suite->models, ElementsAre("fork", "thread-pool"));
  ASSERT_EQ(suite->settings.size(), 1U);
  EXPECT_EQ(suite->settings[0], (std::pair<std::string, std::string>("shared_buffers", "64MB")));
  ASSERT_EQ(suite->experiments.size(), 2U);
  const Experiment& steady = suite->experiments[0];
  EXPECT_THAT(steady.connections, ElementsAre(8, 64));
  EXPECT_EQ(steady.duration_ns, 1'500'000'000);
  EXPECT_EQ(steady.warmup_ns, 0);
  EXPECT_FALSE(steady.repetitions.has_value());
  EXPECT_EQ(steady.where, "mine.toml:10:1");
  const Experiment& idle = suite->experiments[1];
  EXPECT_THAT(idle.connections, ElementsAre(200));
  EXPECT_THAT(idle.ladder, ElementsAre(50, 100));
  EXPECT_THAT(idle.models, ElementsAre("thread"));
  EXPECT_EQ(idle.repetitions, 2);
  ASSERT_EQ(idle.settings.size(), 1U);
  EXPECT_EQ(idle.settings[0].name, "session_warmup_kb");
  EXPECT_THAT(idle.settings[0].values, ElementsAre("0", "1024"));
}

TEST(SuiteFileTest, TheFileNameIsTheNameOfASuiteWithoutOne) {
  const auto suite = ParseSuite("[[experiment]]\nworkload = \"steady\"\n", "dir/evening.toml");
  ASSERT_TRUE(suite.ok());
  EXPECT_EQ(suite->name, "evening");
}

struct BadSuite {
  const char* text;
  const char* message;  // from its start
  const char* hint;
};

class BadSuiteTest : public testing::TestWithParam<BadSuite> {};

TEST_P(BadSuiteTest, NamesThePlaceAndTheRemedy) {
  const auto suite = ParseSuite(GetParam().text, "s.toml");
  ASSERT_FALSE(suite.ok());
  EXPECT_THAT(suite.status().error().message, testing::StartsWith(GetParam().message));
  EXPECT_THAT(suite.status().error().hint, HasSubstr(GetParam().hint));
}

INSTANTIATE_TEST_SUITE_P(
    All, BadSuiteTest,
    testing::Values(
        BadSuite{"repetition = 3\n", "s.toml:1:1: unknown key \"repetition\" in the suite",
                 "\"repetitions\""},
        BadSuite{"[[experiment]]\nworkload = \"steady\"\n  conections = [8]\n",
                 "s.toml:3:3: unknown key \"conections\" in the experiment", "\"connections\""},
        BadSuite{"models = [\"fork\", \"tread\"]\n", "s.toml:1:19: ", "\"thread\""},
        BadSuite{"models = \"fork\"\n", "s.toml:1:10: models must be a list", ""},
        BadSuite{"models = []\n", "s.toml:1:10: models is empty", ""},
        BadSuite{"models = [\"fork\", \"fork\"]\n", "s.toml:1:19: models has fork twice", ""},
        BadSuite{"targets = [\"postgres\", \"postgres\"]\n",
                 "s.toml:1:24: targets has postgres twice", ""},
        BadSuite{"[[experiment]]\nworkload = \"steady\"\nconnections = [8, 9, 8]\n",
                 "s.toml:3:22: connections has 8 twice", ""},
        BadSuite{"[set]\nshared_bufers = \"64MB\"\n", "s.toml:2:17: ", "\"shared_buffers\""},
        BadSuite{"[set]\nshared_buffers = [\"64MB\", \"128MB\"]\n", "s.toml:1:1: shared_buffers",
                 ""},
        BadSuite{"[set]\nshared_buffers = 1.5\n", "s.toml:2:18: shared_buffers must be", ""},
        BadSuite{"repetitions = 0\n", "s.toml:1:15: repetitions is 0, must be from 1 to 1000", ""},
        BadSuite{"repetitions = \"3\"\n", "s.toml:1:15: repetitions must be a whole number", ""},
        BadSuite{"name = 3\n[[experiment]]\nworkload = \"steady\"\n",
                 "s.toml:1:8: name must be a text", ""},
        BadSuite{"name = \"x\"\n", "s.toml:", ""},
        BadSuite{"name = \"../../x\"\n[[experiment]]\nworkload = \"steady\"\n",
                 "s.toml:1:8: \"../../x\" cannot be the name of a suite", "without \"/\""},
        BadSuite{"name = \"\"\n[[experiment]]\nworkload = \"steady\"\n",
                 "s.toml:1:8: \"\" cannot be the name", ""},
        BadSuite{"name = \"a\\u001b[2J\"\n[[experiment]]\nworkload = \"steady\"\n",
                 "s.toml:1:8: \"a\\x1b[2J\" cannot be the name", ""},
        BadSuite{"[[experiment]]\nworkload = \"steady\"\nprotocol = \"\"\n",
                 "s.toml:3:12: protocol cannot be \"\"", ""},
        BadSuite{"until = { interval = true }\n[[experiment]]\nworkload = \"steady\"\n",
                 "s.toml:1:22: interval must be a number", ""},
        BadSuite{"until = { interval = nan }\n[[experiment]]\nworkload = \"steady\"\n",
                 "s.toml:1:22: interval must be a number", ""},
        BadSuite{"until = { metric = \"\" }\n[[experiment]]\nworkload = \"steady\"\n",
                 "s.toml:1:20: there is no metric \"\"", ""},
        BadSuite{"repetitions = 0x7fffffffffffffff\n", "s.toml:1:15: repetitions is 922", ""},
        BadSuite{"experiment = 3\n", "s.toml:1:14: a suite needs at least one [[experiment]]", ""},
        BadSuite{"[[experiment]]\nconnections = 3\n", "s.toml:1:1: an experiment needs a workload",
                 ""},
        BadSuite{"[[experiment]]\nworkload = \"steady\"\nconnections = [8, -1]\n",
                 "s.toml:3:19: connections is -1", ""},
        BadSuite{"[[experiment]]\nworkload = \"steady\"\nduration = 10\n",
                 "s.toml:3:12: duration must be a text", ""},
        BadSuite{"[[experiment]]\nworkload = \"steady\"\nduration = \"10 parsecs\"\n",
                 "s.toml:3:12: duration: ", ""},
        BadSuite{"name = \"unfinished\n", "s.toml:1:", ""}, BadSuite{"= 3\n", "s.toml:1:1: ", ""},
        BadSuite{"", "s.toml:", ""}));

TEST(SuiteFileTest, AWindowOfNoLengthIsRefused) {
  const Result<Suite> suite =
      ParseSuite("[[experiment]]\nworkload = \"steady\"\nduration = \"0s\"\n", "zero.toml");
  ASSERT_FALSE(suite.ok());
  EXPECT_THAT(suite.status().error().message, testing::HasSubstr("zero.toml:3:"));
}

TEST(SuiteFileTest, AnUnknownSuiteNamesNearOnes) {
  const auto suite = FindSuite("quik");
  ASSERT_FALSE(suite.ok());
  EXPECT_THAT(suite.status().ToString(), HasSubstr("\"quick\""));
}

TEST(SuiteFileTest, AMissingFileIsNamed) {
  const auto suite = FindSuite("./none.toml");
  ASSERT_FALSE(suite.ok());
  EXPECT_THAT(suite.status().ToString(), HasSubstr("./none.toml"));
}

TEST(SuiteFileTest, AllSuitesThatComeWithTheProgramAreSound) {
  const SuiteList list = ListSuites();
  EXPECT_GE(list.suites.size(), 1U);
  for (const Status& error : list.errors) ADD_FAILURE() << error.ToString();
  for (const Suite& suite : list.suites) {
    EXPECT_FALSE(suite.description.empty()) << suite.name;
    const auto found = FindSuite(suite.found_as);
    ASSERT_TRUE(found.ok()) << found.status().ToString();
    EXPECT_EQ(found->path, suite.path);
  }
}

// Each names what it settles and who says so, at the top of its file.
TEST(SuiteFileTest, SuitesOfClaimsNameTheClaimAndItsSource) {
  size_t claims = 0;
  for (const Suite& suite : ListSuites().suites) {
    if (!suite.found_as.starts_with("claims/")) continue;
    ++claims;
    EXPECT_THAT(suite.text, testing::StartsWith("# Claim: ")) << suite.path;
    EXPECT_THAT(suite.text, HasSubstr("\n# Source: ")) << suite.path;
    EXPECT_THAT(suite.description, testing::StartsWith("Claim: ")) << suite.path;
  }
  EXPECT_EQ(claims, 4U);
}

TEST(SuiteFileTest, UntilIsOfTheSuiteOrOfAnExperiment) {
  const auto suite = ParseSuite(R"(until = { interval = 0.1, max_repetitions = 7 }
[[experiment]]
workload = "steady"
[[experiment]]
workload = "churn"
until = { metric = "latency_us_p99" }
)",
                                "u.toml");
  ASSERT_TRUE(suite.ok()) << suite.status().ToString();
  EXPECT_EQ(suite->until->interval, 0.1);
  EXPECT_EQ(suite->until->max_repetitions, 7);
  EXPECT_FALSE(suite->experiments[0].until.has_value());
  EXPECT_EQ(suite->experiments[1].until->metric, "latency_us_p99");
}

TEST(SuiteFileTest, ParametersOfTheWorkloadAreAnAxis) {
  const auto suite = ParseSuite(R"(models = ["fork"]
[[experiment]]
workload = "churn"
[experiment.vary]
transactions_per_connection = [1, 100]
"define.scale" = 5
)",
                                "v.toml");
  ASSERT_TRUE(suite.ok()) << suite.status().ToString();
  const auto plan = MakePlan(*suite, {});
  ASSERT_TRUE(plan.ok()) << plan.status().ToString();
  ASSERT_EQ(plan->cells.size(), 2U);
  const Cell& cell = plan->cells[1];
  EXPECT_EQ(cell.workload.transactions_per_connection, 100);
  EXPECT_EQ(cell.workload.define.at("scale"), "5");
  EXPECT_THAT(cell.name, HasSubstr("/transactions_per_connection:100"));
  EXPECT_THAT(cell.ParametersText(), HasSubstr("transactions_per_connection=100"));
}

constexpr char kCrossover[] = R"([crossover]
workload = "churn"
models = ["fork", "thread"]
connections = 4
from = 2
to = 64
repetitions = 3
)";

TEST(SuiteFileTest, ACrossoverIsASuiteOfItsOwn) {
  const auto suite = ParseSuite(kCrossover, "c.toml");
  ASSERT_TRUE(suite.ok()) << suite.status().ToString();
  ASSERT_TRUE(suite->crossover.has_value());
  EXPECT_EQ(suite->crossover->base, "fork");
  EXPECT_EQ(suite->crossover->candidate, "thread");
  EXPECT_EQ(suite->crossover->to, 64);
  EXPECT_EQ(suite->crossover->metric, "throughput_tps");
  const auto plan = MakePlan(*suite, {});
  ASSERT_TRUE(plan.ok()) << plan.status().ToString();
  EXPECT_TRUE(plan->trials.empty());
  const auto cell = MakeCrossoverCell(*suite, {}, "thread", 16);
  ASSERT_TRUE(cell.ok());
  EXPECT_EQ(cell->name, "model:thread/workload:churn/connections:4/transactions_per_connection:16");
  EXPECT_EQ(cell->workload.transactions_per_connection, 16);
}

TEST(SuiteFileTest, SettingsOfAPoolAreWrittenInsideThoseOfPgbouncer) {
  const auto suite = ParseSuite(
      "[set.pgbouncer]\npool.pool_size = 5\n[[experiment]]\nworkload = \"churn\"\n", "a.toml");
  ASSERT_TRUE(suite.ok()) << suite.status().ToString();
  EXPECT_THAT(suite->settings,
              testing::ElementsAre(testing::Pair("pgbouncer.pool.pool_size", "5")));
}

TEST(SuiteFileTest, MistakesInTheNewTablesAreNamedWithTheirPlace) {
  const auto error_of = [](const std::string& text) {
    const auto suite = ParseSuite(text, "b.toml");
    return suite.ok() ? std::string("none") : suite.status().ToString();
  };
  EXPECT_THAT(error_of("until = { intervall = 0.1 }"), HasSubstr("\"interval\""));
  EXPECT_THAT(error_of("until = { metric = \"throughput\" }"), HasSubstr("throughput_tps"));
  EXPECT_THAT(error_of("until = { interval = 2 }"), HasSubstr("b.toml:1:22: interval must be"));
  EXPECT_THAT(error_of("[[experiment]]\nworkload = \"churn\"\n[experiment.set]\n"
                       "work_mem = [\"1MB\", \"2MB\", \"1024kB\"]"),
              HasSubstr("1MB and 1024kB are the same value"));
  EXPECT_THAT(error_of("[[experiment]]\nworkload = \"churn\"\n[experiment.vary]\n"
                       "transactions_per_conection = [1]"),
              HasSubstr("\"transactions_per_connection\""));
  EXPECT_THAT(error_of("[[experiment]]\nworkload = \"churn\"\n[experiment.vary]\nactive = [-1]"),
              HasSubstr("b.toml:4:11: active is \"-1\", must be"));
  for (const char* rate : {"0", "-5", "\"fast\"", "\"ramp(1, 2, 3s)\"", "1.5"}) {
    for (const char* name : {"rate", "connect_rate"}) {
      EXPECT_THAT(error_of(std::string("[[experiment]]\nworkload = \"open-loop\"\n"
                                       "[experiment.vary]\n") +
                           name + " = [10, " + rate + "]"),
                  HasSubstr("must be a whole number"))
          << name << " " << rate;
    }
  }
  EXPECT_THAT(error_of("[[experiment]]\nworkload = \"open-loop\"\n[experiment.vary]\n"
                       "rate = [10, \"10\"]"),
              HasSubstr("rate has 10 twice"));
  EXPECT_THAT(error_of(std::string(kCrossover) + "[[experiment]]\nworkload = \"churn\"\n"),
              HasSubstr("either a [crossover] or"));
  EXPECT_THAT(error_of("[crossover]\nworkload = \"churn\"\nmodels = [\"fork\"]"),
              HasSubstr("between two models"));
  EXPECT_THAT(error_of(std::string(kCrossover) + "parameter = \"duration\"\n"),
              HasSubstr("no parameter \"duration\""));
}

}  // namespace
}  // namespace connbench::suite
