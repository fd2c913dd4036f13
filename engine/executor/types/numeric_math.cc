#include <algorithm>
#include <cmath>

#include "engine/executor/types/decimal.h"
#include "engine/executor/types/numeric.h"

namespace connbench::engine {
namespace {

Status DivisionByZero() { return Status::Error(sqlstate::kDivisionByZero, "division by zero"); }

DecimalSign Flip(DecimalSign sign) {
  switch (sign) {
    case DecimalSign::kPositive:
      return DecimalSign::kNegative;
    case DecimalSign::kNegative:
      return DecimalSign::kPositive;
    case DecimalSign::kInfinity:
      return DecimalSign::kMinusInfinity;
    case DecimalSign::kMinusInfinity:
      return DecimalSign::kInfinity;
    default:
      return sign;
  }
}

bool IsNan(const Decimal& d) { return d.sign == DecimalSign::kNan; }
// -1, 0, 1; infinities count, NaN does not come here.
int SignOf(const Decimal& d) {
  if (d.zero()) return 0;
  return d.negative() || d.sign == DecimalSign::kMinusInfinity ? -1 : 1;
}
Decimal Infinity(int sign) {
  return Decimal::Special(sign < 0 ? DecimalSign::kMinusInfinity : DecimalSign::kInfinity);
}
Decimal Nan() { return Decimal::Special(DecimalSign::kNan); }

Decimal AddMagnitudes(const Decimal& a, const Decimal& b) {
  Decimal sum;
  sum.scale = std::max(a.scale, b.scale);
  sum.weight = std::max(a.weight, b.weight) + 1;
  const int last = std::max(static_cast<int>(a.digits.size()) - a.weight,
                            static_cast<int>(b.digits.size()) - b.weight) -
                   1;  // digits after the point
  const int count = sum.weight + last + 1;
  sum.digits.resize(static_cast<size_t>(std::max(count, 1)));
  int carry = 0;
  for (int i = static_cast<int>(sum.digits.size()) - 1; i >= 0; --i) {
    const int power = sum.weight - i;
    int digit = a.digit_or_zero(a.weight - power) + b.digit_or_zero(b.weight - power) + carry;
    carry = digit >= kDecimalBase ? 1 : 0;
    digit -= carry * kDecimalBase;
    sum.digits[static_cast<size_t>(i)] = static_cast<int16_t>(digit);
  }
  return sum;
}

// |a| >= |b|
Decimal SubtractMagnitudes(const Decimal& a, const Decimal& b) {
  Decimal difference;
  difference.scale = std::max(a.scale, b.scale);
  difference.weight = std::max(a.weight, b.weight);
  const int last = std::max(static_cast<int>(a.digits.size()) - a.weight,
                            static_cast<int>(b.digits.size()) - b.weight) -
                   1;
  difference.digits.resize(static_cast<size_t>(std::max(difference.weight + last + 1, 1)));
  int borrow = 0;
  for (int i = static_cast<int>(difference.digits.size()) - 1; i >= 0; --i) {
    const int power = difference.weight - i;
    int digit = a.digit_or_zero(a.weight - power) - b.digit_or_zero(b.weight - power) - borrow;
    borrow = digit < 0 ? 1 : 0;
    digit += borrow * kDecimalBase;
    difference.digits[static_cast<size_t>(i)] = static_cast<int16_t>(digit);
  }
  return difference;
}

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

void Decimal::Strip() {
  size_t leading = 0;
  while (leading < digits.size() && digits[leading] == 0) ++leading;
  digits.erase(digits.begin(), digits.begin() + static_cast<std::ptrdiff_t>(leading));
  weight -= static_cast<int>(leading);
  while (!digits.empty() && digits.back() == 0) digits.pop_back();
  if (digits.empty()) {
    weight = 0;
    sign = DecimalSign::kPositive;
  }
}

void Decimal::Round(int new_scale) {
  scale = std::max(new_scale, 0);
  // Decimal digits kept, counted from the first digit's first place.
  const int kept = (weight + 1) * kDecimalDigits + new_scale;
  if (kept < 0) {
    digits.clear();
    return Strip();
  }
  const int whole = kept / kDecimalDigits;
  const int part = kept % kDecimalDigits;
  if (whole >= static_cast<int>(digits.size())) return Strip();
  static constexpr int kPowers[] = {10000, 1000, 100, 10};
  const int unit = kPowers[part];  // of the first digit that is not wholly kept
  const int digit = digits[static_cast<size_t>(whole)];
  const int rest = digit % unit;
  int carry = rest * 2 >= unit ? 1 : 0;
  digits.resize(static_cast<size_t>(whole) + 1);
  int value = digit - rest + carry * unit;
  for (int i = whole;; --i) {
    carry = value >= kDecimalBase ? 1 : 0;
    digits[static_cast<size_t>(i)] = static_cast<int16_t>(value - carry * kDecimalBase);
    if (carry == 0 || i == 0) break;
    value = digits[static_cast<size_t>(i - 1)] + 1;
  }
  if (carry != 0) {
    digits.insert(digits.begin(), int16_t{1});
    ++weight;
  }
  Strip();
}

void Decimal::Truncate(int new_scale) {
  scale = std::max(new_scale, 0);
  const int kept = (weight + 1) * kDecimalDigits + new_scale;
  if (kept <= 0) {
    digits.clear();
    return Strip();
  }
  const int whole = kept / kDecimalDigits;
  const int part = kept % kDecimalDigits;
  if (whole >= static_cast<int>(digits.size())) return Strip();
  static constexpr int kPowers[] = {10000, 1000, 100, 10};
  digits.resize(static_cast<size_t>(whole) + 1);
  digits.back() = static_cast<int16_t>(digits.back() - digits.back() % kPowers[part]);
  Strip();
}

int CompareMagnitudes(const Decimal& a, const Decimal& b) {
  if (a.zero() || b.zero()) return static_cast<int>(b.zero()) - static_cast<int>(a.zero());
  if (a.weight != b.weight) return a.weight < b.weight ? -1 : 1;
  const size_t count = std::max(a.digits.size(), b.digits.size());
  for (size_t i = 0; i < count; ++i) {
    const int difference =
        a.digit_or_zero(static_cast<int>(i)) - b.digit_or_zero(static_cast<int>(i));
    if (difference != 0) return difference < 0 ? -1 : 1;
  }
  return 0;
}

Decimal Add(const Decimal& a, const Decimal& b) {
  if (a.sign == b.sign) {
    Decimal sum = AddMagnitudes(a, b);
    sum.sign = a.sign;
    sum.Strip();
    return sum;
  }
  const bool a_larger = CompareMagnitudes(a, b) >= 0;
  Decimal difference = a_larger ? SubtractMagnitudes(a, b) : SubtractMagnitudes(b, a);
  difference.sign = a_larger ? a.sign : b.sign;
  difference.Strip();
  return difference;
}

Decimal Subtract(const Decimal& a, const Decimal& b) {
  Decimal negated = b;
  negated.sign = Flip(b.sign);
  return Add(a, negated);
}

Decimal Multiply(const Decimal& a, const Decimal& b) {
  Decimal product;
  product.scale = a.scale + b.scale;
  if (a.zero() || b.zero()) return product;
  product.sign = a.sign == b.sign ? DecimalSign::kPositive : DecimalSign::kNegative;
  product.weight = a.weight + b.weight + 1;
  product.digits.resize(a.digits.size() + b.digits.size());
  // Row by row from the right; a sum stays below 10000 * 10000.
  for (size_t i = a.digits.size(); i-- > 0;) {
    int carry = 0;
    for (size_t j = b.digits.size(); j-- > 0;) {
      const int sum = product.digits[i + j + 1] + a.digits[i] * b.digits[j] + carry;
      product.digits[i + j + 1] = static_cast<int16_t>(sum % kDecimalBase);
      carry = sum / kDecimalBase;
    }
    product.digits[i] = static_cast<int16_t>(carry);
  }
  product.Strip();
  return product;
}

Decimal Divide(const Decimal& a, const Decimal& b, int scale, bool round) {
  Decimal quotient;
  quotient.scale = scale;
  if (a.zero()) return quotient;
  quotient.sign = a.sign == b.sign ? DecimalSign::kPositive : DecimalSign::kNegative;
  quotient.weight = a.weight - b.weight;
  // One digit more than is shown decides the rounding.
  const int count = quotient.weight + 1 + (scale + kDecimalDigits - 1) / kDecimalDigits + 1;
  if (count <= 0) {
    quotient.digits.clear();
    quotient.Strip();
    return quotient;
  }
  // Long division (Knuth, volume 2, 4.3.1, algorithm D). The divisor is scaled so that its first
  // digit is at least half the base; then a guessed digit is at most two too large.
  const auto n = static_cast<int>(b.digits.size());
  const int factor = kDecimalBase / (b.digits[0] + 1);
  boost::container::small_vector<int32_t, 32> divisor(static_cast<size_t>(n) + 1);
  boost::container::small_vector<int32_t, 64> rest(static_cast<size_t>(count + n) + 1);
  int carry = 0;
  for (int i = n - 1; i >= 0; --i) {
    const int product = b.digits[static_cast<size_t>(i)] * factor + carry;
    divisor[static_cast<size_t>(i)] = product % kDecimalBase;
    carry = product / kDecimalBase;
  }
  carry = 0;
  for (int i = count + n - 1; i >= 0; --i) {
    const int product = a.digit_or_zero(i) * factor + carry;
    rest[static_cast<size_t>(i) + 1] = product % kDecimalBase;
    carry = product / kDecimalBase;
  }
  rest[0] = carry;
  quotient.digits.resize(static_cast<size_t>(count));
  const int64_t first = divisor[0];
  const int64_t second = n > 1 ? divisor[1] : 0;
  for (int j = 0; j < count; ++j) {
    int32_t* const at = rest.data() + j;
    const int64_t high = int64_t{at[0]} * kDecimalBase + at[1];
    const int64_t third = n > 1 ? at[2] : 0;
    int64_t guess = std::min<int64_t>(high / first, kDecimalBase - 1);
    while (guess * second > (high - guess * first) * kDecimalBase + third) --guess;
    int64_t borrow = 0;
    for (int i = n; i >= 0; --i) {
      const int64_t subtract = (i > 0 ? guess * divisor[static_cast<size_t>(i - 1)] : 0) + borrow;
      int64_t digit = at[i] - subtract % kDecimalBase;
      borrow = subtract / kDecimalBase;
      if (digit < 0) {
        digit += kDecimalBase;
        ++borrow;
      }
      at[i] = static_cast<int32_t>(digit);
    }
    if (borrow != 0) {  // guessed one too large: add the divisor back
      --guess;
      int add_carry = 0;
      for (int i = n; i >= 0; --i) {
        int digit = at[i] + (i > 0 ? divisor[static_cast<size_t>(i - 1)] : 0) + add_carry;
        add_carry = digit >= kDecimalBase ? 1 : 0;
        at[i] = digit - add_carry * kDecimalBase;
      }
    }
    quotient.digits[static_cast<size_t>(j)] = static_cast<int16_t>(guess);
  }
  if (round) {
    quotient.Round(scale);
  } else {
    quotient.Truncate(scale);
  }
  return quotient;
}

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
    product = Multiply(x, y);
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
    quotient = Divide(x, y, QuotientScale(x, y), true);
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
    rest = Subtract(x, Multiply(Divide(x, y, 0, false), y));
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
  Decimal root;
  root.scale = scale;
  if (x.zero()) return Pack(root, arena, out);
  // Newton's iteration from the double's root, on the argument brought to about [1, 10^8).
  const int shift = x.weight >= 0 ? x.weight / 2 : -((1 - x.weight) / 2);
  Decimal scaled = x;
  scaled.weight -= 2 * shift;
  double guess = 0;
  for (int i = 0; i < 5; ++i) {
    guess += scaled.digit_or_zero(i) * std::pow(double{kDecimalBase}, scaled.weight - i);
  }
  Value start;
  CONNBENCH_RETURN_IF_ERROR(NumericFromReal(std::sqrt(guess), 15, arena, start));
  root = Unpack(start);
  const int working_scale = scale + (std::abs(shift) + 2) * kDecimalDigits;
  Decimal half;
  half.weight = -1;
  half.scale = 1;
  half.digits.push_back(kDecimalBase / 2);
  for (int correct = 14; correct < 2 * (working_scale + 8 * kDecimalDigits); correct *= 2) {
    root = Multiply(Add(root, Divide(scaled, root, working_scale, true)), half);
    root.Round(working_scale);
  }
  root.weight += shift;
  root.Round(scale);
  return Pack(root, arena, out);
}

Status NegateNumeric(const Value& a, Arena& arena, Value& out) {
  Decimal x = Unpack(a);
  if (!x.zero()) x.sign = Flip(x.sign);
  return Pack(x, arena, out);
}

Status AbsoluteNumeric(const Value& a, Arena& arena, Value& out) {
  Decimal x = Unpack(a);
  if (!IsNan(x) && SignOf(x) < 0) x.sign = Flip(x.sign);
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
