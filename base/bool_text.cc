// Truth values in text.
#include "base/bool_text.h"

#include <cstddef>

namespace connbench {
namespace {

// Whether text is a prefix of word, which is in lower case, and has at least `least` characters.
bool IsPrefix(std::string_view text, std::string_view word, size_t least) {
  if (text.size() < least || text.size() > word.size()) return false;
  for (size_t i = 0; i < text.size(); ++i) {
    const char c = text[i];
    const char lower = c >= 'A' && c <= 'Z' ? static_cast<char>(c + ('a' - 'A')) : c;
    if (lower != word[i]) return false;
  }
  return true;
}

}  // namespace

std::optional<bool> ParseBool(std::string_view text) {
  if (IsPrefix(text, "true", 1) || IsPrefix(text, "yes", 1) || IsPrefix(text, "on", 2) ||
      text == "1") {
    return true;
  }
  if (IsPrefix(text, "false", 1) || IsPrefix(text, "no", 1) || IsPrefix(text, "off", 2) ||
      text == "0") {
    return false;
  }
  return std::nullopt;
}

}  // namespace connbench
