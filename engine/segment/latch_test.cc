// Latches exclude, share, wake and survive contention.
#include "engine/segment/latch.h"

#include <gtest/gtest.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <atomic>
#include <chrono>
#include <thread>
#include <vector>

namespace connbench::engine {
namespace {

constexpr int kThreads = 4;
constexpr int kRounds = 20000;

TEST(LatchTest, TryLockSeesHolders) {
  Latch latch;
  ASSERT_TRUE(latch.TryLockShared());
  ASSERT_TRUE(latch.TryLockShared());
  EXPECT_FALSE(latch.TryLockExclusive());
  latch.UnlockShared();
  latch.UnlockShared();
  ASSERT_TRUE(latch.TryLockExclusive());
  EXPECT_FALSE(latch.TryLockShared());
  EXPECT_FALSE(latch.TryLockExclusive());
  latch.UnlockExclusive();
  EXPECT_TRUE(latch.TryLockShared());
  latch.UnlockShared();
}

TEST(LatchTest, RecordsTheExclusiveOwner) {
  Latch latch;
  EXPECT_EQ(latch.exclusive_owner(), 0u);
  {
    ExclusiveLatchGuard guard(latch);
    EXPECT_EQ(latch.exclusive_owner(), static_cast<uint32_t>(gettid()));
    EXPECT_TRUE(latch.HeldExclusiveByMe());
    std::thread([&] { EXPECT_FALSE(latch.HeldExclusiveByMe()); }).join();
  }
  EXPECT_EQ(latch.exclusive_owner(), 0u);
}

TEST(LatchTest, TheThreadIdIsRightAfterFork) {
  ASSERT_EQ(CurrentThreadId(), static_cast<uint32_t>(gettid()));
  const pid_t child = fork();
  if (child == 0) _exit(CurrentThreadId() == static_cast<uint32_t>(gettid()) ? 0 : 1);
  int status = 0;
  ASSERT_EQ(waitpid(child, &status, 0), child);
  EXPECT_EQ(WEXITSTATUS(status), 0);
}

// Writers change all words of a record, readers compare them: any overlap of a writer with anybody
// else shows as a torn record (and as a race under ThreadSanitizer).
class LatchStressTest : public ::testing::TestWithParam<bool> {};

TEST_P(LatchStressTest, WritersExcludeEverybody) {
  Latch latch;
  latch.Init(GetParam(), LatchRank::kPage);
  std::array<int64_t, 8> record{};
  std::atomic<int64_t> writes{0};
  std::atomic<int64_t> torn{0};
  std::vector<std::thread> threads;
  for (int t = 0; t < kThreads; ++t) {
    threads.emplace_back([&, t] {
      for (int i = 0; i < kRounds; ++i) {
        if ((i + t) % 4 == 0) {
          ExclusiveLatchGuard guard(latch);
          for (int64_t& word : record) ++word;
          writes.fetch_add(1, std::memory_order_relaxed);
        } else {
          SharedLatchGuard guard(latch);
          for (const int64_t word : record) {
            if (word != record[0]) torn.fetch_add(1, std::memory_order_relaxed);
          }
        }
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(torn.load(), 0);
  EXPECT_EQ(record[0], writes.load());
}
INSTANTIATE_TEST_SUITE_P(PrivateAndShared, LatchStressTest, ::testing::Bool());

TEST(LatchTest, SharedHoldersOverlap) {
  Latch latch;
  SharedLatchGuard mine(latch);
  std::atomic<bool> entered{false};
  std::thread([&] {
    SharedLatchGuard other(latch);
    entered = true;
  }).join();  // would never end if readers excluded each other
  EXPECT_TRUE(entered);
}

TEST(LatchTest, NewReadersStandBehindAWaitingWriter) {
  constexpr auto kWithin = std::chrono::seconds(20);
  Latch latch;
  latch.LockShared();
  std::thread writer([&] { ExclusiveLatchGuard guard(latch); });
  // The latch itself says when the writer waits: then no reader gets it any more.
  const auto give_up = std::chrono::steady_clock::now() + kWithin;
  bool shared = true;
  while (shared && std::chrono::steady_clock::now() < give_up) {
    shared = latch.TryLockShared();
    if (shared) latch.UnlockShared();
    std::this_thread::yield();
  }
  EXPECT_FALSE(shared) << "a reader passes the writer that waits";
  latch.UnlockShared();
  writer.join();
  EXPECT_TRUE(latch.TryLockShared()) << "nobody waits any more";
  latch.UnlockShared();
}

TEST(LatchTest, ReadersDoNotStarveAWriter) {
  Latch latch;
  std::atomic<bool> done{false};
  std::vector<std::thread> readers;
  for (int t = 0; t < kThreads; ++t) {
    readers.emplace_back([&] {
      while (!done.load(std::memory_order_relaxed)) SharedLatchGuard guard(latch);
    });
  }
  for (int i = 0; i < 1000; ++i) ExclusiveLatchGuard guard(latch);  // ends
  done = true;
  for (std::thread& reader : readers) reader.join();
}

TEST(LatchTest, WorksAcrossProcesses) {
  struct Shared {
    Latch latch;
    int64_t counter;
  };
  void* memory =
      mmap(nullptr, sizeof(Shared), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
  ASSERT_NE(memory, MAP_FAILED);
  auto* shared = new (memory) Shared();
  std::vector<pid_t> children;
  for (int c = 0; c < kThreads; ++c) {
    const pid_t child = fork();
    if (child == 0) {
      for (int i = 0; i < kRounds; ++i) {
        ExclusiveLatchGuard guard(shared->latch);
        shared->counter += 1;
      }
      _exit(0);
    }
    children.push_back(child);
  }
  for (const pid_t child : children) {
    int status = 0;
    ASSERT_EQ(waitpid(child, &status, 0), child);
    EXPECT_TRUE(WIFEXITED(status) && WEXITSTATUS(status) == 0);
  }
  EXPECT_EQ(shared->counter, int64_t{kThreads} * kRounds);
  munmap(memory, sizeof(Shared));
}

}  // namespace
}  // namespace connbench::engine
