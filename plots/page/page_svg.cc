// Charts as they stand on a page.
#include "plots/page/page_svg.h"

#include <Poco/Base64Encoder.h>
#include <Poco/DeflatingStream.h>
#include <fmt/format.h>

#include <sstream>
#include <utility>

#include "plots/page/html.h"
#include "plots/render.h"

namespace connbench::plots {
namespace {

constexpr std::string_view kBlanks = " \t\n";
constexpr std::string_view kDefsBegin = "<defs>";
constexpr std::string_view kDefsEnd = "</defs>";

void ReplaceAll(std::string& text, std::string_view from, std::string_view to) {
  for (size_t at = text.find(from); at != std::string::npos; at = text.find(from, at + to.size())) {
    text.replace(at, from.size(), to);
  }
}

// Where the group that was opened before `at` ends: at its </g>.
size_t EndOfGroup(std::string_view svg, size_t at) {
  for (int depth = 1; at < svg.size(); ++at) {
    if (svg.compare(at, 2, "<g") == 0 && (svg[at + 2] == ' ' || svg[at + 2] == '>')) ++depth;
    if (svg.compare(at, 4, "</g>") == 0 && --depth == 0) return at;
  }
  return std::string_view::npos;
}

// Neighbours of one contender with one title are one group.
std::string WithMergedGroups(std::string_view svg) {
  constexpr std::string_view kOpening = "<g data-contender=";
  constexpr std::string_view kTitle = "<title>";
  constexpr std::string_view kTitleEnd = "</title>";
  constexpr size_t kClosing = 4;  // </g>
  std::string out;
  size_t at = 0;
  for (size_t begin = svg.find(kOpening); begin != std::string_view::npos;
       begin = svg.find(kOpening, at)) {
    size_t end = svg.find('>', begin) + 1;
    if (svg.compare(end, kTitle.size(), kTitle) == 0) {
      end = svg.find(kTitleEnd, end) + kTitleEnd.size();
    }
    const std::string_view opening = svg.substr(begin, end - begin);
    size_t close = EndOfGroup(svg, end);
    if (close == std::string_view::npos) break;
    out += svg.substr(at, close - at);
    for (;;) {
      const size_t next = svg.find_first_not_of(kBlanks, close + kClosing);
      if (next == std::string_view::npos || svg.compare(next, opening.size(), opening) != 0) break;
      const size_t inner = next + opening.size();
      close = EndOfGroup(svg, inner);
      if (close == std::string_view::npos) return std::string(svg);
      out += svg.substr(inner, close - inner);
    }
    at = close;
  }
  return out += svg.substr(at);
}

// var(--chart-grid, #dee0e4) -> var(--chart-grid): the page defines them all.
void DropFallbacks(std::string& svg) {
  constexpr std::string_view kVariable = "var(--chart-";
  for (size_t at = svg.find(kVariable); at != std::string::npos; at = svg.find(kVariable, at + 1)) {
    const size_t comma = svg.find(',', at);
    const size_t close = svg.find(')', at);
    if (comma < close && close != std::string::npos) svg.erase(comma, close - comma);
  }
}

void DropIndents(std::string& svg) {
  std::string out;
  out.reserve(svg.size());
  for (const char c : svg) {
    const bool at_begin = out.empty() || out.back() == '\n';
    if (at_begin && kBlanks.find(c) != std::string_view::npos) continue;
    out += c;
  }
  svg = std::move(out);
}

}  // namespace

std::string MarksOf(std::string_view svg) {
  const size_t begin = svg.find(kDefsBegin);
  const size_t end = svg.find(kDefsEnd);
  if (begin == std::string_view::npos || end == std::string_view::npos || end < begin) return "";
  std::string marks(svg.substr(begin, end + kDefsEnd.size() - begin));
  marks = WithCssColours(std::move(marks), Theme::kLight);
  DropFallbacks(marks);
  DropIndents(marks);
  return marks;
}

std::string PageSvg(std::string_view svg, std::string_view id_prefix, std::string_view label,
                    std::string_view marks) {
  std::string bare = WithCssColours(std::string(svg), Theme::kLight);
  const bool shares = !marks.empty() && MarksOf(bare) == marks;
  if (shares) {
    const size_t begin = bare.find(kDefsBegin);
    bare.erase(begin, bare.find(kDefsEnd) + kDefsEnd.size() - begin);
  }
  std::string out = InlineSvg(bare, id_prefix, label);
  if (shares) ReplaceAll(out, fmt::format("'#{}gpPt", id_prefix), "'#gpPt");
  DropFallbacks(out);
  const std::pair<std::string_view, std::string_view> shorter[] = {
      {"<g fill=\"none\" color=\"black\" stroke=\"currentColor\" stroke-width=\"1.00\">",
       "<g class=\"pen\">"},
      {"<g fill=\"none\" color=\"black\" stroke=\"currentColor\"", "<g class=\"pen\""},
      {" fill-opacity='0.45' stroke-opacity='0.45'", " class='dot'"},
      {" stroke=\"none\" fill=\"var(--chart-text)\" font-family=\"DejaVu Sans\"", " class=\"t\""},
      {" stroke=\"none\" fill=\"var(--chart-faint)\" font-family=\"DejaVu Sans\"", " class=\"f\""},
      {" text-anchor=\"start\"", ""},
      {"xlink:href=", "href="},
  };
  for (const auto& [from, to] : shorter) ReplaceAll(out, from, to);
  DropIndents(out);
  return WithMergedGroups(out);
}

std::string Packed(const std::string& text) {
  std::ostringstream out;
  Poco::Base64Encoder base64(out);
  base64.rdbuf()->setLineLength(0);
  Poco::DeflatingOutputStream gzip(base64, Poco::DeflatingStreamBuf::STREAM_GZIP);
  gzip << text;
  gzip.close();
  base64.close();
  return out.str();
}

}  // namespace connbench::plots
