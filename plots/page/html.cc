// Small pieces of HTML for the page: text, tables, the frame around them.
#include "plots/page/html.h"

#include <fmt/format.h>

#include "base/printable.h"
#include "plots/page/assets.h"

namespace connbench::plots {
namespace {

std::string Replaced(const std::string& text, std::string_view from, std::string_view to) {
  std::string out;
  out.reserve(text.size());
  size_t begin = 0;
  for (size_t at = text.find(from); at != std::string::npos; at = text.find(from, begin)) {
    out.append(text, begin, at - begin);
    out += to;
    begin = at + from.size();
  }
  return out.append(text, begin, std::string::npos);
}

std::string RenderCell(const HtmlCell& cell, bool is_text) {
  std::string style(cell.style_class);
  if (is_text) style += style.empty() ? "w" : " w";
  const std::string value = cell.value ? fmt::format("{}", *cell.value) : "";
  const std::string note =
      cell.note.empty() ? "" : fmt::format(" <small>{}</small>", Text(cell.note));
  return fmt::format("<td{}{}>{}{}</td>", Attribute("class", style), Attribute("data-v", value),
                     Text(cell.text), note);
}

}  // namespace

std::string Text(std::string_view text) { return EscapeMarkup(Printable(text)); }

std::string Attribute(std::string_view name, std::string_view value) {
  return value.empty() ? "" : fmt::format(" {}=\"{}\"", name, EscapeMarkup(value));
}

std::string ScriptJson(std::string json) { return Replaced(json, "<", "\\u003c"); }

std::string RenderTable(const HtmlTable& table) {
  const auto heading = [&](size_t column, std::string_view text) {
    return fmt::format(
        "<th{}{}>{}</th>", column < table.text_columns ? " class=\"w\"" : "",
        Attribute("data-metric", column < table.metrics.size() ? table.metrics[column] : ""),
        Text(text));
  };
  std::string out = fmt::format("<div class=\"wide\"><table{}>\n<thead><tr>",
                                Attribute("class", table.style_class));
  for (size_t i = 0; i < table.header.size(); ++i) out += heading(i, table.header[i]);
  out += "</tr></thead>\n<tbody>\n";
  for (const HtmlRow& row : table.rows) {
    out += fmt::format("<tr{}{}>", Attribute("data-contender", row.contender),
                       row.dull ? " class=\"dull\"" : "");
    for (size_t i = 0; i < row.cells.size(); ++i) {
      out += RenderCell(row.cells[i], i < table.text_columns);
    }
    out += "</tr>\n";
  }
  out += "</tbody>";
  if (!table.footer.empty()) {
    out += "<tfoot><tr>";
    for (size_t i = 0; i < table.footer.size(); ++i) out += heading(i, table.footer[i]);
    out += "</tr></tfoot>";
  }
  return out + "</table></div>\n";
}

std::string Folded(std::string_view summary, std::string_view html, Print print) {
  return fmt::format("<details{}><summary>{}</summary>\n{}</details>\n",
                     print == Print::kScreenOnly ? " class=\"screen\"" : "", Text(summary), html);
}

std::string Code(std::string_view text) {
  // Text() shows line ends, which a listing keeps.
  std::string lines;
  size_t begin = 0;
  while (begin <= text.size()) {
    const size_t end = std::min(text.find('\n', begin), text.size());
    std::string_view line = text.substr(begin, end - begin);
    std::string shown;
    // So with tabs.
    for (size_t at = line.find('\t'); at != std::string_view::npos; at = line.find('\t')) {
      shown += Text(line.substr(0, at)) + '\t';
      line.remove_prefix(at + 1);
    }
    lines += shown + Text(line);
    if (end < text.size()) lines += '\n';
    begin = end + 1;
  }
  return fmt::format("<pre><code>{}</code></pre>\n", lines);
}

std::string Paragraph(std::string_view text) { return fmt::format("<p>{}</p>\n", Text(text)); }

std::string RenderPage(std::string_view title, std::string_view colours, std::string_view body,
                       const std::string& data) {
  return fmt::format(
      "<!DOCTYPE html>\n<html lang=\"en\"><head><meta charset=\"utf-8\">\n"
      "<meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; "
      "style-src 'unsafe-inline'; script-src 'unsafe-inline'\">\n"
      "<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n"
      "<meta name=\"color-scheme\" content=\"light dark\">\n"
      "<title>{}</title>\n<style>\n{}{}</style></head>\n<body>\n{}"
      "<script type=\"application/json\" id=\"data\">{}</script>\n"
      "<script>\n{}</script>\n</body></html>\n",
      Text(title), colours, kPageStyle, body, ScriptJson(data), kPageScript);
}

std::string InlineSvg(std::string_view svg, std::string_view id_prefix, std::string_view label) {
  const size_t start = svg.find("<svg");
  std::string out(start == std::string_view::npos ? svg : svg.substr(start));
  const std::string prefix(id_prefix);
  for (const std::string_view reference :
       {"id=\"", "id='", "url(#", "xlink:href='#", "xlink:href=\"#"}) {
    out = Replaced(out, reference, std::string(reference) + prefix);
  }
  // In a printed page each element with an opacity of its own is a group: of ten times the size.
  for (const char quote : {'"', '\''}) {
    const std::string opacity = fmt::format(" opacity={}", quote);
    for (size_t at = out.find(opacity); at != std::string::npos; at = out.find(opacity, at)) {
      const size_t begin = at + opacity.size();
      const std::string value = out.substr(begin, out.find(quote, begin) - begin);
      const std::string both =
          fmt::format(" fill-opacity={0}{1}{0} stroke-opacity={0}{1}{0}", quote, value);
      out.replace(at, opacity.size() + value.size() + 1, both);
      at += both.size();
    }
  }
  constexpr std::string_view kOpening = "<svg";
  if (!out.starts_with(kOpening)) return out;
  const size_t title = out.find("<title>");
  constexpr std::string_view kEndOfDescription = "</desc>";
  const size_t described = out.find(kEndOfDescription);
  if (title < described && described < out.find("<g")) {
    out.erase(title, described + kEndOfDescription.size() - title);
  }
  return out.insert(kOpening.size(), " role=\"img\"" + Attribute("aria-label", label));
}

}  // namespace connbench::plots
