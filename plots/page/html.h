// Small pieces of HTML for the page: text, tables, the frame around them.
//
// The page is self-contained: style and script are inline, charts are inline SVG, and a content
// security policy forbids to load anything. Names come from files that somebody else may have
// written, so all text goes through Text() or Attribute().
//
// Used by the other files of this folder. Safety: pure functions; any thread. Errors: none.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace connbench::plots {

// Control characters made visible, markup escaped.
std::string Text(std::string_view text);
// ` name="value"`, or nothing for an empty value.
std::string Attribute(std::string_view name, std::string_view value);
// JSON that may stand in a script element: no "<" ends or opens anything there.
std::string ScriptJson(std::string json);

struct HtmlCell {
  std::string text;
  std::string note = {};             // smaller, behind the text: an interval
  std::optional<double> value = {};  // what the page sorts by and makes ratios of
  std::string_view style_class = {};
};

struct HtmlRow {
  std::vector<HtmlCell> cells;
  std::string contender = {};  // that the chips hide and show; empty: always shown
  bool dull = false;           // folded away by the page's script
};

struct HtmlTable {
  std::vector<std::string> header;
  std::vector<std::string> metrics = {};  // of the columns, as in the CSV; may be shorter
  std::vector<HtmlRow> rows;
  std::vector<std::string> footer = {};
  size_t text_columns = 1;            // the first columns are words, the rest numbers
  std::string_view style_class = {};  // "figures": columns of one metric each
};
std::string RenderTable(const HtmlTable& table);

// A block that is folded until it is clicked. Print shows it unless it is kScreenOnly and folded.
enum class Print : uint8_t { kAlways, kScreenOnly };
std::string Folded(std::string_view summary, std::string_view html, Print print = Print::kAlways);
std::string Code(std::string_view text);
std::string Paragraph(std::string_view text);

// colours are CSS, body is HTML already, data is JSON for the script.
std::string RenderPage(std::string_view title, std::string_view colours, std::string_view body,
                       const std::string& data);

// An SVG file's text made fit for standing inside a page: without the XML prologue and gnuplot's
// title, with a label for screen readers, its ids prefixed so that several charts on one page do
// not share them.
std::string InlineSvg(std::string_view svg, std::string_view id_prefix, std::string_view label);

}  // namespace connbench::plots
