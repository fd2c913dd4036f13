// Intervals from text: PostgreSQL's form, in which units follow numbers. Others are ISO 8601's.
#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>
#include <string>
#include <vector>

#include "base/ascii.h"
#include "engine/executor/types/calendar.h"
#include "engine/executor/types/interval.h"
#include "engine/executor/types/interval_sum.h"
#include "engine/executor/types/string_type.h"
#include "engine/executor/types/time_fields.h"

namespace connbench::engine {
namespace {

// ---- the parts of a text ----

enum class TokenKind : uint8_t { kTime, kNumber, kSigned, kWord };

struct Token {
  TokenKind kind;
  std::string text;
};

// PostgreSQL's bounds: MAXDATEFIELDS, and the buffer that holds all parts, each with its end.
constexpr size_t kMaxTokens = 25;
constexpr size_t kMaxTokenBytes = 255;

// kNumber may also be a date's form, 1-2 or 1-2-3, of which the first is years and months.
class Tokenizer {
 public:
  explicit Tokenizer(std::string_view text) : rest_(text) {}

  // False: no interval of this form.
  bool Read(std::vector<Token>& tokens) {
    size_t bytes = 0;
    while (!rest_.empty()) {
      const char c = rest_[0];
      if (IsAsciiSpace(c) || IsSeparator(c)) {
        rest_.remove_prefix(1);
        continue;
      }
      if (tokens.size() == kMaxTokens) return false;
      Token token{TokenKind::kNumber, {}};
      if (IsAsciiDigit(c)) {
        TakeNumber(token);
      } else if (c == '.') {
        Take(token);
        TakeWhile(token, IsAsciiDigit);
      } else if (IsAsciiLetter(c)) {
        TakeWord(token);
      } else if (c == '+' || c == '-') {
        if (!TakeSigned(token)) return false;
      } else {
        return false;
      }
      bytes += token.text.size() + 1;
      if (bytes > kMaxTokenBytes) return false;
      tokens.push_back(std::move(token));
    }
    return true;
  }

 private:
  static bool IsSeparator(char c) {
    return c > ' ' && c < 0x7F && !IsAsciiDigit(c) && !IsAsciiLetter(c) && c != '.' && c != '+' &&
           c != '-';
  }
  static bool IsAlphanumeric(char c) { return IsAsciiDigit(c) || IsAsciiLetter(c); }
  char next() const { return rest_.empty() ? '\0' : rest_[0]; }
  void Take(Token& token) {
    token.text += AsciiLower(rest_[0]);
    rest_.remove_prefix(1);
  }
  template <typename Matches>
  void TakeWhile(Token& token, Matches&& matches) {
    // A longer one is refused; so the time that this takes is bounded, too.
    while (!rest_.empty() && matches(rest_[0]) && token.text.size() <= kMaxTokenBytes) Take(token);
  }

  void TakeNumber(Token& token) {
    TakeWhile(token, IsAsciiDigit);
    const char after = next();
    if (after == ':') {
      token.kind = TokenKind::kTime;
      TakeWhile(token, [](char c) { return IsAsciiDigit(c) || c == ':' || c == '.'; });
      return;
    }
    if (after != '-' && after != '/' && after != '.') return;
    Take(token);
    if (!IsAsciiDigit(next())) {
      TakeWhile(token, [after](char c) { return IsAlphanumeric(c) || c == after; });
      return;
    }
    TakeWhile(token, IsAsciiDigit);
    if (next() == after) {
      TakeWhile(token, [after](char c) { return IsAsciiDigit(c) || c == after; });
    }
  }

  void TakeWord(Token& token) {
    token.kind = TokenKind::kWord;
    TakeWhile(token, IsAsciiLetter);
    const char after = next();
    const bool date = after == '-' || after == '/' || after == '.' ||
                      ((after == '+' || IsAsciiDigit(after)) && !IsDateWord(token.text));
    if (!date) return;
    // A date or a zone, which no interval has.
    token.kind = TokenKind::kNumber;
    TakeWhile(token, [](char c) {
      return IsAlphanumeric(c) || c == '+' || c == '-' || c == '/' || c == '_' || c == '.' ||
             c == ':';
    });
  }

  bool TakeSigned(Token& token) {
    Take(token);
    while (IsAsciiSpace(next())) rest_.remove_prefix(1);
    if (IsAsciiDigit(next()) || next() == '.') {
      token.kind = TokenKind::kSigned;
      TakeWhile(token, [](char c) { return IsAsciiDigit(c) || c == ':' || c == '.' || c == '-'; });
      return true;
    }
    if (!IsAsciiLetter(next())) return false;
    token.kind = TokenKind::kWord;
    TakeWhile(token, IsAsciiLetter);
    return true;
  }

  // Words of dates, behind which digits begin a part of their own.
  static bool IsDateWord(std::string_view word) {
    constexpr auto kWords = std::to_array<std::string_view>(
        {"ad",       "allballs", "am",      "apr",       "april",    "at",       "aug",
         "august",   "bc",       "d",       "dec",       "december", "dow",      "doy",
         "dst",      "epoch",    "feb",     "february",  "fri",      "friday",   "h",
         "infinity", "isodow",   "isoyear", "j",         "jan",      "january",  "jd",
         "jul",      "julian",   "july",    "jun",       "june",     "m",        "mar",
         "march",    "may",      "mm",      "mon",       "monday",   "nov",      "november",
         "now",      "oct",      "october", "on",        "pm",       "s",        "sat",
         "saturday", "sep",      "sept",    "september", "sun",      "sunday",   "t",
         "thu",      "thur",     "thurs",   "thursday",  "today",    "tomorrow", "tue",
         "tues",     "tuesday",  "wed",     "wednesday", "weds",     "y",        "yesterday"});
    return std::find(kWords.begin(), kWords.end(), word) != kWords.end();
  }

  std::string_view rest_;
};

// ---- numbers ----

// As strtoll(): a sign and digits, if there are any. end: behind them, where there are none, at
// the beginning.
template <typename T>
bool TakeInteger(std::string_view text, size_t& end, T& value) {
  value = 0;
  const bool plus = text.starts_with('+');
  const char* const begin = text.data() + (plus ? 1 : 0);
  const auto [at, error] = std::from_chars(begin, text.data() + text.size(), value);
  const bool none = error == std::errc::invalid_argument || (plus && text.substr(1, 1) == "-");
  end = none ? 0 : static_cast<size_t>(at - text.data());
  if (none) value = 0;
  return error != std::errc::result_out_of_range;
}

// ".25" up to the end of the text; "." is 0.
bool TakeFraction(std::string_view text, double& fraction) {
  fraction = 0;
  if (text.size() == 1) return true;
  if (!std::all_of(text.begin() + 1, text.end(), IsAsciiDigit)) return false;
  const std::string digits = "0" + std::string(text);
  const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), fraction);
  return error == std::errc() && end == digits.data() + digits.size();
}

// ---- PostgreSQL's form ----

class VerboseReader {
 public:
  VerboseReader(std::vector<Token> tokens, int32_t fields, IntervalStyle style)
      : tokens_(std::move(tokens)), fields_(fields) {
    // The standard has one sign for all parts. If others have their own, each keeps it.
    const auto has_sign = [](const Token& token) {
      return token.text[0] == '-' || token.text[0] == '+';
    };
    negative_ = style == IntervalStyle::kSqlStandard && !tokens_.empty() &&
                tokens_[0].text[0] == '-' &&
                std::none_of(tokens_.begin() + 1, tokens_.end(), has_sign);
  }

  // From the last part to the first, so that units are known before their numbers.
  IntervalProblem Read() {
    bool ago = false;
    for (size_t i = tokens_.size(); i > 0; --i) {
      const Token& token = tokens_[i - 1];
      IntervalProblem problem = IntervalProblem::kNone;
      if (token.kind == TokenKind::kWord) {
        problem = ReadWord(token.text, ago);
      } else if (token.kind == TokenKind::kTime) {
        problem = ReadTime(token.text, 1);
      } else {
        const bool time =
            token.kind == TokenKind::kSigned && token.text.find(':', 1) != std::string::npos;
        problem =
            time ? ReadTime(std::string_view(token.text).substr(1), token.text[0] == '-' ? -1 : 1)
                 : ReadNumber(token.text);
        // As a number, a signed time that is none has PostgreSQL's error.
        if (time && problem != IntervalProblem::kNone) problem = ReadNumber(token.text);
      }
      if (problem != IntervalProblem::kNone) return problem;
    }
    if (seen_ == 0) return IntervalProblem::kSyntax;
    return ago && !sum_.Negate() ? IntervalProblem::kOverflow : IntervalProblem::kNone;
  }

  const IntervalSum& sum() const { return sum_; }

 private:
  using Mask = uint32_t;
  static Mask MaskOf(TimeField unit) { return Mask{1} << static_cast<unsigned>(unit); }
  static constexpr Mask kSecondUnits = Mask{1} << static_cast<unsigned>(TimeField::kSecond) |
                                       Mask{1} << static_cast<unsigned>(TimeField::kMilliseconds) |
                                       Mask{1} << static_cast<unsigned>(TimeField::kMicroseconds);
  static constexpr Mask kTimeUnits = kSecondUnits |
                                     Mask{1} << static_cast<unsigned>(TimeField::kMinute) |
                                     Mask{1} << static_cast<unsigned>(TimeField::kHour);

  // Each unit comes once.
  IntervalProblem See(Mask units) {
    if ((seen_ & units) != 0) return IntervalProblem::kSyntax;
    seen_ |= units;
    return IntervalProblem::kNone;
  }

  IntervalProblem ReadWord(std::string_view word, bool& ago) {
    if (word == "ago") {
      ago = true;
      unit_ = TimeField::kUnknown;
      has_unit_ = true;
      return IntervalProblem::kNone;
    }
    unit_ = FindTimeUnit(word);
    has_unit_ = true;
    return unit_ != TimeField::kUnknown ? IntervalProblem::kNone : IntervalProblem::kSyntax;
  }

  // "h:m", "h:m:s", or minutes and seconds where only they may be or the second has a fraction.
  IntervalProblem ReadTime(std::string_view text, int sign) {
    int64_t parts[3] = {0, 0, 0};
    size_t end = 0;
    if (!TakeInteger(text, end, parts[0])) return IntervalProblem::kOverflow;
    if (end >= text.size() || text[end] != ':') return IntervalProblem::kSyntax;
    int count = 1;
    while (count < 3 && end < text.size() && text[end] == ':') {
      text.remove_prefix(end + 1);
      int32_t value = 0;
      if (!TakeInteger(text, end, value)) return IntervalProblem::kOverflow;
      parts[count++] = value;
    }
    const bool has_fraction = end < text.size() && text[end] == '.';
    double fraction = 0;
    if (has_fraction && !TakeFraction(text.substr(end), fraction)) return IntervalProblem::kSyntax;
    if (!has_fraction && end < text.size()) return IntervalProblem::kSyntax;
    if (count == 2 &&
        (has_fraction || fields_ == (interval_field::kMinute | interval_field::kSecond))) {
      if (parts[0] > INT32_MAX) return IntervalProblem::kOverflow;
      parts[2] = parts[1];
      parts[1] = parts[0];
      parts[0] = 0;
    }
    const bool valid =
        parts[0] >= 0 && parts[1] >= 0 && parts[1] < 60 && parts[2] >= 0 && parts[2] <= 60;
    if (!valid) return IntervalProblem::kOverflow;
    sum_.microseconds = std::llrint(fraction * static_cast<double>(kUsPerSecond));
    const bool fits = sum_.AddTime(parts[0], 0, kUsPerHour) &&
                      sum_.AddTime(parts[1], 0, kUsPerMinute) &&
                      sum_.AddTime(parts[2], 0, kUsPerSecond);
    if (!fits) return IntervalProblem::kOverflow;
    if (sign < 0) sum_.microseconds = -sum_.microseconds;
    if (negative_ && sum_.microseconds > 0) sum_.microseconds = -sum_.microseconds;
    unit_ = TimeField::kDay;  // of a number in front of it: "1 2:03"
    has_unit_ = true;
    return See(kTimeUnits);
  }

  // What a number without a unit counts: the last of the fields that there may be.
  TimeField DefaultUnit() const {
    if (fields_ == interval_field::kAll) return TimeField::kSecond;
    if ((fields_ & interval_field::kSecond) != 0) return TimeField::kSecond;
    if ((fields_ & interval_field::kMinute) != 0) return TimeField::kMinute;
    if ((fields_ & interval_field::kHour) != 0) return TimeField::kHour;
    if ((fields_ & interval_field::kDay) != 0) return TimeField::kDay;
    return (fields_ & interval_field::kMonth) != 0 ? TimeField::kMonth : TimeField::kYear;
  }

  IntervalProblem ReadNumber(std::string_view text) {
    if (!has_unit_) unit_ = DefaultUnit();
    has_unit_ = true;
    int64_t value = 0;
    size_t end = 0;
    if (!TakeInteger(text, end, value)) return IntervalProblem::kOverflow;
    double fraction = 0;
    const std::string_view rest = text.substr(end);
    if (rest.starts_with('-')) {  // years-months
      int32_t months = 0;
      const std::string_view second = rest.substr(1);
      const bool fits = TakeInteger(second, end, months) && months >= 0 && months < kMonthsPerYear;
      if (!fits) return IntervalProblem::kOverflow;
      if (end < second.size()) return IntervalProblem::kSyntax;
      unit_ = TimeField::kMonth;
      if (__builtin_mul_overflow(value, int64_t{kMonthsPerYear}, &value) ||
          __builtin_add_overflow(value, int64_t{text[0] == '-' ? -months : months}, &value)) {
        return IntervalProblem::kOverflow;
      }
    } else if (rest.starts_with('.')) {
      if (!TakeFraction(rest, fraction)) return IntervalProblem::kSyntax;
      if (text[0] == '-') fraction = -fraction;
    } else if (!rest.empty()) {
      return IntervalProblem::kSyntax;
    }
    if (negative_) {
      value = value > 0 ? -value : value;
      fraction = -std::abs(fraction);
    }
    bool known = true;
    const bool fits = Add(value, fraction, known);
    if (!known) return IntervalProblem::kSyntax;
    if (!fits) return IntervalProblem::kOverflow;
    const TimeField unit = unit_;
    if (unit == TimeField::kHour) unit_ = TimeField::kDay;
    return See(unit == TimeField::kSecond && fraction != 0 ? kSecondUnits : MaskOf(unit));
  }

  bool Add(int64_t value, double fraction, bool& known) {
    switch (unit_) {
      case TimeField::kMicroseconds:
        return sum_.AddTime(value, fraction, 1);
      case TimeField::kMilliseconds:
        return sum_.AddTime(value, fraction, 1000);
      case TimeField::kSecond:
        return sum_.AddTime(value, fraction, kUsPerSecond);
      case TimeField::kMinute:
        return sum_.AddTime(value, fraction, kUsPerMinute);
      case TimeField::kHour:
        return sum_.AddTime(value, fraction, kUsPerHour);
      case TimeField::kDay:
        return sum_.AddDays(value) && sum_.AddFraction(fraction, kUsPerDay);
      case TimeField::kWeek:
        return sum_.AddDays(value, 7) && sum_.AddFractionOfDays(fraction, 7);
      case TimeField::kMonth:
        return sum_.AddMonths(value) && sum_.AddFractionOfDays(fraction, kDaysPerMonth);
      case TimeField::kYear:
        return sum_.AddYears(value, fraction, 1);
      case TimeField::kDecade:
        return sum_.AddYears(value, fraction, 10);
      case TimeField::kCentury:
        return sum_.AddYears(value, fraction, 100);
      case TimeField::kMillennium:
        return sum_.AddYears(value, fraction, 1000);
      default:
        known = false;
        return false;
    }
  }

  const std::vector<Token> tokens_;
  const int32_t fields_;
  bool negative_ = false;
  IntervalSum sum_;
  Mask seen_ = 0;
  TimeField unit_ = TimeField::kUnknown;  // of the number before it
  bool has_unit_ = false;
};

}  // namespace

Status ParseInterval(std::string_view text, int32_t fields, IntervalStyle style, Interval& out) {
  IntervalSum sum;
  IntervalProblem problem = IntervalProblem::kSyntax;
  if (std::vector<Token> tokens; Tokenizer(text).Read(tokens)) {
    VerboseReader reader(std::move(tokens), fields, style);
    problem = reader.Read();
    sum = reader.sum();
  }
  if (problem == IntervalProblem::kSyntax) {
    problem = ReadIso8601Interval(text, sum);
  }
  switch (problem) {
    case IntervalProblem::kNone:
      break;
    case IntervalProblem::kSyntax:
      return Status::Error(
          sqlstate::kInvalidDatetimeFormat,
          fmt::format("invalid input syntax for type interval: \"{}\"", Excerpt(text)));
    case IntervalProblem::kOverflow:
      return Status::Error(sqlstate::kIntervalFieldOverflow,
                           fmt::format("interval field value out of range: \"{}\"", Excerpt(text)));
  }
  const int64_t months = int64_t{sum.years} * kMonthsPerYear + sum.months;
  if (months < INT32_MIN || months > INT32_MAX) return IntervalOutOfRange();
  out = {sum.microseconds, sum.days, static_cast<int32_t>(months)};
  return {};
}

}  // namespace connbench::engine
