// Tests: the fate of every transaction.
#include "engine/transaction/commit_log.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <atomic>
#include <random>
#include <thread>
#include <vector>

#include "engine/transaction/testing/transaction_test_util.h"

namespace connbench::engine {
namespace {

using ::testing::HasSubstr;

constexpr int64_t kRing = 1024;

struct Fate {
  Xid xid;
  bool committed;
};

class CommitLogTest : public ::testing::Test {
 protected:
  // A transaction of session with one subtransaction that is rolled back. If the ring is full
  // because another session with an open transaction has lost its processor, all of it is.
  static void RunOne(TestSession& session, bool commit, std::vector<Fate>& fates) {
    const size_t first = fates.size();
    session.Begin();
    const auto write = [&](bool committed) {
      auto xid = session->CurrentXid();
      if (xid.ok()) {
        fates.push_back({*xid, committed});
        return true;
      }
      EXPECT_EQ(xid.status().code(), sqlstate::kConfigurationLimitExceeded);
      for (size_t i = first; i < fates.size(); ++i) fates[i].committed = false;
      session->Rollback();
      std::this_thread::yield();
      return false;
    };
    if (!write(commit)) return;
    session->PushSavepoint();
    if (!write(false)) return;
    session->RollbackToSavepoint(1);
    if (!write(commit)) return;
    if (commit) {
      ASSERT_TRUE(session->Commit().ok());
    } else {
      session->Rollback();
    }
  }
  void CheckAll(const std::vector<Fate>& fates) {
    for (const Fate& fate : fates) {
      const XidStatus status = environment_.log().Lookup(fate.xid);
      ASSERT_EQ(status.committed(), fate.committed) << "xid " << fate.xid;
      ASSERT_EQ(status.aborted(), !fate.committed) << "xid " << fate.xid;
    }
  }

  TransactionEnvironment environment_;
};

TEST_F(CommitLogTest, KnowsTheSpecialXids) {
  EXPECT_TRUE(environment_.log().Lookup(kInvalidXid).aborted());
  const XidStatus frozen = environment_.log().Lookup(kFrozenXid);
  EXPECT_TRUE(frozen.committed());
  EXPECT_EQ(frozen.csn, kFrozenCsn);
}

TEST_F(CommitLogTest, TellsTheFateAndTheOwner) {
  TestSession session(environment_, 1);
  session.Begin();
  const Xid top = session.Write();
  session->PushSavepoint();
  const Xid sub = session.Write();
  EXPECT_NE(top, sub);
  for (const Xid xid : {top, sub}) {
    const XidStatus status = environment_.log().Lookup(xid);
    EXPECT_TRUE(status.in_progress());
    EXPECT_EQ(status.owner, session.backend().number());
    EXPECT_EQ(status.top_xid, top);
  }
  const Csn before = environment_.log().last_csn();
  ASSERT_TRUE(session->Commit().ok());
  for (const Xid xid : {top, sub}) {
    const XidStatus status = environment_.log().Lookup(xid);
    ASSERT_TRUE(status.committed());
    EXPECT_EQ(status.csn, before + 1) << "one csn for the whole transaction";
  }
}

TEST_F(CommitLogTest, FatesSurviveManyRoundsOfTheRing) {
  TestSession session(environment_, 1);
  std::vector<Fate> fates;
  for (int i = 0; i < 10 * kRing; ++i) RunOne(session, i % 3 != 0, fates);
  EXPECT_GT(environment_.log().oldest_recent_xid(), 8u * kRing) << "the ring did not go round";
  CheckAll(fates);
}

TEST_F(CommitLogTest, FatesSurviveManyRoundsWithManySessions) {
  constexpr int kThreads = 4;
  constexpr int kTransactions = 3000;
  std::vector<std::vector<Fate>> fates(kThreads);
  std::vector<std::thread> threads;
  for (int t = 0; t < kThreads; ++t) {
    threads.emplace_back([&, t] {
      TestSession session(environment_, static_cast<uint32_t>(t + 1));
      std::minstd_rand random(static_cast<unsigned>(t + 1));
      for (int i = 0; i < kTransactions; ++i) {
        ASSERT_NO_FATAL_FAILURE(RunOne(session, random() % 4 != 0, fates[t]));
        if (HasFailure()) return;
        if (fates[t].empty()) continue;
        // Old fates are read while the ring moves on under us.
        const Fate& some = fates[t][random() % fates[t].size()];
        ASSERT_EQ(environment_.log().Lookup(some.xid).committed(), some.committed);
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  for (const auto& of_thread : fates) CheckAll(of_thread);
}

TEST_F(CommitLogTest, AnOldSnapshotFillsTheRingAndItsEndFreesIt) {
  TestSession reader(environment_, 1);
  TestSession writer(environment_, 2);
  reader.Begin(IsolationLevel::kRepeatableRead);
  const Snapshot snapshot = reader->TakeSnapshot();
  std::vector<Xid> xids;
  Status status;
  for (int64_t i = 0; i < 2 * kRing && status.ok(); ++i) {
    writer.Begin();
    auto xid = writer->CurrentXid();
    if (xid.ok()) {
      xids.push_back(*xid);
      ASSERT_TRUE(writer->Commit().ok());
    } else {
      status = xid.TakeStatus();
      writer->Rollback();
    }
  }
  ASSERT_FALSE(status.ok());
  EXPECT_EQ(status.code(), sqlstate::kConfigurationLimitExceeded);
  EXPECT_THAT(status.error().hint, HasSubstr("recent_transactions"));
  EXPECT_GE(static_cast<int64_t>(xids.size()), kRing / 2);
  for (const Xid xid : xids) EXPECT_EQ(snapshot.See(xid), Visibility::kInvisible);
  reader->Rollback();
  for (int64_t i = 0; i < 2 * kRing; ++i) writer.CommitOne();
  for (const Xid xid : xids) EXPECT_TRUE(environment_.log().Lookup(xid).committed());
}

TEST_F(CommitLogTest, AnOpenTransactionFillsTheRingAndItsEndFreesIt) {
  TestSession open(environment_, 1);
  TestSession writer(environment_, 2);
  open.Begin();
  const Xid old = open.Write();
  Status status;
  for (int64_t i = 0; i < 2 * kRing && status.ok(); ++i) {
    writer.Begin();
    auto xid = writer->CurrentXid();
    if (!xid.ok()) status = xid.TakeStatus();
    writer->Rollback();
  }
  EXPECT_EQ(status.code(), sqlstate::kConfigurationLimitExceeded);
  EXPECT_TRUE(environment_.log().Lookup(old).in_progress());
  ASSERT_TRUE(open->Commit().ok());
  for (int64_t i = 0; i < 2 * kRing; ++i) writer.CommitOne();
  EXPECT_TRUE(environment_.log().Lookup(old).committed());
}

TEST(CommitLogLimitTest, TheBitsAreBoundedAndForgettingMakesRoom) {
  EngineConfig config = SmallConfig();
  config.remembered_transactions = kRing;  // as small as the ring
  TransactionEnvironment environment(config);
  TestSession session(environment, 1);
  Status status;
  for (int64_t i = 0; i < 4 * kRing && status.ok(); ++i) {
    session.Begin();
    auto xid = session->CurrentXid();
    if (!xid.ok()) status = xid.TakeStatus();
    session->Rollback();
  }
  ASSERT_EQ(status.code(), sqlstate::kConfigurationLimitExceeded);
  EXPECT_THAT(status.error().hint, HasSubstr("remembered_transactions"));
  environment.log().AdvanceForgotten(environment.log().oldest_recent_xid());
  for (int64_t i = 0; i < kRing / 2; ++i) session.CommitOne();
}

// Readers that meet a transaction in the middle of its commit must wait for its csn, not call it
// invisible: two subtransactions of one transaction are always seen both or neither.
TEST(CommitTest, IsSeenWholeOrNotAtAll) {
  TransactionEnvironment environment(RoomyConfig());
  constexpr int kTransactions = 5000;
  struct Pair {
    std::atomic<Xid> first{0};
    std::atomic<Xid> second{0};
  };
  std::vector<Pair> pairs(kTransactions);
  std::atomic<int> started{0};
  std::thread writer([&] {
    TestSession session(environment, 1);
    for (int i = 0; i < kTransactions; ++i) {
      session.Begin();
      pairs[i].first = session.Write();
      session->PushSavepoint();
      pairs[i].second = session.Write();
      started.store(i + 1, std::memory_order_release);
      ASSERT_TRUE(session->Commit().ok());
    }
  });
  std::vector<std::thread> readers;
  std::atomic<int64_t> torn{0};
  for (uint32_t t = 0; t < 2; ++t) {
    readers.emplace_back([&, t] {
      TestSession session(environment, 2 + t);
      session.Begin();
      int newest = 0;
      while (newest < kTransactions) {
        newest = started.load(std::memory_order_acquire);
        if (newest == 0) continue;
        const Snapshot snapshot = session->TakeSnapshot();
        const Pair& pair = pairs[newest - 1];
        const Visibility first = snapshot.See(pair.first);
        const Visibility second = snapshot.See(pair.second);
        // Also the other way round: the second look is later, and must not see more.
        const Visibility again = snapshot.See(pair.first);
        if (first != second || again != first) torn.fetch_add(1);
        session->ReleaseSnapshot(snapshot);
      }
    });
  }
  writer.join();
  for (std::thread& reader : readers) reader.join();
  EXPECT_EQ(torn.load(), 0);
}

// A commit of many xids takes long enough to be met in its middle. Whoever has its csn as a
// snapshot sees all of them, the last one too, whose csn is written down last.
TEST(CommitTest, IsSeenByASnapshotThatIsTakenInItsMiddle) {
  TransactionEnvironment environment(RoomyConfig());
  CommitLog& log = environment.log();
  constexpr int kRounds = 20;
  constexpr int64_t kXids = 20'000;
  std::vector<Xid> xids(kXids);
  for (int round = 0; round < kRounds; ++round) {
    for (Xid& xid : xids) {
      while ((xid = log.Assign(/*backend=*/0, kInvalidXid)) == kInvalidXid) {
        ASSERT_TRUE(log.Extend(environment.segment(), log.last_csn()).ok());
      }
    }
    const Csn before = log.last_csn();
    std::thread committer([&] { log.Commit(xids.data(), kXids); });
    while (log.last_csn() == before) {
    }
    const XidStatus last = log.Lookup(xids.back());
    committer.join();
    ASSERT_TRUE(last.committed()) << "round " << round;
    ASSERT_EQ(last.csn, before + 1);
  }
}

}  // namespace
}  // namespace connbench::engine
