// Timestamps as calendars read them: the proleptic Gregorian calendar, microseconds since
// 2000-01-01 00:00.
//
// Safety: pure functions; any thread.
#pragma once

#include <cstdint>

namespace connbench::engine {

inline constexpr int64_t kUsPerSecond = 1'000'000;
// From the Unix epoch to 2000-01-01, where SQL's timestamps begin.
inline constexpr int64_t kUnixEpochShiftUs = int64_t{946684800} * kUsPerSecond;
inline constexpr int64_t kUsPerMinute = 60 * kUsPerSecond;
inline constexpr int64_t kUsPerHour = 60 * kUsPerMinute;
inline constexpr int64_t kUsPerDay = 24 * kUsPerHour;
inline constexpr int64_t kSecondsPerDay = 86400;
inline constexpr int64_t kUnixDaysTo2000 = 10957;

inline constexpr int64_t kTimestampMinusInfinity = INT64_MIN;
inline constexpr int64_t kTimestampInfinity = INT64_MAX;
// PostgreSQL's range: from 4714-11-24 BC to the end of 294276, the end excluded.
inline constexpr int64_t kMinTimestamp = -211813488000000000;
inline constexpr int64_t kEndTimestamp = 9223371331200000000;

// Dates count days since 2000-01-01.
inline constexpr int64_t kDateMinusInfinity = INT32_MIN;
inline constexpr int64_t kDateInfinity = INT32_MAX;
// PostgreSQL's range: from 4714-11-24 BC to 5874897-12-31, the end excluded.
inline constexpr int64_t kMinDate = -2451545;
inline constexpr int64_t kEndDate = 2145031949;
// Julian days count from there.
inline constexpr int64_t kJulianDayOf2000 = 2451545;

inline bool IsFiniteDate(int64_t date) {
  return date != kDateInfinity && date != kDateMinusInfinity;
}
inline bool InDateRange(int64_t date) { return date >= kMinDate && date < kEndDate; }

inline bool IsFinite(int64_t timestamp) {
  return timestamp != kTimestampInfinity && timestamp != kTimestampMinusInfinity;
}
inline bool InTimestampRange(int64_t timestamp) {
  return timestamp >= kMinTimestamp && timestamp < kEndTimestamp;
}

struct CalendarTime {
  int64_t year = 2000;  // 0 is 1 BC
  int month = 1;
  int day = 1;
  int hour = 0;
  int minute = 0;
  int second = 0;
  int microsecond = 0;
};

// Rounds towards minus infinity.
inline int64_t FloorDivide(int64_t a, int64_t b) {
  const int64_t quotient = a / b;
  return a % b != 0 && (a % b < 0) != (b < 0) ? quotient - 1 : quotient;
}

bool IsLeapYear(int64_t year);
int DaysInMonth(int64_t year, int month);
int64_t DaysSince2000(int64_t year, int month, int day);
CalendarTime FromDays(int64_t days_since_2000);  // midnight
int DayOfWeek(int64_t days_since_2000);          // 0: Sunday
int DayOfYear(const CalendarTime& time);         // 1: January 1st
// ISO 8601 week and the year it belongs to.
int IsoWeek(const CalendarTime& time, int64_t& iso_year);

// Microseconds since midnight.
inline int64_t TimeOfDay(const CalendarTime& time) {
  return ((int64_t{time.hour} * 60 + time.minute) * 60 + time.second) * kUsPerSecond +
         time.microsecond;
}
// The type time: up to 24:00:00.
inline bool InTimeRange(int64_t time_us) { return time_us >= 0 && time_us <= kUsPerDay; }

// timestamp is finite.
CalendarTime ToCalendar(int64_t timestamp);
// The fields may exceed their ranges by carrying (24:00, second 60). False: out of int64's range.
bool FromCalendar(const CalendarTime& time, int64_t& timestamp);

}  // namespace connbench::engine
