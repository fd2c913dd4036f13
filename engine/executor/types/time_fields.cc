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
constexpr std::array kFieldNames = {
    FieldName{"microseconds", TimeField::kMicroseconds},
    FieldName{"microsecond", TimeField::kMicroseconds},
    FieldName{"us", TimeField::kMicroseconds},
    FieldName{"milliseconds", TimeField::kMilliseconds},
    FieldName{"millisecond", TimeField::kMilliseconds},
    FieldName{"ms", TimeField::kMilliseconds},
    FieldName{"second", TimeField::kSecond},
    FieldName{"seconds", TimeField::kSecond},
    FieldName{"sec", TimeField::kSecond},
    FieldName{"s", TimeField::kSecond},
    FieldName{"minute", TimeField::kMinute},
    FieldName{"minutes", TimeField::kMinute},
    FieldName{"min", TimeField::kMinute},
    FieldName{"m", TimeField::kMinute},
    FieldName{"hour", TimeField::kHour},
    FieldName{"hours", TimeField::kHour},
    FieldName{"h", TimeField::kHour},
    FieldName{"day", TimeField::kDay},
    FieldName{"days", TimeField::kDay},
    FieldName{"d", TimeField::kDay},
    FieldName{"week", TimeField::kWeek},
    FieldName{"weeks", TimeField::kWeek},
    FieldName{"month", TimeField::kMonth},
    FieldName{"months", TimeField::kMonth},
    FieldName{"mon", TimeField::kMonth},
    FieldName{"quarter", TimeField::kQuarter},
    FieldName{"year", TimeField::kYear},
    FieldName{"years", TimeField::kYear},
    FieldName{"y", TimeField::kYear},
    FieldName{"decade", TimeField::kDecade},
    FieldName{"decades", TimeField::kDecade},
    FieldName{"century", TimeField::kCentury},
    FieldName{"centuries", TimeField::kCentury},
    FieldName{"millennium", TimeField::kMillennium},
    FieldName{"millennia", TimeField::kMillennium},
    FieldName{"dow", TimeField::kDayOfWeek},
    FieldName{"isodow", TimeField::kIsoDayOfWeek},
    FieldName{"doy", TimeField::kDayOfYear},
    FieldName{"isoyear", TimeField::kIsoYear},
    FieldName{"julian", TimeField::kJulian},
    FieldName{"epoch", TimeField::kEpoch},
    FieldName{"timezone", TimeField::kTimezone},
    FieldName{"timezone_hour", TimeField::kTimezoneHour},
    FieldName{"timezone_minute", TimeField::kTimezoneMinute},
};

// The longest name and more.
constexpr size_t kMaxFieldNameBytes = 32;

// Centuries and millennia begin with year 1, and there is no year 0.
int64_t Period(int64_t year, int64_t length) {
  return year > 0 ? (year + length - 1) / length : -((length - 1 - (year - 1)) / length);
}

}  // namespace

TimeField FindTimeField(std::string_view name) {
  if (name.size() > kMaxFieldNameBytes) return TimeField::kUnknown;
  const std::string lower = AsciiLower(name);
  for (const FieldName& field : kFieldNames) {
    if (field.name == lower) return field.field;
  }
  return TimeField::kUnknown;
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
