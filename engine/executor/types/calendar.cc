// Timestamps as calendars read them.
#include "engine/executor/types/calendar.h"

#include <array>
#include <cstddef>

namespace connbench::engine {

bool IsLeapYear(int64_t year) { return year % 4 == 0 && (year % 100 != 0 || year % 400 == 0); }

int DaysInMonth(int64_t year, int month) {
  static constexpr std::array kDays = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
  return month == 2 && IsLeapYear(year) ? 29 : kDays[static_cast<size_t>(month - 1)];
}

// Years begin in March here, so that the leap day is a year's last (Howard Hinnant,
// "chrono-Compatible Low-Level Date Algorithms").
int64_t DaysSince2000(int64_t year, int month, int day) {
  if (month <= 2) --year;
  const int64_t era = FloorDivide(year, 400);
  const int64_t year_of_era = year - era * 400;
  const int64_t day_of_year = (153 * (month + (month > 2 ? -3 : 9)) + 2) / 5 + day - 1;
  const int64_t day_of_era = year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year;
  constexpr int64_t kMarchOfYear0To2000 = 730425;
  return era * 146097 + day_of_era - kMarchOfYear0To2000;
}

CalendarTime FromDays(int64_t days_since_2000) {
  constexpr int64_t kMarchOfYear0To2000 = 730425;
  const int64_t days = days_since_2000 + kMarchOfYear0To2000;
  const int64_t era = FloorDivide(days, 146097);
  const int64_t day_of_era = days - era * 146097;
  const int64_t year_of_era =
      (day_of_era - day_of_era / 1460 + day_of_era / 36524 - day_of_era / 146096) / 365;
  const int64_t day_of_year =
      day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
  const int64_t shifted_month = (5 * day_of_year + 2) / 153;
  CalendarTime time;
  time.day = static_cast<int>(day_of_year - (153 * shifted_month + 2) / 5 + 1);
  time.month = static_cast<int>(shifted_month < 10 ? shifted_month + 3 : shifted_month - 9);
  time.year = year_of_era + era * 400 + (time.month <= 2 ? 1 : 0);
  return time;
}

int DayOfWeek(int64_t days_since_2000) {
  constexpr int kSaturday = 6;  // 2000-01-01
  const int64_t day = days_since_2000 + kSaturday;
  return static_cast<int>(day - FloorDivide(day, 7) * 7);
}

int DayOfYear(const CalendarTime& time) {
  return static_cast<int>(DaysSince2000(time.year, time.month, time.day) -
                          DaysSince2000(time.year, 1, 1)) +
         1;
}

int IsoWeek(const CalendarTime& time, int64_t& iso_year) {
  // A week belongs to the year that has its Thursday.
  const int64_t day = DaysSince2000(time.year, time.month, time.day);
  const int64_t weekday = (DayOfWeek(day) + 6) % 7;  // 0: Monday
  const int64_t thursday = day - weekday + 3;
  iso_year = FromDays(thursday).year;
  return static_cast<int>((thursday - DaysSince2000(iso_year, 1, 1)) / 7) + 1;
}

CalendarTime ToCalendar(int64_t timestamp) {
  const int64_t days = FloorDivide(timestamp, kUsPerDay);
  int64_t rest = timestamp - days * kUsPerDay;
  CalendarTime time = FromDays(days);
  time.hour = static_cast<int>(rest / kUsPerHour);
  rest %= kUsPerHour;
  time.minute = static_cast<int>(rest / kUsPerMinute);
  rest %= kUsPerMinute;
  time.second = static_cast<int>(rest / kUsPerSecond);
  time.microsecond = static_cast<int>(rest % kUsPerSecond);
  return time;
}

bool FromCalendar(const CalendarTime& time, int64_t& timestamp) {
  const __int128 sum =
      static_cast<__int128>(DaysSince2000(time.year, time.month, time.day)) * kUsPerDay +
      TimeOfDay(time);
  if (sum < INT64_MIN || sum > INT64_MAX) return false;
  timestamp = static_cast<int64_t>(sum);
  return true;
}

}  // namespace connbench::engine
