// Tests: durations and sizes as people write them: "10s", "500ms", "2min", "256MB", "8kB".
#include "base/units.h"

#include <gtest/gtest.h>

namespace connbench {
namespace {

TEST(ParseDuration, TakesEveryUnit) {
  EXPECT_EQ(*ParseDurationNs("250us"), 250'000);
  EXPECT_EQ(*ParseDurationNs("10s"), 10'000'000'000);
  EXPECT_EQ(*ParseDurationNs("2min"), *ParseDurationNs("120"));
  EXPECT_EQ(*ParseDurationNs("1.5 s"), 1'500'000'000);
  EXPECT_EQ(*ParseDurationNs("7", "ms"), 7'000'000);
}

TEST(ParseDuration, RefusesNonsenseWithARemedy) {
  for (const char* text : {"", "s", "-1s", "1 fortnight", "nan", "inf", "1e300s", "1s2", "0x10s",
                           "+1s", " 1s", "-0s"}) {
    const auto result = ParseDurationNs(text);
    ASSERT_FALSE(result.ok()) << text;
    EXPECT_EQ(result.status().code(), sqlstate::kInvalidParameterValue);
    EXPECT_NE(result.status().error().hint, "");
  }
}

TEST(ParseBytes, UsesPowersOf1024AsPostgresqlDoes) {
  EXPECT_EQ(*ParseBytes("8kB"), 8192);
  EXPECT_EQ(*ParseBytes("256MB"), 268435456);
  EXPECT_EQ(*ParseBytes("1", "GB"), 1073741824);
  EXPECT_FALSE(ParseBytes("1 parsec").ok());
}

TEST(Format, PicksAReadableUnit) {
  EXPECT_EQ(FormatDuration(1'250'000), "1.25 ms");
  EXPECT_EQ(FormatBytes(8192), "8.0 kB");
}

}  // namespace
}  // namespace connbench
