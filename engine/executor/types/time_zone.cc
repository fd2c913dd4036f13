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

#include "engine/executor/types/calendar.h"

namespace connbench::engine {
namespace {

constexpr const char* kDatabase = "/usr/share/zoneinfo";
constexpr int64_t kUnixTo2000 = kUnixDaysTo2000 * kSecondsPerDay;
constexpr int64_t kYearsGenerated = 400;  // after which the calendar repeats
constexpr int64_t kSecondsPer400Years = int64_t{146097} * kSecondsPerDay;
constexpr int32_t kMaxOffset = 168 * 3600;  // PostgreSQL's limit for a bare number

char Lower(char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c; }
bool IsLetter(char c) { return Lower(c) >= 'a' && Lower(c) <= 'z'; }
bool IsDigit(char c) { return c >= '0' && c <= '9'; }
bool SameName(std::string_view a, std::string_view b) {
  return std::equal(a.begin(), a.end(), b.begin(), b.end(),
                    [](char x, char y) { return Lower(x) == Lower(y); });
}

// Reads POSIX TZ strings such as "CET-1CEST,M3.5.0,M10.5.0/3".
class PosixReader {
 public:
  explicit PosixReader(std::string_view text) : rest_(text) {}

  bool done() const { return rest_.empty(); }
  bool Take(char c) {
    if (rest_.empty() || rest_[0] != c) return false;
    rest_.remove_prefix(1);
    return true;
  }
  bool Name() {
    if (Take('<')) {
      const size_t end = rest_.find('>');
      if (end == std::string_view::npos) return false;
      rest_.remove_prefix(end + 1);
      return true;
    }
    size_t letters = 0;
    while (letters < rest_.size() && IsLetter(rest_[letters])) ++letters;
    rest_.remove_prefix(letters);
    return letters >= 3;
  }
  bool Number(int32_t& out) {
    const auto [end, error] = std::from_chars(rest_.data(), rest_.data() + rest_.size(), out);
    if (error != std::errc() || !IsDigit(rest_[0])) return false;
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
    out = hours * 3600 + minutes * 60 + seconds;
    if (minus) out = -out;
    return true;
  }

 private:
  std::string_view rest_;
};

// "Mm.w.d/time": the w-th weekday d of month m; w 5: the last one.
struct RuleDate {
  int32_t month = 0;
  int32_t week = 0;
  int32_t weekday = 0;
  int32_t time_s = 2 * 3600;

  bool Read(PosixReader& reader) {
    if (!reader.Take('M') || !reader.Number(month) || !reader.Take('.') || !reader.Number(week) ||
        !reader.Take('.') || !reader.Number(weekday)) {
      return false;
    }
    if (reader.Take('/') && !reader.Seconds(time_s)) return false;
    return month >= 1 && month <= 12 && week >= 1 && week <= 5 && weekday <= 6;
  }
  // Local wall-clock seconds since the Unix epoch.
  int64_t In(int64_t year) const {
    const int64_t first = DaysSince2000(year, month, 1);
    int64_t day = first + (weekday - DayOfWeek(first) + 7) % 7 + int64_t{week - 1} * 7;
    if (day >= first + DaysInMonth(year, month)) day -= 7;
    return (day + kUnixDaysTo2000) * kSecondsPerDay + time_s;
  }
};

struct PosixRule {
  int32_t standard_s = 0;  // east
  bool has_daylight = false;
  int32_t daylight_s = 0;
  RuleDate begins;
  RuleDate ends;
};

std::optional<PosixRule> ParsePosix(std::string_view text) {
  PosixReader reader(text);
  PosixRule rule;
  if (!reader.Name() || !reader.Seconds(rule.standard_s)) return std::nullopt;
  rule.standard_s = -rule.standard_s;  // POSIX counts west
  if (reader.done()) return rule;
  if (!reader.Name()) return std::nullopt;
  rule.has_daylight = true;
  rule.daylight_s = rule.standard_s + 3600;
  if (!reader.Take(',')) {
    if (!reader.Seconds(rule.daylight_s) || !reader.Take(',')) return std::nullopt;
    rule.daylight_s = -rule.daylight_s;
  }
  if (!rule.begins.Read(reader) || !reader.Take(',') || !rule.ends.Read(reader))
    return std::nullopt;
  return reader.done() ? std::optional(rule) : std::nullopt;
}

// A number as people write offsets, east positive: "+2", "-05:30", "2.5".
std::optional<int32_t> ParseOffset(std::string_view name) {
  double hours = 0;
  const std::string_view digits = name.substr(name.starts_with('+') ? 1 : 0);
  const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), hours);
  if (error == std::errc() && end == digits.data() + digits.size() && std::isfinite(hours)) {
    if (std::abs(hours) * 3600 > kMaxOffset) return std::nullopt;
    return static_cast<int32_t>(std::lround(hours * 3600));
  }
  PosixReader reader(name);
  int32_t seconds = 0;
  if (!name.empty() && reader.Seconds(seconds) && reader.done() &&
      std::abs(seconds) <= kMaxOffset) {
    return seconds;
  }
  return std::nullopt;
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
    return IsLetter(c) || IsDigit(c) || c == '_' || c == '+' || c == '-' || c == '/';
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
      if (!SameName(file, part)) continue;
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
    bool daylight;
  };
  std::vector<Kind> types(static_cast<size_t>(header.types));
  for (Kind& type : types) {
    type.offset_s = static_cast<int32_t>(reader.Integer(4));
    type.daylight = reader.Integer(1) != 0;
    reader.Skip(1);
  }
  first_offset_s_ = types[0].offset_s;
  for (size_t i = 0; i < times; ++i) {
    if (kinds[i] >= types.size()) return false;
    transitions_[i].offset_s = types[kinds[i]].offset_s;
  }
  reader.Skip(static_cast<size_t>(header.letters + header.leaps * 12 + header.standard_flags +
                                  header.utc_flags));
  std::string_view footer = reader.rest();
  if (!footer.starts_with('\n')) return true;
  footer.remove_prefix(1);
  footer = footer.substr(0, footer.find('\n'));
  const auto rule = ParsePosix(footer);
  if (!rule) return footer.empty();
  const int64_t last = transitions_.empty() ? INT64_MIN : transitions_.back().at_unix_s;
  if (!rule->has_daylight) {
    if (transitions_.empty()) first_offset_s_ = rule->standard_s;
    return true;
  }
  // From the file's end on the rule holds; 400 years of it, after which the calendar repeats.
  const int64_t first_year =
      transitions_.empty() ? 1970
                           : FromDays(FloorDivide(last, kSecondsPerDay) - kUnixDaysTo2000).year;
  for (int64_t year = first_year; year <= first_year + kYearsGenerated; ++year) {
    Transition spring{rule->begins.In(year) - rule->standard_s, rule->daylight_s};
    Transition autumn{rule->ends.In(year) - rule->daylight_s, rule->standard_s};
    if (autumn.at_unix_s < spring.at_unix_s) std::swap(spring, autumn);
    for (const Transition& transition : {spring, autumn}) {
      if (transition.at_unix_s > last) transitions_.push_back(transition);
    }
  }
  repeats_ = true;
  return true;
}

Result<std::shared_ptr<const TimeZone>> TimeZone::Find(std::string_view name) {
  auto zone = std::make_shared<TimeZone>();
  const auto invalid = [&] {
    return Status::Error(sqlstate::kInvalidParameterValue,
                         fmt::format("invalid value for parameter \"TimeZone\": \"{}\"", name));
  };
  if (SameName(name, "utc") || SameName(name, "gmt") || SameName(name, "z")) {
    zone->name_ = SameName(name, "gmt") ? "GMT" : "UTC";
    return std::shared_ptr<const TimeZone>(std::move(zone));
  }
  if (const auto offset = ParseOffset(name)) {
    zone->first_offset_s_ = *offset;
    zone->name_ = OffsetName(*offset);
    return std::shared_ptr<const TimeZone>(std::move(zone));
  }
  if (const auto file = FindFile(name)) {
    std::ifstream stream(std::string(kDatabase) + '/' + *file, std::ios::binary);
    const std::string bytes((std::istreambuf_iterator<char>(stream)), {});
    if (!zone->Load(bytes)) return invalid();
    zone->name_ = *file;
    return std::shared_ptr<const TimeZone>(std::move(zone));
  }
  if (const auto rule = ParsePosix(name); rule && !rule->has_daylight) {
    zone->first_offset_s_ = rule->standard_s;
    zone->name_ = std::string(name);
    return std::shared_ptr<const TimeZone>(std::move(zone));
  }
  return invalid();
}

int32_t TimeZone::OffsetAtUnix(int64_t unix_s) const {
  if (transitions_.empty() || unix_s < transitions_.front().at_unix_s) return first_offset_s_;
  const int64_t last = transitions_.back().at_unix_s;
  if (repeats_ && unix_s > last) {
    unix_s -= (unix_s - last + kSecondsPer400Years - 1) / kSecondsPer400Years * kSecondsPer400Years;
  }
  const auto next = std::upper_bound(
      transitions_.begin(), transitions_.end(), unix_s,
      [](int64_t at, const Transition& transition) { return at < transition.at_unix_s; });
  return std::prev(next)->offset_s;
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
