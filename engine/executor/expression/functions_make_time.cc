// make_timestamp(), date_bin(), timeofday(), OVERLAPS.
#include <fmt/format.h>

#include <array>
#include <cmath>
#include <utility>
#include <vector>

#include "base/ascii.h"
#include "base/clock.h"
#include "engine/executor/expression/functions.h"
#include "engine/executor/types/calendar.h"
#include "engine/executor/types/interval.h"
#include "engine/executor/types/time_picture.h"
#include "engine/executor/types/time_zone.h"

namespace connbench::engine {
namespace {

namespace oid = type_oid;

bool TimestampError(EvalContext& context, std::string message) {
  return context.Fail(Status::Error(sqlstate::kDatetimeFieldOverflow, std::move(message)));
}

// ---- make_timestamp ----

// The fields of a timestamp without a zone. As printf's %02g prints seconds, so do errors.
bool LocalFromFields(EvalContext& context, const Value* a, int64_t& timestamp) {
  const int64_t year = a[0].integer;
  const int64_t month = a[1].integer;
  const int64_t day = a[2].integer;
  const int64_t hour = a[3].integer;
  const int64_t minute = a[4].integer;
  const double seconds = a[5].real;
  // Negative years are before Christ; there is no year 0.
  const int64_t calendar_year = year < 0 ? year + 1 : year;
  const bool valid = year != 0 && month >= 1 && month <= 12 && day >= 1 &&
                     day <= DaysInMonth(calendar_year, static_cast<int>(month));
  if (!valid) {
    return TimestampError(
        context, fmt::format("date field value out of range: {}-{:02}-{:02}", year, month, day));
  }
  const std::string digits = std::isnan(seconds)   ? "NaN"
                             : std::isinf(seconds) ? (seconds > 0 ? "Infinity" : "-Infinity")
                                                   : fmt::format("{:02g}", seconds);
  const double us = std::rint(seconds * static_cast<double>(kUsPerSecond));
  const bool is_time = hour >= 0 && hour <= 24 && minute >= 0 && minute < 60 && us >= 0 &&
                       us <= static_cast<double>(kUsPerMinute);
  const int64_t time_us =
      is_time ? hour * kUsPerHour + minute * kUsPerMinute + static_cast<int64_t>(us) : 0;
  if (!is_time || time_us > kUsPerDay) {
    return TimestampError(
        context, fmt::format("time field value out of range: {}:{:02}:{}", hour, minute, digits));
  }
  const __int128 sum = static_cast<__int128>(DaysSince2000(calendar_year, static_cast<int>(month),
                                                           static_cast<int>(day))) *
                           kUsPerDay +
                       time_us;
  timestamp = static_cast<int64_t>(sum);
  if (sum >= kMinTimestamp && sum < kEndTimestamp) return true;
  return TimestampError(context, fmt::format("timestamp out of range: {}-{:02}-{:02} {}:{:02}:{}",
                                             year, month, day, hour, minute, digits));
}

bool StoreInstant(EvalContext& context, int64_t local, const TimeZone& zone, Value& out) {
  const int64_t utc = local - int64_t{zone.OffsetForLocal(local)} * kUsPerSecond;
  if (!InTimestampRange(utc)) return TimestampError(context, "timestamp out of range");
  out = Value::Integer(utc);
  return true;
}

bool MakeTimestamp(EvalContext& context, const Value* a, uint32_t, Value& out) {
  int64_t local = 0;
  if (!LocalFromFields(context, a, local)) return false;
  out = Value::Integer(local);
  return true;
}

// +05:30, -0530, +5: seconds east of Greenwich. False: it is none.
bool ParseNumericZone(std::string_view text, int64_t& offset_s, bool& in_range) {
  std::array<int64_t, 3> parts{};
  size_t count = 0;
  std::string_view rest = text.substr(1);
  const size_t first_digits = std::min(rest.find(':'), rest.size());
  while (count < parts.size()) {
    size_t digits = 0;
    while (digits < rest.size() && IsAsciiDigit(rest[digits])) ++digits;
    if ((digits == 0 && count > 0) || digits > 6) return false;
    for (const char c : rest.substr(0, digits)) parts[count] = parts[count] * 10 + (c - '0');
    ++count;
    rest.remove_prefix(digits);
    if (rest.empty()) break;
    if (rest[0] != ':') return false;
    rest.remove_prefix(1);
  }
  if (!rest.empty()) return false;
  if (count == 1 && first_digits > 2) {
    parts[1] = parts[0] % 100;
    parts[0] /= 100;
  }
  constexpr int64_t kMaxZoneHours = 15;
  in_range = parts[0] <= kMaxZoneHours && parts[1] < 60 && parts[2] < 60;
  offset_s = parts[0] * 3600 + parts[1] * 60 + parts[2];
  if (text[0] == '-') offset_s = -offset_s;
  return true;
}

bool MakeTimestamptz(EvalContext& context, const Value* a, uint32_t count, Value& out) {
  int64_t local = 0;
  if (!LocalFromFields(context, a, local)) return false;
  if (count == 6) return StoreInstant(context, local, context.environment->time_zone(), out);
  const std::string_view name = a[6].text();
  const auto fail = [&](std::string message) {
    return context.Fail(Status::Error(sqlstate::kInvalidParameterValue, std::move(message)));
  };
  if (!name.empty() && IsAsciiDigit(name[0])) {
    return context.Fail(
        Status::Error(sqlstate::kInvalidParameterValue,
                      fmt::format("invalid input syntax for type numeric time zone: \"{}\"", name))
            .WithHint("Numeric time zones must have \"-\" or \"+\" as first character."));
  }
  int64_t offset_s = 0;
  bool in_range = false;
  if (!name.empty() && (name[0] == '+' || name[0] == '-') &&
      ParseNumericZone(name, offset_s, in_range)) {
    if (!in_range) return fail(fmt::format("numeric time zone \"{}\" out of range", name));
    const int64_t utc = local - offset_s * kUsPerSecond;
    if (!InTimestampRange(utc)) return TimestampError(context, "timestamp out of range");
    out = Value::Integer(utc);
    return true;
  }
  Result<TimeZoneRef> zone = TimeZone::FindZoneOrAbbreviation(name);
  if (!zone.ok()) return context.Fail(zone.TakeStatus());
  return StoreInstant(context, local, **zone, out);
}

// ---- date_bin ----

// The start of the timestamp's bin. Bins are as long as a[0], and one starts at a[2].
bool DateBin(EvalContext& context, const Value* a, uint32_t, Value& out) {
  const Interval stride = ToInterval(a[0]);
  const int64_t timestamp = a[1].integer;
  const int64_t origin = a[2].integer;
  if (!IsFinite(timestamp)) {
    out = a[1];
    return true;
  }
  if (!IsFinite(origin)) return TimestampError(context, "origin out of range");
  if (stride.months != 0) {
    return context.Fail(
        Status::Error(sqlstate::kFeatureNotSupported,
                      "timestamps cannot be binned into intervals containing months or years"));
  }
  const __int128 stride_us = static_cast<__int128>(stride.days) * kUsPerDay + stride.microseconds;
  if (stride_us > INT64_MAX || stride_us < INT64_MIN) return context.Fail(IntervalOutOfRange());
  if (stride_us <= 0) return TimestampError(context, "stride must be greater than zero");
  const __int128 distance = static_cast<__int128>(timestamp) - origin;
  if (distance > INT64_MAX || distance < INT64_MIN) return context.Fail(IntervalOutOfRange());
  const __int128 rest = distance % stride_us;
  const __int128 start = distance - rest - (rest < 0 ? stride_us : 0);
  if (start < INT64_MIN) return context.Fail(IntervalOutOfRange());
  const __int128 bin = start + origin;
  if (bin < kMinTimestamp || bin >= kEndTimestamp) {
    return TimestampError(context, "timestamp out of range");
  }
  out = Value::Integer(static_cast<int64_t>(bin));
  return true;
}

// ---- timeofday ----

// As of the clock, in the form of Unix.
bool TimeOfDayText(EvalContext& context, const Value*, uint32_t, Value& out) {
  const TimeZone& zone = context.environment->time_zone();
  const int64_t now = WallClockUs() - kUnixDaysTo2000 * kUsPerDay;
  const int64_t local = now + int64_t{zone.OffsetAt(now)} * kUsPerSecond;
  const CalendarTime time = ToCalendar(local);
  const std::string text =
      fmt::format("{} {} {:02} {:02}:{:02}:{:02}.{:06} {} {}",
                  kDayNames[DayOfWeek(FloorDivide(local, kUsPerDay))].substr(0, 3),
                  kMonthNames[time.month - 1].substr(0, 3), time.day, time.hour, time.minute,
                  time.second, time.microsecond, time.year, zone.AbbreviationAt(now));
  const std::string_view copy = context.arena->Copy(text);
  if (copy.data() == nullptr) return context.Fail(context.arena->OutOfMemory());
  return StoreView(copy, out);
}

// ---- OVERLAPS ----

// Two spans of time, each two ends in any order, either of which may be unknown.
bool SpansOverlap(const Value* ends, Value& out) {
  Value first[2] = {ends[0], ends[1]};
  Value second[2] = {ends[2], ends[3]};
  out = Value::Null();
  for (Value* span : {first, second}) {
    if (span[0].null) std::swap(span[0], span[1]);
    if (span[0].null) return true;
    if (!span[1].null && span[0].integer > span[1].integer) std::swap(span[0], span[1]);
  }
  if (first[0].integer == second[0].integer) {
    if (!first[1].null && !second[1].null) out = Value::Bool(true);
    return true;
  }
  const bool first_begins = first[0].integer < second[0].integer;
  const Value* const earlier = first_begins ? first : second;
  const Value* const later = first_begins ? second : first;
  if (earlier[1].null) return true;
  if (later[0].integer < earlier[1].integer) {
    out = Value::Bool(true);
  } else if (!later[1].null) {
    out = Value::Bool(false);
  }
  return true;
}

// Where a span ends that is given by its length.
template <Oid kType>
bool EndOfSpan(EvalContext& context, const Value& begin, const Value& length, Value& end) {
  if (begin.null || length.null) {
    end = Value::Null();
    return true;
  }
  const Interval interval = ToInterval(length);
  if constexpr (kType == oid::kTime) {
    const int64_t rest = (begin.integer + interval.microseconds % kUsPerDay) % kUsPerDay;
    end = Value::Integer(rest < 0 ? rest + kUsPerDay : rest);
    return true;
  }
  const TimeZone* const zone =
      kType == oid::kTimestamptz ? &context.environment->time_zone() : nullptr;
  int64_t sum = 0;
  if (!context.Check(AddToTimestamp(begin.integer, interval, 1, zone, sum))) return false;
  end = Value::Integer(sum);
  return true;
}

template <Oid kType, bool kFirstLength, bool kSecondLength>
bool Overlap(EvalContext& context, const Value* a, uint32_t, Value& out) {
  Value ends[4] = {a[0], a[1], a[2], a[3]};
  if (kFirstLength && !EndOfSpan<kType>(context, a[0], a[1], ends[1])) return false;
  if (kSecondLength && !EndOfSpan<kType>(context, a[2], a[3], ends[3])) return false;
  return SpansOverlap(ends, out);
}

template <Oid kType, bool kFirstLength, bool kSecondLength>
constexpr FunctionDescription OverlapsRow() {
  const bool stable = kType == oid::kTimestamptz && (kFirstLength || kSecondLength);
  return CalledOnNull(FunctionRow(
      "overlaps",
      {kType, kFirstLength ? oid::kInterval : kType, kType, kSecondLength ? oid::kInterval : kType},
      oid::kBool, Overlap<kType, kFirstLength, kSecondLength>,
      stable ? Volatility::kStable : Volatility::kImmutable));
}

constexpr std::array kMakeTimeRows = {
    FunctionRow("make_timestamp",
                {oid::kInt4, oid::kInt4, oid::kInt4, oid::kInt4, oid::kInt4, oid::kFloat8},
                oid::kTimestamp, MakeTimestamp),
    FunctionRow("make_timestamptz",
                {oid::kInt4, oid::kInt4, oid::kInt4, oid::kInt4, oid::kInt4, oid::kFloat8},
                oid::kTimestamptz, MakeTimestamptz, kStable),
    FunctionRow(
        "make_timestamptz",
        {oid::kInt4, oid::kInt4, oid::kInt4, oid::kInt4, oid::kInt4, oid::kFloat8, oid::kText},
        oid::kTimestamptz, MakeTimestamptz, kStable),
    FunctionRow("date_bin", {oid::kInterval, oid::kTimestamp, oid::kTimestamp}, oid::kTimestamp,
                DateBin),
    FunctionRow("date_bin", {oid::kInterval, oid::kTimestamptz, oid::kTimestamptz},
                oid::kTimestamptz, DateBin),
    FunctionRow("timeofday", {}, oid::kText, TimeOfDayText, kVolatile),
    OverlapsRow<oid::kTimestamp, false, false>(),
    OverlapsRow<oid::kTimestamp, false, true>(),
    OverlapsRow<oid::kTimestamp, true, false>(),
    OverlapsRow<oid::kTimestamp, true, true>(),
    OverlapsRow<oid::kTimestamptz, false, false>(),
    OverlapsRow<oid::kTimestamptz, false, true>(),
    OverlapsRow<oid::kTimestamptz, true, false>(),
    OverlapsRow<oid::kTimestamptz, true, true>(),
    OverlapsRow<oid::kTime, false, false>(),
    OverlapsRow<oid::kTime, false, true>(),
    OverlapsRow<oid::kTime, true, false>(),
    OverlapsRow<oid::kTime, true, true>(),
};

}  // namespace

std::span<const FunctionDescription> MakeTimeFunctions() { return kMakeTimeRows; }

}  // namespace connbench::engine
