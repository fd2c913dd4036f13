// Reads pictures of times into nodes.
#include "engine/executor/types/time_picture.h"

#include <array>

#include "base/ascii.h"
#include "engine/executor/types/string_type.h"

namespace connbench::engine {
namespace {

using Calendar = PictureCalendar;
using Letters = LetterCase;
using F = PictureField;

// Among keys with the same first letter the first one that fits is taken: longer ones come first.
constexpr auto kPictureKeys = std::to_array<PictureKey>({
    {"A.D.", F::kEra, false, Calendar::kNone, Letters::kUpper},
    {"A.M.", F::kHalfDay, false, Calendar::kNone, Letters::kUpper},
    {"AD", F::kEra, false, Calendar::kNone, Letters::kUpper},
    {"AM", F::kHalfDay, false, Calendar::kNone, Letters::kUpper},
    {"B.C.", F::kEra, false, Calendar::kNone, Letters::kUpper},
    {"BC", F::kEra, false, Calendar::kNone, Letters::kUpper},
    {"CC", F::kCentury, true, Calendar::kNone, Letters::kUpper},
    {"DAY", F::kDayName, false, Calendar::kNone, Letters::kUpper},
    {"DDD", F::kDayOfYear, true, Calendar::kGregorian, Letters::kUpper},
    {"DD", F::kDay, true, Calendar::kGregorian, Letters::kUpper},
    {"DY", F::kShortDayName, false, Calendar::kNone, Letters::kUpper},
    {"Day", F::kDayName, false, Calendar::kNone, Letters::kCapital},
    {"Dy", F::kShortDayName, false, Calendar::kNone, Letters::kCapital},
    {"D", F::kDayOfWeek, true, Calendar::kGregorian, Letters::kUpper},
    {"FF1", F::kFraction, true, Calendar::kNone, Letters::kUpper},
    {"FF2", F::kFraction, true, Calendar::kNone, Letters::kUpper},
    {"FF3", F::kFraction, true, Calendar::kNone, Letters::kUpper},
    {"FF4", F::kFraction, true, Calendar::kNone, Letters::kUpper},
    {"FF5", F::kFraction, true, Calendar::kNone, Letters::kUpper},
    {"FF6", F::kFraction, true, Calendar::kNone, Letters::kUpper},
    {"FX", F::kExact, false, Calendar::kNone, Letters::kUpper},
    {"HH24", F::kHour24, true, Calendar::kNone, Letters::kUpper},
    {"HH12", F::kHour12, true, Calendar::kNone, Letters::kUpper},
    {"HH", F::kHour12, true, Calendar::kNone, Letters::kUpper},
    {"IDDD", F::kIsoDayOfYear, true, Calendar::kIsoWeek, Letters::kUpper},
    {"ID", F::kIsoDayOfWeek, true, Calendar::kIsoWeek, Letters::kUpper},
    {"IW", F::kIsoWeek, true, Calendar::kIsoWeek, Letters::kUpper},
    {"IYYY", F::kIsoYear, true, Calendar::kIsoWeek, Letters::kUpper},
    {"IYY", F::kIsoYear, true, Calendar::kIsoWeek, Letters::kUpper},
    {"IY", F::kIsoYear, true, Calendar::kIsoWeek, Letters::kUpper},
    {"I", F::kIsoYear, true, Calendar::kIsoWeek, Letters::kUpper},
    {"J", F::kJulian, true, Calendar::kNone, Letters::kUpper},
    {"MI", F::kMinute, true, Calendar::kNone, Letters::kUpper},
    {"MM", F::kMonth, true, Calendar::kGregorian, Letters::kUpper},
    {"MONTH", F::kMonthName, false, Calendar::kGregorian, Letters::kUpper},
    {"MON", F::kShortMonth, false, Calendar::kGregorian, Letters::kUpper},
    {"MS", F::kMilliseconds, true, Calendar::kNone, Letters::kUpper},
    {"Month", F::kMonthName, false, Calendar::kGregorian, Letters::kCapital},
    {"Mon", F::kShortMonth, false, Calendar::kGregorian, Letters::kCapital},
    {"OF", F::kOffset, false, Calendar::kNone, Letters::kUpper},
    {"P.M.", F::kHalfDay, false, Calendar::kNone, Letters::kUpper},
    {"PM", F::kHalfDay, false, Calendar::kNone, Letters::kUpper},
    {"Q", F::kQuarter, true, Calendar::kNone, Letters::kUpper},
    {"RM", F::kRoman, false, Calendar::kGregorian, Letters::kUpper},
    {"SSSSS", F::kSecondOfDay, true, Calendar::kNone, Letters::kUpper},
    {"SSSS", F::kSecondOfDay, true, Calendar::kNone, Letters::kUpper},
    {"SS", F::kSecond, true, Calendar::kNone, Letters::kUpper},
    {"TZH", F::kZoneHours, false, Calendar::kNone, Letters::kUpper},
    {"TZM", F::kZoneMinutes, true, Calendar::kNone, Letters::kUpper},
    {"TZ", F::kZone, false, Calendar::kNone, Letters::kUpper},
    {"US", F::kMicroseconds, true, Calendar::kNone, Letters::kUpper},
    {"WW", F::kWeek, true, Calendar::kGregorian, Letters::kUpper},
    {"W", F::kWeekOfMonth, true, Calendar::kGregorian, Letters::kUpper},
    {"Y,YYY", F::kYearWithComma, true, Calendar::kGregorian, Letters::kUpper},
    {"YYYY", F::kYear, true, Calendar::kGregorian, Letters::kUpper},
    {"YYY", F::kYear, true, Calendar::kGregorian, Letters::kUpper},
    {"YY", F::kYear, true, Calendar::kGregorian, Letters::kUpper},
    {"Y", F::kYear, true, Calendar::kGregorian, Letters::kUpper},
    {"a.d.", F::kEra, false, Calendar::kNone, Letters::kLower},
    {"a.m.", F::kHalfDay, false, Calendar::kNone, Letters::kLower},
    {"ad", F::kEra, false, Calendar::kNone, Letters::kLower},
    {"am", F::kHalfDay, false, Calendar::kNone, Letters::kLower},
    {"b.c.", F::kEra, false, Calendar::kNone, Letters::kLower},
    {"bc", F::kEra, false, Calendar::kNone, Letters::kLower},
    {"cc", F::kCentury, true, Calendar::kNone, Letters::kLower},
    {"day", F::kDayName, false, Calendar::kNone, Letters::kLower},
    {"ddd", F::kDayOfYear, true, Calendar::kGregorian, Letters::kLower},
    {"dd", F::kDay, true, Calendar::kGregorian, Letters::kLower},
    {"dy", F::kShortDayName, false, Calendar::kNone, Letters::kLower},
    {"d", F::kDayOfWeek, true, Calendar::kGregorian, Letters::kLower},
    {"ff1", F::kFraction, true, Calendar::kNone, Letters::kLower},
    {"ff2", F::kFraction, true, Calendar::kNone, Letters::kLower},
    {"ff3", F::kFraction, true, Calendar::kNone, Letters::kLower},
    {"ff4", F::kFraction, true, Calendar::kNone, Letters::kLower},
    {"ff5", F::kFraction, true, Calendar::kNone, Letters::kLower},
    {"ff6", F::kFraction, true, Calendar::kNone, Letters::kLower},
    {"fx", F::kExact, false, Calendar::kNone, Letters::kLower},
    {"hh24", F::kHour24, true, Calendar::kNone, Letters::kLower},
    {"hh12", F::kHour12, true, Calendar::kNone, Letters::kLower},
    {"hh", F::kHour12, true, Calendar::kNone, Letters::kLower},
    {"iddd", F::kIsoDayOfYear, true, Calendar::kIsoWeek, Letters::kLower},
    {"id", F::kIsoDayOfWeek, true, Calendar::kIsoWeek, Letters::kLower},
    {"iw", F::kIsoWeek, true, Calendar::kIsoWeek, Letters::kLower},
    {"iyyy", F::kIsoYear, true, Calendar::kIsoWeek, Letters::kLower},
    {"iyy", F::kIsoYear, true, Calendar::kIsoWeek, Letters::kLower},
    {"iy", F::kIsoYear, true, Calendar::kIsoWeek, Letters::kLower},
    {"i", F::kIsoYear, true, Calendar::kIsoWeek, Letters::kLower},
    {"j", F::kJulian, true, Calendar::kNone, Letters::kLower},
    {"mi", F::kMinute, true, Calendar::kNone, Letters::kLower},
    {"mm", F::kMonth, true, Calendar::kGregorian, Letters::kLower},
    {"month", F::kMonthName, false, Calendar::kGregorian, Letters::kLower},
    {"mon", F::kShortMonth, false, Calendar::kGregorian, Letters::kLower},
    {"ms", F::kMilliseconds, true, Calendar::kNone, Letters::kLower},
    {"of", F::kOffset, false, Calendar::kNone, Letters::kLower},
    {"p.m.", F::kHalfDay, false, Calendar::kNone, Letters::kLower},
    {"pm", F::kHalfDay, false, Calendar::kNone, Letters::kLower},
    {"q", F::kQuarter, true, Calendar::kNone, Letters::kLower},
    {"rm", F::kRoman, false, Calendar::kGregorian, Letters::kLower},
    {"sssss", F::kSecondOfDay, true, Calendar::kNone, Letters::kLower},
    {"ssss", F::kSecondOfDay, true, Calendar::kNone, Letters::kLower},
    {"ss", F::kSecond, true, Calendar::kNone, Letters::kLower},
    {"tzh", F::kZoneHours, false, Calendar::kNone, Letters::kLower},
    {"tzm", F::kZoneMinutes, true, Calendar::kNone, Letters::kLower},
    {"tz", F::kZone, false, Calendar::kNone, Letters::kLower},
    {"us", F::kMicroseconds, true, Calendar::kNone, Letters::kLower},
    {"ww", F::kWeek, true, Calendar::kGregorian, Letters::kLower},
    {"w", F::kWeekOfMonth, true, Calendar::kGregorian, Letters::kLower},
    {"y,yyy", F::kYearWithComma, true, Calendar::kGregorian, Letters::kLower},
    {"yyyy", F::kYear, true, Calendar::kGregorian, Letters::kLower},
    {"yyy", F::kYear, true, Calendar::kGregorian, Letters::kLower},
    {"yy", F::kYear, true, Calendar::kGregorian, Letters::kLower},
    {"y", F::kYear, true, Calendar::kGregorian, Letters::kLower},
});

const PictureKey* FindPictureKey(std::string_view text) {
  for (const PictureKey& key : kPictureKeys) {
    if (text.starts_with(key.name)) return &key;
  }
  return nullptr;
}

bool TakeEither(std::string_view& text, std::string_view upper, std::string_view lower) {
  if (!text.starts_with(upper) && !text.starts_with(lower)) return false;
  text.remove_prefix(upper.size());
  return true;
}

// "quoted" characters stand for themselves; \ quotes one of them.
void TakeQuoted(std::string_view& rest, std::vector<PictureNode>& nodes) {
  rest.remove_prefix(1);
  while (!rest.empty()) {
    if (rest[0] == '"') {
      rest.remove_prefix(1);
      return;
    }
    if (rest[0] == '\\' && rest.size() > 1) rest.remove_prefix(1);
    PictureNode node;
    node.character = rest.substr(0, static_cast<size_t>(Utf8Length(rest[0])));
    nodes.push_back(node);
    rest.remove_prefix(node.character.size());
  }
}

}  // namespace

bool IsPictureSeparator(char c) {
  return c > ' ' && c < 0x7F && !IsAsciiLetter(c) && !IsAsciiDigit(c);
}

Status ParseTimePicture(std::string_view picture, WorkMeter& meter,
                        std::vector<PictureNode>& nodes) {
  constexpr int64_t kStepsPerNode = 200;
  std::string_view rest = picture;
  while (!rest.empty()) {
    CONNBENCH_RETURN_IF_ERROR(meter.Spend(kStepsPerNode));
    PictureNode node;
    if (TakeEither(rest, "FM", "fm")) {
      node.fill = true;
    } else if (TakeEither(rest, "TM", "tm")) {
      node.localized = true;
    }
    if (rest.empty()) break;
    node.key = FindPictureKey(rest);
    if (node.key != nullptr) {
      node.kind = PictureNode::Kind::kField;
      rest.remove_prefix(node.key->name.size());
      if (rest.starts_with("TH")) {
        node.ordinal = 'T';
      } else if (rest.starts_with("th")) {
        node.ordinal = 't';
      }
      if (node.ordinal != 0 || rest.starts_with("SP")) rest.remove_prefix(2);
      nodes.push_back(node);
      continue;
    }
    if (rest[0] == '"') {
      TakeQuoted(rest, nodes);
      continue;
    }
    node.fill = node.localized = false;
    if (rest.starts_with("\\\"")) rest.remove_prefix(1);
    node.kind = IsPictureSeparator(rest[0]) ? PictureNode::Kind::kSeparator
                : IsAsciiSpace(rest[0])     ? PictureNode::Kind::kSpace
                                            : PictureNode::Kind::kCharacter;
    node.character = rest.substr(0, static_cast<size_t>(Utf8Length(rest[0])));
    nodes.push_back(node);
    rest.remove_prefix(node.character.size());
  }
  return {};
}

// ---- Julian days ----

int64_t JulianDay(int64_t year, int64_t month, int64_t day) {
  if (month > 2) {
    month += 1;
    year += 4800;
  } else {
    month += 13;
    year += 4799;
  }
  const int64_t century = year / 100;
  return year * 365 - 32167 + year / 4 - century + century / 4 + 7834 * month / 256 + day;
}

bool IsJulianDate(int64_t year, int64_t month) {
  return (year > -4713 || (year == -4713 && month >= 11)) &&
         (year < 5874898 || (year == 5874898 && month < 6));
}

int64_t JulianDayOfIsoWeek(int64_t year, int64_t week) {
  // January 4th is in the first week. Its distance from Monday:
  const int64_t fourth = JulianDay(year, 1, 4);
  const int64_t weekday = (fourth % 7 + 7) % 7;
  return (week - 1) * 7 + fourth - weekday;
}

int64_t IsoYearOf(int64_t year, int64_t month, int64_t day) {
  const int64_t date = JulianDay(year, month, day);
  if (date < JulianDayOfIsoWeek(year, 1)) return year - 1;
  return date >= JulianDayOfIsoWeek(year + 1, 1) ? year + 1 : year;
}

int64_t IsoWeekOf(int64_t year, int64_t month, int64_t day) {
  const int64_t date = JulianDay(year, month, day);
  return (date - JulianDayOfIsoWeek(IsoYearOf(year, month, day), 1)) / 7 + 1;
}

}  // namespace connbench::engine
