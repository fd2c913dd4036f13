// The pictures of to_char(), to_date() and to_timestamp(): "YYYY-MM-DD HH24:MI:SS".
//
// A picture is read into nodes, each of which writes a field of a time or reads one. Names of
// months and days are English, as in the C locale.
//
// Safety: pure functions; any thread. Errors: PostgreSQL's; interrupts of the meter.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/status.h"
#include "engine/executor/interrupts.h"

namespace connbench::engine {

// In the order of the table in time_picture.cc.
enum class PictureField : uint8_t {
  kEra,           // A.D. AD B.C. BC
  kHalfDay,       // A.M. AM P.M. PM
  kCentury,       // CC
  kDayName,       // DAY
  kDayOfYear,     // DDD
  kDay,           // DD
  kShortDayName,  // DY
  kDayOfWeek,     // D
  kFraction,      // FF1 to FF6
  kExact,         // FX
  kHour24,
  kHour12,
  kIsoDayOfYear,   // IDDD
  kIsoDayOfWeek,   // ID
  kIsoWeek,        // IW
  kIsoYear,        // IYYY IYY IY I
  kJulian,         // J
  kMinute,         // MI
  kMonth,          // MM
  kMonthName,      // MONTH
  kShortMonth,     // MON
  kMilliseconds,   // MS
  kOffset,         // OF
  kQuarter,        // Q
  kRoman,          // RM
  kSecondOfDay,    // SSSS
  kSecond,         // SS
  kZoneHours,      // TZH
  kZoneMinutes,    // TZM
  kZone,           // TZ
  kMicroseconds,   // US
  kWeek,           // WW
  kWeekOfMonth,    // W
  kYearWithComma,  // Y,YYY
  kYear,           // YYYY YYY YY Y
};

enum class LetterCase : uint8_t { kUpper, kCapital, kLower };
// Which calendar a field belongs to: to_date() refuses both in one picture.
enum class PictureCalendar : uint8_t { kNone, kGregorian, kIsoWeek };

struct PictureKey {
  std::string_view name;
  PictureField field;
  bool starts_with_digit;  // the field's text, so that a number before it cannot grow
  PictureCalendar calendar;
  LetterCase letters;
};

struct PictureNode {
  enum class Kind : uint8_t { kField, kSeparator, kSpace, kCharacter };
  Kind kind = Kind::kCharacter;
  const PictureKey* key = nullptr;  // kField
  bool fill = false;                // FM: no padding
  bool localized = false;           // TM
  char ordinal = 0;                 // 'T': 1ST, 't': 1st
  std::string_view character;       // of the picture; all but kField
};

// What text is no keyword stands for itself.
Status ParseTimePicture(std::string_view picture, WorkMeter& meter,
                        std::vector<PictureNode>& nodes);
// A printable character of ASCII that is neither letter nor digit.
bool IsPictureSeparator(char c);

inline constexpr std::string_view kMonthNames[] = {"January",   "February", "March",    "April",
                                                   "May",       "June",     "July",     "August",
                                                   "September", "October",  "November", "December"};
inline constexpr std::string_view kDayNames[] = {"Sunday",   "Monday", "Tuesday", "Wednesday",
                                                 "Thursday", "Friday", "Saturday"};
// From December back.
inline constexpr std::string_view kRomanMonths[] = {"XII", "XI", "X",  "IX",  "VIII", "VII",
                                                    "VI",  "V",  "IV", "III", "II",   "I"};

// The fields of a time, or of an interval, that to_char() prints.
struct PictureTime {
  bool is_interval = false;
  int64_t year = 0;  // 0 is 1 BC
  int64_t month = 0;
  int64_t day = 0;
  int64_t hour = 0;
  int64_t minute = 0;
  int64_t second = 0;
  int64_t microsecond = 0;
  int64_t day_of_week = 0;  // 0: Sunday
  int64_t day_of_year = 0;
  int32_t offset_s = 0;   // east of Greenwich
  std::string_view zone;  // abbreviation; empty: none
};
// Appends the time in the picture's form to out.
Status WriteTimePicture(const std::vector<PictureNode>& nodes, const PictureTime& time,
                        WorkMeter& meter, std::string& out);

// What to_date() and to_timestamp() read.
struct PictureReading {
  int64_t year = 0;
  int64_t month = 1;
  int64_t day = 1;
  int64_t hour = 0;
  int64_t minute = 0;
  int64_t second = 0;
  int64_t microsecond = 0;
  bool has_zone = false;
  int32_t offset_s = 0;  // east of Greenwich
  int precision = -1;    // digits after the second, as FF3 says; -1: all
};
Status ReadTimePicture(const std::vector<PictureNode>& nodes, std::string_view text,
                       WorkMeter& meter, PictureReading& out);

// Julian days by PostgreSQL's formula, which takes months and days beyond their range, too.
int64_t JulianDay(int64_t year, int64_t month, int64_t day);
// Of the first day of an ISO 8601 week.
int64_t JulianDayOfIsoWeek(int64_t year, int64_t week);
int64_t IsoWeekOf(int64_t year, int64_t month, int64_t day);
int64_t IsoYearOf(int64_t year, int64_t month, int64_t day);
// Within the range that the formula is right for.
bool IsJulianDate(int64_t year, int64_t month);

}  // namespace connbench::engine
