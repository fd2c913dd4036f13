// The fields of dates, timestamps and times in a text, in PostgreSQL's forms under DateStyle
// "ISO, MDY".
//
// Safety: private memory, one thread. The text must outlive the reader.
#pragma once

#include <charconv>
#include <cstdint>
#include <memory>
#include <optional>
#include <string_view>

#include "base/ascii.h"
#include "engine/executor/types/calendar.h"
#include "engine/executor/types/time_zone.h"

namespace connbench::engine {

// Reads one timestamp, field by field, in any order PostgreSQL's DateStyle "ISO, MDY" takes.
class TimestampReader {
 public:
  enum class Problem : uint8_t {
    kNone,
    kSyntax,
    kField,
    kMonthOrDay,
    kZoneDisplacement,
    kUnknownZone
  };

  // time_only: of the type time, which may have a date in front.
  explicit TimestampReader(std::string_view text, bool time_only = false)
      : rest_(text), time_only_(time_only) {}

  Problem Read();

  CalendarTime time;
  bool has_date = false;
  bool has_time = false;
  std::optional<int32_t> offset_s;       // a numeric zone, or UTC
  std::shared_ptr<const TimeZone> zone;  // a named zone
  std::string_view zone_name;            // for the error
  std::optional<int> day_word;           // today: 0, yesterday: -1, tomorrow: 1
  bool bad_zone_name = false;

 private:
  Problem ReadNumber();
  Problem ReadDate(std::string_view first);
  Problem ReadTime(std::string_view hour);
  Problem ReadPackedTime(std::string_view digits);
  Problem ReadOffset();
  Problem ReadWord();
  Problem SetDate(std::string_view year, int month, std::string_view day);
  Problem TakeMonthName(std::string_view word);
  Problem Finish();
  std::string_view Digits() {
    size_t count = 0;
    while (count < rest_.size() && IsAsciiDigit(rest_[count])) ++count;
    const std::string_view digits = rest_.substr(0, count);
    rest_.remove_prefix(count);
    return digits;
  }
  bool Take(char c) {
    if (rest_.empty() || rest_[0] != c) return false;
    rest_.remove_prefix(1);
    return true;
  }
  static std::optional<int> Number(std::string_view digits) {
    int value = 0;
    const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), value);
    if (error != std::errc() || end != digits.data() + digits.size()) return std::nullopt;
    return value;
  }
  bool ReadFraction();  // ".123456", if there is one

  std::string_view rest_;
  const bool time_only_;
  int month_name_ = 0;            // seen before its day and year
  std::string_view pending_day_;  // seen before its month name
  bool year_has_two_digits_ = false;
  bool before_christ_ = false;
  bool has_era_ = false;
  bool has_weekday_ = false;
  int half_day_ = 0;  // 1: AM, 2: PM
};

}  // namespace connbench::engine
