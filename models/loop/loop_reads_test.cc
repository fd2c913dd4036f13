// Sessions of an event loop whose pages are away, with io_method=io_uring: the loop goes on,
// whoever waits can be cancelled, and the loop ends what the kernel reads.
#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <cerrno>
#include <filesystem>
#include <future>
#include <memory>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "base/testing/wait_until.h"
#include "engine/engine_on_files.h"
#include "engine/files/testing/held_files.h"
#include "engine/segment/segment.h"
#include "engine/storage/ring_reads.h"
#include "engine/transaction/backend.h"
#include "models/listener.h"
#include "models/loop/event_descriptors.h"
#include "models/loop/loop_connection.h"
#include "models/loop/testing/loop_testing.h"
#include "models/testing/test_client.h"

namespace connbench::models::testing {
namespace {

using ::testing::ElementsAre;

constexpr int kRows = 3000;  // seven on a page
constexpr const char* kFirst = "select length(b) from t where a = 1";

class LoopReadsTest : public ::testing::TestWithParam<LoopKind> {
 protected:
  LoopReadsTest() : folder_(::testing::TempDir() + "loop_reads_test." + std::to_string(getpid())) {
    std::filesystem::create_directories(folder_);
    config_.data_directory = folder_ + "/data";
    config_.shared_buffers_bytes = 64 << 13;
    config_.max_connections = 16;
    config_.fsync = false;
    config_.io_method = engine::IoMethod::kIoUring;
  }
  ~LoopReadsTest() override {
    clients_.clear();
    Stop();
    if (engine_ != nullptr) {
      EXPECT_TRUE(engine_->CloseData().ok());
    }
    listeners_.CloseAndRemove();
    engine_.reset();
    std::filesystem::remove_all(folder_);
  }

  void Open(int rows = kRows) {
    auto made = engine::CreateEngineOnFiles(config_, files_);
    ASSERT_TRUE(made.ok()) << made.status().ToString();
    engine_ = std::move(*made);
    ListenOptions options;
    options.hosts = "";
    options.socket_directory = folder_;
    options.backlog = config_.max_connections;
    auto listeners = ListenerSet::Open(options);
    ASSERT_TRUE(listeners.ok()) << listeners.status().ToString();
    listeners_ = std::move(*listeners);
    loop_ = std::make_unique<TestLoop>(GetParam());
    for (const Listener& listener : listeners_.listeners()) {
      ASSERT_TRUE(LoopAcceptor::AddTo(**loop_, *engine_, listener).ok());
    }
    running_ = std::async(std::launch::async, [this] { (*loop_)->Run(); });
    for (int i = 0; i < 4; ++i) Begin();
    Do("create table t (a int primary key, b text)");
    Do(fmt::format("insert into t select g, repeat('x', 1000) from generate_series(1, {}) g",
                   rows));
    Do("checkpoint");
  }
  void Begin() {
    clients_.push_back(std::make_unique<TestClient>(listeners_.socket_path()));
    ASSERT_TRUE(clients_.back()->Start("postgres")) << clients_.back()->error_message();
  }
  void Stop() {
    if (!running_.valid()) return;
    engine_->RequestShutdown();
    (*loop_)->RequestStop();
    running_.get();
    loop_.reset();
  }
  TestClient& client(size_t number) { return *clients_[number]; }
  void Do(const std::string& sql) {
    EXPECT_TRUE(client(0).Query(sql)) << client(0).error_message();
  }
  // Row 1, by the index, and its page are away; what every statement needs is there.
  void SendAway() {
    Do(fmt::format("select sum(length(b)) from t where a > {}", kRows / 2));
    Do("select sum(length(b)) from t");
    for (const auto& one : clients_) EXPECT_TRUE(one->Query(Last()));
  }
  static std::string Last() { return fmt::format("select length(b) from t where a = {}", kRows); }
  void ExpectAnswer(size_t number) {
    EXPECT_TRUE(client(number).Finish()) << client(number).error_message();
    EXPECT_THAT(client(number).rows(), ElementsAre("1000"));
  }
  int Waiting() {
    auto segment = engine::Segment::Attach(engine_->segment_name(), /*read_only=*/false);
    const auto* backends = (*segment)->Find<engine::BackendTable>(engine::SegmentPart::kBackends);
    int waiting = 0;
    for (engine::BackendNumber number = 0; number < backends->slots_used(); ++number) {
      const uint32_t shown = backends->slot(number).shown_wait.load();
      if (shown == static_cast<uint32_t>(engine::WaitReason::kPageRead) + 1) ++waiting;
    }
    return waiting;
  }
  bool AwaitWaiting(int sessions, int reads) {
    return WaitUntil([&] { return Waiting() == sessions && files_.waiting() == reads; });
  }

  const std::string folder_;
  engine::HeldFiles files_{"/pages"};
  engine::EngineConfig config_;
  std::unique_ptr<engine::Engine> engine_;
  ListenerSet listeners_;
  std::unique_ptr<TestLoop> loop_;
  std::future<void> running_;
  std::vector<std::unique_ptr<TestClient>> clients_;
};

INSTANTIATE_TEST_SUITE_P(Loops, LoopReadsTest, ::testing::ValuesIn(AllLoopKinds()), LoopKindName);

TEST_P(LoopReadsTest, OthersGoOnWhileAPageIsRead) {
  ASSERT_NO_FATAL_FAILURE(Open());
  SendAway();
  const int64_t before = files_.reads();
  files_.Hold();
  client(1).SendQuery(kFirst);
  EXPECT_TRUE(AwaitWaiting(1, 1));
  for (int i = 0; i < 50; ++i) EXPECT_TRUE(client(0).Query(Last()));
  client(2).SendQuery(kFirst);
  EXPECT_TRUE(AwaitWaiting(2, 1));
  EXPECT_EQ(files_.reads(), before + 1);
  files_.Release();
  ExpectAnswer(1);
  ExpectAnswer(2);
  EXPECT_EQ(Waiting(), 0);
  EXPECT_EQ(files_.rings(), 2) << "the start's, to see whether there are any, and the loop's";
}

TEST_P(LoopReadsTest, AReadGoesOnWithoutTheSessionThatAsked) {
  ASSERT_NO_FATAL_FAILURE(Open());
  SendAway();
  const int64_t before = files_.reads();
  files_.Hold();
  client(1).SendQuery(kFirst);
  EXPECT_TRUE(AwaitWaiting(1, 1));
  engine_->Cancel(client(1).session().connection_id(), client(1).session().cancel_key());
  EXPECT_FALSE(client(1).Finish());
  EXPECT_EQ(client(1).error_code(), "57014");
  EXPECT_FALSE(client(2).Query(fmt::format("set statement_timeout = 50; {}", kFirst)));
  EXPECT_EQ(client(2).error_code(), "57014");
  client(3).SendQuery(kFirst);
  EXPECT_TRUE(AwaitWaiting(1, 1));
  EXPECT_EQ(files_.reads(), before + 1);
  files_.Release();
  ExpectAnswer(3);
  EXPECT_TRUE(client(1).Query("select sum(length(b)) from t")) << client(1).error_message();
  EXPECT_THAT(client(1).rows(), ElementsAre(fmt::format("{}000", kRows)));
}

TEST_P(LoopReadsTest, ALoopEndsAfterItsReads) {
  ASSERT_NO_FATAL_FAILURE(Open());
  SendAway();
  files_.Hold();
  client(1).SendQuery(kFirst);
  EXPECT_TRUE(AwaitWaiting(1, 1));
  engine_->RequestShutdown();
  (*loop_)->RequestStop();
  EXPECT_TRUE(client(1).WaitForClose());
  EXPECT_EQ(client(1).error_code(), "57P01");
  EXPECT_EQ(running_.wait_for(std::chrono::milliseconds(50)), std::future_status::timeout);
  EXPECT_EQ(files_.waiting(), 1);
  files_.Release();
  Stop();
  EXPECT_EQ(files_.waiting(), 0);
}

TEST_P(LoopReadsTest, AFailedReadIsTheErrorOfWhoAsked) {
  ASSERT_NO_FATAL_FAILURE(Open());
  SendAway();
  files_.Hold();
  client(1).SendQuery(kFirst);
  EXPECT_TRUE(AwaitWaiting(1, 1));
  client(2).SendQuery(kFirst);
  EXPECT_TRUE(AwaitWaiting(2, 1));
  files_.FailReads(1, EIO);
  files_.Release();
  EXPECT_FALSE(client(1).Finish());
  EXPECT_EQ(client(1).error_code(), "58030") << client(1).error_message();
  ExpectAnswer(2);
  EXPECT_TRUE(client(1).Query(kFirst)) << client(1).error_message();
}

TEST_P(LoopReadsTest, ShortReadsAreGoneOnWith) {
  ASSERT_NO_FATAL_FAILURE(Open());
  SendAway();
  files_.MakeShort(1000);
  EXPECT_TRUE(client(1).Query("select sum(length(b)) from t")) << client(1).error_message();
  EXPECT_THAT(client(1).rows(), ElementsAre(fmt::format("{}000", kRows)));
}

// More pages at once than a loop reads: the others wait for one to end.
TEST_P(LoopReadsTest, AFullRingWaits) {
  constexpr int kMore = 20;
  constexpr int kReaders = static_cast<int>(engine::LoopReads::kMost) + kMore;
  constexpr int kApart = 33;  // rows, so that no two are on one page
  constexpr int kManyRows =
      20000;  // those asked for have left the pool when the last ones are read
  config_.shared_buffers_bytes = 1024 << 13;
  config_.max_connections = kReaders + 16;
  ASSERT_NO_FATAL_FAILURE(Open(kManyRows));
  for (int i = 0; i < kReaders; ++i) Begin();
  Do("select sum(length(b)) from t");
  const auto ask = [](int row) { return fmt::format("select length(b) from t where a = {}", row); };
  // What each session and each search needs but for the row's page.
  for (int i = 0; i < kReaders; ++i) {
    EXPECT_TRUE(client(4 + static_cast<size_t>(i)).Query(ask(i * kApart + 15)));
  }
  files_.Hold();
  for (int i = 0; i < kReaders; ++i) {
    client(4 + static_cast<size_t>(i)).SendQuery(ask(i * kApart + 1));
  }
  EXPECT_TRUE(AwaitWaiting(kReaders, static_cast<int>(engine::LoopReads::kMost)));
  EXPECT_TRUE(client(0).Query(ask(15))) << "which is in the pool";
  files_.Release();
  for (int i = 0; i < kReaders; ++i) ExpectAnswer(4 + static_cast<size_t>(i));
}

}  // namespace
}  // namespace connbench::models::testing
