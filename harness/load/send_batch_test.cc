// Tests: several sends in one system call, through io_uring.
#include "harness/load/send_batch.h"

#include <gtest/gtest.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <string>
#include <vector>

#include "harness/load/generator.h"
#include "harness/load/testing/fake_server.h"

namespace connbench::load {
namespace {

class SocketPair {
 public:
  SocketPair() { EXPECT_EQ(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, ends_.data()), 0); }
  ~SocketPair() {
    close(ends_[0]);
    CloseReader();
  }
  int writer() const { return ends_[0]; }
  void CloseReader() {
    if (ends_[1] >= 0) close(ends_[1]);
    ends_[1] = -1;
  }
  std::string Read() const {
    std::array<char, 4096> buffer;
    const ssize_t got = recv(ends_[1], buffer.data(), buffer.size(), MSG_DONTWAIT);
    return {buffer.data(), got > 0 ? static_cast<size_t>(got) : 0};
  }

 private:
  std::array<int, 2> ends_{};
};

class SendBatchTest : public ::testing::Test {
 protected:
  void SetUp() override {
    if (batch_ == nullptr) GTEST_SKIP() << "this kernel or container has no io_uring";
  }
  std::unique_ptr<SendBatch> batch_ = SendBatch::Make();
};

TEST_F(SendBatchTest, SendsAllAtOnceAndSaysWhatCameOfEach) {
  std::array<SocketPair, 3> pairs;
  pairs[1].CloseReader();
  for (int turn = 0; turn < 3; ++turn) {
    const std::string text = "statement " + std::to_string(turn);
    for (uint32_t i = 0; i < pairs.size(); ++i) {
      ASSERT_TRUE(batch_->Add(pairs[i].writer(), text, 70 + i));
    }
    EXPECT_EQ(pairs[0].Read(), "") << "nothing is sent before Submit";
    const auto results = batch_->Submit();
    ASSERT_EQ(results.size(), pairs.size());
    for (uint32_t i = 0; i < pairs.size(); ++i) {
      EXPECT_EQ(results[i].tag, 70 + i);
      EXPECT_EQ(results[i].result, i == 1 ? -EPIPE : static_cast<int>(text.size()));
      if (i != 1) {
        EXPECT_EQ(pairs[i].Read(), text);
      }
    }
    EXPECT_EQ(batch_->size(), 0U);
  }
}

TEST_F(SendBatchTest, AFullSocketIsNotWaitedFor) {
  SocketPair pair;
  const std::string much(8 << 20, 'x');
  ASSERT_TRUE(batch_->Add(pair.writer(), much, 1));
  const int taken = batch_->Submit()[0].result;
  EXPECT_GT(taken, 0);
  EXPECT_LT(taken, static_cast<int>(much.size()));
  ASSERT_TRUE(batch_->Add(pair.writer(), much, 1));
  EXPECT_EQ(batch_->Submit()[0].result, -EAGAIN);
}

TEST_F(SendBatchTest, HasItsBound) {
  SocketPair pair;
  for (unsigned i = 0; i < SendBatch::kMaxSends; ++i) {
    ASSERT_TRUE(batch_->Add(pair.writer(), "x", i));
  }
  EXPECT_FALSE(batch_->Add(pair.writer(), "x", 0));
  EXPECT_EQ(batch_->Submit().size(), SendBatch::kMaxSends);
  EXPECT_EQ(pair.Read(), std::string(SendBatch::kMaxSends, 'x'));
}

// The same transactions, counted on both sides, whether a round has one answer or many.
TEST(SendBatchRun, LosesAndRepeatsNothing) {
  for (const bool unix_socket : {false, true}) {
    FakeServer server({Behaviour::kServe}, unix_socket);
    LoadConfig config;
    config.endpoint = server.endpoint();
    config.workload.name = "test";
    config.workload.pattern = Pattern::kSteady;
    config.workload.connections = 20;
    config.workload.scripts = {{"test.sql", "SELECT 1;\nSELECT 2;", 1}};
    config.transactions_per_client = 50;
    const auto result = RunLoad(config);
    ASSERT_TRUE(result.ok()) << result.status().ToString();
    EXPECT_TRUE(result->Check().ok()) << result->Check().ToString();
    EXPECT_EQ(result->transactions_ok, 1000U);
    server.WaitUntilClosed();
    EXPECT_EQ(server.Received('Q'), 2000);
  }
}

}  // namespace
}  // namespace connbench::load
