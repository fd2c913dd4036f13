// Tests: what a page says of its runs beside figures.
#include "plots/page/run_facts.h"

#include <Poco/TemporaryFile.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>

namespace connbench::plots {
namespace {

using testing::Contains;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Not;

class RunFactsTest : public testing::Test {
 protected:
  RunFactsTest() {
    folder_.createDirectories();
    run_.folder = folder_.path();
    run_.info.run_id = "r";
    run_.info.outcome = "complete";
  }

  void Write(const std::string& name, const std::string& text) {
    const std::filesystem::path path = std::filesystem::path(run_.folder) / name;
    std::filesystem::create_directories(path.parent_path());
    std::ofstream(path) << text;
  }

  Poco::TemporaryFile folder_;
  results::Run run_;
};

TEST_F(RunFactsTest, AnOlderRunSaysWhatItLacks) {
  EXPECT_THAT(EffectiveSettings(run_), HasSubstr("no contenders.json"));
  EXPECT_THAT(Inputs(run_), HasSubstr("no folder inputs/"));
  EXPECT_THAT(Warnings(run_), IsEmpty());
}

TEST_F(RunFactsTest, SettingsAndInputsAreShownAndEscaped) {
  Write("contenders.json", R"([{"contender": "target:postgres", "settings": {},
    "versions": {"postgres": "15 <x>"},
    "configuration": [{"part": "server", "name": "fsync", "value": "off", "default": "on"}],
    "notices": [{"workload": "w", "where": "a.sql:1", "severity": "WARNING", "message": "no FK"}]
    }])");
  Write("inputs/suites/mine.toml", "name = \"<mine>\"\n");
  EXPECT_THAT(EffectiveSettings(run_), HasSubstr("15 &lt;x&gt;"));
  EXPECT_THAT(EffectiveSettings(run_),
              HasSubstr("fsync</td><td class=\"w\">off</td><td class=\"w\">on"));
  EXPECT_THAT(Inputs(run_), HasSubstr("inputs/suites/mine.toml"));
  EXPECT_THAT(Inputs(run_), HasSubstr("name = &quot;&lt;mine&gt;&quot;"));
  EXPECT_THAT(Warnings(run_), Contains("target:postgres, workload w: WARNING: no FK"));
}

TEST_F(RunFactsTest, NoticesThatRepeatAreOneLineWithACount) {
  const auto notice = [](const std::string& workload, const std::string& message) {
    return R"({"workload": ")" + workload + R"(", "severity": "NOTICE", "message": ")" + message +
           "\"}";
  };
  const std::string skipping = R"(\" does not exist, skipping)";
  std::string contenders = "[";
  for (const char* name : {"a", "b", "c", "d"}) {
    contenders += std::string(contenders.size() > 1 ? "," : "") + R"({"contender": ")" + name +
                  R"(", "notices": [)" + notice("w", "table \\\"t1" + skipping) + "," +
                  notice("v", "table \\\"t2" + skipping) + "]}";
  }
  Write("contenders.json",
        contenders + R"(,{"contender": "e", "notices": [)" + notice("w", "another") + "]}]");
  EXPECT_THAT(Warnings(run_),
              testing::ElementsAre("a, b, c and 1 more, workloads w, v: 8 notices like this: "
                                   "NOTICE: table \"t1\" does not exist, skipping",
                                   "e, workload w: NOTICE: another"));
}

TEST_F(RunFactsTest, SpoiltFilesAreAnErrorInTheirPlace) {
  Write("contenders.json", "[{");
  EXPECT_THAT(EffectiveSettings(run_), HasSubstr("contenders.json"));
  EXPECT_THAT(Warnings(run_), Contains(HasSubstr("contenders.json")));
  Write("contenders.json", "[1, \"a\"]");
  EXPECT_THAT(EffectiveSettings(run_), Not(HasSubstr("contenders.json")));
  Write("contenders.json", "{}");
  EXPECT_THAT(EffectiveSettings(run_), HasSubstr("contenders.json"));
  Write("inputs/large.sql", std::string(kMaxInputBytes + 1, 'x'));
  EXPECT_THAT(Inputs(run_), HasSubstr("large.sql"));
  EXPECT_THAT(Inputs(run_), Not(HasSubstr("xxx")));
}

TEST_F(RunFactsTest, WhatMakesFiguresLessThanTheySeemIsAWarning) {
  run_.info.outcome = "interrupted";
  run_.info.build_kind = "tsan";
  run_.info.git_dirty = true;
  run_.info.waived_checks = {"steal"};
  results::TrialRow row;
  row.cell = "c";
  row.repetition = 1;
  row.status = results::kTrialOk;
  run_.trials = {row};
  row.status = results::kTrialInvalid;
  run_.trials.push_back(row);
  const auto warnings = Warnings(run_);
  for (const char* said : {"interrupted", "tsan", "uncommitted", "steal", "1 of 2 trials",
                           "1 of 1 cells have one valid repetition"}) {
    EXPECT_THAT(warnings, Contains(HasSubstr(said)));
  }
  EXPECT_THAT(TrialsLeftOut(run_), HasSubstr("INVALID"));
}

TEST_F(RunFactsTest, OnlyWhatDiffersStandsOnTop) {
  results::Run other = run_;
  other.info.run_id = "s";
  other.info.kernel = "6.1";
  const std::vector<results::Run> runs = {run_, other};
  const std::string html = Differences(runs);
  EXPECT_THAT(html, HasSubstr("kernel</td><td class=\"w\"></td><td class=\"w\">6.1"));
  EXPECT_THAT(html, Not(HasSubstr("outcome")));
  EXPECT_THAT(Environment(runs), HasSubstr("outcome"));
  EXPECT_THAT(Differences({runs.data(), 1}), IsEmpty());
}

}  // namespace
}  // namespace connbench::plots
