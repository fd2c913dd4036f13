// Integer arithmetic: overflow is an error, never a wrap.
#include <fmt/format.h>

#include <array>
#include <limits>
#include <vector>

#include "engine/executor/expression/functions.h"

namespace connbench::engine {
namespace {

namespace oid = type_oid;

template <Oid kType>
struct IntegerOf;
template <>
struct IntegerOf<oid::kInt2> {
  using Type = int16_t;
};
template <>
struct IntegerOf<oid::kInt4> {
  using Type = int32_t;
};
template <>
struct IntegerOf<oid::kInt8> {
  using Type = int64_t;
};

bool OutOfRange(EvalContext& context, Oid type) {
  return context.Fail(Status::Error(sqlstate::kNumericValueOutOfRange,
                                    fmt::format("{} out of range", GetType(type).sql_name)));
}

bool DivisionByZero(EvalContext& context) {
  return context.Fail(Status::Error(sqlstate::kDivisionByZero, "division by zero"));
}

// Stores what fits kResult; overflowed: it did not even fit 64 bits.
template <Oid kResult>
bool Store(EvalContext& context, bool overflowed, int64_t value, Value& out) {
  using T = typename IntegerOf<kResult>::Type;
  if (overflowed || value < std::numeric_limits<T>::min() ||
      value > std::numeric_limits<T>::max()) {
    return OutOfRange(context, kResult);
  }
  out = Value::Integer(value);
  return true;
}

template <Oid kResult>
bool Add(EvalContext& context, const Value* a, uint32_t, Value& out) {
  int64_t value = 0;
  const bool overflowed = __builtin_add_overflow(a[0].integer, a[1].integer, &value);
  return Store<kResult>(context, overflowed, value, out);
}
template <Oid kResult>
bool Subtract(EvalContext& context, const Value* a, uint32_t, Value& out) {
  int64_t value = 0;
  const bool overflowed = __builtin_sub_overflow(a[0].integer, a[1].integer, &value);
  return Store<kResult>(context, overflowed, value, out);
}
template <Oid kResult>
bool Multiply(EvalContext& context, const Value* a, uint32_t, Value& out) {
  int64_t value = 0;
  const bool overflowed = __builtin_mul_overflow(a[0].integer, a[1].integer, &value);
  return Store<kResult>(context, overflowed, value, out);
}
template <Oid kResult>
bool Divide(EvalContext& context, const Value* a, uint32_t, Value& out) {
  if (a[1].integer == 0) return DivisionByZero(context);
  // The one quotient that does not fit: the smallest number by -1.
  if (a[1].integer == -1) {
    int64_t value = 0;
    const bool overflowed = __builtin_sub_overflow(int64_t{0}, a[0].integer, &value);
    return Store<kResult>(context, overflowed, value, out);
  }
  out = Value::Integer(a[0].integer / a[1].integer);
  return true;
}
bool Modulo(EvalContext& context, const Value* a, uint32_t, Value& out) {
  if (a[1].integer == 0) return DivisionByZero(context);
  out = Value::Integer(a[1].integer == -1 ? 0 : a[0].integer % a[1].integer);
  return true;
}
template <Oid kType>
bool Negate(EvalContext& context, const Value* a, uint32_t, Value& out) {
  int64_t value = 0;
  const bool overflowed = __builtin_sub_overflow(int64_t{0}, a[0].integer, &value);
  return Store<kType>(context, overflowed, value, out);
}
template <Oid kType>
bool Absolute(EvalContext& context, const Value* a, uint32_t count, Value& out) {
  if (a[0].integer < 0) return Negate<kType>(context, a, count, out);
  out = a[0];
  return true;
}

bool BitAnd(EvalContext&, const Value* a, uint32_t, Value& out) {
  out = Value::Integer(a[0].integer & a[1].integer);
  return true;
}
bool BitOr(EvalContext&, const Value* a, uint32_t, Value& out) {
  out = Value::Integer(a[0].integer | a[1].integer);
  return true;
}
bool BitXor(EvalContext&, const Value* a, uint32_t, Value& out) {
  out = Value::Integer(a[0].integer ^ a[1].integer);
  return true;
}
bool BitNot(EvalContext&, const Value* a, uint32_t, Value& out) {
  out = Value::Integer(~a[0].integer);
  return true;
}
// As the machine does: the distance modulo the width, sign kept.
template <Oid kType>
bool ShiftLeft(EvalContext&, const Value* a, uint32_t, Value& out) {
  using T = typename IntegerOf<kType>::Type;
  const auto distance = static_cast<uint64_t>(a[1].integer) & (sizeof(T) == 8 ? 63 : 31);
  out = Value::Integer(static_cast<T>(static_cast<uint64_t>(a[0].integer) << distance));
  return true;
}
template <Oid kType>
bool ShiftRight(EvalContext&, const Value* a, uint32_t, Value& out) {
  using T = typename IntegerOf<kType>::Type;
  const auto distance = static_cast<uint64_t>(a[1].integer) & (sizeof(T) == 8 ? 63 : 31);
  out = Value::Integer(a[0].integer >> distance);
  return true;
}

template <Oid kType>
bool GreatestCommonDivisor(EvalContext& context, const Value* a, uint32_t, Value& out) {
  int64_t x = a[0].integer;
  int64_t y = a[1].integer;
  while (y != 0) {
    const int64_t rest = y == -1 ? 0 : x % y;
    x = y;
    y = rest;
  }
  const Value result = Value::Integer(x);
  return Absolute<kType>(context, &result, 1, out);
}

template <Oid kType>
bool LeastCommonMultiple(EvalContext& context, const Value* a, uint32_t count, Value& out) {
  if (a[0].integer == 0 || a[1].integer == 0) {
    out = Value::Integer(0);
    return true;
  }
  Value divisor;
  if (!GreatestCommonDivisor<kType>(context, a, count, divisor)) return false;
  int64_t product = 0;
  const bool overflowed =
      __builtin_mul_overflow(a[0].integer / divisor.integer, a[1].integer, &product);
  if (overflowed) return OutOfRange(context, kType);
  const Value result = Value::Integer(product);
  return Absolute<kType>(context, &result, 1, out) &&
         Store<kType>(context, false, out.integer, out);
}

// The four arithmetic operators on a pair of types.
template <Oid kLeft, Oid kRight, Oid kResult>
void AddArithmetic(std::vector<FunctionDescription>& rows) {
  rows.push_back(OperatorRow("+", {kLeft, kRight}, kResult, Add<kResult>));
  rows.push_back(OperatorRow("-", {kLeft, kRight}, kResult, Subtract<kResult>));
  rows.push_back(OperatorRow("*", {kLeft, kRight}, kResult, Multiply<kResult>));
  rows.push_back(OperatorRow("/", {kLeft, kRight}, kResult, Divide<kResult>));
}

// What stays within one type.
template <Oid kType>
void AddWithinType(std::vector<FunctionDescription>& rows) {
  AddArithmetic<kType, kType, kType>(rows);
  rows.push_back(OperatorRow("%", {kType, kType}, kType, Modulo));
  rows.push_back(OperatorRow("+", {kType}, kType, SameValue));
  rows.push_back(OperatorRow("-", {kType}, kType, Negate<kType>));
  rows.push_back(OperatorRow("@", {kType}, kType, Absolute<kType>));
  rows.push_back(OperatorRow("&", {kType, kType}, kType, BitAnd));
  rows.push_back(OperatorRow("|", {kType, kType}, kType, BitOr));
  rows.push_back(OperatorRow("#", {kType, kType}, kType, BitXor));
  rows.push_back(OperatorRow("~", {kType}, kType, BitNot));
  rows.push_back(OperatorRow("<<", {kType, oid::kInt4}, kType, ShiftLeft<kType>));
  rows.push_back(OperatorRow(">>", {kType, oid::kInt4}, kType, ShiftRight<kType>));
  rows.push_back(FunctionRow("abs", {kType}, kType, Absolute<kType>));
  rows.push_back(FunctionRow("mod", {kType, kType}, kType, Modulo));
}

}  // namespace

std::span<const FunctionDescription> IntegerFunctions() {
  static const std::vector<FunctionDescription> kIntegerRows = [] {
    std::vector<FunctionDescription> rows;
    AddWithinType<oid::kInt2>(rows);
    AddWithinType<oid::kInt4>(rows);
    AddWithinType<oid::kInt8>(rows);
    AddArithmetic<oid::kInt2, oid::kInt4, oid::kInt4>(rows);
    AddArithmetic<oid::kInt4, oid::kInt2, oid::kInt4>(rows);
    AddArithmetic<oid::kInt2, oid::kInt8, oid::kInt8>(rows);
    AddArithmetic<oid::kInt8, oid::kInt2, oid::kInt8>(rows);
    AddArithmetic<oid::kInt4, oid::kInt8, oid::kInt8>(rows);
    AddArithmetic<oid::kInt8, oid::kInt4, oid::kInt8>(rows);
    rows.push_back(FunctionRow("gcd", {oid::kInt4, oid::kInt4}, oid::kInt4,
                               GreatestCommonDivisor<oid::kInt4>));
    rows.push_back(FunctionRow("gcd", {oid::kInt8, oid::kInt8}, oid::kInt8,
                               GreatestCommonDivisor<oid::kInt8>));
    rows.push_back(
        FunctionRow("lcm", {oid::kInt4, oid::kInt4}, oid::kInt4, LeastCommonMultiple<oid::kInt4>));
    rows.push_back(
        FunctionRow("lcm", {oid::kInt8, oid::kInt8}, oid::kInt8, LeastCommonMultiple<oid::kInt8>));
    return rows;
  }();
  return kIntegerRows;
}

}  // namespace connbench::engine
