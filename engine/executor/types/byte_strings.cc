// bytea and uuid as text, both ways.
#include "engine/executor/types/byte_strings.h"

#include <fmt/format.h>

#include <algorithm>
#include <cstdint>

#include "base/ascii.h"
#include "engine/executor/types/scalar_io.h"
#include "engine/executor/types/string_type.h"

namespace connbench::engine {
namespace {

// How many bytes are converted between two looks for interrupts.
constexpr size_t kBytesPerLook = 16 * 1024;
constexpr std::string_view kHexDigits = "0123456789abcdef";
constexpr std::string_view kBase64Digits =
    "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
constexpr size_t kBase64LineBytes = 76;

bool IsEncodedSpace(char c) { return c == ' ' || c == '\t' || c == '\n' || c == '\r'; }

// Looks for interrupts now and then.
class Looks {
 public:
  explicit Looks(Arena& arena) : meter_(arena.Meter()) {}
  Status At(size_t byte) {
    return byte % kBytesPerLook == 0 ? meter_.Spend(kBytesPerLook) : Status::Ok();
  }

 private:
  WorkMeter meter_;
};

// The whole character at the beginning of the text, for errors.
std::string_view FirstCharacter(std::string_view text) {
  return text.substr(0, static_cast<size_t>(ByteOffsetOf(text, 1)));
}

Status InvalidBytea() {
  return Status::Error(sqlstate::kInvalidTextRepresentation, "invalid input syntax for type bytea");
}

Status EncodeHex(std::string_view bytes, char* to, Arena& arena) {
  Looks looks(arena);
  for (size_t i = 0; i < bytes.size(); ++i) {
    CONNBENCH_RETURN_IF_ERROR(looks.At(i));
    const auto byte = static_cast<uint8_t>(bytes[i]);
    *to++ = kHexDigits[byte >> 4];
    *to++ = kHexDigits[byte & 15];
  }
  return {};
}

// size: of the bytes written.
Status DecodeHex(std::string_view text, char* to, Arena& arena, size_t& size) {
  Looks looks(arena);
  const auto digit = [&](size_t at, int& value) -> Status {
    value = HexDigitValue(text[at]);
    if (value >= 0) return {};
    return Status::Error(
        sqlstate::kInvalidParameterValue,
        fmt::format("invalid hexadecimal digit: \"{}\"", FirstCharacter(text.substr(at))));
  };
  size = 0;
  for (size_t i = 0; i < text.size(); ++i) {
    CONNBENCH_RETURN_IF_ERROR(looks.At(i));
    if (IsEncodedSpace(text[i])) continue;
    int high = 0;
    int low = 0;
    CONNBENCH_RETURN_IF_ERROR(digit(i, high));
    if (++i == text.size()) {
      return Status::Error(sqlstate::kInvalidParameterValue,
                           "invalid hexadecimal data: odd number of digits");
    }
    CONNBENCH_RETURN_IF_ERROR(digit(i, low));
    to[size++] = static_cast<char>(high << 4 | low);
  }
  return {};
}

bool IsOctal(std::string_view text) {
  return text.size() >= 3 && text[0] >= '0' && text[0] <= '3' && text[1] >= '0' && text[1] <= '7' &&
         text[2] >= '0' && text[2] <= '7';
}

Status DecodeEscape(std::string_view text, char* to, Arena& arena, size_t& size) {
  Looks looks(arena);
  size = 0;
  for (size_t i = 0; i < text.size(); ++i) {
    CONNBENCH_RETURN_IF_ERROR(looks.At(size));
    if (text[i] != '\\') {
      to[size++] = text[i];
      continue;
    }
    const std::string_view rest = text.substr(i + 1);
    if (rest.starts_with('\\')) {
      to[size++] = '\\';
      ++i;
    } else if (IsOctal(rest)) {
      to[size++] = static_cast<char>((rest[0] - '0') << 6 | (rest[1] - '0') << 3 | (rest[2] - '0'));
      i += 3;
    } else {
      return InvalidBytea();
    }
  }
  return {};
}

// As many bytes as 'to' must have room for: four for each that is written in octal.
size_t EscapedBytes(std::string_view bytes) {
  size_t size = 0;
  for (const char c : bytes) {
    size += c == '\0' || static_cast<uint8_t>(c) >= 0x80 ? 4 : c == '\\' ? 2 : 1;
  }
  return size;
}

Status EncodeEscape(std::string_view bytes, char* to, Arena& arena) {
  Looks looks(arena);
  for (size_t i = 0; i < bytes.size(); ++i) {
    CONNBENCH_RETURN_IF_ERROR(looks.At(i));
    const auto byte = static_cast<uint8_t>(bytes[i]);
    if (byte == 0 || byte >= 0x80) {
      *to++ = '\\';
      *to++ = static_cast<char>('0' + (byte >> 6));
      *to++ = static_cast<char>('0' + (byte >> 3 & 7));
      *to++ = static_cast<char>('0' + (byte & 7));
    } else {
      if (byte == '\\') *to++ = '\\';
      *to++ = static_cast<char>(byte);
    }
  }
  return {};
}

// A line ends where its last digit ends a whole group: behind the last line, too, but not behind
// padding.
size_t Base64Bytes(size_t bytes) { return (bytes + 2) / 3 * 4 + bytes / 3 * 4 / kBase64LineBytes; }

Status EncodeBase64(std::string_view bytes, char* to, Arena& arena) {
  Looks looks(arena);
  size_t in_line = 0;
  for (size_t i = 0; i < bytes.size(); i += 3) {
    CONNBENCH_RETURN_IF_ERROR(looks.At(i));
    uint32_t group = 0;
    for (size_t j = 0; j < 3; ++j) {
      group = group << 8 | (i + j < bytes.size() ? static_cast<uint8_t>(bytes[i + j]) : 0);
    }
    for (size_t j = 0; j < 4; ++j) {
      const bool padding = i + j > bytes.size();
      *to++ = padding ? '=' : kBase64Digits[group >> (18 - 6 * j) & 63];
    }
    in_line += 4;
    if (in_line < kBase64LineBytes || i + 3 > bytes.size()) continue;
    *to++ = '\n';
    in_line = 0;
  }
  return {};
}

Status DecodeBase64(std::string_view text, char* to, Arena& arena, size_t& size) {
  Looks looks(arena);
  size = 0;
  uint32_t group = 0;
  int digits = 0;
  int ends = 0;  // how many of the last group's digits were "="
  for (size_t i = 0; i < text.size(); ++i) {
    CONNBENCH_RETURN_IF_ERROR(looks.At(i));
    const char c = text[i];
    if (IsEncodedSpace(c)) continue;
    uint32_t value = 0;
    if (c == '=') {
      // Only the last two of four may be, and nothing follows but their like.
      if (ends == 0) {
        if (digits < 2) {
          return Status::Error(sqlstate::kInvalidParameterValue,
                               "unexpected \"=\" while decoding base64 sequence");
        }
        ends = digits == 2 ? 1 : 2;
      }
    } else {
      const size_t at = kBase64Digits.find(c);
      if (at == std::string_view::npos) {
        return Status::Error(sqlstate::kInvalidParameterValue,
                             fmt::format("invalid symbol \"{}\" found while decoding base64 "
                                         "sequence",
                                         FirstCharacter(text.substr(i))));
      }
      value = static_cast<uint32_t>(at);
    }
    group = group << 6 | value;
    if (++digits < 4) continue;
    to[size++] = static_cast<char>(group >> 16);
    if (ends == 0 || ends > 1) to[size++] = static_cast<char>(group >> 8);
    if (ends == 0 || ends > 2) to[size++] = static_cast<char>(group);
    group = 0;
    digits = 0;
  }
  if (digits == 0) return {};
  return Status::Error(sqlstate::kInvalidParameterValue, "invalid base64 end sequence")
      .WithHint("Input data is missing padding, is truncated, or is otherwise corrupted.");
}

enum class Encoding : uint8_t { kHex, kBase64, kEscape };

Status FindEncoding(std::string_view name, Encoding& encoding) {
  if (EqualIgnoringCase(name, "hex")) {
    encoding = Encoding::kHex;
  } else if (EqualIgnoringCase(name, "base64")) {
    encoding = Encoding::kBase64;
  } else if (EqualIgnoringCase(name, "escape")) {
    encoding = Encoding::kEscape;
  } else {
    return Status::Error(sqlstate::kInvalidParameterValue,
                         fmt::format("unrecognized encoding: \"{}\"", Excerpt(name)));
  }
  return {};
}

}  // namespace

Status ParseBytea(std::string_view text, Arena& arena, Value& out) {
  char* bytes = arena.AllocateBytes(std::max<size_t>(1, text.size()));
  if (bytes == nullptr) return arena.OutOfMemory();
  size_t size = 0;
  if (text.starts_with("\\x")) {
    CONNBENCH_RETURN_IF_ERROR(DecodeHex(text.substr(2), bytes, arena, size));
  } else {
    CONNBENCH_RETURN_IF_ERROR(DecodeEscape(text, bytes, arena, size));
  }
  out = Value::Text({bytes, size});
  return {};
}

Status FormatBytea(std::string_view bytes, Arena& arena, std::string_view& out) {
  char* text = arena.AllocateBytes(2 + 2 * bytes.size());
  if (text == nullptr) return arena.OutOfMemory();
  text[0] = '\\';
  text[1] = 'x';
  CONNBENCH_RETURN_IF_ERROR(EncodeHex(bytes, text + 2, arena));
  out = {text, 2 + 2 * bytes.size()};
  return {};
}

Status ParseUuid(std::string_view text, Arena& arena, Value& out) {
  const auto invalid = [&] { return InvalidInput("uuid", text); };
  std::string_view rest = text;
  const bool braces = rest.starts_with('{');
  if (braces) rest.remove_prefix(1);
  char* bytes = arena.AllocateBytes(kUuidBytes);
  if (bytes == nullptr) return arena.OutOfMemory();
  for (size_t i = 0; i < kUuidBytes; ++i) {
    const int high = rest.size() < 2 ? -1 : HexDigitValue(rest[0]);
    const int low = rest.size() < 2 ? -1 : HexDigitValue(rest[1]);
    if (high < 0 || low < 0) return invalid();
    bytes[i] = static_cast<char>(high << 4 | low);
    rest.remove_prefix(2);
    if (rest.starts_with('-') && i % 2 == 1 && i < kUuidBytes - 1) rest.remove_prefix(1);
  }
  if (rest != (braces ? "}" : "")) return invalid();
  out = Value::Text({bytes, kUuidBytes});
  return {};
}

Status FormatUuid(std::string_view bytes, Arena& arena, std::string_view& out) {
  constexpr size_t kTextBytes = 36;
  char* text = arena.AllocateBytes(kTextBytes);
  if (text == nullptr) return arena.OutOfMemory();
  char* to = text;
  for (size_t i = 0; i < kUuidBytes; ++i) {
    if (i == 4 || i == 6 || i == 8 || i == 10) *to++ = '-';
    const uint8_t byte = i < bytes.size() ? static_cast<uint8_t>(bytes[i]) : 0;
    *to++ = kHexDigits[byte >> 4];
    *to++ = kHexDigits[byte & 15];
  }
  out = {text, kTextBytes};
  return {};
}

Status EncodeBytes(std::string_view bytes, std::string_view encoding, Arena& arena,
                   std::string_view& out) {
  Encoding found = Encoding::kHex;
  CONNBENCH_RETURN_IF_ERROR(FindEncoding(encoding, found));
  const size_t size = found == Encoding::kHex      ? 2 * bytes.size()
                      : found == Encoding::kBase64 ? Base64Bytes(bytes.size())
                                                   : EscapedBytes(bytes);
  char* text = arena.AllocateBytes(std::max<size_t>(1, size));
  if (text == nullptr) return arena.OutOfMemory();
  out = {text, size};
  if (found == Encoding::kHex) return EncodeHex(bytes, text, arena);
  if (found == Encoding::kBase64) return EncodeBase64(bytes, text, arena);
  return EncodeEscape(bytes, text, arena);
}

Status DecodeBytes(std::string_view text, std::string_view encoding, Arena& arena,
                   std::string_view& out) {
  Encoding found = Encoding::kHex;
  CONNBENCH_RETURN_IF_ERROR(FindEncoding(encoding, found));
  char* bytes = arena.AllocateBytes(std::max<size_t>(1, text.size()));
  if (bytes == nullptr) return arena.OutOfMemory();
  size_t size = 0;
  if (found == Encoding::kHex) {
    CONNBENCH_RETURN_IF_ERROR(DecodeHex(text, bytes, arena, size));
  } else if (found == Encoding::kBase64) {
    CONNBENCH_RETURN_IF_ERROR(DecodeBase64(text, bytes, arena, size));
  } else {
    CONNBENCH_RETURN_IF_ERROR(DecodeEscape(text, bytes, arena, size));
  }
  out = {bytes, size};
  return {};
}

}  // namespace connbench::engine
