// Intervals as text, in the four styles of IntervalStyle.
#include <fmt/format.h>

#include <cstdlib>
#include <string>

#include "engine/executor/types/calendar.h"
#include "engine/executor/types/interval.h"

namespace connbench::engine {
namespace {

// All of one sign within a unit of the interval; hours have no bound.
struct Parts {
  int64_t years;
  int64_t months;
  int64_t days;
  int64_t hours;
  int64_t minutes;
  int64_t seconds;
  int64_t microseconds;

  explicit Parts(const Interval& interval)
      : years(interval.months / kMonthsPerYear),
        months(interval.months % kMonthsPerYear),
        days(interval.days),
        hours(interval.microseconds / kUsPerHour),
        minutes(interval.microseconds / kUsPerMinute % 60),
        seconds(interval.microseconds / kUsPerSecond % 60),
        microseconds(interval.microseconds % kUsPerSecond) {}

  bool has_time() const { return hours != 0 || minutes != 0 || seconds != 0 || microseconds != 0; }
  bool time_is_negative() const {
    return hours < 0 || minutes < 0 || seconds < 0 || microseconds < 0;
  }
};

// Without a sign; two_digits: with a zero in front.
void AppendSeconds(const Parts& parts, bool two_digits, std::string& text) {
  text += two_digits ? fmt::format("{:02}", std::abs(parts.seconds))
                     : fmt::format("{}", std::abs(parts.seconds));
  if (parts.microseconds == 0) return;
  text += fmt::format(".{:06}", std::abs(parts.microseconds));
  text.resize(text.find_last_not_of('0') + 1);
}

// "04:05:06.789" without a sign.
void AppendClock(const Parts& parts, bool two_digits, std::string& text) {
  text += two_digits ? fmt::format("{:02}", std::abs(parts.hours))
                     : fmt::format("{}", std::abs(parts.hours));
  text += fmt::format(":{:02}:", std::abs(parts.minutes));
  AppendSeconds(parts, true, text);
}

// "1 year 2 mons -3 days +04:05:06": what follows a negative number has a sign.
std::string Postgres(const Parts& parts) {
  std::string text;
  bool after_negative = false;
  const auto add = [&](int64_t value, std::string_view unit) {
    if (value == 0) return;
    if (!text.empty()) text += ' ';
    if (after_negative && value > 0) text += '+';
    text += fmt::format("{} {}{}", value, unit, value == 1 ? "" : "s");
    after_negative = value < 0;
  };
  add(parts.years, "year");
  add(parts.months, "mon");
  add(parts.days, "day");
  if (!text.empty() && !parts.has_time()) return text;
  if (!text.empty()) text += ' ';
  if (parts.time_is_negative()) {
    text += '-';
  } else if (after_negative) {
    text += '+';
  }
  AppendClock(parts, true, text);
  return text;
}

// "@ 1 year 2 mons -3 days ago": the first number has no sign.
std::string PostgresVerbose(const Parts& parts) {
  std::string text = "@";
  bool empty = true;
  bool ago = false;
  const auto add = [&](int64_t value, std::string_view unit) {
    if (value == 0) return;
    if (empty) ago = value < 0;
    if (ago) value = -value;
    text += fmt::format(" {} {}{}", value, unit, value == 1 ? "" : "s");
    empty = false;
  };
  add(parts.years, "year");
  add(parts.months, "mon");
  add(parts.days, "day");
  add(parts.hours, "hour");
  add(parts.minutes, "min");
  if (parts.seconds != 0 || parts.microseconds != 0) {
    const bool negative = parts.seconds < 0 || parts.microseconds < 0;
    if (empty) ago = negative;
    text += negative == ago ? " " : " -";
    AppendSeconds(parts, false, text);
    const bool one = std::abs(parts.seconds) == 1 && parts.microseconds == 0;
    text += one ? " sec" : " secs";
    empty = false;
  }
  if (empty) text += " 0";
  if (ago) text += " ago";
  return text;
}

// "1-2", "3 4:05:06" and, of what the standard has no text for, "+1-2 -3 +4:05:06".
std::string SqlStandard(const Parts& parts) {
  const bool has_months = parts.years != 0 || parts.months != 0;
  const bool months_are_negative = parts.years < 0 || parts.months < 0;
  const bool negative = months_are_negative || parts.days < 0 || parts.time_is_negative();
  const bool positive = parts.years > 0 || parts.months > 0 || parts.days > 0 ||
                        (parts.has_time() && !parts.time_is_negative());
  std::string text;
  if (!negative && !positive) return "0";
  const bool standard =
      !(negative && positive) && !(has_months && (parts.days != 0 || parts.has_time()));
  if (!standard) {
    text = fmt::format("{}{}-{} {}{} {}", months_are_negative ? '-' : '+', std::abs(parts.years),
                       std::abs(parts.months), parts.days < 0 ? '-' : '+', std::abs(parts.days),
                       parts.time_is_negative() ? '-' : '+');
    AppendClock(parts, false, text);
    return text;
  }
  if (negative) text += '-';
  if (has_months) {
    return text + fmt::format("{}-{}", std::abs(parts.years), std::abs(parts.months));
  }
  if (parts.days != 0) text += fmt::format("{} ", std::abs(parts.days));
  AppendClock(parts, false, text);
  return text;
}

// "P1Y2M3DT4H5M6S"
std::string Iso8601(const Parts& parts) {
  std::string text = "P";
  const auto add = [&](int64_t value, char unit) {
    if (value != 0) text += fmt::format("{}{}", value, unit);
  };
  add(parts.years, 'Y');
  add(parts.months, 'M');
  add(parts.days, 'D');
  if (!parts.has_time()) return text.size() == 1 ? "PT0S" : text;
  text += 'T';
  add(parts.hours, 'H');
  add(parts.minutes, 'M');
  if (parts.seconds == 0 && parts.microseconds == 0) return text;
  if (parts.seconds < 0 || parts.microseconds < 0) text += '-';
  AppendSeconds(parts, false, text);
  return text + 'S';
}

}  // namespace

std::string FormatInterval(const Interval& interval, IntervalStyle style) {
  const Parts parts(interval);
  switch (style) {
    case IntervalStyle::kPostgres:
      break;
    case IntervalStyle::kPostgresVerbose:
      return PostgresVerbose(parts);
    case IntervalStyle::kSqlStandard:
      return SqlStandard(parts);
    case IntervalStyle::kIso8601:
      return Iso8601(parts);
  }
  return Postgres(parts);
}

}  // namespace connbench::engine
