// Tests: letters of ASCII without regard to case, for keywords.
#include "base/ascii.h"

#include <gtest/gtest.h>

namespace connbench {
namespace {

TEST(Ascii, OnlyLettersOfAsciiHaveACase) {
  EXPECT_EQ(AsciiLower("SeLeCt_1 \xc3\x84"), "select_1 \xc3\x84");
  EXPECT_TRUE(EqualIgnoringCase("On", "oN"));
  EXPECT_TRUE(EqualIgnoringCase("", ""));
  EXPECT_FALSE(EqualIgnoringCase("on", "one"));
  EXPECT_FALSE(EqualIgnoringCase("@", "`"));  // as far apart as a letter's two cases
  EXPECT_FALSE(EqualIgnoringCase("[", "{"));
}

}  // namespace
}  // namespace connbench
