// Whole trials with the real program: a server that serves, servers that misbehave, loads that are
// interrupted. The canned engine keeps them short.
#include "harness/suite/trial_runner.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <chrono>
#include <csignal>
#include <filesystem>
#include <fstream>
#include <set>
#include <thread>

#include "harness/observe/proc_files.h"
#include "harness/observe/process_tree.h"
#include "harness/targets/builtin_target.h"

namespace connbench::suite {
namespace {

namespace fs = std::filesystem;
using testing::HasSubstr;

Cell MakeCell(load::Pattern pattern, int connections) {
  Cell cell;
  cell.name = "model:fork/workload:test/connections:" + std::to_string(connections);
  cell.target = *targets::FindTarget("fork");
  auto workload = load::FindWorkload(std::string(load::Name(pattern)));
  EXPECT_TRUE(workload.ok()) << workload.status().ToString();
  if (workload.ok()) cell.workload = *workload;
  cell.workload.setup.text.clear();
  cell.workload.connections = connections;
  cell.workload.duration_ns = 300 * kNanosecondsPerMillisecond;
  cell.workload.warmup_ns = 0;
  cell.workload.ladder.clear();
  cell.settings = {{"engine", "canned"}, {"shared_buffers", "16MB"}};
  return cell;
}

std::set<std::string> Segments() {
  std::set<std::string> names;
  for (const auto& entry : fs::directory_iterator("/dev/shm")) {
    if (entry.path().filename().string().starts_with("connbench")) {
      names.insert(entry.path().filename().string());
    }
  }
  return names;
}

class TrialRunnerTest : public testing::Test {
 protected:
  TrialRunnerTest() : children_before_(Children()) {}
  ~TrialRunnerTest() override {
    EXPECT_EQ(Children(), children_before_) << "a process outlived its trial";
  }

  static size_t Children() { return observe::ListTree(::getpid()).size(); }

  TrialOutcome Run(const Cell& cell, targets::Target& target) {
    const TrialContext context{CONNBENCH_PROGRAM, &interruption_, waived_};
    return RunTrial(context, cell, Trial{0, 1, 17}, target);
  }
  TrialOutcome Run(const Cell& cell) {
    const auto target =
        targets::MakeBuiltinTarget(CONNBENCH_PROGRAM, cell.target.model, cell.settings);
    return Run(cell, *target);
  }

  Interruption interruption_;
  // Tests run beside other work: that the machine is busy, or that another test overflows a listen
  // queue, which the kernel counts for all together, is no failure of the runner.
  std::vector<std::string> waived_ = {"client_cpu", "client_stall",     "other_load", "steal",
                                      "throttling", "listen_overflows", "syn_retries"};
  size_t children_before_;
};

TEST_F(TrialRunnerTest, ASoundTrialFillsEveryFile) {
  const TrialOutcome outcome = Run(MakeCell(load::Pattern::kSteady, 4));
  const results::TrialRow& row = outcome.record.trial;
  EXPECT_EQ(row.status, results::kTrialOk) << row.status_reason;
  EXPECT_GT(row.transactions_ok, 0);
  EXPECT_GT(row.throughput_tps, 0);
  EXPECT_EQ(row.connects_ok, 4);
  EXPECT_GT(row.latency_us_p50, 0);
  EXPECT_GT(row.private_kb_per_connection, 0);
  EXPECT_GT(row.rss_kb_per_connection, row.private_kb_per_connection);
  EXPECT_GT(row.server_cpu_us_per_transaction, 0);
  EXPECT_GE(row.server_processes_max, 5);
  EXPECT_EQ(row.seed, 17);
  EXPECT_FALSE(outcome.record.latency.empty());
  EXPECT_FALSE(outcome.record.timeseries.empty());
  EXPECT_FALSE(outcome.record.errors.empty());
  ASSERT_GE(outcome.record.memory.size(), 3U);
  EXPECT_EQ(outcome.record.memory[0].connections_up, 0);
  EXPECT_EQ(outcome.record.memory[1].connections_up, 4);
  int joined = 0;
  for (const auto& phase : outcome.record.phases) {
    if (phase.side != "joined") continue;
    ++joined;
    EXPECT_EQ(phase.samples, 4) << phase.phase;
  }
  EXPECT_EQ(joined, 9);
}

TEST_F(TrialRunnerTest, ALadderGivesACheckpointPerStep) {
  Cell cell = MakeCell(load::Pattern::kIdle, 12);
  cell.workload.ladder = {4, 8};
  cell.workload.active = 1;
  const TrialOutcome outcome = Run(cell);
  std::vector<int64_t> held;
  for (const auto& row : outcome.record.memory) {
    if (row.checkpoint == "held") held.push_back(row.connections_up);
  }
  EXPECT_THAT(held, testing::ElementsAre(4, 8, 12));
}

TEST_F(TrialRunnerTest, AServerThatCannotStartMakesTheTrialInvalid) {
  const auto target = targets::MakeBuiltinTarget("/bin/false", "fork", {});
  const TrialOutcome outcome = Run(MakeCell(load::Pattern::kSteady, 2), *target);
  EXPECT_EQ(outcome.record.trial.status, results::kTrialInvalid);
  EXPECT_THAT(outcome.record.trial.status_reason, HasSubstr("/bin/false"));
}

TEST_F(TrialRunnerTest, AProgramThatDoesNotExistIsNamed) {
  const auto target = targets::MakeBuiltinTarget("/nonexistent/connbench", "fork", {});
  const TrialOutcome outcome = Run(MakeCell(load::Pattern::kSteady, 2), *target);
  EXPECT_EQ(outcome.record.trial.status, results::kTrialInvalid);
  EXPECT_THAT(outcome.record.trial.status_reason, HasSubstr("/nonexistent/connbench"));
}

// Kills the supervisor once the load is on its way.
TEST_F(TrialRunnerTest, AServerThatDiesInTheMiddleMakesTheTrialInvalid) {
  Cell cell = MakeCell(load::Pattern::kSteady, 4);
  cell.workload.duration_ns = 20 * kNanosecondsPerSecond;
  const auto target =
      targets::MakeBuiltinTarget(CONNBENCH_PROGRAM, cell.target.model, cell.settings);
  std::thread killer([&] {
    constexpr size_t kSupervisorAndBackends = 5;
    const pid_t harness = ::getpid();
    for (int i = 0; i < 1000; ++i) {
      for (const pid_t child : observe::ListChildren(harness, harness)) {
        if (observe::ListTree(child).size() >= kSupervisorAndBackends) {
          ::kill(child, SIGKILL);
          return;
        }
      }
      std::this_thread::sleep_for(std::chrono::milliseconds(10));
    }
  });
  const TrialOutcome outcome = Run(cell, *target);
  killer.join();
  EXPECT_EQ(outcome.record.trial.status, results::kTrialInvalid);
  EXPECT_THAT(outcome.record.trial.status_reason, HasSubstr("SIGKILL"));
  EXPECT_LT(outcome.elapsed_ns, 15 * kNanosecondsPerSecond);
  // The next server finds the machine as if nothing had been.
  EXPECT_GT(Run(MakeCell(load::Pattern::kSteady, 4)).record.trial.transactions_ok, 0);
}

TEST_F(TrialRunnerTest, AnInterruptionEndsTheTrialInOrder) {
  Cell cell = MakeCell(load::Pattern::kSteady, 4);
  cell.workload.duration_ns = 20 * kNanosecondsPerSecond;
  std::thread interrupter([] {
    std::this_thread::sleep_for(std::chrono::milliseconds(1500));
    ::kill(::getpid(), SIGINT);
  });
  const TrialOutcome outcome = Run(cell);
  interrupter.join();
  EXPECT_EQ(outcome.record.trial.status, results::kTrialInterrupted);
  EXPECT_LT(outcome.elapsed_ns, 15 * kNanosecondsPerSecond);
}

TEST_F(TrialRunnerTest, AnotherLoadOnTheMachineMakesTheTrialInvalid) {
  std::erase(waived_, "other_load");
  Cell cell = MakeCell(load::Pattern::kIdle, 2);
  cell.workload.active = 0;
  cell.workload.duration_ns = kNanosecondsPerSecond;
  std::vector<pid_t> spinners;
  for (int i = 0; i < 2; ++i) {
    const pid_t pid = ::fork();
    if (pid == 0) {
      ::prctl(PR_SET_PDEATHSIG, SIGKILL);
      while (::getppid() != 0) {
      }
      ::_exit(0);
    }
    ASSERT_GT(pid, 0);
    spinners.push_back(pid);
  }
  const TrialOutcome outcome = Run(cell);
  for (const pid_t pid : spinners) {
    ::kill(pid, SIGKILL);
    ::waitpid(pid, nullptr, 0);
  }
  EXPECT_EQ(outcome.record.trial.status, results::kTrialInvalid);
  EXPECT_THAT(outcome.record.trial.status_reason, HasSubstr("other_load: other processes used"));
  EXPECT_GT(outcome.record.trial.other_cpu_fraction, 0.1);
}

TEST_F(TrialRunnerTest, AnOverflowingAcceptQueueMakesTheTrialInvalid) {
  Cell cell = MakeCell(load::Pattern::kStorm, 50);
  cell.settings.emplace_back("listen_backlog", "8");
  std::erase(waived_, "listen_overflows");
  std::erase(waived_, "syn_retries");
  const TrialOutcome outcome = Run(cell);
  EXPECT_EQ(outcome.record.trial.status, results::kTrialInvalid);
  EXPECT_THAT(outcome.record.trial.status_reason, HasSubstr("listen_overflows: "));
  EXPECT_THAT(outcome.record.trial.status_reason, HasSubstr("syn_retries: "));
}

TEST_F(TrialRunnerTest, ConnectsBeyondTheMaxConnectionsOfTheUserAreCounted) {
  Cell cell = MakeCell(load::Pattern::kStorm, 40);
  cell.settings.emplace_back("max_connections", "20");
  const results::TrialRow row = Run(cell).record.trial;
  EXPECT_EQ(row.status, results::kTrialOk) << row.status_reason;
  EXPECT_GT(row.connects_failed, 0);
  EXPECT_EQ(*row.connects_ok + *row.connects_failed, 40);
}

TEST_F(TrialRunnerTest, NoSegmentIsLeftBehind) {
  const std::set<std::string> before = Segments();
  Run(MakeCell(load::Pattern::kStorm, 8));
  for (const std::string& name : Segments()) {
    // Another test's server may have come meanwhile; ours would still be named by our children.
    if (before.contains(name)) continue;
    const pid_t owner = std::atoi(name.substr(name.rfind('.') + 1).c_str());
    EXPECT_TRUE(observe::ReadProcessStat(owner).has_value()) << name << " has no owner";
  }
}

}  // namespace
}  // namespace connbench::suite
