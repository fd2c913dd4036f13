// The text forms of bytea and uuid, both ways, and the encodings of encode() and decode().
//
// Safety: pure functions; any thread. Ownership: results lie in the arena. Interrupts are looked
// for every few kilobytes, through the arena.
// Errors: as the type's input function in PostgreSQL: 22P02, 22023; 53200 from the arena.
#pragma once

#include <string_view>

#include "base/status.h"
#include "engine/executor/arena.h"
#include "engine/executor/value.h"

namespace connbench::engine {

inline constexpr size_t kUuidBytes = 16;

// "\x0aff", or the older form: \\ and \ooo for bytes that are no printable ASCII.
Status ParseBytea(std::string_view text, Arena& arena, Value& out);
// "\x0aff": bytea_output = hex, PostgreSQL's default.
Status FormatBytea(std::string_view bytes, Arena& arena, std::string_view& out);

// 32 hexadecimal digits, hyphens after every fourth or none, in braces or without.
Status ParseUuid(std::string_view text, Arena& arena, Value& out);
Status FormatUuid(std::string_view bytes, Arena& arena, std::string_view& out);

// encoding: hex, base64 or escape; 22023 for another.
Status EncodeBytes(std::string_view bytes, std::string_view encoding, Arena& arena,
                   std::string_view& out);
Status DecodeBytes(std::string_view text, std::string_view encoding, Arena& arena,
                   std::string_view& out);

}  // namespace connbench::engine
