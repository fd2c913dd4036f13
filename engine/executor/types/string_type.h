// What the string types share: UTF-8, blanks, character counts.
//
// Safety: pure functions; any thread. Unless said otherwise text is valid UTF-8.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "base/status.h"
#include "engine/executor/arena.h"

namespace connbench::engine {

inline constexpr size_t kNameBytes = 63;  // longer identifiers are cut, as in PostgreSQL

inline std::string_view TrimTrailingBlanks(std::string_view text) {
  size_t size = text.size();
  while (size > 0 && text[size - 1] == ' ') --size;
  return text.substr(0, size);
}

// Bytes of the character that starts with this byte.
inline int Utf8Length(char first) {
  const auto byte = static_cast<unsigned char>(first);
  if (byte < 0x80) return 1;
  if (byte < 0xE0) return 2;
  return byte < 0xF0 ? 3 : 4;
}

// The character at text[at], which is moved behind it; text must not end there.
char32_t TakeUtf8(std::string_view text, size_t& at);
// Writes at most four bytes; returns how many. c is a character that UTF-8 has.
size_t EncodeUtf8(char32_t c, char* out);
int64_t CountCharacters(std::string_view text);
// Byte offset of the first needle at or after from, npos if there is none, in linear time.
Status FindText(std::string_view text, std::string_view needle, size_t from, WorkMeter& meter,
                size_t& at);
// Byte offset of the character with this 0-based number; text.size() if there are fewer.
size_t ByteOffsetOf(std::string_view text, int64_t character);
// The longest prefix of whole characters within max_bytes.
std::string_view ClipToBytes(std::string_view text, size_t max_bytes);

// A value as an error quotes it. PostgreSQL quotes all of it; here a value of 200 MB would take
// seconds, which nothing interrupts, on its way to the client.
inline constexpr size_t kMaxQuotedBytes = 4096;
// text, or its beginning and "..." if it is longer.
std::string Excerpt(std::string_view text, size_t max_bytes = kMaxQuotedBytes);

// "char" is one byte, and one byte of a longer character is no UTF-8: as text it is \ooo, octal, as
// from PostgreSQL 16 on (15 sends it as it is). Text of other forms gives its first byte. The
// results lie in the arguments or in the arena; data() is null when that has no room.
std::string_view CharFromText(std::string_view text, Arena& arena);
std::string_view CharToText(std::string_view byte, Arena& arena);

// A name in quotes, if SQL would not read the bare one as the same.
std::string QuoteIfNeeded(std::string_view name);

}  // namespace connbench::engine
