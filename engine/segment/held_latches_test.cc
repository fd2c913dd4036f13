// A thread that takes latches against the rules is told so, instead of waiting for itself.
#include "engine/segment/held_latches.h"

#include <gtest/gtest.h>

#include "engine/segment/latch.h"

namespace connbench::engine {
namespace {

class HeldLatchesTest : public ::testing::Test {
 protected:
  HeldLatchesTest() {
    page_.Init(true, LatchRank::kPage);
    for (Latch& latch : partitions_) latch.Init(true, LatchRank::kLockPartition);
    backends_.Init(true, LatchRank::kBackendFreeList);
  }
  void SetUp() override {
    if (!kAssertionsOn) GTEST_SKIP() << "a build without assertions";
  }

  Latch page_;
  Latch partitions_[2];
  Latch backends_;
};
using HeldLatchesDeathTest = HeldLatchesTest;

TEST_F(HeldLatchesTest, KnowsWhatThisThreadHolds) {
  EXPECT_FALSE(HoldsLatch(page_, LatchMode::kShared));
  {
    SharedLatchGuard guard(page_);
    EXPECT_TRUE(HoldsLatch(page_, LatchMode::kShared));
    EXPECT_FALSE(HoldsLatch(page_, LatchMode::kExclusive));
    ExclusiveLatchGuard other(partitions_[0]);
    EXPECT_TRUE(HoldsLatch(partitions_[0], LatchMode::kExclusive));
    EXPECT_TRUE(HoldsLatch(partitions_[0], LatchMode::kShared));
    EXPECT_EQ(HeldLatchCount(), 2);
  }
  EXPECT_EQ(HeldLatchCount(), 0);
}

TEST_F(HeldLatchesTest, TheDocumentedOrderIsAccepted) {
  ExclusiveLatchGuard page(page_);
  ExclusiveLatchGuard first(partitions_[0]);
  ExclusiveLatchGuard second(partitions_[1]);
  ExclusiveLatchGuard backends(backends_);
  EXPECT_EQ(HeldLatchCount(), 4);
}

TEST_F(HeldLatchesDeathTest, ALatchIsNotTakenTwice) {
  SharedLatchGuard guard(page_);
  EXPECT_DEATH(page_.LockShared(), "takes no latch twice");
}

TEST_F(HeldLatchesDeathTest, ALatchOfAnEarlierRankIsRefused) {
  ExclusiveLatchGuard guard(backends_);
  EXPECT_DEATH(partitions_[0].LockExclusive(), "in the order of");
}

TEST_F(HeldLatchesDeathTest, LatchesOfOneRankAreTakenByAddress) {
  ExclusiveLatchGuard guard(partitions_[1]);
  EXPECT_DEATH(partitions_[0].LockExclusive(), "in the order of");
}

TEST_F(HeldLatchesDeathTest, OnlyWhatIsHeldIsUnlocked) {
  EXPECT_DEATH(page_.UnlockShared(), "the thread that locked a latch unlocks it");
}

}  // namespace
}  // namespace connbench::engine
