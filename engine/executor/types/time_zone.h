// A session's time zone: UTC, a fixed offset, or a zone of the system's IANA database.
//
// Safety: immutable after Find(); any thread. Ownership: by shared_ptr, sessions share.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/status.h"

namespace connbench::engine {

class TimeZone;
struct PosixRule;
using TimeZoneRef = std::shared_ptr<const TimeZone>;

// An abbreviation in times and after AT TIME ZONE: "pst".
struct TimeZoneAbbreviation {
  std::string_view name;  // in lower case
  int32_t offset_s;       // east of Greenwich, if there is no zone
  std::string_view zone;  // what it stands for if its offset has changed over time
};
// In any case; null if there is none.
const TimeZoneAbbreviation* FindTimeZoneAbbreviation(std::string_view name);

class TimeZone {
 public:
  // A zone of the database ("Europe/Berlin") or POSIX's form, which counts west: "<+05>-5",
  // "-05:30", "CET-1CEST,M3.5.0,M10.5.0/3". In any case. 22023 "... not recognized".
  static Result<TimeZoneRef> Find(std::string_view name);
  // The value of SET TimeZone: also a number of hours, which counts east. 22023 as SET reports it.
  static Result<TimeZoneRef> FindSetting(std::string_view value);
  // What AT TIME ZONE and the text of a time may name: abbreviations come first.
  static Result<TimeZoneRef> FindZoneOrAbbreviation(std::string_view name);
  static const TimeZone& Utc();

  const std::string& name() const { return name_; }
  // Seconds east of Greenwich at a point in time (microseconds since 2000-01-01 UTC).
  int32_t OffsetAt(int64_t utc_us) const;
  // What that time is called there: "CET"; for zones without names "+05".
  std::string_view AbbreviationAt(int64_t utc_us) const;
  // Seconds east of Greenwich for a wall-clock reading in this zone; in a gap or an overlap, what
  // PostgreSQL chooses: standard time.
  int32_t OffsetForLocal(int64_t local_us) const;

 private:
  struct Transition {
    int64_t at_unix_s;
    int32_t offset_s;
    uint32_t abbreviation;
  };

  static Result<TimeZoneRef> Fixed(int32_t offset_s);
  bool Load(std::string_view file_bytes);
  void AddRule(const PosixRule& rule);
  // The last change before that time; null: there is none.
  const Transition* TransitionAt(int64_t unix_s) const;
  int32_t OffsetAtUnix(int64_t unix_s) const;
  // The number of an abbreviation.
  uint32_t NumberOf(std::string_view abbreviation);

  std::string name_;
  int32_t first_offset_s_ = 0;  // before the first transition, and all there is of a fixed zone
  uint32_t first_abbreviation_ = 0;
  bool repeats_ = false;  // the last 400 years of transitions repeat for ever
  std::vector<Transition> transitions_;
  std::vector<std::string> abbreviations_;
};

}  // namespace connbench::engine
