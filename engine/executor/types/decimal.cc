// Arithmetic on unpacked numerics.
#include "engine/executor/types/decimal.h"

#include <algorithm>
#include <cmath>

#include "engine/executor/types/long_digits.h"

namespace connbench::engine {
namespace {

// Operands of at least this many digits are worth the conversion to longer limbs.
constexpr size_t kLongDigits = 40;
constexpr int kStepsPerDigit = 3;  // of a division's inner loop

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

int CeilDivide(int a, int b) { return a >= 0 ? (a + b - 1) / b : -(-a / b); }

// The digits from first on, count of them, as an integer; zeros stand where there is none.
LongNumber ToLong(const Decimal& d, size_t count) {
  LongNumber number((count + 1) / 2);
  for (size_t i = 0; i < count; ++i) {
    const auto digit = static_cast<uint32_t>(d.digit_or_zero(static_cast<int>(count - 1 - i)));
    number[i / 2] += i % 2 == 0 ? digit : digit * kDecimalBase;
  }
  return number;
}

// The lowest digits.size() digits of an integer.
void FromLong(const LongNumber& number, Decimal& d) {
  const size_t count = d.digits.size();
  for (size_t i = 0; i < count; ++i) {
    const uint32_t limb = i / 2 < number.size() ? number[i / 2] : 0;
    d.digits[count - 1 - i] =
        static_cast<int16_t>(i % 2 == 0 ? limb % kDecimalBase : limb / kDecimalBase);
  }
}

// Fills the product's digits, whose number and weight are set.
Status MultiplyLong(const Decimal& a, const Decimal& b, WorkMeter& meter, Decimal& product) {
  const LongNumber x = ToLong(a, a.digits.size());
  const LongNumber y = ToLong(b, b.digits.size());
  LongNumber result;
  CONNBENCH_RETURN_IF_ERROR(MultiplyLong(x, y, meter, result));
  FromLong(result, product);
  return Status::Ok();
}

Status Finish(Decimal& quotient, int scale, bool round) {
  if (round) {
    quotient.Round(scale);
  } else {
    quotient.Truncate(scale);
  }
  return Status::Ok();
}

// The first count digits of the quotient, whose weight and sign are set, cut off.
Status DivideLong(const Decimal& a, const Decimal& b, size_t count, WorkMeter& meter,
                  Decimal& quotient) {
  const size_t n = b.digits.size();
  LongNumber rest = ToLong(a, n + count - 1);
  LongNumber result;
  CONNBENCH_RETURN_IF_ERROR(DivideLong(rest, ToLong(b, n), meter, result));
  quotient.digits.resize(count);
  FromLong(result, quotient);
  return Status::Ok();
}

}  // namespace

Status NumericOverflow() {
  return Status::Error(sqlstate::kNumericValueOutOfRange, "value overflows numeric format");
}

DecimalSign Opposite(DecimalSign sign) {
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
  negated.sign = Opposite(b.sign);
  return Add(a, negated);
}

Status Multiply(const Decimal& a, const Decimal& b, WorkMeter& meter, Decimal& out) {
  Decimal product;
  product.scale = a.scale + b.scale;
  if (a.zero() || b.zero()) {
    out = std::move(product);
    return Status::Ok();
  }
  product.sign = a.sign == b.sign ? DecimalSign::kPositive : DecimalSign::kNegative;
  product.weight = a.weight + b.weight + 1;
  product.digits.resize(a.digits.size() + b.digits.size());
  if (std::min(a.digits.size(), b.digits.size()) >= kLongDigits) {
    CONNBENCH_RETURN_IF_ERROR(MultiplyLong(a, b, meter, product));
    product.Strip();
    out = std::move(product);
    return Status::Ok();
  }
  // Row by row from the right; a sum stays below 10000 * 10000.
  for (size_t i = a.digits.size(); i-- > 0;) {
    CONNBENCH_RETURN_IF_ERROR(meter.Spend(static_cast<int64_t>(b.digits.size())));
    int carry = 0;
    for (size_t j = b.digits.size(); j-- > 0;) {
      const int sum = product.digits[i + j + 1] + a.digits[i] * b.digits[j] + carry;
      product.digits[i + j + 1] = static_cast<int16_t>(sum % kDecimalBase);
      carry = sum / kDecimalBase;
    }
    product.digits[i] = static_cast<int16_t>(carry);
  }
  product.Strip();
  out = std::move(product);
  return Status::Ok();
}

Status Divide(const Decimal& a, const Decimal& b, int scale, bool round, WorkMeter& meter,
              Decimal& quotient) {
  quotient = Decimal();
  quotient.scale = std::max(scale, 0);
  if (a.zero()) return Status::Ok();
  quotient.sign = a.sign == b.sign ? DecimalSign::kPositive : DecimalSign::kNegative;
  quotient.weight = a.weight - b.weight;
  // One digit more than is shown decides the rounding.
  const int count = quotient.weight + 1 + CeilDivide(scale, kDecimalDigits) + 1;
  if (count <= 0) {
    quotient.digits.clear();
    quotient.Strip();
    return Status::Ok();
  }
  if (b.digits.size() >= kLongDigits && count >= static_cast<int>(kLongDigits)) {
    CONNBENCH_RETURN_IF_ERROR(DivideLong(a, b, static_cast<size_t>(count), meter, quotient));
    return Finish(quotient, scale, round);
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
    CONNBENCH_RETURN_IF_ERROR(meter.Spend(int64_t{kStepsPerDigit} * (n + 1)));
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
  return Finish(quotient, scale, round);
}

Status SquareRoot(const Decimal& x, int scale, WorkMeter& meter, Decimal& out) {
  out = Decimal();
  out.scale = std::max(scale, 0);
  if (x.zero()) return Status::Ok();
  // The root of an integer, cut off behind at least one digit more than is shown.
  const int places = CeilDivide(scale, kDecimalDigits) + 1;
  Decimal square = x;
  square.sign = DecimalSign::kPositive;
  square.weight += 2 * places;
  square.Truncate(0);
  if (square.zero()) return Status::Ok();
  // Newton's iteration from the double's root, with the argument brought to [1, 10^8).
  const int half_weight = square.weight / 2;
  Decimal scaled = square;
  scaled.weight -= 2 * half_weight;
  double guess = 0;
  constexpr int kGuessDigits = 5;
  for (int i = 0; i < kGuessDigits; ++i) {
    guess += scaled.digit_or_zero(i) * std::pow(double{kDecimalBase}, scaled.weight - i);
  }
  double rest = std::sqrt(guess);
  Decimal root;
  for (int i = 0; i < kGuessDigits; ++i) {
    const double digit = std::floor(rest);
    root.digits.push_back(static_cast<int16_t>(std::min(digit, double{kDecimalBase - 1})));
    rest = (rest - digit) * kDecimalBase;
  }
  root.Strip();
  Decimal half;
  half.weight = -1;
  half.scale = 1;
  half.digits.push_back(kDecimalBase / 2);
  const int wanted = half_weight + 2;  // digits after the point
  for (int correct = 3; correct < wanted;) {
    correct = std::min(2 * correct - 1, wanted);
    Decimal quotient;
    CONNBENCH_RETURN_IF_ERROR(
        Divide(scaled, root, correct * kDecimalDigits, true, meter, quotient));
    CONNBENCH_RETURN_IF_ERROR(Multiply(Add(root, quotient), half, meter, root));
    root.Round(correct * kDecimalDigits);
  }
  root.weight += half_weight;
  root.Truncate(0);
  // At most a unit or two off in the last place.
  Decimal one;
  one.digits.push_back(1);
  Decimal product;
  while (true) {
    CONNBENCH_RETURN_IF_ERROR(Multiply(root, root, meter, product));
    if (CompareMagnitudes(product, square) <= 0) break;
    root = Subtract(root, one);
  }
  while (true) {
    const Decimal next = Add(root, one);
    // (root + 1)^2 = root^2 + root + next
    product = Add(product, Add(root, next));
    if (CompareMagnitudes(product, square) > 0) break;
    root = next;
  }
  root.weight -= places;
  root.Round(scale);
  out = std::move(root);
  return Status::Ok();
}

}  // namespace connbench::engine
