// What the readers of an interval's text share: the sum of its parts, each of which may overflow.
//
// Safety: private memory; any thread.
#pragma once

#include <cmath>
#include <cstdint>
#include <string_view>

#include "engine/executor/types/calendar.h"
#include "engine/executor/types/interval.h"

namespace connbench::engine {

enum class IntervalProblem : uint8_t { kNone, kSyntax, kOverflow };

// What a text has said so far. The methods give false on overflow. A fraction is less than 1.
struct IntervalSum {
  int64_t microseconds = 0;
  int32_t days = 0;
  int32_t months = 0;
  int32_t years = 0;

  // Of a unit in microseconds.
  bool AddFraction(double fraction, int64_t unit_us) {
    fraction *= static_cast<double>(unit_us);
    auto whole = static_cast<int64_t>(fraction);
    fraction -= static_cast<double>(whole);
    if (fraction > 0.5) ++whole;
    if (fraction < -0.5) --whole;
    return !__builtin_add_overflow(microseconds, whole, &microseconds);
  }
  bool AddTime(int64_t value, double fraction, int64_t unit_us) {
    int64_t product = 0;
    return !__builtin_mul_overflow(value, unit_us, &product) &&
           !__builtin_add_overflow(microseconds, product, &microseconds) &&
           AddFraction(fraction, unit_us);
  }
  bool AddDays(int64_t value, int32_t days_per_unit = 1) {
    return AddTo(days, value, days_per_unit);
  }
  bool AddFractionOfDays(double fraction, int32_t days_per_unit) {
    fraction *= days_per_unit;
    const auto whole = static_cast<int32_t>(fraction);
    return AddDays(whole) && AddFraction(fraction - whole, kUsPerDay);
  }
  bool AddMonths(int64_t value) { return AddTo(months, value, 1); }
  bool AddYears(int64_t value, double fraction, int32_t years_per_unit) {
    const double extra_months = std::rint(fraction * years_per_unit * kMonthsPerYear);
    return AddTo(years, value, years_per_unit) && AddMonths(static_cast<int64_t>(extra_months));
  }
  bool Negate() {
    return !__builtin_sub_overflow(int64_t{0}, microseconds, &microseconds) &&
           !__builtin_sub_overflow(0, days, &days) && !__builtin_sub_overflow(0, months, &months) &&
           !__builtin_sub_overflow(0, years, &years);
  }

 private:
  static bool AddTo(int32_t& sum, int64_t value, int32_t factor) {
    int32_t product = 0;
    return value >= INT32_MIN && value <= INT32_MAX &&
           !__builtin_mul_overflow(static_cast<int32_t>(value), factor, &product) &&
           !__builtin_add_overflow(sum, product, &sum);
  }
};

// "P1Y2M3DT4H5M6S", with weeks and fractions, and the form "P0001-02-03T04:05:06".
IntervalProblem ReadIso8601Interval(std::string_view text, IntervalSum& out);

}  // namespace connbench::engine
