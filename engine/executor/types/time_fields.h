// The fields of dates and timestamps that extract(), date_part() and date_trunc() know.
//
// Safety: pure functions and constant data; any thread. Errors: PostgreSQL's.
#pragma once

#include <cstdint>
#include <string_view>

#include "base/status.h"
#include "engine/executor/types/calendar.h"

namespace connbench::engine {

enum class TimeField : uint8_t {
  kMicroseconds,
  kMilliseconds,
  kSecond,
  kMinute,
  kHour,
  kDay,
  kWeek,
  kMonth,
  kQuarter,
  kYear,
  kDecade,
  kCentury,
  kMillennium,
  kDayOfWeek,
  kIsoDayOfWeek,
  kDayOfYear,
  kIsoYear,
  kJulian,
  kEpoch,
  kTimezone,
  kTimezoneHour,
  kTimezoneMinute,
  kUnknown,
};

// In any case of letters; kUnknown: there is none of this name. Units are what date_trunc() knows.
TimeField FindTimeUnit(std::string_view name);
TimeField FindTimeField(std::string_view name);

// known: PostgreSQL knows the unit, and not of this type: 0A000, else 22023.
Status TimeUnitError(std::string_view unit, bool known, std::string_view type_name);

// A field's value as value / 10^scale.
struct FieldValue {
  __int128 value = 0;
  int scale = 0;
};

// What the calendar and the clock say; false for kEpoch, kJulian, the zone's fields and kUnknown.
bool CalendarField(TimeField field, const CalendarTime& time, int64_t days_since_2000,
                   FieldValue& out);
// Whether the field says which time of the day it is.
bool IsTimeOfDay(TimeField field);
// Of infinite dates and timestamps, fields that grow with time are infinite, the others null.
bool GrowsWithTime(TimeField field);

}  // namespace connbench::engine
