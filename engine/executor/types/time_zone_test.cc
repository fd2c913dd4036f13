// Names of time zones, as PostgreSQL 15 reads them: SET TimeZone, AT TIME ZONE, POSIX's strings.
#include "engine/executor/types/time_zone.h"

#include <gtest/gtest.h>

#include <string>

#include "engine/executor/types/calendar.h"

namespace connbench::engine {
namespace {

int64_t NoonOf(int month) { return DaysSince2000(2020, month, 1) * kUsPerDay + 12 * kUsPerHour; }

struct Zone {
  std::string_view given;
  std::string_view shown;  // empty: refused
  int winter_minutes;      // east of Greenwich
  int summer_minutes;
};

constexpr Zone kSettings[] = {
    {"+05:30", "+05:30", -330, -330},  // POSIX counts west
    {"-05:30", "-05:30", 330, 330},
    {"+2", "<+02>-02", 120, 120},  // a number counts east
    {"-5", "<-05>+05", -300, -300},
    {" 5", "<+05>-05", 300, 300},
    {"5.5", "<+05:30>-05:30", 330, 330},
    {"foo+3", "FOO+3", -180, -180},
    {"foo3bar", "FOO3BAR", -180, -120},
    {"<+05>-5", "<+05>-5", 300, 300},
    {"CET-1CEST,M3.5.0,M10.5.0/3", "CET-1CEST,M3.5.0,M10.5.0/3", 60, 120},
    {"+167:59", "+167:59", -(167 * 60 + 59), -(167 * 60 + 59)},
    {"utc+3", "UTC+3", -180, -180},
    {"etc/gmt+5", "Etc/GMT+5", -300, -300},
    {"europe/berlin", "Europe/Berlin", 60, 120},
    {"gmt", "GMT", 0, 0},
    {"zulu", "Zulu", 0, 0},
    {"+200", "", 0, 0},
    {"+168", "", 0, 0},
    {"+05:61", "", 0, 0},
    {"+05:30:15", "", 0, 0},
    {"a", "", 0, 0},
    {"z", "", 0, 0},
    {"PST", "", 0, 0},
    {"- 5", "", 0, 0},
    {"", "", 0, 0},
    {"nan", "", 0, 0},
    {"../../etc/passwd", "", 0, 0},
};

TEST(TimeZone, ReadsTheSettingAsPostgresqlDoes) {
  for (const Zone& zone : kSettings) {
    const auto found = TimeZone::FindSetting(zone.given);
    ASSERT_EQ(found.ok(), !zone.shown.empty()) << zone.given;
    if (!found.ok()) {
      EXPECT_EQ(found.status().code(), sqlstate::kInvalidParameterValue) << zone.given;
      continue;
    }
    EXPECT_EQ((*found)->name(), zone.shown) << zone.given;
    EXPECT_EQ((*found)->OffsetAt(NoonOf(1)) / 60, zone.winter_minutes) << zone.given;
    EXPECT_EQ((*found)->OffsetAt(NoonOf(7)) / 60, zone.summer_minutes) << zone.given;
    // The name that SHOW prints means the same zone.
    const auto again = TimeZone::FindSetting((*found)->name());
    ASSERT_TRUE(again.ok()) << zone.given;
    EXPECT_EQ((*again)->name(), zone.shown) << zone.given;
    EXPECT_EQ((*again)->OffsetAt(NoonOf(7)) / 60, zone.summer_minutes) << zone.given;
  }
}

TEST(TimeZone, TakesAbbreviationsBeforeZonesInTimes) {
  const auto summer = [](std::string_view name) {
    const auto zone = TimeZone::FindZoneOrAbbreviation(name);
    EXPECT_TRUE(zone.ok()) << name;
    return zone.ok() ? (*zone)->OffsetAt(NoonOf(7)) / 60 : -1;
  };
  EXPECT_EQ(summer("CET"), 60);  // the abbreviation knows no summer; the zone of that name does
  EXPECT_EQ(summer("cest"), 120);
  EXPECT_EQ(summer("PST"), -480);
  EXPECT_EQ(summer("PST8PDT"), -420);
  EXPECT_EQ(summer("MSK"), 180);
  EXPECT_EQ(summer("+02"), -120);
  EXPECT_EQ(summer("Europe/Berlin"), 120);
  EXPECT_EQ(TimeZone::FindZoneOrAbbreviation("foo").status().error().message,
            "time zone \"foo\" not recognized");
}

}  // namespace
}  // namespace connbench::engine
