// Arithmetic on real and double precision. Overflow and underflow are errors, as in PostgreSQL.
#include <array>
#include <cmath>
#include <limits>
#include <numbers>
#include <vector>

#include "engine/executor/expression/functions.h"

namespace connbench::engine {
namespace {

namespace oid = type_oid;

bool Overflow(EvalContext& context) {
  return context.Fail(
      Status::Error(sqlstate::kNumericValueOutOfRange, "value out of range: overflow"));
}
bool Underflow(EvalContext& context) {
  return context.Fail(
      Status::Error(sqlstate::kNumericValueOutOfRange, "value out of range: underflow"));
}

// T: the type that the operation is done in, float when both sides are float4.
template <typename T>
bool Add(EvalContext& context, const Value* a, uint32_t, Value& out) {
  out = Value::Real(static_cast<T>(a[0].real) + static_cast<T>(a[1].real));
  if (std::isinf(out.real) && !std::isinf(a[0].real) && !std::isinf(a[1].real)) {
    return Overflow(context);
  }
  return true;
}
template <typename T>
bool Subtract(EvalContext& context, const Value* a, uint32_t, Value& out) {
  out = Value::Real(static_cast<T>(a[0].real) - static_cast<T>(a[1].real));
  if (std::isinf(out.real) && !std::isinf(a[0].real) && !std::isinf(a[1].real)) {
    return Overflow(context);
  }
  return true;
}
template <typename T>
bool Multiply(EvalContext& context, const Value* a, uint32_t, Value& out) {
  out = Value::Real(static_cast<T>(a[0].real) * static_cast<T>(a[1].real));
  if (std::isinf(out.real) && !std::isinf(a[0].real) && !std::isinf(a[1].real)) {
    return Overflow(context);
  }
  if (out.real == 0 && a[0].real != 0 && a[1].real != 0) return Underflow(context);
  return true;
}
template <typename T>
bool Divide(EvalContext& context, const Value* a, uint32_t, Value& out) {
  if (a[1].real == 0 && !std::isnan(a[0].real)) {
    return context.Fail(Status::Error(sqlstate::kDivisionByZero, "division by zero"));
  }
  out = Value::Real(static_cast<T>(a[0].real) / static_cast<T>(a[1].real));
  if (std::isinf(out.real) && !std::isinf(a[0].real)) return Overflow(context);
  if (out.real == 0 && a[0].real != 0 && !std::isinf(a[1].real)) return Underflow(context);
  return true;
}
bool Negate(EvalContext&, const Value* a, uint32_t, Value& out) {
  out = Value::Real(-a[0].real);
  return true;
}
template <double (*kFunction)(double)>
bool Apply(EvalContext&, const Value* a, uint32_t, Value& out) {
  out = Value::Real(kFunction(a[0].real));
  return true;
}
double Sign(double x) { return x > 0 ? 1 : x < 0 ? -1 : x; }

bool SquareRoot(EvalContext& context, const Value* a, uint32_t, Value& out) {
  if (a[0].real < 0) {
    return context.Fail(Status::Error(sqlstate::kInvalidArgumentForPowerFunction,
                                      "cannot take square root of a negative number"));
  }
  out = Value::Real(std::sqrt(a[0].real));
  return true;
}
bool Exponential(EvalContext& context, const Value* a, uint32_t, Value& out) {
  out = Value::Real(std::exp(a[0].real));
  if (std::isinf(out.real) && !std::isinf(a[0].real)) return Overflow(context);
  if (out.real == 0 && !std::isinf(a[0].real)) return Underflow(context);
  return true;
}
template <double (*kFunction)(double)>
bool Logarithm(EvalContext& context, const Value* a, uint32_t, Value& out) {
  if (a[0].real == 0) {
    return context.Fail(
        Status::Error(sqlstate::kInvalidArgumentForLogarithm, "cannot take logarithm of zero"));
  }
  if (a[0].real < 0) {
    return context.Fail(Status::Error(sqlstate::kInvalidArgumentForLogarithm,
                                      "cannot take logarithm of a negative number"));
  }
  out = Value::Real(kFunction(a[0].real));
  return true;
}
bool Power(EvalContext& context, const Value* a, uint32_t, Value& out) {
  const double base = a[0].real;
  const double exponent = a[1].real;
  if (base == 0 && exponent < 0) {
    return context.Fail(Status::Error(sqlstate::kInvalidArgumentForPowerFunction,
                                      "zero raised to a negative power is undefined"));
  }
  if (base < 0 && std::isfinite(exponent) && std::floor(exponent) != exponent) {
    return context.Fail(
        Status::Error(sqlstate::kInvalidArgumentForPowerFunction,
                      "a negative number raised to a non-integer power yields a complex result"));
  }
  out = Value::Real(std::pow(base, exponent));
  const bool finite = std::isfinite(base) && std::isfinite(exponent);
  if (finite && std::isinf(out.real)) return Overflow(context);
  if (finite && out.real == 0 && base != 0) return Underflow(context);
  return true;
}
bool Pi(EvalContext&, const Value*, uint32_t, Value& out) {
  out = Value::Real(std::numbers::pi);
  return true;
}
bool Random(EvalContext& context, const Value*, uint32_t, Value& out) {
  out = Value::Real(context.environment->Random());
  return true;
}
bool SetSeed(EvalContext& context, const Value* a, uint32_t, Value& out) {
  if (!(a[0].real >= -1 && a[0].real <= 1)) {
    return context.Fail(Status::Error(sqlstate::kInvalidParameterValue,
                                      "setseed parameter is out of allowed range [-1,1]"));
  }
  context.environment->SetRandomSeed(a[0].real);
  out = Value::Integer(0);
  return true;
}

constexpr std::array kFixedRows = {
    OperatorRow("^", {oid::kFloat8, oid::kFloat8}, oid::kFloat8, Power),
    OperatorRow("+", {oid::kFloat8}, oid::kFloat8, SameValue),
    OperatorRow("+", {oid::kFloat4}, oid::kFloat4, SameValue),
    OperatorRow("-", {oid::kFloat8}, oid::kFloat8, Negate),
    OperatorRow("-", {oid::kFloat4}, oid::kFloat4, Negate),
    OperatorRow("@", {oid::kFloat8}, oid::kFloat8, Apply<std::fabs>),
    OperatorRow("@", {oid::kFloat4}, oid::kFloat4, Apply<std::fabs>),
    OperatorRow("||/", {oid::kFloat8}, oid::kFloat8, Apply<std::cbrt>),
    OperatorRow("|/", {oid::kFloat8}, oid::kFloat8, SquareRoot),
    FunctionRow("abs", {oid::kFloat8}, oid::kFloat8, Apply<std::fabs>),
    FunctionRow("abs", {oid::kFloat4}, oid::kFloat4, Apply<std::fabs>),
    FunctionRow("sign", {oid::kFloat8}, oid::kFloat8, Apply<Sign>),
    FunctionRow("ceil", {oid::kFloat8}, oid::kFloat8, Apply<std::ceil>),
    FunctionRow("ceiling", {oid::kFloat8}, oid::kFloat8, Apply<std::ceil>),
    FunctionRow("floor", {oid::kFloat8}, oid::kFloat8, Apply<std::floor>),
    FunctionRow("round", {oid::kFloat8}, oid::kFloat8, Apply<std::rint>),
    FunctionRow("trunc", {oid::kFloat8}, oid::kFloat8, Apply<std::trunc>),
    FunctionRow("sqrt", {oid::kFloat8}, oid::kFloat8, SquareRoot),
    FunctionRow("cbrt", {oid::kFloat8}, oid::kFloat8, Apply<std::cbrt>),
    FunctionRow("exp", {oid::kFloat8}, oid::kFloat8, Exponential),
    FunctionRow("ln", {oid::kFloat8}, oid::kFloat8, Logarithm<std::log>),
    FunctionRow("log", {oid::kFloat8}, oid::kFloat8, Logarithm<std::log10>),
    FunctionRow("log10", {oid::kFloat8}, oid::kFloat8, Logarithm<std::log10>),
    FunctionRow("power", {oid::kFloat8, oid::kFloat8}, oid::kFloat8, Power),
    FunctionRow("pow", {oid::kFloat8, oid::kFloat8}, oid::kFloat8, Power),
    FunctionRow("pi", {}, oid::kFloat8, Pi),
    FunctionRow("random", {}, oid::kFloat8, Random, Volatility::kVolatile),
    FunctionRow("setseed", {oid::kFloat8}, oid::kVoid, SetSeed, Volatility::kVolatile),
};

// The four operators on a pair of types: in float4 if both are, otherwise in float8.
template <typename T, Oid kLeft, Oid kRight, Oid kResult>
void AddArithmetic(std::vector<FunctionDescription>& rows) {
  rows.push_back(OperatorRow("+", {kLeft, kRight}, kResult, Add<T>));
  rows.push_back(OperatorRow("-", {kLeft, kRight}, kResult, Subtract<T>));
  rows.push_back(OperatorRow("*", {kLeft, kRight}, kResult, Multiply<T>));
  rows.push_back(OperatorRow("/", {kLeft, kRight}, kResult, Divide<T>));
}

}  // namespace

std::span<const FunctionDescription> RealFunctions() {
  static const std::vector<FunctionDescription> kRealRows = [] {
    std::vector<FunctionDescription> rows(kFixedRows.begin(), kFixedRows.end());
    AddArithmetic<double, oid::kFloat8, oid::kFloat8, oid::kFloat8>(rows);
    AddArithmetic<float, oid::kFloat4, oid::kFloat4, oid::kFloat4>(rows);
    AddArithmetic<double, oid::kFloat4, oid::kFloat8, oid::kFloat8>(rows);
    AddArithmetic<double, oid::kFloat8, oid::kFloat4, oid::kFloat8>(rows);
    return rows;
  }();
  return kRealRows;
}

}  // namespace connbench::engine
