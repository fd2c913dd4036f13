// The heap: versions, visibility, HOT chains, pruning, row locks.
#include "engine/storage/heap.h"

#include <map>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "engine/storage/heap_prune.h"
#include "engine/storage/integrity_check.h"
#include "engine/storage/testing/storage_test_base.h"
#include "engine/storage/vacuum.h"

namespace connbench::engine {
namespace {

class HeapTest : public testing::Test {
 protected:
  HeapTest() : heap_(world_.storage(), world_.NewHeap()), a_(world_, 1), b_(world_, 2) {}

  Tid Insert(TestSession& session, std::string_view row) {
    auto tid = heap_.Insert(session.tx(), row);
    EXPECT_TRUE(Ok(tid));
    return tid.value();
  }
  WriteResult Update(TestSession& session, Tid tid, std::string_view row, bool hot = true) {
    auto result = heap_.Update(session.tx(), tid, row, hot);
    EXPECT_TRUE(Ok(result));
    return result.value();
  }
  std::optional<std::string> Fetch(TestSession& session, const Snapshot& snapshot, Tid tid) {
    HeapRow row;
    auto outcome = heap_.Fetch(session.tx(), snapshot, tid, buffer_, row);
    EXPECT_TRUE(Ok(outcome));
    last_outcome_ = outcome.value();
    if (outcome.value() != FetchOutcome::kFound) return std::nullopt;
    last_tid_ = row.tid;
    return std::string(row.bytes);
  }
  std::multiset<std::string> Scan(TestSession& session, const Snapshot& snapshot) {
    std::multiset<std::string> rows;
    HeapScan scan(heap_, session.tx(), snapshot);
    HeapRow row;
    while (true) {
      auto more = scan.Next(row);
      EXPECT_TRUE(Ok(more));
      if (!more.ok() || !more.value()) return rows;
      rows.emplace(row.bytes);
    }
  }
  void ExpectSound() {
    auto checked = CheckHeap(world_.storage(), heap_.id());
    EXPECT_TRUE(Ok(checked));
  }

  StorageWorld world_;
  Heap heap_;
  TestSession a_;
  TestSession b_;
  RowBuffer buffer_;
  FetchOutcome last_outcome_ = FetchOutcome::kFound;
  Tid last_tid_;
};

TEST_F(HeapTest, OthersSeeARowOnceItIsCommitted) {
  a_.Begin();
  b_.Begin();
  const Tid tid = Insert(a_, "row");
  {
    ScopedSnapshot before(b_);
    EXPECT_EQ(Fetch(b_, before.get(), tid), std::nullopt);
    EXPECT_EQ(last_outcome_, FetchOutcome::kNotVisible);
    a_.Commit();
    EXPECT_EQ(Fetch(b_, before.get(), tid), std::nullopt) << "the snapshot is from before";
  }
  ScopedSnapshot after(b_);
  EXPECT_EQ(Fetch(b_, after.get(), tid), "row");
  EXPECT_EQ(Scan(b_, after.get()), std::multiset<std::string>{"row"});
}

TEST_F(HeapTest, ACommandDoesNotSeeItsOwnRows) {
  a_.Begin();
  const Tid tid = Insert(a_, "row");
  {
    ScopedSnapshot same_command(a_);
    EXPECT_EQ(Fetch(a_, same_command.get(), tid), std::nullopt);
  }
  a_.tx().AdvanceCommand();
  ScopedSnapshot next_command(a_);
  EXPECT_EQ(Fetch(a_, next_command.get(), tid), "row");
}

TEST_F(HeapTest, RolledBackRowsAreDeadToAll) {
  a_.Begin();
  const Tid tid = Insert(a_, "row");
  a_.Rollback();
  b_.Begin();
  ScopedSnapshot snapshot(b_);
  EXPECT_EQ(Fetch(b_, snapshot.get(), tid), std::nullopt);
  EXPECT_EQ(last_outcome_, FetchOutcome::kAllDead);
}

TEST_F(HeapTest, SavepointsUndoTheirOwnWorkOnly) {
  a_.Begin();
  const Tid kept = Insert(a_, "kept");
  a_.tx().PushSavepoint();
  const Tid undone = Insert(a_, "undone");
  a_.tx().AdvanceCommand();
  EXPECT_EQ(Update(a_, kept, "changed").outcome, WriteOutcome::kOk);
  EXPECT_EQ(Update(a_, kept, "twice").outcome, WriteOutcome::kSelfModified);
  a_.tx().RollbackToSavepoint(1);
  a_.tx().AdvanceCommand();
  {
    ScopedSnapshot snapshot(a_);
    EXPECT_EQ(Fetch(a_, snapshot.get(), kept), "kept");
    EXPECT_EQ(Fetch(a_, snapshot.get(), undone), std::nullopt);
  }
  a_.tx().PushSavepoint();
  EXPECT_EQ(Update(a_, kept, "again").outcome, WriteOutcome::kOk);
  a_.tx().ReleaseSavepoint(2);
  a_.Commit();
  b_.Begin();
  ScopedSnapshot snapshot(b_);
  EXPECT_EQ(Scan(b_, snapshot.get()), std::multiset<std::string>{"again"});
  ExpectSound();
}

// What an update that rolled back had put on the page goes, and another row takes its place. The
// mark that led there must not lead to that row: an index would give it under a wrong key.
TEST_F(HeapTest, AChainEndsAtAnUpdateThatRolledBack) {
  b_.Begin();
  const Tid other = Insert(b_, "other");
  b_.Commit();
  a_.Begin();
  const Tid row = Insert(a_, "row");
  a_.tx().AdvanceCommand();
  a_.tx().PushSavepoint();
  const WriteResult undone = Update(a_, row, "undone");
  ASSERT_TRUE(undone.hot);
  a_.tx().RollbackToSavepoint(1);
  ASSERT_TRUE(Ok(VacuumTable(world_.storage(), b_.tx(), heap_.id(), {})));

  b_.Begin();
  ASSERT_EQ(Update(b_, other, "changed").tid, undone.tid) << "the place is used again";
  b_.Commit();
  b_.Begin();
  {
    ScopedSnapshot snapshot(b_);
    EXPECT_EQ(Fetch(b_, snapshot.get(), row), std::nullopt) << "its inserter has not committed";
    EXPECT_EQ(Fetch(b_, snapshot.get(), other), "changed");
  }
  a_.tx().AdvanceCommand();
  {
    ScopedSnapshot snapshot(a_);
    EXPECT_EQ(Fetch(a_, snapshot.get(), row), "row");
  }
  a_.Commit();
  ExpectSound();
}

TEST_F(HeapTest, OldSnapshotsReadOldVersionsAlongTheChainWhilePruningGoesOn) {
  a_.Begin();
  const Tid root = Insert(a_, std::string(400, '0'));
  a_.Commit();
  Tid current = root;
  b_.Begin(IsolationLevel::kRepeatableRead);
  ScopedSnapshot old_snapshot(b_);
  int hot = 0;
  for (char c = 'a'; c <= 'z'; ++c) {
    for (int repeat = 0; repeat < 10; ++repeat) {
      a_.Begin();
      const WriteResult result = Update(a_, current, std::string(400, c));
      ASSERT_EQ(result.outcome, WriteOutcome::kOk);
      current = result.tid;
      hot += result.hot;
      a_.Commit();
      ASSERT_EQ(Fetch(b_, old_snapshot.get(), root), std::string(400, '0'));
    }
  }
  EXPECT_GT(hot, 0);
  EXPECT_EQ(Scan(b_, old_snapshot.get()), std::multiset<std::string>{std::string(400, '0')});
  a_.Begin();
  ScopedSnapshot now(a_);
  EXPECT_EQ(Scan(a_, now.get()), std::multiset<std::string>{std::string(400, 'z')});
  ExpectSound();
}

TEST_F(HeapTest, HotUpdatesOfOneRowStayOnOnePageForEver) {
  a_.Begin();
  const Tid root = Insert(a_, std::string(100, '0'));
  a_.Commit();
  Tid current = root;
  for (int i = 0; i < 10'000; ++i) {
    a_.Begin();
    const WriteResult result = Update(a_, current, std::to_string(i) + std::string(100, 'x'));
    ASSERT_EQ(result.outcome, WriteOutcome::kOk);
    ASSERT_TRUE(result.hot);
    current = result.tid;
    a_.Commit();
  }
  EXPECT_EQ(heap_.block_count(), 1u);
  a_.Begin();
  ScopedSnapshot snapshot(a_);
  EXPECT_EQ(Fetch(a_, snapshot.get(), root), "9999" + std::string(100, 'x'));
  ExpectSound();
}

TEST_F(HeapTest, UpdatesThatAreNotHotReuseSpaceAfterVacuum) {
  a_.Begin();
  std::vector<Tid> rows;
  for (int i = 0; i < 1000; ++i) rows.push_back(Insert(a_, std::string(100, 'x')));
  a_.Commit();
  const BlockNumber blocks = heap_.block_count();
  for (int round = 0; round < 20; ++round) {
    a_.Begin();
    for (Tid& tid : rows) {
      const WriteResult result = Update(a_, tid, std::string(100, 'y'), /*hot=*/false);
      ASSERT_EQ(result.outcome, WriteOutcome::kOk);
      tid = result.tid;
    }
    a_.Commit();
    auto vacuumed = VacuumTable(world_.storage(), a_.tx(), heap_.id(), {});
    ASSERT_TRUE(Ok(vacuumed));
    EXPECT_EQ(vacuumed->rows, 1000);
    EXPECT_EQ(vacuumed->rows_removed, 1000);
    EXPECT_EQ(vacuumed->line_pointers_removed, 1000);
  }
  EXPECT_LE(heap_.block_count(), 2 * blocks + StorageSlot::kInsertTargets);
  ExpectSound();
}

TEST_F(HeapTest, AnUpdateThatDoesNotFitGoesToAnotherPage) {
  a_.Begin();
  std::vector<Tid> rows;
  for (int i = 0; i < 3; ++i) rows.push_back(Insert(a_, std::string(2500, 'x')));
  a_.Commit();
  a_.Begin();
  const WriteResult result = Update(a_, rows[0], std::string(7000, 'y'));
  EXPECT_EQ(result.outcome, WriteOutcome::kOk);
  EXPECT_FALSE(result.hot);
  EXPECT_NE(result.tid.block, rows[0].block);
  a_.Rollback();
  b_.Begin();
  ScopedSnapshot snapshot(b_);
  EXPECT_EQ(Fetch(b_, snapshot.get(), rows[0]), std::string(2500, 'x'));
  EXPECT_EQ(Scan(b_, snapshot.get()).size(), 3u);
}

TEST_F(HeapTest, RowsTooLongForAPageAreRefused) {
  a_.Begin();
  Insert(a_, std::string(kMaxRowSize, 'x'));
  auto too_big = heap_.Insert(a_.tx(), std::string(kMaxRowSize + 1, 'x'));
  EXPECT_EQ(too_big.status().code(), "54000");
  EXPECT_EQ(too_big.status().error().message, "row is too big: size 8129, maximum size 8128");
}

TEST_F(HeapTest, ConcurrentUpdateAndDeleteAreReported) {
  a_.Begin();
  const Tid first = Insert(a_, "first");
  const Tid second = Insert(a_, "second");
  a_.Commit();
  b_.Begin(IsolationLevel::kRepeatableRead);
  ScopedSnapshot snapshot(b_);
  a_.Begin();
  const Tid newer = Update(a_, first, "newer").tid;
  ASSERT_TRUE(Ok(heap_.Delete(a_.tx(), second)));
  a_.Commit();
  const WriteResult updated = Update(b_, first, "mine");
  EXPECT_EQ(updated.outcome, WriteOutcome::kUpdatedConcurrently);
  EXPECT_EQ(updated.tid, newer);
  EXPECT_EQ(heap_.Delete(b_.tx(), second)->outcome, WriteOutcome::kDeletedConcurrently);
  EXPECT_EQ(Heap::SerializationFailure(updated.outcome).code(), "40001");

  HeapRow row;
  auto locked = heap_.LockRow(b_.tx(), first, RowLockMode::kUpdate, RowWait::kWait,
                              /*follow_updates=*/true, buffer_, row);
  ASSERT_TRUE(Ok(locked));
  EXPECT_EQ(locked->outcome, WriteOutcome::kOk);
  EXPECT_EQ(row.bytes, "newer");
  EXPECT_EQ(row.tid, newer);
  EXPECT_EQ(Update(b_, row.tid, "mine").outcome, WriteOutcome::kOk);
}

TEST_F(HeapTest, ALockedRowIsRefusedWithNoWaitAndStaysVisible) {
  a_.Begin();
  const Tid tid = Insert(a_, "row");
  a_.Commit();
  HeapRow row;
  a_.Begin();
  ASSERT_TRUE(
      Ok(heap_.LockRow(a_.tx(), tid, RowLockMode::kUpdate, RowWait::kWait, true, buffer_, row)));
  b_.Begin();
  {
    ScopedSnapshot snapshot(b_);
    EXPECT_EQ(Fetch(b_, snapshot.get(), tid), "row");
  }
  auto refused =
      heap_.LockRow(b_.tx(), tid, RowLockMode::kUpdate, RowWait::kDontWait, true, buffer_, row);
  ASSERT_TRUE(Ok(refused));
  EXPECT_EQ(refused->outcome, WriteOutcome::kWouldBlock);
  b_.Rollback();
  a_.Commit();
  b_.Begin();
  EXPECT_TRUE(Ok(
      heap_.LockRow(b_.tx(), tid, RowLockMode::kUpdate, RowWait::kDontWait, true, buffer_, row)));
}

TEST_F(HeapTest, AFullPoolFailsTheInsertAndLosesNothing) {
  StorageWorld small(40);
  Heap heap(small.storage(), small.NewHeap());
  TestSession session(small, 1);
  session.Begin();
  const std::string row(1000, 'x');
  int inserted = 0;
  while (true) {
    auto tid = heap.Insert(session.tx(), row);
    if (!tid.ok()) {
      EXPECT_EQ(tid.status().code(), "53100");
      EXPECT_THAT(tid.status().error().hint, testing::HasSubstr("shared_buffers"));
      break;
    }
    ++inserted;
    ASSERT_LT(inserted, 1000);
  }
  session.Commit();
  EXPECT_GT(inserted, 100);
  EXPECT_TRUE(Ok(CheckHeap(small.storage(), heap.id())));
  small.storage().FreeStorage(heap.id());
  Heap again(small.storage(), small.NewHeap());
  session.Begin();
  int second = 0;
  while (again.Insert(session.tx(), row).ok()) ++second;
  EXPECT_EQ(second, inserted) << "freed storage gives all its pages back";
}

TEST_F(HeapTest, InsertManyKeepsTheOrderOfTids) {
  std::vector<std::string> texts;
  for (int i = 0; i < 500; ++i) texts.push_back(std::to_string(i) + std::string(i % 50, '.'));
  const std::vector<std::string_view> rows(texts.begin(), texts.end());
  std::vector<Tid> tids(rows.size());
  a_.Begin();
  ASSERT_TRUE(Ok(heap_.InsertMany(a_.tx(), rows, tids)));
  a_.tx().AdvanceCommand();
  ScopedSnapshot snapshot(a_);
  for (size_t i = 0; i < rows.size(); ++i) EXPECT_EQ(Fetch(a_, snapshot.get(), tids[i]), texts[i]);
}

TEST_F(HeapTest, IndexBuildScansGiveTheRootsOfChains) {
  a_.Begin();
  const Tid root = Insert(a_, "0");
  a_.Commit();
  Tid current = root;
  for (int i = 1; i < 5; ++i) {
    a_.Begin();
    current = Update(a_, current, std::to_string(i)).tid;
    a_.Commit();
  }
  ASSERT_NE(current, root);
  a_.Begin();
  ScopedSnapshot snapshot(a_);
  HeapScan scan(heap_, a_.tx(), snapshot.get(), ScanPurpose::kIndexBuild);
  HeapRow row;
  ASSERT_TRUE(scan.Next(row).value());
  EXPECT_EQ(row.tid, root);
  EXPECT_EQ(row.bytes, "4");
  EXPECT_FALSE(scan.Next(row).value());
}

// The commit log remembers so many transactions. Rows that carry the number of an older one would
// ask in vain: a rolled back insert would seem committed.
TEST(VacuumTest, LetsTheCommitLogForget) {
  constexpr int64_t kRemembered = 1024;
  StorageWorld world(64, kRemembered, kRemembered);
  Heap heap(world.storage(), world.NewHeap());
  TestSession session(world, 1);
  const auto roll_back_many = [&](int64_t count) {
    Status status;
    for (int64_t i = 0; i < count && status.ok(); ++i) {
      session.Begin();
      status = session.tx().CurrentXid().TakeStatus();
      session.Rollback();
    }
    return status;
  };
  session.Begin();
  auto kept = heap.Insert(session.tx(), "kept");
  ASSERT_TRUE(Ok(kept));
  session.Commit();
  session.Begin();
  ASSERT_TRUE(Ok(heap.Update(session.tx(), *kept, "not so", /*hot_allowed=*/true)));
  ASSERT_TRUE(Ok(heap.Insert(session.tx(), "undone")));
  session.Rollback();
  EXPECT_EQ(roll_back_many(4 * kRemembered).code(), sqlstate::kConfigurationLimitExceeded);
  for (int round = 0; round < 8; ++round) {
    session.Begin();
    ASSERT_TRUE(Ok(VacuumTable(world.storage(), session.tx(), heap.id(), {})));
    session.Commit();
    ASSERT_TRUE(Ok(roll_back_many(kRemembered / 2)));
  }
  session.Begin();
  ScopedSnapshot snapshot(session);
  HeapScan scan(heap, session.tx(), snapshot.get());
  HeapRow row;
  ASSERT_TRUE(scan.Next(row).value());
  EXPECT_EQ(row.bytes, "kept");
  EXPECT_FALSE(scan.Next(row).value());
}

}  // namespace
}  // namespace connbench::engine
