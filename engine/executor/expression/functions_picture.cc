// to_char(), to_date(), to_timestamp() and to_number().
#include <fmt/format.h>

#include <array>
#include <cfloat>
#include <cmath>
#include <cstdio>
#include <string>
#include <vector>

#include "engine/executor/expression/functions.h"
#include "engine/executor/types/calendar.h"
#include "engine/executor/types/interval.h"
#include "engine/executor/types/number_picture.h"
#include "engine/executor/types/numeric.h"
#include "engine/executor/types/scalar_io.h"
#include "engine/executor/types/string_type.h"
#include "engine/executor/types/time_picture.h"
#include "engine/executor/types/time_zone.h"

namespace connbench::engine {
namespace {

namespace oid = type_oid;

// Of a picture: what is read of it takes some fifty times as much.
constexpr size_t kMaxPictureBytes = 256 * 1024;

bool CheckPicture(EvalContext& context, std::string_view picture) {
  if (picture.size() <= kMaxPictureBytes) return true;
  return context.Fail(
      Status::Error(sqlstate::kProgramLimitExceeded, "format is too long")
          .WithDetail(fmt::format("A format has no more than {} bytes.", kMaxPictureBytes)));
}

bool StorePictured(EvalContext& context, std::string_view text, Value& out) {
  const std::string_view copy = context.arena->Copy(text);
  if (copy.data() == nullptr) return context.Fail(context.arena->OutOfMemory());
  return StoreView(copy, out);
}

// ---- times ----

bool WriteTime(EvalContext& context, const PictureTime& time, std::string_view picture,
               Value& out) {
  WorkMeter meter = context.arena->Meter();
  std::vector<PictureNode> nodes;
  std::string text;
  return CheckPicture(context, picture) && context.Check(ParseTimePicture(picture, meter, nodes)) &&
         context.Check(WriteTimePicture(nodes, time, meter, text)) &&
         StorePictured(context, text, out);
}

template <bool kWithZone>
bool TimestampToChar(EvalContext& context, const Value* a, uint32_t, Value& out) {
  const int64_t timestamp = a[0].integer;
  if (a[1].length == 0 || !IsFinite(timestamp)) {
    out = Value::Null();
    return true;
  }
  PictureTime time;
  std::string abbreviation;
  if (kWithZone) {
    const TimeZone& zone = context.environment->time_zone();
    time.offset_s = zone.OffsetAt(timestamp);
    abbreviation = zone.AbbreviationAt(timestamp);
    time.zone = abbreviation;
  }
  const int64_t local = timestamp + int64_t{time.offset_s} * kUsPerSecond;
  const CalendarTime calendar = ToCalendar(local);
  time.year = calendar.year;
  time.month = calendar.month;
  time.day = calendar.day;
  time.hour = calendar.hour;
  time.minute = calendar.minute;
  time.second = calendar.second;
  time.microsecond = calendar.microsecond;
  time.day_of_week = DayOfWeek(FloorDivide(local, kUsPerDay));
  time.day_of_year = DayOfYear(calendar);
  return WriteTime(context, time, a[1].text(), out);
}

bool IntervalToChar(EvalContext& context, const Value* a, uint32_t, Value& out) {
  if (a[1].length == 0) {
    out = Value::Null();
    return true;
  }
  const Interval interval = ToInterval(a[0]);
  PictureTime time;
  time.is_interval = true;
  time.year = interval.months / kMonthsPerYear;
  time.month = interval.months % kMonthsPerYear;
  time.day = interval.days;
  time.hour = interval.microseconds / kUsPerHour;
  time.minute = interval.microseconds % kUsPerHour / kUsPerMinute;
  time.second = interval.microseconds % kUsPerMinute / kUsPerSecond;
  time.microsecond = interval.microseconds % kUsPerSecond;
  time.day_of_year = int64_t{interval.months} * kDaysPerMonth + interval.days;
  return WriteTime(context, time, a[1].text(), out);
}

bool ReadTime(EvalContext& context, const Value* a, PictureReading& reading) {
  WorkMeter meter = context.arena->Meter();
  std::vector<PictureNode> nodes;
  return CheckPicture(context, a[1].text()) &&
         context.Check(ParseTimePicture(a[1].text(), meter, nodes)) &&
         context.Check(ReadTimePicture(nodes, a[0].text(), meter, reading));
}

bool ToDate(EvalContext& context, const Value* a, uint32_t, Value& out) {
  PictureReading reading;
  if (!ReadTime(context, a, reading)) return false;
  const int64_t days = JulianDay(reading.year, reading.month, reading.day) - kJulianDayOf2000;
  if (!IsJulianDate(reading.year, reading.month) || !InDateRange(days)) {
    return context.Fail(
        Status::Error(sqlstate::kDatetimeFieldOverflow,
                      fmt::format("date out of range: \"{}\"", Excerpt(a[0].text()))));
  }
  out = Value::Integer(days);
  return true;
}

bool ToTimestampByPicture(EvalContext& context, const Value* a, uint32_t, Value& out) {
  PictureReading reading;
  if (!ReadTime(context, a, reading)) return false;
  const auto fail = [&context] {
    return context.Fail(Status::Error(sqlstate::kDatetimeFieldOverflow, "timestamp out of range"));
  };
  if (!IsJulianDate(reading.year, reading.month)) return fail();
  const int64_t days = JulianDay(reading.year, reading.month, reading.day) - kJulianDayOf2000;
  const __int128 local = static_cast<__int128>(days) * kUsPerDay + reading.hour * kUsPerHour +
                         reading.minute * kUsPerMinute + reading.second * kUsPerSecond +
                         reading.microsecond;
  if (local > kEndTimestamp + kUsPerDay || local < kMinTimestamp - kUsPerDay) return fail();
  const int64_t offset_s =
      reading.has_zone
          ? reading.offset_s
          : context.environment->time_zone().OffsetForLocal(static_cast<int64_t>(local));
  const auto utc = static_cast<int64_t>(local - offset_s * kUsPerSecond);
  if (!InTimestampRange(utc)) return fail();
  out = Value::Integer(reading.precision < 0 ? utc : RoundTimestamp(utc, reading.precision));
  return true;
}

// ---- numbers ----

// A number's text as a picture takes it.
class NumberToChar {
 public:
  NumberToChar(EvalContext& context, std::string_view picture)
      : context_(context), text_(picture), meter_(context.arena->Meter()) {}

  bool Parse() {
    if (!CheckPicture(context_, text_)) return false;
    if (!context_.Check(NumberPicture::Parse(text_, meter_, picture_))) return false;
    after_ = picture_.after();
    return true;
  }
  const NumberPicture& picture() const { return picture_; }
  bool empty() const { return text_.empty(); }

  bool Write(std::string digits, Value& out) {
    const bool negative = !picture_.exponent() && !digits.empty() && digits[0] == '-';
    if (negative) digits.erase(0, 1);
    std::string text;
    return context_.Check(picture_.Write(std::move(digits), negative, after_, meter_, text)) &&
           StorePictured(context_, text, out);
  }
  bool WriteRoman(int64_t number, Value& out) { return Write(RomanNumber(number), out); }
  void set_after(int64_t after) { after_ = after; }
  int64_t after() const { return after_; }

  // What a number without an exponent is written as.
  std::string NoExponent() const {
    const auto before = static_cast<size_t>(picture_.before());
    std::string text(before + static_cast<size_t>(picture_.after()) + 6, '#');
    text[0] = ' ';
    text[before + 1] = '.';
    return text;
  }

 private:
  EvalContext& context_;
  const std::string_view text_;
  WorkMeter meter_;
  NumberPicture picture_;
  int64_t after_ = 0;
};

bool NumericRounded(EvalContext& context, const Value& number, int64_t scale, Value& out) {
  return context.Check(RoundNumeric(number, static_cast<int32_t>(scale),
                                    NumericRounding::kHalfAwayFromZero, *context.arena, out));
}

// 1.23e+04 with scale digits after the point.
bool NumericWithExponent(EvalContext& context, const Value& number, int64_t scale,
                         std::string& out) {
  constexpr int64_t kMostDigits = 16383;  // that a numeric has after the point
  if (scale > kMostDigits) {
    return context.Fail(Status::Error(
        sqlstate::kFeatureNotSupported,
        fmt::format("\"EEEE\" with more than {} digits is not supported", kMostDigits)));
  }
  std::string digits = FormatNumeric(number);
  const bool negative = digits[0] == '-';
  if (negative) digits.erase(0, 1);
  const size_t whole = std::min(digits.find('.'), digits.size());
  auto point = static_cast<int64_t>(whole);
  if (whole < digits.size()) digits.erase(whole, 1);
  const size_t first = std::min(digits.find_first_not_of('0'), digits.size());
  int64_t exponent = 0;
  std::string shifted = "0";
  if (first < digits.size()) {
    exponent = point - static_cast<int64_t>(first) - 1;
    shifted = digits.substr(first, 1) + "." + digits.substr(first + 1) + "0";
  }
  Value significand;
  if (!context.Check(ParseNumeric(shifted, *context.arena, significand)) ||
      !NumericRounded(context, significand, scale, significand)) {
    return false;
  }
  out = fmt::format("{}{}e{}{:02}", negative ? '-' : ' ', FormatNumeric(significand),
                    exponent < 0 ? '-' : '+', std::abs(exponent));
  return true;
}

bool ShiftedNumeric(EvalContext& context, const Value& number, int64_t shift, Value& out) {
  Value ten;
  Value power;
  Value exponent;
  Arena& arena = *context.arena;
  return context.Check(NumericFromInteger(10, arena, ten)) &&
         context.Check(NumericFromInteger(shift, arena, exponent)) &&
         context.Check(PowerNumeric(ten, exponent, arena, power)) &&
         context.Check(MultiplyNumeric(number, power, arena, out));
}

bool NumericToChar(EvalContext& context, const Value* a, uint32_t, Value& out) {
  NumberToChar call(context, a[1].text());
  if (call.empty()) return StoreView("", out);
  if (!call.Parse()) return false;
  const NumberPicture& picture = call.picture();
  Value number = a[0];
  if (picture.roman()) {
    int64_t integer = 0;
    return NumericRounded(context, number, 0, number) &&
           context.Check(NumericToInteger(number, INT32_MIN, INT32_MAX, "integer", integer)) &&
           call.WriteRoman(integer, out);
  }
  if (picture.exponent()) {
    if (NumericDisplayScale(number) < 0) return call.Write(call.NoExponent(), out);
    std::string text;
    return NumericWithExponent(context, number, picture.after(), text) && call.Write(text, out);
  }
  if (picture.shifts() && !ShiftedNumeric(context, number, picture.shift(), number)) return false;
  return NumericRounded(context, number, picture.after(), number) &&
         call.Write(FormatNumeric(number), out);
}

std::string PrintReal(const char* format, int64_t digits, double value) {
  if (std::isnan(value)) return "NaN";
  if (std::isinf(value)) return value > 0 ? "Infinity" : "-Infinity";
  const int size = std::snprintf(nullptr, 0, format, static_cast<int>(digits), value);
  std::string text(static_cast<size_t>(size) + 1, '\0');
  std::snprintf(text.data(), text.size(), format, static_cast<int>(digits), value);
  text.pop_back();
  return text;
}

std::string RealWithExponent(double value, int64_t digits) {
  std::string text = PrintReal("%+.*e", digits, value);
  if (text[0] == '+') text[0] = ' ';
  return text;
}

// kDigits: those that the type has.
template <int kDigits>
bool RealToChar(EvalContext& context, const Value* a, uint32_t, Value& out) {
  NumberToChar call(context, a[1].text());
  if (call.empty()) return StoreView("", out);
  if (!call.Parse()) return false;
  const NumberPicture& picture = call.picture();
  double value = a[0].real;
  if (picture.roman()) {
    const double rounded = std::rint(value);
    const bool fits = rounded >= INT32_MIN && rounded <= INT32_MAX;
    return call.WriteRoman(fits ? static_cast<int64_t>(rounded) : 0, out);
  }
  if (picture.exponent()) {
    return call.Write(
        std::isfinite(value) ? RealWithExponent(value, picture.after()) : call.NoExponent(), out);
  }
  if (picture.shifts()) {
    value *= std::pow(10.0, static_cast<double>(picture.shift()));
    if (kDigits == FLT_DIG) value = static_cast<float>(value);
  }
  const auto before = static_cast<int64_t>(PrintReal("%.*f", 0, std::fabs(value)).size());
  if (before >= kDigits) {
    call.set_after(0);
  } else if (before + call.after() > kDigits) {
    call.set_after(kDigits - before);
  }
  return call.Write(PrintReal("%.*f", call.after(), value), out);
}

template <bool kWide>
bool IntegerToChar(EvalContext& context, const Value* a, uint32_t, Value& out) {
  NumberToChar call(context, a[1].text());
  if (call.empty()) return StoreView("", out);
  if (!call.Parse()) return false;
  const NumberPicture& picture = call.picture();
  int64_t value = a[0].integer;
  if (picture.roman()) {
    if (value < INT32_MIN || value > INT32_MAX) {
      return context.Fail(Status::Error(sqlstate::kNumericValueOutOfRange, "integer out of range"));
    }
    return call.WriteRoman(value, out);
  }
  if (picture.exponent()) {
    if (!kWide) {
      return call.Write(RealWithExponent(static_cast<double>(value), picture.after()), out);
    }
    Value number;
    std::string text;
    return context.Check(NumericFromInteger(value, *context.arena, number)) &&
           NumericWithExponent(context, number, picture.after(), text) && call.Write(text, out);
  }
  if (picture.shifts()) {
    __int128 shifted = value;
    constexpr __int128 kFarOut = __int128{1} << 100;
    for (int64_t i = 0; i < picture.shift() && shifted < kFarOut && shifted > -kFarOut; ++i) {
      shifted *= 10;
    }
    const int64_t low = kWide ? INT64_MIN : INT32_MIN;
    const int64_t high = kWide ? INT64_MAX : INT32_MAX;
    if (shifted < low || shifted > high) {
      return context.Fail(Status::Error(sqlstate::kNumericValueOutOfRange,
                                        kWide ? "bigint out of range" : "integer out of range"));
    }
    value = static_cast<int64_t>(shifted);
  }
  std::string digits = fmt::format("{}", value);
  if (picture.after() > 0) digits += '.' + std::string(static_cast<size_t>(picture.after()), '0');
  return call.Write(std::move(digits), out);
}

bool ToNumber(EvalContext& context, const Value* a, uint32_t, Value& out) {
  NumberToChar call(context, a[1].text());
  if (call.empty()) {
    out = Value::Null();
    return true;
  }
  if (!call.Parse()) return false;
  const NumberPicture& picture = call.picture();
  WorkMeter meter = context.arena->Meter();
  std::string text;
  int64_t scale = 0;
  if (!context.Check(picture.Read(a[0].text(), meter, text, scale)) ||
      !context.Check(ParseNumeric(text, *context.arena, out))) {
    return false;
  }
  const int64_t precision = picture.before() + picture.shift() + scale;
  const auto modifier =
      MakeNumericModifier(static_cast<int32_t>(precision & 0xFFFF), static_cast<int32_t>(scale));
  if (!context.Check(ApplyNumericModifier(modifier, *context.arena, out))) return false;
  return !picture.shifts() || ShiftedNumeric(context, out, -picture.shift(), out);
}

constexpr std::array kPictureRows = {
    FunctionRow("to_char", {oid::kTimestamp, oid::kText}, oid::kText, TimestampToChar<false>,
                kStable),
    FunctionRow("to_char", {oid::kTimestamptz, oid::kText}, oid::kText, TimestampToChar<true>,
                kStable),
    FunctionRow("to_char", {oid::kInterval, oid::kText}, oid::kText, IntervalToChar, kStable),
    FunctionRow("to_char", {oid::kNumeric, oid::kText}, oid::kText, NumericToChar, kStable),
    FunctionRow("to_char", {oid::kInt4, oid::kText}, oid::kText, IntegerToChar<false>, kStable),
    FunctionRow("to_char", {oid::kInt8, oid::kText}, oid::kText, IntegerToChar<true>, kStable),
    FunctionRow("to_char", {oid::kFloat4, oid::kText}, oid::kText, RealToChar<FLT_DIG>, kStable),
    FunctionRow("to_char", {oid::kFloat8, oid::kText}, oid::kText, RealToChar<DBL_DIG>, kStable),
    FunctionRow("to_date", {oid::kText, oid::kText}, oid::kDate, ToDate, kStable),
    FunctionRow("to_timestamp", {oid::kText, oid::kText}, oid::kTimestamptz, ToTimestampByPicture,
                kStable),
    FunctionRow("to_number", {oid::kText, oid::kText}, oid::kNumeric, ToNumber, kStable),
};

}  // namespace

std::span<const FunctionDescription> PictureFunctions() { return kPictureRows; }

}  // namespace connbench::engine
