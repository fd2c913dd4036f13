// Reads times in the form of a picture: to_date() and to_timestamp().
#include <fmt/format.h>

#include <cstdlib>
#include <limits>
#include <optional>
#include <span>

#include "base/ascii.h"
#include "engine/executor/types/calendar.h"
#include "engine/executor/types/string_type.h"
#include "engine/executor/types/time_picture.h"

namespace connbench::engine {
namespace {

using F = PictureField;

constexpr std::string_view kHalfDays[] = {"am", "pm"};
constexpr std::string_view kHalfDaysWithDots[] = {"a.m.", "p.m."};
constexpr std::string_view kEras[] = {"ad", "bc"};
constexpr std::string_view kErasWithDots[] = {"a.d.", "b.c."};

Status InvalidPictureText(std::string message) {
  return Status::Error(sqlstate::kInvalidDatetimeFormat, std::move(message));
}
constexpr const char* kNotFixedWidth =
    "If your source string is not fixed-width, try using the \"FM\" modifier.";

// A year of fewer than four digits is the one nearest to 2020.
int64_t NearestYear(int64_t year) {
  if (year < 70) return year + 2000;
  if (year < 100) return year + 1900;
  if (year < 520) return year + 2000;
  return year < 1000 ? year + 1000 : year;
}

// The fields as they were read; 0: not given.
struct PictureFields {
  PictureCalendar calendar = PictureCalendar::kNone;
  int64_t hour = 0, pm = 0, minute = 0, second = 0, second_of_day = 0;
  int64_t day_of_week = 0, day = 0, day_of_year = 0, month = 0;
  int64_t milliseconds = 0, microseconds = 0;
  int64_t year = 0, before_christ = 0, week = 0, week_of_month = 0, century = 0, julian = 0;
  int64_t year_digits = 0;
  int64_t zone_sign = 0, zone_hours = 0, zone_minutes = 0;
  bool clock_of_12 = false;
  int precision = -1;  // of FF1 to FF6
};

class PictureReader {
 public:
  PictureReader(const std::vector<PictureNode>& nodes, std::string_view text, WorkMeter& meter)
      : nodes_(nodes), text_(text), meter_(meter) {}

  Status Run() {
    for (size_t i = 0; i < nodes_.size() && at_ < text_.size(); ++i) {
      constexpr int64_t kStepsPerNode = 100;
      CONNBENCH_RETURN_IF_ERROR(meter_.Spend(kStepsPerNode));
      const PictureNode& node = nodes_[i];
      const bool is_field = node.kind == PictureNode::Kind::kField;
      if (!exact_ && (!is_field || node.key->field != F::kExact) && (is_field || i == 0)) {
        SkipSpaces();
      }
      if (!is_field) {
        PassCharacter(node);
        continue;
      }
      CONNBENCH_RETURN_IF_ERROR(CheckCalendar(*node.key));
      index_ = i;
      CONNBENCH_RETURN_IF_ERROR(ReadField(node));
      if (!exact_) {
        skipped_ = 0;
        SkipSpaces();
      }
    }
    return {};
  }
  PictureFields& fields() { return fields_; }

 private:
  bool AtEnd() const { return at_ >= text_.size(); }
  char Here() const { return AtEnd() ? '\0' : text_[at_]; }
  void SkipSpaces() {
    for (; !AtEnd() && IsAsciiSpace(text_[at_]); ++at_) ++skipped_;
  }
  void SkipCharacter() {
    if (!AtEnd()) at_ += static_cast<size_t>(Utf8Length(text_[at_]));
  }

  // A character of the picture passes one of the text, whichever that is.
  void PassCharacter(const PictureNode& node) {
    if (node.kind == PictureNode::Kind::kCharacter) {
      // What was skipped before may have been it.
      if (!exact_ && skipped_ > 0) {
        --skipped_;
      } else {
        SkipCharacter();
      }
      return;
    }
    if (exact_) return SkipCharacter();
    --skipped_;
    if (!AtEnd() && (IsAsciiSpace(text_[at_]) || IsPictureSeparator(text_[at_]))) {
      ++at_;
      ++skipped_;
    }
  }

  Status CheckCalendar(const PictureKey& key) {
    if (key.calendar == PictureCalendar::kNone) return {};
    if (fields_.calendar == PictureCalendar::kNone) fields_.calendar = key.calendar;
    if (fields_.calendar == key.calendar) return {};
    return InvalidPictureText("invalid combination of date conventions")
        .WithHint("Do not mix Gregorian and ISO week date conventions in a formatting template.");
  }

  static Status Set(int64_t& field, int64_t value, const PictureKey& key) {
    if (field != 0 && field != value) {
      return InvalidPictureText(
                 fmt::format("conflicting values for \"{}\" field in formatting string", key.name))
          .WithDetail("This value contradicts a previous setting for the same field type.");
    }
    field = value;
    return {};
  }

  // Whether what follows the field in the picture cannot be a digit of the text.
  bool EndsBeforeNoDigit() const {
    if (nodes_[index_].ordinal != 0) return true;
    if (index_ + 1 == nodes_.size()) return true;
    const PictureNode& next = nodes_[index_ + 1];
    if (next.kind == PictureNode::Kind::kField) return !next.key->starts_with_digit;
    return !(next.character.size() == 1 && IsAsciiDigit(next.character[0]));
  }

  // As strtol() of at most limit characters. False: there are no digits.
  bool TakeInteger(size_t limit, int64_t& value, bool& in_range) {
    const size_t end = std::min(text_.size() - at_, limit) + at_;
    size_t at = at_;
    while (at < end && IsAsciiSpace(text_[at])) ++at;
    const bool negative = at < end && text_[at] == '-';
    if (at < end && (text_[at] == '-' || text_[at] == '+')) ++at;
    const size_t digits = at;
    value = 0;
    for (; at < end && IsAsciiDigit(text_[at]); ++at) {
      value = std::min<int64_t>(value * 10 + (text_[at] - '0'), int64_t{1} << 40);
    }
    if (at == digits) return false;
    if (negative) value = -value;
    in_range = value >= std::numeric_limits<int32_t>::min() &&
               value <= std::numeric_limits<int32_t>::max();
    at_ = at;
    return true;
  }

  // A number of length characters, or of as many as there are if nothing behind it is a digit.
  // read: how many characters it took.
  Status Integer(int64_t* field, size_t length, const PictureNode& node, int64_t* read = nullptr) {
    const PictureKey& key = *node.key;
    const size_t begin = at_;
    while (!AtEnd() && IsAsciiSpace(text_[at_])) ++at_;
    const size_t number = at_;
    const std::string_view copy = text_.substr(number, length);
    int64_t value = 0;
    bool in_range = true;
    if (node.fill || EndsBeforeNoDigit()) {
      at_ = begin;
      TakeInteger(std::string_view::npos, value, in_range);
    } else {
      const size_t left = text_.size() - number;
      if (left < length) {
        return InvalidPictureText(
                   fmt::format("source string too short for \"{}\" formatting field", key.name))
            .WithDetail(
                fmt::format("Field requires {} characters, but only {} remain.", length, left))
            .WithHint(kNotFixedWidth);
      }
      const bool any = TakeInteger(length, value, in_range);
      if (any && at_ - number < length) {
        return InvalidPictureText(fmt::format("invalid value \"{}\" for \"{}\"", copy, key.name))
            .WithDetail(fmt::format("Field requires {} characters, but only {} could be parsed.",
                                    length, at_ - number))
            .WithHint(kNotFixedWidth);
      }
    }
    if (at_ == begin) {
      return InvalidPictureText(fmt::format("invalid value \"{}\" for \"{}\"", copy, key.name))
          .WithDetail("Value must be an integer.");
    }
    if (!in_range) {
      return Status::Error(
                 sqlstate::kDatetimeFieldOverflow,
                 fmt::format("value for \"{}\" in source string is out of range", key.name))
          .WithDetail(fmt::format("Value must be in the range {} to {}.",
                                  std::numeric_limits<int32_t>::min(),
                                  std::numeric_limits<int32_t>::max()));
    }
    if (read != nullptr) *read = static_cast<int64_t>(at_ - begin);
    return field == nullptr ? Status::Ok() : Set(*field, value, key);
  }
  Status Integer(int64_t& field, const PictureNode& node) {
    return Integer(&field, node.key->name.size(), node);
  }

  // Which of the names the text goes on with, without regard to case. length: of each that counts;
  // 0: all of it.
  Status NameIndexAt(std::span<const std::string_view> names, size_t length, const PictureKey& key,
                     int64_t& index) {
    for (size_t i = 0; i < names.size(); ++i) {
      const std::string_view name = length == 0 ? names[i] : names[i].substr(0, length);
      if (!EqualIgnoringCase(text_.substr(at_, name.size()), name)) continue;
      at_ += name.size();
      index = static_cast<int64_t>(i);
      return {};
    }
    std::string_view word = text_.substr(at_);
    word = word.substr(0, word.find_first_of(" \t\n\r\f"));
    return InvalidPictureText(fmt::format("invalid value \"{}\" for \"{}\"", word, key.name))
        .WithDetail("The given value did not match any of the allowed values for this field.");
  }

  void SkipOrdinal(const PictureNode& node) {
    if (node.ordinal == 0) return;
    SkipCharacter();
    SkipCharacter();
  }

  Status ReadField(const PictureNode& node) {
    const bool dots = node.key->name.size() > 2;
    int64_t index = 0;
    switch (node.key->field) {
      case F::kExact:
        exact_ = true;
        return {};
      case F::kHalfDay:
        CONNBENCH_RETURN_IF_ERROR(
            NameIndexAt(dots ? kHalfDaysWithDots : kHalfDays, 0, *node.key, index));
        CONNBENCH_RETURN_IF_ERROR(Set(fields_.pm, index, *node.key));
        fields_.clock_of_12 = true;
        return {};
      case F::kEra:
        CONNBENCH_RETURN_IF_ERROR(NameIndexAt(dots ? kErasWithDots : kEras, 0, *node.key, index));
        return Set(fields_.before_christ, index, *node.key);
      case F::kMonthName:
      case F::kShortMonth:
        CONNBENCH_RETURN_IF_ERROR(
            NameIndexAt(kMonthNames, node.key->field == F::kShortMonth ? 3 : 0, *node.key, index));
        return Set(fields_.month, index + 1, *node.key);
      case F::kDayName:
      case F::kShortDayName:
        CONNBENCH_RETURN_IF_ERROR(
            NameIndexAt(kDayNames, node.key->field == F::kShortDayName ? 3 : 0, *node.key, index));
        CONNBENCH_RETURN_IF_ERROR(Set(fields_.day_of_week, index, *node.key));
        ++fields_.day_of_week;
        return {};
      case F::kRoman:
        CONNBENCH_RETURN_IF_ERROR(NameIndexAt(kRomanMonths, 0, *node.key, index));
        return Set(fields_.month, 12 - index, *node.key);
      case F::kZone:
      case F::kOffset:
        return Status::Error(
            sqlstate::kFeatureNotSupported,
            fmt::format("formatting field \"{}\" is only supported in to_char", node.key->name));
      case F::kZoneHours:
        if (Here() == '+' || Here() == '-' || Here() == ' ') {
          fields_.zone_sign = Here() == '-' ? -1 : 1;
          ++at_;
        } else {
          // The sign may have been taken for a separator.
          fields_.zone_sign = skipped_ > 0 && at_ > 0 && text_[at_ - 1] == '-' ? -1 : 1;
        }
        return Integer(&fields_.zone_hours, 2, node);
      case F::kZoneMinutes:
        if (fields_.zone_sign == 0) fields_.zone_sign = 1;
        return Integer(&fields_.zone_minutes, 2, node);
      default:
        CONNBENCH_RETURN_IF_ERROR(ReadNumber(node));
        SkipOrdinal(node);
        return {};
    }
  }

  Status ReadNumber(const PictureNode& node) {
    switch (node.key->field) {
      case F::kHour12:
        CONNBENCH_RETURN_IF_ERROR(Integer(&fields_.hour, 2, node));
        fields_.clock_of_12 = true;
        return {};
      case F::kHour24:
        return Integer(&fields_.hour, 2, node);
      case F::kMinute:
        return Integer(fields_.minute, node);
      case F::kSecond:
        return Integer(fields_.second, node);
      case F::kSecondOfDay:
        return Integer(fields_.second_of_day, node);
      case F::kMilliseconds:
        return ReadFraction(fields_.milliseconds, 3, 3, node);
      case F::kMicroseconds:
        return ReadFraction(fields_.microseconds, 6, 6, node);
      case F::kFraction:
        fields_.precision = node.key->name[2] - '0';
        return ReadFraction(fields_.microseconds, fields_.precision, 6, node);
      case F::kDayOfYear:
        return Integer(fields_.day_of_year, node);
      case F::kIsoDayOfYear:
        return Integer(&fields_.day_of_year, 3, node);
      case F::kDay:
        return Integer(fields_.day, node);
      case F::kDayOfWeek:
        return Integer(fields_.day_of_week, node);
      case F::kIsoDayOfWeek:
        CONNBENCH_RETURN_IF_ERROR(Integer(&fields_.day_of_week, 1, node));
        // From Monday = 1 to Sunday = 1.
        if (++fields_.day_of_week > 7) fields_.day_of_week = 1;
        return {};
      case F::kWeek:
      case F::kIsoWeek:
        return Integer(fields_.week, node);
      case F::kWeekOfMonth:
        return Integer(fields_.week_of_month, node);
      case F::kQuarter:  // says nothing that a date could be made of
        return Integer(nullptr, 1, node);
      case F::kMonth:
        return Integer(fields_.month, node);
      case F::kCentury:
        return Integer(fields_.century, node);
      case F::kJulian:
        return Integer(fields_.julian, node);
      case F::kYearWithComma:
        return ReadYearWithComma(node);
      default:
        return ReadYear(node);
    }
  }

  // Digits after the point: .25 and .250 are the same.
  Status ReadFraction(int64_t& field, int length, int digits, const PictureNode& node) {
    int64_t read = 0;
    CONNBENCH_RETURN_IF_ERROR(Integer(&field, static_cast<size_t>(length), node, &read));
    if (read < 1) return {};
    for (int64_t i = read; i < digits; ++i) field *= 10;
    return {};
  }

  Status ReadYear(const PictureNode& node) {
    const auto length = static_cast<int64_t>(node.key->name.size());
    int64_t read = 0;
    CONNBENCH_RETURN_IF_ERROR(Integer(&fields_.year, static_cast<size_t>(length), node, &read));
    if (length < 4 && read < 4) fields_.year = NearestYear(fields_.year);
    fields_.year_digits = length;
    return {};
  }

  // As sscanf() reads "%d,%03d".
  Status ReadYearWithComma(const PictureNode& node) {
    int64_t thousands = 0;
    int64_t years = 0;
    bool in_range = true;
    bool read = TakeInteger(std::string_view::npos, thousands, in_range) && Here() == ',';
    if (read) {
      ++at_;
      while (!AtEnd() && IsAsciiSpace(text_[at_])) ++at_;
      read = TakeInteger(3, years, in_range);
    }
    if (!read) return InvalidPictureText("invalid input string for \"Y,YYY\"");
    const int64_t year = thousands * 1000 + years;
    if (year < INT32_MIN || year > INT32_MAX) {
      return Status::Error(sqlstate::kDatetimeFieldOverflow,
                           "value for \"Y,YYY\" in source string is out of range");
    }
    CONNBENCH_RETURN_IF_ERROR(Set(fields_.year, year, *node.key));
    fields_.year_digits = 4;
    return {};
  }

  const std::vector<PictureNode>& nodes_;
  const std::string_view text_;
  WorkMeter& meter_;
  size_t at_ = 0;
  size_t index_ = 0;     // of the node that is read
  int64_t skipped_ = 0;  // characters that the picture has not asked for
  bool exact_ = false;   // FX
  PictureFields fields_;
};

// ---- from the fields to a time ----

void SetJulianDay(int64_t julian, PictureReading& out) {
  const CalendarTime date = FromDays(julian - kJulianDayOf2000);
  out.year = date.year;
  out.month = date.month;
  out.day = date.day;
}

Status SetClock(const PictureFields& fields, PictureReading& out) {
  if (fields.second_of_day != 0) {
    out.hour = fields.second_of_day / 3600;
    out.minute = fields.second_of_day % 3600 / 60;
    out.second = fields.second_of_day % 60;
  }
  if (fields.second != 0) out.second = fields.second;
  if (fields.minute != 0) out.minute = fields.minute;
  if (fields.hour != 0) out.hour = fields.hour;
  out.microsecond = fields.milliseconds * 1000 + fields.microseconds;
  if (!fields.clock_of_12) return {};
  if (out.hour < 1 || out.hour > 12) {
    return InvalidPictureText(fmt::format("hour \"{}\" is invalid for the 12-hour clock", out.hour))
        .WithHint("Use the 24-hour clock, or give an hour between 1 and 12.");
  }
  if (fields.pm != 0 && out.hour < 12) {
    out.hour += 12;
  } else if (fields.pm == 0 && out.hour == 12) {
    out.hour = 0;
  }
  return {};
}

// False: the fields say nothing of the year.
bool SetYear(const PictureFields& fields, PictureReading& out) {
  const int64_t century = fields.before_christ != 0 ? -fields.century : fields.century;
  if (fields.year == 0) {
    if (fields.century == 0) return false;
    out.year = century >= 0 ? (century - 1) * 100 + 1 : century * 100 + 1;
    return true;
  }
  if (fields.century != 0 && fields.year_digits <= 2) {
    out.year = fields.year % 100;
    if (out.year == 0) {
      out.year = century * 100 + (century >= 0 ? 0 : 1);
    } else {
      out.year = century >= 0 ? out.year + (century - 1) * 100 : (century + 1) * 100 - out.year + 1;
    }
    return true;
  }
  out.year = fields.before_christ != 0 ? -fields.year : fields.year;
  if (out.year < 0) ++out.year;  // there is no year 0
  return true;
}

struct KnownParts {
  bool year = false;
  bool month = false;
  bool day = false;
};

Status SetDate(PictureFields& fields, PictureReading& out, KnownParts& known) {
  known.year = SetYear(fields, out);
  const auto all = [&known] { known.year = known.month = known.day = true; };
  const bool iso = fields.calendar == PictureCalendar::kIsoWeek;
  if (fields.julian != 0) {
    SetJulianDay(fields.julian, out);
    all();
  }
  if (fields.week != 0) {
    if (iso) {
      int64_t julian = JulianDayOfIsoWeek(out.year, fields.week);
      if (fields.day_of_week != 0) julian += fields.day_of_week > 1 ? fields.day_of_week - 2 : 6;
      SetJulianDay(julian, out);
      all();
    } else {
      fields.day_of_year = (fields.week - 1) * 7 + 1;
    }
  }
  if (fields.week_of_month != 0) fields.day = (fields.week_of_month - 1) * 7 + 1;
  if (fields.day != 0) {
    out.day = fields.day;
    known.day = true;
  }
  if (fields.month != 0) {
    out.month = fields.month;
    known.month = true;
  }
  if (fields.day_of_year == 0 || (out.month > 1 && out.day > 1)) return {};
  if (out.year == 0 && fields.before_christ == 0) {
    return InvalidPictureText("cannot calculate day of year without year information");
  }
  if (iso) {
    SetJulianDay(JulianDayOfIsoWeek(out.year, 1) - 1 + fields.day_of_year, out);
    all();
    return {};
  }
  int64_t before = 0;  // days of the months before
  int64_t month = 1;
  for (; month <= 12; ++month) {
    const int64_t days = DaysInMonth(out.year, static_cast<int>(month));
    if (fields.day_of_year <= before + days) break;
    before += days;
  }
  if (out.month <= 1) out.month = month;
  if (out.day <= 1) out.day = fields.day_of_year - before;
  known.month = known.day = true;
  return {};
}

bool IsDate(const PictureReading& out, const KnownParts& known) {
  if (known.month && (out.month < 1 || out.month > 12)) return false;
  if (known.day && (out.day < 1 || out.day > 31)) return false;
  return !(known.year && known.month && known.day) ||
         out.day <= DaysInMonth(out.year, static_cast<int>(out.month));
}

}  // namespace

Status ReadTimePicture(const std::vector<PictureNode>& nodes, std::string_view text,
                       WorkMeter& meter, PictureReading& out) {
  constexpr int64_t kMaxZoneHours = 15;
  PictureReader reader(nodes, text, meter);
  CONNBENCH_RETURN_IF_ERROR(reader.Run());
  PictureFields& fields = reader.fields();
  KnownParts known;
  out.precision = fields.precision;
  CONNBENCH_RETURN_IF_ERROR(SetClock(fields, out));
  CONNBENCH_RETURN_IF_ERROR(SetDate(fields, out, known));
  const bool is_clock = out.hour >= 0 && out.hour < 24 && out.minute >= 0 && out.minute < 60 &&
                        out.second >= 0 && out.second < 60 && out.microsecond >= 0 &&
                        out.microsecond < kUsPerSecond;
  if (!IsDate(out, known) || !is_clock) {
    return Status::Error(sqlstate::kDatetimeFieldOverflow,
                         fmt::format("date/time field value out of range: \"{}\"", Excerpt(text)));
  }
  if (fields.zone_sign == 0) return {};
  if (fields.zone_hours < 0 || fields.zone_hours > kMaxZoneHours || fields.zone_minutes < 0 ||
      fields.zone_minutes >= 60) {
    return Status::Error(sqlstate::kInvalidTimeZoneDisplacementValue,
                         fmt::format("time zone displacement out of range: \"{}\"", Excerpt(text)));
  }
  out.has_zone = true;
  out.offset_s = static_cast<int32_t>(fields.zone_sign *
                                      (fields.zone_hours * 3600 + fields.zone_minutes * 60));
  return {};
}

}  // namespace connbench::engine
