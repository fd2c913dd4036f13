// Wishes for room end, and failed logins are logged a few a second.
#include "engine/segment/admission.h"

#include <gtest/gtest.h>

namespace connbench::engine {
namespace {

TEST(Admission, AWishForRoomEnds) {
  Admission admission;
  EXPECT_FALSE(admission.RoomWanted(1));
  admission.WantRoom(5);
  EXPECT_TRUE(admission.RoomWanted(5));
  EXPECT_TRUE(admission.RoomWanted(4 + Admission::kWishNs));
  EXPECT_FALSE(admission.RoomWanted(5 + Admission::kWishNs));
}

TEST(Admission, FailuresAreLoggedAFewASecondAndTheOthersCounted) {
  Admission admission;
  MonotonicNs now = 100 * kNanosecondsPerSecond;
  for (int i = 0; i < Admission::kFailuresLoggedPerSecond; ++i) {
    const Admission::Failure failure = admission.CountFailure(now);
    EXPECT_TRUE(failure.logged);
    EXPECT_EQ(failure.left_out, 0);
  }
  constexpr int kMore = 500;
  for (int i = 0; i < kMore; ++i) EXPECT_FALSE(admission.CountFailure(now + i).logged);
  now += kNanosecondsPerSecond;
  const Admission::Failure next = admission.CountFailure(now);
  EXPECT_TRUE(next.logged);
  EXPECT_EQ(next.left_out, kMore);
  EXPECT_EQ(admission.CountFailure(now).left_out, 0);
}

}  // namespace
}  // namespace connbench::engine
