// Clocks, fields of timestamps, zones.
#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <string>

#include "base/ascii.h"
#include "base/clock.h"
#include "engine/executor/expression/casts.h"
#include "engine/executor/expression/functions.h"
#include "engine/executor/types/calendar.h"
#include "engine/executor/types/numeric.h"
#include "engine/executor/types/scalar_io.h"
#include "engine/executor/types/string_type.h"
#include "engine/executor/types/time_fields.h"

namespace connbench::engine {
namespace {

namespace oid = type_oid;

bool StoreTimestamp(EvalContext& context, int64_t timestamp, Value& out) {
  if (IsFinite(timestamp) && !InTimestampRange(timestamp)) {
    return context.Fail(Status::Error(sqlstate::kDatetimeFieldOverflow, "timestamp out of range"));
  }
  out = Value::Integer(timestamp);
  return true;
}

[[gnu::hot]] bool Now(EvalContext& context, const Value*, uint32_t, Value& out) {
  out = Value::Integer(context.environment->TransactionTimestamp());
  return true;
}
bool StatementTimestamp(EvalContext& context, const Value*, uint32_t, Value& out) {
  out = Value::Integer(context.environment->StatementTimestamp());
  return true;
}
bool ClockTimestamp(EvalContext&, const Value*, uint32_t, Value& out) {
  out = Value::Integer(WallClockUs() - kUnixDaysTo2000 * kUsPerDay);
  return true;
}
bool LocalTimestamp(EvalContext& context, const Value*, uint32_t, Value& out) {
  const int64_t now = context.environment->TransactionTimestamp();
  const int64_t offset = context.environment->time_zone().OffsetAt(now);
  out = Value::Integer(now + offset * kUsPerSecond);
  return true;
}

bool BadUnit(EvalContext& context, std::string_view unit, bool known, bool with_zone) {
  return context.Fail(TimeUnitError(
      unit, known, with_zone ? "timestamp with time zone" : "timestamp without time zone"));
}

// The timestamp as it reads on the session's clock.
int64_t ToLocal(EvalContext& context, int64_t timestamp, bool with_zone, int32_t& offset_s) {
  offset_s = with_zone ? context.environment->time_zone().OffsetAt(timestamp) : 0;
  return timestamp + int64_t{offset_s} * kUsPerSecond;
}

bool Extract(EvalContext& context, std::string_view unit, int64_t timestamp, bool with_zone,
             FieldValue& out) {
  const TimeField field = FindTimeField(unit);
  int32_t offset_s = 0;
  const int64_t local = ToLocal(context, timestamp, with_zone, offset_s);
  if (CalendarField(field, ToCalendar(local), FloorDivide(local, kUsPerDay), out)) return true;
  switch (field) {
    case TimeField::kEpoch:
      out = {static_cast<__int128>(timestamp) + kUnixDaysTo2000 * kUsPerDay, 6};
      return true;
    case TimeField::kTimezone:
    case TimeField::kTimezoneHour:
    case TimeField::kTimezoneMinute:
      if (!with_zone) return BadUnit(context, unit, true, with_zone);
      out = {field == TimeField::kTimezone       ? offset_s
             : field == TimeField::kTimezoneHour ? offset_s / 3600
                                                 : offset_s / 60 % 60,
             0};
      return true;
    case TimeField::kJulian:
      return BadUnit(context, unit, true, with_zone);
    default:
      break;
  }
  return BadUnit(context, unit, false, with_zone);
}

template <bool kWithZone>
bool ExtractNumeric(EvalContext& context, const Value* a, uint32_t, Value& out) {
  if (!IsFinite(a[1].integer)) {
    if (!GrowsWithTime(FindTimeField(a[0].text()))) {
      out = Value::Null();
      return true;
    }
    Status status = ParseNumeric(a[1].integer > 0 ? "Infinity" : "-Infinity", *context.arena, out);
    return status.ok() || context.Fail(std::move(status));
  }
  FieldValue field;
  if (!Extract(context, a[0].text(), a[1].integer, kWithZone, field)) return false;
  Status status = NumericFromScaled(field.value, field.scale, *context.arena, out);
  return status.ok() || context.Fail(std::move(status));
}
template <bool kWithZone>
bool DatePart(EvalContext& context, const Value* a, uint32_t, Value& out) {
  if (!IsFinite(a[1].integer)) {
    out = GrowsWithTime(FindTimeField(a[0].text()))
              ? Value::Real(a[1].integer > 0 ? HUGE_VAL : -HUGE_VAL)
              : Value::Null();
    return true;
  }
  FieldValue field;
  if (!Extract(context, a[0].text(), a[1].integer, kWithZone, field)) return false;
  out = Value::Real(static_cast<double>(field.value) / std::pow(10.0, field.scale));
  return true;
}

// As of midnight.
bool DatePartOfDate(EvalContext& context, const Value* a, uint32_t count, Value& out) {
  const CastPath cast = FindCast(oid::kDate, oid::kTimestamp, CoercionContext::kImplicit);
  Value arguments[2] = {a[0], {}};
  return cast.function->implementation(context, &a[1], 1, arguments[1]) &&
         DatePart<false>(context, arguments, count, out);
}

// Cuts a local time to the unit. False: the unit cannot be cut to.
bool Truncate(TimeField field, CalendarTime& time) {
  const int64_t year = time.year;
  switch (field) {
    case TimeField::kMillennium:
      time.year =
          year > 0 ? (year + 999) / 1000 * 1000 - 999 : -((999 - (year - 1)) / 1000) * 1000 + 1;
      break;
    case TimeField::kCentury:
      time.year = year > 0 ? (year + 99) / 100 * 100 - 99 : -((99 - (year - 1)) / 100) * 100 + 1;
      break;
    case TimeField::kDecade:
      time.year = FloorDivide(year, 10) * 10;
      break;
    default:
      break;
  }
  switch (field) {
    case TimeField::kWeek: {
      const int64_t day = DaysSince2000(time.year, time.month, time.day);
      time = FromDays(day - (DayOfWeek(day) + 6) % 7);
      return true;
    }
    case TimeField::kMillennium:
    case TimeField::kCentury:
    case TimeField::kDecade:
    case TimeField::kYear:
      time.month = 1;
      [[fallthrough]];
    case TimeField::kQuarter:
      time.month = (time.month - 1) / 3 * 3 + 1;
      if (field != TimeField::kQuarter) time.month = 1;
      [[fallthrough]];
    case TimeField::kMonth:
      time.day = 1;
      [[fallthrough]];
    case TimeField::kDay:
      time.hour = 0;
      [[fallthrough]];
    case TimeField::kHour:
      time.minute = 0;
      [[fallthrough]];
    case TimeField::kMinute:
      time.second = 0;
      [[fallthrough]];
    case TimeField::kSecond:
      time.microsecond = 0;
      return true;
    case TimeField::kMilliseconds:
      time.microsecond = time.microsecond / 1000 * 1000;
      return true;
    case TimeField::kMicroseconds:
      return true;
    default:
      return false;
  }
}

// zone is null for a timestamp without one.
bool TruncateIn(EvalContext& context, const TimeZone* zone, const Value* a, Value& out) {
  const TimeField field = FindTimeUnit(a[0].text());
  const bool finite = IsFinite(a[1].integer);
  int32_t offset_s = finite && zone != nullptr ? zone->OffsetAt(a[1].integer) : 0;
  CalendarTime time =
      ToCalendar(finite ? a[1].integer + int64_t{offset_s} * kUsPerSecond : int64_t{0});
  if (!Truncate(field, time)) {
    const bool known = field == TimeField::kTimezone || field == TimeField::kTimezoneHour ||
                       field == TimeField::kTimezoneMinute;
    return BadUnit(context, a[0].text(), known, zone != nullptr);
  }
  if (!finite) {
    out = a[1];
    return true;
  }
  int64_t local = 0;
  if (!FromCalendar(time, local)) return StoreTimestamp(context, kEndTimestamp, out);
  if (zone != nullptr) {
    // Whole days may begin under another offset; below an hour the offset stays.
    const bool days = field != TimeField::kHour && field != TimeField::kMinute &&
                      field != TimeField::kSecond && field != TimeField::kMilliseconds &&
                      field != TimeField::kMicroseconds;
    if (days) offset_s = zone->OffsetForLocal(local);
    local -= int64_t{offset_s} * kUsPerSecond;
  }
  return StoreTimestamp(context, local, out);
}

template <bool kWithZone>
bool DateTrunc(EvalContext& context, const Value* a, uint32_t, Value& out) {
  return TruncateIn(context, kWithZone ? &context.environment->time_zone() : nullptr, a, out);
}

bool DateTruncInZone(EvalContext& context, const Value* a, uint32_t, Value& out) {
  if (!IsFinite(a[1].integer)) return TruncateIn(context, &TimeZone::Utc(), a, out);
  auto zone = TimeZone::FindZoneOrAbbreviation(a[2].text());
  if (!zone.ok()) return context.Fail(zone.TakeStatus());
  return TruncateIn(context, &**zone, a, out);
}

// timestamp AT TIME ZONE zone and its opposite.
template <bool kFromZone>
bool AtTimeZone(EvalContext& context, const Value* a, uint32_t, Value& out) {
  auto zone = TimeZone::FindZoneOrAbbreviation(a[0].text());
  if (!zone.ok()) return context.Fail(zone.TakeStatus());
  if (!IsFinite(a[1].integer)) {
    out = a[1];
    return true;
  }
  const int64_t shift = kFromZone ? -int64_t{(*zone)->OffsetForLocal(a[1].integer)}
                                  : int64_t{(*zone)->OffsetAt(a[1].integer)};
  return StoreTimestamp(context, a[1].integer + shift * kUsPerSecond, out);
}

bool ToTimestamp(EvalContext& context, const Value* a, uint32_t, Value& out) {
  const double seconds = a[0].real;
  if (std::isnan(seconds)) {
    return context.Fail(Status::Error(sqlstate::kDatetimeFieldOverflow, "timestamp cannot be NaN"));
  }
  if (std::isinf(seconds)) {
    out = Value::Integer(seconds > 0 ? kTimestampInfinity : kTimestampMinusInfinity);
    return true;
  }
  const double since_2000 = seconds - static_cast<double>(kUnixDaysTo2000 * kSecondsPerDay);
  if (std::abs(since_2000) > 9.3e12) {
    return context.Fail(Status::Error(sqlstate::kDatetimeFieldOverflow,
                                      fmt::format("timestamp out of range: \"{:g}\"", seconds)));
  }
  return StoreTimestamp(context, static_cast<int64_t>(std::rint(since_2000 * 1e6)), out);
}

bool IsFiniteTimestamp(EvalContext&, const Value* a, uint32_t, Value& out) {
  out = Value::Bool(IsFinite(a[0].integer));
  return true;
}

constexpr std::array kTimeRows = {
    FunctionRow("now", {}, oid::kTimestamptz, Now, kStable),
    FunctionRow("current_timestamp", {}, oid::kTimestamptz, Now, kStable),
    FunctionRow("transaction_timestamp", {}, oid::kTimestamptz, Now, kStable),
    FunctionRow("statement_timestamp", {}, oid::kTimestamptz, StatementTimestamp, kStable),
    FunctionRow("clock_timestamp", {}, oid::kTimestamptz, ClockTimestamp, kVolatile),
    FunctionRow("localtimestamp", {}, oid::kTimestamp, LocalTimestamp, kStable),
    FunctionRow("extract", {oid::kText, oid::kTimestamp}, oid::kNumeric, ExtractNumeric<false>),
    FunctionRow("extract", {oid::kText, oid::kTimestamptz}, oid::kNumeric, ExtractNumeric<true>,
                kStable),
    FunctionRow("date_part", {oid::kText, oid::kDate}, oid::kFloat8, DatePartOfDate),
    FunctionRow("date_part", {oid::kText, oid::kTimestamp}, oid::kFloat8, DatePart<false>),
    FunctionRow("date_part", {oid::kText, oid::kTimestamptz}, oid::kFloat8, DatePart<true>,
                kStable),
    FunctionRow("date_trunc", {oid::kText, oid::kTimestamp}, oid::kTimestamp, DateTrunc<false>),
    FunctionRow("date_trunc", {oid::kText, oid::kTimestamptz}, oid::kTimestamptz, DateTrunc<true>,
                kStable),
    FunctionRow("date_trunc", {oid::kText, oid::kTimestamptz, oid::kText}, oid::kTimestamptz,
                DateTruncInZone, kStable),
    FunctionRow("timezone", {oid::kText, oid::kTimestamp}, oid::kTimestamptz, AtTimeZone<true>),
    FunctionRow("timezone", {oid::kText, oid::kTimestamptz}, oid::kTimestamp, AtTimeZone<false>),
    FunctionRow("to_timestamp", {oid::kFloat8}, oid::kTimestamptz, ToTimestamp),
    FunctionRow("isfinite", {oid::kTimestamp}, oid::kBool, IsFiniteTimestamp),
    FunctionRow("isfinite", {oid::kTimestamptz}, oid::kBool, IsFiniteTimestamp),
};

}  // namespace

std::span<const FunctionDescription> TimeFunctions() { return kTimeRows; }

}  // namespace connbench::engine
