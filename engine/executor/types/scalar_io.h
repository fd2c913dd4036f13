// Text forms of single types, which type_io.cc puts together.
//
// Safety: pure functions; any thread. Errors: as the type's input function in PostgreSQL.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "base/status.h"
#include "engine/executor/types/time_zone.h"
#include "engine/executor/types/type_io.h"

namespace connbench::engine {

std::string_view TrimSpaces(std::string_view text);
// 22P02 "invalid input syntax for type integer: "abc"".
Status InvalidInput(std::string_view type_name, std::string_view text);

Status ParseReal(std::string_view text, bool single_precision, double& out);
// The shortest digits that read back as the same value, as PostgreSQL 12 and later print it.
// Writes at most kRealTextBytes; returns the length.
inline constexpr size_t kRealTextBytes = 32;
size_t FormatReal(double value, bool single_precision, char* out);

// ISO forms, PostgreSQL's words ("now", "epoch", "infinity", ...), month names, zones. with_zone:
// timestamptz.
Status ParseTimestamp(std::string_view text, bool with_zone, const IoContext& io, int64_t& out);
// DateStyle ISO. At most kTimestampTextBytes.
inline constexpr size_t kTimestampTextBytes = 48;
size_t FormatTimestamp(int64_t timestamp, const TimeZone* zone, char* out);
// The day of what ParseTimestamp() reads, whose time and zone say nothing.
Status ParseDate(std::string_view text, const IoContext& io, int64_t& days_since_2000);
// At most kTimestampTextBytes.
size_t FormatDate(int64_t days_since_2000, char* out);
// A time of the day in microseconds. The date and the zone that the text may have say nothing.
Status ParseTime(std::string_view text, const IoContext& io, int64_t& time_us);
// At most kTimestampTextBytes.
size_t FormatTime(int64_t time_us, char* out);
// To precision digits after the second, half away from zero.
int64_t RoundTimestamp(int64_t timestamp, int32_t precision);

}  // namespace connbench::engine
