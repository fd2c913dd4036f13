// Dates: arithmetic, fields, comparisons with timestamps.
#include <fmt/format.h>

#include <array>
#include <cmath>
#include <vector>

#include "engine/executor/expression/functions.h"
#include "engine/executor/types/calendar.h"
#include "engine/executor/types/numeric.h"
#include "engine/executor/types/time_fields.h"

namespace connbench::engine {
namespace {

namespace oid = type_oid;
using M = OperatorMeaning;

bool DateError(EvalContext& context, const char* message) {
  return context.Fail(Status::Error(sqlstate::kDatetimeFieldOverflow, message));
}

bool StoreDate(EvalContext& context, int64_t days, Value& out) {
  if (!InDateRange(days)) return DateError(context, "date out of range");
  out = Value::Integer(days);
  return true;
}

bool CurrentDate(EvalContext& context, const Value*, uint32_t, Value& out) {
  const int64_t now = context.environment->TransactionTimestamp();
  const int64_t offset_s = context.environment->time_zone().OffsetAt(now);
  out = Value::Integer(FloorDivide(now + offset_s * kUsPerSecond, kUsPerDay));
  return true;
}

// kSign: of the days that are added. What is infinite stays so.
template <int kSign, int kDate>
bool AddDays(EvalContext& context, const Value* a, uint32_t, Value& out) {
  const int64_t date = a[kDate].integer;
  if (!IsFiniteDate(date)) {
    out = a[kDate];
    return true;
  }
  return StoreDate(context, date + kSign * a[1 - kDate].integer, out);
}

bool DaysBetween(EvalContext& context, const Value* a, uint32_t, Value& out) {
  if (!IsFiniteDate(a[0].integer) || !IsFiniteDate(a[1].integer)) {
    return DateError(context, "cannot subtract infinite dates");
  }
  out = Value::Integer(a[0].integer - a[1].integer);
  return true;
}

bool MakeDate(EvalContext& context, const Value* a, uint32_t, Value& out) {
  const int64_t year = a[0].integer;
  const int64_t month = a[1].integer;
  const int64_t day = a[2].integer;
  // Negative years are before Christ; there is no year 0.
  const int64_t calendar_year = year < 0 ? year + 1 : year;
  const bool valid = year != 0 && month >= 1 && month <= 12 && day >= 1 &&
                     day <= DaysInMonth(calendar_year, static_cast<int>(month));
  if (!valid) {
    return context.Fail(Status::Error(
        sqlstate::kDatetimeFieldOverflow,
        fmt::format("date field value out of range: {}-{:02}-{:02}", calendar_year, month, day)));
  }
  const int64_t days = DaysSince2000(calendar_year, static_cast<int>(month), static_cast<int>(day));
  if (InDateRange(days)) return StoreDate(context, days, out);
  return context.Fail(
      Status::Error(sqlstate::kDatetimeFieldOverflow,
                    fmt::format("date out of range: {}-{:02}-{:02}", calendar_year, month, day)));
}

bool ExtractFromDate(EvalContext& context, const Value* a, uint32_t, Value& out) {
  const TimeField field = FindTimeField(a[0].text());
  const int64_t days = a[1].integer;
  FieldValue value;
  const bool known =
      field == TimeField::kEpoch || field == TimeField::kJulian ||
      (!IsTimeOfDay(field) && CalendarField(field, FromDays(IsFiniteDate(days) ? days : 0),
                                            IsFiniteDate(days) ? days : 0, value));
  if (!known) {
    return context.Fail(TimeUnitError(a[0].text(), field != TimeField::kUnknown, "date"));
  }
  if (!IsFiniteDate(days)) {
    if (!GrowsWithTime(field)) {
      out = Value::Null();
      return true;
    }
    return context.Check(ParseNumeric(days > 0 ? "Infinity" : "-Infinity", *context.arena, out));
  }
  if (field == TimeField::kEpoch) value = {(days + kUnixDaysTo2000) * kSecondsPerDay, 0};
  if (field == TimeField::kJulian) value = {days + kJulianDayOf2000, 0};
  return context.Check(NumericFromScaled(value.value, value.scale, *context.arena, out));
}

bool IsFiniteDateValue(EvalContext&, const Value* a, uint32_t, Value& out) {
  out = Value::Bool(IsFiniteDate(a[0].integer));
  return true;
}

// <0, 0, >0: midnight of the date, which may lie behind the last timestamp, and a timestamp.
int CompareWithTimestamp(int64_t date, int64_t timestamp, const TimeZone* zone) {
  const auto sign = [](__int128 difference) {
    return static_cast<int>(difference > 0) - static_cast<int>(difference < 0);
  };
  if (date == kDateInfinity) return timestamp == kTimestampInfinity ? 0 : 1;
  if (date == kDateMinusInfinity) return timestamp == kTimestampMinusInfinity ? 0 : -1;
  if (!IsFinite(timestamp)) return timestamp == kTimestampInfinity ? -1 : 1;
  const __int128 midnight = static_cast<__int128>(date) * kUsPerDay;
  if (midnight >= kEndTimestamp) return 1;
  const int64_t offset_s =
      zone == nullptr ? 0 : zone->OffsetForLocal(static_cast<int64_t>(midnight));
  return sign(midnight - offset_s * kUsPerSecond - timestamp);
}

template <M kMeaning, bool kDateFirst, bool kWithZone>
bool CompareDateAndTime(EvalContext& context, const Value* a, uint32_t, Value& out) {
  const int order =
      CompareWithTimestamp(a[kDateFirst ? 0 : 1].integer, a[kDateFirst ? 1 : 0].integer,
                           kWithZone ? &context.environment->time_zone() : nullptr);
  out = Value::Bool(MeansTrue(kMeaning, kDateFirst ? order : -order));
  return true;
}

// They are no OperatorMeaning: days and microseconds share no key, hash or machine comparison.
template <bool kDateFirst, bool kWithZone>
void AddComparisons(std::vector<FunctionDescription>& rows) {
  const Oid time = kWithZone ? oid::kTimestamptz : oid::kTimestamp;
  const Oid left = kDateFirst ? oid::kDate : time;
  const Oid right = kDateFirst ? time : oid::kDate;
  const auto add = [&](std::string_view name, FunctionImplementation implementation) {
    FunctionDescription row = OperatorRow(name, {left, right}, oid::kBool, implementation);
    if (kWithZone) row.volatility = Volatility::kStable;
    rows.push_back(row);
  };
  add("=", CompareDateAndTime<M::kEqual, kDateFirst, kWithZone>);
  add("<>", CompareDateAndTime<M::kNotEqual, kDateFirst, kWithZone>);
  add("<", CompareDateAndTime<M::kLess, kDateFirst, kWithZone>);
  add("<=", CompareDateAndTime<M::kLessEqual, kDateFirst, kWithZone>);
  add(">", CompareDateAndTime<M::kGreater, kDateFirst, kWithZone>);
  add(">=", CompareDateAndTime<M::kGreaterEqual, kDateFirst, kWithZone>);
}

constexpr std::array kDateRows = {
    OperatorRow("+", {oid::kDate, oid::kInt4}, oid::kDate, AddDays<1, 0>),
    OperatorRow("+", {oid::kInt4, oid::kDate}, oid::kDate, AddDays<1, 1>),
    OperatorRow("-", {oid::kDate, oid::kInt4}, oid::kDate, AddDays<-1, 0>),
    OperatorRow("-", {oid::kDate, oid::kDate}, oid::kInt4, DaysBetween),
    FunctionRow("current_date", {}, oid::kDate, CurrentDate, kStable),
    FunctionRow("make_date", {oid::kInt4, oid::kInt4, oid::kInt4}, oid::kDate, MakeDate),
    FunctionRow("extract", {oid::kText, oid::kDate}, oid::kNumeric, ExtractFromDate),
    FunctionRow("isfinite", {oid::kDate}, oid::kBool, IsFiniteDateValue),
};

}  // namespace

std::span<const FunctionDescription> DateFunctions() {
  static const std::vector<FunctionDescription> kRows = [] {
    std::vector<FunctionDescription> rows(kDateRows.begin(), kDateRows.end());
    AddComparisons<true, false>(rows);
    AddComparisons<true, true>(rows);
    AddComparisons<false, false>(rows);
    AddComparisons<false, true>(rows);
    return rows;
  }();
  return kRows;
}

}  // namespace connbench::engine
