// Tests: numbers as people write them in flags, settings and files.
#include "base/number.h"

#include <gtest/gtest.h>

namespace connbench {
namespace {

TEST(Number, WholeNumbersAreDecimalAndWithinTheirBounds) {
  EXPECT_EQ(*ParseWholeNumber("010", 1, 100), 10);
  EXPECT_EQ(*ParseWholeNumber("-5", -5, 5), -5);
  EXPECT_EQ(*ParseWholeNumber("9223372036854775807", 0, INT64_MAX), INT64_MAX);
  for (const char* text : {"", " 1", "1 ", "+1", "0x10", "1e2", "1.0", "nan", "inf", "1k", "101",
                           "0", "9223372036854775808", "--1", "1\n"}) {
    EXPECT_FALSE(ParseWholeNumber(text, 1, 100).ok()) << text;
  }
  EXPECT_EQ(ParseWholeNumber("x", 1, 9).status().ToString(),
            "\"x\" is not a whole number from 1 to 9");
  EXPECT_EQ(*ParseUnsigned("18446744073709551615"), UINT64_MAX);
  EXPECT_FALSE(ParseUnsigned("18446744073709551616").ok());
  EXPECT_FALSE(ParseUnsigned("-1").ok());
}

TEST(Number, RealNumbersAreFinite) {
  EXPECT_EQ(*ParseReal("1.5", 0, 2), 1.5);
  EXPECT_EQ(*ParseReal("1e-3", 0, 2), 1e-3);
  for (const char* text : {"", "nan", "inf", "-inf", "1e400", "2.1", "-0.1", "1.5x", "0x1p3"}) {
    EXPECT_FALSE(ParseReal(text, 0, 2).ok()) << text;
  }
}

}  // namespace
}  // namespace connbench
