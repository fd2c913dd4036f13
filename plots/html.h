// Small pieces of HTML for the report: escaping, tables, the page around them. The page is
// self-contained: its style is inline, its charts are inline SVG, nothing is loaded from elsewhere.
//
// Safety: pure functions.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace connbench::plots {

std::string EscapeHtml(std::string_view text);

struct HtmlTable {
  std::vector<std::string> header;
  std::vector<std::vector<std::string>> rows;  // plain text; escaped on output
  size_t text_columns = 1;                     // the first so many are words, the rest numbers
};
std::string RenderTable(const HtmlTable& table);

// body is HTML already.
std::string RenderPage(std::string_view title, std::string_view body);

// An SVG file's text made fit for standing inside a page: without the XML prologue, its ids
// prefixed so that several charts on one page do not share them.
std::string InlineSvg(std::string_view svg, std::string_view id_prefix);

}  // namespace connbench::plots
