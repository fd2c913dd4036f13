// Makes control characters visible.
#include "base/printable.h"

#include <fmt/format.h>

#include <cstdint>
#include <iterator>

namespace connbench {
namespace {

// The bytes of the character at the front and its number; 0 bytes: it is not UTF-8.
size_t Decode(std::string_view text, uint32_t& character) {
  const auto first = static_cast<unsigned char>(text.front());
  const size_t length = first < 0x80   ? 1
                        : first < 0xC2 ? 0
                        : first < 0xE0 ? 2
                        : first < 0xF0 ? 3
                        : first < 0xF5 ? 4
                                       : 0;
  if (length == 0 || length > text.size()) return 0;
  character = length == 1 ? first : first & (0xFFU >> (length + 1));
  for (size_t i = 1; i < length; ++i) {
    const auto next = static_cast<unsigned char>(text[i]);
    if ((next & 0xC0U) != 0x80) return 0;
    character = (character << 6U) | (next & 0x3FU);
  }
  const bool overlong = (length == 3 && character < 0x800) || (length == 4 && character < 0x10000);
  const bool surrogate = character >= 0xD800 && character <= 0xDFFF;
  return overlong || surrogate || character > 0x10FFFF ? 0 : length;
}

bool IsHarmless(uint32_t character) {
  const bool control = character < 0x20 || (character >= 0x7F && character < 0xA0);
  // Directional marks, embeddings, overrides and isolates; line and paragraph separators.
  const bool bends = character == 0x061C || character == 0x200E || character == 0x200F ||
                     (character >= 0x2028 && character <= 0x202E) ||
                     (character >= 0x2066 && character <= 0x2069);
  return !control && !bends;
}

}  // namespace

std::string Printable(std::string_view text) {
  std::string out;
  out.reserve(text.size());
  while (!text.empty()) {
    uint32_t character = 0;
    const size_t length = Decode(text, character);
    const size_t taken = length == 0 ? 1 : length;
    if (length != 0 && IsHarmless(character) && !text.starts_with("\\x")) {
      out.append(text.substr(0, taken));
    } else {
      for (size_t i = 0; i < taken; ++i) {
        fmt::format_to(std::back_inserter(out), "\\x{:02x}", static_cast<unsigned char>(text[i]));
      }
    }
    text.remove_prefix(taken);
  }
  return out;
}

std::string MarkdownCell(std::string_view text) {
  std::string out;
  for (const char c : Printable(text)) {
    if (c == '|') out += '\\';
    out += c;
  }
  return out;
}

std::string EscapeMarkup(std::string_view text) {
  std::string out;
  out.reserve(text.size());
  for (const char c : text) {
    switch (c) {
      case '&':
        out += "&amp;";
        break;
      case '<':
        out += "&lt;";
        break;
      case '>':
        out += "&gt;";
        break;
      case '"':
        out += "&quot;";
        break;
      default:
        out += c;
    }
  }
  return out;
}

}  // namespace connbench
