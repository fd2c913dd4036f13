// A session's time zone: UTC, a fixed offset, or a zone of the system's IANA database.
#include "engine/executor/types/time_zone.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <cmath>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <optional>

#include "base/ascii.h"
#include "engine/executor/types/calendar.h"
#include "engine/executor/types/posix_zone.h"
#include "engine/executor/types/string_type.h"

namespace connbench::engine {
namespace {

constexpr const char* kDatabase = "/usr/share/zoneinfo";
constexpr int64_t kUnixTo2000 = kUnixDaysTo2000 * kSecondsPerDay;
constexpr int64_t kYearsGenerated = 400;  // after which the calendar repeats
constexpr int64_t kSecondsPer400Years = int64_t{146097} * kSecondsPerDay;
constexpr int32_t kSecondsPerMinute = 60;
constexpr int32_t kSecondsPerHour = 3600;
constexpr size_t kMaxZoneNameBytes = 255;              // PostgreSQL's TZ_STRLEN_MAX
constexpr int32_t kMaxOffset = 168 * kSecondsPerHour;  // PostgreSQL's limit for a bare number

// What strtod() skips before a number.
std::string_view SkipPlusAndBlanks(std::string_view text) {
  while (!text.empty() && (text[0] == ' ' || (text[0] >= '\t' && text[0] <= '\r'))) {
    text.remove_prefix(1);
  }
  const bool plus = text.size() > 1 && text[0] == '+' && (IsAsciiDigit(text[1]) || text[1] == '.');
  if (plus) text.remove_prefix(1);
  return text;
}

std::string OffsetName(int32_t offset_s) {
  const int32_t magnitude = std::abs(offset_s);
  std::string digits = fmt::format("{:02}", magnitude / 3600);
  if (magnitude % 3600 != 0) digits += fmt::format(":{:02}", magnitude / 60 % 60);
  return fmt::format("<{}{}>{}{}", offset_s < 0 ? '-' : '+', digits, offset_s < 0 ? '+' : '-',
                     digits);
}

// The file's path below the database, in the case it has there. Only letters, digits and _+-/ pass,
// so the path stays inside.
std::optional<std::string> FindFile(std::string_view name) {
  const bool plain = std::all_of(name.begin(), name.end(), [](char c) {
    return IsAsciiLetter(c) || IsAsciiDigit(c) || c == '_' || c == '+' || c == '-' || c == '/';
  });
  if (name.empty() || !plain || name.front() == '/' || name.back() == '/') return std::nullopt;
  std::string found;
  std::error_code error;
  while (!name.empty()) {
    const size_t slash = std::min(name.find('/'), name.size());
    const std::string_view part = name.substr(0, slash);
    name.remove_prefix(std::min(slash + 1, name.size()));
    bool matched = false;
    for (const auto& entry :
         std::filesystem::directory_iterator(std::string(kDatabase) + found, error)) {
      const std::string file = entry.path().filename();
      if (!EqualIgnoringCase(file, part)) continue;
      found += '/' + file;
      matched = true;
      break;
    }
    if (!matched) return std::nullopt;
  }
  if (!std::filesystem::is_regular_file(kDatabase + found, error)) return std::nullopt;
  return found.substr(1);
}

// Big-endian fields of a TZif file (RFC 8536).
class FileReader {
 public:
  explicit FileReader(std::string_view bytes) : bytes_(bytes) {}
  bool Skip(size_t bytes) {
    if (bytes_.size() < bytes) return false;
    bytes_.remove_prefix(bytes);
    return true;
  }
  bool Has(size_t bytes) const { return bytes_.size() >= bytes; }
  int64_t Integer(size_t width) {
    constexpr int64_t kSign =
        0x80;  // two's complement: the first byte's highest bit counts below zero
    int64_t value = (static_cast<uint8_t>(bytes_[0]) ^ kSign) - kSign;
    for (size_t i = 1; i < width; ++i) value = value * 256 + static_cast<uint8_t>(bytes_[i]);
    bytes_.remove_prefix(width);
    return value;
  }
  std::string_view rest() const { return bytes_; }

 private:
  std::string_view bytes_;
};

struct FileHeader {
  char version = 0;
  int64_t utc_flags = 0, standard_flags = 0, leaps = 0, times = 0, types = 0, letters = 0;
  size_t DataBytes(size_t time_width) const {
    return static_cast<size_t>(times) * (time_width + 1) + static_cast<size_t>(types) * 6 +
           static_cast<size_t>(letters) + static_cast<size_t>(leaps) * (time_width + 4) +
           static_cast<size_t>(standard_flags + utc_flags);
  }
};

bool ReadHeader(FileReader& reader, FileHeader& header) {
  if (!reader.Has(44) || !reader.rest().starts_with("TZif")) return false;
  header.version = reader.rest()[4];
  if (!reader.Skip(20)) return false;
  for (int64_t* field : {&header.utc_flags, &header.standard_flags, &header.leaps, &header.times,
                         &header.types, &header.letters}) {
    *field = reader.Integer(4);
    if (*field < 0 || *field > 65536) return false;
  }
  return header.types > 0;
}

}  // namespace

const TimeZone& TimeZone::Utc() {
  static const TimeZone kUtc = [] {
    TimeZone zone;
    zone.name_ = "UTC";
    zone.NumberOf(zone.name_);
    return zone;
  }();
  return kUtc;
}

bool TimeZone::Load(std::string_view bytes) {
  FileReader reader(bytes);
  FileHeader header;
  if (!ReadHeader(reader, header)) return false;
  if (header.version < '2') return false;  // 32-bit times only: no current database has it
  if (!reader.Skip(header.DataBytes(4)) || !ReadHeader(reader, header)) return false;
  if (!reader.Has(header.DataBytes(8))) return false;
  const auto times = static_cast<size_t>(header.times);
  transitions_.resize(times);
  for (Transition& transition : transitions_) transition.at_unix_s = reader.Integer(8);
  std::vector<size_t> kinds(times);
  for (size_t& kind : kinds) kind = static_cast<size_t>(reader.Integer(1));
  struct Kind {
    int32_t offset_s;
    size_t letters;  // where its abbreviation begins
  };
  std::vector<Kind> types(static_cast<size_t>(header.types));
  for (Kind& type : types) {
    type.offset_s = static_cast<int32_t>(reader.Integer(4));
    reader.Skip(1);
    type.letters = static_cast<size_t>(reader.Integer(1)) & 0xFF;
  }
  const std::string_view letters = reader.rest().substr(0, static_cast<size_t>(header.letters));
  const auto abbreviation = [&](const Kind& type) {
    const std::string_view text = letters.substr(std::min(type.letters, letters.size()));
    return NumberOf(text.substr(0, text.find('\0')));
  };
  first_offset_s_ = types[0].offset_s;
  first_abbreviation_ = abbreviation(types[0]);
  for (size_t i = 0; i < times; ++i) {
    if (kinds[i] >= types.size()) return false;
    transitions_[i].offset_s = types[kinds[i]].offset_s;
    transitions_[i].abbreviation = abbreviation(types[kinds[i]]);
  }
  reader.Skip(static_cast<size_t>(header.letters + header.leaps * 12 + header.standard_flags +
                                  header.utc_flags));
  std::string_view footer = reader.rest();
  if (!footer.starts_with('\n')) return true;
  footer.remove_prefix(1);
  footer = footer.substr(0, footer.find('\n'));
  const auto rule = ParsePosix(footer);
  if (!rule) return footer.empty();
  AddRule(*rule);
  return true;
}

void TimeZone::AddRule(const PosixRule& rule) {
  const int64_t last = transitions_.empty() ? INT64_MIN : transitions_.back().at_unix_s;
  const uint32_t standard = NumberOf(rule.standard_name);
  if (transitions_.empty()) {
    first_offset_s_ = rule.standard_s;
    first_abbreviation_ = standard;
  }
  if (!rule.has_daylight) return;
  const uint32_t daylight = NumberOf(rule.daylight_name);
  // From the file's end on the rule holds; 400 years of it, after which the calendar repeats.
  const int64_t first_year =
      transitions_.empty() ? 1970
                           : FromDays(FloorDivide(last, kSecondsPerDay) - kUnixDaysTo2000).year;
  for (int64_t year = first_year; year <= first_year + kYearsGenerated; ++year) {
    Transition spring{rule.begins.In(year) - rule.standard_s, rule.daylight_s, daylight};
    Transition autumn{rule.ends.In(year) - rule.daylight_s, rule.standard_s, standard};
    if (autumn.at_unix_s < spring.at_unix_s) std::swap(spring, autumn);
    for (const Transition& transition : {spring, autumn}) {
      if (transition.at_unix_s > last) transitions_.push_back(transition);
    }
  }
  repeats_ = true;
}

Result<TimeZoneRef> TimeZone::Fixed(int32_t offset_s) {
  auto zone = std::make_shared<TimeZone>();
  zone->first_offset_s_ = offset_s;
  zone->name_ = OffsetName(offset_s);
  zone->NumberOf(std::string_view(zone->name_).substr(1, zone->name_.find('>') - 1));
  return TimeZoneRef(std::move(zone));
}

Result<TimeZoneRef> TimeZone::Find(std::string_view name) {
  auto zone = std::make_shared<TimeZone>();
  const auto unknown = [&] {
    return Status::Error(sqlstate::kInvalidParameterValue,
                         fmt::format("time zone \"{}\" not recognized", Excerpt(name)));
  };
  if (name.size() > kMaxZoneNameBytes) return unknown();
  if (EqualIgnoringCase(name, "utc") || EqualIgnoringCase(name, "gmt")) {
    zone->name_ = EqualIgnoringCase(name, "gmt") ? "GMT" : "UTC";
    zone->NumberOf(zone->name_);
    return TimeZoneRef(std::move(zone));
  }
  if (const auto file = FindFile(name)) {
    std::ifstream stream(std::string(kDatabase) + '/' + *file, std::ios::binary);
    const std::string bytes((std::istreambuf_iterator<char>(stream)), {});
    if (!zone->Load(bytes)) return unknown();
    zone->name_ = *file;
    return TimeZoneRef(std::move(zone));
  }
  const auto rule = ParsePosix(name);
  if (!rule) return unknown();
  zone->AddRule(*rule);
  std::transform(name.begin(), name.end(), std::back_inserter(zone->name_),
                 [](char c) { return IsAsciiLetter(c) ? static_cast<char>(c & ~0x20) : c; });
  return TimeZoneRef(std::move(zone));
}

Result<TimeZoneRef> TimeZone::FindSetting(std::string_view value) {
  const auto invalid = [&] {
    return Status::Error(
        sqlstate::kInvalidParameterValue,
        fmt::format("invalid value for parameter \"TimeZone\": \"{}\"", Excerpt(value)));
  };
  double hours = 0;
  const std::string_view digits = SkipPlusAndBlanks(value);
  const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), hours);
  if (error == std::errc() && end == digits.data() + digits.size() && std::isfinite(hours)) {
    if (std::abs(hours) * kSecondsPerHour >= kMaxOffset) {
      return invalid().WithDetail("UTC timezone offset is out of range.");
    }
    return Fixed(static_cast<int32_t>(hours * kSecondsPerHour));
  }
  auto zone = Find(value);
  if (!zone.ok()) return invalid();
  if ((*zone)->first_offset_s_ % kSecondsPerMinute != 0 && (*zone)->transitions_.empty()) {
    return Status::Error(
               sqlstate::kInvalidParameterValue,
               fmt::format("time zone \"{}\" appears to use leap seconds", (*zone)->name_))
        .WithDetail("PostgreSQL does not support leap seconds.");
  }
  return zone;
}

Result<TimeZoneRef> TimeZone::FindZoneOrAbbreviation(std::string_view name) {
  const TimeZoneAbbreviation* abbreviation =
      name.size() > kMaxZoneNameBytes ? nullptr : FindTimeZoneAbbreviation(name);
  if (abbreviation != nullptr) {
    if (!abbreviation->zone.empty()) return Find(abbreviation->zone);
    return Fixed(abbreviation->offset_s);
  }
  return Find(name);
}

const TimeZone::Transition* TimeZone::TransitionAt(int64_t unix_s) const {
  if (transitions_.empty() || unix_s < transitions_.front().at_unix_s) return nullptr;
  const int64_t last = transitions_.back().at_unix_s;
  if (repeats_ && unix_s > last) {
    unix_s -= (unix_s - last + kSecondsPer400Years - 1) / kSecondsPer400Years * kSecondsPer400Years;
  }
  const auto next = std::upper_bound(
      transitions_.begin(), transitions_.end(), unix_s,
      [](int64_t at, const Transition& transition) { return at < transition.at_unix_s; });
  return &*std::prev(next);
}

int32_t TimeZone::OffsetAtUnix(int64_t unix_s) const {
  const Transition* const transition = TransitionAt(unix_s);
  return transition == nullptr ? first_offset_s_ : transition->offset_s;
}

std::string_view TimeZone::AbbreviationAt(int64_t utc_us) const {
  const Transition* const transition =
      TransitionAt(FloorDivide(utc_us, kUsPerSecond) + kUnixTo2000);
  const uint32_t number = transition == nullptr ? first_abbreviation_ : transition->abbreviation;
  return number < abbreviations_.size() ? std::string_view(abbreviations_[number])
                                        : std::string_view();
}

uint32_t TimeZone::NumberOf(std::string_view abbreviation) {
  const auto at = std::find(abbreviations_.begin(), abbreviations_.end(), abbreviation);
  const auto number = static_cast<uint32_t>(at - abbreviations_.begin());
  if (at == abbreviations_.end()) abbreviations_.emplace_back(abbreviation);
  return number;
}

[[gnu::hot]] int32_t TimeZone::OffsetAt(int64_t utc_us) const {
  if (transitions_.empty()) return first_offset_s_;
  return OffsetAtUnix(FloorDivide(utc_us, kUsPerSecond) + kUnixTo2000);
}

int32_t TimeZone::OffsetForLocal(int64_t local_us) const {
  if (transitions_.empty()) return first_offset_s_;
  const int64_t local_s = FloorDivide(local_us, kUsPerSecond) + kUnixTo2000;
  // The offsets a day before and a day after enclose at most one change.
  const int32_t before = OffsetAtUnix(local_s - kSecondsPerDay);
  const int32_t after = OffsetAtUnix(local_s + kSecondsPerDay);
  if (before == after) return before;
  const bool before_holds = OffsetAtUnix(local_s - before) == before;
  const bool after_holds = OffsetAtUnix(local_s - after) == after;
  if (before_holds != after_holds) return before_holds ? before : after;
  // A gap (neither) or an overlap (both): standard time, the smaller offset.
  return std::min(before, after);
}

}  // namespace connbench::engine
