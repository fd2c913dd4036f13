// Pages that are away, and sessions that want them at the same time: who waits, for how long, and
// what ends it.
#include <fmt/format.h>
#include <gmock/gmock.h>
#include <unistd.h>

#include <atomic>
#include <cerrno>
#include <filesystem>
#include <future>
#include <memory>
#include <random>
#include <string>
#include <thread>
#include <vector>

#include "base/testing/wait_until.h"
#include "engine/files/testing/held_files.h"
#include "engine/recovery/testing/recovery_test_base.h"
#include "engine/tasks/testing/running_task.h"

namespace connbench::engine {
namespace {

using ::testing::StartsWith;

constexpr int kRowsToRead = 3000;  // seven on a page
constexpr const char* kTimedOut = "57014 0 canceling statement due to statement timeout";
constexpr const char* kCancelled = "57014 0 canceling statement due to user request";

class PageReadTest : public ::testing::TestWithParam<IoMethod> {
 protected:
  PageReadTest() : folder_(::testing::TempDir() + "page_read_test." + std::to_string(getpid())) {
    config_ = SmallConfig(folder_);
    config_.shared_buffers_bytes = 64 * kPageSize;
    config_.fsync = false;
    config_.io_method = GetParam();
    config_.io_workers = 2;
  }
  ~PageReadTest() override {
    sessions_.clear();
    workers_.clear();
    if (engine_ != nullptr) {
      EXPECT_TRUE(engine_->CloseData().ok());
    }
    engine_.reset();
    std::filesystem::remove_all(folder_);
  }

  void Open() {
    auto made = CreateEngineOnFiles(config_, files_);
    ASSERT_TRUE(made.ok()) << made.status().ToString();
    engine_ = std::move(*made);
    auto segment = Segment::Attach(engine_->segment_name(), /*read_only=*/false);
    ASSERT_TRUE(segment.ok()) << segment.status().ToString();
    segment_ = std::move(*segment);
    StartWorkers();
    for (int i = 0; i < 4; ++i) Begin();
    Do("create table t (a int primary key, b text)");
    Do(fmt::format("insert into t select g, repeat('x', 1000) from generate_series(1, {}) g",
                   kRowsToRead));
    Do("checkpoint");
  }
  void StartWorkers() {
    if (config_.io_method != IoMethod::kWorker) return;
    for (int i = 0; i < config_.io_workers; ++i) {
      workers_.push_back(std::make_unique<RunningTask>(*engine_, fmt::format("io worker {}", i)));
    }
  }
  void Begin() {
    sessions_.push_back(
        std::make_unique<TestSession>(*engine_, std::vector<StartupParameter>{}, "postgres"));
  }
  void Do(const std::string& sql) { EXPECT_EQ(sessions_[0]->Error(sql), "ok") << sql; }
  // Row 1, by the index, and its page are away; what every statement needs is there.
  void SendAway() {
    Do(fmt::format("select sum(length(b)) from t where a > {}", kRowsToRead / 2));
    Do("select sum(length(b)) from t");
    for (const auto& session : sessions_) {
      EXPECT_EQ(session->Rows(fmt::format("select length(b) from t where a = {}", kRowsToRead)),
                "1000");
    }
  }
  std::future<std::string> Ask(size_t session, std::string sql) {
    return std::async(std::launch::async, [this, session, sql = std::move(sql)] {
      return sessions_[session]->Rows(sql);
    });
  }
  std::future<std::string> AskForFirst(size_t session) {
    return Ask(session, "select length(b) from t where a = 1");
  }
  // Sessions that wait for a page, and those that read one themselves.
  int Waiting() {
    const auto* backends = segment_->Find<BackendTable>(SegmentPart::kBackends);
    int waiting = 0;
    for (BackendNumber number = 0; number < backends->slots_used(); ++number) {
      const uint32_t shown = backends->slot(number).shown_wait.load();
      if (shown == static_cast<uint32_t>(WaitReason::kPageRead) + 1) ++waiting;
    }
    return waiting;
  }
  bool AwaitWaiting(int sessions) {
    return WaitUntil([&] { return Waiting() == sessions && files_.waiting() == 1; });
  }
  std::string Id(size_t session) { return sessions_[session]->Rows("select pg_backend_pid()"); }

  const std::string folder_;
  HeldFiles files_{"/pages"};
  EngineConfig config_;
  std::unique_ptr<Engine> engine_;
  std::unique_ptr<Segment> segment_;
  std::vector<std::unique_ptr<RunningTask>> workers_;
  std::vector<std::unique_ptr<TestSession>> sessions_;
};

INSTANTIATE_TEST_SUITE_P(Methods, PageReadTest,
                         ::testing::Values(IoMethod::kSync, IoMethod::kWorker, IoMethod::kIoUring),
                         [](const ::testing::TestParamInfo<IoMethod>& method) {
                           return std::string(NameOf(method.param));
                         });

TEST_P(PageReadTest, ManyWhoWantAPageWaitForOneRead) {
  ASSERT_NO_FATAL_FAILURE(Open());
  SendAway();
  const int64_t before = files_.reads();
  files_.Hold();
  std::vector<std::future<std::string>> answers;
  for (size_t i = 1; i < sessions_.size(); ++i) answers.push_back(AskForFirst(i));
  EXPECT_TRUE(AwaitWaiting(3));
  // What is in the pool can be had meanwhile.
  EXPECT_EQ(sessions_[0]->Rows(fmt::format("select length(b) from t where a = {}", kRowsToRead)),
            "1000");
  EXPECT_EQ(files_.reads(), before + 1);
  files_.Release();
  for (auto& answer : answers) EXPECT_EQ(answer.get(), "1000");
  EXPECT_EQ(Waiting(), 0);
  // At most the pages of the tree, from the root down, and one of the table.
  EXPECT_LE(files_.reads(), before + 3);
}

TEST_P(PageReadTest, WhoWaitsCanBeInterrupted) {
  ASSERT_NO_FATAL_FAILURE(Open());
  SendAway();
  const std::string cancelled = Id(2);
  const std::string ended = Id(3);
  // With workers also the one who has asked for the read.
  const bool worker = GetParam() == IoMethod::kWorker;
  files_.Hold();
  std::future<std::string> first;
  if (!worker) {
    first = AskForFirst(0);
    EXPECT_TRUE(AwaitWaiting(1));
  }
  std::future<std::string> timed_out =
      Ask(1, "set statement_timeout = 100; select length(b) from t where a = 1");
  EXPECT_TRUE(timed_out.get().ends_with(kTimedOut));
  std::future<std::string> second = AskForFirst(2);
  std::future<std::string> third = AskForFirst(3);
  EXPECT_TRUE(AwaitWaiting(worker ? 2 : 3));
  engine_->Cancel(static_cast<uint32_t>(std::stoul(cancelled)),
                  sessions_[2]->session().cancel_key());
  EXPECT_TRUE(second.get().ends_with(kCancelled));
  segment_->Find<BackendTable>(SegmentPart::kBackends)
      ->Terminate(static_cast<uint32_t>(std::stoul(ended)));
  EXPECT_THAT(third.get(), ::testing::HasSubstr("57P01"));
  EXPECT_EQ(files_.waiting(), 1);
  files_.Release();
  if (!worker) {
    EXPECT_EQ(first.get(), "1000");
  }
  sessions_.resize(3);
  EXPECT_EQ(sessions_[2]->Rows("select sum(length(b)) from t"), fmt::format("{}000", kRowsToRead));
}

// A worker's failure is not told: who waits reads the page itself.
TEST_P(PageReadTest, AFailedReadEndsTheStatementsThatWantThePage) {
  ASSERT_NO_FATAL_FAILURE(Open());
  SendAway();
  files_.Hold();
  std::vector<std::future<std::string>> answers;
  for (size_t i = 0; i < 3; ++i) answers.push_back(AskForFirst(i));
  EXPECT_TRUE(AwaitWaiting(3));
  files_.FailReads(GetParam() == IoMethod::kWorker ? 4 : 3, EIO);
  files_.Release();
  for (auto& answer : answers) EXPECT_THAT(answer.get(), StartsWith("ERROR")) << "all three";
  for (size_t i = 0; i < 3; ++i) EXPECT_EQ(AskForFirst(i).get(), "1000");

  SendAway();
  files_.Hold();
  answers.clear();
  for (size_t i = 0; i < 3; ++i) answers.push_back(AskForFirst(i));
  EXPECT_TRUE(AwaitWaiting(3));
  files_.FailReads(1, EIO);
  files_.Release();
  int failed = 0;
  for (auto& answer : answers) {
    const std::string text = answer.get();
    if (text == "1000") continue;
    ++failed;
    EXPECT_THAT(text, ::testing::HasSubstr("58030"));
  }
  EXPECT_EQ(failed, GetParam() == IoMethod::kWorker ? 0 : 1);
  EXPECT_EQ(sessions_[1]->Rows("select sum(length(b)) from t"), fmt::format("{}000", kRowsToRead));
}

TEST_P(PageReadTest, ShortReadsAreGoneOnWith) {
  ASSERT_NO_FATAL_FAILURE(Open());
  SendAway();
  files_.MakeShort(1000);
  EXPECT_EQ(sessions_[1]->Rows("select sum(length(b)) from t"), fmt::format("{}000", kRowsToRead));
}

// Every page in turn, whatever the statement is in the middle of.
TEST_P(PageReadTest, AnyReadMayFail) {
  ASSERT_NO_FATAL_FAILURE(Open());
  const bool worker = GetParam() == IoMethod::kWorker;
  int failures = 0;
  for (int call = 0; call < 120; call += 7) {
    SendAway();
    files_.FailReads(worker ? 2 : 1, EIO, call);
    const std::string text = sessions_[1]->Run(
        call % 2 == 0 ? "update t set b = b where a % 300 = 1"
                      : "insert into t select a + 10000, b from t where a % 300 = 1");
    if (text.find("58030") != std::string::npos) ++failures;
    files_.FailReads(0, 0);
    Do("delete from t where a > 10000");
  }
  EXPECT_GT(failures, 0);
  EXPECT_EQ(sessions_[1]->Rows("select count(*), sum(length(b)) from t"),
            fmt::format("{0}|{0}000", kRowsToRead));
}

// Rings go from session to session: those that read nothing have none.
TEST_P(PageReadTest, ThereAreAsManyRingsAsReadsAtATime) {
  if (GetParam() != IoMethod::kIoUring) return;  // there are none
  ASSERT_NO_FATAL_FAILURE(Open());
  const int at_start = 1;  // to see whether there are any
  SendAway();
  for (size_t i = 0; i < 4; ++i) EXPECT_EQ(AskForFirst(i).get(), "1000");
  EXPECT_EQ(files_.rings(), at_start + 1);
  SendAway();
  files_.Hold();
  std::future<std::string> first = AskForFirst(0);
  EXPECT_TRUE(AwaitWaiting(1));
  std::future<std::string> other = Ask(1, "select length(b) from t where a = 1500");
  EXPECT_TRUE(WaitUntil([&] { return files_.waiting() == 2; }));
  files_.Release();
  EXPECT_EQ(first.get(), "1000");
  EXPECT_EQ(other.get(), "1000");
  EXPECT_EQ(files_.rings(), at_start + 2);
}

// The start of a server that reads nothing needs none either.
TEST_P(PageReadTest, RingsAreForDataDirectories) {
  if (GetParam() != IoMethod::kIoUring) return;
  config_.data_directory.clear();
  auto made = CreateEngineOnFiles(config_, files_);
  ASSERT_TRUE(made.ok()) << made.status().ToString();
  EXPECT_EQ(files_.rings(), 0);
}

TEST_P(PageReadTest, WorkersThatEndLeaveNobodyWaiting) {
  if (GetParam() != IoMethod::kWorker) return;  // there are none
  ASSERT_NO_FATAL_FAILURE(Open());
  std::atomic<bool> done = false;
  std::vector<std::thread> threads;
  for (size_t i = 1; i < sessions_.size(); ++i) {
    threads.emplace_back([this, i, &done] {
      std::mt19937 random(static_cast<uint32_t>(i));
      while (!done) {
        EXPECT_EQ(sessions_[i]->Rows(fmt::format("select length(b) from t where a = {}",
                                                 1 + random() % kRowsToRead)),
                  "1000");
      }
    });
  }
  for (int round = 0; round < 20; ++round) {
    const int64_t before = files_.reads();
    EXPECT_TRUE(WaitUntil([&] { return files_.reads() > before + 20; }));
    workers_.clear();
    EXPECT_TRUE(WaitUntil([&] { return files_.reads() > before + 40; })) << "sessions read";
    StartWorkers();
  }
  done = true;
  for (std::thread& thread : threads) thread.join();
}

// More sessions than the pool can serve at once, each with pins while it waits for another page.
TEST_P(PageReadTest, ManySessionsOverFewFrames) {
  config_.shared_buffers_bytes = 24 * kPageSize;
  config_.max_connections = 30;
  ASSERT_NO_FATAL_FAILURE(Open());
  Do("create index t_b on t (b)");
  std::vector<std::thread> threads;
  std::atomic<int> wrong = 0;
  for (int i = 0; i < 16; ++i) {
    threads.emplace_back([this, i, &wrong] {
      TestSession session(*engine_, {}, "postgres");
      std::mt19937 random(static_cast<uint32_t>(i));
      for (int step = 0; step < 40; ++step) {
        const auto a = 1 + random() % kRowsToRead;
        // Each has rows of its own to change, so that nobody waits for a lock.
        const std::string sql =
            step % 3 != 0 ? fmt::format("select length(b) from t where a = {}", a)
                          : fmt::format("update t set b = repeat('{}', 1000) where a = {}",
                                        static_cast<char>('a' + step % 26), a / 16 * 16 + i);
        if (step % 10 == 5) session.Run("set statement_timeout = 1");
        const std::string answer = session.Error(sql);
        // That, too, may take longer.
        while (step % 10 == 5 && session.Error("reset statement_timeout") != "ok") {
        }
        if (answer == "ok" || (step % 10 == 5 && answer == kTimedOut)) continue;
        ++wrong;
        ADD_FAILURE() << sql << ": " << answer;
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(wrong, 0);
  EXPECT_EQ(Waiting(), 0);
  EXPECT_EQ(sessions_[0]->Rows("select count(*), sum(length(b)) from t"),
            fmt::format("{0}|{0}000", kRowsToRead));
}

}  // namespace
}  // namespace connbench::engine
