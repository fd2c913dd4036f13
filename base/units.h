// Durations and sizes as people write them: "10s", "500ms", "2min", "256MB", "8kB".
//
// Safety: pure functions; any thread of any process. Errors: SQLSTATE 22023 and a message that
// shows what was given and what would have been accepted.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "base/status.h"

namespace connbench {

// Units ns, us, ms, s, m (= min), min, h, d; a bare number takes default_unit.
Result<int64_t> ParseDurationNs(std::string_view text, std::string_view default_unit = "s");
// Units B, kB (= K, k), MB (= M), GB (= G), TB: powers of 1024 as in postgresql.conf.
Result<int64_t> ParseBytes(std::string_view text, std::string_view default_unit = "B");

std::string FormatDuration(int64_t nanoseconds);  // "1.25 ms", "12 s"
std::string FormatBytes(int64_t bytes);           // "8.0 kB", "1.5 GB"

}  // namespace connbench
