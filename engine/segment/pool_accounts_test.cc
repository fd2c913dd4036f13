// Tests: how a connection model that shares workers among sessions spends its time.
#include "engine/segment/pool_accounts.h"

#include <gtest/gtest.h>

#include <memory>

namespace connbench::engine {
namespace {

constexpr MonotonicNs kMs = kNanosecondsPerMillisecond;

TEST(DurationUsage, EveryDurationFallsIntoABucketThatHoldsIt) {
  int64_t highest_before = -1;
  for (uint32_t bucket = 0; bucket < DurationUsage::kBuckets; ++bucket) {
    const int64_t highest = DurationUsage::HighestIn(bucket);
    EXPECT_EQ(DurationUsage::BucketOf(highest), bucket);
    EXPECT_EQ(DurationUsage::BucketOf(highest_before + 1), bucket);
    if (highest > 1024) {
      EXPECT_LE(static_cast<double>(highest), 1.13 * static_cast<double>(highest_before + 1));
    }
    highest_before = highest;
  }
  EXPECT_GT(highest_before, 120 * kNanosecondsPerSecond);
  EXPECT_EQ(DurationUsage::BucketOf(INT64_MAX), DurationUsage::kBuckets - 1);
  EXPECT_EQ(DurationUsage::BucketOf(-5), 0u);
}

TEST(DurationUsage, PercentilesOfADifferenceAreThoseOfWhatCameBetween) {
  DurationAccount account;
  for (int i = 0; i < 1000; ++i) account.Add(kMs);
  const DurationUsage before = account.Read();
  for (int i = 1; i <= 100; ++i) account.Add(i * kNanosecondsPerMicrosecond);
  DurationUsage between = account.Read();
  between.Subtract(before);
  EXPECT_EQ(between.count, 100);
  EXPECT_EQ(between.sum_ns, 5050 * kNanosecondsPerMicrosecond);
  EXPECT_NEAR(static_cast<double>(between.ValueAt(0.5)), 50e3, 0.125 * 50e3);
  EXPECT_NEAR(static_cast<double>(between.ValueAt(0.99)), 99e3, 0.125 * 99e3);
  EXPECT_EQ(DurationUsage().ValueAt(0.5), 0);
}

class PoolAccountsTest : public ::testing::Test {
 protected:
  std::unique_ptr<PoolAccounts> accounts_ = std::make_unique<PoolAccounts>();
};

TEST_F(PoolAccountsTest, ShowsThePoolsThatThereAre) {
  EXPECT_TRUE(accounts_->Read().empty());
  ASSERT_NE(accounts_->Open(0, 2), nullptr);
  PoolAccount* third = accounts_->Open(3, 5);
  third->TakenUp(100, 400);
  third->Ran(400, 1000, /*blocked_ns=*/200);
  third->Served(400, 1000);
  third->ResetTook(50);
  third->Pinned(70);
  third->Switched();
  const auto pools = accounts_->Read();
  ASSERT_EQ(pools.size(), 2u);
  EXPECT_EQ(pools[0].pool, 0);
  EXPECT_EQ(pools[0].workers, 2);
  EXPECT_EQ(pools[0].wait.count, 0);
  EXPECT_EQ(pools[1].pool, 3);
  EXPECT_EQ(pools[1].wait.sum_ns, 300);
  EXPECT_EQ(pools[1].service.max_ns, 600);
  EXPECT_EQ(pools[1].busy_ns, 400);
  EXPECT_EQ(pools[1].reset.count, 1);
  EXPECT_EQ(pools[1].pinned_ns, 70);
  EXPECT_EQ(pools[1].switches, 1);
}

TEST_F(PoolAccountsTest, HasNoAccountForTooManyPools) {
  EXPECT_EQ(accounts_->Open(PoolAccounts::kMaxPools, 1), nullptr);
  EXPECT_EQ(accounts_->Open(-1, 1), nullptr);
}

TEST_F(PoolAccountsTest, CountsWhatIsSpentBehindALongTurnOnly) {
  PoolAccount& account = *accounts_->Open(0, 1);
  account.Ran(0, kMs / 2);
  account.TakenUp(0, kMs / 2);  // waited, but behind nothing long
  EXPECT_EQ(account.Read().behind_ns, 0);
  account.Ran(10 * kMs, 20 * kMs);
  account.TakenUp(5 * kMs, 21 * kMs);  // before it, during it, after it
  EXPECT_EQ(account.Read().behind_ns, 10 * kMs);
  account.TakenUp(12 * kMs, 22 * kMs);  // since its midst
  EXPECT_EQ(account.Read().behind_ns, 18 * kMs);
  account.TakenUp(20 * kMs, 40 * kMs);  // ready after it
  EXPECT_EQ(account.Read().behind_ns, 18 * kMs);
  // One that still goes on: what waited behind it is taken up by another worker.
  account.TurnTook(50 * kMs, 60 * kMs);
  account.TakenUp(51 * kMs, 60 * kMs);
  EXPECT_EQ(account.Read().behind_ns, 27 * kMs);
}

}  // namespace
}  // namespace connbench::engine
