// Arithmetic of intervals, their order and their type modifiers.
#include "engine/executor/types/interval.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <cstring>
#include <limits>

#include "engine/executor/types/big_endian.h"
#include "engine/executor/types/calendar.h"
#include "engine/executor/types/time_zone.h"

namespace connbench::engine {
namespace {

constexpr int32_t kPrecisionMask = 0xFFFF;
constexpr int32_t kFullPrecision = 0xFFFF;
constexpr int32_t kMaxPrecision = 6;
constexpr int kFieldShift = 16;

struct IntervalFieldSet {
  int32_t fields;
  std::string_view name;
  int64_t unit_us;  // of the lowest field; 0: months are the lowest, 1: seconds are
};
constexpr std::array kIntervalFieldSets = {
    IntervalFieldSet{interval_field::kYear, " year", 0},
    IntervalFieldSet{interval_field::kMonth, " month", 0},
    IntervalFieldSet{interval_field::kDay, " day", kUsPerDay},
    IntervalFieldSet{interval_field::kHour, " hour", kUsPerHour},
    IntervalFieldSet{interval_field::kMinute, " minute", kUsPerMinute},
    IntervalFieldSet{interval_field::kSecond, " second", 1},
    IntervalFieldSet{interval_field::kYear | interval_field::kMonth, " year to month", 0},
    IntervalFieldSet{interval_field::kDay | interval_field::kHour, " day to hour", kUsPerHour},
    IntervalFieldSet{interval_field::kDay | interval_field::kHour | interval_field::kMinute,
                     " day to minute", kUsPerMinute},
    IntervalFieldSet{interval_field::kDay | interval_field::kHour | interval_field::kMinute |
                         interval_field::kSecond,
                     " day to second", 1},
    IntervalFieldSet{interval_field::kHour | interval_field::kMinute, " hour to minute",
                     kUsPerMinute},
    IntervalFieldSet{interval_field::kHour | interval_field::kMinute | interval_field::kSecond,
                     " hour to second", 1},
    IntervalFieldSet{interval_field::kMinute | interval_field::kSecond, " minute to second", 1},
    IntervalFieldSet{interval_field::kAll, "", 1},
};

const IntervalFieldSet* FindIntervalFieldSet(int32_t fields) {
  const auto* at =
      std::find_if(kIntervalFieldSets.begin(), kIntervalFieldSets.end(),
                   [fields](const IntervalFieldSet& row) { return row.fields == fields; });
  return at != kIntervalFieldSets.end() ? at : nullptr;
}

// What floating point makes of a whole number is that number again.
double RoundToMicros(double seconds) { return std::rint(seconds * 1e6) / 1e6; }

// False: no number, or out of range.
template <typename T>
bool Narrow(double value, T& out) {
  // -2^n is exact in double, 2^n - 1 may not be.
  constexpr auto kLow = static_cast<double>(std::numeric_limits<T>::min());
  if (!(value >= kLow && value < -kLow)) return false;
  out = static_cast<T>(value);
  return true;
}

// Each field scaled by itself; scale(x) is x * factor or x / divisor.
template <typename Scale>
Status ScaleInterval(const Interval& interval, Scale&& scale, Interval& out) {
  const double months = scale(static_cast<double>(interval.months));
  const double days = scale(static_cast<double>(interval.days));
  Interval scaled;
  if (!Narrow(months, scaled.months) || !Narrow(days, scaled.days)) return IntervalOutOfRange();
  const double month_days = RoundToMicros((months - scaled.months) * kDaysPerMonth);
  const auto whole_month_days = static_cast<int32_t>(month_days);
  double seconds = RoundToMicros((days - scaled.days + month_days - whole_month_days) *
                                 static_cast<double>(kSecondsPerDay));
  int64_t day_sum = int64_t{scaled.days} + whole_month_days;
  if (std::abs(seconds) >= static_cast<double>(kSecondsPerDay)) {
    const auto carried = static_cast<int32_t>(seconds / static_cast<double>(kSecondsPerDay));
    day_sum += carried;
    seconds -= static_cast<double>(carried * kSecondsPerDay);
  }
  if (day_sum < INT32_MIN || day_sum > INT32_MAX) return IntervalOutOfRange();
  scaled.days = static_cast<int32_t>(day_sum);
  const double microseconds = std::rint(scale(static_cast<double>(interval.microseconds)) +
                                        seconds * static_cast<double>(kUsPerSecond));
  if (!Narrow(microseconds, scaled.microseconds)) return IntervalOutOfRange();
  out = scaled;
  return {};
}

// Moves whole days from the microseconds to the days, whatever their signs.
Status CarryDays(Interval& interval) {
  const int64_t days = interval.microseconds / kUsPerDay;
  interval.microseconds -= days * kUsPerDay;
  const int64_t sum = interval.days + days;
  if (sum < INT32_MIN || sum > INT32_MAX) return IntervalOutOfRange();
  interval.days = static_cast<int32_t>(sum);
  return {};
}
Status CarryMonths(Interval& interval) {
  const int32_t months = interval.days / kDaysPerMonth;
  interval.days -= months * kDaysPerMonth;
  return __builtin_add_overflow(interval.months, months, &interval.months) ? IntervalOutOfRange()
                                                                           : Status();
}
void AlignHours(Interval& interval) {
  if (interval.days > 0 && interval.microseconds < 0) {
    interval.microseconds += kUsPerDay;
    --interval.days;
  } else if (interval.days < 0 && interval.microseconds > 0) {
    interval.microseconds -= kUsPerDay;
    ++interval.days;
  }
}

Status TimestampOutOfRange() {
  return Status::Error(sqlstate::kDatetimeFieldOverflow, "timestamp out of range");
}

// The same time of the day on another day of the calendar, which shift(CalendarTime&) sets.
template <typename Shift>
Status ShiftCalendar(const TimeZone* zone, int64_t& timestamp, Shift&& shift) {
  const int64_t offset_s = zone != nullptr ? zone->OffsetAt(timestamp) : 0;
  CalendarTime time = ToCalendar(timestamp + offset_s * kUsPerSecond);
  shift(time);
  int64_t local = 0;
  // No zone is a day away from Greenwich.
  const bool far_out = !FromCalendar(time, local) || local < kMinTimestamp - kUsPerDay ||
                       local >= kEndTimestamp + kUsPerDay;
  if (far_out) return TimestampOutOfRange();
  if (zone != nullptr) local -= int64_t{zone->OffsetForLocal(local)} * kUsPerSecond;
  if (!InTimestampRange(local)) return TimestampOutOfRange();
  timestamp = local;
  return {};
}

}  // namespace

Interval ToInterval(const Value& value) {
  Interval interval;
  std::memcpy(&interval, value.bytes, std::min<size_t>(value.length, kIntervalBytes));
  return interval;
}

Status StoreInterval(const Interval& interval, Arena& arena, Value& out) {
  char* bytes = arena.AllocateBytes(kIntervalBytes);
  if (bytes == nullptr) return arena.OutOfMemory();
  std::memcpy(bytes, &interval, kIntervalBytes);
  out = Value::Text({bytes, kIntervalBytes});
  return {};
}

namespace {
// Its own inverse.
Interval SwapBytes(Interval interval) {
  interval.microseconds = SwappedToBigEndian(interval.microseconds);
  interval.days = SwappedToBigEndian(interval.days);
  interval.months = SwappedToBigEndian(interval.months);
  return interval;
}
}  // namespace

Status ReceiveInterval(std::string_view bytes, Arena& arena, Value& out) {
  return StoreInterval(SwapBytes(ToInterval(Value::Text(bytes))), arena, out);
}

Status SendInterval(Interval interval, Arena& arena, std::string_view& out) {
  Value swapped;
  CONNBENCH_RETURN_IF_ERROR(StoreInterval(SwapBytes(interval), arena, swapped));
  out = swapped.text();
  return {};
}

Status IntervalOutOfRange() {
  return Status::Error(sqlstate::kDatetimeFieldOverflow, "interval out of range");
}

__int128 IntervalSpan(const Interval& interval) {
  const int64_t days = int64_t{interval.months} * kDaysPerMonth + interval.days;
  return static_cast<__int128>(days) * kUsPerDay + interval.microseconds;
}

Status AddIntervals(const Interval& a, const Interval& b, Interval& out) {
  Interval sum;
  const bool overflow = __builtin_add_overflow(a.months, b.months, &sum.months) ||
                        __builtin_add_overflow(a.days, b.days, &sum.days) ||
                        __builtin_add_overflow(a.microseconds, b.microseconds, &sum.microseconds);
  if (overflow) return IntervalOutOfRange();
  out = sum;
  return {};
}

Status SubtractIntervals(const Interval& a, const Interval& b, Interval& out) {
  Interval rest;
  const bool overflow = __builtin_sub_overflow(a.months, b.months, &rest.months) ||
                        __builtin_sub_overflow(a.days, b.days, &rest.days) ||
                        __builtin_sub_overflow(a.microseconds, b.microseconds, &rest.microseconds);
  if (overflow) return IntervalOutOfRange();
  out = rest;
  return {};
}

Status MultiplyInterval(const Interval& interval, double factor, Interval& out) {
  return ScaleInterval(
      interval, [factor](double value) { return value * factor; }, out);
}

Status DivideInterval(const Interval& interval, double divisor, Interval& out) {
  if (divisor == 0) return Status::Error(sqlstate::kDivisionByZero, "division by zero");
  return ScaleInterval(
      interval, [divisor](double value) { return value / divisor; }, out);
}

Status JustifyHours(Interval& interval) {
  CONNBENCH_RETURN_IF_ERROR(CarryDays(interval));
  AlignHours(interval);
  return {};
}

Status JustifyDays(Interval& interval) {
  CONNBENCH_RETURN_IF_ERROR(CarryMonths(interval));
  if (interval.months > 0 && interval.days < 0) {
    interval.days += kDaysPerMonth;
    --interval.months;
  } else if (interval.months < 0 && interval.days > 0) {
    interval.days -= kDaysPerMonth;
    ++interval.months;
  }
  return {};
}

Status JustifyBoth(Interval& interval) {
  // Days of the same sign as the time could overflow when whole days come to them.
  if ((interval.days > 0 && interval.microseconds > 0) ||
      (interval.days < 0 && interval.microseconds < 0)) {
    CONNBENCH_RETURN_IF_ERROR(CarryMonths(interval));
  }
  CONNBENCH_RETURN_IF_ERROR(CarryDays(interval));
  CONNBENCH_RETURN_IF_ERROR(CarryMonths(interval));
  const bool rest_is_negative =
      interval.days < 0 || (interval.days == 0 && interval.microseconds < 0);
  const bool rest_is_positive =
      interval.days > 0 || (interval.days == 0 && interval.microseconds > 0);
  if (interval.months > 0 && rest_is_negative) {
    interval.days += kDaysPerMonth;
    --interval.months;
  } else if (interval.months < 0 && rest_is_positive) {
    interval.days -= kDaysPerMonth;
    ++interval.months;
  }
  AlignHours(interval);
  return {};
}

Status AddToTimestamp(int64_t timestamp, const Interval& interval, int sign, const TimeZone* zone,
                      int64_t& out) {
  out = timestamp;
  if (!IsFinite(timestamp)) return {};
  if (interval.months != 0) {
    CONNBENCH_RETURN_IF_ERROR(ShiftCalendar(zone, out, [&](CalendarTime& time) {
      const int64_t months =
          time.year * kMonthsPerYear + (time.month - 1) + int64_t{interval.months} * sign;
      time.year = FloorDivide(months, kMonthsPerYear);
      time.month = static_cast<int>(months - time.year * kMonthsPerYear) + 1;
      time.day = std::min(time.day, DaysInMonth(time.year, time.month));
    }));
  }
  if (interval.days != 0) {
    CONNBENCH_RETURN_IF_ERROR(ShiftCalendar(zone, out, [&](CalendarTime& time) {
      const int64_t day =
          DaysSince2000(time.year, time.month, time.day) + int64_t{interval.days} * sign;
      const CalendarTime moved = FromDays(day);
      time.year = moved.year;
      time.month = moved.month;
      time.day = moved.day;
    }));
  }
  const __int128 sum = out + static_cast<__int128>(interval.microseconds) * sign;
  if (sum < kMinTimestamp || sum >= kEndTimestamp) return TimestampOutOfRange();
  out = static_cast<int64_t>(sum);
  return {};
}

// ---- type modifiers ----

Result<int32_t> MakeIntervalModifier(std::span<const int32_t> numbers) {
  if (numbers.empty()) return -1;
  const auto bad = [](std::string message) {
    return Status::Error(sqlstate::kInvalidParameterValue, std::move(message));
  };
  if (FindIntervalFieldSet(numbers[0]) == nullptr || numbers.size() > 2) {
    return bad("invalid INTERVAL type modifier");
  }
  int32_t precision = kFullPrecision;
  if (numbers.size() == 2) {
    if (numbers[1] < 0) {
      return bad(fmt::format("INTERVAL({}) precision must not be negative", numbers[1]));
    }
    precision = std::min(numbers[1], kMaxPrecision);
  } else if (numbers[0] == interval_field::kAll) {
    return -1;
  }
  return numbers[0] << kFieldShift | precision;
}

int32_t IntervalFields(int32_t modifier) {
  return modifier < 0 ? interval_field::kAll : modifier >> kFieldShift & interval_field::kAll;
}

std::string FormatIntervalType(int32_t modifier) {
  std::string name = "interval";
  if (modifier < 0) return name;
  if (const IntervalFieldSet* fields = FindIntervalFieldSet(IntervalFields(modifier)))
    name += fields->name;
  const int32_t precision = modifier & kPrecisionMask;
  return precision == kFullPrecision ? name : fmt::format("{}({})", name, precision);
}

Status ApplyIntervalModifier(int32_t modifier, Interval& interval) {
  if (modifier < 0) return {};
  const int32_t fields = IntervalFields(modifier);
  const IntervalFieldSet* const set = FindIntervalFieldSet(fields);
  if (set == nullptr) {
    return Status::Error(sqlstate::kInvalidParameterValue, "invalid INTERVAL type modifier");
  }
  if (set->unit_us == 0) {
    if (fields == interval_field::kYear) {
      interval.months = interval.months / kMonthsPerYear * kMonthsPerYear;
    }
    interval.days = 0;
    interval.microseconds = 0;
  } else {
    interval.microseconds =
        set->unit_us == kUsPerDay ? 0 : interval.microseconds / set->unit_us * set->unit_us;
  }
  const int32_t precision = modifier & kPrecisionMask;
  if (precision >= kMaxPrecision) return {};
  int64_t unit = 1;
  for (int32_t digit = precision; digit < kMaxPrecision; ++digit) unit *= 10;
  const int64_t half = interval.microseconds >= 0 ? unit / 2 : -unit / 2;
  if (__builtin_add_overflow(interval.microseconds, half, &interval.microseconds)) {
    return IntervalOutOfRange();
  }
  interval.microseconds = interval.microseconds / unit * unit;
  return {};
}

}  // namespace connbench::engine
