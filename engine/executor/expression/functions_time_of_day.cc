// Times of the day: arithmetic with intervals and dates, fields.
#include <fmt/format.h>

#include <array>
#include <cmath>
#include <string>

#include "engine/executor/expression/casts.h"
#include "engine/executor/expression/functions.h"
#include "engine/executor/types/calendar.h"
#include "engine/executor/types/interval.h"
#include "engine/executor/types/numeric.h"
#include "engine/executor/types/time_fields.h"

namespace connbench::engine {
namespace {

namespace oid = type_oid;

// Around midnight, and past it again; the months and days of the interval say nothing.
template <int kSign, int kTime>
bool ShiftTime(EvalContext&, const Value* a, uint32_t, Value& out) {
  const int64_t shift = ToInterval(a[1 - kTime]).microseconds % kUsPerDay * kSign;
  const int64_t shifted = (a[kTime].integer + shift) % kUsPerDay;
  out = Value::Integer(shifted < 0 ? shifted + kUsPerDay : shifted);
  return true;
}

bool BetweenTimes(EvalContext& context, const Value* a, uint32_t, Value& out) {
  return context.Check(StoreInterval({a[0].integer - a[1].integer, 0, 0}, *context.arena, out));
}

template <int kDate>
bool DateAndTime(EvalContext& context, const Value* a, uint32_t, Value& out) {
  const CastPath cast = FindCast(oid::kDate, oid::kTimestamp, CoercionContext::kImplicit);
  if (!cast.function->implementation(context, &a[kDate], 1, out)) return false;
  if (!IsFinite(out.integer)) return true;
  out.integer += a[1 - kDate].integer;
  return InTimestampRange(out.integer) ||
         context.Fail(Status::Error(sqlstate::kDatetimeFieldOverflow, "timestamp out of range"));
}

bool MakeTime(EvalContext& context, const Value* a, uint32_t, Value& out) {
  const int64_t hour = a[0].integer;
  const int64_t minute = a[1].integer;
  const double second = a[2].real;
  const double second_us = std::rint(second * 1e6);
  const bool valid = hour >= 0 && hour <= 24 && minute >= 0 && minute < 60 && second_us >= 0 &&
                     second_us <= static_cast<double>(kUsPerMinute);
  const int64_t time_us =
      valid ? (hour * 60 + minute) * kUsPerMinute + static_cast<int64_t>(second_us) : -1;
  if (InTimeRange(time_us)) {
    out = Value::Integer(time_us);
    return true;
  }
  const std::string seconds = std::isnan(second) ? "NaN" : fmt::format("{:02g}", second);
  return context.Fail(Status::Error(
      sqlstate::kDatetimeFieldOverflow,
      fmt::format("time field value out of range: {}:{:02}:{}", hour, minute, seconds)));
}

// kEpoch: all of it. False: not of a time.
bool FieldOfTime(TimeField field, int64_t time_us, FieldValue& out) {
  if (field == TimeField::kEpoch) {
    out = {time_us, 6};
    return true;
  }
  return IsTimeOfDay(field) && CalendarField(field, ToCalendar(time_us), 0, out);
}

bool BadTimeUnit(EvalContext& context, std::string_view unit, TimeField field) {
  return context.Fail(TimeUnitError(unit, field != TimeField::kUnknown, "time without time zone"));
}

// 24:00:00 is hour 24, of no calendar.
int64_t HourOf(int64_t time_us) { return time_us / kUsPerHour; }

bool ExtractFromTime(EvalContext& context, const Value* a, uint32_t, Value& out) {
  const TimeField field = FindTimeField(a[0].text());
  FieldValue value;
  if (!FieldOfTime(field, a[1].integer, value)) return BadTimeUnit(context, a[0].text(), field);
  if (field == TimeField::kHour) value.value = HourOf(a[1].integer);
  return context.Check(NumericFromScaled(value.value, value.scale, *context.arena, out));
}

bool PartOfTime(EvalContext& context, const Value* a, uint32_t, Value& out) {
  const TimeField field = FindTimeField(a[0].text());
  const int64_t time_us = a[1].integer;
  FieldValue value;
  if (!FieldOfTime(field, time_us, value)) return BadTimeUnit(context, a[0].text(), field);
  const auto seconds = static_cast<double>(time_us / kUsPerSecond % 60);
  const auto rest_us = static_cast<double>(time_us % kUsPerSecond);
  switch (field) {
    case TimeField::kEpoch:
      out = Value::Real(static_cast<double>(time_us) / 1e6);
      return true;
    case TimeField::kSecond:
      out = Value::Real(seconds + rest_us / 1e6);
      return true;
    case TimeField::kMilliseconds:
      out = Value::Real(seconds * 1e3 + rest_us / 1e3);
      return true;
    case TimeField::kHour:
      out = Value::Real(static_cast<double>(HourOf(time_us)));
      return true;
    default:
      out = Value::Real(static_cast<double>(value.value));
      return true;
  }
}

constexpr std::array kTimeOfDayRows = {
    OperatorRow("+", {oid::kTime, oid::kInterval}, oid::kTime, ShiftTime<1, 0>),
    OperatorRow("+", {oid::kInterval, oid::kTime}, oid::kTime, ShiftTime<1, 1>),
    OperatorRow("-", {oid::kTime, oid::kInterval}, oid::kTime, ShiftTime<-1, 0>),
    OperatorRow("-", {oid::kTime, oid::kTime}, oid::kInterval, BetweenTimes),
    OperatorRow("+", {oid::kDate, oid::kTime}, oid::kTimestamp, DateAndTime<0>),
    OperatorRow("+", {oid::kTime, oid::kDate}, oid::kTimestamp, DateAndTime<1>),
    FunctionRow("make_time", {oid::kInt4, oid::kInt4, oid::kFloat8}, oid::kTime, MakeTime),
    FunctionRow("date_part", {oid::kText, oid::kTime}, oid::kFloat8, PartOfTime),
    FunctionRow("extract", {oid::kText, oid::kTime}, oid::kNumeric, ExtractFromTime),
};

}  // namespace

std::span<const FunctionDescription> TimeOfDayFunctions() { return kTimeOfDayRows; }

}  // namespace connbench::engine
