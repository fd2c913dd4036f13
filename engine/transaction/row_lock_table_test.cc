// RowLockTable by itself: what it keeps, what it frees, and what it does when it is full.
#include "engine/transaction/row_lock_table.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <memory>
#include <vector>

#include "engine/transaction/testing/transaction_test_util.h"

namespace connbench::engine {
namespace {

using testing::HasSubstr;

constexpr uint32_t kStorage = 7;

class RowLockTableTest : public testing::Test {
 protected:
  RowLockTable& table() { return *environment_.system().row_locks; }
  Status Add(uint64_t place, Xid xid, RowLockMode mode, bool only = false) {
    return table().Add(environment_.segment(), environment_.log(), {kStorage, place}, xid, mode,
                       only);
  }
  std::vector<RowLockHolder> Find(uint64_t place) {
    std::vector<RowLockHolder> holders;
    table().Find(environment_.log(), {kStorage, place}, holders);
    return holders;
  }

  static EngineConfig SmallTable() {
    EngineConfig config = SmallConfig();
    config.max_shared_row_locks = 1 << 15;
    return config;
  }

  TransactionEnvironment environment_{SmallTable()};
  TestSession a_{environment_, 1};
  TestSession b_{environment_, 2};
};

TEST_F(RowLockTableTest, KeepsEachHolderOnceWithItsStrongestMode) {
  a_.Begin();
  b_.Begin();
  const Xid a = a_.Write();
  const Xid b = b_.Write();
  ASSERT_TRUE(Add(1, a, RowLockMode::kKeyShare).ok());
  ASSERT_TRUE(Add(1, b, RowLockMode::kKeyShare).ok());
  ASSERT_TRUE(Add(1, a, RowLockMode::kShare).ok());
  ASSERT_TRUE(Add(1, a, RowLockMode::kKeyShare).ok());
  ASSERT_TRUE(Add(2, a, RowLockMode::kUpdate).ok());
  const std::vector<RowLockHolder> holders = Find(1);
  ASSERT_EQ(holders.size(), 2u);
  for (const RowLockHolder& holder : holders) {
    EXPECT_EQ(holder.mode, holder.xid == a ? RowLockMode::kShare : RowLockMode::kKeyShare);
    EXPECT_EQ(holder.owner, holder.xid == a ? a_.backend().number() : b_.backend().number());
  }
  EXPECT_EQ(Find(2).size(), 1u);
  EXPECT_TRUE(Find(3).empty());
}

TEST_F(RowLockTableTest, AHolderEndsWithItsTransactionOrSavepoint) {
  a_.Begin();
  const Xid outer = a_.Write();
  a_->PushSavepoint();
  const Xid inner = a_.Write();
  ASSERT_TRUE(Add(1, outer, RowLockMode::kShare).ok());
  ASSERT_TRUE(Add(1, inner, RowLockMode::kUpdate).ok());
  a_->RollbackToSavepoint(1);
  ASSERT_EQ(Find(1).size(), 1u);
  EXPECT_EQ(Find(1)[0].xid, outer);
  ASSERT_TRUE(a_->Commit().ok());
  EXPECT_TRUE(Find(1).empty());
}

TEST_F(RowLockTableTest, AVersionThatIsNewInItsPlaceInheritsNothing) {
  a_.Begin();
  b_.Begin();
  ASSERT_TRUE(Add(1, a_.Write(), RowLockMode::kKeyShare).ok());
  ASSERT_TRUE(Add(1, b_.Write(), RowLockMode::kUpdate, /*only=*/true).ok());
  ASSERT_EQ(Find(1).size(), 1u);
  EXPECT_EQ(Find(1)[0].xid, b_.Write());
}

TEST_F(RowLockTableTest, WhenItIsFullWhatHasEndedIsFreedAndOtherwiseThereIsAnError) {
  a_.Begin();
  Status status;
  uint64_t added = 0;
  for (; status.ok() && added < 10'000'000; ++added) {
    status = Add(added, a_.Write(), RowLockMode::kShare);
  }
  EXPECT_EQ(status.code(), sqlstate::kOutOfMemory);
  EXPECT_THAT(status.error().hint, HasSubstr("max_shared_row_locks"));
  EXPECT_GT(added, (1u << 15) / 2) << "one partition was full long before the others";
  b_.Begin();
  EXPECT_EQ(Add(added - 1, b_.Write(), RowLockMode::kShare).code(), sqlstate::kOutOfMemory);
  a_->Rollback();
  for (uint64_t place = 0; place < added / 2; ++place) {
    ASSERT_TRUE(Add(place, b_.Write(), RowLockMode::kShare).ok()) << place;
  }
  EXPECT_EQ(Find(0).size(), 1u);
}

// PostgreSQL's table 13.3.
TEST(RowLockModesTest, ConflictAsInPostgres) {
  using enum RowLockMode;
  constexpr RowLockMode kModes[] = {kKeyShare, kShare, kNoKeyUpdate, kUpdate};
  constexpr bool kConflicts[4][4] = {{false, false, false, true},
                                     {false, false, true, true},
                                     {false, true, true, true},
                                     {true, true, true, true}};
  for (int a = 0; a < 4; ++a) {
    for (int b = 0; b < 4; ++b) {
      EXPECT_EQ(RowLocksConflict(kModes[a], kModes[b]), kConflicts[a][b]) << a << ", " << b;
      EXPECT_EQ(LocksConflict(LineMode(kModes[a]), LineMode(kModes[b])), kConflicts[a][b])
          << a << ", " << b;
    }
  }
}

}  // namespace
}  // namespace connbench::engine
