// Tests: backend slots.
#include "engine/transaction/backend.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <atomic>
#include <csignal>
#include <thread>
#include <vector>

#include "engine/transaction/testing/transaction_test_util.h"

namespace connbench::engine {
namespace {

using ::testing::HasSubstr;

class BackendTest : public ::testing::Test {
 protected:
  Result<std::unique_ptr<Backend>> Start(uint32_t connection_id, bool superuser = false) {
    return Backend::Start(environment_.backends(), connection_id, superuser, waiter_);
  }
  std::unique_ptr<Backend> MustStart(uint32_t connection_id) {
    auto started = Start(connection_id, true);
    EXPECT_TRUE(started.ok()) << started.status().ToString();
    return std::move(*started);
  }

  static constexpr int kMax = 20;
  static constexpr int kReserved = 3;
  TransactionEnvironment environment_;
  BlockingWaiter waiter_;
};

TEST_F(BackendTest, TheLimitIsExactAndTheReserveIsForSuperusers) {
  std::vector<std::unique_ptr<Backend>> backends;
  uint32_t id = 1;
  for (int i = 0; i < kMax - kReserved; ++i) {
    auto started = Start(id++);
    ASSERT_TRUE(started.ok()) << "the " << i + 1 << "th: " << started.status().ToString();
    backends.push_back(std::move(*started));
  }
  auto refused = Start(id++);
  ASSERT_FALSE(refused.ok());
  EXPECT_EQ(refused.status().code(), sqlstate::kTooManyConnections);
  EXPECT_TRUE(refused.status().error().fatal);
  EXPECT_EQ(refused.status().error().message,
            "remaining connection slots are reserved for non-replication superuser connections");
  for (int i = 0; i < kReserved; ++i) backends.push_back(MustStart(id++));
  auto full = Start(id++, /*superuser=*/true);
  ASSERT_FALSE(full.ok());
  EXPECT_EQ(full.status().code(), sqlstate::kTooManyConnections);
  EXPECT_EQ(full.status().error().message, "sorry, too many clients already");
  EXPECT_EQ(environment_.backends().sessions(), kMax);
  backends.clear();
  EXPECT_EQ(environment_.backends().sessions(), 0);
  EXPECT_TRUE(Start(id).ok());
}

TEST_F(BackendTest, AuxiliarySlotsDoNotCountAsConnections) {
  std::vector<std::unique_ptr<Backend>> helpers;
  for (int i = 0; i < BackendTable::kAuxiliarySlots; ++i) {
    auto started = Backend::StartAuxiliary(environment_.backends(), waiter_);
    ASSERT_TRUE(started.ok());
    helpers.push_back(std::move(*started));
  }
  EXPECT_FALSE(Backend::StartAuxiliary(environment_.backends(), waiter_).ok());
  EXPECT_EQ(environment_.backends().sessions(), 0);
  EXPECT_TRUE(Start(1).ok());
}

TEST_F(BackendTest, CancelNeedsTheKeyAndAStatement) {
  auto backend = MustStart(7);
  BackendTable& table = environment_.backends();
  backend->BeginStatement(0);
  EXPECT_FALSE(table.Cancel(7, backend->cancel_key() + 1));
  EXPECT_FALSE(table.Cancel(8, backend->cancel_key()));
  EXPECT_TRUE(backend->CheckForInterrupts().ok());
  EXPECT_TRUE(table.Cancel(7, backend->cancel_key()));
  const Status status = backend->CheckForInterrupts();
  ASSERT_FALSE(status.ok());
  EXPECT_EQ(status.code(), sqlstate::kQueryCanceled);
  EXPECT_FALSE(status.error().fatal);
  EXPECT_TRUE(backend->CheckForInterrupts().ok()) << "one cancel ends one statement";
  backend->EndStatement(BackendState::kIdle);
  // While idle: must not hit the next statement.
  EXPECT_TRUE(table.Cancel(7, backend->cancel_key()));
  backend->BeginStatement(0);
  EXPECT_TRUE(backend->CheckForInterrupts().ok());
}

TEST_F(BackendTest, KeysAndSlotsAreNotInherited) {
  auto first = MustStart(1);
  const uint32_t key = first->cancel_key();
  const BackendNumber number = first->number();
  first.reset();
  auto second = MustStart(2);
  ASSERT_EQ(second->number(), number) << "the test needs the same slot";
  EXPECT_NE(second->cancel_key(), key);
  second->BeginStatement(0);
  EXPECT_FALSE(environment_.backends().Cancel(1, key));
  EXPECT_FALSE(environment_.backends().Interrupt(1, kInterruptTerminate));
  EXPECT_TRUE(second->CheckForInterrupts().ok());
}

TEST_F(BackendTest, TerminationIsFatalAndStays) {
  auto backend = MustStart(3);
  EXPECT_TRUE(backend->CheckTermination().ok());
  EXPECT_TRUE(environment_.backends().Interrupt(3, kInterruptTerminate));
  backend->BeginStatement(0);
  for (int i = 0; i < 2; ++i) {
    const Status status = backend->CheckForInterrupts();
    ASSERT_FALSE(status.ok());
    EXPECT_EQ(status.code(), sqlstate::kAdminShutdown);
    EXPECT_TRUE(status.error().fatal);
  }
  EXPECT_EQ(backend->CheckTermination().code(), sqlstate::kAdminShutdown);
}

TEST_F(BackendTest, TerminateTellsTheListenerAndMarksTheOneSession) {
  sigset_t signals;
  sigemptyset(&signals);
  sigaddset(&signals, SIGUSR1);
  pthread_sigmask(SIG_BLOCK, &signals, nullptr);
  const auto told = [&] {
    const timespec at_once = {};
    return sigtimedwait(&signals, nullptr, &at_once) == SIGUSR1;
  };
  BackendTable& backends = environment_.backends();
  auto meant = MustStart(3);
  auto other = MustStart(4);
  EXPECT_TRUE(backends.Terminate(3));  // nobody listens
  EXPECT_FALSE(told());
  EXPECT_TRUE(backends.AskedToEnd(3));
  EXPECT_FALSE(backends.AskedToEnd(4));
  EXPECT_TRUE(other->CheckTermination().ok());
  backends.SetEndListener(getpid(), SIGUSR1);
  EXPECT_TRUE(backends.Terminate(4));
  EXPECT_TRUE(told());
  EXPECT_FALSE(backends.Terminate(5));  // there is no such session
  EXPECT_FALSE(told());
  EXPECT_FALSE(backends.AskedToEnd(0));
  meant.reset();
  EXPECT_FALSE(backends.AskedToEnd(3));
}

TEST_F(BackendTest, ShutdownEndsAllAndRefusesNewOnes) {
  auto one = MustStart(1);
  auto two = MustStart(2);
  environment_.backends().RequestShutdown();
  EXPECT_FALSE(one->CheckTermination().ok());
  EXPECT_FALSE(two->CheckTermination().ok());
  auto late = Start(3, true);
  ASSERT_FALSE(late.ok());
  EXPECT_EQ(late.status().code(), sqlstate::kCannotConnectNow);
  EXPECT_TRUE(late.status().error().fatal);
  EXPECT_EQ(environment_.backends().sessions(), 2);
}

TEST_F(BackendTest, StatementTimeoutIsNoticedInALoop) {
  auto backend = MustStart(1);
  backend->BeginStatement(/*statement_timeout_ms=*/5);
  const MonotonicNs start = MonotonicNow();
  Status status;
  while (status.ok()) status = backend->CheckForInterrupts();  // ends, or the test hangs
  EXPECT_EQ(status.code(), sqlstate::kQueryCanceled);
  EXPECT_THAT(status.error().message, HasSubstr("statement timeout"));
  EXPECT_GE(MonotonicNow() - start, 5 * kNanosecondsPerMillisecond);
  backend->EndStatement(BackendState::kIdle);
  backend->BeginStatement(0);
  for (int i = 0; i < 1000; ++i) EXPECT_TRUE(backend->CheckForInterrupts().ok());
}

TEST_F(BackendTest, ConcurrentStartsNeverPassTheLimitAndLoseNoSlot) {
  std::atomic<uint32_t> next_id{1};
  std::atomic<int> live{0};
  std::atomic<int> most{0};
  std::vector<std::thread> threads;
  for (int t = 0; t < 4; ++t) {
    threads.emplace_back([&] {
      BlockingWaiter waiter;
      std::vector<std::unique_ptr<Backend>> mine;
      for (int i = 0; i < 2000; ++i) {
        auto started = Backend::Start(environment_.backends(), next_id.fetch_add(1), false, waiter);
        if (started.ok()) {
          const int now = live.fetch_add(1) + 1;
          int seen = most.load();
          while (seen < now && !most.compare_exchange_weak(seen, now)) {
          }
          mine.push_back(std::move(*started));
        }
        if (mine.size() > 7 || !started.ok()) {
          live.fetch_sub(static_cast<int>(mine.size()));
          mine.clear();
        }
      }
      live.fetch_sub(static_cast<int>(mine.size()));
    });
  }
  for (std::thread& thread : threads) thread.join();
  EXPECT_LE(most.load(), kMax - kReserved);
  EXPECT_EQ(environment_.backends().sessions(), 0);
  std::vector<std::unique_ptr<Backend>> all;
  for (uint32_t i = 0; i < kMax; ++i) all.push_back(MustStart(1'000'000 + i));
}

}  // namespace
}  // namespace connbench::engine
