// Powers, exponentials and logarithms of numerics. The scales of results are PostgreSQL's: at least
// sixteen significant digits, and no fewer than an argument shows. Guard digits make the last digit
// right, so that any exact method gives PostgreSQL's digits.
#include <algorithm>
#include <cmath>
#include <cstdlib>

#include "engine/executor/types/decimal.h"
#include "engine/executor/types/numeric.h"

namespace connbench::engine {
namespace {

constexpr int kMaxResultScale = 2 * kMaxNumericDisplayScale;
constexpr int kMaxWeight = INT16_MAX;
constexpr int kGuardDigits = 8;
constexpr double kLog10OfE = 0.434294481903252;
constexpr double kLog10Of2 = 0.301029995663981;

Status NegativeLogarithm() {
  return Status::Error(sqlstate::kInvalidArgumentForLogarithm,
                       "cannot take logarithm of a negative number");
}
Status ZeroLogarithm() {
  return Status::Error(sqlstate::kInvalidArgumentForLogarithm, "cannot take logarithm of zero");
}
Status ComplexResult() {
  return Status::Error(sqlstate::kInvalidArgumentForPowerFunction,
                       "a negative number raised to a non-integer power yields a complex result");
}

Decimal FromInteger(int64_t value) {
  Decimal d;
  if (value < 0) d.sign = DecimalSign::kNegative;
  for (auto rest = static_cast<uint64_t>(std::abs(value)); rest > 0; rest /= kDecimalBase) {
    d.digits.insert(d.digits.begin(), static_cast<int16_t>(rest % kDecimalBase));
  }
  d.weight = static_cast<int>(d.digits.size()) - 1;
  d.Strip();
  return d;
}

// tenths / 10, for the bounds of series.
Decimal Tenths(int tenths) {
  Decimal d;
  d.digits = {static_cast<int16_t>(tenths / 10), static_cast<int16_t>(tenths % 10 * 1000)};
  d.scale = 1;
  d.Strip();
  return d;
}

bool IsOne(const Decimal& d) {
  return d.sign == DecimalSign::kPositive && d.weight == 0 && d.digits.size() == 1 &&
         d.digits[0] == 1;
}
bool IsIntegral(const Decimal& d) { return static_cast<int>(d.digits.size()) <= d.weight + 1; }
bool IsOdd(const Decimal& d) {
  return !d.zero() && static_cast<int>(d.digits.size()) == d.weight + 1 && d.digits.back() % 2 != 0;
}

// Infinite if it is beyond a double.
double ToDouble(const Decimal& d) {
  double value = 0;
  constexpr size_t kDigitsOfDouble = 6;
  for (size_t i = 0; i < std::min(d.digits.size(), kDigitsOfDouble); ++i) {
    value += d.digits[i] * std::pow(double{kDecimalBase}, d.weight - static_cast<int>(i));
  }
  return d.negative() ? -value : value;
}

Status MultiplyRounded(const Decimal& a, const Decimal& b, int scale, WorkMeter& meter,
                       Decimal& out) {
  CONNBENCH_RETURN_IF_ERROR(Multiply(a, b, meter, out));
  if (out.scale > scale) out.Round(scale);
  out.scale = std::max(scale, 0);
  return Status::Ok();
}

// At least the sixteen digits that a result shows, and what each argument shows.
int ResultScale(int weight, std::initializer_list<int> shown) {
  int scale = kMinSignificantDigits - weight;
  for (int s : shown) scale = std::max(scale, s);
  return std::clamp(scale, 0, kMaxNumericDisplayScale);
}

// About log10 of |ln(x)|, rounded down. 0 for what has no logarithm.
int EstimateLnWeight(const Decimal& x) {
  if (x.zero() || x.negative()) return 0;
  if (CompareMagnitudes(x, Tenths(9)) >= 0 && CompareMagnitudes(x, Tenths(11)) <= 0) {
    const Decimal rest = Subtract(x, FromInteger(1));  // ln(1 + rest) is about rest
    if (rest.zero()) return 0;
    return rest.weight * kDecimalDigits + static_cast<int>(std::log10(rest.digits[0]));
  }
  double digits = x.digits[0];
  int weight = x.weight * kDecimalDigits;
  if (x.digits.size() > 1) {
    digits = digits * kDecimalBase + x.digits[1];
    weight -= kDecimalDigits;
  }
  constexpr double kLnOf10 = 2.302585092994046;
  return static_cast<int>(std::log10(std::abs(std::log(digits) + weight * kLnOf10)));
}

Status Exponential(const Decimal& argument, int scale, WorkMeter& meter, Decimal& out) {
  double value = ToDouble(argument);
  if (std::abs(value) >= kMaxResultScale * 3) {
    if (value > 0) return NumericOverflow();
    out = Decimal();
    out.scale = scale;
    return Status::Ok();
  }
  const int weight = static_cast<int>(value * kLog10OfE);
  // Halved until it is at most 0.01; the series' sum is squared as often.
  Decimal x = argument;
  int halvings = 0;
  for (; std::abs(value) > 0.01; value /= 2) ++halvings;
  if (halvings > 0) {
    CONNBENCH_RETURN_IF_ERROR(
        Divide(argument, FromInteger(int64_t{1} << halvings), x.scale + halvings, true, meter, x));
  }
  const int digits =
      std::max(1 + weight + scale + static_cast<int>(halvings * kLog10Of2), 0) + kGuardDigits;
  const int working = digits - 1;
  Decimal term = x;
  term.Round(working);
  out = Add(FromInteger(1), x);
  out.Round(working);
  for (int n = 2; !term.zero(); ++n) {
    Decimal product;
    CONNBENCH_RETURN_IF_ERROR(MultiplyRounded(term, x, working, meter, product));
    CONNBENCH_RETURN_IF_ERROR(Divide(product, FromInteger(n), working, true, meter, term));
    out = Add(out, term);
  }
  while (halvings-- > 0) {
    const int squared = std::max(digits - out.weight * 2 * kDecimalDigits, 0);
    CONNBENCH_RETURN_IF_ERROR(MultiplyRounded(out, out, squared, meter, out));
  }
  out.Round(scale);
  return Status::Ok();
}

// argument is above zero.
Status Logarithm(const Decimal& argument, int scale, WorkMeter& meter, Decimal& out) {
  // Roots bring the argument between 0.9 and 1.1; each doubles what the series gives.
  Decimal x = argument;
  Decimal factor = FromInteger(2);
  int roots = 0;
  const Decimal low = Tenths(9);
  const Decimal high = Tenths(11);
  while (CompareMagnitudes(x, low) <= 0 || CompareMagnitudes(x, high) >= 0) {
    Decimal root;
    CONNBENCH_RETURN_IF_ERROR(
        SquareRoot(x, scale - x.weight * kDecimalDigits / 2 + kGuardDigits, meter, root));
    x = std::move(root);
    CONNBENCH_RETURN_IF_ERROR(Multiply(factor, FromInteger(2), meter, factor));
    ++roots;
  }
  // ln(x) = 2 (z + z^3/3 + z^5/5 + ...) with z = (x - 1) / (x + 1)
  const int working = scale + static_cast<int>((roots + 1) * kLog10Of2) + kGuardDigits;
  const Decimal one = FromInteger(1);
  Decimal z;
  CONNBENCH_RETURN_IF_ERROR(Divide(Subtract(x, one), Add(x, one), working, true, meter, z));
  Decimal square;
  CONNBENCH_RETURN_IF_ERROR(MultiplyRounded(z, z, working, meter, square));
  Decimal power = z;
  Decimal sum = z;
  for (int n = 3;; n += 2) {
    CONNBENCH_RETURN_IF_ERROR(MultiplyRounded(power, square, working, meter, power));
    Decimal term;
    CONNBENCH_RETURN_IF_ERROR(Divide(power, FromInteger(n), working, true, meter, term));
    if (term.zero()) break;
    sum = Add(sum, term);
  }
  CONNBENCH_RETURN_IF_ERROR(Multiply(sum, factor, meter, out));
  out.Round(scale);
  return Status::Ok();
}

// base^exponent by squaring, with as many digits as the result needs. Here PostgreSQL 15 shows
// sixteen digits after the point, however small the result is.
Status IntegerPower(const Decimal& base, int exponent, WorkMeter& meter, Decimal& out) {
  const int scale = ResultScale(0, {base.scale});
  switch (exponent) {
    case 0:
      out = FromInteger(1);
      out.scale = scale;
      return Status::Ok();
    case 1:
      out = base;
      out.Round(scale);
      return Status::Ok();
    case -1:
      if (base.zero()) return Status::Error(sqlstate::kDivisionByZero, "division by zero");
      return Divide(FromInteger(1), base, scale, true, meter, out);
    case 2:
      return MultiplyRounded(base, base, scale, meter, out);
    default:
      break;
  }
  if (base.zero()) {
    if (exponent < 0) return Status::Error(sqlstate::kDivisionByZero, "division by zero");
    out = Decimal();
    out.scale = scale;
    return Status::Ok();
  }
  double leading = base.digits[0];
  int tens = base.weight * kDecimalDigits;
  constexpr size_t kDigitsOfDouble = 4;
  for (size_t i = 1; i < std::min(base.digits.size(), kDigitsOfDouble); ++i) {
    leading = leading * kDecimalBase + base.digits[i];
    tens -= kDecimalDigits;
  }
  const double weight = exponent * (std::log10(leading) + tens);  // of the result, in digits
  if (weight > 3.0 * kMaxWeight * kDecimalDigits) return NumericOverflow();
  if (weight + 1 < -scale) {
    out = Decimal();
    out.scale = scale;
    return Status::Ok();
  }
  const int digits = 1 + scale + static_cast<int>(weight) +
                     static_cast<int>(std::log(std::abs(double{1} * exponent))) + kGuardDigits;
  bool inverse = exponent < 0;
  uint32_t bits = inverse ? -static_cast<uint32_t>(exponent) : static_cast<uint32_t>(exponent);
  Decimal square = base;
  out = bits % 2 != 0 ? base : FromInteger(1);
  while ((bits >>= 1) > 0) {
    int working = digits - 2 * square.weight * kDecimalDigits;
    working = std::max(std::min(working, 2 * square.scale), 0);
    CONNBENCH_RETURN_IF_ERROR(MultiplyRounded(square, square, working, meter, square));
    if (bits % 2 != 0) {
      working = digits - (square.weight + out.weight) * kDecimalDigits;
      working = std::max(std::min(working, square.scale + out.scale), 0);
      CONNBENCH_RETURN_IF_ERROR(MultiplyRounded(square, out, working, meter, out));
    }
    if (square.weight > kMaxWeight || out.weight > kMaxWeight) {
      if (!inverse) return NumericOverflow();
      out = Decimal();
      out.scale = scale;
      return Status::Ok();
    }
  }
  if (inverse) {
    const Decimal power = out;
    return Divide(FromInteger(1), power, scale, true, meter, out);
  }
  out.Round(scale);
  return Status::Ok();
}

// Whether an integral exponent fits 32 bits.
bool FitsInteger(const Decimal& d, int& out) {
  if (!IsIntegral(d) || d.weight > 2) return false;
  int64_t value = 0;
  for (int i = 0; !d.zero() && i <= d.weight; ++i)
    value = value * kDecimalBase + d.digit_or_zero(i);
  if (d.negative()) value = -value;
  if (value < INT32_MIN || value > INT32_MAX) return false;
  out = static_cast<int>(value);
  return true;
}

Status Power(const Decimal& argument, const Decimal& exponent, WorkMeter& meter, Decimal& out) {
  int integer = 0;
  if (FitsInteger(exponent, integer)) {
    return IntegerPower(argument, integer, meter, out);
  }
  if (argument.zero()) {
    out = Decimal();
    out.scale = kMinSignificantDigits;
    return Status::Ok();
  }
  if (argument.negative() && !IsIntegral(exponent)) return ComplexResult();
  Decimal base = argument;
  base.sign = DecimalSign::kPositive;
  // First about eight digits of exponent * ln(base), which tell how large the result will be.
  const int ln_weight = EstimateLnWeight(base);
  int working = std::max(kGuardDigits - ln_weight, 0);
  Decimal logarithm;
  Decimal product;
  CONNBENCH_RETURN_IF_ERROR(Logarithm(base, working, meter, logarithm));
  CONNBENCH_RETURN_IF_ERROR(MultiplyRounded(logarithm, exponent, working, meter, product));
  double value = ToDouble(product);
  if (std::abs(value) > kMaxResultScale * 3.01) {
    if (value > 0) return NumericOverflow();
    out = Decimal();
    out.scale = kMaxNumericDisplayScale;
    return Status::Ok();
  }
  value *= kLog10OfE;
  const int scale = ResultScale(static_cast<int>(value), {base.scale, exponent.scale});
  const int digits = std::max(scale + static_cast<int>(value), 0);
  working = std::max(digits - ln_weight + kGuardDigits, 0);
  CONNBENCH_RETURN_IF_ERROR(Logarithm(base, working, meter, logarithm));
  CONNBENCH_RETURN_IF_ERROR(MultiplyRounded(logarithm, exponent, working, meter, product));
  CONNBENCH_RETURN_IF_ERROR(Exponential(product, scale, meter, out));
  if (argument.negative() && IsOdd(exponent) && !out.zero()) out.sign = DecimalSign::kNegative;
  return Status::Ok();
}

// The rules of POSIX's pow() where an argument is NaN or infinite.
Status PowerOfSpecials(const Decimal& x, const Decimal& y, Decimal& out) {
  const Decimal one = FromInteger(1);
  const Decimal infinity = Decimal::Special(DecimalSign::kInfinity);
  const bool x_nan = x.sign == DecimalSign::kNan;
  const bool y_nan = y.sign == DecimalSign::kNan;
  out = Decimal::Special(DecimalSign::kNan);
  if (x_nan || y_nan) {
    if ((x_nan && y.zero()) || (!x_nan && IsOne(x))) out = one;
    return Status::Ok();
  }
  const int x_sign = SignOf(x);
  const int y_sign = SignOf(y);
  if (x_sign == 0 && y_sign < 0) {
    return Status::Error(sqlstate::kInvalidArgumentForPowerFunction,
                         "zero raised to a negative power is undefined");
  }
  if (x_sign < 0 && !y.special() && !IsIntegral(y)) return ComplexResult();
  if (IsOne(x) || y_sign == 0) {
    out = one;
  } else if (x_sign == 0) {
    out = Decimal();
  } else if (y.special()) {
    const int order = x.special() ? 1 : CompareMagnitudes(x, one);
    if (order == 0) {
      out = one;  // -1
    } else {
      out = (order > 0) == (y_sign > 0) ? infinity : Decimal();
    }
  } else if (y_sign < 0) {
    out = Decimal();
  } else {
    out = x_sign < 0 && IsOdd(y) ? Decimal::Special(DecimalSign::kMinusInfinity) : infinity;
  }
  return Status::Ok();
}

}  // namespace

Status ExponentialNumeric(const Value& a, Arena& arena, Value& out) {
  Decimal x = Unpack(a);
  if (x.special()) {
    if (x.sign == DecimalSign::kMinusInfinity) x = Decimal();
    return Pack(x, arena, out);
  }
  const double weight =
      std::clamp<double>(ToDouble(x) * kLog10OfE, -kMaxResultScale, kMaxResultScale);
  WorkMeter meter = arena.Meter();
  Decimal result;
  CONNBENCH_RETURN_IF_ERROR(
      Exponential(x, ResultScale(static_cast<int>(weight), {x.scale}), meter, result));
  return Pack(result, arena, out);
}

Status NaturalLogarithmNumeric(const Value& a, Arena& arena, Value& out) {
  Decimal x = Unpack(a);
  if (x.sign == DecimalSign::kMinusInfinity || x.negative()) return NegativeLogarithm();
  if (x.special()) return Pack(x, arena, out);
  if (x.zero()) return ZeroLogarithm();
  WorkMeter meter = arena.Meter();
  Decimal result;
  CONNBENCH_RETURN_IF_ERROR(
      Logarithm(x, ResultScale(EstimateLnWeight(x), {x.scale}), meter, result));
  return Pack(result, arena, out);
}

Status LogarithmNumeric(const Value& base, const Value& a, Arena& arena, Value& out) {
  const Decimal b = Unpack(base);
  const Decimal x = Unpack(a);
  Decimal result = Decimal::Special(DecimalSign::kNan);
  if (b.sign == DecimalSign::kNan || x.sign == DecimalSign::kNan) return Pack(result, arena, out);
  if (SignOf(b) < 0 || SignOf(x) < 0) return NegativeLogarithm();
  if (b.zero() || x.zero()) return ZeroLogarithm();
  if (b.special() || x.special()) {
    if (!b.special()) result = x;
    if (!x.special()) result = Decimal();
    return Pack(result, arena, out);
  }
  const int base_weight = EstimateLnWeight(b);
  const int weight = EstimateLnWeight(x);
  const int result_weight = weight - base_weight;
  const int scale = ResultScale(result_weight, {b.scale, x.scale});
  WorkMeter meter = arena.Meter();
  Decimal ln_base;
  Decimal ln_x;
  CONNBENCH_RETURN_IF_ERROR(Logarithm(
      b, std::max(scale + result_weight - base_weight + kGuardDigits, 0), meter, ln_base));
  CONNBENCH_RETURN_IF_ERROR(
      Logarithm(x, std::max(scale + result_weight - weight + kGuardDigits, 0), meter, ln_x));
  if (ln_base.zero()) return Status::Error(sqlstate::kDivisionByZero, "division by zero");
  CONNBENCH_RETURN_IF_ERROR(Divide(ln_x, ln_base, scale, true, meter, result));
  return Pack(result, arena, out);
}

Status CommonLogarithmNumeric(const Value& a, Arena& arena, Value& out) {
  Value ten;
  CONNBENCH_RETURN_IF_ERROR(NumericFromInteger(10, arena, ten));
  return LogarithmNumeric(ten, a, arena, out);
}

Status PowerNumeric(const Value& base, const Value& exponent, Arena& arena, Value& out) {
  const Decimal x = Unpack(base);
  const Decimal y = Unpack(exponent);
  Decimal result;
  if (x.special() || y.special()) {
    CONNBENCH_RETURN_IF_ERROR(PowerOfSpecials(x, y, result));
    return Pack(result, arena, out);
  }
  if (x.zero() && SignOf(y) < 0) {
    return Status::Error(sqlstate::kInvalidArgumentForPowerFunction,
                         "zero raised to a negative power is undefined");
  }
  WorkMeter meter = arena.Meter();
  CONNBENCH_RETURN_IF_ERROR(Power(x, y, meter, result));
  return Pack(result, arena, out);
}

Status FactorialNumeric(int64_t n, Arena& arena, Value& out) {
  constexpr int64_t kLargest = 32177;  // whose factorial a numeric holds
  if (n < 0) {
    return Status::Error(sqlstate::kNumericValueOutOfRange,
                         "factorial of a negative number is undefined");
  }
  if (n > kLargest) return NumericOverflow();
  WorkMeter meter = arena.Meter();
  Decimal product = FromInteger(1);
  for (int64_t i = 2; i <= n; ++i) {
    CONNBENCH_RETURN_IF_ERROR(Multiply(product, FromInteger(i), meter, product));
  }
  return Pack(product, arena, out);
}

}  // namespace connbench::engine
