// The tasks at work: what sessions leave to them, and what happens while they are not there.
#include <fmt/format.h>
#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <atomic>
#include <chrono>
#include <filesystem>
#include <memory>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "base/testing/wait_until.h"
#include "engine/engine.h"
#include "engine/recovery/data_directory.h"
#include "engine/recovery/testing/recovery_test_base.h"
#include "engine/segment/segment.h"
#include "engine/sql/testing/sql_test_base.h"
#include "engine/tasks/testing/running_task.h"
#include "engine/wal/log.h"

namespace connbench::engine {
namespace {

class TasksTest : public ::testing::Test {
 protected:
  TasksTest() {
    std::string pattern = ::testing::TempDir() + "tasks_test.XXXXXX";
    EXPECT_NE(mkdtemp(pattern.data()), nullptr);
    folder_ = pattern;
    config_ = SmallConfig(folder_);
    config_.fsync = false;
    config_.wal_writer_delay_ms = 1;
  }
  ~TasksTest() override {
    log_.reset();
    segment_.reset();
    session_.reset();
    engine_.reset();
    std::filesystem::remove_all(folder_);
  }

  void Open() {
    auto made = Engine::Create(config_);
    ASSERT_TRUE(made.ok()) << made.status().ToString();
    engine_ = std::move(*made);
    engine_->StaffTasks();
    session_ = std::make_unique<TestSession>(*engine_, std::vector<StartupParameter>{}, "postgres");
    auto segment = Segment::Attach(engine_->segment_name(), /*read_only=*/false);
    ASSERT_TRUE(segment.ok()) << segment.status().ToString();
    segment_ = std::move(*segment);
    log_ = std::make_unique<Log>(*segment_, KernelFiles(), config_);
  }
  void Do(std::string_view sql) { EXPECT_EQ(session_->Error(sql), "ok") << sql; }
  uint64_t Checkpoints() { return log_->header().checkpoint_number.load(); }

  std::string folder_;
  EngineConfig config_;
  std::unique_ptr<Engine> engine_;
  std::unique_ptr<TestSession> session_;
  std::unique_ptr<Segment> segment_;
  std::unique_ptr<Log> log_;
};

TEST_F(TasksTest, ThereAreNoneWithoutADataDirectory) {
  config_.data_directory.clear();
  auto made = Engine::Create(config_);
  ASSERT_TRUE(made.ok()) << made.status().ToString();
  EXPECT_TRUE((*made)->tasks().empty());
  (*made)->StaffTasks();
}

TEST_F(TasksTest, ACheckpointThatIsAskedForWaitsForTheCheckpointer) {
  Open();
  Do("create table t (a int)");
  const uint64_t before = Checkpoints();
  std::atomic<bool> done = false;
  std::thread asking([&] {
    Do("checkpoint");
    done = true;
  });
  EXPECT_TRUE(WaitUntil([&] { return log_->header().checkpoints_wanted.load() == 1; }));
  EXPECT_EQ(Checkpoints(), before);
  EXPECT_FALSE(done);
  {
    const RunningTask checkpointer(*engine_, "checkpointer");
    EXPECT_TRUE(WaitUntil([&] { return done.load(); }));
    EXPECT_EQ(Checkpoints(), before + 1);
  }
  asking.join();
  EXPECT_EQ(log_->header().checkpointer_slot.load(), 0u);
}

TEST_F(TasksTest, WhoWaitsForACheckpointCanBeInterrupted) {
  Open();
  EXPECT_EQ(session_->Error("set statement_timeout = 10; checkpoint"),
            "57014 0 canceling statement due to statement timeout");
}

TEST_F(TasksTest, AFailedCheckpointIsToldAndTheNextOneIsMade) {
  Open();
  const std::string in_the_way = CheckpointPath(folder_, Checkpoints() + 1);
  ASSERT_EQ(mkdir(in_the_way.c_str(), 0700), 0);
  const RunningTask checkpointer(*engine_, "checkpointer");
  EXPECT_EQ(session_->Error("checkpoint"), "XX000 0 checkpoint request failed");
  ASSERT_EQ(rmdir(in_the_way.c_str()), 0);
  const uint64_t before = Checkpoints();
  Do("checkpoint");
  EXPECT_GT(Checkpoints(), before);
}

TEST_F(TasksTest, ACheckpointIsMadeWhenTheLogHasGrown) {
  config_.max_wal_size_bytes = 100'000;
  Open();
  const uint64_t before = Checkpoints();
  const RunningTask checkpointer(*engine_, "checkpointer");
  Do("create table t (a int primary key, b text)");
  for (int i = 0; i < 3; ++i) {
    Do(
        fmt::format("insert into t select g, repeat('x', 200) from generate_series({0}, {0} + 999) "
                    "g",
                    1000 * i));
    EXPECT_TRUE(WaitUntil([&] {
      return Checkpoints() > before + static_cast<uint64_t>(i) &&
             log_->inserted() - log_->header().redo.load() < 100'000;
    })) << i;
  }
}

TEST_F(TasksTest, ACheckpointIsMadeAfterItsTimeoutIfSomethingWasLogged) {
  config_.checkpoint_timeout_s = 1;
  Open();
  const uint64_t before = Checkpoints();
  const RunningTask checkpointer(*engine_, "checkpointer");
  Do("create table t (a int)");
  EXPECT_TRUE(WaitUntil([&] { return Checkpoints() > before; }));
  EXPECT_TRUE(
      WaitUntil([&] { return log_->header().checkpoint_complete.load() == log_->inserted(); }));
  const uint64_t quiet = Checkpoints();
  std::this_thread::sleep_for(std::chrono::milliseconds(2500));  // two timeouts
  EXPECT_EQ(Checkpoints(), quiet);
}

TEST_F(TasksTest, TheWalwriterBringsCommitsToDiskThatDoNotWait) {
  Open();
  Do("set synchronous_commit = off");
  Do("create table t (a int)");
  Do("insert into t values (1)");
  EXPECT_LT(log_->durable(), log_->inserted());
  const RunningTask wal_writer(*engine_, "walwriter");
  const auto all_durable = [&] { return log_->durable() == log_->inserted(); };
  EXPECT_TRUE(WaitUntil(all_durable));
  for (int i = 0; i < 20; ++i) {
    if (i % 2 == 0) {  // also when it sleeps
      EXPECT_TRUE(WaitUntil([&] { return log_->header().wal_writer_sleeps.load() == 1; }));
    }
    Do("insert into t values (2)");
    EXPECT_TRUE(WaitUntil(all_durable)) << i;
  }
}

}  // namespace
}  // namespace connbench::engine
