// Fields of dates and timestamps.
#include "engine/executor/types/time_fields.h"

#include <fmt/format.h>

#include <array>
#include <string>

#include "base/ascii.h"
#include "engine/executor/types/string_type.h"

namespace connbench::engine {
namespace {

struct FieldName {
  std::string_view name;
  TimeField field;
};
// PostgreSQL compares that many bytes: "microseconds" and "timezone_hour" are longer.
constexpr size_t kNameBytesCompared = 10;
constexpr std::array kUnits = {
    FieldName{"us", TimeField::kMicroseconds},
    FieldName{"usec", TimeField::kMicroseconds},
    FieldName{"usecs", TimeField::kMicroseconds},
    FieldName{"useconds", TimeField::kMicroseconds},
    FieldName{"microsecon", TimeField::kMicroseconds},
    FieldName{"ms", TimeField::kMilliseconds},
    FieldName{"msec", TimeField::kMilliseconds},
    FieldName{"msecs", TimeField::kMilliseconds},
    FieldName{"mseconds", TimeField::kMilliseconds},
    FieldName{"millisecon", TimeField::kMilliseconds},
    FieldName{"s", TimeField::kSecond},
    FieldName{"sec", TimeField::kSecond},
    FieldName{"secs", TimeField::kSecond},
    FieldName{"second", TimeField::kSecond},
    FieldName{"seconds", TimeField::kSecond},
    FieldName{"m", TimeField::kMinute},
    FieldName{"min", TimeField::kMinute},
    FieldName{"mins", TimeField::kMinute},
    FieldName{"minute", TimeField::kMinute},
    FieldName{"minutes", TimeField::kMinute},
    FieldName{"h", TimeField::kHour},
    FieldName{"hr", TimeField::kHour},
    FieldName{"hrs", TimeField::kHour},
    FieldName{"hour", TimeField::kHour},
    FieldName{"hours", TimeField::kHour},
    FieldName{"d", TimeField::kDay},
    FieldName{"day", TimeField::kDay},
    FieldName{"days", TimeField::kDay},
    FieldName{"w", TimeField::kWeek},
    FieldName{"week", TimeField::kWeek},
    FieldName{"weeks", TimeField::kWeek},
    FieldName{"mon", TimeField::kMonth},
    FieldName{"mons", TimeField::kMonth},
    FieldName{"month", TimeField::kMonth},
    FieldName{"months", TimeField::kMonth},
    FieldName{"qtr", TimeField::kQuarter},
    FieldName{"quarter", TimeField::kQuarter},
    FieldName{"y", TimeField::kYear},
    FieldName{"yr", TimeField::kYear},
    FieldName{"yrs", TimeField::kYear},
    FieldName{"year", TimeField::kYear},
    FieldName{"years", TimeField::kYear},
    FieldName{"dec", TimeField::kDecade},
    FieldName{"decs", TimeField::kDecade},
    FieldName{"decade", TimeField::kDecade},
    FieldName{"decades", TimeField::kDecade},
    FieldName{"c", TimeField::kCentury},
    FieldName{"cent", TimeField::kCentury},
    FieldName{"century", TimeField::kCentury},
    FieldName{"centuries", TimeField::kCentury},
    FieldName{"mil", TimeField::kMillennium},
    FieldName{"mils", TimeField::kMillennium},
    FieldName{"millennia", TimeField::kMillennium},
    FieldName{"millennium", TimeField::kMillennium},
    FieldName{"timezone", TimeField::kTimezone},
    FieldName{"timezone_h", TimeField::kTimezoneHour},
    FieldName{"timezone_m", TimeField::kTimezoneMinute},
};
// No units of date_trunc().
constexpr std::array kOtherFields = {
    FieldName{"mm", TimeField::kMinute},           FieldName{"dow", TimeField::kDayOfWeek},
    FieldName{"isodow", TimeField::kIsoDayOfWeek}, FieldName{"doy", TimeField::kDayOfYear},
    FieldName{"isoyear", TimeField::kIsoYear},     FieldName{"j", TimeField::kJulian},
    FieldName{"jd", TimeField::kJulian},           FieldName{"julian", TimeField::kJulian},
    FieldName{"epoch", TimeField::kEpoch},
};

template <size_t kCount>
TimeField FindIn(const std::array<FieldName, kCount>& names, std::string_view name) {
  for (const FieldName& row : names) {
    if (EqualIgnoringCase(row.name, name.substr(0, kNameBytesCompared))) return row.field;
  }
  return TimeField::kUnknown;
}

// Centuries and millennia begin with year 1, and there is no year 0.
int64_t Period(int64_t year, int64_t length) {
  return year > 0 ? (year + length - 1) / length : -((length - 1 - (year - 1)) / length);
}

}  // namespace

TimeField FindTimeUnit(std::string_view name) { return FindIn(kUnits, name); }

TimeField FindTimeField(std::string_view name) {
  const TimeField unit = FindTimeUnit(name);
  return unit != TimeField::kUnknown ? unit : FindIn(kOtherFields, name);
}

Status TimeUnitError(std::string_view unit, bool known, std::string_view type_name) {
  const std::string lower = AsciiLower(Excerpt(unit));
  if (known) {
    return Status::Error(sqlstate::kFeatureNotSupported,
                         fmt::format("unit \"{}\" not supported for type {}", lower, type_name));
  }
  return Status::Error(sqlstate::kInvalidParameterValue,
                       fmt::format("unit \"{}\" not recognized for type {}", lower, type_name));
}

bool CalendarField(TimeField field, const CalendarTime& time, int64_t days_since_2000,
                   FieldValue& out) {
  const int64_t displayed_year = time.year > 0 ? time.year : time.year - 1;
  const int day_of_week = DayOfWeek(days_since_2000);
  int64_t iso_year = 0;
  const int64_t seconds_us = int64_t{time.second} * kUsPerSecond + time.microsecond;
  switch (field) {
    case TimeField::kMicroseconds:
      out = {seconds_us, 0};
      return true;
    case TimeField::kMilliseconds:
      out = {seconds_us, 3};
      return true;
    case TimeField::kSecond:
      out = {seconds_us, 6};
      return true;
    case TimeField::kMinute:
      out = {time.minute, 0};
      return true;
    case TimeField::kHour:
      out = {time.hour, 0};
      return true;
    case TimeField::kDay:
      out = {time.day, 0};
      return true;
    case TimeField::kWeek:
      out = {IsoWeek(time, iso_year), 0};
      return true;
    case TimeField::kMonth:
      out = {time.month, 0};
      return true;
    case TimeField::kQuarter:
      out = {(time.month - 1) / 3 + 1, 0};
      return true;
    case TimeField::kYear:
      out = {displayed_year, 0};
      return true;
    case TimeField::kDecade:
      out = {FloorDivide(time.year, 10), 0};
      return true;
    case TimeField::kCentury:
      out = {Period(time.year, 100), 0};
      return true;
    case TimeField::kMillennium:
      out = {Period(time.year, 1000), 0};
      return true;
    case TimeField::kDayOfWeek:
      out = {day_of_week, 0};
      return true;
    case TimeField::kIsoDayOfWeek:
      out = {day_of_week == 0 ? 7 : day_of_week, 0};
      return true;
    case TimeField::kDayOfYear:
      out = {DayOfYear(time), 0};
      return true;
    case TimeField::kIsoYear:
      IsoWeek(time, iso_year);
      out = {iso_year > 0 ? iso_year : iso_year - 1, 0};
      return true;
    default:
      return false;
  }
}

bool IsTimeOfDay(TimeField field) {
  switch (field) {
    case TimeField::kMicroseconds:
    case TimeField::kMilliseconds:
    case TimeField::kSecond:
    case TimeField::kMinute:
    case TimeField::kHour:
      return true;
    default:
      return false;
  }
}

bool GrowsWithTime(TimeField field) {
  switch (field) {
    case TimeField::kYear:
    case TimeField::kDecade:
    case TimeField::kCentury:
    case TimeField::kMillennium:
    case TimeField::kIsoYear:
    case TimeField::kJulian:
    case TimeField::kEpoch:
      return true;
    default:
      return false;
  }
}

}  // namespace connbench::engine
