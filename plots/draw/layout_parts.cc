// What the layouts of lines and of rows have in common.
#include "plots/draw/layout_parts.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <iterator>

#include "base/printable.h"
#include "plots/draw/text_size.h"

namespace connbench::plots {
namespace {

constexpr double kScreenFontPx = 13;
constexpr double kPaperFontPx = 9.5;  // 7 pt
constexpr double kSmall = 0.85;
constexpr double kTitle = 1.25;

// gnuplot's filled marks, then its hollow ones.
constexpr int kMarkers[] = {7, 5, 9, 13, 11, 15, 6, 4, 8, 12, 10, 14};

std::string Subject(const Chart& chart) {
  const bool is_x = HasRows(chart.kind) && chart.kind != ChartKind::kHeat;
  const std::string& subject = is_x ? chart.x_label : chart.y_label;
  if (subject.empty() || chart.better.empty()) return subject + chart.better;
  return fmt::format("{} ({})", subject, chart.better);
}

// A swatch or a mark and its name for each part, side by side as far as there is room.
void AddLegend(Scene& scene, const Style& style, const Chart& chart, double* top) {
  if (chart.parts.size() < 2) return;
  const double swatch = 0.9 * style.font_px;
  const double line = kLineHeight * style.font_px;
  double x = style.gap_px;
  for (size_t part = 0; part < chart.parts.size(); ++part) {
    const double room = scene.width_px - 3 * style.gap_px - swatch;
    const auto lines = WrapText(chart.parts[part], room, style.font_px);
    double width = 0;
    for (const std::string& text : lines) {
      width = std::max(width, TextWidthPx(text, style.font_px));
    }
    if (x > style.gap_px && x + swatch + style.gap_px + width > scene.width_px - style.gap_px) {
      x = style.gap_px;
      *top += line;
    }
    const double middle = *top + line / 2;
    Layer layer;
    if (chart.kind == ChartKind::kDots || chart.kind == ChartKind::kShape) {
      layer.kind = LayerKind::kPoints;
      layer.rows = {{x + swatch / 2, middle, 0, 0}};
      layer.colour = style.colours.text;
      layer.marker = MarkerOf(part);
      layer.marker_px = style.marker_px;
    } else {
      layer.kind = LayerKind::kBoxes;
      layer.rows = {{x, middle - swatch / 2, x + swatch, middle + swatch / 2}};
      layer.colour =
          chart.kind == ChartKind::kHeat ? Shade(part, style.theme) : FillOfPart(part, style.theme);
    }
    scene.overlay.push_back(std::move(layer));
    for (size_t i = 0; i < lines.size(); ++i) {
      scene.texts.push_back({lines[i], x + swatch + style.gap_px / 2,
                             middle + static_cast<double>(i) * line, Anchor::kLeft, style.font_px,
                             false, style.colours.text});
    }
    *top += static_cast<double>(lines.size() - 1) * line;
    x += swatch + width + 2.5 * style.gap_px;
  }
  *top += line + style.gap_px / 2;
}

// Names come from files, and may hold any bytes.
Chart PrintableChart(Chart chart) {
  const auto clean = [](std::string& text) { text = Printable(text); };
  for (std::string* text :
       {&chart.title, &chart.subtitle, &chart.x_label, &chart.y_label, &chart.source}) {
    clean(*text);
  }
  for (std::string& note : chart.notes) clean(note);
  for (std::string& part : chart.parts) clean(part);
  for (Tick& tick : chart.x_ticks) clean(tick.label);
  for (Series& series : chart.series) {
    clean(series.label);
    clean(series.contender);
  }
  for (Bar& bar : chart.bars) {
    for (std::string* text : {&bar.group, &bar.label, &bar.contender, &bar.remark}) clean(*text);
  }
  return chart;
}

}  // namespace

Style::Style(const RenderOptions& options)
    : theme(options.theme),
      colours(ColoursOf(options.theme)),
      width_px(options.width_px),
      font_px(options.font_px > 0              ? options.font_px
              : options.theme == Theme::kPaper ? kPaperFontPx
                                               : kScreenFontPx),
      small_px(kSmall * font_px),
      line_px(options.theme == Theme::kPaper ? 1.1 : 1.8),
      marker_px(0.55 * font_px),
      gap_px(0.6 * font_px) {}

Box BoxOf(const Text& text) {
  const double width = TextWidthPx(text.text, text.font_px, text.bold);
  const double left = text.anchor == Anchor::kLeft    ? text.x
                      : text.anchor == Anchor::kRight ? text.x - width
                                                      : text.x - width / 2;
  // A line's height without the space between lines.
  const double half = text.font_px / 2;
  return {left, text.y - half, left + width, text.y + half};
}

void AddParagraph(Scene& scene, const Style& style, std::string_view text, double font_px,
                  const Colour& colour, double* top, bool bold) {
  const double line = kLineHeight * font_px;
  for (const std::string& words :
       WrapText(text, scene.width_px - 2 * style.gap_px, font_px, bold)) {
    scene.texts.push_back(
        {words, style.gap_px, *top + line / 2, Anchor::kLeft, font_px, bold, colour});
    *top += line;
  }
}

void AddHeader(Scene& scene, const Style& style, const Chart& chart, double* top) {
  *top = style.gap_px;
  AddParagraph(scene, style, chart.title, kTitle * style.font_px, style.colours.text, top, true);
  if (!chart.subtitle.empty()) {
    AddParagraph(scene, style, chart.subtitle, style.small_px, style.colours.faint, top);
  }
  *top += style.gap_px;
  if (const std::string subject = Subject(chart); !subject.empty()) {
    AddParagraph(scene, style, subject, style.font_px, style.colours.text, top);
  }
  AddLegend(scene, style, chart, top);
  *top += style.gap_px / 2;
}

void AddFooter(Scene& scene, const Style& style, const Chart& chart, double* top) {
  for (const std::string& note : chart.notes) {
    AddParagraph(scene, style, note, style.small_px, style.colours.text, top);
  }
  if (!chart.source.empty()) {
    AddParagraph(scene, style, chart.source, style.small_px, style.colours.faint, top);
  }
  scene.height_px = std::ceil(*top + style.gap_px);
}

double PixelOfX(const Panel& panel, double x) {
  return panel.box.left + panel.x.Share(x) * panel.box.width();
}

double PixelOfY(const Panel& panel, double y) {
  const double share = panel.y.Share(y);
  return panel.rows_from_above ? panel.box.top + share * panel.box.height()
                               : panel.box.bottom - share * panel.box.height();
}

void AddXTicks(Scene& scene, const Style& style, const std::vector<Tick>& ticks, Panel& panel) {
  double free_from = 0;
  for (const Tick& tick : ticks) {
    if (tick.at < panel.x.low || tick.at > panel.x.high) continue;
    panel.x_grid.push_back(tick.at);
    const Text text{tick.label,
                    PixelOfX(panel, tick.at),
                    panel.box.bottom + kLineHeight * style.font_px / 2 + style.gap_px * 2 / 3,
                    Anchor::kCentre,
                    style.small_px,
                    false,
                    style.colours.faint};
    const Box box = BoxOf(text);
    if (box.left < free_from || box.right > scene.width_px) continue;
    scene.texts.push_back(text);
    free_from = box.right + style.gap_px;
  }
}

void AddYTicks(Scene& scene, const Style& style, const std::vector<Tick>& ticks, Panel& panel) {
  double free_to = panel.box.bottom + style.font_px;
  for (const Tick& tick : ticks) {
    if (tick.at < panel.y.low || tick.at > panel.y.high) continue;
    panel.y_grid.push_back(tick.at);
    const Text text{tick.label,
                    panel.box.left - style.gap_px / 2,
                    PixelOfY(panel, tick.at),
                    Anchor::kRight,
                    style.small_px,
                    false,
                    style.colours.faint};
    const Box box = BoxOf(text);
    if (box.bottom > free_to) continue;
    scene.texts.push_back(text);
    free_to = box.top - style.gap_px / 4;
  }
}

// Neighbours differ in lightness, so that a stack can be read in grey print.
Colour FillOfPart(size_t part, Theme theme) {
  static constexpr Colour kFills[] = {
      {38, 84, 124},   {133, 182, 215}, {201, 111, 59},  {240, 205, 140}, {94, 104, 113},
      {186, 200, 190}, {120, 72, 128},  {222, 184, 214}, {70, 120, 90},   {190, 214, 150}};
  Colour fill = kFills[part % std::size(kFills)];
  // The darkest would sink into a dark page.
  if (theme == Theme::kDark && fill == kFills[0]) fill = {58, 112, 160};
  return fill;
}

Colour Shade(size_t shade, Theme theme) {
  struct Ramp {
    Colour from;
    Colour middle;
    Colour to;
  };
  // Lightness changes evenly, so that grey print shows it.
  static constexpr Ramp kOnLight = {{226, 233, 241}, {222, 132, 66}, {74, 14, 38}};
  static constexpr Ramp kOnDark = {{48, 58, 72}, {196, 96, 52}, {255, 226, 160}};
  const Ramp& ramp = theme == Theme::kDark ? kOnDark : kOnLight;
  const double at = 2.0 * static_cast<double>(std::min(shade, kShades - 1)) / (kShades - 1);
  const Colour& a = at < 1 ? ramp.from : ramp.middle;
  const Colour& b = at < 1 ? ramp.middle : ramp.to;
  const double share = at < 1 ? at : at - 1;
  const auto mix = [&](uint8_t x, uint8_t y) {
    return static_cast<uint8_t>(std::lround(x + (y - x) * share));
  };
  return {mix(a.red, b.red), mix(a.green, b.green), mix(a.blue, b.blue)};
}

int MarkerOf(size_t member) { return kMarkers[member % std::size(kMarkers)]; }

Scene LayOut(const Chart& unsafe, const RenderOptions& options) {
  const Chart chart = PrintableChart(unsafe);
  const Style style(options);
  Scene scene;
  scene.name = chart.name;
  scene.width_px = std::ceil(options.width_px);
  double top = 0;
  AddHeader(scene, style, chart, &top);
  scene.height_px = top;
  if (HasRows(chart.kind)) {
    LayOutRows(chart, style, scene);
  } else {
    LayOutLines(chart, style, options, scene);
  }
  return scene;
}

}  // namespace connbench::plots
