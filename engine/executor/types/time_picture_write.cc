// Writes times in the form of a picture: to_char().
#include <fmt/format.h>

#include <cstdlib>

#include "base/ascii.h"
#include "engine/executor/types/string_type.h"
#include "engine/executor/types/time_picture.h"

namespace connbench::engine {
namespace {

using F = PictureField;

constexpr int kSecondsPerHourOfZone = 3600;

Status NotOfAnInterval() {
  return Status::Error(sqlstate::kInvalidDatetimeFormat,
                       "invalid format specification for an interval value")
      .WithHint("Intervals are not tied to specific calendar dates.");
}

// As printf's %0*d: the sign counts.
std::string Padded(int64_t value, int width) {
  return value < 0 ? fmt::format("-{:0{}}", -value, std::max(width - 1, 0))
                   : fmt::format("{:0{}}", value, width);
}

// Two digits, and one more for a sign; with FM none that need not be.
std::string Number(const PictureNode& node, int64_t value, int digits) {
  return Padded(value, node.fill ? 0 : digits + (value < 0 ? 1 : 0));
}

std::string Ordinal(std::string number, char how) {
  if (how == 0) return number;
  const bool teen = number.size() > 1 && number[number.size() - 2] == '1';
  const char last = teen || number.empty() ? '0' : number.back();
  const std::string_view ending = last == '1'   ? "ST"
                                  : last == '2' ? "ND"
                                  : last == '3' ? "RD"
                                                : "TH";
  return number + (how == 'T' ? std::string(ending) : AsciiLower(ending));
}

std::string InLetters(std::string_view name, LetterCase letters) {
  if (letters == LetterCase::kCapital) return std::string(name);
  std::string text = AsciiLower(name);
  if (letters == LetterCase::kLower) return text;
  for (char& c : text) {
    if (c >= 'a' && c <= 'z') c = static_cast<char>(c - 'a' + 'A');
  }
  return text;
}

// Padded with blanks on the right, unless FM or TM says otherwise.
std::string Name(const PictureNode& node, std::string_view name, size_t width) {
  std::string text = InLetters(name, node.key->letters);
  if (!node.fill && !node.localized && text.size() < width) text.append(width - text.size(), ' ');
  return text;
}

int64_t ShownYear(const PictureTime& time, int64_t year) {
  return time.is_interval || year > 0 ? year : 1 - year;
}

// The room is that of the calendar's year, also for years of ISO weeks.
std::string YearText(const PictureNode& node, const PictureTime& time, bool iso) {
  constexpr int64_t kPowers[] = {1, 10, 100, 1000};
  const auto digits = static_cast<int>(node.key->name.size());  // IYY has three
  const int64_t year = iso ? IsoYearOf(time.year, time.month, time.day) : time.year;
  const int64_t shown = ShownYear(time, year);
  const int64_t cut = digits == 4 ? shown : shown % kPowers[digits];
  if (digits == 1) return Padded(cut, 1);
  return Padded(cut, node.fill ? 0 : digits + (ShownYear(time, time.year) < 0 ? 1 : 0));
}

std::string CenturyText(const PictureNode& node, const PictureTime& time) {
  const int64_t century = time.is_interval ? time.year / 100
                          : time.year > 0  ? (time.year - 1) / 100 + 1
                                           : time.year / 100 - 1;
  return century <= 99 && century >= -99 ? Number(node, century, 2) : fmt::format("{}", century);
}

std::string RomanText(const PictureNode& node, const PictureTime& time) {
  int64_t index = 0;
  if (time.month == 0) {
    index = time.year >= 0 ? 0 : 11;
  } else {
    index = time.month < 0 ? -(time.month + 1) : 12 - time.month;
  }
  std::string text = InLetters(kRomanMonths[index], node.key->letters);
  if (!node.fill && text.size() < 4) text.append(4 - text.size(), ' ');
  return text;
}

std::string ZoneText(const PictureNode& node, const PictureTime& time) {
  const int offset = std::abs(time.offset_s);
  const char sign = time.offset_s >= 0 ? '+' : '-';
  const int minutes = offset % kSecondsPerHourOfZone / 60;
  switch (node.key->field) {
    case F::kZone:
      return node.key->letters == LetterCase::kLower ? AsciiLower(time.zone)
                                                     : std::string(time.zone);
    case F::kZoneHours:
      return fmt::format("{}{:02}", sign, offset / kSecondsPerHourOfZone);
    case F::kZoneMinutes:
      return fmt::format("{:02}", minutes);
    default: {
      std::string text =
          fmt::format("{}{}", sign, Padded(offset / kSecondsPerHourOfZone, node.fill ? 0 : 2));
      if (offset % kSecondsPerHourOfZone != 0) text += fmt::format(":{:02}", minutes);
      return text;
    }
  }
}

// Of a fraction of a second.
std::string FractionText(int digits, int64_t microsecond) {
  constexpr int kMicrosecondDigits = 6;
  int64_t value = microsecond;
  for (int i = digits; i < kMicrosecondDigits; ++i) value /= 10;
  return Padded(value, digits);
}

std::string HalfDayText(const PictureNode& node, const PictureTime& time) {
  const bool afternoon = time.hour % 24 >= 12;
  const bool dots = node.key->name.size() > 2;
  const std::string_view text = dots ? (afternoon ? "P.M." : "A.M.") : (afternoon ? "PM" : "AM");
  return InLetters(text, node.key->letters);
}

std::string EraText(const PictureNode& node, const PictureTime& time) {
  const bool before = time.year <= 0;
  const bool dots = node.key->name.size() > 2;
  const std::string_view text = dots ? (before ? "B.C." : "A.D.") : (before ? "BC" : "AD");
  return InLetters(text, node.key->letters);
}

bool IsNameless(F field) {
  switch (field) {
    case F::kEra:
    case F::kDayName:
    case F::kShortDayName:
    case F::kDayOfWeek:
    case F::kIsoDayOfWeek:
    case F::kMonthName:
    case F::kShortMonth:
    case F::kZone:
    case F::kZoneHours:
    case F::kZoneMinutes:
    case F::kOffset:
      return true;
    default:
      return false;
  }
}

// Numbers may be ordinal; the other fields come from WriteField().
std::string NumberText(const PictureNode& node, const PictureTime& time) {
  const int64_t shown = ShownYear(time, time.year);
  switch (node.key->field) {
    case F::kCentury:
      return CenturyText(node, time);
    case F::kDayOfYear:
      return Padded(time.day_of_year, node.fill ? 0 : 3);
    case F::kDay:
      return Padded(time.day, node.fill ? 0 : 2);
    case F::kDayOfWeek:
      return fmt::format("{}", time.day_of_week + 1);
    case F::kFraction:
      return FractionText(node.key->name[2] - '0', time.microsecond);
    case F::kHour24:
      return Number(node, time.hour, 2);
    case F::kHour12: {
      const int64_t hour = time.hour % 12 == 0 ? 12 : time.hour % 12;
      return Padded(hour, node.fill ? 0 : time.hour >= 0 ? 2 : 3);
    }
    case F::kIsoDayOfYear:
      return Padded(JulianDay(time.year, time.month, time.day) -
                        JulianDayOfIsoWeek(IsoYearOf(time.year, time.month, time.day), 1) + 1,
                    node.fill ? 0 : 3);
    case F::kIsoDayOfWeek:
      return fmt::format("{}", time.day_of_week == 0 ? 7 : time.day_of_week);
    case F::kIsoWeek:
      return Padded(IsoWeekOf(time.year, time.month, time.day), node.fill ? 0 : 2);
    case F::kIsoYear:
      return YearText(node, time, true);
    case F::kJulian:
      return fmt::format("{}", JulianDay(time.year, time.month, time.day));
    case F::kMinute:
      return Number(node, time.minute, 2);
    case F::kMonth:
      return Number(node, time.month, 2);
    case F::kMilliseconds:
      return FractionText(3, time.microsecond);
    case F::kMicroseconds:
      return FractionText(6, time.microsecond);
    case F::kQuarter:
      return fmt::format("{}", (time.month - 1) / 3 + 1);
    case F::kSecondOfDay:
      return fmt::format("{}", time.hour * 3600 + time.minute * 60 + time.second);
    case F::kSecond:
      return Number(node, time.second, 2);
    case F::kWeek:
      return Padded((time.day_of_year - 1) / 7 + 1, node.fill ? 0 : 2);
    case F::kWeekOfMonth:
      return fmt::format("{}", (time.day - 1) / 7 + 1);
    case F::kYearWithComma: {
      const int64_t thousands = shown / 1000;
      return fmt::format("{},{}", thousands, Padded(shown - thousands * 1000, 3));
    }
    default:
      return YearText(node, time, false);
  }
}

Status WriteField(const PictureNode& node, const PictureTime& time, std::string& out) {
  const F field = node.key->field;
  if (time.is_interval && IsNameless(field)) return NotOfAnInterval();
  switch (field) {
    case F::kExact:
      return {};
    case F::kHalfDay:
      out += HalfDayText(node, time);
      return {};
    case F::kEra:
      out += EraText(node, time);
      return {};
    case F::kMonthName:
      out += Name(node, kMonthNames[time.month - 1], 9);
      return {};
    case F::kShortMonth:
      out += InLetters(kMonthNames[time.month - 1].substr(0, 3), node.key->letters);
      return {};
    case F::kDayName:
      out += Name(node, kDayNames[time.day_of_week], 9);
      return {};
    case F::kShortDayName:
      out += InLetters(kDayNames[time.day_of_week].substr(0, 3), node.key->letters);
      return {};
    case F::kZone:
    case F::kZoneHours:
    case F::kZoneMinutes:
    case F::kOffset:
      out += ZoneText(node, time);
      return {};
    case F::kRoman:
      if (time.month != 0 || time.year != 0) out += RomanText(node, time);
      return {};
    case F::kQuarter:
      if (time.month == 0) return {};
      break;
    default:
      break;
  }
  out += Ordinal(NumberText(node, time), node.ordinal);
  return {};
}

}  // namespace

Status WriteTimePicture(const std::vector<PictureNode>& nodes, const PictureTime& time,
                        WorkMeter& meter, std::string& out) {
  constexpr int64_t kStepsPerNode = 100;
  for (const PictureNode& node : nodes) {
    CONNBENCH_RETURN_IF_ERROR(meter.Spend(kStepsPerNode));
    if (node.kind != PictureNode::Kind::kField) {
      out += node.character;
      continue;
    }
    CONNBENCH_RETURN_IF_ERROR(WriteField(node, time, out));
  }
  return {};
}

}  // namespace connbench::engine
