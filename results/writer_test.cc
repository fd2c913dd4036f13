// Tests: writes a run's folder so that whatever happens later, what was measured is kept.
#include "results/writer.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/resource.h>
#include <unistd.h>

#include <csignal>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <limits>

#include "results/reader.h"

namespace connbench::results {
namespace {

namespace fs = std::filesystem;
using testing::EndsWith;
using testing::HasSubstr;
using testing::StartsWith;

std::string ReadAll(const std::string& path) {
  std::ifstream in(path);
  return {std::istreambuf_iterator<char>(in), std::istreambuf_iterator<char>()};
}

TrialRecord MakeRecord(int64_t trial) {
  TrialRecord record;
  record.trial.run_id = "r1";
  record.trial.trial = trial;
  record.trial.cell = "model:fork/workload:steady/connections:8";
  record.trial.target = "builtin";
  record.trial.model = "fork";
  record.trial.workload = "steady";
  record.trial.connections = 8;
  record.trial.repetition = 1;
  record.trial.pattern = "steady";
  record.trial.protocol = "prepared";
  record.trial.contender = "fork";
  record.trial.status = kTrialOk;
  record.trial.throughput_tps = 1234.5;
  record.trial.transactions_failed = 0;
  record.latency.resize(2);
  record.latency[0].distribution = "transaction";
  record.latency[0].percentile = 0.5;
  record.latency[0].latency_us = 81.25;
  record.latency[0].samples = 10;
  record.latency[1] = record.latency[0];
  record.latency[1].percentile = 0.999;
  record.errors.resize(1);
  record.errors[0].kind = "connect";
  record.errors[0].outcome = "ok";
  record.errors[0].count = 8;
  record.phases.resize(1);
  record.timeseries.resize(1);
  record.memory.resize(1);
  return record;
}

RunInfo MakeInfo() {
  RunInfo info;
  info.schema_version = kSchemaVersion;
  info.run_id = "r1";
  info.argv = {"connbench", "run", "a \"quoted\" word"};
  info.environment = {{"PGHOST", "localhost"}, {"LANG", "C.UTF-8"}};
  info.git_dirty = true;
  info.load_average_before = 0.25;
  return info;
}

class WriterTest : public testing::Test {
 protected:
  WriterTest() {
    std::string name = (fs::temp_directory_path() / "connbench-writer-XXXXXX").string();
    root_ = ::mkdtemp(name.data());
    folder_ = root_ + "/run";
  }
  ~WriterTest() override { fs::remove_all(root_); }

  std::string File(const char* name) const { return folder_ + "/" + name; }

  std::string root_;
  std::string folder_;
};

TEST_F(WriterTest, FilesLookExactlySo) {
  auto writer = RunWriter::Create(folder_, MakeInfo(), "");
  ASSERT_TRUE(writer.ok()) << writer.status().ToString();
  ASSERT_TRUE((*writer)->AppendTrial(MakeRecord(1)).ok());
  EXPECT_EQ(ReadAll(File("latency.csv")),
            "run_id,trial,cell,target,model,workload,connections,repetition,pattern,protocol,"
            "contender,distribution,percentile,latency_us,samples,latency_us_low,latency_us_high\n"
            "r1,1,model:fork/workload:steady/connections:8,builtin,fork,steady,8,1,steady,prepared,"
            "fork,transaction,0.5,81.25,10,,\n"
            "r1,1,model:fork/workload:steady/connections:8,builtin,fork,steady,8,1,steady,prepared,"
            "fork,transaction,0.999,81.25,10,,\n");
  EXPECT_EQ(ReadAll(File("errors.csv")),
            "run_id,trial,cell,target,model,workload,connections,repetition,pattern,protocol,"
            "contender,kind,outcome,count\n"
            "r1,1,model:fork/workload:steady/connections:8,builtin,fork,steady,8,1,steady,prepared,"
            "fork,connect,ok,8\n");
  const std::string trials = ReadAll(File("trials.csv"));
  // What was not measured is an empty cell, and what was measured as 0 is not.
  EXPECT_THAT(trials, HasSubstr("\nr1,1,model:fork/workload:steady/connections:8,builtin,fork,"
                                "steady,8,1,steady,prepared,fork,OK,,,0,1234.5,,,,"));
  EXPECT_THAT(trials, EndsWith(",\n"));
  EXPECT_EQ(ReadAll(File("run.schema.json")), RunJsonSchema());
}

TEST_F(WriterTest, RunJsonLooksExactlySo) {
  const std::string json = FormatRunInfo(MakeInfo());
  EXPECT_THAT(json, StartsWith("{\n  \"schema_version\": 2,\n  \"run_id\": \"r1\",\n"));
  EXPECT_THAT(json, HasSubstr("\"argv\": [\n    \"connbench\",\n    \"run\",\n"
                              "    \"a \\\"quoted\\\" word\"\n  ],\n"));
  EXPECT_THAT(json, HasSubstr("\"environment\": {\n    \"PGHOST\": \"localhost\",\n"
                              "    \"LANG\": \"C.UTF-8\"\n  },\n"));
  EXPECT_THAT(json, HasSubstr("\"git_dirty\": true,\n"));
}

TEST_F(WriterTest, WhatIsWrittenIsReadBack) {
  auto writer = RunWriter::Create(folder_, MakeInfo(), "");
  ASSERT_TRUE(writer.ok());
  TrialRecord record = MakeRecord(1);
  record.trial.status = kTrialInvalid;
  record.trial.status_reason = "broke, said \"no\"\nand went, \r\n";
  ASSERT_TRUE((*writer)->AppendTrial(record).ok());
  ASSERT_TRUE((*writer)->AppendTrial(MakeRecord(2)).ok());
  const auto run = Run::Load(folder_);
  ASSERT_TRUE(run.ok()) << run.status().ToString();
  ASSERT_EQ(run->trials.size(), 2U);
  EXPECT_EQ(run->trials[0].status_reason, record.trial.status_reason);
  EXPECT_EQ(run->trials[1].throughput_tps, 1234.5);
  EXPECT_EQ(run->latency.size(), 4U);
  EXPECT_EQ(run->latency[3].trial, 2);
  EXPECT_EQ(run->info.argv, MakeInfo().argv);
  EXPECT_EQ(run->info.environment, MakeInfo().environment);
  EXPECT_TRUE(run->info.git_dirty);
  EXPECT_EQ(run->rows_left_out, 0);
}

TEST_F(WriterTest, AFolderHoldsOneRunAndOneWriter) {
  auto first = RunWriter::Create(folder_, MakeInfo(), "");
  ASSERT_TRUE(first.ok());
  const auto second = RunWriter::Create(folder_, MakeInfo(), "");
  ASSERT_FALSE(second.ok());
  EXPECT_THAT(second.status().ToString(), HasSubstr(folder_ + " already holds a run"));
  const auto resumed = RunWriter::Resume(folder_);
  ASSERT_FALSE(resumed.ok());
  EXPECT_THAT(resumed.status().ToString(), HasSubstr("being written by another run"));
}

TEST_F(WriterTest, LatestIsSwitchedByTheFirstTrialOnly) {
  const std::string link = root_ + "/latest";
  auto old = RunWriter::Create(root_ + "/old", MakeInfo(), link);
  ASSERT_TRUE(old.ok());
  ASSERT_TRUE((*old)->AppendTrial(MakeRecord(1)).ok());
  EXPECT_EQ(fs::read_symlink(link), "old");
  auto writer = RunWriter::Create(folder_, MakeInfo(), link);
  ASSERT_TRUE(writer.ok());
  EXPECT_EQ(fs::read_symlink(link), "old");
  ASSERT_TRUE((*writer)->AppendTrial(MakeRecord(1)).ok());
  EXPECT_EQ(fs::read_symlink(link), "run");
}

TEST_F(WriterTest, LatestDoesNotReplaceAFolder) {
  const std::string link = root_ + "/latest";
  fs::create_directory(link);
  const auto writer = RunWriter::Create(folder_, MakeInfo(), link);
  ASSERT_FALSE(writer.ok());
  EXPECT_THAT(writer.status().ToString(), HasSubstr(link + " is not a symbolic link"));
}

TEST_F(WriterTest, AFolderThatCannotBeMadeIsNamed) {
  std::ofstream(root_ + "/file") << "x";
  const auto writer = RunWriter::Create(root_ + "/file/run", MakeInfo(), "");
  ASSERT_FALSE(writer.ok());
  EXPECT_THAT(writer.status().ToString(), HasSubstr(root_ + "/file/run"));
  EXPECT_THAT(writer.status().ToString(), HasSubstr("-o DIR"));
}

// A file size limit stands for a full disk: a write past it fails half-way.
TEST_F(WriterTest, AFullDiskKeepsWhatWasThere) {
  auto writer = RunWriter::Create(folder_, MakeInfo(), "");
  ASSERT_TRUE(writer.ok());
  ASSERT_TRUE((*writer)->AppendTrial(MakeRecord(1)).ok());
  const auto before = Run::Load(folder_);
  ASSERT_TRUE(before.ok());

  ::signal(SIGXFSZ, SIG_IGN);
  rlimit unlimited{};
  ::getrlimit(RLIMIT_FSIZE, &unlimited);
  const rlimit limit = {fs::file_size(File("trials.csv")) + 5, unlimited.rlim_max};
  ::setrlimit(RLIMIT_FSIZE, &limit);
  const Status status = (*writer)->AppendTrial(MakeRecord(2));
  ::setrlimit(RLIMIT_FSIZE, &unlimited);

  ASSERT_FALSE(status.ok());
  EXPECT_THAT(status.ToString(), HasSubstr("cannot write " + folder_));
  EXPECT_THAT(status.ToString(), HasSubstr("Free some space"));
  const auto after = Run::Load(folder_);
  ASSERT_TRUE(after.ok()) << after.status().ToString();
  EXPECT_EQ(after->trials.size(), 1U);
  EXPECT_EQ(after->rows_left_out, 0);
  // Space is back: the writer goes on.
  ASSERT_TRUE((*writer)->AppendTrial(MakeRecord(2)).ok());
  EXPECT_EQ(Run::Load(folder_)->trials.size(), 2U);
}

TEST_F(WriterTest, ResumeCutsOffTheTrialThatWasNotFinished) {
  {
    auto writer = RunWriter::Create(folder_, MakeInfo(), "");
    ASSERT_TRUE(writer.ok());
    ASSERT_TRUE((*writer)->AppendTrial(MakeRecord(1)).ok());
  }
  // Killed in the middle of trial 2: rows in one file, half a line in another, none in trials.csv.
  TrialRecord torn = MakeRecord(2);
  CopyKeys(torn.trial, torn.latency[0]);
  std::ofstream(File("latency.csv"), std::ios::app) << *FormatCsvRow(torn.latency[0]);
  std::ofstream(File("trials.csv"), std::ios::app) << "r1,2,model:fork/wor";
  const auto run = Run::Load(folder_);
  ASSERT_TRUE(run.ok()) << run.status().ToString();
  EXPECT_EQ(run->trials.size(), 1U);
  EXPECT_EQ(run->latency.size(), 2U);
  EXPECT_EQ(run->rows_left_out, 1);

  auto writer = RunWriter::Resume(folder_);
  ASSERT_TRUE(writer.ok()) << writer.status().ToString();
  ASSERT_TRUE((*writer)->AppendTrial(MakeRecord(2)).ok());
  const auto resumed = Run::Load(folder_);
  ASSERT_TRUE(resumed.ok()) << resumed.status().ToString();
  EXPECT_EQ(resumed->trials.size(), 2U);
  EXPECT_EQ(resumed->latency.size(), 4U);
  EXPECT_EQ(resumed->rows_left_out, 0);
}

// As results/reference has them.
TEST_F(WriterTest, ARunOfVersion1IsResumedInThisOne) {
  { ASSERT_TRUE(RunWriter::Create(folder_, MakeInfo(), "").ok()); }
  std::string json = ReadAll(File("run.json"));
  json.replace(json.find(": 2,"), 4, ": 1,");
  std::ofstream(File("run.json")) << json;
  std::ofstream(File("trials.csv"))
      << "run_id,trial,cell,target,model,workload,connections,repetition,status,status_reason,"
         "transactions_ok,window_s,throughput_tps,latency_us_p50\n"
         "r1,1,model:fork/workload:steady/connections:8,builtin,fork,steady,8,1,OK,,7,1,12.5,0\n";
  auto writer = RunWriter::Resume(folder_);
  ASSERT_FALSE(writer.ok()) << "the columns are in another order";
  std::ofstream(File("trials.csv"))
      << "run_id,trial,cell,target,model,workload,connections,repetition,status,status_reason,"
         "transactions_ok,throughput_tps,latency_us_p50,window_s\n"
         "r1,1,model:fork/workload:steady/connections:8,builtin,fork,steady,8,1,OK,,7,12.5,0,1\n";
  writer = RunWriter::Resume(folder_);
  ASSERT_TRUE(writer.ok()) << writer.status().ToString();
  ASSERT_TRUE((*writer)->AppendTrial(MakeRecord(2)).ok());
  const auto run = Run::Load(folder_);
  ASSERT_TRUE(run.ok()) << run.status().ToString();
  EXPECT_EQ(run->info.schema_version, kSchemaVersion);
  ASSERT_EQ(run->trials.size(), 2U);
  EXPECT_EQ(run->trials[0].contender, "fork");
  EXPECT_EQ(run->trials[0].throughput_tps, 12.5);
  EXPECT_EQ(run->trials[0].latency_us_p50, std::nullopt);
}

TEST_F(WriterTest, AValueThatIsNoNumberIsRefusedAndNamed) {
  auto writer = RunWriter::Create(folder_, MakeInfo(), "");
  ASSERT_TRUE(writer.ok());
  TrialRecord record = MakeRecord(1);
  record.trial.throughput_tps = std::numeric_limits<double>::quiet_NaN();
  const Status status = (*writer)->AppendTrial(record);
  ASSERT_FALSE(status.ok());
  EXPECT_THAT(status.ToString(), HasSubstr("throughput_tps of trials.csv is nan"));
  EXPECT_TRUE(Run::Load(folder_)->trials.empty());
}

}  // namespace
}  // namespace connbench::results
