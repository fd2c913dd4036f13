// Lines over a numeric axis: one panel, or one for each family where there are many.
#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <map>

#include "plots/draw/label_placement.h"
#include "plots/draw/layout_parts.h"
#include "plots/draw/text_size.h"

namespace connbench::plots {
namespace {

// More lines than this in one panel cannot be told apart.
constexpr size_t kMostSeries = 6;
// Points closer than this hide their line when they are marked.
constexpr size_t kMostMarkedPoints = 16;
constexpr double kRoomForLabels = 0.36;  // of a panel's width, at most

// What one panel shows in colour.
struct Group {
  std::string heading;
  std::vector<size_t> series;
};

std::string HeadingOf(Family family) {
  switch (family) {
    case Family::kProcess:
      return "processes";
    case Family::kThread:
      return "threads";
    case Family::kPool:
      return "pools";
    case Family::kLoop:
      return "event loops";
    case Family::kForeign:
      return "other servers";
  }
  return "";
}

std::vector<Group> GroupsOf(const Chart& chart) {
  std::vector<Group> groups;
  if (chart.series.size() <= kMostSeries) {
    groups.emplace_back();
    for (size_t i = 0; i < chart.series.size(); ++i) groups.back().series.push_back(i);
    return groups;
  }
  for (const Family family : kFamilies) {
    size_t in_group = kMostSeries;
    for (size_t i = 0; i < chart.series.size(); ++i) {
      if (chart.series[i].family != family) continue;
      if (in_group == kMostSeries) {
        groups.push_back({HeadingOf(family), {}});
        in_group = 0;
      }
      groups.back().series.push_back(i);
      ++in_group;
    }
  }
  return groups;
}

// A line's mark and dash: by its place among its family.
std::vector<size_t> MembersOf(const Chart& chart) {
  std::map<Family, size_t> next;
  std::vector<size_t> members;
  for (const Series& series : chart.series) members.push_back(next[series.family]++);
  return members;
}

struct Ranges {
  Range x;
  Range y;
};

Ranges RangesOf(const Chart& chart) {
  double left = std::numeric_limits<double>::infinity();
  double right = -left;
  double least = left;
  double most = -left;
  const auto see = [&](double y) {
    if (chart.log_y && y <= 0) return;
    least = std::min(least, y);
    most = std::max(most, y);
  };
  for (const Series& series : chart.series) {
    for (const Point& point : series.points) {
      left = std::min(left, point.x);
      right = std::max(right, point.x);
      see(point.y);
      see(point.low);
      see(point.high);
      for (const double repetition : point.repetitions) see(repetition);
    }
  }
  Ranges ranges;
  ranges.x = {left, right, chart.log_x && left > 0};
  if (chart.x_band.high > 0) {
    ranges.x.low = std::min(ranges.x.low, chart.x_band.low);
    ranges.x.high = std::max(ranges.x.high, chart.x_band.high);
  }
  // A mark at the edge needs room.
  if (ranges.x.log) {
    const double room = std::pow(ranges.x.high / ranges.x.low, 0.03);
    ranges.x.low /= room;
    ranges.x.high *= room;
  } else {
    const double room = 0.03 * (ranges.x.high - ranges.x.low);
    if (ranges.x.low != 0) ranges.x.low -= room;
    ranges.x.high += room;
  }
  if (ranges.x.high <= ranges.x.low) ranges.x.high = ranges.x.low + 1;
  ranges.y = RangeOf(least, most, chart.log_y && least > 0);
  return ranges;
}

std::string TitleOf(const Chart& chart, const Series& series) {
  constexpr size_t kMostValues = 12;
  std::string title = series.label;
  if (series.points.size() > kMostValues) return title;
  for (const Point& point : series.points) {
    title += fmt::format("; {}: {}", PrintValue(point.x, chart.x_unit),
                         PrintValue(point.y, chart.y_unit));
  }
  return title;
}

class LinesLayout {
 public:
  LinesLayout(const Chart& chart, const Style& style, Scene& scene)
      : chart_(chart),
        style_(style),
        scene_(scene),
        groups_(GroupsOf(chart)),
        members_(MembersOf(chart)),
        ranges_(RangesOf(chart)) {
    const double em = scene.width_px / style.font_px;
    constexpr double kEmsOfColumn = 34;
    const auto fitting = static_cast<size_t>(std::max(1.0, std::floor(em / kEmsOfColumn)));
    const size_t most = std::min({groups_.size(), fitting, size_t{3}});
    // Four panels are two and two, not three and one.
    const size_t rows = (groups_.size() + most - 1) / most;
    columns_ = (groups_.size() + rows - 1) / rows;
    constexpr int kTicks = 5;
    y_ticks_ = TicksOf(ranges_.y, chart.y_unit, kTicks);
    for (const Tick& tick : y_ticks_) {
      left_room_ = std::max(left_room_, TextWidthPx(tick.label, style.small_px));
    }
    left_room_ += 1.5 * style.gap_px;
  }

  void Run(double height_px) {
    double top = scene_.height_px;
    const double column = scene_.width_px / static_cast<double>(columns_);
    const double line = kLineHeight * style_.font_px;
    const double below = 1.2 * line + style_.gap_px / 2;  // tick labels
    const size_t rows = (groups_.size() + columns_ - 1) / columns_;
    const double share = groups_.size() == 1 ? 0.42 : 0.55;
    double wanted = std::clamp(share * column, 14 * line, 26 * line);
    if (height_px > 0) {
      const double rest = height_px - top - 4 * line;
      wanted = std::max(8 * line, rest / static_cast<double>(rows) - below - line);
    }
    for (size_t row = 0; row < rows; ++row) {
      const double heading = groups_.size() > 1 ? line : 0;
      double height = wanted;
      const size_t end = std::min(groups_.size(), (row + 1) * columns_);
      for (size_t i = row * columns_; i < end; ++i) {
        height = std::max(height, LabelsHeight(groups_[i], column));
      }
      for (size_t i = row * columns_; i < end; ++i) {
        const double left = static_cast<double>(i - row * columns_) * column;
        if (!groups_[i].heading.empty()) {
          scene_.texts.push_back({groups_[i].heading, left + left_room_, top + line / 2,
                                  Anchor::kLeft, style_.font_px, true, style_.colours.text});
        }
        AddPanel(groups_[i], left, column, top + heading, height);
      }
      top += heading + height + below;
    }
    const double room = scene_.width_px - left_room_ - style_.gap_px;
    for (const std::string& text : WrapText(chart_.x_label, room, style_.font_px)) {
      scene_.texts.push_back({text, left_room_, top + line / 2, Anchor::kLeft, style_.font_px,
                              false, style_.colours.text});
      top += line;
    }
    top += style_.gap_px;
    AddFooter(scene_, style_, chart_, &top);
  }

 private:
  std::vector<std::string> LabelLines(const Series& series, double column) const {
    return WrapText(series.label, kRoomForLabels * column, style_.font_px);
  }

  double LabelsHeight(const Group& group, double column) const {
    double height = 0;
    for (const size_t i : group.series) {
      height += static_cast<double>(LabelLines(chart_.series[i], column).size());
    }
    return (height + 1) * kLineHeight * style_.font_px;
  }

  void AddPanel(const Group& group, double left, double column, double top, double height) {
    double right_room = 0;
    for (const size_t i : group.series) {
      for (const std::string& text : LabelLines(chart_.series[i], column)) {
        right_room = std::max(right_room, TextWidthPx(text, style_.font_px));
      }
    }
    right_room += style_.marker_px + 3 * style_.gap_px;  // leader, mark and edge
    Panel panel;
    panel.box = {left + left_room_, top, left + column - right_room, top + height};
    panel.x = ranges_.x;
    panel.y = ranges_.y;
    constexpr double kEmsOfTick = 6;
    const int x_ticks =
        std::max(2, static_cast<int>(panel.box.width() / style_.font_px / kEmsOfTick));
    AddXTicks(scene_, style_,
              chart_.x_ticks.empty() ? TicksOf(panel.x, chart_.x_unit, x_ticks) : chart_.x_ticks,
              panel);
    AddYTicks(scene_, style_, y_ticks_, panel);
    AddBand(panel);
    AddLinesAcross(panel);
    for (size_t i = 0; i < chart_.series.size(); ++i) {
      if (std::find(group.series.begin(), group.series.end(), i) == group.series.end()) {
        AddLine(chart_.series[i], i, false, panel);
      }
    }
    for (const size_t i : group.series) AddLine(chart_.series[i], i, true, panel);
    AddLabels(group, column, panel);
    scene_.panels.push_back(std::move(panel));
  }

  void AddBand(Panel& panel) const {
    const XBand& band = chart_.x_band;
    if (band.high <= 0) return;
    Layer shade;
    shade.kind = LayerKind::kBoxes;
    shade.rows = {{band.low, panel.y.low, band.high, panel.y.high}};
    shade.colour = style_.colours.grid;
    panel.layers.push_back(std::move(shade));
    if (band.at <= 0) return;
    Layer middle;
    middle.kind = LayerKind::kSegments;
    middle.rows = {{band.at, panel.y.low, band.at, panel.y.high}};
    middle.colour = style_.colours.faint;
    middle.dash = 2;
    panel.layers.push_back(std::move(middle));
  }

  void AddLinesAcross(Panel& panel) const {
    for (const double at : chart_.x_lines) {
      if (at < panel.x.low || at > panel.x.high) continue;
      Layer line;
      line.kind = LayerKind::kSegments;
      line.rows = {{at, panel.y.low, at, panel.y.high}};
      line.colour = style_.colours.faint;
      line.dash = 2;
      panel.layers.push_back(std::move(line));
    }
  }

  void AddLine(const Series& series, size_t index, bool highlighted, Panel& panel) const {
    const bool steps = chart_.kind == ChartKind::kSteps;
    Layer line;
    line.kind = steps ? LayerKind::kSteps : LayerKind::kLine;
    line.contender = series.contender;
    line.title = TitleOf(chart_, series);
    line.colour = highlighted ? HueOf(series.family) : style_.colours.grid;
    line.width_px = highlighted ? style_.line_px : style_.line_px / 2;
    constexpr size_t kDashes = 5;
    line.dash = highlighted ? static_cast<int>(members_[index] % kDashes) + 1 : 1;
    Layer intervals = line;
    intervals.kind = LayerKind::kSegments;
    intervals.dash = 1;
    intervals.opacity = 0.6;
    Layer repetitions = line;
    repetitions.kind = LayerKind::kPoints;
    repetitions.opacity = 0.45;
    repetitions.marker_px = 0.55 * style_.marker_px;
    const auto drawable = [&](double y) { return std::isfinite(y) && (!panel.y.log || y > 0); };
    for (const Point& point : series.points) {
      if (!drawable(point.y)) continue;
      line.rows.push_back({point.x, point.y, 0, 0});
      if (point.low != point.high && drawable(point.low)) {
        intervals.rows.push_back({point.x, point.low, point.x, point.high});
      }
      for (const double repetition : point.repetitions) {
        if (drawable(repetition)) repetitions.rows.push_back({point.x, repetition, 0, 0});
      }
    }
    if (line.rows.empty()) return;
    Layer marks = line;
    marks.kind = LayerKind::kPoints;
    marks.marker = MarkerOf(members_[index]);
    marks.marker_px = style_.marker_px;
    // A long line is marked at its end.
    if (line.rows.size() > kMostMarkedPoints || steps) marks.rows = {line.rows.back()};
    if (highlighted && !repetitions.rows.empty()) panel.layers.push_back(std::move(repetitions));
    if (highlighted && !intervals.rows.empty()) panel.layers.push_back(std::move(intervals));
    panel.layers.push_back(std::move(line));
    if (highlighted) AddKnee(series, marks, panel);
    if (highlighted) panel.layers.push_back(std::move(marks));
  }

  // A ring, and a line down to the axis.
  void AddKnee(const Series& series, const Layer& like, Panel& panel) const {
    for (const auto& row : like.rows) {
      if (row[0] != series.knee) continue;
      Layer ring = like;
      ring.rows = {row};
      constexpr int kHollowCircle = 6;
      ring.marker = kHollowCircle;
      ring.marker_px = 2.2 * style_.marker_px;
      ring.width_px = style_.line_px;
      panel.layers.push_back(std::move(ring));
      Layer down = like;
      down.kind = LayerKind::kSegments;
      down.rows = {{row[0], panel.y.low, row[0], row[1]}};
      down.dash = 3;
      down.width_px = style_.line_px / 2;
      panel.layers.push_back(std::move(down));
    }
  }

  // Beside the ends of the lines, with a leader where a label had to move.
  void AddLabels(const Group& group, double column, const Panel& panel) {
    const double line = kLineHeight * style_.font_px;
    struct Label {
      const Series* series;
      size_t member;
      std::vector<std::string> lines;
      double x;
      double y;
    };
    std::vector<Label> labels;
    std::vector<WantedLabel> wanted;
    for (const size_t i : group.series) {
      const Series& series = chart_.series[i];
      const auto last = std::find_if(
          series.points.rbegin(), series.points.rend(),
          [&](const Point& p) { return std::isfinite(p.y) && (!panel.y.log || p.y > 0); });
      if (last == series.points.rend()) continue;
      Label label{&series, members_[i], LabelLines(series, column), PixelOfX(panel, last->x),
                  PixelOfY(panel, last->y)};
      // Steps all end at the top: the first there stands above.
      constexpr double kOrderOnly = 1e-3;
      const double order = chart_.kind == ChartKind::kSteps ? kOrderOnly * label.x : 0;
      wanted.push_back({label.y + order, static_cast<double>(label.lines.size()) * line});
      labels.push_back(std::move(label));
    }
    const std::vector<double> centres =
        PlaceLabels(wanted, panel.box.top, panel.box.bottom + line / 2);
    for (size_t i = 0; i < labels.size(); ++i) {
      const Label& label = labels[i];
      const double begin = panel.box.right + 1.6 * style_.gap_px;
      // Steps all end at the top, so that a leader would say nothing.
      if (chart_.kind != ChartKind::kSteps) {
        Layer leader;
        leader.kind = LayerKind::kLine;
        leader.rows = {{label.x + style_.gap_px / 2, label.y, 0, 0},
                       {panel.box.right + style_.gap_px / 4, label.y, 0, 0},
                       {begin - style_.gap_px / 4, centres[i], 0, 0}};
        leader.colour = HueOf(label.series->family);
        leader.opacity = 0.7;
        leader.width_px = 0.8;
        leader.contender = label.series->contender;
        scene_.overlay.push_back(std::move(leader));
      }
      Layer mark;
      mark.kind = LayerKind::kPoints;
      mark.rows = {{begin + style_.marker_px / 2, centres[i], 0, 0}};
      mark.colour = HueOf(label.series->family);
      mark.marker = MarkerOf(label.member);
      mark.marker_px = style_.marker_px;
      mark.contender = label.series->contender;
      scene_.overlay.push_back(std::move(mark));
      double y = centres[i] - wanted[i].height / 2 + line / 2;
      for (const std::string& text : label.lines) {
        scene_.texts.push_back({text, begin + style_.marker_px + style_.gap_px / 3, y,
                                Anchor::kLeft, style_.font_px, false, style_.colours.text,
                                label.series->contender});
        y += line;
      }
    }
  }

  const Chart& chart_;
  const Style& style_;
  Scene& scene_;
  const std::vector<Group> groups_;
  const std::vector<size_t> members_;
  const Ranges ranges_;
  std::vector<Tick> y_ticks_;
  size_t columns_ = 1;
  double left_room_ = 0;
};

}  // namespace

void LayOutLines(const Chart& chart, const Style& style, const RenderOptions& options,
                 Scene& scene) {
  LinesLayout(chart, style, scene).Run(options.height_px);
}

}  // namespace connbench::plots
