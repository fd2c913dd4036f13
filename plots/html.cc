#include "plots/html.h"

#include <fmt/format.h>

namespace connbench::plots {
namespace {

constexpr std::string_view kStyle = R"(
body { font: 15px/1.5 "DejaVu Sans", Verdana, sans-serif; color: #222; background: #fff;
       max-width: 1040px; margin: 2em auto; padding: 0 1em; }
h1 { font-size: 1.6em; } h2 { font-size: 1.2em; margin-top: 2.2em; border-bottom: 1px solid #bbb; }
figure { margin: 1.5em 0; page-break-inside: avoid; } figure svg { width: 100%; height: auto; }
figcaption { color: #444; font-size: .93em; }
table { border-collapse: collapse; font-size: .87em; font-variant-numeric: tabular-nums; }
th, td { padding: .25em .7em; border-bottom: 1px solid #ddd; text-align: right; }
th { border-bottom: 2px solid #888; } th.w, td.w { text-align: left; }
.wide { overflow-x: auto; } code { background: #f3f3f3; padding: .1em .3em; }
pre { background: #f3f3f3; padding: .8em; overflow-x: auto; }
)";

std::string Replaced(std::string text, std::string_view from, std::string_view to) {
  for (size_t at = text.find(from); at != std::string::npos; at = text.find(from, at + to.size())) {
    text.replace(at, from.size(), to);
  }
  return text;
}

}  // namespace

std::string EscapeHtml(std::string_view text) {
  std::string out;
  out.reserve(text.size());
  for (const char c : text) {
    switch (c) {
      case '&':
        out += "&amp;";
        break;
      case '<':
        out += "&lt;";
        break;
      case '>':
        out += "&gt;";
        break;
      case '"':
        out += "&quot;";
        break;
      default:
        out += c;
    }
  }
  return out;
}

std::string RenderTable(const HtmlTable& table) {
  const auto cell = [&](std::string_view tag, size_t column, std::string_view text) {
    return fmt::format("<{0}{1}>{2}</{0}>", tag, column < table.text_columns ? " class=\"w\"" : "",
                       EscapeHtml(text));
  };
  std::string out = "<div class=\"wide\"><table>\n<thead><tr>";
  for (size_t i = 0; i < table.header.size(); ++i) out += cell("th", i, table.header[i]);
  out += "</tr></thead>\n<tbody>\n";
  for (const auto& row : table.rows) {
    out += "<tr>";
    for (size_t i = 0; i < row.size(); ++i) out += cell("td", i, row[i]);
    out += "</tr>\n";
  }
  return out + "</tbody></table></div>\n";
}

std::string RenderPage(std::string_view title, std::string_view body) {
  return fmt::format(
      "<!DOCTYPE html>\n<html lang=\"en\"><head><meta charset=\"utf-8\">\n"
      "<meta name=\"viewport\" content=\"width=device-width\">\n<title>{0}</title>\n"
      "<style>{1}</style></head>\n<body>\n<h1>{0}</h1>\n{2}</body></html>\n",
      EscapeHtml(title), kStyle, body);
}

std::string InlineSvg(std::string_view svg, std::string_view id_prefix) {
  const size_t start = svg.find("<svg");
  std::string out(start == std::string_view::npos ? svg : svg.substr(start));
  const std::string prefix(id_prefix);
  out = Replaced(std::move(out), "id=\"", "id=\"" + prefix);
  out = Replaced(std::move(out), "id='", "id='" + prefix);
  out = Replaced(std::move(out), "url(#", "url(#" + prefix);
  out = Replaced(std::move(out), "xlink:href='#", "xlink:href='#" + prefix);
  out = Replaced(std::move(out), "xlink:href=\"#", "xlink:href=\"#" + prefix);
  return out;
}

}  // namespace connbench::plots
