// Dates and timestamps as text, both ways.
#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>
#include <cstring>
#include <optional>

#include "base/ascii.h"
#include "engine/executor/types/calendar.h"
#include "engine/executor/types/scalar_io.h"
#include "engine/executor/types/string_type.h"

namespace connbench::engine {
namespace {

enum class Problem : uint8_t {
  kNone,
  kSyntax,
  kField,
  kMonthOrDay,
  kZoneDisplacement,
  kUnknownZone
};

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

// Reads one timestamp, field by field, in any order PostgreSQL's DateStyle "ISO, MDY" takes.
class TimestampReader {
 public:
  explicit TimestampReader(std::string_view text) : rest_(text) {}

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
  int month_name_ = 0;            // seen before its day and year
  std::string_view pending_day_;  // seen before its month name
  bool year_has_two_digits_ = false;
  bool before_christ_ = false;
  bool has_era_ = false;
  bool has_weekday_ = false;
  int half_day_ = 0;  // 1: AM, 2: PM
};

Problem TimestampReader::Read() {
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

Problem TimestampReader::ReadNumber() {
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
  if (!has_date && (next == '-' || next == '/' || next == '.')) return ReadDate(digits);
  if (!has_date && digits.size() == 8) {  // 19990108
    const auto month = Number(digits.substr(4, 2));
    return SetDate(digits.substr(0, 4), *month, digits.substr(6));
  }
  if (!has_date && digits.size() == 6) {  // 990108
    year_has_two_digits_ = true;
    return SetDate(digits.substr(0, 2), *Number(digits.substr(2, 2)), digits.substr(4));
  }
  if (has_date && !has_time && (digits.size() == 6 || digits.size() == 4)) {
    return ReadPackedTime(digits);
  }
  if (!has_date && pending_day_.empty()) {  // "8 January 1999"
    pending_day_ = digits;
    return Problem::kNone;
  }
  return Problem::kSyntax;
}

Problem TimestampReader::ReadDate(std::string_view first) {
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

Problem TimestampReader::SetDate(std::string_view year, int month, std::string_view day) {
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

Problem TimestampReader::ReadTime(std::string_view hour) {
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

Problem TimestampReader::ReadPackedTime(std::string_view digits) {
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

Problem TimestampReader::ReadOffset() {
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

Problem TimestampReader::TakeMonthName(std::string_view word) {
  const bool again = month_name_ != 0;
  month_name_ = NameIndex(kMonths, word) + 1;
  return again || has_date ? Problem::kSyntax : Problem::kNone;
}

Problem TimestampReader::ReadWord() {
  size_t length = 0;
  while (length < rest_.size() && IsAsciiLetter(rest_[length])) ++length;
  const std::string_view word = rest_.substr(0, length);
  if (EqualIgnoringCase(word, "t") && has_date && length < rest_.size() &&
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
    if (!found.ok() || offset_s || zone != nullptr || (!has_date && !has_time)) {
      zone_name = name;
      const bool looks_like_zone = name.find('/') != std::string_view::npos;
      return looks_like_zone ? Problem::kUnknownZone : Problem::kSyntax;
    }
    zone = std::move(*found);
    length = end;
  }
  rest_.remove_prefix(length);
  return Problem::kNone;
}

Problem TimestampReader::Finish() {
  if (!has_date && !day_word) return Problem::kSyntax;
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

// Nothing is looked for in a text whose fields have more bytes, blanks left out: PostgreSQL's
// MAXDATELEN + MAXDATEFIELDS.
constexpr int64_t kMaxFieldBytes = 128 + 25;

bool IsTooLong(std::string_view text) {
  int64_t bytes = 0;
  for (const char c : text) {
    if (!IsAsciiSpace(c) && ++bytes > kMaxFieldBytes) return true;
  }
  return false;
}

// now: as the session's clock reads.
Status ReadFields(std::string_view text, std::string_view type_name, int64_t local_now,
                  TimestampReader& reader) {
  switch (IsTooLong(text) ? Problem::kSyntax : reader.Read()) {
    case Problem::kNone:
      break;
    case Problem::kSyntax:
      return Status::Error(
          sqlstate::kInvalidDatetimeFormat,
          fmt::format("invalid input syntax for type {}: \"{}\"", type_name, Excerpt(text)));
    case Problem::kField:
      return Status::Error(
          sqlstate::kDatetimeFieldOverflow,
          fmt::format("date/time field value out of range: \"{}\"", Excerpt(text)));
    case Problem::kMonthOrDay:
      return Status::Error(sqlstate::kDatetimeFieldOverflow,
                           fmt::format("date/time field value out of range: \"{}\"", Excerpt(text)))
          .WithHint("Perhaps you need a different \"datestyle\" setting.");
    case Problem::kZoneDisplacement:
      return Status::Error(
          sqlstate::kInvalidTimeZoneDisplacementValue,
          fmt::format("time zone displacement out of range: \"{}\"", Excerpt(text)));
    case Problem::kUnknownZone:
      return Status::Error(
          sqlstate::kInvalidParameterValue,
          fmt::format("time zone \"{}\" not recognized", AsciiLower(reader.zone_name)));
  }
  if (!reader.day_word) return {};
  const CalendarTime day = FromDays(FloorDivide(local_now, kUsPerDay) + *reader.day_word);
  reader.time.year = day.year;
  reader.time.month = day.month;
  reader.time.day = day.day;
  return {};
}

const TimeZone& SessionZone(const IoContext& io) {
  return io.time_zone != nullptr ? *io.time_zone : TimeZone::Utc();
}

int64_t LocalNow(const IoContext& io) {
  return io.now + int64_t{SessionZone(io).OffsetAt(io.now)} * kUsPerSecond;
}

// 1: "infinity", -1: "-infinity", 0: another text.
int InfinityWord(std::string_view text) {
  const bool minus = text.starts_with('-');
  const std::string_view word = text.substr(minus || text.starts_with('+') ? 1 : 0);
  if (!EqualIgnoringCase(word, "infinity")) return 0;
  return minus ? -1 : 1;
}

// With zeros in front, up to the width.
void PutDigits(int64_t number, int width, char*& to) {
  char reversed[20];
  int count = 0;
  for (; number > 0 || count < width; number /= 10) {
    reversed[count++] = static_cast<char>('0' + number % 10);
  }
  while (count > 0) *to++ = reversed[--count];
}

// Those before year 1 count backwards.
void PutDate(const CalendarTime& time, char*& to) {
  PutDigits(time.year > 0 ? time.year : 1 - time.year, 4, to);
  *to++ = '-';
  PutDigits(time.month, 2, to);
  *to++ = '-';
  PutDigits(time.day, 2, to);
}

size_t PutWord(std::string_view word, char* to) {
  std::memcpy(to, word.data(), word.size());
  return word.size();
}

}  // namespace

Status ParseTimestamp(std::string_view text, bool with_zone, const IoContext& io, int64_t& out) {
  const TimeZone& session_zone = SessionZone(io);
  const std::string_view trimmed = TrimSpaces(text);
  const int64_t local_now = LocalNow(io);
  if (EqualIgnoringCase(trimmed, "now")) {
    out = with_zone ? io.now : local_now;
    return Status::Ok();
  }
  if (EqualIgnoringCase(trimmed, "epoch")) {
    out = -kUnixDaysTo2000 * kUsPerDay;
    return Status::Ok();
  }
  if (const int infinity = InfinityWord(trimmed); infinity != 0) {
    out = infinity < 0 ? kTimestampMinusInfinity : kTimestampInfinity;
    return Status::Ok();
  }
  const auto out_of_range = [&] {
    return Status::Error(sqlstate::kDatetimeFieldOverflow,
                         fmt::format("timestamp out of range: \"{}\"", Excerpt(text)));
  };
  TimestampReader reader(trimmed);
  CONNBENCH_RETURN_IF_ERROR(
      ReadFields(text, with_zone ? "timestamp with time zone" : "timestamp", local_now, reader));
  int64_t local = 0;
  if (!FromCalendar(reader.time, local)) return out_of_range();
  if (with_zone) {
    const TimeZone& zone = reader.zone != nullptr ? *reader.zone : session_zone;
    const int32_t offset = reader.offset_s ? *reader.offset_s : zone.OffsetForLocal(local);
    if (__builtin_sub_overflow(local, int64_t{offset} * kUsPerSecond, &local)) {
      return out_of_range();
    }
  }
  if (!InTimestampRange(local)) return out_of_range();
  out = local;
  return Status::Ok();
}

Status ParseDate(std::string_view text, const IoContext& io, int64_t& days_since_2000) {
  const std::string_view trimmed = TrimSpaces(text);
  const int64_t local_now = LocalNow(io);
  if (EqualIgnoringCase(trimmed, "now")) {
    days_since_2000 = FloorDivide(local_now, kUsPerDay);
    return Status::Ok();
  }
  if (EqualIgnoringCase(trimmed, "epoch")) {
    days_since_2000 = -kUnixDaysTo2000;
    return Status::Ok();
  }
  if (const int infinity = InfinityWord(trimmed); infinity != 0) {
    days_since_2000 = infinity < 0 ? kDateMinusInfinity : kDateInfinity;
    return Status::Ok();
  }
  TimestampReader reader(trimmed);
  CONNBENCH_RETURN_IF_ERROR(ReadFields(text, "date", local_now, reader));
  days_since_2000 = DaysSince2000(reader.time.year, reader.time.month, reader.time.day);
  if (InDateRange(days_since_2000)) return Status::Ok();
  return Status::Error(sqlstate::kDatetimeFieldOverflow,
                       fmt::format("date out of range: \"{}\"", Excerpt(text)));
}

size_t FormatDate(int64_t days_since_2000, char* out) {
  if (days_since_2000 == kDateInfinity) return PutWord("infinity", out);
  if (days_since_2000 == kDateMinusInfinity) return PutWord("-infinity", out);
  const CalendarTime time = FromDays(days_since_2000);
  char* to = out;
  PutDate(time, to);
  if (time.year <= 0) to += PutWord(" BC", to);
  return static_cast<size_t>(to - out);
}

size_t FormatTimestamp(int64_t timestamp, const TimeZone* zone, char* out) {
  if (timestamp == kTimestampInfinity) return PutWord("infinity", out);
  if (timestamp == kTimestampMinusInfinity) return PutWord("-infinity", out);
  const int32_t offset = zone != nullptr ? zone->OffsetAt(timestamp) : 0;
  const CalendarTime time = ToCalendar(timestamp + int64_t{offset} * kUsPerSecond);
  char* to = out;
  const auto digits = [&](int64_t number, int width) { PutDigits(number, width, to); };
  const auto put = [&](char c) { *to++ = c; };
  PutDate(time, to);
  put(' ');
  digits(time.hour, 2);
  put(':');
  digits(time.minute, 2);
  put(':');
  digits(time.second, 2);
  if (time.microsecond != 0) {
    put('.');
    digits(time.microsecond, 6);
    while (to[-1] == '0') --to;
  }
  if (zone != nullptr) {
    const int32_t magnitude = std::abs(offset);
    put(offset < 0 ? '-' : '+');
    digits(magnitude / 3600, 2);
    if (magnitude % 3600 != 0) {
      put(':');
      digits(magnitude / 60 % 60, 2);
    }
    if (magnitude % 60 != 0) {
      put(':');
      digits(magnitude % 60, 2);
    }
  }
  if (time.year <= 0) to += PutWord(" BC", to);
  return static_cast<size_t>(to - out);
}

int64_t RoundTimestamp(int64_t timestamp, int32_t precision) {
  if (!IsFinite(timestamp) || precision < 0 || precision >= 6) return timestamp;
  int64_t unit = 1;
  for (int i = precision; i < 6; ++i) unit *= 10;
  const int64_t half = timestamp >= 0 ? unit / 2 : -unit / 2;
  return (timestamp + half) / unit * unit;
}

}  // namespace connbench::engine
