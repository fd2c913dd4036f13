// Tests: a session's transaction: begin, xids, snapshots, savepoints, locks, commit and rollback.
#include "engine/transaction/transaction.h"

#include <gtest/gtest.h>

#include <atomic>
#include <random>
#include <string>
#include <thread>
#include <vector>

#include "engine/transaction/testing/transaction_test_util.h"

namespace connbench::engine {
namespace {

class TransactionTest : public ::testing::Test {
 protected:
  TransactionEnvironment environment_{RoomyConfig()};
};

TEST_F(TransactionTest, AReaderNeedsNoXid) {
  TestSession session(environment_, 1);
  const Xid next = environment_.log().next_xid();
  session.Begin();
  const Snapshot snapshot = session->TakeSnapshot();
  session->ReleaseSnapshot(snapshot);
  ASSERT_TRUE(session->Commit().ok());
  EXPECT_EQ(environment_.log().next_xid(), next);
  EXPECT_EQ(session.backend().slot().counters.commits.load(), 1);
}

TEST_F(TransactionTest, ReadCommittedSeesNewCommitsRepeatableReadDoesNot) {
  TestSession committed(environment_, 1);
  TestSession repeatable(environment_, 2);
  TestSession writer(environment_, 3);
  committed.Begin();
  repeatable.Begin(IsolationLevel::kRepeatableRead);
  committed->ReleaseSnapshot(committed->TakeSnapshot());
  repeatable->ReleaseSnapshot(repeatable->TakeSnapshot());
  const Xid xid = writer.CommitOne();
  EXPECT_EQ(committed->TakeSnapshot().See(xid), Visibility::kVisible);
  EXPECT_EQ(repeatable->TakeSnapshot().See(xid), Visibility::kInvisible);
  ASSERT_TRUE(repeatable->Commit().ok());
  repeatable.Begin(IsolationLevel::kRepeatableRead);
  EXPECT_EQ(repeatable->TakeSnapshot().See(xid), Visibility::kVisible);
}

TEST_F(TransactionTest, ReadOnlyLastsAsLongAsTheSavepointThatAskedForIt) {
  TestSession session(environment_, 1);
  const auto set = [&](bool read_only) {
    return session->SetCharacteristics(IsolationLevel::kReadCommitted, read_only);
  };
  session.Begin();
  session->PushSavepoint();
  ASSERT_TRUE(set(true).ok());
  EXPECT_EQ(session->CurrentXid().status().code(), sqlstate::kReadOnlySqlTransaction);
  EXPECT_EQ(set(false).code(), sqlstate::kActiveSqlTransaction);
  session->PushSavepoint();
  session->RollbackToSavepoint(2);
  EXPECT_TRUE(session->read_only()) << "what is nested inherits it";
  session->RollbackToSavepoint(1);
  EXPECT_FALSE(session->read_only());
  ASSERT_TRUE(set(true).ok());
  session->ReleaseSavepoint(1);
  EXPECT_FALSE(session->read_only());
  ASSERT_TRUE(session->SetCharacteristics(IsolationLevel::kRepeatableRead, false).ok());
  session->PushSavepoint();
  EXPECT_EQ(session->SetCharacteristics(IsolationLevel::kReadCommitted, false).code(),
            sqlstate::kActiveSqlTransaction);
}

TEST_F(TransactionTest, InProgressAndAbortedAreInvisible) {
  TestSession reader(environment_, 1);
  TestSession writer(environment_, 2);
  reader.Begin();
  writer.Begin();
  const Xid xid = writer.Write();
  XidStatus status;
  EXPECT_EQ(reader->TakeSnapshot().See(xid, &status), Visibility::kInvisible);
  EXPECT_TRUE(status.in_progress());
  writer->Rollback();
  EXPECT_EQ(reader->TakeSnapshot().See(xid, &status), Visibility::kAborted);
  EXPECT_TRUE(status.aborted());
}

TEST_F(TransactionTest, AStatementDoesNotSeeItsOwnRowsTheNextOneDoes) {
  TestSession session(environment_, 1);
  session.Begin();
  const Snapshot first = session->TakeSnapshot();
  const Xid xid = session.Write();  // after the snapshot: still our own
  EXPECT_EQ(first.See(xid), Visibility::kOwn);
  const CommandId inserted_by = session->command();
  EXPECT_FALSE(first.SeesVersion(xid, inserted_by, kInvalidXid, 0));
  session->AdvanceCommand();
  const Snapshot second = session->TakeSnapshot();
  EXPECT_TRUE(second.SeesVersion(xid, inserted_by, kInvalidXid, 0));
  EXPECT_FALSE(first.SeesVersion(xid, inserted_by, kInvalidXid, 0));
  // Deleted by the second command: the second still sees it, the third does not.
  const CommandId deleted_by = session->command();
  EXPECT_TRUE(second.SeesVersion(xid, inserted_by, xid, deleted_by));
  session->AdvanceCommand();
  EXPECT_FALSE(session->TakeSnapshot().SeesVersion(xid, inserted_by, xid, deleted_by));
}

TEST_F(TransactionTest, VersionsOfOthersFollowTheirCommit) {
  TestSession reader(environment_, 1);
  TestSession writer(environment_, 2);
  const Xid inserter = writer.CommitOne();
  reader.Begin(IsolationLevel::kRepeatableRead);
  const Snapshot snapshot = reader->TakeSnapshot();
  writer.Begin();
  const Xid deleter = writer.Write();
  EXPECT_TRUE(snapshot.SeesVersion(inserter, 0, deleter, 0));
  ASSERT_TRUE(writer->Commit().ok());
  EXPECT_TRUE(snapshot.SeesVersion(inserter, 0, deleter, 0)) << "deleted after the snapshot";
  TestSession later(environment_, 3);
  later.Begin();
  EXPECT_FALSE(later->TakeSnapshot().SeesVersion(inserter, 0, deleter, 0));
}

TEST_F(TransactionTest, RollbackToSavepointUndoesOnlyWhatCameAfter) {
  TestSession session(environment_, 1);
  TestSession other(environment_, 2);
  session.Begin();
  const Xid top = session.Write();
  ASSERT_EQ(session->PushSavepoint(), 1);
  const Xid outer = session.Write();
  ASSERT_EQ(session->PushSavepoint(), 2);
  const Xid inner = session.Write();
  session->ReleaseSavepoint(2);  // inner now belongs to the first savepoint
  EXPECT_EQ(session.Write(), outer);
  const Snapshot own = session->TakeSnapshot();
  EXPECT_EQ(own.See(inner), Visibility::kOwn);
  session->RollbackToSavepoint(1);
  EXPECT_EQ(session->savepoint_level(), 1);
  EXPECT_EQ(own.See(top), Visibility::kOwn);
  EXPECT_EQ(own.See(outer), Visibility::kAborted);
  EXPECT_EQ(own.See(inner), Visibility::kAborted);
  const Xid again = session.Write();
  EXPECT_NE(again, outer);
  session->ReleaseSavepoint(1);
  EXPECT_EQ(session.Write(), top);
  ASSERT_TRUE(session->Commit().ok());
  other.Begin();
  const Snapshot snapshot = other->TakeSnapshot();
  EXPECT_EQ(snapshot.See(top), Visibility::kVisible);
  EXPECT_EQ(snapshot.See(again), Visibility::kVisible);
  EXPECT_EQ(snapshot.See(outer), Visibility::kAborted);
}

TEST_F(TransactionTest, RollbackUndoesReleasedSavepointsToo) {
  TestSession session(environment_, 1);
  session.Begin();
  session->PushSavepoint();
  const Xid sub = session.Write();
  const Xid top = session->top_xid();
  EXPECT_NE(top, kInvalidXid);
  session->ReleaseSavepoint(1);
  session->Rollback();
  EXPECT_TRUE(environment_.log().Lookup(sub).aborted());
  EXPECT_TRUE(environment_.log().Lookup(top).aborted());
}

TEST_F(TransactionTest, ReadOnlyRefusesAnXid) {
  TestSession session(environment_, 1);
  session->Begin(IsolationLevel::kReadCommitted, /*read_only=*/true);
  auto xid = session->CurrentXid();
  ASSERT_FALSE(xid.ok());
  EXPECT_EQ(xid.status().code(), sqlstate::kReadOnlySqlTransaction);
}

TEST_F(TransactionTest, CharacteristicsAreFixedByTheFirstQuery) {
  TestSession session(environment_, 1);
  session.Begin();
  EXPECT_TRUE(session->SetCharacteristics(IsolationLevel::kRepeatableRead, true).ok());
  session->ReleaseSnapshot(session->TakeSnapshot());
  EXPECT_EQ(session->SetCharacteristics(IsolationLevel::kReadCommitted, true).code(),
            sqlstate::kActiveSqlTransaction);
  EXPECT_EQ(session->SetCharacteristics(IsolationLevel::kRepeatableRead, false).code(),
            sqlstate::kActiveSqlTransaction);
}

TEST_F(TransactionTest, TheLatestSnapshotSeesWhatTheTransactionsDoesNot) {
  TestSession session(environment_, 1);
  TestSession writer(environment_, 2);
  session.Begin(IsolationLevel::kRepeatableRead);
  const Snapshot mine = session->TakeSnapshot();
  const Xid xid = writer.CommitOne();
  const Snapshot latest = session->TakeLatestSnapshot();
  EXPECT_EQ(latest.See(xid), Visibility::kVisible);
  EXPECT_EQ(session->TakeSnapshot().See(xid), Visibility::kInvisible);
  session->ReleaseSnapshot(latest);
  EXPECT_EQ(environment_.system().Horizon(), mine.csn);
}

class Recorder : public EndAction {
 public:
  Recorder(std::string& log, char name) : log_(log), name_(name) {}
  void OnCommit() override { log_ += std::string("+") + name_; }
  void OnAbort() override { log_ += std::string("-") + name_; }

 private:
  std::string& log_;
  char name_;
};

TEST_F(TransactionTest, EndActionsFollowTheirSavepoint) {
  TestSession session(environment_, 1);
  std::string log;
  const auto add = [&](char name) { session->AddEndAction(std::make_unique<Recorder>(log, name)); };
  session.Begin();
  add('a');
  session->PushSavepoint();
  add('b');
  session->PushSavepoint();
  add('c');
  session->ReleaseSavepoint(2);
  add('d');
  session->RollbackToSavepoint(1);
  EXPECT_EQ(log, "-d-c-b");
  add('e');
  session->ReleaseSavepoint(1);
  ASSERT_TRUE(session->Commit().ok());
  EXPECT_EQ(log, "-d-c-b+a+e");
  log.clear();
  session.Begin();
  add('x');
  add('y');
  session->Rollback();
  EXPECT_EQ(log, "-y-x");
}

TEST_F(TransactionTest, TheHorizonRespectsSnapshotsInUse) {
  TestSession reader(environment_, 1);
  TestSession writer(environment_, 2);
  reader.Begin();
  const Snapshot old = reader->TakeSnapshot();
  writer.CommitOne();
  const Snapshot newer = reader->TakeSnapshot();
  EXPECT_LT(old.csn, newer.csn);
  writer.CommitOne();
  EXPECT_EQ(environment_.system().Horizon(), old.csn);
  reader->ReleaseSnapshot(old);
  EXPECT_EQ(environment_.system().Horizon(), newer.csn);
  reader->ReleaseSnapshot(newer);
  EXPECT_EQ(environment_.system().Horizon(), environment_.log().last_csn());
}

// The argument at Transaction::TakeSnapshot, tried: no horizon that was ever computed is newer than
// a snapshot in use.
TEST_F(TransactionTest, TheHorizonNeverPassesASnapshotBeingTaken) {
  constexpr Csn kCommits = 20000;
  std::atomic<bool> done{false};
  std::atomic<Csn> pruned{0};
  std::vector<std::thread> helpers;
  helpers.emplace_back([&] {
    while (!done.load(std::memory_order_relaxed)) {
      const Csn horizon = environment_.system().Horizon();
      if (horizon > pruned.load()) pruned.store(horizon);
    }
  });
  helpers.emplace_back([&] {
    TestSession writer(environment_, 1);
    while (!done.load(std::memory_order_relaxed)) writer.CommitOne();
  });
  std::vector<std::thread> readers;
  std::atomic<int64_t> violations{0};
  for (uint32_t t = 0; t < 2; ++t) {
    readers.emplace_back([&, t] {
      TestSession session(environment_, 2 + t);
      session.Begin();
      while (pruned.load(std::memory_order_relaxed) < kCommits) {
        const Snapshot snapshot = session->TakeSnapshot();
        if (pruned.load() > snapshot.csn) violations.fetch_add(1);
        session->ReleaseSnapshot(snapshot);
      }
    });
  }
  for (std::thread& reader : readers) reader.join();
  done = true;
  for (std::thread& helper : helpers) helper.join();
  EXPECT_EQ(violations.load(), 0);
}

// Money moves between accounts, every version is kept, and every snapshot must find the same sum.
class BankTest : public ::testing::TestWithParam<IsolationLevel> {};

struct Version {
  std::atomic<Xid> xid{kInvalidXid};
  int64_t balance = 0;
};

struct Account {
  static constexpr int kVersions = 20000;
  std::vector<Version> versions{kVersions};
  std::atomic<int> count{0};  // versions below are complete

  int64_t Newest(const Snapshot& snapshot) const {
    for (int i = count.load(std::memory_order_acquire) - 1; i >= 0; --i) {
      const Visibility visibility = snapshot.See(versions[i].xid);
      if (visibility == Visibility::kVisible || visibility == Visibility::kOwn) {
        return versions[i].balance;
      }
    }
    ADD_FAILURE() << "an account has no visible version";
    return 0;
  }
  bool Append(Xid xid, int64_t balance) {
    const int index = count.load(std::memory_order_relaxed);
    if (index == kVersions) return false;
    versions[index].xid = xid;
    versions[index].balance = balance;
    count.store(index + 1, std::memory_order_release);
    return true;
  }
};

TEST_P(BankTest, EverySnapshotFindsTheSameSum) {
  constexpr uint32_t kAccounts = 8;
  constexpr int64_t kInitial = 1000;
  constexpr int kTransfers = 2000;
  TransactionEnvironment environment(RoomyConfig());
  std::vector<Account> accounts(kAccounts);
  for (Account& account : accounts) ASSERT_TRUE(account.Append(kFrozenXid, kInitial));

  std::atomic<bool> done{false};
  std::atomic<int64_t> wrong{0};
  std::atomic<int64_t> sums{0};
  std::vector<std::thread> readers;
  for (uint32_t t = 0; t < 2; ++t) {
    readers.emplace_back([&, t] {
      TestSession session(environment, 100 + t);
      while (!done.load(std::memory_order_relaxed)) {
        session.Begin(GetParam());
        const Snapshot snapshot = session->TakeSnapshot();
        int64_t sum = 0;
        for (const Account& account : accounts) sum += account.Newest(snapshot);
        if (sum != kAccounts * kInitial) wrong.fetch_add(1);
        sums.fetch_add(1);
        session->ReleaseSnapshot(snapshot);
        ASSERT_TRUE(session->Commit().ok());
      }
    });
  }
  std::vector<std::thread> writers;
  for (uint32_t t = 0; t < 3; ++t) {
    writers.emplace_back([&, t] {
      TestSession session(environment, 1 + t);
      std::minstd_rand random(t + 1);
      for (int i = 0; i < kTransfers; ++i) {
        uint32_t from = random() % kAccounts;
        uint32_t to = random() % kAccounts;
        if (from == to) continue;
        session.Begin();
        // In one order, so that there is no deadlock; each waits for the row's last writer.
        ASSERT_TRUE(session.locks().LockRow(1, std::min(from, to)).ok());
        ASSERT_TRUE(session.locks().LockRow(1, std::max(from, to)).ok());
        const Xid xid = session.Write();
        const int64_t amount = static_cast<int64_t>(random() % 100);
        const Snapshot snapshot = session->TakeSnapshot();
        const int64_t from_balance = accounts[from].Newest(snapshot);
        const int64_t to_balance = accounts[to].Newest(snapshot);
        ASSERT_TRUE(accounts[from].Append(xid, from_balance - amount));
        if (random() % 2 == 0) session->PushSavepoint();
        const Xid second = session.Write();
        ASSERT_TRUE(accounts[to].Append(second, to_balance + amount));
        if (random() % 4 == 0) {
          session->Rollback();
        } else {
          ASSERT_TRUE(session->Commit().ok());
        }
      }
    });
  }
  for (std::thread& writer : writers) writer.join();
  done = true;
  for (std::thread& reader : readers) reader.join();
  EXPECT_EQ(wrong.load(), 0);
  EXPECT_GT(sums.load(), 0);
}
INSTANTIATE_TEST_SUITE_P(Isolation, BankTest,
                         ::testing::Values(IsolationLevel::kReadCommitted,
                                           IsolationLevel::kRepeatableRead));

}  // namespace
}  // namespace connbench::engine
