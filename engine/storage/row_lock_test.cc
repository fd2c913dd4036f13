// Row locks on row versions: modes, several holders, savepoints, and versions that follow each
// other.
#include <gmock/gmock.h>

#include <string>
#include <string_view>

#include "engine/storage/heap.h"
#include "engine/storage/integrity_check.h"
#include "engine/storage/testing/storage_test_base.h"
#include "engine/storage/vacuum.h"

namespace connbench::engine {
namespace {

using enum RowLockMode;

constexpr RowLockMode kModes[] = {kKeyShare, kShare, kNoKeyUpdate, kUpdate};

class RowLockTest : public ::testing::Test {
 protected:
  RowLockTest()
      : heap_(world_.storage(), world_.NewHeap()), a_(world_, 1), b_(world_, 2), c_(world_, 3) {
    tid_ = NewRow("row");
  }

  Tid NewRow(std::string_view bytes) {
    a_.Begin();
    auto tid = heap_.Insert(a_.tx(), bytes);
    EXPECT_TRUE(Ok(tid));
    a_.Commit();
    return tid.value();
  }
  // Whether the session gets the lock at once.
  bool Lock(TestSession& session, Tid tid, RowLockMode mode) {
    HeapRow row;
    auto locked = heap_.LockRow(session.tx(), tid, mode, RowWait::kDontWait,
                                /*follow_updates=*/false, buffer_, row);
    EXPECT_TRUE(Ok(locked));
    outcome_ = locked->outcome;
    return outcome_ == WriteOutcome::kOk;
  }
  bool Lock(TestSession& session, RowLockMode mode) { return Lock(session, tid_, mode); }
  // The strongest mode that a stranger gets now: what the others' locks leave. -1: none.
  int Left(Tid tid) {
    int left = -1;
    for (const RowLockMode mode : kModes) {
      c_.Begin();
      if (Lock(c_, tid, mode)) left = static_cast<int>(mode);
      c_.Rollback();
    }
    return left;
  }
  int Left() { return Left(tid_); }
  Tid Update(TestSession& session, Tid tid, std::string_view row, RowLockMode mode) {
    auto result = heap_.Update(session.tx(), tid, row, /*may_be_hot=*/true, mode);
    EXPECT_TRUE(Ok(result));
    EXPECT_EQ(result->outcome, WriteOutcome::kOk);
    return result->tid;
  }

  StorageWorld world_;
  Heap heap_;
  TestSession a_;
  TestSession b_;
  TestSession c_;
  RowBuffer buffer_;
  Tid tid_;
  WriteOutcome outcome_ = WriteOutcome::kOk;
};

TEST_F(RowLockTest, TwoSessionsHoldWhatDoesNotConflict) {
  for (const RowLockMode first : kModes) {
    for (const RowLockMode second : kModes) {
      a_.Begin();
      b_.Begin();
      ASSERT_TRUE(Lock(a_, first));
      EXPECT_EQ(Lock(b_, second), !RowLocksConflict(first, second))
          << RowLockModeName(first) << ", " << RowLockModeName(second);
      b_.Rollback();
      a_.Rollback();
    }
  }
}

TEST_F(RowLockTest, EveryHolderCountsUntilItsOwnEnd) {
  a_.Begin();
  b_.Begin();
  ASSERT_TRUE(Lock(a_, kShare));
  ASSERT_TRUE(Lock(b_, kKeyShare));
  EXPECT_EQ(Left(), static_cast<int>(kShare));
  a_.Commit();
  EXPECT_EQ(Left(), static_cast<int>(kNoKeyUpdate)) << "b still holds its key share";
  a_.Begin();
  ASSERT_TRUE(Lock(a_, kNoKeyUpdate));
  EXPECT_EQ(Left(), static_cast<int>(kKeyShare));
  b_.Rollback();
  EXPECT_EQ(Left(), static_cast<int>(kKeyShare));
  a_.Commit();
  EXPECT_EQ(Left(), static_cast<int>(kUpdate));
}

TEST_F(RowLockTest, ATransactionMayRaiseItsLockIfNobodyElseHoldsOne) {
  a_.Begin();
  b_.Begin();
  ASSERT_TRUE(Lock(a_, kShare));
  ASSERT_TRUE(Lock(b_, kShare));
  EXPECT_FALSE(Lock(a_, kUpdate));
  EXPECT_TRUE(Lock(a_, kKeyShare));
  b_.Commit();
  EXPECT_TRUE(Lock(a_, kUpdate));
  EXPECT_EQ(Left(), -1);
  a_.Commit();
}

TEST_F(RowLockTest, ALockOutlivesAnUpdateInASavepointThatIsRolledBack) {
  for (const RowLockMode mode : kModes) {
    a_.Begin();
    ASSERT_TRUE(Lock(a_, mode));
    const int left = Left();
    for (int round = 0; round < 3; ++round) {
      const int level = a_.tx().PushSavepoint();
      Update(a_, tid_, "changed", kNoKeyUpdate);
      EXPECT_LE(Left(), static_cast<int>(kKeyShare));
      a_.tx().RollbackToSavepoint(level);
      EXPECT_EQ(Left(), left) << RowLockModeName(mode);
      a_.tx().ReleaseSavepoint(level);
    }
    const int level = a_.tx().PushSavepoint();
    ASSERT_TRUE(Ok(heap_.Delete(a_.tx(), tid_)));
    EXPECT_EQ(Left(), -1);
    a_.tx().RollbackToSavepoint(level);
    EXPECT_EQ(Left(), left) << RowLockModeName(mode);
    a_.Commit();
    EXPECT_EQ(Left(), static_cast<int>(kUpdate));
  }
}

TEST_F(RowLockTest, AnUpdateKeepsTheStrengthOfTheLockBeforeIt) {
  for (const size_t row_bytes : {size_t{10}, size_t{5000}}) {
    const Tid row = NewRow(std::string(row_bytes, 'x'));
    a_.Begin();
    ASSERT_TRUE(Lock(a_, row, kUpdate));
    Update(a_, row, std::string(row_bytes, 'y'), kNoKeyUpdate);
    EXPECT_EQ(Left(row), -1);
    a_.Commit();
  }
}

TEST_F(RowLockTest, ALockOutlivesTheReleaseOfTheSavepointThatTookIt) {
  a_.Begin();
  const int outer = a_.tx().PushSavepoint();
  const int inner = a_.tx().PushSavepoint();
  ASSERT_TRUE(Lock(a_, kUpdate));
  a_.tx().ReleaseSavepoint(inner);
  const int next = a_.tx().PushSavepoint();
  Update(a_, tid_, "changed", kUpdate);
  a_.tx().RollbackToSavepoint(next);
  EXPECT_EQ(Left(), -1) << "the outer savepoint holds it";
  a_.tx().RollbackToSavepoint(outer);
  EXPECT_EQ(Left(), static_cast<int>(kUpdate)) << "which was rolled back with its lock";
  a_.Rollback();
}

TEST_F(RowLockTest, ARaisedLockFallsBackToWhatTheOuterLevelsHold) {
  a_.Begin();
  ASSERT_TRUE(Lock(a_, kKeyShare));
  a_.tx().PushSavepoint();
  ASSERT_TRUE(Lock(a_, kShare));
  a_.tx().PushSavepoint();
  ASSERT_TRUE(Lock(a_, kUpdate));
  EXPECT_EQ(Left(), -1);
  a_.tx().RollbackToSavepoint(2);
  EXPECT_EQ(Left(), static_cast<int>(kShare));
  a_.tx().RollbackToSavepoint(1);
  EXPECT_EQ(Left(), static_cast<int>(kNoKeyUpdate));
  a_.Rollback();
  EXPECT_EQ(Left(), static_cast<int>(kUpdate));
}

TEST_F(RowLockTest, AKeyShareHoldsThroughUpdatesThatLeaveTheKeyAlone) {
  for (const size_t row_bytes : {size_t{10}, size_t{5000}}) {  // on the same page, and on another
    const Tid row = NewRow(std::string(row_bytes, 'x'));
    b_.Begin();
    ASSERT_TRUE(Lock(b_, row, kKeyShare));
    a_.Begin();
    Tid newest = row;
    for (int i = 0; i < 3; ++i) {
      newest = Update(a_, newest, std::string(row_bytes, 'y'), kNoKeyUpdate);
    }
    a_.Commit();
    EXPECT_EQ(Left(newest), static_cast<int>(kNoKeyUpdate));
    b_.Commit();
    EXPECT_EQ(Left(newest), static_cast<int>(kUpdate));
  }
}

TEST_F(RowLockTest, AKeyShareTakenBesideAnUpdateHoldsTheNewVersionToo) {
  for (const size_t row_bytes : {size_t{10}, size_t{5000}}) {
    const Tid row = NewRow(std::string(row_bytes, 'x'));
    a_.Begin();
    Tid newest = row;
    for (int i = 0; i < 2; ++i) {
      newest = Update(a_, newest, std::string(row_bytes, 'y'), kNoKeyUpdate);
    }
    b_.Begin();
    EXPECT_FALSE(Lock(b_, row, kShare));
    ASSERT_TRUE(Lock(b_, row, kKeyShare));
    a_.Commit();
    EXPECT_EQ(Left(newest), static_cast<int>(kNoKeyUpdate));
    EXPECT_TRUE(Lock(b_, row, kKeyShare)) << "the old version, as its snapshot sees it";
    EXPECT_FALSE(Lock(b_, row, kShare));
    EXPECT_EQ(outcome_, WriteOutcome::kUpdatedConcurrently);
    b_.Commit();
    EXPECT_EQ(Left(newest), static_cast<int>(kUpdate));
  }
}

TEST_F(RowLockTest, AKeyShareOfAVersionThatIsRolledBackHoldsTheOldOne) {
  a_.Begin();
  Update(a_, tid_, "changed", kNoKeyUpdate);
  b_.Begin();
  ASSERT_TRUE(Lock(b_, kKeyShare));
  a_.Rollback();
  EXPECT_EQ(Left(), static_cast<int>(kNoKeyUpdate));
  ASSERT_TRUE(Lock(b_, kShare));
  b_.Commit();
  EXPECT_EQ(Left(), static_cast<int>(kUpdate));
}

TEST_F(RowLockTest, AKeyShareWaitsForADeleteOfALaterVersion) {
  a_.Begin();
  const Tid newer = Update(a_, tid_, "changed", kNoKeyUpdate);
  ASSERT_TRUE(Ok(heap_.Delete(a_.tx(), newer)));
  b_.Begin();
  EXPECT_FALSE(Lock(b_, kKeyShare));
  EXPECT_EQ(outcome_, WriteOutcome::kWouldBlock);
  a_.Commit();
  EXPECT_FALSE(Lock(b_, kKeyShare));
  EXPECT_EQ(outcome_, WriteOutcome::kDeletedConcurrently);
  b_.Commit();
}

// What is left in the table of a version that was pruned must not lock the row that comes after it.
TEST_F(RowLockTest, ARowInheritsNoLockFromItsPlace) {
  b_.Begin();
  ASSERT_TRUE(Lock(b_, kKeyShare));
  c_.Begin();
  ASSERT_TRUE(Lock(c_, kKeyShare));
  a_.Begin();
  const Tid second = Update(a_, tid_, "second", kNoKeyUpdate);
  a_.Commit();
  c_.Commit();
  a_.Begin();
  const Tid third = Update(a_, second, "third", kNoKeyUpdate);
  ASSERT_TRUE(Ok(VacuumTable(world_.storage(), a_.tx(), heap_.id(), {})));
  a_.Commit();
  a_.Begin();
  ASSERT_TRUE(Ok(VacuumTable(world_.storage(), a_.tx(), heap_.id(), {})));
  a_.Commit();
  EXPECT_EQ(Left(third), static_cast<int>(kNoKeyUpdate));
  // Rows that take the places of the versions before it.
  for (int i = 0; i < 4; ++i) {
    const Tid row = NewRow("new");
    a_.Begin();
    ASSERT_TRUE(Lock(a_, row, kKeyShare));
    EXPECT_EQ(Left(row), static_cast<int>(kNoKeyUpdate));
    a_.Commit();
    EXPECT_EQ(Left(row), static_cast<int>(kUpdate)) << row.slot;
  }
  b_.Commit();
  EXPECT_TRUE(Ok(CheckHeap(world_.storage(), heap_.id())));
}

}  // namespace
}  // namespace connbench::engine
