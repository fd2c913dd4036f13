// The axes of a run's cells.
#include "plots/axes.h"

#include <fmt/format.h>

#include <charconv>
#include <cmath>

namespace connbench::plots {
std::optional<double> AxisNumber(const std::string& text) {
  static const std::map<std::string_view, double> kUnits = {
      {"", 1},       {"%", 1},       {"ns", 1e-9},  {"us", 1e-6},         {"ms", 1e-3},
      {"s", 1},      {"min", 60},    {"h", 3600},   {"d", 86'400},        {"k", 1024},
      {"K", 1024},   {"B", 1},       {"kB", 1024},  {"M", 1024.0 * 1024}, {"MB", 1024.0 * 1024},
      {"G", 0x1p30}, {"GB", 0x1p30}, {"TB", 0x1p40}};
  double number = 0;
  const char* end = text.data() + text.size();
  const auto [stop, error] = std::from_chars(text.data(), end, number);
  if (error != std::errc() || !std::isfinite(number)) return std::nullopt;
  const auto unit = kUnits.find(std::string_view(stop, static_cast<size_t>(end - stop)));
  if (unit == kUnits.end()) return std::nullopt;
  return number * unit->second;
}

AxisValues AxesOfCell(std::string_view cell) {
  AxisValues axes;
  std::string last;
  size_t at = cell.find("/connections:");
  while (at != std::string_view::npos) {
    const size_t next = cell.find('/', at + 1);
    const std::string_view part = cell.substr(at + 1, next - at - 1);
    const size_t colon = part.find(':');
    if (colon != std::string_view::npos) {
      last = part.substr(0, colon);
      axes.insert_or_assign(last, std::string(part.substr(colon + 1)));
    } else if (!last.empty()) {
      axes[last] += fmt::format("/{}", part);  // a slash within a value
    }
    at = next;
  }
  return axes;
}

bool AxisValueLess(const std::string& a, const std::string& b) {
  if (a.empty() || b.empty()) return a.empty() && !b.empty();
  const std::optional<double> left = AxisNumber(a);
  const std::optional<double> right = AxisNumber(b);
  if (left.has_value() != right.has_value()) return left.has_value();
  if (left && *left != *right) return *left < *right;
  return a < b;
}

}  // namespace connbench::plots
