// Angles and hyperbolas, in radians and in degrees.
#include <array>
#include <cmath>
#include <numbers>

#include "engine/executor/expression/functions.h"

namespace connbench::engine {
namespace {

namespace oid = type_oid;

bool OutsideDomain(EvalContext& context) {
  return context.Fail(Status::Error(sqlstate::kNumericValueOutOfRange, "input is out of range"));
}
bool StoreFinite(EvalContext& context, double value, Value& out) {
  if (std::isinf(value)) {
    return context.Fail(
        Status::Error(sqlstate::kNumericValueOutOfRange, "value out of range: overflow"));
  }
  out = Value::Real(value);
  return true;
}

// sin(), cos(), tan(), cot() of what is no number are none; infinite angles are errors.
template <double (*kFunction)(double)>
bool OfAngle(EvalContext& context, const Value* a, uint32_t, Value& out) {
  if (std::isinf(a[0].real)) return OutsideDomain(context);
  const double value = std::isnan(a[0].real) ? a[0].real : kFunction(a[0].real);
  // cot(0) is infinite, and PostgreSQL says so.
  out = Value::Real(value);
  return true;
}
double Cotangent(double x) { return 1.0 / std::tan(x); }

// asin(), acos() and theirs in degrees.
template <double (*kFunction)(double)>
bool OfSine(EvalContext& context, const Value* a, uint32_t, Value& out) {
  if (a[0].real < -1 || a[0].real > 1) return OutsideDomain(context);
  out = Value::Real(std::isnan(a[0].real) ? a[0].real : kFunction(a[0].real));
  return true;
}
template <double (*kFunction)(double)>
bool OfReal(EvalContext&, const Value* a, uint32_t, Value& out) {
  out = Value::Real(std::isnan(a[0].real) ? a[0].real : kFunction(a[0].real));
  return true;
}
template <double (*kFunction)(double, double)>
bool OfPair(EvalContext&, const Value* a, uint32_t, Value& out) {
  const bool is_nan = std::isnan(a[0].real) || std::isnan(a[1].real);
  out = Value::Real(is_nan ? std::nan("") : kFunction(a[0].real, a[1].real));
  return true;
}
bool InverseHyperbolicCosine(EvalContext& context, const Value* a, uint32_t, Value& out) {
  if (a[0].real < 1) return OutsideDomain(context);
  out = Value::Real(std::acosh(a[0].real));
  return true;
}
bool InverseHyperbolicTangent(EvalContext& context, const Value* a, uint32_t, Value& out) {
  if (a[0].real < -1 || a[0].real > 1) return OutsideDomain(context);
  out = Value::Real(std::atanh(a[0].real));
  return true;
}
bool Degrees(EvalContext& context, const Value* a, uint32_t, Value& out) {
  const double value = a[0].real / (std::numbers::pi / 180.0);
  if (std::isinf(a[0].real)) {
    out = a[0];
    return true;
  }
  return StoreFinite(context, value, out);
}
bool Radians(EvalContext& context, const Value* a, uint32_t, Value& out) {
  const double value = a[0].real * (std::numbers::pi / 180.0);
  if (value == 0 && a[0].real != 0) {
    return context.Fail(
        Status::Error(sqlstate::kNumericValueOutOfRange, "value out of range: underflow"));
  }
  out = Value::Real(value);
  return true;
}

// ---- degrees ----
//
// What is exact on paper (sind(30) = 0.5) is exact here: each function is divided by its own value
// at the exact place. The constants are computed at run time with the library that computes
// everything else, so that equal terms cancel; volatile keeps the compiler from knowing better.

struct ExactDegrees {
  double sin_30;
  double one_minus_cos_60;
  double asin_half;
  double acos_half;
  double atan_one;
  double tan_45;
  double cot_45;
};

double SineOfDegrees0To30(double x, const ExactDegrees& exact) {
  volatile double sine = std::sin(x * (std::numbers::pi / 180.0));
  return (sine / exact.sin_30) / 2.0;
}
double CosineOfDegrees0To60(double x, const ExactDegrees& exact) {
  volatile double difference = 1.0 - std::cos(x * (std::numbers::pi / 180.0));
  return 1.0 - (difference / exact.one_minus_cos_60) / 2.0;
}
double SineOfFirstQuadrant(double x, const ExactDegrees& exact) {
  return x <= 30.0 ? SineOfDegrees0To30(x, exact) : CosineOfDegrees0To60(90.0 - x, exact);
}
double CosineOfFirstQuadrant(double x, const ExactDegrees& exact) {
  return x <= 60.0 ? CosineOfDegrees0To60(x, exact) : SineOfDegrees0To30(90.0 - x, exact);
}

const ExactDegrees& Exact() {
  static const ExactDegrees kExact = [] {
    volatile double thirty = 30.0;
    volatile double forty_five = 45.0;
    volatile double sixty = 60.0;
    volatile double half = 0.5;
    volatile double one = 1.0;
    ExactDegrees exact{};
    exact.sin_30 = std::sin(thirty * (std::numbers::pi / 180.0));
    exact.one_minus_cos_60 = 1.0 - std::cos(sixty * (std::numbers::pi / 180.0));
    exact.asin_half = std::asin(half);
    exact.acos_half = std::acos(half);
    exact.atan_one = std::atan(one);
    const double sine = SineOfFirstQuadrant(forty_five, exact);
    const double cosine = CosineOfFirstQuadrant(forty_five, exact);
    exact.tan_45 = sine / cosine;
    exact.cot_45 = cosine / sine;
    return exact;
  }();
  return kExact;
}

double SineOfDegrees(double x) {
  double angle = std::fmod(x, 360.0);
  int sign = 1;
  if (angle < 0.0) {
    angle = -angle;
    sign = -sign;
  }
  if (angle > 180.0) {
    angle = 360.0 - angle;
    sign = -sign;
  }
  if (angle > 90.0) angle = 180.0 - angle;
  return sign * SineOfFirstQuadrant(angle, Exact());
}
double CosineOfDegrees(double x) {
  double angle = std::fmod(x, 360.0);
  int sign = 1;
  if (angle < 0.0) angle = -angle;
  if (angle > 180.0) angle = 360.0 - angle;
  if (angle > 90.0) {
    angle = 180.0 - angle;
    sign = -sign;
  }
  return sign * CosineOfFirstQuadrant(angle, Exact());
}
// kCotangent: else the tangent.
template <bool kCotangent>
double TangentOfDegrees(double x) {
  double angle = std::fmod(x, 360.0);
  int sign = 1;
  if (angle < 0.0) {
    angle = -angle;
    sign = -sign;
  }
  if (angle > 180.0) {
    angle = 360.0 - angle;
    sign = -sign;
  }
  if (angle > 90.0) {
    angle = 180.0 - angle;
    sign = -sign;
  }
  const ExactDegrees& exact = Exact();
  const double sine = SineOfFirstQuadrant(angle, exact);
  const double cosine = CosineOfFirstQuadrant(angle, exact);
  volatile double quotient = kCotangent ? cosine / sine : sine / cosine;
  const double value = sign * (quotient / (kCotangent ? exact.cot_45 : exact.tan_45));
  return value == 0.0 ? 0.0 : value;  // no minus zero
}
double ArcSineInDegrees0To1(double x) {
  if (x <= 0.5) {
    volatile double arc = std::asin(x);
    return (arc / Exact().asin_half) * 30.0;
  }
  volatile double arc = std::acos(x);
  return 90.0 - (arc / Exact().acos_half) * 60.0;
}
double ArcCosineInDegrees0To1(double x) {
  if (x <= 0.5) {
    volatile double arc = std::asin(x);
    return 90.0 - (arc / Exact().asin_half) * 30.0;
  }
  volatile double arc = std::acos(x);
  return (arc / Exact().acos_half) * 60.0;
}
double ArcSineInDegrees(double x) {
  return x >= 0.0 ? ArcSineInDegrees0To1(x) : -ArcSineInDegrees0To1(-x);
}
double ArcCosineInDegrees(double x) {
  return x >= 0.0 ? ArcCosineInDegrees0To1(x) : 90.0 + ArcSineInDegrees0To1(-x);
}
double ArcTangentInDegrees(double x) {
  volatile double arc = std::atan(x);
  return (arc / Exact().atan_one) * 45.0;
}
double ArcTangentOfPairInDegrees(double y, double x) {
  volatile double arc = std::atan2(y, x);
  return (arc / Exact().atan_one) * 45.0;
}

constexpr FunctionDescription RealRow(std::string_view name, FunctionImplementation function) {
  return FunctionRow(name, {oid::kFloat8}, oid::kFloat8, function);
}

constexpr std::array kTrigonometryRows = {
    RealRow("sin", OfAngle<std::sin>),
    RealRow("cos", OfAngle<std::cos>),
    RealRow("tan", OfAngle<std::tan>),
    RealRow("cot", OfAngle<Cotangent>),
    RealRow("sind", OfAngle<SineOfDegrees>),
    RealRow("cosd", OfAngle<CosineOfDegrees>),
    RealRow("tand", OfAngle<TangentOfDegrees<false>>),
    RealRow("cotd", OfAngle<TangentOfDegrees<true>>),
    RealRow("asin", OfSine<std::asin>),
    RealRow("acos", OfSine<std::acos>),
    RealRow("asind", OfSine<ArcSineInDegrees>),
    RealRow("acosd", OfSine<ArcCosineInDegrees>),
    RealRow("atan", OfReal<std::atan>),
    RealRow("atand", OfReal<ArcTangentInDegrees>),
    FunctionRow("atan2", {oid::kFloat8, oid::kFloat8}, oid::kFloat8, OfPair<std::atan2>),
    FunctionRow("atan2d", {oid::kFloat8, oid::kFloat8}, oid::kFloat8,
                OfPair<ArcTangentOfPairInDegrees>),
    RealRow("sinh", OfReal<std::sinh>),
    RealRow("cosh", OfReal<std::cosh>),
    RealRow("tanh", OfReal<std::tanh>),
    RealRow("asinh", OfReal<std::asinh>),
    RealRow("acosh", InverseHyperbolicCosine),
    RealRow("atanh", InverseHyperbolicTangent),
    RealRow("degrees", Degrees),
    RealRow("radians", Radians),
};

}  // namespace

std::span<const FunctionDescription> TrigonometryFunctions() { return kTrigonometryRows; }

}  // namespace connbench::engine
