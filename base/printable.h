// Text of a peer as it may be shown: in a terminal, a report, a log. A hostile server or client
// sends escape sequences that move the cursor, set the title or hide what follows; here they become
// visible.
//
// Safety: pure functions; any thread.
#pragma once

#include <string>
#include <string_view>

namespace connbench {

// Valid UTF-8 without control characters: each byte of a control character (C0, DEL, C1), of a
// character that changes the direction of writing, and each byte that is not UTF-8 becomes \xNN; so
// does a backslash before an x, so that nothing can look escaped that is not.
std::string Printable(std::string_view text);

// Printable, and fit for a cell of a markdown table: "|" is escaped.
std::string MarkdownCell(std::string_view text);

// The text inside HTML or XML, in an element or in a quoted attribute. Not Printable.
std::string EscapeMarkup(std::string_view text);

}  // namespace connbench
