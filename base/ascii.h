// Letters of ASCII without regard to case, for keywords: other bytes are only equal to themselves,
// whatever the locale.
//
// Safety: pure functions; any thread.
#pragma once

#include <algorithm>
#include <string>
#include <string_view>

namespace connbench {

constexpr char AsciiLower(char c) {
  return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
}

inline std::string AsciiLower(std::string_view text) {
  std::string lower(text);
  for (char& c : lower) c = AsciiLower(c);
  return lower;
}

constexpr bool EqualIgnoringCase(std::string_view a, std::string_view b) {
  return std::equal(a.begin(), a.end(), b.begin(), b.end(),
                    [](char x, char y) { return AsciiLower(x) == AsciiLower(y); });
}

}  // namespace connbench
