// Tests: the server's side of every connection's life.
#include "engine/segment/connection_log.h"

#include <gtest/gtest.h>

#include <atomic>
#include <ctime>
#include <new>
#include <thread>
#include <vector>

#include "engine/segment/shmem_size.h"

namespace connbench::engine {
namespace {

constexpr int64_t kEntries = 16;

class ConnectionLogTest : public ::testing::Test {
 protected:
  ConnectionLogTest()
      : memory_(static_cast<size_t>(ConnectionLog::ShmemSize(kEntries)) / sizeof(int64_t) + 1),
        log_(new (memory_.data()) ConnectionLog()) {
    log_->Init(kEntries);
  }
  std::vector<int64_t> memory_;
  ConnectionLog* log_;
};

TEST_F(ConnectionLogTest, KeepsThePhasesOfEachConnection) {
  const uint32_t first = log_->Begin(100);
  const uint32_t second = log_->Begin(200);
  EXPECT_EQ(first, 1u);
  EXPECT_EQ(second, 2u);
  log_->Stamp(second, ConnectionPhase::kReady, 250);
  log_->SetOutcome(second, "53300");
  const auto records = log_->Read(0);
  ASSERT_EQ(records.size(), 2u);
  EXPECT_EQ(records[0].connection_id, first);
  EXPECT_EQ(records[0].outcome, "");
  EXPECT_EQ(records[1].phase_ns[static_cast<int>(ConnectionPhase::kAccepted)], 200);
  EXPECT_EQ(records[1].phase_ns[static_cast<int>(ConnectionPhase::kReady)], 250);
  EXPECT_EQ(records[1].phase_ns[static_cast<int>(ConnectionPhase::kClosed)], 0);
  EXPECT_EQ(records[1].outcome, "53300");
  EXPECT_EQ(log_->Read(first).size(), 1u);
  EXPECT_TRUE(log_->Read(second).empty());
}

TEST_F(ConnectionLogTest, KnowsWhichConnectionsHaveClosed) {
  const uint32_t id = log_->Begin(100);
  EXPECT_FALSE(log_->Closed(id));
  log_->Stamp(id, ConnectionPhase::kClosed, 200);
  EXPECT_TRUE(log_->Closed(id));
  for (int64_t i = 0; i < kEntries; ++i) log_->Begin(300);
  EXPECT_FALSE(log_->Closed(id));
}

TEST(ConnectionLogCpuTest, StampsCarryTheCpuClockOfTheirThread) {
  std::vector<int64_t> memory(
      static_cast<size_t>(ConnectionLog::ShmemSize(kEntries, true)) / sizeof(int64_t) + 1);
  auto* log = new (memory.data()) ConnectionLog();
  log->Init(kEntries, true);
  const uint32_t id = log->Begin(100);
  // Until this thread has used some more.
  const std::clock_t before = std::clock();
  while (std::clock() == before) {
  }
  log->Stamp(id, ConnectionPhase::kDispatched, 200);
  std::thread([&] { log->Stamp(id, ConnectionPhase::kStarted, 300); }).join();
  const ConnectionLogRecord record = log->Read(0).at(0);
  EXPECT_NE(record.thread[0], 0U);
  EXPECT_EQ(record.thread[1], record.thread[0]);
  EXPECT_GT(record.cpu_ns[1], record.cpu_ns[0]);
  EXPECT_NE(record.thread[2], record.thread[0]);
  EXPECT_EQ(record.thread[3], 0U) << "not reached";
  // The entry's next connection starts anew.
  for (int64_t i = 0; i < kEntries; ++i) log->Begin(1000 + i);
  EXPECT_EQ(log->Read(kEntries).at(0).thread[2], 0U);
}

TEST_F(ConnectionLogTest, OutcomesSurvivePacking) {
  for (const std::string_view state : {"53300", "28P01", "57P03", "0A000", "XX000", "ZZZZZ"}) {
    const uint32_t id = log_->Begin(1);
    log_->SetOutcome(id, state);
    EXPECT_EQ(log_->Read(id - 1).at(0).outcome, state);
  }
}

TEST_F(ConnectionLogTest, ForgetsTheOldestAndIgnoresTheirStamps) {
  const uint32_t old = log_->Begin(1);
  for (int64_t i = 0; i < kEntries; ++i) log_->Begin(1000 + i);
  log_->Stamp(old, ConnectionPhase::kClosed, 99);  // its entry is another's now
  const auto records = log_->Read(0);
  ASSERT_EQ(records.size(), static_cast<size_t>(kEntries));
  EXPECT_EQ(records.front().connection_id, old + 1);
  for (const auto& record : records) {
    EXPECT_EQ(record.phase_ns[static_cast<int>(ConnectionPhase::kClosed)], 0);
  }
}

TEST_F(ConnectionLogTest, ReadersNeverSeeATornRecord) {
  std::atomic<bool> done{false};
  std::thread reader([&] {
    while (!done.load(std::memory_order_relaxed)) {
      for (const auto& record : log_->Read(0)) {
        // Every stamp of a connection carries its id; 0 is "not yet".
        for (const int64_t stamp : record.phase_ns) {
          if (stamp == 0) continue;
          ASSERT_EQ(stamp % 1'000'000, record.connection_id % 1'000'000);
        }
      }
    }
  });
  for (int i = 0; i < 50000; ++i) {
    const uint32_t id = log_->Begin(0);
    log_->Stamp(id, ConnectionPhase::kStarted, id);
    log_->Stamp(id, ConnectionPhase::kReady, 1'000'000 + id);
  }
  done = true;
  reader.join();
}

TEST_F(ConnectionLogTest, IdsAreUnique) {
  constexpr int kPerThread = 5000;
  std::vector<std::thread> threads;
  std::atomic<uint64_t> sum{0};
  for (int t = 0; t < 4; ++t) {
    threads.emplace_back([&] {
      for (int i = 0; i < kPerThread; ++i) sum.fetch_add(log_->Begin(1));
    });
  }
  for (std::thread& thread : threads) thread.join();
  constexpr uint64_t kTotal = 4 * kPerThread;
  EXPECT_EQ(log_->connections_begun(), kTotal);
  EXPECT_EQ(sum.load(), kTotal * (kTotal + 1) / 2);
}

}  // namespace
}  // namespace connbench::engine
