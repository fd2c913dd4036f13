// Truth values, as PostgreSQL's parse_bool reads them.
#include "base/bool_text.h"

#include <gtest/gtest.h>

namespace connbench {
namespace {

TEST(ParseBool, TakesUniquePrefixesInAnyCase) {
  for (const char* text : {"true", "T", "tRu", "yes", "y", "on", "ON", "1"}) {
    EXPECT_EQ(ParseBool(text), true) << text;
  }
  for (const char* text : {"false", "F", "fal", "no", "N", "off", "of", "0"}) {
    EXPECT_EQ(ParseBool(text), false) << text;
  }
}

TEST(ParseBool, TakesNothingElse) {
  for (const char* text : {"", "o", "truer", "offf", "2", "10", " on", "on ", "maybe"}) {
    EXPECT_EQ(ParseBool(text), std::nullopt) << text;
  }
}

}  // namespace
}  // namespace connbench
