// Text in columns for a terminal: names to the left, what they mean to the right, wrapped at the
// width, never running into each other.
//
// Called by --help and by lists. Safety: pure functions, any thread; TerminalWidth() asks the
// kernel. No errors: a word that is longer than a line stands on a line of its own.
#pragma once

#include <cstddef>
#include <span>
#include <string>
#include <string_view>

namespace connbench {

struct ColumnRow {
  std::string left;
  std::string right;
};

// Where the descriptor is no terminal: as wide as the pages in docs/.
inline constexpr size_t kPageWidth = 100;
inline constexpr size_t kNarrowest = 40;
inline constexpr size_t kWidest = 160;  // longer lines are hard to read
// A left column that is wider than this has the right one begin on the next line.
inline constexpr size_t kWidestLeft = 32;

// Columns of the terminal behind the descriptor; COLUMNS goes first, if it is set.
size_t TerminalWidth(int descriptor);

// Lines of at most width, each with the indent before it. Line ends in the text stay.
std::string WrapText(std::string_view text, size_t width, size_t indent = 0);

// One or more lines a row, with two blanks before and between the columns.
std::string FormatColumns(std::span<const ColumnRow> rows, size_t width);

}  // namespace connbench
