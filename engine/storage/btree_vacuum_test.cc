// Pages that leave a B+tree or a table's end, and scans that meet them.
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "engine/storage/testing/loop_table.h"

namespace connbench::engine {
namespace {

// --- Pages of a B+tree --------------------------------------------------------------------------

class UnlinkTest : public ::testing::Test {
 protected:
  static constexpr uint64_t kMany = 20'000;

  UnlinkTest() { Fill(0, kMany); }

  void Fill(uint64_t from, uint64_t to) {
    session_.Begin();
    for (uint64_t id = from; id < to; ++id) {
      ASSERT_TRUE(Ok(session_.Insert({id, id, ""})));
    }
    session_.session().Commit();
  }
  void Delete(uint64_t from, uint64_t to) {
    session_.Begin();
    for (uint64_t id = from; id < to; ++id) ASSERT_TRUE(Ok(session_.Change(id, nullptr)));
    session_.session().Commit();
  }
  CheckStatistics Check() {
    auto checked = CheckBTree(world_.storage(), table_.indexes[0]);
    EXPECT_TRUE(Ok(checked));
    return checked.ok() ? checked.value() : CheckStatistics{};
  }
  std::vector<uint64_t> Rest(BTreeScan& scan, TestSession& session, const Snapshot& snapshot) {
    std::vector<uint64_t> ids;
    Heap heap(world_.storage(), table_.heap);
    Tid tid;
    HeapRow row;
    while (scan.Next(tid).value()) {
      if (heap.Fetch(session.tx(), snapshot, tid, buffer_, row).value() == FetchOutcome::kFound) {
        ids.push_back(LoopRow::Number(row.bytes));
      }
    }
    return ids;
  }

  StorageWorld world_{4096};
  LoopTable table_{world_, {}};
  LoopSession session_{table_, 1};
  LoopSession other_{table_, 2};
  RowBuffer buffer_;
};

TEST_F(UnlinkTest, EmptyPagesLeaveTheTreeAndComeBackIntoUse) {
  const int64_t pages = Check().pages;
  ASSERT_GT(pages, 50);
  Delete(0, kMany);
  ASSERT_TRUE(Ok(session_.Vacuum()));
  const CheckStatistics emptied = Check();
  EXPECT_LE(emptied.pages, 2 + emptied.levels);
  EXPECT_GE(emptied.free_pages, pages - emptied.pages);
  Fill(kMany, kMany + 1);  // a commit, so that snapshots are newer than the unlinking
  Fill(kMany + 1, 2 * kMany);
  const CheckStatistics filled = Check();
  EXPECT_LE(filled.pages + filled.free_pages, pages + 2);
  ExpectSound(table_);
}

TEST_F(UnlinkTest, PagesInTheMiddleLeaveTheTree) {
  Delete(3000, 17'000);
  ASSERT_TRUE(Ok(session_.Vacuum()));
  EXPECT_GT(Check().free_pages, 30);
  session_.Begin();
  {
    const ScopedSnapshot snapshot(session_.session());
    EXPECT_TRUE(Ok(session_.CheckRows(snapshot.get(), kMany - 14'000)));
  }
  session_.session().Rollback();
  Fill(3000, 17'000);
  ExpectSound(table_);
}

TEST_F(UnlinkTest, APageIsNotUsedAgainWhileASearchMayBeOnItsWayToIt) {
  const StorageSlot& slot = *world_.storage().Find(table_.indexes[0]);
  Delete(0, 10'000);
  ASSERT_TRUE(Ok(session_.Vacuum()));
  const int64_t free_pages = Check().free_pages;
  ASSERT_GT(free_pages, 20);
  const uint32_t blocks = slot.block_count;
  other_.Begin();
  {
    // Nothing was committed since the pages were unlinked: the snapshot may be older than that.
    const ScopedSnapshot snapshot(other_.session());
    Fill(0, 2000);
    Fill(2000, 4000);
    EXPECT_GE(Check().free_pages, free_pages);
    EXPECT_GT(slot.block_count, blocks);
  }
  other_.session().Rollback();
  Fill(4000, 6000);
  EXPECT_LT(Check().free_pages, free_pages);
}

// A REPEATABLE READ transaction keeps its rows between its statements, too.
TEST_F(UnlinkTest, RowsOfATransactionsSnapshotStayBetweenItsStatements) {
  other_.Begin(IsolationLevel::kRepeatableRead);
  { const ScopedSnapshot first(other_.session()); }
  Delete(0, kMany);
  ASSERT_TRUE(Ok(session_.Vacuum()));
  {
    const ScopedSnapshot second(other_.session());
    EXPECT_TRUE(Ok(other_.CheckRows(second.get(), kMany)));
  }
  other_.session().Rollback();
}

// A scan that stands still while the pages around it go, in either direction.
TEST_F(UnlinkTest, AScanFindsItsWayOverPagesThatHaveGone) {
  for (const ScanDirection direction : {ScanDirection::kForward, ScanDirection::kBackward}) {
    for (const uint64_t stop : {1u, 150u, 5000u}) {
      other_.Begin();
      {
        Delete(2000, 18'000);
        const ScopedSnapshot snapshot(other_.session());
        BTreeScan scan(BTree(world_.storage(), table_.indexes[0]), IndexBound::None(),
                       IndexBound::None(), direction);
        Tid tid;
        for (uint64_t i = 0; i < stop; ++i) ASSERT_TRUE(scan.Next(tid).value());
        const uint64_t first = LoopRow::Number(scan.key());
        ASSERT_TRUE(Ok(session_.Vacuum()));
        Fill(2000, 18'000);
        std::vector<uint64_t> expected;
        const bool forward = direction == ScanDirection::kForward;
        for (uint64_t i = 0; i < kMany; ++i) {
          const uint64_t id = forward ? i : kMany - 1 - i;
          if (id >= 2000 && id < 18'000) continue;
          if (forward ? id > first : id < first) expected.push_back(id);
        }
        EXPECT_EQ(Rest(scan, other_.session(), snapshot.get()), expected) << stop;
      }
      other_.session().Rollback();
    }
  }
  ExpectSound(table_);
}

// --- Pages of a heap ----------------------------------------------------------------------------

TEST_F(UnlinkTest, EmptyPagesAtTheTablesEndAreGivenBack) {
  StorageSlot& slot = *world_.storage().Find(table_.heap);
  const uint32_t blocks = slot.block_count;
  const uint32_t free_frames = world_.storage().pool().free_frames();
  other_.Begin();
  {
    const ScopedSnapshot snapshot(other_.session());
    Heap heap(world_.storage(), table_.heap);
    // A scan that has begun expects all blocks that there are.
    auto scan = std::make_unique<HeapScan>(heap, other_.session().tx(), snapshot.get());
    HeapRow row;
    ASSERT_TRUE(scan->Next(row).value());
    Delete(1000, kMany);
    ASSERT_TRUE(Ok(session_.Vacuum()));
    EXPECT_EQ(slot.block_count, blocks) << "the scan sees the rows";
    size_t rows = 1;
    while (scan->Next(row).value()) ++rows;
    EXPECT_EQ(rows, kMany);
  }
  other_.session().Rollback();
  other_.Begin();
  {
    const ScopedSnapshot snapshot(other_.session());
    Heap heap(world_.storage(), table_.heap);
    auto scan = std::make_unique<HeapScan>(heap, other_.session().tx(), snapshot.get());
    HeapRow row;
    ASSERT_TRUE(scan->Next(row).value());
    auto vacuumed = session_.Vacuum();
    ASSERT_TRUE(Ok(vacuumed));
    EXPECT_GT(vacuumed->pages_given_back, blocks / 2);
    EXPECT_LT(slot.block_count, blocks / 2);
    EXPECT_GT(world_.storage().pool().free_frames(), free_frames + blocks / 2);
    size_t rows = 1;
    while (scan->Next(row).value()) ++rows;
    EXPECT_EQ(rows, 1000u);
    EXPECT_EQ(heap.Fetch(other_.session().tx(), snapshot.get(), Tid{blocks - 1, 0, 0}, buffer_, row)
                  .value(),
              FetchOutcome::kNotVisible);
  }
  other_.session().Rollback();
  ExpectSound(table_);
  Fill(1000, kMany);
  ExpectSound(table_);
}

// An index that is made while a pass is under way may have entries that the pass has not seen.
TEST_F(UnlinkTest, APassOverOtherIndexesBeginsAgain) {
  LoopTable table(world_, {Ascending});
  LoopSession session(table, 3);
  StorageSlot& slot = *world_.storage().Find(table.heap);
  session.Begin();
  for (uint64_t id = 0; id < 3000; ++id) ASSERT_TRUE(Ok(session.Insert({id, id, ""})));
  session.session().Commit();
  session.Begin();
  for (uint64_t id = 0; id < 2000; ++id) ASSERT_TRUE(Ok(session.Change(id, nullptr)));
  session.session().Commit();
  const std::span<const StorageId> one(table.indexes.data(), 1);
  for (int step = 0; slot.upkeep.phase == 0; ++step) {
    ASSERT_LT(step, 10'000);
    slot.OweVisits(1);
    ASSERT_TRUE(Ok(TidyTable(world_.storage(), table.heap, one)));
  }
  const uint32_t begun = slot.index_passes().begun;
  slot.OweVisits(1);
  ASSERT_TRUE(Ok(TidyTable(world_.storage(), table.heap, one)));
  EXPECT_EQ(slot.index_passes().begun, begun);
  slot.OweVisits(1);
  ASSERT_TRUE(Ok(TidyTable(world_.storage(), table.heap, table.indexes)));
  EXPECT_EQ(slot.index_passes().begun, begun + 1);
  ASSERT_TRUE(Ok(session.Vacuum()));
  ExpectSound(table);
}

// The map of a table that has once been large is freed with it.
TEST(UpkeepTest, NothingIsLeftOfATableThatWasCutOff) {
  StorageWorld world(16'384);
  const uint32_t before = world.storage().pool().free_frames();
  const StorageId heap_id = world.NewHeap();
  TestSession session(world, 1);
  Heap heap(world.storage(), heap_id);
  const std::string row(4000, 'x');
  session.Begin();
  std::vector<Tid> tids;
  for (int i = 0; i < 17'000; ++i) {
    auto tid = heap.Insert(session.tx(), row);
    ASSERT_TRUE(Ok(tid));
    tids.push_back(*tid);
  }
  session.Rollback();
  session.Begin();
  auto vacuumed = VacuumTable(world.storage(), session.tx(), heap_id, {});
  session.Rollback();
  ASSERT_TRUE(Ok(vacuumed));
  EXPECT_EQ(heap.block_count(), 0u);
  world.storage().FreeStorage(heap_id);
  EXPECT_EQ(world.storage().pool().free_frames(), before);
}

// What a dead line pointer's number may be compared with, when numbers have wrapped around, too.
TEST(UpkeepTest, LinePointersAreFreeOnlyAfterAWholePassBegunSinceTheirDeath) {
  for (const uint32_t base :
       {0u, 5u, IndexPasses::kStampMask - 1, IndexPasses::kStampMask * 3 + 2}) {
    const uint32_t stamp = IndexPasses{base, base}.stamp();
    EXPECT_FALSE((IndexPasses{base, base}.Cover(stamp)));
    EXPECT_FALSE((IndexPasses{base + 1, base}.Cover(stamp))) << "the next pass is under way";
    EXPECT_TRUE((IndexPasses{base + 1, base + 1}.Cover(stamp)));
    EXPECT_TRUE((IndexPasses{base + 2, base + 1}.Cover(stamp)));
    const uint32_t during = IndexPasses{base + 1, base}.stamp();
    EXPECT_FALSE((IndexPasses{base + 1, base + 1}.Cover(during))) << "it died during that pass";
    EXPECT_FALSE((IndexPasses{base + 2, base + 1}.Cover(during)));
    EXPECT_TRUE((IndexPasses{base + 2, base + 2}.Cover(during)));
  }
}

}  // namespace
}  // namespace connbench::engine
