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

class TimeZone {
 public:
  // "UTC", "GMT", "+2", "-05:30", "Europe/Berlin", in any case; 22023 as SET TimeZone reports it.
  static Result<std::shared_ptr<const TimeZone>> Find(std::string_view name);
  static const TimeZone& Utc();

  const std::string& name() const { return name_; }
  // Seconds east of Greenwich at a point in time (microseconds since 2000-01-01 UTC).
  int32_t OffsetAt(int64_t utc_us) const;
  // Seconds east of Greenwich for a wall-clock reading in this zone; in a gap or an overlap, what
  // PostgreSQL chooses: standard time.
  int32_t OffsetForLocal(int64_t local_us) const;

 private:
  struct Transition {
    int64_t at_unix_s;
    int32_t offset_s;
  };

  bool Load(std::string_view file_bytes);
  int32_t OffsetAtUnix(int64_t unix_s) const;

  std::string name_;
  int32_t first_offset_s_ = 0;  // before the first transition, and all there is of a fixed zone
  bool repeats_ = false;        // the last 400 years of transitions repeat for ever
  std::vector<Transition> transitions_;
};

}  // namespace connbench::engine
