// Pieces of text that the outputs share: widths, wrapping, and names made harmless.
//
// Used by the outputs of this folder. Safety: pure functions; any thread. Errors: none.
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>

namespace connbench::answers {

// More than this nobody reads before the table.
inline constexpr size_t kMaxSentences = 40;

// Columns of UTF-8 text in a terminal: continuation bytes take none.
size_t DisplayWidth(std::string_view text);
// At most this many columns; a mark stands for what is cut off.
std::string Cut(std::string_view text, size_t columns);
// Lines of at most `columns` characters, broken at blanks; a word that is longer gets its own.
std::string Wrapped(std::string_view text, size_t columns, std::string_view indent = "");

// Markdown takes HTML for markup and @ for somebody to be called: both are escaped.
std::string MarkdownText(std::string_view text);

// RFC 4180. A spreadsheet takes a leading = + - @ for a formula; a quote before it says it is text.
std::string CsvText(std::string_view text);
// Empty for what was not measured and for what is not finite.
std::string CsvNumber(const std::optional<double>& value);

}  // namespace connbench::answers
