// Assertions abort where they are on, and are not evaluated where they are off.
#include "base/assert.h"

#include <gtest/gtest.h>

namespace connbench {
namespace {

TEST(AssertDeathTest, ABreachNamesItsPlaceWhereAssertionsAreOn) {
  const int found = 2;
  if (kAssertionsOn) {
    EXPECT_DEATH(CONNBENCH_ASSERT(found == 1, "the caller counts to one"),
                 "assert_test.cc:[0-9]+: assertion failed: found == 1 .the caller counts to one.");
  }
  EXPECT_DEATH(AssertionFailed("a.cc", 7, "x", "y"), "a.cc:7: assertion failed: x .y.");
}

TEST(AssertTest, TheConditionIsEvaluatedOnlyWhereAssertionsAreOn) {
  int evaluated = 0;
  CONNBENCH_ASSERT(++evaluated > 0, "counts");
  EXPECT_EQ(evaluated, kAssertionsOn ? 1 : 0);
}

}  // namespace
}  // namespace connbench
