// How much room a text takes, so that labels can be placed before anything is drawn. The widths are
// those of DejaVu Sans, which is wider than most fonts that a viewer may take instead.
//
// Safety: pure functions; any thread. There are no errors: a byte that is no UTF-8 counts as one
// wide character.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace connbench::plots {

// The height of a line of text, in units of its font's size.
inline constexpr double kLineHeight = 1.25;

double TextWidthPx(std::string_view text, double font_px, bool bold = false);

// The text as lines that are no wider than max_px: broken at blanks, else after one of "-+/=,.",
// else anywhere. At least one line; a single character may be wider.
std::vector<std::string> WrapText(std::string_view text, double max_px, double font_px,
                                  bool bold = false);

}  // namespace connbench::plots
