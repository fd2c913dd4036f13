// Intervals in the forms of ISO 8601.
#include <cerrno>
#include <cmath>
#include <cstdlib>
#include <string>

#include "base/ascii.h"
#include "engine/executor/types/calendar.h"
#include "engine/executor/types/interval_sum.h"

namespace connbench::engine {
namespace {

class Iso8601Reader {
 public:
  explicit Iso8601Reader(std::string_view text) : rest_(text) {}

  IntervalProblem Read() {
    if (rest_.size() < 2 || !Take('P')) return IntervalProblem::kSyntax;
    bool in_date = true;
    bool first = true;  // of the date's or the time's parts
    while (!rest_.empty()) {
      if (Take('T')) {
        in_date = false;
        first = true;
        continue;
      }
      Number number;
      if (const IntervalProblem problem = TakeNumber(number); problem != IntervalProblem::kNone)
        return problem;
      const char unit = rest_.empty() ? '\0' : rest_[0];
      if (!rest_.empty()) rest_.remove_prefix(1);
      bool done = false;
      const IntervalProblem problem = in_date ? ReadDatePart(number, unit, first, in_date, done)
                                              : ReadTimePart(number, unit, first, done);
      if (problem != IntervalProblem::kNone || done) return problem;
    }
    return IntervalProblem::kNone;
  }

  const IntervalSum& sum() const { return sum_; }

 private:
  struct Number {
    int64_t whole = 0;
    double fraction = 0;
    size_t digits = 0;  // before the point
  };

  bool Take(char c) {
    if (!rest_.starts_with(c)) return false;
    rest_.remove_prefix(1);
    return true;
  }

  // Whatever is a number to strtod(), up to 1e15.
  IntervalProblem TakeNumber(Number& out) {
    const char c = rest_.empty() ? '\0' : rest_[0];
    if (!IsAsciiDigit(c) && c != '-' && c != '.') return IntervalProblem::kSyntax;
    const std::string text(rest_.substr(0, kMaxNumberBytes));
    char* end = nullptr;
    errno = 0;
    const double value = std::strtod(text.c_str(), &end);
    if (end == text.c_str() || errno != 0) return IntervalProblem::kSyntax;
    constexpr double kLargest = 1.0e15;
    if (!(std::abs(value) <= kLargest)) return IntervalProblem::kOverflow;
    const double whole = std::trunc(value);
    out = {static_cast<int64_t>(whole), value - whole, 0};
    const std::string_view unsigned_text = rest_.substr(c == '-' ? 1 : 0);
    while (out.digits < unsigned_text.size() && IsAsciiDigit(unsigned_text[out.digits])) {
      ++out.digits;
    }
    rest_.remove_prefix(static_cast<size_t>(end - text.c_str()));
    return IntervalProblem::kNone;
  }

  static IntervalProblem Outcome(bool fits) {
    return fits ? IntervalProblem::kNone : IntervalProblem::kOverflow;
  }

  IntervalProblem ReadDatePart(const Number& n, char unit, bool& first, bool& in_date, bool& done) {
    const bool was_first = first;
    first = false;
    switch (unit) {
      case 'Y':
        return Outcome(sum_.AddYears(n.whole, n.fraction, 1));
      case 'M':
        return Outcome(AddMonths(n));
      case 'W':
        return Outcome(sum_.AddDays(n.whole, 7) && sum_.AddFractionOfDays(n.fraction, 7));
      case 'D':
        return Outcome(AddDays(n));
      case '\0':
      case 'T':
      case '-':
        break;
      default:
        return IntervalProblem::kSyntax;
    }
    done = unit == '\0';
    const auto begin_time = [&] {
      in_date = false;
      first = true;
    };
    if (unit != '-' && n.digits == 8 && was_first) {  // 00010203
      if (!done) begin_time();
      return Outcome(sum_.AddYears(n.whole / 10000, 0, 1) && sum_.AddMonths(n.whole / 100 % 100) &&
                     sum_.AddDays(n.whole % 100) && sum_.AddFraction(n.fraction, kUsPerDay));
    }
    if (!was_first) return IntervalProblem::kSyntax;
    if (!sum_.AddYears(n.whole, n.fraction, 1)) return IntervalProblem::kOverflow;
    if (unit == 'T') begin_time();
    if (unit != '-') return IntervalProblem::kNone;
    for (const bool months : {true, false}) {
      Number part;
      if (const IntervalProblem problem = TakeNumber(part); problem != IntervalProblem::kNone)
        return problem;
      if (!(months ? AddMonths(part) : AddDays(part))) return IntervalProblem::kOverflow;
      done = rest_.empty();
      if (done) return IntervalProblem::kNone;
      if (rest_[0] == 'T') {
        begin_time();
        return IntervalProblem::kNone;
      }
      if (!months || !Take('-')) return IntervalProblem::kSyntax;
    }
    return IntervalProblem::kSyntax;
  }

  IntervalProblem ReadTimePart(const Number& n, char unit, bool& first, bool& done) {
    const bool was_first = first;
    first = false;
    switch (unit) {
      case 'H':
        return Outcome(sum_.AddTime(n.whole, n.fraction, kUsPerHour));
      case 'M':
        return Outcome(sum_.AddTime(n.whole, n.fraction, kUsPerMinute));
      case 'S':
        return Outcome(sum_.AddTime(n.whole, n.fraction, kUsPerSecond));
      case '\0':
      case ':':
        break;
      default:
        return IntervalProblem::kSyntax;
    }
    done = true;
    if (unit == '\0' && n.digits == 6 && was_first) {  // 040506
      return Outcome(sum_.AddTime(n.whole / 10000, 0, kUsPerHour) &&
                     sum_.AddTime(n.whole / 100 % 100, 0, kUsPerMinute) &&
                     sum_.AddTime(n.whole % 100, 0, kUsPerSecond) &&
                     sum_.AddFraction(n.fraction, 1));
    }
    if (!was_first) return IntervalProblem::kSyntax;
    if (!sum_.AddTime(n.whole, n.fraction, kUsPerHour)) return IntervalProblem::kOverflow;
    if (unit == '\0') return IntervalProblem::kNone;
    for (const int64_t unit_us : {kUsPerMinute, kUsPerSecond}) {
      Number part;
      if (const IntervalProblem problem = TakeNumber(part); problem != IntervalProblem::kNone)
        return problem;
      if (!sum_.AddTime(part.whole, part.fraction, unit_us)) return IntervalProblem::kOverflow;
      if (rest_.empty()) return IntervalProblem::kNone;
      if (unit_us == kUsPerSecond || !Take(':')) return IntervalProblem::kSyntax;
    }
    return IntervalProblem::kSyntax;
  }

  bool AddMonths(const Number& n) {
    return sum_.AddMonths(n.whole) && sum_.AddFractionOfDays(n.fraction, kDaysPerMonth);
  }
  bool AddDays(const Number& n) {
    return sum_.AddDays(n.whole) && sum_.AddFraction(n.fraction, kUsPerDay);
  }

  // More digits than any number needs that is not too large.
  static constexpr size_t kMaxNumberBytes = 2000;

  std::string_view rest_;
  IntervalSum sum_;
};

}  // namespace

IntervalProblem ReadIso8601Interval(std::string_view text, IntervalSum& out) {
  Iso8601Reader reader(text);
  const IntervalProblem problem = reader.Read();
  out = reader.sum();
  return problem;
}

}  // namespace connbench::engine
