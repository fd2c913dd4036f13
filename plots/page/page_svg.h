// Charts as they stand on a page: gnuplot's SVG in less than half of its bytes. What all charts
// share is stated once, by the page's style (page.css) and its marks.
//
// Safety: pure functions; any thread. Errors: none; what is no SVG of gnuplot's stays as it is.
#pragma once

#include <string>
#include <string_view>

namespace connbench::plots {

// The marks of a chart's file, for the page to hold once; empty if it has none.
std::string MarksOf(std::string_view svg);

// The SVG of a file for the page. id_prefix: of all ids in it; label: what it is to a reader who
// does not see it; marks: what the page holds already, and a chart with the same marks leaves out.
std::string PageSvg(std::string_view svg, std::string_view id_prefix, std::string_view label,
                    std::string_view marks);

// For a script to unpack: gzip in base64.
std::string Packed(const std::string& text);

}  // namespace connbench::plots
