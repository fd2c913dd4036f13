// What is made of gnuplot's SVG.
#include "plots/draw/svg.h"

#include <fmt/format.h>

#include <algorithm>
#include <string_view>
#include <utility>

#include "base/printable.h"
#include "plots/palette.h"

namespace connbench::plots {
namespace {

void ReplaceAll(std::string& text, std::string_view from, std::string_view to) {
  for (size_t at = text.find(from); at != std::string::npos; at = text.find(from, at + to.size())) {
    text.replace(at, from.size(), to);
  }
}

// gnuplot opens a group for each change of its pen, most of which draw nothing.
std::string WithoutEmptyGroups(const std::string& svg) {
  constexpr std::string_view kEnd = "</g>";
  constexpr std::string_view kBlanks = " \t\n";
  std::string out;
  size_t at = 0;
  while (at < svg.size()) {
    const size_t begin = svg.find("<g ", at);
    const size_t close = begin == std::string::npos ? begin : svg.find('>', begin);
    if (close == std::string::npos) break;
    const size_t content = svg.find_first_not_of(kBlanks, close + 1);
    const bool is_empty =
        content != std::string::npos && svg.compare(content, kEnd.size(), kEnd) == 0;
    out.append(svg, at, (is_empty ? begin : close + 1) - at);
    at = is_empty ? std::min(svg.find_first_not_of(kBlanks, content + kEnd.size()), svg.size())
                  : close + 1;
  }
  return out.append(svg, at);
}

// Less than half as large, and looks the same.
std::string Tidied(const std::string& svg) {
  std::string out = WithoutEmptyGroups(svg);
  // What SVG does anyway.
  ReplaceAll(out, " stroke-linecap=\"butt\" stroke-linejoin=\"miter\"", "");
  return out;
}

}  // namespace

std::string WithContenders(const std::string& svg, const std::vector<GnuplotScript::Plot>& plots) {
  // gnuplot opens each plot's group so, with a title that says nothing.
  constexpr std::string_view kBegin = "<g id=\"gnuplot_plot_";
  constexpr std::string_view kTitle = "<title>";
  constexpr std::string_view kTitleEnd = "</title>";
  std::string out;
  size_t copied = 0;
  size_t next = 0;
  for (size_t at = svg.find(kBegin); at != std::string::npos; at = svg.find(kBegin, copied)) {
    const size_t close = svg.find('>', at);
    const size_t end = svg.find(kTitleEnd, at);
    if (close == std::string::npos || end == std::string::npos || next == plots.size() ||
        svg.compare(close + 1, kTitle.size(), kTitle) != 0) {
      return svg;
    }
    const GnuplotScript::Plot& plot = plots[next++];
    out += svg.substr(copied, at - copied);
    out += plot.contender.empty()
               ? std::string("<g>")
               : fmt::format("<g data-contender=\"{}\">", EscapeMarkup(plot.contender));
    if (!plot.title.empty()) {
      out += fmt::format("{}{}{}", kTitle, EscapeMarkup(plot.title), kTitleEnd);
    }
    copied = end + kTitleEnd.size();
  }
  return next == plots.size() ? Tidied(out + svg.substr(copied)) : svg;
}

std::string WithCssColours(std::string svg, Theme theme) {
  const ThemeColours colours = ColoursOf(theme);
  std::vector<std::pair<std::string, Colour>> names = {{"background", colours.background},
                                                       {"text", colours.text},
                                                       {"faint", colours.faint},
                                                       {"grid", colours.grid}};
  for (const Family family : kFamilies) names.emplace_back(FamilyName(family), HueOf(family));
  for (const auto& [name, colour] : names) {
    const std::string variable = fmt::format("var(--chart-{}, {})", name, HexOf(colour));
    // gnuplot writes colours in three ways.
    ReplaceAll(svg, fmt::format("rgb({},{},{})", colour.red, colour.green, colour.blue), variable);
    ReplaceAll(svg, fmt::format("rgb({:3}, {:3}, {:3})", colour.red, colour.green, colour.blue),
               variable);
    const std::string upper =
        fmt::format("#{:02X}{:02X}{:02X}", colour.red, colour.green, colour.blue);
    for (const char* attribute : {"fill", "color", "flood-color"}) {
      for (const char quote : {'"', '\''}) {
        for (const std::string& written : {upper, HexOf(colour)}) {
          ReplaceAll(svg, fmt::format("{}={}{}{}", attribute, quote, written, quote),
                     fmt::format("{}={}{}{}", attribute, quote, variable, quote));
        }
      }
    }
  }
  return svg;
}

}  // namespace connbench::plots
