// POSIX's description of a time zone, which also ends every zone file.
//
// Safety: pure functions; any thread.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace connbench::engine {

// "Mm.w.d/time": the w-th weekday d of month m; w 5: the last one.
struct PosixDate {
  int32_t month = 0;
  int32_t week = 0;
  int32_t weekday = 0;
  int32_t time_s = 2 * 3600;

  // Local wall-clock seconds since the Unix epoch.
  int64_t In(int64_t year) const;
};

struct PosixRule {
  int32_t standard_s = 0;     // east of Greenwich, while the text counts west
  std::string standard_name;  // may be empty: "+05:30"
  std::string daylight_name;
  bool has_daylight = false;
  int32_t daylight_s = 0;
  PosixDate begins;
  PosixDate ends;
};

std::optional<PosixRule> ParsePosix(std::string_view text);

}  // namespace connbench::engine
