// The unpacked form of a numeric, which its arithmetic works on. Private to numeric*.cc and
// decimal.cc.
//
// Safety: plain values; any thread.
#pragma once

#include <boost/container/small_vector.hpp>
#include <cstdint>

#include "base/status.h"
#include "engine/executor/arena.h"
#include "engine/executor/value.h"

namespace connbench::engine {

inline constexpr int kDecimalBase = 10000;
inline constexpr int kDecimalDigits = 4;  // decimal digits per base-10000 digit
inline constexpr int kNumericHeaderBytes = 6;
inline constexpr int kMaxNumericScale = 16383;        // that can be stored
inline constexpr int kMaxNumericDisplayScale = 1000;  // that a division produces
inline constexpr int kMinSignificantDigits = 16;      // that a division produces
inline constexpr int kMaxNumericWeight = 131072 / kDecimalDigits - 1;

enum class DecimalSign : uint16_t {  // PostgreSQL's wire values
  kPositive = 0x0000,
  kNegative = 0x4000,
  kNan = 0xC000,
  kInfinity = 0xD000,
  kMinusInfinity = 0xF000,
};
// Of the negated number; NaN stays NaN.
DecimalSign Opposite(DecimalSign sign);

struct Decimal {
  boost::container::small_vector<int16_t, 24> digits;
  int weight = 0;
  int scale = 0;  // digits shown after the point
  DecimalSign sign = DecimalSign::kPositive;

  static Decimal Special(DecimalSign sign) {
    Decimal d;
    d.sign = sign;
    return d;
  }
  bool special() const { return sign != DecimalSign::kPositive && sign != DecimalSign::kNegative; }
  bool zero() const { return digits.empty() && !special(); }
  bool negative() const { return sign == DecimalSign::kNegative; }
  int digit_or_zero(int at) const {
    return at >= 0 && at < static_cast<int>(digits.size()) ? digits[static_cast<size_t>(at)] : 0;
  }

  // Drops zero digits at both ends; zero is positive with weight 0.
  void Strip();
  // Half away from zero, to new_scale decimal digits after the point; sets scale. Stripped.
  void Round(int new_scale);
  void Truncate(int new_scale);
};

// -1, 0, 1; infinities count. Requires: not NaN.
inline int SignOf(const Decimal& d) {
  if (d.zero()) return 0;
  return d.negative() || d.sign == DecimalSign::kMinusInfinity ? -1 : 1;
}

// 22003.
Status NumericOverflow();

Decimal Unpack(const Value& value);
// 22003 if it does not fit.
Status Pack(Decimal& decimal, Arena& arena, Value& out);

// Of the magnitudes: -1, 0, 1. Both stripped.
int CompareMagnitudes(const Decimal& a, const Decimal& b);
// Not special. The result's scale is the larger one.
Decimal Add(const Decimal& a, const Decimal& b);
Decimal Subtract(const Decimal& a, const Decimal& b);

// What takes long for long numbers spends its steps from meter and fails with an interrupt. out may
// be an argument, but for a quotient.
Status Multiply(const Decimal& a, const Decimal& b, WorkMeter& meter, Decimal& out);
// Rounded to scale, or cut off there. b is not zero.
Status Divide(const Decimal& a, const Decimal& b, int scale, bool round, WorkMeter& meter,
              Decimal& quotient);
// Rounded to scale, which may be below zero. x is not negative.
Status SquareRoot(const Decimal& x, int scale, WorkMeter& meter, Decimal& out);

}  // namespace connbench::engine
