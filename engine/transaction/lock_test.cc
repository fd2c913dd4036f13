// Locks: conflicts, the line of waiters, deadlocks, limits.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <atomic>
#include <functional>
#include <thread>
#include <vector>

#include "engine/transaction/lock_table.h"
#include "engine/transaction/testing/transaction_test_util.h"

namespace connbench::engine {
namespace {

using ::testing::HasSubstr;

constexpr uint32_t kTable = 16384;
constexpr uint64_t kRow = 7 << 16 | 3;
constexpr LockMode kAllModes[] = {LockMode::kAccessShare,  LockMode::kRowShare,
                                  LockMode::kRowExclusive, LockMode::kShareUpdateExclusive,
                                  LockMode::kShare,        LockMode::kShareRowExclusive,
                                  LockMode::kExclusive,    LockMode::kAccessExclusive};

class LockTest : public ::testing::Test {
 protected:
  // Runs work in a thread of its own and returns when session sleeps on a lock.
  static std::thread StartAndAwaitSleep(TestSession& session, std::function<void()> work) {
    std::thread thread(std::move(work));
    while (!session.Waits()) std::this_thread::yield();
    return thread;
  }

  TransactionEnvironment environment_;
};

TEST(LockModesTest, TheConflictTableIsPostgresqls) {
  // Row: held; column: wanted; X: conflict. From the documentation, "13.3.1 Table-Level Locks".
  constexpr std::string_view kExpected[] = {"       X", "      XX", "    XXXX", "   XXXXX",
                                            "  XX XXX", "  XXXXXX", " XXXXXXX", "XXXXXXXX"};
  for (int held = 0; held < kLockModes; ++held) {
    for (int wanted = 0; wanted < kLockModes; ++wanted) {
      EXPECT_EQ(LocksConflict(kAllModes[wanted], kAllModes[held]), kExpected[held][wanted] == 'X')
          << LockModeName(kAllModes[held]) << " against " << LockModeName(kAllModes[wanted]);
    }
  }
}

TEST_F(LockTest, ModesExcludeEachOtherAsTheTableSays) {
  TestSession holder(environment_, 1);
  TestSession other(environment_, 2);
  for (const LockMode held : kAllModes) {
    for (const LockMode wanted : kAllModes) {
      ASSERT_TRUE(holder.locks().LockRelation(kTable, held).ok());
      const Status status = other.locks().LockRelation(kTable, wanted, LockWait::kNoWait);
      EXPECT_EQ(status.ok(), !LocksConflict(wanted, held))
          << LockModeName(held) << " against " << LockModeName(wanted);
      if (!status) {
        EXPECT_EQ(status.code(), sqlstate::kLockNotAvailable);
      }
      EXPECT_TRUE(other.locks().LockRelation(kTable + 1, wanted, LockWait::kNoWait).ok());
      other.locks().ReleaseTo(0);
      EXPECT_TRUE(holder.locks().LockRelation(kTable, wanted, LockWait::kNoWait).ok())
          << "one never blocks oneself";
      holder.locks().ReleaseTo(0);
    }
  }
}

TEST_F(LockTest, LocksEndWithTheirSavepointOrTransaction) {
  TestSession holder(environment_, 1);
  TestSession other(environment_, 2);
  const auto is_free = [&](uint32_t table) {
    const bool ok =
        other.locks().LockRelation(table, LockMode::kAccessExclusive, LockWait::kNoWait).ok();
    other.locks().ReleaseTo(0);
    return ok;
  };
  holder.Begin();
  ASSERT_TRUE(holder.locks().LockRelation(1, LockMode::kAccessShare).ok());
  holder->PushSavepoint();
  ASSERT_TRUE(holder.locks().LockRelation(2, LockMode::kAccessShare).ok());
  ASSERT_TRUE(holder.locks().LockRelation(3, LockMode::kExclusive).ok());
  EXPECT_FALSE(is_free(1) || is_free(2) || is_free(3));
  holder->RollbackToSavepoint(1);
  EXPECT_FALSE(is_free(1));
  EXPECT_TRUE(is_free(2) && is_free(3));
  ASSERT_TRUE(holder->Commit().ok());
  EXPECT_TRUE(is_free(1));
}

TEST_F(LockTest, MoreWeakLocksThanTheFastPathHolds) {
  TestSession holder(environment_, 1);
  TestSession other(environment_, 2);
  constexpr uint32_t kTables = 3 * kFastPathLocks;
  for (uint32_t table = 1; table <= kTables; ++table) {
    ASSERT_TRUE(holder.locks().LockRelation(table, LockMode::kAccessShare).ok());
  }
  for (uint32_t table = 1; table <= kTables; ++table) {
    EXPECT_TRUE(holder.locks().HoldsRelation(table, LockMode::kAccessShare));
    EXPECT_FALSE(
        other.locks().LockRelation(table, LockMode::kAccessExclusive, LockWait::kNoWait).ok());
  }
  holder.locks().ReleaseTo(0);
  for (uint32_t table = 1; table <= kTables; ++table) {
    EXPECT_TRUE(
        other.locks().LockRelation(table, LockMode::kAccessExclusive, LockWait::kNoWait).ok());
  }
}

TEST_F(LockTest, AStrongLockerIsWokenByTheLastFastPathHolder) {
  TestSession one(environment_, 1);
  TestSession two(environment_, 2);
  TestSession strong(environment_, 3);
  ASSERT_TRUE(one.locks().LockRelation(kTable, LockMode::kAccessShare).ok());
  ASSERT_TRUE(two.locks().LockRelation(kTable, LockMode::kRowExclusive).ok());
  std::atomic<bool> granted{false};
  std::thread thread = StartAndAwaitSleep(strong, [&] {
    EXPECT_TRUE(strong.locks().LockRelation(kTable, LockMode::kAccessExclusive).ok());
    granted = true;
  });
  one.locks().ReleaseTo(0);
  EXPECT_FALSE(granted);
  two.locks().ReleaseTo(0);
  thread.join();
  EXPECT_TRUE(granted);
}

TEST_F(LockTest, NewWeakLockersQueueBehindAStrongOneUnlessItWaitsForThem) {
  TestSession holder(environment_, 1);
  TestSession strong(environment_, 2);
  TestSession late(environment_, 3);
  ASSERT_TRUE(holder.locks().LockRelation(kTable, LockMode::kAccessShare).ok());
  std::thread thread = StartAndAwaitSleep(strong, [&] {
    EXPECT_TRUE(strong.locks().LockRelation(kTable, LockMode::kAccessExclusive).ok());
  });
  EXPECT_FALSE(late.locks().LockRelation(kTable, LockMode::kAccessShare, LockWait::kNoWait).ok());
  // The holder goes on: to make it wait behind the one who waits for it would never end.
  EXPECT_TRUE(holder.locks().LockRelation(kTable, LockMode::kRowExclusive).ok());
  holder.locks().ReleaseTo(0);
  thread.join();
}

TEST_F(LockTest, ARowIsHandedOnInTheOrderOfArrival) {
  constexpr int kWaiters = 8;
  TestSession holder(environment_, 1);
  ASSERT_TRUE(holder.locks().LockRow(kTable, kRow).ok());
  EXPECT_TRUE(holder.locks().LockRow(kTable, kRow).ok()) << "again is nothing";
  std::vector<std::unique_ptr<TestSession>> waiters;
  std::vector<std::thread> threads;
  std::vector<int> order;  // guarded by the row
  for (int i = 0; i < kWaiters; ++i) {
    waiters.push_back(std::make_unique<TestSession>(environment_, static_cast<uint32_t>(2 + i)));
    TestSession& waiter = *waiters.back();
    threads.push_back(StartAndAwaitSleep(waiter, [&waiter, &order, i] {
      EXPECT_TRUE(waiter.locks().LockRow(kTable, kRow).ok());
      order.push_back(i);
      waiter.locks().ReleaseTo(0);
    }));
  }
  holder.locks().ReleaseTo(0);
  for (std::thread& thread : threads) thread.join();
  EXPECT_THAT(order, ::testing::ElementsAre(0, 1, 2, 3, 4, 5, 6, 7));
}

TEST_F(LockTest, NobodyStarvesOnAHotRow) {
  // With a place in line, nobody gets the row twice while another waits once.
  constexpr int kThreads = 6;
  constexpr int kRounds = 300;
  std::vector<std::unique_ptr<TestSession>> sessions;
  for (uint32_t i = 0; i < kThreads; ++i) {
    sessions.push_back(std::make_unique<TestSession>(environment_, i + 1));
  }
  std::vector<int64_t> got(kThreads, 0);
  std::atomic<int64_t> holders{0};
  std::atomic<bool> overlap{false};
  std::vector<std::thread> threads;
  for (int t = 0; t < kThreads; ++t) {
    threads.emplace_back([&, t] {
      for (int i = 0; i < kRounds; ++i) {
        ASSERT_TRUE(sessions[t]->locks().LockRow(kTable, kRow).ok());
        if (holders.fetch_add(1) != 0) overlap = true;
        ++got[t];
        holders.fetch_sub(1);
        sessions[t]->locks().ReleaseTo(0);
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  EXPECT_FALSE(overlap);
  for (const int64_t count : got) EXPECT_EQ(count, kRounds);
}

TEST_F(LockTest, WaitsForATransactionsEnd) {
  TestSession writer(environment_, 1);
  TestSession waiter(environment_, 2);
  for (const bool commit : {true, false}) {
    writer.Begin();
    const Xid top = writer.Write();
    writer->PushSavepoint();
    const Xid sub = writer.Write();
    for (const Xid xid : {top, sub}) {
      EXPECT_EQ(waiter->WaitForXid(xid, WaitReason::kRowLock, LockWait::kNoWait).code(),
                sqlstate::kLockNotAvailable);
      EXPECT_TRUE(writer->WaitForXid(xid).ok()) << "one does not wait for oneself";
    }
    std::thread thread =
        StartAndAwaitSleep(waiter, [&] { EXPECT_TRUE(waiter->WaitForXid(sub).ok()); });
    if (commit) {
      ASSERT_TRUE(writer->Commit().ok());
    } else {
      writer->Rollback();
    }
    thread.join();
    EXPECT_TRUE(waiter->WaitForXid(top).ok());
  }
}

TEST_F(LockTest, RollbackToSavepointWakesThoseWhoWaitForIt) {
  TestSession writer(environment_, 1);
  TestSession waiter(environment_, 2);
  TestSession other(environment_, 3);
  writer.Begin();
  const Xid top = writer.Write();
  writer->PushSavepoint();
  const Xid sub = writer.Write();
  std::thread thread =
      StartAndAwaitSleep(waiter, [&] { EXPECT_TRUE(waiter->WaitForXid(sub).ok()); });
  std::atomic<bool> done{false};
  std::thread top_waiter = StartAndAwaitSleep(other, [&] {
    EXPECT_TRUE(other->WaitForXid(top).ok());
    done = true;
  });
  writer->RollbackToSavepoint(1);
  thread.join();
  while (!other.Waits()) std::this_thread::yield();  // woken, it went back to sleep
  EXPECT_FALSE(done);
  ASSERT_TRUE(writer->Commit().ok());
  top_waiter.join();
}

TEST_F(LockTest, NoEndOfATransactionIsMissed) {
  // The waiter looks, finds it open, and falls asleep while the transaction ends: a lost wake-up
  // would hang the test (no timeout is set).
  constexpr int kTransactions = 3000;
  std::atomic<Xid> current{0};
  std::atomic<bool> done{false};
  std::vector<std::thread> waiters;
  for (uint32_t t = 0; t < 2; ++t) {
    waiters.emplace_back([&, t] {
      TestSession session(environment_, 2 + t);
      while (!done.load()) {
        if (const Xid xid = current.load(); xid != 0) {
          ASSERT_TRUE(session->WaitForXid(xid).ok());
          ASSERT_FALSE(environment_.log().Lookup(xid).in_progress());
        }
      }
    });
  }
  TestSession writer(environment_, 1);
  for (int i = 0; i < kTransactions; ++i) {
    writer.Begin();
    current = writer.Write();
    if (i % 8 == 0) std::this_thread::yield();
    ASSERT_TRUE(writer->Commit().ok());
  }
  done = true;
  for (std::thread& waiter : waiters) waiter.join();
}

TEST_F(LockTest, CancelTerminationAndTimeoutsEndAWait) {
  TestSession holder(environment_, 1);
  TestSession waiter(environment_, 2);
  ASSERT_TRUE(holder.locks().LockRelation(kTable, LockMode::kAccessExclusive).ok());
  Status status;
  const auto wait = [&] { status = waiter.locks().LockRelation(kTable, LockMode::kAccessShare); };

  waiter.backend().BeginStatement(0);
  std::thread thread = StartAndAwaitSleep(waiter, wait);
  EXPECT_TRUE(environment_.backends().Cancel(2, waiter.backend().cancel_key()));
  thread.join();
  EXPECT_EQ(status.code(), sqlstate::kQueryCanceled);
  EXPECT_THAT(status.error().message, HasSubstr("user request"));

  waiter.backend().BeginStatement(/*statement_timeout_ms=*/5);
  wait();
  EXPECT_EQ(status.code(), sqlstate::kQueryCanceled);
  EXPECT_THAT(status.error().message, HasSubstr("statement timeout"));

  waiter.backend().BeginStatement(0);
  waiter.backend().SetLockTimeout(5);
  wait();
  EXPECT_EQ(status.code(), sqlstate::kLockNotAvailable);
  EXPECT_THAT(status.error().message, HasSubstr("lock timeout"));
  waiter.backend().SetLockTimeout(0);

  thread = StartAndAwaitSleep(waiter, wait);
  environment_.backends().Interrupt(2, kInterruptTerminate);
  thread.join();
  EXPECT_EQ(status.code(), sqlstate::kAdminShutdown);

  // They left the line: nothing is in the way of the next one.
  holder.locks().ReleaseTo(0);
  TestSession next(environment_, 3);
  EXPECT_TRUE(
      next.locks().LockRelation(kTable, LockMode::kAccessExclusive, LockWait::kNoWait).ok());
}

TEST_F(LockTest, WhoLeavesTheLineLetsThoseBehindPass) {
  TestSession holder(environment_, 1);
  TestSession strong(environment_, 2);
  TestSession weak(environment_, 3);
  ASSERT_TRUE(holder.locks().LockRelation(kTable, LockMode::kAccessShare).ok());
  strong.backend().BeginStatement(0);
  std::thread strong_thread = StartAndAwaitSleep(strong, [&] {
    EXPECT_EQ(strong.locks().LockRelation(kTable, LockMode::kAccessExclusive).code(),
              sqlstate::kQueryCanceled);
  });
  std::thread weak_thread = StartAndAwaitSleep(
      weak, [&] { EXPECT_TRUE(weak.locks().LockRelation(kTable, LockMode::kAccessShare).ok()); });
  EXPECT_TRUE(environment_.backends().Interrupt(2, kInterruptCancel));
  strong_thread.join();
  weak_thread.join();
}

TEST(LockLimitTest, AFullTableSaysWhichSettingToRaise) {
  EngineConfig config = SmallConfig();
  config.max_connections = 4;
  config.superuser_reserved_connections = 0;
  config.max_locks_per_transaction = 10;
  TransactionEnvironment environment(config);
  TestSession session(environment, 1);
  constexpr int kCapacity = 10 * (4 + BackendTable::kAuxiliarySlots);
  Status status;
  int taken = 0;
  for (uint64_t row = 0; row < 2 * kCapacity && status.ok(); ++row) {
    status = session.locks().LockRow(kTable, row);
    if (status.ok()) ++taken;
  }
  EXPECT_EQ(taken, kCapacity);
  ASSERT_EQ(status.code(), sqlstate::kOutOfMemory);
  EXPECT_THAT(status.error().hint, HasSubstr("max_locks_per_transaction"));
  EXPECT_EQ(session.locks().LockRelation(kTable, LockMode::kAccessExclusive).code(),
            sqlstate::kOutOfMemory);
  session.locks().ReleaseTo(0);
  for (uint64_t row = 0; row < kCapacity; ++row) {
    ASSERT_TRUE(session.locks().LockRow(kTable, row).ok()) << "some place was lost";
  }
  session.locks().ReleaseTo(0);
  // The refused strong lock has left no trace: the fast path works.
  TestSession other(environment, 2);
  EXPECT_TRUE(other.locks().LockRelation(kTable, LockMode::kAccessShare).ok());
}

TEST_F(LockTest, WeakAndStrongLockersExcludeEachOtherUnderLoad) {
  constexpr int kThreads = 4;
  constexpr int kRounds = 2000;
  std::atomic<int> readers{0};
  std::atomic<int> writers{0};
  std::atomic<int> violations{0};
  std::vector<std::thread> threads;
  for (uint32_t t = 0; t < kThreads; ++t) {
    threads.emplace_back([&, t] {
      TestSession session(environment_, t + 1);
      for (int i = 0; i < kRounds; ++i) {
        const bool strong = t == 0 && i % 4 == 0;
        const LockMode mode = strong ? LockMode::kAccessExclusive : LockMode::kRowExclusive;
        ASSERT_TRUE(session.locks().LockRelation(kTable, mode).ok());
        (strong ? writers : readers).fetch_add(1);
        if (strong && (readers.load() != 0 || writers.load() != 1)) violations.fetch_add(1);
        if (!strong && writers.load() != 0) violations.fetch_add(1);
        (strong ? writers : readers).fetch_sub(1);
        session.locks().ReleaseTo(0);
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(violations.load(), 0);
}

}  // namespace
}  // namespace connbench::engine
