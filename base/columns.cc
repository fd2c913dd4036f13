// Text in columns for a terminal.
#include "base/columns.h"

#include <sys/ioctl.h>

#include <algorithm>
#include <cstdlib>

#include "base/number.h"

namespace connbench {
namespace {

constexpr size_t kGap = 2;

// Columns that UTF-8 text takes: its characters, none of which is wide here.
size_t ColumnsOf(std::string_view text) {
  return static_cast<size_t>(
      std::count_if(text.begin(), text.end(), [](char c) { return (c & 0xC0) != 0x80; }));
}

}  // namespace

size_t TerminalWidth(int descriptor) {
  if (const char* given = std::getenv("COLUMNS"); given != nullptr) {
    const auto columns = ParseWholeNumber(given, 1, INT32_MAX);
    if (columns.ok()) return std::clamp(static_cast<size_t>(*columns), kNarrowest, kWidest);
  }
  winsize size{};
  if (ioctl(descriptor, TIOCGWINSZ, &size) != 0 || size.ws_col == 0) return kPageWidth;
  return std::clamp<size_t>(size.ws_col, kNarrowest, kWidest);
}

std::string WrapText(std::string_view text, size_t width, size_t indent) {
  std::string wrapped;
  const std::string margin(indent, ' ');
  while (true) {
    const size_t end = text.find('\n');
    std::string_view line = text.substr(0, end);
    size_t column = 0;
    while (!line.empty()) {
      const size_t blank = std::min(line.find(' '), line.size());
      const std::string_view word = line.substr(0, blank);
      line.remove_prefix(std::min(blank + 1, line.size()));
      const size_t columns = ColumnsOf(word);
      if (column > 0 && indent + column + 1 + columns > width) {
        wrapped += '\n';
        column = 0;
      }
      if (column == 0) wrapped += margin;
      if (column > 0) wrapped += ' ';
      wrapped += word;
      column += columns + (column > 0 ? 1 : 0);
    }
    if (end == std::string_view::npos) return wrapped;
    wrapped += '\n';
    text.remove_prefix(end + 1);
  }
}

std::string FormatColumns(std::span<const ColumnRow> rows, size_t width) {
  const size_t most = std::min(kWidestLeft, width / 2);
  size_t left = 0;
  for (const ColumnRow& row : rows) {
    if (const size_t columns = ColumnsOf(row.left); columns <= most) left = std::max(left, columns);
  }
  const size_t indent = kGap + left + kGap;
  std::string text;
  for (const ColumnRow& row : rows) {
    const std::string right = WrapText(row.right, width, indent);
    const size_t columns = ColumnsOf(row.left);
    text.append(kGap, ' ').append(row.left);
    if (right.empty()) {
      text += '\n';
    } else if (columns > left) {
      text.append("\n").append(right).append("\n");
    } else {
      // The blanks that open the first line are partly there already.
      text.append(right, kGap + columns).append("\n");
    }
  }
  return text;
}

}  // namespace connbench
