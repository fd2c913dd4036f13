// Tests: the deadlock detector: is this backend waiting, through others, for itself.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/wait.h>
#include <unistd.h>

#include <atomic>
#include <functional>
#include <random>
#include <thread>
#include <vector>

#include "engine/transaction/lock_table.h"
#include "engine/transaction/testing/transaction_test_util.h"

namespace connbench::engine {
namespace {

using ::testing::HasSubstr;

// Sessions 0 ... n-1 each hold their own thing and then want their neighbour's: a circle. Exactly
// one must be told, the others get what they wanted once it has rolled back.
class DeadlockTest : public ::testing::Test {
 protected:
  using Step = std::function<Status(TestSession&, int thing)>;

  void RunCircle(int parties, const Step& hold, const Step& want) {
    std::vector<std::unique_ptr<TestSession>> sessions;
    for (int i = 0; i < parties; ++i) {
      sessions.push_back(std::make_unique<TestSession>(environment_, 101 + i));
      sessions.back()->Begin();
      ASSERT_TRUE(hold(*sessions[i], i).ok());
    }
    std::atomic<int> victims{0};
    std::vector<Status> results(parties);
    std::vector<std::thread> threads;
    for (int i = 0; i < parties; ++i) {
      threads.emplace_back([&, i] {
        results[i] = want(*sessions[i], (i + 1) % parties);
        if (results[i].ok()) {
          EXPECT_TRUE((*sessions[i])->Commit().ok());
        } else {
          victims.fetch_add(1);
          (*sessions[i])->Rollback();
        }
      });
    }
    for (std::thread& thread : threads) thread.join();  // hangs if nobody noticed
    EXPECT_EQ(victims.load(), 1) << "one victim breaks the circle";
    for (const Status& result : results) {
      if (result.ok()) continue;
      EXPECT_EQ(result.code(), sqlstate::kDeadlockDetected);
      EXPECT_EQ(result.error().message, "deadlock detected");
      for (int i = 0; i < parties; ++i) {
        EXPECT_THAT(result.error().detail, HasSubstr("Process " + std::to_string(101 + i)));
      }
      EXPECT_THAT(result.error().detail, HasSubstr("blocked by process"));
      detail_ = result.error().detail;
    }
  }

  TransactionEnvironment environment_;
  std::string detail_;
};

Status LockTableStrongly(TestSession& session, int thing) {
  return session.locks().LockRelation(1000 + thing, LockMode::kAccessExclusive);
}
Status LockTableWeakly(TestSession& session, int thing) {
  return session.locks().LockRelation(1000 + thing, LockMode::kRowExclusive);
}
Status LockRow(TestSession& session, int thing) {
  return session.locks().LockRow(2000, static_cast<uint64_t>(thing));
}

TEST_F(DeadlockTest, TwoTables) {
  RunCircle(2, LockTableStrongly, LockTableStrongly);
  EXPECT_THAT(detail_, HasSubstr("waits for AccessExclusiveLock on relation 1000"));
}
TEST_F(DeadlockTest, ThreeTables) { RunCircle(3, LockTableStrongly, LockTableStrongly); }
TEST_F(DeadlockTest, TwoTablesHeldByTheFastPath) {
  RunCircle(2, LockTableWeakly, LockTableStrongly);
}
TEST_F(DeadlockTest, ThreeTablesHeldByTheFastPath) {
  RunCircle(3, LockTableWeakly, LockTableStrongly);
}
TEST_F(DeadlockTest, TwoRows) { RunCircle(2, LockRow, LockRow); }
TEST_F(DeadlockTest, ThreeRows) {
  RunCircle(3, LockRow, LockRow);
  EXPECT_THAT(detail_, HasSubstr("on tuple (0,1) of relation 2000"));
}

TEST_F(DeadlockTest, TwoTransactions) {
  std::vector<Xid> xids(2);
  RunCircle(
      2,
      [&](TestSession& session, int thing) -> Status {
        xids[thing] = session.Write();
        return {};
      },
      [&](TestSession& session, int thing) { return session->WaitForXid(xids[thing]); });
  EXPECT_THAT(detail_, HasSubstr("waits for ShareLock on transaction"));
}

TEST_F(DeadlockTest, ThreeTransactionsThroughSubtransactions) {
  std::vector<Xid> xids(3);
  RunCircle(
      3,
      [&](TestSession& session, int thing) -> Status {
        session->PushSavepoint();
        xids[thing] = session.Write();
        return {};
      },
      [&](TestSession& session, int thing) { return session->WaitForXid(xids[thing]); });
}

TEST_F(DeadlockTest, ARowATableAndATransaction) {
  Xid xid = 0;
  RunCircle(
      3,
      [&](TestSession& session, int thing) -> Status {
        if (thing == 0) return LockTableWeakly(session, 0);
        if (thing == 1) return LockRow(session, 1);
        xid = session.Write();
        return {};
      },
      [&](TestSession& session, int thing) -> Status {
        if (thing == 0) return LockTableStrongly(session, 0);
        if (thing == 1) return LockRow(session, 1);
        return session->WaitForXid(xid);
      });
}

TEST_F(DeadlockTest, TwoWhoBothWantMoreOfTheSameTable) {
  // Both hold it shared, both want it alone.
  RunCircle(
      2,
      [](TestSession& session, int) { return session.locks().LockRelation(1, LockMode::kShare); },
      [](TestSession& session, int) {
        return session.locks().LockRelation(1, LockMode::kExclusive);
      });
}

// a shares the row with nobody yet; b wants it alone, and c, who could share it, stands behind b.
TEST_F(DeadlockTest, AWaiterStandsBehindOneWhoseModeConflicts) {
  const auto lock = [](TestSession& session, uint64_t row, RowLockMode mode) {
    return session.locks().LockRow(2000, row, mode);
  };
  TestSession a(environment_, 1);
  TestSession b(environment_, 2);
  TestSession c(environment_, 3);
  for (TestSession* session : {&a, &b, &c}) {
    session->Begin();
    session->backend().BeginStatement(/*statement_timeout_ms=*/10'000);  // if nobody notices
  }
  ASSERT_TRUE(lock(a, 1, RowLockMode::kShare).ok());
  ASSERT_TRUE(lock(c, 2, RowLockMode::kUpdate).ok());
  std::atomic<int> victims{0};
  const auto want = [&](TestSession& session, uint64_t row, RowLockMode mode) {
    const Status status = lock(session, row, mode);
    if (!status.ok()) {
      EXPECT_EQ(status.code(), sqlstate::kDeadlockDetected);
      victims.fetch_add(1);
    }
    session->Rollback();
  };
  std::thread second([&] { want(b, 1, RowLockMode::kUpdate); });
  while (!b.Waits()) std::this_thread::yield();
  std::thread third([&] { want(c, 1, RowLockMode::kShare); });
  while (!c.Waits()) std::this_thread::yield();
  want(a, 2, RowLockMode::kUpdate);
  second.join();
  third.join();
  EXPECT_EQ(victims.load(), 1);
}

TEST_F(DeadlockTest, ALongWaitIsNoDeadlock) {
  TestSession holder(environment_, 1);
  TestSession waiter(environment_, 2);
  holder.Begin();
  ASSERT_TRUE(LockRow(holder, 1).ok());
  waiter.backend().BeginStatement(/*statement_timeout_ms=*/200);  // ten times deadlock_timeout
  EXPECT_EQ(LockRow(waiter, 1).code(), sqlstate::kQueryCanceled);
}

TEST_F(DeadlockTest, ALongCircle) { RunCircle(15, LockRow, LockRow); }

TEST_F(DeadlockTest, RandomLockingAlwaysMovesOn) {
  // Rows in random order: deadlocks happen all the time, and each is resolved.
  constexpr uint32_t kThreads = 4;
  constexpr int kTransactions = 60;
  std::atomic<int> committed{0};
  std::atomic<int> victims{0};
  std::vector<std::thread> threads;
  for (uint32_t t = 0; t < kThreads; ++t) {
    threads.emplace_back([&, t] {
      TestSession session(environment_, t + 1);
      std::minstd_rand random(t + 1);
      for (int i = 0; i < kTransactions; ++i) {
        session.Begin();
        Status status;
        for (int step = 0; step < 3 && status.ok(); ++step) {
          status = LockRow(session, static_cast<int>(random() % 4));
          std::this_thread::yield();
        }
        if (status.ok()) {
          ASSERT_TRUE(session->Commit().ok());
          committed.fetch_add(1);
        } else {
          ASSERT_EQ(status.code(), sqlstate::kDeadlockDetected) << status.ToString();
          session->Rollback();
          victims.fetch_add(1);
        }
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(committed + victims, static_cast<int>(kThreads) * kTransactions);
  EXPECT_GT(committed.load(), 0);
}

// The same structures between processes: each adds to a counter under a row lock of a named
// segment that every second child maps anew, at another address.
TEST(ProcessesTest, ChildrenShareTheLockTable) {
  EngineConfig config = SmallConfig();
  config.segment_backing = SegmentBacking::kNamed;
  TransactionEnvironment environment(config);
  constexpr int kChildren = 4;
  constexpr int kRounds = 500;
  std::vector<pid_t> children;
  // Commits make the common counter: each child's transactions take csns.
  const Csn before = environment.log().last_csn();
  for (int c = 0; c < kChildren; ++c) {
    const pid_t child = fork();
    if (child == 0) {
      std::unique_ptr<Segment> own;
      TransactionSystem system = environment.system();
      if (c % 2 == 1) {
        auto attached = Segment::Attach(environment.segment().name(), /*read_only=*/false);
        if (!attached.ok()) _exit(10);
        own = std::move(*attached);
        if (own->base() == environment.segment().base()) _exit(11);
        system = TransactionSystem::Find(*own, config);
      }
      {
        TestSession session(system, static_cast<uint32_t>(c + 1));
        for (int i = 0; i < kRounds; ++i) {
          session.Begin();
          if (!session.locks().LockRow(kFrozenXid, 1).ok()) _exit(12);
          if (i % 7 == 0 && !session.locks().LockRelation(5, LockMode::kAccessExclusive).ok()) {
            _exit(13);
          }
          session.Write();
          if (!session->Commit().ok()) _exit(14);
        }
      }
      _exit(::testing::Test::HasFailure() ? 15 : 0);
    }
    children.push_back(child);
  }
  for (const pid_t child : children) {
    int status = 0;
    ASSERT_EQ(waitpid(child, &status, 0), child);
    EXPECT_TRUE(WIFEXITED(status) && WEXITSTATUS(status) == 0) << "status " << status;
  }
  EXPECT_EQ(environment.log().last_csn() - before, Csn{kChildren} * kRounds);
  EXPECT_EQ(environment.backends().sessions(), 0);
}

}  // namespace
}  // namespace connbench::engine
