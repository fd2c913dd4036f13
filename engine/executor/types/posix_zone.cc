// Reads POSIX TZ strings such as "CET-1CEST,M3.5.0,M10.5.0/3".
#include "engine/executor/types/posix_zone.h"

#include <algorithm>
#include <charconv>

#include "base/ascii.h"
#include "engine/executor/types/calendar.h"

namespace connbench::engine {
namespace {

constexpr int32_t kMaxHours = 167;  // of an offset: a week

class PosixReader {
 public:
  explicit PosixReader(std::string_view text) : rest_(text) {}

  bool done() const { return rest_.empty(); }
  bool Take(char c) {
    if (rest_.empty() || rest_[0] != c) return false;
    rest_.remove_prefix(1);
    return true;
  }
  // The name of a kind of time, "<+05>" or all up to an offset; false if a bracket is not closed.
  bool Name(std::string& name) {
    if (Take('<')) {
      const size_t length = rest_.find('>');
      if (length == std::string_view::npos) return false;
      name = rest_.substr(0, length);
      rest_.remove_prefix(length + 1);
      return true;
    }
    name = rest_.substr(0, rest_.find_first_of("0123456789,+-"));
    rest_.remove_prefix(name.size());
    return true;
  }
  bool Number(int32_t& out) {
    const auto [end, error] = std::from_chars(rest_.data(), rest_.data() + rest_.size(), out);
    if (error != std::errc() || !IsAsciiDigit(rest_[0])) return false;
    rest_.remove_prefix(static_cast<size_t>(end - rest_.data()));
    return out <= 1000;
  }
  // [+-]hh[:mm[:ss]]
  bool Seconds(int32_t& out) {
    const bool minus = Take('-');
    if (!minus) Take('+');
    int32_t hours = 0;
    int32_t minutes = 0;
    int32_t seconds = 0;
    if (!Number(hours)) return false;
    if (Take(':')) {
      if (!Number(minutes)) return false;
      if (Take(':') && !Number(seconds)) return false;
    }
    if (hours > kMaxHours || minutes > 59 || seconds > 60) return false;
    out = hours * 3600 + minutes * 60 + seconds;
    if (minus) out = -out;
    return true;
  }

 private:
  std::string_view rest_;
};

// "Mm.w.d/time": the w-th weekday d of month m; w 5: the last one.
bool ReadDate(PosixReader& reader, PosixDate& date) {
  if (!reader.Take('M') || !reader.Number(date.month) || !reader.Take('.') ||
      !reader.Number(date.week) || !reader.Take('.') || !reader.Number(date.weekday)) {
    return false;
  }
  if (reader.Take('/') && !reader.Seconds(date.time_s)) return false;
  return date.month >= 1 && date.month <= 12 && date.week >= 1 && date.week <= 5 &&
         date.weekday <= 6;
}

}  // namespace

int64_t PosixDate::In(int64_t year) const {
  const int64_t first = DaysSince2000(year, month, 1);
  int64_t day = first + (weekday - DayOfWeek(first) + 7) % 7 + int64_t{week - 1} * 7;
  if (day >= first + DaysInMonth(year, month)) day -= 7;
  return (day + kUnixDaysTo2000) * kSecondsPerDay + time_s;
}

std::optional<PosixRule> ParsePosix(std::string_view text) {
  PosixReader reader(text);
  PosixRule rule;
  if (!reader.Name(rule.standard_name) || !reader.Seconds(rule.standard_s)) return std::nullopt;
  rule.standard_s = -rule.standard_s;  // POSIX counts west
  if (reader.done()) return rule;
  if (!reader.Name(rule.daylight_name) || rule.daylight_name.empty()) return std::nullopt;
  rule.has_daylight = true;
  rule.daylight_s = rule.standard_s + 3600;
  if (!reader.done() && !reader.Take(',')) {
    if (!reader.Seconds(rule.daylight_s)) return std::nullopt;
    rule.daylight_s = -rule.daylight_s;
    if (!reader.done() && !reader.Take(',')) return std::nullopt;
  }
  // Without dates: those of the United States, as in PostgreSQL.
  constexpr std::string_view kDefaultDates = "M3.2.0,M11.1.0";
  if (reader.done()) reader = PosixReader(kDefaultDates);
  if (!ReadDate(reader, rule.begins) || !reader.Take(',') || !ReadDate(reader, rule.ends))
    return std::nullopt;
  return reader.done() ? std::optional(rule) : std::nullopt;
}

}  // namespace connbench::engine
