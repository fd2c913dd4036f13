// Rows with names: stacks of parts, or dots with their intervals and repetitions.
#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <numeric>

#include "plots/draw/layout_parts.h"
#include "plots/draw/text_size.h"

namespace connbench::plots {
namespace {

constexpr double kRoomForNames = 0.40;   // of the picture's width, at most
constexpr double kRoomForValues = 0.30;  // likewise
// What is this many times as large as the next flattens the others.
constexpr double kOutlier = 3.5;

std::string NameOf(const Bar& bar) {
  if (bar.group.empty() || bar.label.empty()) return bar.group + bar.label;
  return fmt::format("{}, {}", bar.group, bar.label);
}

double LongestOf(const Chart& chart, const Bar& bar) {
  double longest = bar.high != bar.low ? bar.high : 0;
  double sum = 0;
  for (const double part : bar.parts) {
    if (!std::isfinite(part)) continue;
    sum = chart.kind == ChartKind::kBars ? sum + part : std::max(sum, part);
  }
  longest = std::max(longest, sum);
  for (const Cell& cell : bar.cells) longest = std::max(longest, cell.high);
  for (const double repetition : bar.repetitions) longest = std::max(longest, repetition);
  return longest;
}

double SmallestOf(const Bar& bar) {
  double least = std::numeric_limits<double>::infinity();
  const auto see = [&](double value) {
    if (std::isfinite(value)) least = std::min(least, value);
  };
  for (const double part : bar.parts) see(part);
  for (const Cell& cell : bar.cells) see(cell.low);
  if (bar.low != bar.high) see(bar.low);
  for (const double repetition : bar.repetitions) see(repetition);
  return least;
}

std::string ValueOf(const Chart& chart, const Bar& bar) {
  if (!bar.cells.empty()) return bar.remark;
  std::string text;
  if (chart.kind == ChartKind::kBars) {
    double sum = 0;
    for (const double part : bar.parts) sum += std::isfinite(part) ? part : 0;
    text = PrintValue(sum, chart.x_unit);
  } else {
    for (const double part : bar.parts) {
      if (!text.empty()) text += "; ";
      text += std::isfinite(part) ? PrintValue(part, chart.x_unit) : "-";
    }
  }
  return bar.remark.empty() ? text : fmt::format("{} {}", text, bar.remark);
}

// Which rows share a panel: those that flatten the rest have one of their own.
std::vector<std::vector<size_t>> PanelsOf(const Chart& chart) {
  std::vector<size_t> all(chart.bars.size());
  std::iota(all.begin(), all.end(), 0);
  const bool is_stretched = chart.kind == ChartKind::kHeat || chart.kind == ChartKind::kShape;
  if (chart.log_x || all.size() < 3 || is_stretched) return {all};
  std::vector<double> sorted;
  for (const Bar& bar : chart.bars) sorted.push_back(LongestOf(chart, bar));
  std::sort(sorted.begin(), sorted.end());
  double limit = 0;
  // At most a third of the rows are outliers.
  for (size_t i = sorted.size() - 1; i > 0 && i >= sorted.size() - sorted.size() / 3; --i) {
    if (sorted[i - 1] > 0 && sorted[i] >= kOutlier * sorted[i - 1]) limit = sorted[i];
  }
  if (limit == 0) return {all};
  std::vector<std::vector<size_t>> panels(2);
  for (const size_t i : all) panels[LongestOf(chart, chart.bars[i]) >= limit ? 1 : 0].push_back(i);
  return panels;
}

// One line if it fits; otherwise a line for each of its parts: "mode 15.6 ms; median 18 ms" is not
// torn between a word and its number.
std::vector<std::string> ValueLines(const std::string& text, double max_px, double font_px) {
  std::vector<std::string> lines = WrapText(text, max_px, font_px);
  if (lines.size() == 1) return lines;
  constexpr std::string_view kBetween = "; ";
  lines.clear();
  for (size_t begin = 0; begin < text.size();) {
    const size_t end = std::min(text.find(kBetween, begin), text.size());
    const auto part = WrapText(text.substr(begin, end - begin), max_px, font_px);
    lines.insert(lines.end(), part.begin(), part.end());
    begin = end + kBetween.size();
  }
  return lines;
}

class RowsLayout {
 public:
  RowsLayout(const Chart& chart, const Style& style, Scene& scene)
      : chart_(chart), style_(style), scene_(scene), line_(kLineHeight * style.font_px) {
    for (const Bar& bar : chart.bars) {
      names_.push_back(WrapText(NameOf(bar), kRoomForNames * scene.width_px, style.font_px));
      values_.push_back(
          ValueLines(ValueOf(chart, bar), kRoomForValues * scene.width_px, style.small_px));
      const auto widest = [](const std::vector<std::string>& lines, double font_px) {
        double width = 0;
        for (const std::string& text : lines) width = std::max(width, TextWidthPx(text, font_px));
        return width;
      };
      names_px_ = std::max(names_px_, widest(names_.back(), style.font_px));
      values_px_ = std::max(values_px_, widest(values_.back(), style.small_px));
      most_lines_ = std::max({most_lines_, names_.back().size(), values_.back().size()});
    }
  }

  void Run() {
    double top = scene_.height_px;
    const auto panels = PanelsOf(chart_);
    for (size_t i = 0; i < panels.size(); ++i) {
      if (i > 0) {
        AddParagraph(scene_, style_, "On a scale of their own:", style_.small_px,
                     style_.colours.faint, &top);
      }
      AddPanel(panels[i], &top);
    }
    AddFooter(scene_, style_, chart_, &top);
  }

 private:
  void AddPanel(const std::vector<size_t>& rows, double* top) {
    constexpr double kRowHeight = 1.45;  // lines
    const double row_px = std::max(kRowHeight, static_cast<double>(most_lines_) + 0.35) * line_;
    Panel panel;
    panel.rows_from_above = true;
    panel.box = {names_px_ + 2 * style_.gap_px, *top,
                 scene_.width_px - values_px_ - 2.5 * style_.gap_px,
                 *top + row_px * static_cast<double>(rows.size())};
    double least = std::numeric_limits<double>::infinity();
    double most = 0;
    for (const size_t i : rows) {
      least = std::min(least, SmallestOf(chart_.bars[i]));
      most = std::max(most, LongestOf(chart_, chart_.bars[i]));
    }
    panel.x = RangeOf(least, most, chart_.log_x && least > 0);
    if (chart_.x_band.at > 0 && panel.x.log) {
      panel.x.low = std::min(panel.x.low, chart_.x_band.at / 1.1);
      panel.x.high = std::max(panel.x.high, chart_.x_band.at * 1.1);
    }
    panel.y = {-0.5, static_cast<double>(rows.size()) - 0.5, false};
    constexpr double kEmsOfTick = 6.5;
    const int ticks =
        std::max(2, static_cast<int>(panel.box.width() / style_.font_px / kEmsOfTick));
    AddXTicks(scene_, style_, TicksOf(panel.x, chart_.x_unit, ticks), panel);
    AddReference(panel);
    for (size_t row = 0; row < rows.size(); ++row) {
      const Bar& bar = chart_.bars[rows[row]];
      if (chart_.kind == ChartKind::kBars) {
        AddStack(bar, static_cast<double>(row), panel);
      } else if (chart_.kind == ChartKind::kHeat) {
        AddHeat(bar, static_cast<double>(row), panel);
      } else {
        AddShape(bar, static_cast<double>(row), panel);  // if it has one
        AddDots(bar, static_cast<double>(row), panel);
      }
      AddWords(rows[row], static_cast<double>(row), panel);
    }
    AddLinesAcross(panel);
    *top = panel.box.bottom + 1.4 * line_ + style_.gap_px / 2;
    if (chart_.kind == ChartKind::kHeat) {
      AddParagraph(scene_, style_, chart_.x_label, style_.small_px, style_.colours.faint, top);
    }
    scene_.panels.push_back(std::move(panel));
  }

  void AddLinesAcross(Panel& panel) const {
    for (const double at : chart_.x_lines) {
      if (at < panel.x.low || at > panel.x.high) continue;
      Layer line;
      line.kind = LayerKind::kSegments;
      line.rows = {{at, panel.y.low, at, panel.y.high}};
      line.colour = style_.colours.text;
      line.width_px = style_.line_px;
      line.dash = 2;
      panel.layers.push_back(std::move(line));
    }
  }

  // One layer for each shade.
  void AddHeat(const Bar& bar, double row, Panel& panel) const {
    constexpr double kHalf = 0.44;  // of a row
    std::vector<Layer> shades(kShades, LayerOf(bar, LayerKind::kBoxes));
    const double span = std::log(chart_.shade_high / chart_.shade_low);
    for (const Cell& cell : bar.cells) {
      if (!std::isfinite(cell.value) || cell.value <= 0) continue;
      const double share = span > 0 ? std::log(cell.value / chart_.shade_low) / span : 0;
      const double last = static_cast<double>(kShades - 1);
      const auto shade = static_cast<size_t>(std::clamp(std::round(share * last), 0.0, last));
      shades[shade].rows.push_back({cell.low, row - kHalf, cell.high, row + kHalf});
    }
    for (size_t shade = 0; shade < kShades; ++shade) {
      shades[shade].colour = Shade(shade, style_.theme);
      if (!shades[shade].rows.empty()) panel.layers.push_back(std::move(shades[shade]));
    }
  }

  void AddShape(const Bar& bar, double row, Panel& panel) const {
    constexpr double kHalf = 0.46;  // of a row
    double most = 0;
    for (const Cell& cell : bar.cells) most = std::max(most, cell.value);
    Layer shape = LayerOf(bar, LayerKind::kBoxes);
    for (const Cell& cell : bar.cells) {
      if (most <= 0 || cell.value <= 0) continue;
      const double half = kHalf * cell.value / most;
      shape.rows.push_back({cell.low, row - half, cell.high, row + half});
    }
    if (!shape.rows.empty()) panel.layers.push_back(std::move(shape));
  }

  // A line that values are held against.
  void AddReference(Panel& panel) const {
    const double at = chart_.x_band.at;
    if (at <= 0) return;
    Layer line;
    line.kind = LayerKind::kSegments;
    line.rows = {{at, panel.y.low, at, panel.y.high}};
    line.colour = style_.colours.faint;
    line.width_px = style_.line_px;
    panel.layers.push_back(std::move(line));
  }

  Layer LayerOf(const Bar& bar, LayerKind kind) const {
    Layer layer;
    layer.kind = kind;
    layer.contender = bar.contender;
    layer.title = fmt::format("{}: {}", NameOf(bar), ValueOf(chart_, bar));
    layer.colour = HueOf(bar.family);
    layer.width_px = style_.line_px;
    layer.marker_px = style_.marker_px;
    return layer;
  }

  void AddStack(const Bar& bar, double row, Panel& panel) const {
    double sum = 0;
    constexpr double kHalf = 0.32;  // of a row
    for (size_t part = 0; part < bar.parts.size(); ++part) {
      if (!std::isfinite(bar.parts[part]) || bar.parts[part] <= 0) continue;
      Layer box = LayerOf(bar, LayerKind::kBoxes);
      box.colour = chart_.parts.size() > 1 ? FillOfPart(part, style_.theme) : HueOf(bar.family);
      box.rows = {{sum, row - kHalf, sum + bar.parts[part], row + kHalf}};
      box.title = fmt::format("{}, {}: {}", NameOf(bar), chart_.parts[part],
                              PrintValue(bar.parts[part], chart_.x_unit));
      panel.layers.push_back(std::move(box));
      sum += bar.parts[part];
    }
    AddInterval(bar, row, panel, style_.colours.text);
  }

  void AddInterval(const Bar& bar, double row, Panel& panel, const Colour& colour) const {
    if (bar.low == bar.high || (panel.x.log && bar.low <= 0)) return;
    Layer interval = LayerOf(bar, LayerKind::kSegments);
    interval.rows = {{bar.low, row, bar.high, row}};
    interval.colour = colour;
    panel.layers.push_back(std::move(interval));
  }

  void AddDots(const Bar& bar, double row, Panel& panel) const {
    const auto drawable = [&](double value) {
      return std::isfinite(value) && (!panel.x.log || value > 0);
    };
    Layer repetitions = LayerOf(bar, LayerKind::kPoints);
    repetitions.opacity = 0.45;
    repetitions.marker_px = 0.55 * style_.marker_px;
    for (const double value : bar.repetitions) {
      if (drawable(value)) repetitions.rows.push_back({value, row, 0, 0});
    }
    if (!repetitions.rows.empty()) panel.layers.push_back(std::move(repetitions));
    AddInterval(bar, row, panel, HueOf(bar.family));
    for (size_t part = 0; part < bar.parts.size(); ++part) {
      if (!drawable(bar.parts[part])) continue;
      Layer dot = LayerOf(bar, LayerKind::kPoints);
      if (!bar.cells.empty()) dot.colour = style_.colours.text;
      dot.rows = {{bar.parts[part], row, 0, 0}};
      dot.marker = MarkerOf(part);
      panel.layers.push_back(std::move(dot));
    }
  }

  // The name on the left, the value on the right.
  void AddWords(size_t index, double row, const Panel& panel) {
    const Bar& bar = chart_.bars[index];
    const double middle = PixelOfY(panel, row);
    const auto add = [&](const std::vector<std::string>& lines, double x, Anchor anchor,
                         double font_px) {
      double y = middle - static_cast<double>(lines.size() - 1) * line_ / 2;
      for (const std::string& text : lines) {
        scene_.texts.push_back(
            {text, x, y, anchor, font_px, false, style_.colours.text, bar.contender});
        y += line_;
      }
    };
    add(names_[index], panel.box.left - style_.gap_px, Anchor::kRight, style_.font_px);
    add(values_[index], scene_.width_px - style_.gap_px, Anchor::kRight, style_.small_px);
  }

  const Chart& chart_;
  const Style& style_;
  Scene& scene_;
  const double line_;
  std::vector<std::vector<std::string>> names_;
  std::vector<std::vector<std::string>> values_;
  double names_px_ = 0;
  double values_px_ = 0;
  size_t most_lines_ = 1;
};

}  // namespace

void LayOutRows(const Chart& chart, const Style& style, Scene& scene) {
  RowsLayout(chart, style, scene).Run();
}

}  // namespace connbench::plots
