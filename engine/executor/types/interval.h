// Intervals: months, days and microseconds, which stand beside each other, because months have
// different lengths and days may have 23 or 25 hours.
//
// A value's bytes: the fields of Interval in their order; host byte order, unaligned.
//
// Safety: pure functions on private memory; any thread.
// Errors: 22008 "interval out of range" where a field overflows; 53200 from the arena.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>

#include "base/status.h"
#include "engine/executor/arena.h"
#include "engine/executor/value.h"

namespace connbench::engine {

class TimeZone;

struct Interval {
  int64_t microseconds = 0;
  int32_t days = 0;
  int32_t months = 0;
};

inline constexpr size_t kIntervalBytes = 16;
static_assert(sizeof(Interval) == kIntervalBytes);
inline constexpr int32_t kMonthsPerYear = 12;
// What justify_days() and comparisons take a month for.
inline constexpr int32_t kDaysPerMonth = 30;

// The setting IntervalStyle. sql_standard also reads texts in another way.
enum class IntervalStyle : uint8_t { kPostgres, kPostgresVerbose, kSqlStandard, kIso8601 };

// value: of an interval, not null.
Interval ToInterval(const Value& value);
Status StoreInterval(const Interval& interval, Arena& arena, Value& out);
Status IntervalOutOfRange();
// The wire's binary form: the fields, big-endian. bytes: kIntervalBytes.
Status ReceiveInterval(std::string_view bytes, Arena& arena, Value& out);
Status SendInterval(Interval interval, Arena& arena, std::string_view& out);

// The length in microseconds with months of 30 days and days of 24 hours: what is compared.
__int128 IntervalSpan(const Interval& interval);

Status AddIntervals(const Interval& a, const Interval& b, Interval& out);
Status SubtractIntervals(const Interval& a, const Interval& b, Interval& out);
// Fractions of months go to days, those of days to microseconds.
Status MultiplyInterval(const Interval& interval, double factor, Interval& out);
Status DivideInterval(const Interval& interval, double divisor, Interval& out);  // 22012
// Whole days of microseconds, whole months of days, both; with one sign.
Status JustifyHours(Interval& interval);
Status JustifyDays(Interval& interval);
Status JustifyBoth(Interval& interval);

// timestamp + sign * interval, on the calendar of the zone; null: of none. What is infinite stays
// so. 22008 "timestamp out of range".
Status AddToTimestamp(int64_t timestamp, const Interval& interval, int sign, const TimeZone* zone,
                      int64_t& out);

// Type modifiers: which fields there are, as a mask, and digits after the second.
namespace interval_field {
inline constexpr int32_t kMonth = 1 << 1;
inline constexpr int32_t kYear = 1 << 2;
inline constexpr int32_t kDay = 1 << 3;
inline constexpr int32_t kHour = 1 << 10;
inline constexpr int32_t kMinute = 1 << 11;
inline constexpr int32_t kSecond = 1 << 12;
inline constexpr int32_t kAll = 0x7FFF;
}  // namespace interval_field
// From the numbers that the grammar gives: the mask, the precision. 22023.
Result<int32_t> MakeIntervalModifier(std::span<const int32_t> numbers);
int32_t IntervalFields(int32_t modifier);
// "interval day to second(3)"
std::string FormatIntervalType(int32_t modifier);
// Cuts off the fields below those of the modifier and rounds the seconds.
Status ApplyIntervalModifier(int32_t modifier, Interval& interval);

// PostgreSQL's texts: "1 year 2 mons", "1-2", "@ 1 day ago", "P1Y2M". fields: which ones there are,
// for a number without a unit. 22007, 22015.
Status ParseInterval(std::string_view text, int32_t fields, IntervalStyle style, Interval& out);
std::string FormatInterval(const Interval& interval, IntervalStyle style);

}  // namespace connbench::engine
