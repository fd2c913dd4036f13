// Names of encodings: the right answers are PostgreSQL's.
#include "engine/sql/client_encoding.h"

#include <gtest/gtest.h>

#include <string>

namespace connbench::engine {
namespace {

TEST(CanonicalEncoding, IgnoresCaseAndPunctuation) {
  for (const char* name :
       {"UTF8", "utf-8", "'utf-8'", "\"UTF8\"", " u t f _ 8 ", "Unicode", "'unicode'"}) {
    const auto encoding = CanonicalEncoding(name);
    ASSERT_TRUE(encoding.ok()) << name;
    EXPECT_EQ(*encoding, "UTF8") << name;
  }
  for (const char* name : {"SQL_ASCII", "'sql_ascii'", "sqlascii", "sql-ascii"}) {
    const auto encoding = CanonicalEncoding(name);
    ASSERT_TRUE(encoding.ok()) << name;
    EXPECT_EQ(*encoding, "SQL_ASCII") << name;
  }
}

TEST(CanonicalEncoding, SaysOfAKnownEncodingThatThereIsNoConversion) {
  for (const char* name : {"latin1", "ISO-8859-1", "'LATIN1'"}) {
    const auto encoding = CanonicalEncoding(name);
    ASSERT_FALSE(encoding.ok()) << name;
    EXPECT_EQ(encoding.status().code(), sqlstate::kFeatureNotSupported);
    EXPECT_EQ(encoding.status().error().detail,
              "Conversion between LATIN1 and UTF8 is not supported.");
  }
}

TEST(CanonicalEncoding, KnowsNoOthers) {
  for (const std::string& name :
       {std::string(), std::string("''"), std::string("utf"), std::string("utf88"),
        std::string("latin11"), std::string("nope"), "utf8" + std::string(60, ' ')}) {
    const auto encoding = CanonicalEncoding(name);
    ASSERT_FALSE(encoding.ok()) << name;
    EXPECT_EQ(encoding.status().code(), sqlstate::kInvalidParameterValue);
    EXPECT_EQ(encoding.status().error().message,
              "invalid value for parameter \"client_encoding\": \"" + name + "\"");
  }
}

}  // namespace
}  // namespace connbench::engine
