// What numerics share with integers: whole quotients, common divisors and multiples; and scales.
#include <algorithm>
#include <utility>

#include "engine/executor/types/decimal.h"
#include "engine/executor/types/numeric.h"

namespace connbench::engine {

Status DivideToIntegerNumeric(const Value& a, const Value& b, Arena& arena, Value& out) {
  const Decimal x = Unpack(a);
  const Decimal y = Unpack(b);
  // NaN and infinities as for the quotient itself.
  if (x.special() || y.special()) return DivideNumeric(a, b, arena, out);
  if (y.zero()) return Status::Error(sqlstate::kDivisionByZero, "division by zero");
  WorkMeter meter = arena.Meter();
  Decimal quotient;
  CONNBENCH_RETURN_IF_ERROR(Divide(x, y, 0, false, meter, quotient));
  return Pack(quotient, arena, out);
}

Status GcdNumeric(const Value& a, const Value& b, Arena& arena, Value& out) {
  Decimal x = Unpack(a);
  Decimal y = Unpack(b);
  if (x.special() || y.special()) {
    Decimal nan = Decimal::Special(DecimalSign::kNan);
    return Pack(nan, arena, out);
  }
  const int scale = std::max(x.scale, y.scale);
  x.sign = y.sign = DecimalSign::kPositive;
  WorkMeter meter = arena.Meter();
  while (!y.zero()) {
    Decimal quotient;
    CONNBENCH_RETURN_IF_ERROR(Divide(x, y, 0, false, meter, quotient));
    CONNBENCH_RETURN_IF_ERROR(Multiply(quotient, y, meter, quotient));
    Decimal rest = Subtract(x, quotient);
    x = std::move(y);
    y = std::move(rest);
  }
  x.scale = scale;
  return Pack(x, arena, out);
}

Status LcmNumeric(const Value& a, const Value& b, Arena& arena, Value& out) {
  const Decimal x = Unpack(a);
  const Decimal y = Unpack(b);
  Value divisor;
  CONNBENCH_RETURN_IF_ERROR(GcdNumeric(a, b, arena, divisor));
  Decimal result = Unpack(divisor);
  if (result.special()) return Pack(result, arena, out);
  const int scale = result.scale;
  if (!result.zero()) {
    WorkMeter meter = arena.Meter();
    Decimal quotient;
    CONNBENCH_RETURN_IF_ERROR(Divide(x, Unpack(divisor), 0, false, meter, quotient));
    CONNBENCH_RETURN_IF_ERROR(Multiply(quotient, y, meter, result));
    if (!result.zero()) result.sign = DecimalSign::kPositive;
  }
  result.scale = scale;
  return Pack(result, arena, out);
}

int32_t NumericDisplayScale(const Value& a) {
  const Decimal x = Unpack(a);
  return x.special() ? -1 : x.scale;
}

int32_t NumericMinimalScale(const Value& a) {
  const Decimal x = Unpack(a);
  if (x.special()) return -1;
  int scale = (static_cast<int>(x.digits.size()) - x.weight - 1) * kDecimalDigits;
  if (scale <= 0) return 0;
  for (int last = x.digits.back(); last % 10 == 0; last /= 10) --scale;
  return scale;
}

Status TrimScaleNumeric(const Value& a, Arena& arena, Value& out) {
  Decimal x = Unpack(a);
  if (!x.special()) x.scale = NumericMinimalScale(a);
  return Pack(x, arena, out);
}

}  // namespace connbench::engine
