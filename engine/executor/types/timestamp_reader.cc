// Reads dates, timestamps and times field by field.
#include "engine/executor/types/timestamp_reader.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <string>
#include <utility>

namespace connbench::engine {
namespace {

constexpr std::array<std::string_view, 12> kMonths = {
    "january", "february", "march",     "april",   "may",      "june",
    "july",    "august",   "september", "october", "november", "december"};
constexpr std::array<std::string_view, 7> kWeekdays = {"sunday",   "monday", "tuesday", "wednesday",
                                                       "thursday", "friday", "saturday"};
constexpr int kMaxZoneHours = 15;

// The number of the name that word is, or its first three letters (four for "sept", "tues", ...).
template <size_t kCount>
int NameIndex(const std::array<std::string_view, kCount>& names, std::string_view word) {
  for (size_t i = 0; i < kCount; ++i) {
    const std::string_view name = names[i];
    const bool prefix = word.size() >= 3 && word.size() <= 5 && word.size() < name.size() &&
                        EqualIgnoringCase(word, name.substr(0, word.size()));
    if (EqualIgnoringCase(word, name) || prefix) return static_cast<int>(i);
  }
  return -1;
}

}  // namespace

TimestampReader::Problem TimestampReader::Read() {
  while (!rest_.empty()) {
    const char c = rest_[0];
    Problem problem = Problem::kNone;
    if (IsAsciiSpace(c) || c == ',') {
      rest_.remove_prefix(1);
    } else if (IsAsciiDigit(c)) {
      problem = ReadNumber();
    } else if ((c == '+' || c == '-') && has_time) {
      problem = ReadOffset();
    } else if (IsAsciiLetter(c)) {
      problem = ReadWord();
    } else {
      problem = Problem::kSyntax;
    }
    if (problem != Problem::kNone) return problem;
  }
  return Finish();
}

TimestampReader::Problem TimestampReader::ReadNumber() {
  const std::string_view digits = Digits();
  const char next = rest_.empty() ? ' ' : rest_[0];
  if (next == ':') return has_time ? Problem::kSyntax : ReadTime(digits);
  if (month_name_ != 0 && !has_date) {  // "January 8, 1999", "1999 January 8"
    if (pending_day_.empty()) {
      pending_day_ = digits;
      return Problem::kNone;
    }
    const bool year_first = pending_day_.size() >= 3;
    return SetDate(year_first ? pending_day_ : digits, month_name_,
                   year_first ? digits : pending_day_);
  }
  if (time_only_ && !has_time && digits.size() == 6) return ReadPackedTime(digits);
  if (!has_date && (next == '-' || next == '/' || next == '.')) return ReadDate(digits);
  if (!has_date && digits.size() == 8) {  // 19990108
    const auto month = Number(digits.substr(4, 2));
    return SetDate(digits.substr(0, 4), *month, digits.substr(6));
  }
  if (!has_date && digits.size() == 6 && !time_only_) {  // 990108
    year_has_two_digits_ = true;
    return SetDate(digits.substr(0, 2), *Number(digits.substr(2, 2)), digits.substr(4));
  }
  if ((has_date || time_only_) && !has_time && (digits.size() == 6 || digits.size() == 4)) {
    return ReadPackedTime(digits);
  }
  if (!has_date && pending_day_.empty()) {  // "8 January 1999"
    pending_day_ = digits;
    return Problem::kNone;
  }
  return Problem::kSyntax;
}

TimestampReader::Problem TimestampReader::ReadDate(std::string_view first) {
  const char separator = rest_[0];
  rest_.remove_prefix(1);
  if (!rest_.empty() && IsAsciiLetter(rest_[0])) {  // "08-Jan-1999", "1999-Jan-08"
    size_t letters = 0;
    while (letters < rest_.size() && IsAsciiLetter(rest_[letters])) ++letters;
    const int month = NameIndex(kMonths, rest_.substr(0, letters)) + 1;
    rest_.remove_prefix(letters);
    if (month == 0 || !Take(separator)) return Problem::kSyntax;
    const std::string_view last = Digits();
    if (last.empty()) return Problem::kSyntax;
    const bool year_first = first.size() >= 3;
    if (!year_first) year_has_two_digits_ = last.size() <= 2;
    return SetDate(year_first ? first : last, month, year_first ? last : first);
  }
  const std::string_view second = Digits();
  if (second.empty()) return Problem::kSyntax;
  if (!Take(separator)) {
    if (first.size() < 3 || second.size() != 3) return Problem::kSyntax;
    const auto day_of_year = Number(second);  // "1999.008", "1999-008"
    const auto year = Number(first);
    if (!day_of_year || !year) return Problem::kField;
    if (*day_of_year < 1 || *day_of_year > (IsLeapYear(*year) ? 366 : 365)) return Problem::kField;
    time = FromDays(DaysSince2000(*year, 1, 1) + *day_of_year - 1);
    has_date = true;
    return Problem::kNone;
  }
  const std::string_view third = Digits();
  if (third.empty()) return Problem::kSyntax;
  const bool year_first = first.size() >= 3;
  const auto month = Number(year_first ? second : first);
  if (!month) return Problem::kField;
  if (!year_first) year_has_two_digits_ = third.size() <= 2;
  return year_first ? SetDate(first, *month, third) : SetDate(third, *month, second);
}

TimestampReader::Problem TimestampReader::SetDate(std::string_view year, int month,
                                                  std::string_view day) {
  if (has_date) return Problem::kSyntax;
  const auto y = Number(year);
  const auto d = Number(day);
  if (!y || !d) return Problem::kField;
  time.year = *y;
  time.month = month;
  time.day = *d;
  has_date = true;
  pending_day_ = {};
  return Problem::kNone;
}

TimestampReader::Problem TimestampReader::ReadTime(std::string_view hour) {
  const auto h = Number(hour);
  if (!h) return Problem::kField;
  time.hour = *h;
  Take(':');
  const std::string_view minute = Digits();
  if (minute.empty()) return Problem::kSyntax;
  const auto m = Number(minute);
  if (!m) return Problem::kField;
  time.minute = *m;
  if (Take(':')) {
    const std::string_view second = Digits();
    if (second.empty()) return Problem::kSyntax;
    const auto s = Number(second);
    if (!s) return Problem::kField;
    time.second = *s;
    if (!ReadFraction()) return Problem::kSyntax;
  }
  has_time = true;
  return Problem::kNone;
}

TimestampReader::Problem TimestampReader::ReadPackedTime(std::string_view digits) {
  time.hour = *Number(digits.substr(0, 2));
  time.minute = *Number(digits.substr(2, 2));
  if (digits.size() == 6) time.second = *Number(digits.substr(4, 2));
  if (!ReadFraction()) return Problem::kSyntax;
  has_time = true;
  return Problem::kNone;
}

bool TimestampReader::ReadFraction() {
  if (!Take('.')) return true;
  const std::string_view digits = Digits();
  double fraction = 0;
  const std::string text = fmt::format("0.{}", digits);
  std::from_chars(text.data(), text.data() + text.size(), fraction);
  time.microsecond = static_cast<int>(std::rint(fraction * kUsPerSecond));  // 1000000 carries
  return true;
}

TimestampReader::Problem TimestampReader::ReadOffset() {
  const bool minus = rest_[0] == '-';
  rest_.remove_prefix(1);
  std::string_view digits = Digits();
  if (digits.empty() || offset_s || zone != nullptr) return Problem::kSyntax;
  int parts[3] = {0, 0, 0};
  if (digits.size() > 2) {  // "+0530"
    if (digits.size() > 4) return Problem::kZoneDisplacement;
    parts[0] = *Number(digits.substr(0, digits.size() - 2));
    parts[1] = *Number(digits.substr(digits.size() - 2));
  } else {
    parts[0] = *Number(digits);
    for (int i = 1; i < 3 && Take(':'); ++i) {
      digits = Digits();
      const auto part = Number(digits);
      if (!part) return Problem::kSyntax;
      parts[i] = *part;
    }
  }
  if (parts[0] > kMaxZoneHours || parts[1] > 59 || parts[2] > 59) return Problem::kZoneDisplacement;
  const int32_t seconds = parts[0] * 3600 + parts[1] * 60 + parts[2];
  offset_s = minus ? -seconds : seconds;
  return Problem::kNone;
}

TimestampReader::Problem TimestampReader::TakeMonthName(std::string_view word) {
  const bool again = month_name_ != 0;
  month_name_ = NameIndex(kMonths, word) + 1;
  return again || has_date ? Problem::kSyntax : Problem::kNone;
}

TimestampReader::Problem TimestampReader::ReadWord() {
  size_t length = 0;
  while (length < rest_.size() && IsAsciiLetter(rest_[length])) ++length;
  const std::string_view word = rest_.substr(0, length);
  if (EqualIgnoringCase(word, "t") && has_date != time_only_ && length < rest_.size() &&
      IsAsciiDigit(rest_[length])) {
    rest_.remove_prefix(length);  // ISO 8601: 1999-01-08T04:05:06
    return Problem::kNone;
  }
  if (NameIndex(kMonths, word) >= 0) {
    rest_.remove_prefix(length);
    return TakeMonthName(word);
  }
  // PostgreSQL takes each kind of word once.
  if (EqualIgnoringCase(word, "at")) {
    rest_.remove_prefix(length);
    return Problem::kNone;
  }
  if (NameIndex(kWeekdays, word) >= 0) {
    if (has_weekday_) return Problem::kSyntax;
    has_weekday_ = true;
  } else if (EqualIgnoringCase(word, "am") || EqualIgnoringCase(word, "pm")) {
    if (half_day_ != 0) return Problem::kSyntax;
    half_day_ = EqualIgnoringCase(word, "am") ? 1 : 2;
  } else if (EqualIgnoringCase(word, "bc") || EqualIgnoringCase(word, "ad")) {
    if (has_era_) return Problem::kSyntax;
    has_era_ = true;
    before_christ_ = EqualIgnoringCase(word, "bc");
  } else if (EqualIgnoringCase(word, "today") || EqualIgnoringCase(word, "tomorrow") ||
             EqualIgnoringCase(word, "yesterday")) {
    if (has_date || day_word) return Problem::kSyntax;
    day_word = EqualIgnoringCase(word, "today") ? 0 : EqualIgnoringCase(word, "tomorrow") ? 1 : -1;
  } else if (EqualIgnoringCase(word, "allballs")) {
    has_time = true;
    offset_s = 0;
  } else if (EqualIgnoringCase(word, "z") || EqualIgnoringCase(word, "utc") ||
             EqualIgnoringCase(word, "gmt") || EqualIgnoringCase(word, "zulu")) {
    if (offset_s || zone != nullptr) return Problem::kSyntax;
    offset_s = 0;
  } else {
    // A zone of the database: letters, digits and _ + - / up to the next blank.
    const size_t end = std::min(rest_.find_first_of(" \t,"), rest_.size());
    const std::string_view name = rest_.substr(0, end);
    auto found = TimeZone::FindZoneOrAbbreviation(name);
    // Without a date only an abbreviation says how far it is from Greenwich.
    const TimeZoneAbbreviation* const fixed = FindTimeZoneAbbreviation(name);
    const bool needs_date = !has_date && (!time_only_ || fixed == nullptr || !fixed->zone.empty());
    if (!found.ok() || offset_s || zone != nullptr || (needs_date && (time_only_ || !has_time))) {
      zone_name = name;
      const bool looks_like_zone = name.find('/') != std::string_view::npos;
      return looks_like_zone && !found.ok() ? Problem::kUnknownZone : Problem::kSyntax;
    }
    zone = std::move(*found);
    length = end;
  }
  rest_.remove_prefix(length);
  return Problem::kNone;
}

TimestampReader::Problem TimestampReader::Finish() {
  if (time_only_ ? !has_time || day_word : !has_date && !day_word) return Problem::kSyntax;
  if (half_day_ != 0) {
    if (time.hour > 12 || !has_time) return Problem::kField;
    if (half_day_ == 1 && time.hour == 12) time.hour = 0;
    if (half_day_ == 2 && time.hour != 12) time.hour += 12;
  }
  if (has_date) {
    if (before_christ_) {
      if (time.year <= 0) return Problem::kField;
      time.year = 1 - time.year;
    } else if (year_has_two_digits_) {
      time.year += time.year < 70 ? 2000 : 1900;
    } else if (time.year <= 0) {
      return Problem::kField;
    }
    if (time.month < 1 || time.month > 12 || time.day < 1 || time.day > 31) {
      return Problem::kMonthOrDay;
    }
    if (time.day > DaysInMonth(time.year, time.month)) return Problem::kField;
  }
  const bool end_of_day =
      time.hour == 24 && time.minute == 0 && time.second == 0 && time.microsecond == 0;
  if ((time.hour > 23 && !end_of_day) || time.minute > 59 || time.second > 60) {
    return Problem::kField;
  }
  return Problem::kNone;
}

}  // namespace connbench::engine
