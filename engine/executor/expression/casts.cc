// The table of casts: from which type to which, when, and how.
#include "engine/executor/expression/casts.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <limits>

#include "engine/executor/types/calendar.h"
#include "engine/executor/types/interval.h"
#include "engine/executor/types/numeric.h"
#include "engine/executor/types/string_type.h"

namespace connbench::engine {
namespace {

namespace oid = type_oid;
constexpr auto kImplicit = CoercionContext::kImplicit;
constexpr auto kAssignment = CoercionContext::kAssignment;
constexpr auto kExplicit = CoercionContext::kExplicit;

template <typename T>
constexpr std::string_view IntegerName() {
  if constexpr (std::is_same_v<T, int16_t>) return "smallint";
  if constexpr (std::is_same_v<T, int32_t>) return "integer";
  if constexpr (std::is_same_v<T, int64_t>) return "bigint";
  return "OID";
}

Status OutOfRange(std::string_view type_name) {
  return Status::Error(sqlstate::kNumericValueOutOfRange, std::string(type_name) + " out of range");
}

template <typename T>
bool IntegerToInteger(EvalContext& context, const Value* a, uint32_t, Value& out) {
  if (a->integer < std::numeric_limits<T>::min() || a->integer > std::numeric_limits<T>::max()) {
    return context.Fail(OutOfRange(IntegerName<T>()));
  }
  out = *a;
  return true;
}

bool Int4ToOid(EvalContext&, const Value* a, uint32_t, Value& out) {
  out = Value::Integer(static_cast<uint32_t>(a->integer));
  return true;
}
bool OidToInt4(EvalContext&, const Value* a, uint32_t, Value& out) {
  out = Value::Integer(static_cast<int32_t>(a->integer));
  return true;
}
bool IntegerToReal(EvalContext&, const Value* a, uint32_t, Value& out) {
  out = Value::Real(static_cast<double>(a->integer));
  return true;
}
bool IntegerToFloat4(EvalContext&, const Value* a, uint32_t, Value& out) {
  out = Value::Real(static_cast<float>(a->integer));
  return true;
}
bool IntegerToNumeric(EvalContext& context, const Value* a, uint32_t, Value& out) {
  return context.Check(NumericFromInteger(a->integer, *context.arena, out));
}
bool IntegerToBool(EvalContext&, const Value* a, uint32_t, Value& out) {
  out = Value::Bool(a->integer != 0);
  return true;
}

template <typename T>
bool RealToInteger(EvalContext& context, const Value* a, uint32_t, Value& out) {
  const double rounded = std::rint(a->real);  // half to even, as PostgreSQL
  // -2^n is exact in double, 2^n - 1 may not be: so compare with 2^n.
  constexpr auto kLow = static_cast<double>(std::numeric_limits<T>::min());
  if (!(rounded >= kLow && rounded < -kLow)) return context.Fail(OutOfRange(IntegerName<T>()));
  out = Value::Integer(static_cast<T>(rounded));
  return true;
}
bool RealToFloat4(EvalContext& context, const Value* a, uint32_t, Value& out) {
  if (std::isfinite(a->real)) {
    if (std::abs(a->real) > std::numeric_limits<float>::max() * (1 + 0x1p-25)) {
      return context.Fail(
          Status::Error(sqlstate::kNumericValueOutOfRange, "value out of range: overflow"));
    }
    if (a->real != 0 && static_cast<float>(a->real) == 0) {
      return context.Fail(
          Status::Error(sqlstate::kNumericValueOutOfRange, "value out of range: underflow"));
    }
  }
  out = Value::Real(static_cast<float>(a->real));
  return true;
}
template <int kDigits>
bool RealToNumeric(EvalContext& context, const Value* a, uint32_t, Value& out) {
  return context.Check(NumericFromReal(a->real, kDigits, *context.arena, out));
}

template <typename T>
bool NumericToInteger(EvalContext& context, const Value* a, uint32_t, Value& out) {
  int64_t value = 0;
  if (!context.Check(NumericToInteger(*a, std::numeric_limits<T>::min(),
                                      std::numeric_limits<T>::max(), IntegerName<T>(), value))) {
    return false;
  }
  out = Value::Integer(value);
  return true;
}
bool NumericToFloat8(EvalContext& context, const Value* a, uint32_t, Value& out) {
  out = Value::Real(NumericToReal(*a));
  if (std::isinf(out.real) && FormatNumeric(*a).find("Inf") == std::string::npos) {
    return context.Fail(
        Status::Error(sqlstate::kNumericValueOutOfRange,
                      "\"" + FormatNumeric(*a) + "\" is out of range for type double precision"));
  }
  return true;
}
bool NumericToFloat4(EvalContext& context, const Value* a, uint32_t count, Value& out) {
  Value wide;
  return NumericToFloat8(context, a, count, wide) && RealToFloat4(context, &wide, count, out);
}

bool BoolToText(EvalContext&, const Value* a, uint32_t, Value& out) {
  out = Value::Text(a->integer != 0 ? "true" : "false");
  return true;
}
bool BpcharToText(EvalContext&, const Value* a, uint32_t, Value& out) {
  out = Value::Text(TrimTrailingBlanks(a->text()));
  return true;
}
bool TextToName(EvalContext&, const Value* a, uint32_t, Value& out) {
  out = Value::Text(ClipToBytes(a->text(), kNameBytes));
  return true;
}
bool BpcharToName(EvalContext&, const Value* a, uint32_t, Value& out) {
  out = Value::Text(ClipToBytes(TrimTrailingBlanks(a->text()), kNameBytes));
  return true;
}
// The byte's value, with a sign.
bool CharToInteger(EvalContext&, const Value* a, uint32_t, Value& out) {
  out = Value::Integer(a->length == 0 ? 0 : static_cast<signed char>(a->bytes[0]));
  return true;
}
bool IntegerToChar(EvalContext& context, const Value* a, uint32_t, Value& out) {
  if (a->integer < INT8_MIN || a->integer > INT8_MAX) return context.Fail(OutOfRange("\"char\""));
  char* byte = context.Allocate(1);
  if (byte == nullptr) return false;
  *byte = static_cast<char>(a->integer);
  out = Value::Text({byte, a->integer == 0 ? size_t{0} : size_t{1}});
  return true;
}
bool TextToChar(EvalContext& context, const Value* a, uint32_t, Value& out) {
  const std::string_view byte = CharFromText(a->text(), *context.arena);
  if (byte.data() == nullptr) return context.Fail(context.arena->OutOfMemory());
  out = Value::Text(byte);
  return true;
}
bool CharAsText(EvalContext& context, const Value* a, uint32_t, Value& out) {
  const std::string_view text = CharToText(a->text(), *context.arena);
  if (text.data() == nullptr) return context.Fail(context.arena->OutOfMemory());
  out = Value::Text(text);
  return true;
}

bool DateToTimestamp(EvalContext& context, const Value* a, uint32_t, Value& out) {
  const int64_t days = a->integer;
  if (!IsFiniteDate(days)) {
    out = Value::Integer(days > 0 ? kTimestampInfinity : kTimestampMinusInfinity);
    return true;
  }
  if (days >= kEndTimestamp / kUsPerDay) {
    return context.Fail(
        Status::Error(sqlstate::kDatetimeFieldOverflow, "date out of range for timestamp"));
  }
  out = Value::Integer(days * kUsPerDay);
  return true;
}
bool TimestampToDate(EvalContext&, const Value* a, uint32_t, Value& out) {
  out = Value::Integer(IsFinite(a->integer) ? FloorDivide(a->integer, kUsPerDay)
                       : a->integer > 0     ? kDateInfinity
                                            : kDateMinusInfinity);
  return true;
}

[[gnu::hot]] bool ShiftTimestamp(EvalContext& context, int64_t timestamp, int64_t seconds,
                                 Value& out) {
  int64_t shifted = timestamp;
  if (IsFinite(timestamp)) {
    shifted += seconds * kUsPerSecond;
    if (!InTimestampRange(shifted)) {
      return context.Fail(
          Status::Error(sqlstate::kDatetimeFieldOverflow, "timestamp out of range"));
    }
  }
  out = Value::Integer(shifted);
  return true;
}
bool TimestampToTimestamptz(EvalContext& context, const Value* a, uint32_t, Value& out) {
  const int32_t offset =
      IsFinite(a->integer) ? context.environment->time_zone().OffsetForLocal(a->integer) : 0;
  return ShiftTimestamp(context, a->integer, -offset, out);
}
[[gnu::hot]] bool TimestamptzToTimestamp(EvalContext& context, const Value* a, uint32_t,
                                         Value& out) {
  const int32_t offset =
      IsFinite(a->integer) ? context.environment->time_zone().OffsetAt(a->integer) : 0;
  return ShiftTimestamp(context, a->integer, offset, out);
}

bool DateToTimestamptz(EvalContext& context, const Value* a, uint32_t count, Value& out) {
  Value midnight;
  return DateToTimestamp(context, a, count, midnight) &&
         TimestampToTimestamptz(context, &midnight, count, out);
}
bool TimestamptzToDate(EvalContext& context, const Value* a, uint32_t count, Value& out) {
  Value local;
  return TimestamptzToTimestamp(context, a, count, local) &&
         TimestampToDate(context, &local, count, out);
}

bool TimestampToTime(EvalContext&, const Value* a, uint32_t, Value& out) {
  const int64_t timestamp = a->integer;
  out = IsFinite(timestamp)
            ? Value::Integer(timestamp - FloorDivide(timestamp, kUsPerDay) * kUsPerDay)
            : Value::Null();
  return true;
}
bool TimestamptzToTime(EvalContext& context, const Value* a, uint32_t count, Value& out) {
  Value local;
  return TimestamptzToTimestamp(context, a, count, local) &&
         TimestampToTime(context, &local, count, out);
}
bool TimeToInterval(EvalContext& context, const Value* a, uint32_t, Value& out) {
  return context.Check(StoreInterval({a->integer, 0, 0}, *context.arena, out));
}
// What is left of the last day.
bool IntervalToTime(EvalContext&, const Value* a, uint32_t, Value& out) {
  const int64_t microseconds = ToInterval(*a).microseconds;
  out = Value::Integer(microseconds - FloorDivide(microseconds, kUsPerDay) * kUsPerDay);
  return true;
}

// No function has this name: CAST is a keyword.
constexpr std::string_view kCastName = "cast";

struct CastRow {
  Oid source;
  Oid target;
  CoercionContext context;
  FunctionDescription function;  // without implementation: the bytes are the same
};

constexpr CastRow Row(Oid source, Oid target, CoercionContext context,
                      FunctionImplementation implementation,
                      Volatility volatility = Volatility::kImmutable) {
  return {source, target, context,
          FunctionRow(kCastName, {source}, target, implementation, volatility)};
}

constexpr std::array kCasts = {
    Row(oid::kInt2, oid::kInt4, kImplicit, nullptr),
    Row(oid::kInt2, oid::kInt8, kImplicit, nullptr),
    Row(oid::kInt2, oid::kFloat4, kImplicit, IntegerToFloat4),
    Row(oid::kInt2, oid::kFloat8, kImplicit, IntegerToReal),
    Row(oid::kInt2, oid::kNumeric, kImplicit, IntegerToNumeric),
    Row(oid::kInt2, oid::kOid, kImplicit, Int4ToOid),
    Row(oid::kInt4, oid::kInt2, kAssignment, IntegerToInteger<int16_t>),
    Row(oid::kInt4, oid::kInt8, kImplicit, nullptr),
    Row(oid::kInt4, oid::kFloat4, kImplicit, IntegerToFloat4),
    Row(oid::kInt4, oid::kFloat8, kImplicit, IntegerToReal),
    Row(oid::kInt4, oid::kNumeric, kImplicit, IntegerToNumeric),
    Row(oid::kInt4, oid::kOid, kImplicit, Int4ToOid),
    Row(oid::kInt4, oid::kBool, kExplicit, IntegerToBool),
    Row(oid::kInt8, oid::kInt2, kAssignment, IntegerToInteger<int16_t>),
    Row(oid::kInt8, oid::kInt4, kAssignment, IntegerToInteger<int32_t>),
    Row(oid::kInt8, oid::kFloat4, kImplicit, IntegerToFloat4),
    Row(oid::kInt8, oid::kFloat8, kImplicit, IntegerToReal),
    Row(oid::kInt8, oid::kNumeric, kImplicit, IntegerToNumeric),
    Row(oid::kInt8, oid::kOid, kImplicit, IntegerToInteger<uint32_t>),
    Row(oid::kFloat4, oid::kInt2, kAssignment, RealToInteger<int16_t>),
    Row(oid::kFloat4, oid::kInt4, kAssignment, RealToInteger<int32_t>),
    Row(oid::kFloat4, oid::kInt8, kAssignment, RealToInteger<int64_t>),
    Row(oid::kFloat4, oid::kFloat8, kImplicit, nullptr),
    Row(oid::kFloat4, oid::kNumeric, kAssignment, RealToNumeric<6>),
    Row(oid::kFloat8, oid::kInt2, kAssignment, RealToInteger<int16_t>),
    Row(oid::kFloat8, oid::kInt4, kAssignment, RealToInteger<int32_t>),
    Row(oid::kFloat8, oid::kInt8, kAssignment, RealToInteger<int64_t>),
    Row(oid::kFloat8, oid::kFloat4, kAssignment, RealToFloat4),
    Row(oid::kFloat8, oid::kNumeric, kAssignment, RealToNumeric<15>),
    Row(oid::kNumeric, oid::kInt2, kAssignment, NumericToInteger<int16_t>),
    Row(oid::kNumeric, oid::kInt4, kAssignment, NumericToInteger<int32_t>),
    Row(oid::kNumeric, oid::kInt8, kAssignment, NumericToInteger<int64_t>),
    Row(oid::kNumeric, oid::kFloat4, kImplicit, NumericToFloat4),
    Row(oid::kNumeric, oid::kFloat8, kImplicit, NumericToFloat8),
    Row(oid::kBool, oid::kInt4, kExplicit, nullptr),
    Row(oid::kBool, oid::kText, kAssignment, BoolToText),
    Row(oid::kBool, oid::kVarchar, kAssignment, BoolToText),
    Row(oid::kBool, oid::kBpchar, kAssignment, BoolToText),
    Row(oid::kOid, oid::kInt4, kAssignment, OidToInt4),
    Row(oid::kOid, oid::kInt8, kAssignment, nullptr),
    Row(oid::kRegnamespace, oid::kOid, kImplicit, nullptr),
    Row(oid::kOid, oid::kRegnamespace, kImplicit, nullptr),
    Row(oid::kInt4, oid::kRegnamespace, kImplicit, Int4ToOid),
    Row(oid::kRegclass, oid::kOid, kImplicit, nullptr),
    Row(oid::kOid, oid::kRegclass, kImplicit, nullptr),
    Row(oid::kInt2, oid::kRegclass, kImplicit, Int4ToOid),
    Row(oid::kInt4, oid::kRegclass, kImplicit, Int4ToOid),
    Row(oid::kInt8, oid::kRegclass, kImplicit, IntegerToInteger<uint32_t>),
    Row(oid::kRegclass, oid::kInt4, kAssignment, OidToInt4),
    Row(oid::kRegclass, oid::kInt8, kAssignment, nullptr),
    Row(oid::kRegtype, oid::kOid, kImplicit, nullptr),
    Row(oid::kOid, oid::kRegtype, kImplicit, nullptr),
    Row(oid::kInt2, oid::kRegtype, kImplicit, Int4ToOid),
    Row(oid::kInt4, oid::kRegtype, kImplicit, Int4ToOid),
    Row(oid::kInt8, oid::kRegtype, kImplicit, IntegerToInteger<uint32_t>),
    Row(oid::kRegtype, oid::kInt4, kAssignment, OidToInt4),
    Row(oid::kRegtype, oid::kInt8, kAssignment, nullptr),
    Row(oid::kText, oid::kBpchar, kImplicit, nullptr),
    Row(oid::kText, oid::kVarchar, kImplicit, nullptr),
    Row(oid::kText, oid::kName, kImplicit, TextToName),
    Row(oid::kText, oid::kChar, kAssignment, TextToChar),
    Row(oid::kVarchar, oid::kText, kImplicit, nullptr),
    Row(oid::kVarchar, oid::kBpchar, kImplicit, nullptr),
    Row(oid::kVarchar, oid::kName, kImplicit, TextToName),
    Row(oid::kVarchar, oid::kChar, kAssignment, TextToChar),
    Row(oid::kBpchar, oid::kText, kImplicit, BpcharToText),
    Row(oid::kBpchar, oid::kVarchar, kImplicit, BpcharToText),
    Row(oid::kBpchar, oid::kName, kImplicit, BpcharToName),
    Row(oid::kBpchar, oid::kChar, kAssignment, TextToChar),
    Row(oid::kName, oid::kText, kImplicit, nullptr),
    Row(oid::kName, oid::kVarchar, kAssignment, nullptr),
    Row(oid::kName, oid::kBpchar, kAssignment, nullptr),
    Row(oid::kInt4, oid::kChar, kExplicit, IntegerToChar),
    Row(oid::kChar, oid::kInt4, kExplicit, CharToInteger),
    Row(oid::kChar, oid::kText, kImplicit, CharAsText),
    Row(oid::kChar, oid::kVarchar, kAssignment, CharAsText),
    Row(oid::kChar, oid::kBpchar, kAssignment, CharAsText),
    Row(oid::kDate, oid::kTimestamp, kImplicit, DateToTimestamp),
    Row(oid::kDate, oid::kTimestamptz, kImplicit, DateToTimestamptz, Volatility::kStable),
    Row(oid::kTimestamp, oid::kDate, kAssignment, TimestampToDate),
    Row(oid::kTimestamptz, oid::kDate, kAssignment, TimestamptzToDate, Volatility::kStable),
    Row(oid::kTimestamp, oid::kTime, kAssignment, TimestampToTime),
    Row(oid::kTimestamptz, oid::kTime, kAssignment, TimestamptzToTime, Volatility::kStable),
    Row(oid::kTime, oid::kInterval, kImplicit, TimeToInterval),
    Row(oid::kInterval, oid::kTime, kAssignment, IntervalToTime),
    Row(oid::kTimestamp, oid::kTimestamptz, kImplicit, TimestampToTimestamptz, Volatility::kStable),
    Row(oid::kTimestamptz, oid::kTimestamp, kAssignment, TimestamptzToTimestamp,
        Volatility::kStable),
};

}  // namespace

CastPath FindCast(Oid source, Oid target, CoercionContext context) {
  if (source == target) return {CastMethod::kRelabel, nullptr};
  const TypeInfo& from = GetType(source);
  const TypeInfo& to = GetType(target);
  if (IsArray(from) && IsArray(to)) {
    if (to.catalog_only) return {};
    CastPath path = FindCast(from.element, to.element, context);
    path.of_elements = path.method != CastMethod::kNone && path.method != CastMethod::kRelabel;
    return path;
  }
  const bool in_table = !IsArray(from) && !IsArray(to);
  for (size_t i = 0; in_table && i < kCasts.size(); ++i) {
    const CastRow& row = kCasts[i];
    if (row.source != source || row.target != target) continue;
    if (row.context > context) return {};
    if (row.function.implementation == nullptr) return {CastMethod::kRelabel, nullptr};
    return {CastMethod::kFunction, &row.function};
  }
  // What has a text form can be printed on assignment and read on demand.
  if (from.category == 'P' || to.category == 'P') return {};
  if (to.category == 'S' && context >= kAssignment) return {CastMethod::kTextOutput, nullptr};
  if (from.category == 'S' && context == kExplicit) return {CastMethod::kTextInput, nullptr};
  return {};
}

bool IsCastFunction(const FunctionDescription& function) { return function.name == kCastName; }

bool CanCoerce(Oid source, Oid target, CoercionContext context) {
  if (source == target || source == type_oid::kUnknown || target == type_oid::kAny) return true;
  return FindCast(source, target, context).method != CastMethod::kNone;
}

}  // namespace connbench::engine
