// A chart on the other scale.
#include "plots/other_scale.h"

#include <algorithm>
#include <cmath>
#include <limits>

namespace connbench::plots {
namespace {

bool IsLog(const Chart& chart) {
  return chart.kind == ChartKind::kDots ? chart.log_x : chart.log_y;
}

}  // namespace

std::optional<Chart> OnOtherScale(const Chart& chart) {
  const bool rows = chart.kind == ChartKind::kDots;
  if ((!rows && chart.kind != ChartKind::kLines) || (rows && chart.x_band.at > 0)) {
    return std::nullopt;
  }
  double least = std::numeric_limits<double>::infinity();
  double most = 0;
  const auto see = [&](double value) {
    if (!std::isfinite(value)) return;
    least = std::min(least, value);
    most = std::max(most, value);
  };
  for (const Series& series : chart.series) {
    for (const Point& point : series.points) see(point.y);
  }
  for (const Bar& bar : chart.bars) {
    for (const double part : bar.parts) see(part);
  }
  constexpr double kWorthIt = 3;
  if (least <= 0 || most < kWorthIt * least) return std::nullopt;
  Chart other = chart;
  (rows ? other.log_x : other.log_y) = !IsLog(chart);
  return other;
}

std::string_view ScaleName(const Chart& chart) { return IsLog(chart) ? "log" : "linear"; }

}  // namespace connbench::plots
