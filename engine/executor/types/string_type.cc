// What the string types share: UTF-8, blanks, character counts.
#include "engine/executor/types/string_type.h"

#include <fmt/format.h>

#include <algorithm>
#include <cstring>

#include "engine/executor/types/type_io.h"

namespace connbench::engine {
namespace {

// Length of the valid character at text[0], 0 if it is invalid. RFC 3629: no surrogates, nothing
// above U+10FFFF, no overlong forms.
size_t ValidCharacter(std::string_view text) {
  const auto byte = [&](size_t i) { return static_cast<unsigned char>(text[i]); };
  const unsigned char first = byte(0);
  if (first == 0) return 0;
  if (first < 0x80) return 1;
  const size_t length = static_cast<size_t>(Utf8Length(text[0]));
  if (first < 0xC2 || first > 0xF4 || text.size() < length) return 0;
  unsigned char low = 0x80;
  unsigned char high = 0xBF;
  if (first == 0xE0) low = 0xA0;
  if (first == 0xED) high = 0x9F;
  if (first == 0xF0) low = 0x90;
  if (first == 0xF4) high = 0x8F;
  if (byte(1) < low || byte(1) > high) return 0;
  for (size_t i = 2; i < length; ++i) {
    if ((byte(i) & 0xC0) != 0x80) return 0;
  }
  return length;
}

// How many leading bytes are plain ASCII without zeros, eight at a time.
size_t AsciiPrefix(std::string_view text) {
  constexpr uint64_t kHighBits = 0x8080808080808080;
  constexpr uint64_t kOnes = 0x0101010101010101;
  size_t at = 0;
  while (text.size() - at >= 8) {
    uint64_t word;
    std::memcpy(&word, text.data() + at, 8);
    // A byte that is zero borrows and so sets its high bit.
    if (((word | (word - kOnes)) & kHighBits) != 0) break;
    at += 8;
  }
  return at;
}

constexpr size_t kWordBytes = 8;

bool IsContinuation(char c) { return (static_cast<unsigned char>(c) & 0xC0) == 0x80; }

// How many characters begin in the eight bytes at an offset.
int64_t CharactersInWord(std::string_view text, size_t at) {
  constexpr uint64_t kLowBits = 0x0101010101010101;
  uint64_t word;
  std::memcpy(&word, text.data() + at, kWordBytes);
  const uint64_t continuations = (word >> 7) & (~word >> 6) & kLowBits;
  return static_cast<int64_t>(kWordBytes) - __builtin_popcountll(continuations);
}

}  // namespace

[[gnu::hot]] Status ValidateUtf8(std::string_view text) {
  size_t at = AsciiPrefix(text);
  while (at < text.size()) {
    const size_t length = ValidCharacter(text.substr(at));
    if (length == 0) {
      // Neither the later bytes of a character nor those from 0xf8 on begin one.
      const auto first = static_cast<unsigned char>(text[at]);
      const bool begins = first >= 0xC0 && first < 0xF8;
      const auto length_said = static_cast<size_t>(begins ? Utf8Length(text[at]) : 1);
      const size_t shown = std::min(text.size() - at, length_said);
      std::string bytes;
      for (size_t i = 0; i < shown; ++i) {
        bytes += fmt::format(" 0x{:02x}", static_cast<unsigned char>(text[at + i]));
      }
      return Status::Error(sqlstate::kCharacterNotInRepertoire,
                           "invalid byte sequence for encoding \"UTF8\":" + bytes);
    }
    at += length;
  }
  return Status::Ok();
}

char32_t TakeUtf8(std::string_view text, size_t& at) {
  constexpr unsigned char kPayloadOfFirst[] = {0, 0x7F, 0x1F, 0x0F, 0x07};
  const auto length = static_cast<size_t>(Utf8Length(text[at]));
  char32_t c = static_cast<unsigned char>(text[at]) & kPayloadOfFirst[length];
  for (size_t i = at + 1; i < std::min(at + length, text.size()); ++i) {
    c = c << 6 | (static_cast<unsigned char>(text[i]) & 0x3F);
  }
  at += length;
  return c;
}

size_t EncodeUtf8(char32_t c, char* out) {
  if (c < 0x80) {
    out[0] = static_cast<char>(c);
    return 1;
  }
  static constexpr unsigned char kLead[] = {0, 0, 0xC0, 0xE0, 0xF0};
  const size_t size = c < 0x800 ? 2 : c < 0x10000 ? 3 : 4;
  for (size_t i = size - 1; i > 0; --i, c >>= 6) out[i] = static_cast<char>(0x80 | (c & 0x3F));
  out[0] = static_cast<char>(kLead[size] | c);
  return size;
}

int64_t CountCharacters(std::string_view text) {
  size_t at = 0;
  int64_t count = 0;
  for (; text.size() - at >= kWordBytes; at += kWordBytes) count += CharactersInWord(text, at);
  for (; at < text.size(); ++at) count += IsContinuation(text[at]) ? 0 : 1;
  return count;
}

Status FindText(std::string_view text, std::string_view needle, size_t from, WorkMeter& meter,
                size_t& at) {
  // A window bounds what is done between two looks at the clock.
  constexpr size_t kSmallestStep = 256 * 1024;
  const size_t window = std::max(kSmallestStep, needle.size()) + needle.size();
  while (true) {
    const std::string_view part = text.substr(from, window);
    const void* hit = memmem(part.data(), part.size(), needle.data(), needle.size());
    const size_t read = hit == nullptr
                            ? part.size()
                            : static_cast<size_t>(static_cast<const char*>(hit) - part.data()) + 1;
    CONNBENCH_RETURN_IF_ERROR(meter.Spend(static_cast<int64_t>(read)));
    if (hit != nullptr) {
      at = from + read - 1;
      return Status::Ok();
    }
    if (from + part.size() >= text.size()) {
      at = std::string_view::npos;
      return Status::Ok();
    }
    from += part.size() - needle.size() + 1;
  }
}

size_t ByteOffsetOf(std::string_view text, int64_t character) {
  size_t at = 0;
  // Whole words as long as the character begins behind them; then back to a character's begin.
  while (text.size() - at >= kWordBytes) {
    const int64_t begins = CharactersInWord(text, at);
    if (begins > character) break;
    character -= begins;
    at += kWordBytes;
  }
  while (at < text.size() && IsContinuation(text[at])) ++at;
  while (character-- > 0 && at < text.size()) at += static_cast<size_t>(Utf8Length(text[at]));
  return std::min(at, text.size());
}

std::string_view ClipToBytes(std::string_view text, size_t max_bytes) {
  if (text.size() <= max_bytes) return text;
  while (max_bytes > 0 && (static_cast<unsigned char>(text[max_bytes]) & 0xC0) == 0x80) --max_bytes;
  return text.substr(0, max_bytes);
}

std::string Excerpt(std::string_view text, size_t max_bytes) {
  if (text.size() <= max_bytes) return std::string(text);
  return std::string(ClipToBytes(text, max_bytes)) + "...";
}

std::string_view CharFromText(std::string_view text, Arena& arena) {
  constexpr size_t kEscapeBytes = 4;
  const auto octal = [&](size_t at) { return text[at] >= '0' && text[at] <= '7'; };
  if (text.size() == kEscapeBytes && text[0] == '\\' && octal(1) && octal(2) && octal(3)) {
    const int byte = (text[1] - '0') * 64 + (text[2] - '0') * 8 + (text[3] - '0');
    const char cut = static_cast<char>(byte);
    return cut == 0 ? std::string_view("") : arena.Copy({&cut, 1});
  }
  return text.empty() ? std::string_view("") : text.substr(0, 1);
}

std::string_view CharToText(std::string_view byte, Arena& arena) {
  if (byte.empty()) return "";
  const auto value = static_cast<unsigned char>(byte[0]);
  if (value < 0x80) return byte;
  const char escape[] = {'\\', static_cast<char>('0' + value / 64),
                         static_cast<char>('0' + value / 8 % 8),
                         static_cast<char>('0' + value % 8)};
  return arena.Copy({escape, sizeof(escape)});
}

namespace {

// Could not stand as a name everywhere: a keyword of PostgreSQL 15 that is in any way reserved.
bool IsReservedWord(std::string_view name) {
  constexpr std::string_view kWords =
      " "
      "all analyse analyze and any array as asc asymmetric authorization between bigint binary "
      "bit boolean both case cast char character check coalesce collate collation column "
      "concurrently constraint create cross current_catalog current_date current_role "
      "current_schema current_time current_timestamp current_user dec decimal default deferrable "
      "desc distinct do else end except exists extract false fetch float for foreign freeze from "
      "full grant greatest group grouping having ilike in initially inner inout int integer "
      "intersect interval into is isnull join lateral leading least left like limit localtime "
      "localtimestamp national natural nchar none normalize not notnull null nullif numeric "
      "offset on only or order out outer overlaps overlay placing position precision primary real "
      "references returning right row select session_user setof similar smallint some substring "
      "symmetric table tablesample then time timestamp to trailing treat trim true union unique "
      "user using values varchar variadic verbose when where window with xmlattributes xmlconcat "
      "xmlelement xmlexists xmlforest xmlnamespaces xmlparse xmlpi xmlroot xmlserialize xmltable ";
  return kWords.find(' ' + std::string(name) + ' ') != std::string_view::npos;
}

}  // namespace

std::string QuoteIfNeeded(std::string_view name) {
  const auto is_plain = [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '_';
  };
  const bool digit_first = !name.empty() && name[0] >= '0' && name[0] <= '9';
  const bool plain =
      !name.empty() && !digit_first && std::all_of(name.begin(), name.end(), is_plain);
  if (plain && !IsReservedWord(name)) return std::string(name);
  std::string quoted = "\"";
  for (char c : name) {
    if (c == '"') quoted += c;
    quoted += c;
  }
  return quoted + "\"";
}

}  // namespace connbench::engine
