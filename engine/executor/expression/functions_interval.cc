// Intervals: arithmetic, fields, what they do to timestamps and dates.
#include <algorithm>
#include <array>
#include <cmath>
#include <string>
#include <utility>

#include "engine/executor/expression/casts.h"
#include "engine/executor/expression/functions.h"
#include "engine/executor/types/calendar.h"
#include "engine/executor/types/interval.h"
#include "engine/executor/types/numeric.h"
#include "engine/executor/types/time_fields.h"

namespace connbench::engine {
namespace {

namespace oid = type_oid;

bool StoreComputed(EvalContext& context, Status computed, const Interval& interval, Value& out) {
  return context.Check(std::move(computed)) &&
         context.Check(StoreInterval(interval, *context.arena, out));
}

// ---- arithmetic ----

bool AddTwo(EvalContext& context, const Value* a, uint32_t, Value& out) {
  Interval sum;
  return StoreComputed(context, AddIntervals(ToInterval(a[0]), ToInterval(a[1]), sum), sum, out);
}
bool SubtractTwo(EvalContext& context, const Value* a, uint32_t, Value& out) {
  Interval rest;
  return StoreComputed(context, SubtractIntervals(ToInterval(a[0]), ToInterval(a[1]), rest), rest,
                       out);
}
bool NegateInterval(EvalContext& context, const Value* a, uint32_t, Value& out) {
  Interval negated;
  return StoreComputed(context, SubtractIntervals({}, ToInterval(a[0]), negated), negated, out);
}
template <int kFactor>
bool Multiply(EvalContext& context, const Value* a, uint32_t, Value& out) {
  Interval product;
  return StoreComputed(context,
                       MultiplyInterval(ToInterval(a[1 - kFactor]), a[kFactor].real, product),
                       product, out);
}
bool Divide(EvalContext& context, const Value* a, uint32_t, Value& out) {
  Interval quotient;
  return StoreComputed(context, DivideInterval(ToInterval(a[0]), a[1].real, quotient), quotient,
                       out);
}

template <Status (*kJustify)(Interval&)>
bool Justify(EvalContext& context, const Value* a, uint32_t, Value& out) {
  Interval interval = ToInterval(a[0]);
  Status status = kJustify(interval);
  return StoreComputed(context, std::move(status), interval, out);
}

// Years, months, weeks, days, hours, minutes, seconds: those that are given.
bool MakeInterval(EvalContext& context, const Value* a, uint32_t count, Value& out) {
  std::array<int64_t, 6> parts{};
  for (uint32_t i = 0; i < std::min<uint32_t>(count, parts.size()); ++i) parts[i] = a[i].integer;
  const double seconds = count > parts.size() ? a[parts.size()].real : 0;
  const int64_t months = parts[0] * kMonthsPerYear + parts[1];
  const int64_t days = parts[2] * 7 + parts[3];
  const double fraction_us = std::rint(seconds * static_cast<double>(kUsPerSecond));
  const __int128 whole_us =
      static_cast<__int128>(parts[4]) * kUsPerHour + static_cast<__int128>(parts[5]) * kUsPerMinute;
  constexpr double kTooLarge = 0x1p63;
  const bool fits = months >= INT32_MIN && months <= INT32_MAX && days >= INT32_MIN &&
                    days <= INT32_MAX && std::abs(fraction_us) < kTooLarge;
  if (!fits) return context.Fail(IntervalOutOfRange());
  const __int128 sum_us = whole_us + static_cast<int64_t>(fraction_us);
  if (sum_us < INT64_MIN || sum_us > INT64_MAX) return context.Fail(IntervalOutOfRange());
  return StoreComputed(
      context, {},
      {static_cast<int64_t>(sum_us), static_cast<int32_t>(days), static_cast<int32_t>(months)},
      out);
}

bool AlwaysFinite(EvalContext&, const Value*, uint32_t, Value& out) {
  out = Value::Bool(true);
  return true;
}

// ---- fields ----

bool BadIntervalUnit(EvalContext& context, std::string_view unit, TimeField field) {
  return context.Fail(TimeUnitError(unit, field != TimeField::kUnknown, "interval"));
}

// False: not of an interval.
bool IntervalField(TimeField field, const Interval& interval, FieldValue& out) {
  const int64_t years = interval.months / kMonthsPerYear;
  const int64_t months = interval.months % kMonthsPerYear;
  const int64_t second_us = interval.microseconds % kUsPerMinute;
  switch (field) {
    case TimeField::kMicroseconds:
      out = {second_us, 0};
      return true;
    case TimeField::kMilliseconds:
      out = {second_us, 3};
      return true;
    case TimeField::kSecond:
      out = {second_us, 6};
      return true;
    case TimeField::kMinute:
      out = {interval.microseconds / kUsPerMinute % 60, 0};
      return true;
    case TimeField::kHour:
      out = {interval.microseconds / kUsPerHour, 0};
      return true;
    case TimeField::kDay:
      out = {interval.days, 0};
      return true;
    case TimeField::kMonth:
      out = {months, 0};
      return true;
    case TimeField::kQuarter:
      out = {months / 3 + 1, 0};
      return true;
    case TimeField::kYear:
      out = {years, 0};
      return true;
    case TimeField::kDecade:
      out = {years / 10, 0};
      return true;
    case TimeField::kCentury:
      out = {years / 100, 0};
      return true;
    case TimeField::kMillennium:
      out = {years / 1000, 0};
      return true;
    case TimeField::kEpoch: {
      // A year has 365.25 days here: quarters of days are whole.
      const int64_t quarter_days =
          years * (4 * 365 + 1) + (months * kDaysPerMonth + interval.days) * 4;
      out = {static_cast<__int128>(quarter_days) * (kUsPerDay / 4) + interval.microseconds, 6};
      return true;
    }
    default:
      return false;
  }
}

bool ExtractFromInterval(EvalContext& context, const Value* a, uint32_t, Value& out) {
  const TimeField field = FindTimeField(a[0].text());
  FieldValue value;
  if (!IntervalField(field, ToInterval(a[1]), value)) {
    return BadIntervalUnit(context, a[0].text(), field);
  }
  return context.Check(NumericFromScaled(value.value, value.scale, *context.arena, out));
}

// In floating point, as PostgreSQL adds the parts up.
bool PartOfInterval(EvalContext& context, const Value* a, uint32_t, Value& out) {
  const TimeField field = FindTimeField(a[0].text());
  const Interval interval = ToInterval(a[1]);
  FieldValue value;
  if (!IntervalField(field, interval, value)) {
    return BadIntervalUnit(context, a[0].text(), field);
  }
  const auto real = [](auto number) { return static_cast<double>(number); };
  const int64_t second_us = interval.microseconds % kUsPerMinute;
  switch (field) {
    case TimeField::kEpoch:
      out = Value::Real(real(interval.microseconds) / 1e6 +
                        real(kSecondsPerDay) * 365.25 * (interval.months / kMonthsPerYear) +
                        real(kSecondsPerDay * kDaysPerMonth) * (interval.months % kMonthsPerYear) +
                        real(kSecondsPerDay) * interval.days);
      return true;
    case TimeField::kSecond:
      out = Value::Real(real(second_us / kUsPerSecond) + real(second_us % kUsPerSecond) / 1e6);
      return true;
    case TimeField::kMilliseconds:
      out =
          Value::Real(real(second_us / kUsPerSecond) * 1e3 + real(second_us % kUsPerSecond) / 1e3);
      return true;
    default:
      out = Value::Real(real(value.value));
      return true;
  }
}

bool TruncateInterval(EvalContext& context, const Value* a, uint32_t, Value& out) {
  const TimeField field = FindTimeUnit(a[0].text());
  Interval interval = ToInterval(a[1]);
  int32_t unit_months = 0;  // 0: the unit is shorter than a month
  int64_t unit_us = 0;
  switch (field) {
    case TimeField::kMillennium:
      unit_months = 1000 * kMonthsPerYear;
      break;
    case TimeField::kCentury:
      unit_months = 100 * kMonthsPerYear;
      break;
    case TimeField::kDecade:
      unit_months = 10 * kMonthsPerYear;
      break;
    case TimeField::kYear:
      unit_months = kMonthsPerYear;
      break;
    case TimeField::kQuarter:
      unit_months = 3;
      break;
    case TimeField::kMonth:
      unit_months = 1;
      break;
    case TimeField::kDay:
      interval.microseconds = 0;
      break;
    case TimeField::kHour:
      unit_us = kUsPerHour;
      break;
    case TimeField::kMinute:
      unit_us = kUsPerMinute;
      break;
    case TimeField::kSecond:
      unit_us = kUsPerSecond;
      break;
    case TimeField::kMilliseconds:
      unit_us = 1000;
      break;
    case TimeField::kMicroseconds:
      break;
    case TimeField::kWeek: {
      Status error = TimeUnitError(a[0].text(), true, "interval");
      return context.Fail(std::move(error).WithDetail("Months usually have fractional weeks."));
    }
    default:
      return BadIntervalUnit(context, a[0].text(), field);
  }
  if (unit_months > 0) {
    interval = {0, 0, interval.months / unit_months * unit_months};
  } else if (unit_us > 0) {
    interval.microseconds = interval.microseconds / unit_us * unit_us;
  }
  return StoreComputed(context, {}, interval, out);
}

// ---- timestamps and dates ----

const TimeZone* ZoneOf(EvalContext& context, bool with_zone) {
  return with_zone ? &context.environment->time_zone() : nullptr;
}

template <int kSign, int kTimestamp, bool kWithZone>
bool ShiftByInterval(EvalContext& context, const Value* a, uint32_t, Value& out) {
  int64_t shifted = 0;
  if (!context.Check(AddToTimestamp(a[kTimestamp].integer, ToInterval(a[1 - kTimestamp]), kSign,
                                    ZoneOf(context, kWithZone), shifted))) {
    return false;
  }
  out = Value::Integer(shifted);
  return true;
}

// From the date's midnight.
template <int kSign, int kDate>
bool ShiftDateByInterval(EvalContext& context, const Value* a, uint32_t count, Value& out) {
  const CastPath cast = FindCast(oid::kDate, oid::kTimestamp, CoercionContext::kImplicit);
  Value arguments[2] = {a[0], a[1]};
  return cast.function->implementation(context, &a[kDate], 1, arguments[kDate]) &&
         ShiftByInterval<kSign, kDate, false>(context, arguments, count, out);
}

// Days and what is left of one.
bool BetweenTimestamps(EvalContext& context, const Value* a, uint32_t, Value& out) {
  if (!IsFinite(a[0].integer) || !IsFinite(a[1].integer)) {
    return context.Fail(
        Status::Error(sqlstate::kDatetimeFieldOverflow, "cannot subtract infinite timestamps"));
  }
  Interval between;
  if (__builtin_sub_overflow(a[0].integer, a[1].integer, &between.microseconds)) {
    return context.Fail(IntervalOutOfRange());
  }
  Status status = JustifyHours(between);
  return StoreComputed(context, std::move(status), between, out);
}

// Years, months and days of the calendar from one to the other.
bool CalendarBetween(EvalContext& context, int64_t to, int64_t from, const TimeZone* zone,
                     Value& out) {
  // What is infinite is read as the time that its number would be, unless there is none. A day less
  // leaves room for the zone.
  const auto local = [zone](int64_t timestamp) {
    const int64_t offset_s = zone != nullptr ? zone->OffsetAt(timestamp) : 0;
    const int64_t moved = IsFinite(timestamp) ? 0 : kUsPerDay;
    CalendarTime time = ToCalendar(timestamp - moved + offset_s * kUsPerSecond);
    if (moved == 0) return time;
    const CalendarTime next = FromDays(DaysSince2000(time.year, time.month, time.day) + 1);
    time.year = next.year;
    time.month = next.month;
    time.day = next.day;
    return time;
  };
  if (to < kMinTimestamp || from < kMinTimestamp) {
    return context.Fail(Status::Error(sqlstate::kDatetimeFieldOverflow, "timestamp out of range"));
  }
  const CalendarTime a = local(to);
  const CalendarTime b = local(from);
  const int sign = to < from ? -1 : 1;
  int64_t time_us = (TimeOfDay(a) - TimeOfDay(b)) * sign;
  int64_t days = int64_t{a.day - b.day} * sign;
  int64_t months = ((a.year - b.year) * kMonthsPerYear + (a.month - b.month)) * sign;
  if (time_us < 0) {
    time_us += kUsPerDay;
    --days;
  }
  // Missing days are those of the month that the earlier one is in.
  const CalendarTime& earlier = sign < 0 ? a : b;
  while (days < 0) {
    days += DaysInMonth(earlier.year, earlier.month);
    --months;
  }
  if (months > INT32_MAX || months < INT32_MIN) return context.Fail(IntervalOutOfRange());
  return StoreComputed(
      context, {},
      {time_us * sign, static_cast<int32_t>(days * sign), static_cast<int32_t>(months * sign)},
      out);
}

template <bool kWithZone>
bool Age(EvalContext& context, const Value* a, uint32_t, Value& out) {
  return CalendarBetween(context, a[0].integer, a[1].integer, ZoneOf(context, kWithZone), out);
}

// Up to the midnight that today began with.
template <bool kWithZone>
bool AgeOfToday(EvalContext& context, const Value* a, uint32_t, Value& out) {
  const TimeZone& zone = context.environment->time_zone();
  const int64_t now = context.environment->TransactionTimestamp();
  const int64_t local = now + int64_t{zone.OffsetAt(now)} * kUsPerSecond;
  int64_t midnight = FloorDivide(local, kUsPerDay) * kUsPerDay;
  if (kWithZone) midnight -= int64_t{zone.OffsetForLocal(midnight)} * kUsPerSecond;
  return CalendarBetween(context, midnight, a[0].integer, ZoneOf(context, kWithZone), out);
}

// AT TIME ZONE an interval, which counts east.
template <int kSign>
bool AtOffset(EvalContext& context, const Value* a, uint32_t, Value& out) {
  const Interval offset = ToInterval(a[0]);
  if (offset.months != 0 || offset.days != 0) {
    std::string_view text;
    if (!context.Check(FormatText(oid::kInterval, a[0], context.io(), text))) return false;
    return context.Fail(Status::Error(
        sqlstate::kInvalidParameterValue,
        "interval time zone \"" + std::string(text) + "\" must not include months or days"));
  }
  out = a[1];
  if (!IsFinite(out.integer)) return true;
  const Interval whole_seconds{offset.microseconds / kUsPerSecond * kUsPerSecond, 0, 0};
  int64_t shifted = 0;
  if (!context.Check(AddToTimestamp(a[1].integer, whole_seconds, kSign, nullptr, shifted))) {
    return false;
  }
  out = Value::Integer(shifted);
  return true;
}

constexpr FunctionDescription StableOperator(std::string_view name, Oid left, Oid right, Oid result,
                                             FunctionImplementation implementation) {
  FunctionDescription row = OperatorRow(name, {left, right}, result, implementation);
  row.volatility = Volatility::kStable;
  return row;
}

constexpr std::array kIntervalRows = {
    OperatorRow("-", {oid::kInterval}, oid::kInterval, NegateInterval),
    OperatorRow("+", {oid::kInterval, oid::kInterval}, oid::kInterval, AddTwo),
    OperatorRow("-", {oid::kInterval, oid::kInterval}, oid::kInterval, SubtractTwo),
    OperatorRow("*", {oid::kInterval, oid::kFloat8}, oid::kInterval, Multiply<1>),
    OperatorRow("*", {oid::kFloat8, oid::kInterval}, oid::kInterval, Multiply<0>),
    OperatorRow("/", {oid::kInterval, oid::kFloat8}, oid::kInterval, Divide),
    OperatorRow("+", {oid::kTimestamp, oid::kInterval}, oid::kTimestamp,
                ShiftByInterval<1, 0, false>),
    OperatorRow("+", {oid::kInterval, oid::kTimestamp}, oid::kTimestamp,
                ShiftByInterval<1, 1, false>),
    OperatorRow("-", {oid::kTimestamp, oid::kInterval}, oid::kTimestamp,
                ShiftByInterval<-1, 0, false>),
    StableOperator("+", oid::kTimestamptz, oid::kInterval, oid::kTimestamptz,
                   ShiftByInterval<1, 0, true>),
    StableOperator("+", oid::kInterval, oid::kTimestamptz, oid::kTimestamptz,
                   ShiftByInterval<1, 1, true>),
    StableOperator("-", oid::kTimestamptz, oid::kInterval, oid::kTimestamptz,
                   ShiftByInterval<-1, 0, true>),
    OperatorRow("+", {oid::kDate, oid::kInterval}, oid::kTimestamp, ShiftDateByInterval<1, 0>),
    OperatorRow("+", {oid::kInterval, oid::kDate}, oid::kTimestamp, ShiftDateByInterval<1, 1>),
    OperatorRow("-", {oid::kDate, oid::kInterval}, oid::kTimestamp, ShiftDateByInterval<-1, 0>),
    OperatorRow("-", {oid::kTimestamp, oid::kTimestamp}, oid::kInterval, BetweenTimestamps),
    OperatorRow("-", {oid::kTimestamptz, oid::kTimestamptz}, oid::kInterval, BetweenTimestamps),
    FunctionRow("age", {oid::kTimestamp, oid::kTimestamp}, oid::kInterval, Age<false>),
    FunctionRow("age", {oid::kTimestamptz, oid::kTimestamptz}, oid::kInterval, Age<true>, kStable),
    FunctionRow("age", {oid::kTimestamp}, oid::kInterval, AgeOfToday<false>, kStable),
    FunctionRow("age", {oid::kTimestamptz}, oid::kInterval, AgeOfToday<true>, kStable),
    FunctionRow("date_part", {oid::kText, oid::kInterval}, oid::kFloat8, PartOfInterval),
    FunctionRow("extract", {oid::kText, oid::kInterval}, oid::kNumeric, ExtractFromInterval),
    FunctionRow("date_trunc", {oid::kText, oid::kInterval}, oid::kInterval, TruncateInterval),
    FunctionRow("isfinite", {oid::kInterval}, oid::kBool, AlwaysFinite),
    FunctionRow("justify_days", {oid::kInterval}, oid::kInterval, Justify<JustifyDays>),
    FunctionRow("justify_hours", {oid::kInterval}, oid::kInterval, Justify<JustifyHours>),
    FunctionRow("justify_interval", {oid::kInterval}, oid::kInterval, Justify<JustifyBoth>),
    FunctionRow("timezone", {oid::kInterval, oid::kTimestamp}, oid::kTimestamptz, AtOffset<-1>),
    FunctionRow("timezone", {oid::kInterval, oid::kTimestamptz}, oid::kTimestamp, AtOffset<1>),
    FunctionRow("make_interval", {}, oid::kInterval, MakeInterval),
    FunctionRow("make_interval", {oid::kInt4}, oid::kInterval, MakeInterval),
    FunctionRow("make_interval", {oid::kInt4, oid::kInt4}, oid::kInterval, MakeInterval),
    FunctionRow("make_interval", {oid::kInt4, oid::kInt4, oid::kInt4}, oid::kInterval,
                MakeInterval),
    FunctionRow("make_interval", {oid::kInt4, oid::kInt4, oid::kInt4, oid::kInt4}, oid::kInterval,
                MakeInterval),
    FunctionRow("make_interval", {oid::kInt4, oid::kInt4, oid::kInt4, oid::kInt4, oid::kInt4},
                oid::kInterval, MakeInterval),
    FunctionRow("make_interval",
                {oid::kInt4, oid::kInt4, oid::kInt4, oid::kInt4, oid::kInt4, oid::kInt4},
                oid::kInterval, MakeInterval),
    FunctionRow(
        "make_interval",
        {oid::kInt4, oid::kInt4, oid::kInt4, oid::kInt4, oid::kInt4, oid::kInt4, oid::kFloat8},
        oid::kInterval, MakeInterval),
};

}  // namespace

std::span<const FunctionDescription> IntervalFunctions() { return kIntervalRows; }

}  // namespace connbench::engine
