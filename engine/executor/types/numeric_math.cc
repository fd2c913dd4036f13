// sqrt, exp, ln, log and power of numeric, with PostgreSQL's scales.
#include <algorithm>
#include <cmath>

#include "engine/executor/types/decimal.h"
#include "engine/executor/types/numeric.h"

namespace connbench::engine {
namespace {

Status DivisionByZero() { return Status::Error(sqlstate::kDivisionByZero, "division by zero"); }

bool IsNan(const Decimal& d) { return d.sign == DecimalSign::kNan; }
Decimal Infinity(int sign) {
  return Decimal::Special(sign < 0 ? DecimalSign::kMinusInfinity : DecimalSign::kInfinity);
}
Decimal Nan() { return Decimal::Special(DecimalSign::kNan); }

// PostgreSQL's select_div_scale: at least 16 significant digits, no fewer than either input shows.
int QuotientScale(const Decimal& a, const Decimal& b) {
  const int first_a = a.digit_or_zero(0);
  const int first_b = b.digit_or_zero(0);
  int weight = (a.zero() ? 0 : a.weight) - (b.zero() ? 0 : b.weight);
  if (first_a <= first_b) --weight;
  int scale = kMinSignificantDigits - weight * kDecimalDigits;
  scale = std::max({scale, a.scale, b.scale, 0});
  return std::min(scale, kMaxNumericDisplayScale);
}

}  // namespace

int CompareNumeric(const Value& a, const Value& b) {
  const Decimal x = Unpack(a);
  const Decimal y = Unpack(b);
  const auto rank = [](const Decimal& d) {
    switch (d.sign) {
      case DecimalSign::kMinusInfinity:
        return -2;
      case DecimalSign::kInfinity:
        return 2;
      case DecimalSign::kNan:
        return 3;
      default:
        return SignOf(d);
    }
  };
  if (rank(x) != rank(y)) return rank(x) < rank(y) ? -1 : 1;
  if (x.special()) return 0;
  return x.negative() ? CompareMagnitudes(y, x) : CompareMagnitudes(x, y);
}

Status AddNumeric(const Value& a, const Value& b, Arena& arena, Value& out) {
  const Decimal x = Unpack(a);
  const Decimal y = Unpack(b);
  Decimal sum;
  if (IsNan(x) || IsNan(y)) {
    sum = Nan();
  } else if (x.special() && y.special()) {
    sum = x.sign == y.sign ? x : Nan();
  } else if (x.special() || y.special()) {
    sum = x.special() ? x : y;
  } else {
    sum = Add(x, y);
  }
  return Pack(sum, arena, out);
}

Status SubtractNumeric(const Value& a, const Value& b, Arena& arena, Value& out) {
  Value negated;
  CONNBENCH_RETURN_IF_ERROR(NegateNumeric(b, arena, negated));
  return AddNumeric(a, negated, arena, out);
}

Status MultiplyNumeric(const Value& a, const Value& b, Arena& arena, Value& out) {
  const Decimal x = Unpack(a);
  const Decimal y = Unpack(b);
  Decimal product;
  if (IsNan(x) || IsNan(y)) {
    product = Nan();
  } else if (x.special() || y.special()) {
    const int sign = SignOf(x) * SignOf(y);
    product = sign == 0 ? Nan() : Infinity(sign);
  } else {
    WorkMeter meter = arena.Meter();
    CONNBENCH_RETURN_IF_ERROR(Multiply(x, y, meter, product));
    if (product.scale > kMaxNumericScale) product.Round(kMaxNumericScale);
  }
  return Pack(product, arena, out);
}

Status DivideNumeric(const Value& a, const Value& b, Arena& arena, Value& out) {
  const Decimal x = Unpack(a);
  const Decimal y = Unpack(b);
  Decimal quotient;
  if (IsNan(x) || IsNan(y) || (x.special() && y.special())) {
    quotient = Nan();
  } else if (y.zero()) {
    return DivisionByZero();
  } else if (x.special()) {
    quotient = Infinity(SignOf(x) * SignOf(y));
  } else if (!y.special()) {
    WorkMeter meter = arena.Meter();
    CONNBENCH_RETURN_IF_ERROR(Divide(x, y, QuotientScale(x, y), true, meter, quotient));
  }
  return Pack(quotient, arena, out);
}

Status ModuloNumeric(const Value& a, const Value& b, Arena& arena, Value& out) {
  const Decimal x = Unpack(a);
  const Decimal y = Unpack(b);
  Decimal rest;
  if (IsNan(x) || IsNan(y)) {
    rest = Nan();
  } else if (x.special()) {
    if (y.zero()) return DivisionByZero();
    rest = Nan();
  } else if (y.special()) {
    rest = x;
  } else if (y.zero()) {
    return DivisionByZero();
  } else {
    const int scale = std::max(x.scale, y.scale);
    WorkMeter meter = arena.Meter();
    Decimal whole;
    CONNBENCH_RETURN_IF_ERROR(Divide(x, y, 0, false, meter, whole));
    CONNBENCH_RETURN_IF_ERROR(Multiply(whole, y, meter, whole));
    rest = Subtract(x, whole);
    rest.Round(scale);
  }
  return Pack(rest, arena, out);
}

Status SquareRootNumeric(const Value& a, Arena& arena, Value& out) {
  Decimal x = Unpack(a);
  if (IsNan(x) || x.sign == DecimalSign::kInfinity) return Pack(x, arena, out);
  if (SignOf(x) < 0) {
    return Status::Error(sqlstate::kInvalidArgumentForPowerFunction,
                         "cannot take square root of a negative number");
  }
  // At least 16 significant digits, and what the argument shows.
  const int weight =
      x.weight >= 0 ? x.weight * kDecimalDigits / 2 + 1 : 1 - (1 - x.weight * kDecimalDigits) / 2;
  const int scale =
      std::min(std::max({kMinSignificantDigits - weight, x.scale, 0}), kMaxNumericDisplayScale);
  WorkMeter meter = arena.Meter();
  Decimal root;
  CONNBENCH_RETURN_IF_ERROR(SquareRoot(x, scale, meter, root));
  return Pack(root, arena, out);
}

Status NegateNumeric(const Value& a, Arena& arena, Value& out) {
  Decimal x = Unpack(a);
  if (!x.zero()) x.sign = Opposite(x.sign);
  return Pack(x, arena, out);
}

Status AbsoluteNumeric(const Value& a, Arena& arena, Value& out) {
  Decimal x = Unpack(a);
  if (!IsNan(x) && SignOf(x) < 0) x.sign = Opposite(x.sign);
  return Pack(x, arena, out);
}

Status SignNumeric(const Value& a, Arena& arena, Value& out) {
  Decimal x = Unpack(a);
  if (!IsNan(x)) return NumericFromInteger(SignOf(x), arena, out);
  return Pack(x, arena, out);
}

Status RoundNumeric(const Value& a, int32_t scale, NumericRounding rounding, Arena& arena,
                    Value& out) {
  Decimal x = Unpack(a);
  if (x.special()) return Pack(x, arena, out);
  scale = std::clamp(scale, -kMaxNumericScale, kMaxNumericScale);
  if (rounding == NumericRounding::kHalfAwayFromZero) {
    x.Round(scale);
    return Pack(x, arena, out);
  }
  Decimal cut = x;
  cut.Truncate(scale);
  const bool inexact = CompareMagnitudes(cut, x) != 0;
  const bool away = rounding == NumericRounding::kUp ? !x.negative() : x.negative();
  if (inexact && rounding != NumericRounding::kTowardsZero && away) {
    Decimal one;  // floor and ceil are asked for at scale 0 only
    one.digits.push_back(1);
    one.sign = x.sign;
    cut = Add(cut, one);
  }
  return Pack(cut, arena, out);
}

}  // namespace connbench::engine
