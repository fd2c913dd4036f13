// How values are written in charts.
#include "plots/draw/values.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <span>

namespace connbench::plots {
namespace {

constexpr double kBinaryThousand = 1024;

struct Scale {
  std::string_view unit;
  double factor;  // of the base unit
};
constexpr Scale kTimes[] = {{"us", 1}, {"ms", 1e3}, {"s", 1e6}};
constexpr Scale kSizes[] = {
    {"kB", 1}, {"MB", kBinaryThousand}, {"GB", kBinaryThousand* kBinaryThousand}};

// The scales of a unit, and what one of it is in their first.
struct Scales {
  std::span<const Scale> scales;
  double factor = 1;
};

Scales ScalesOf(std::string_view unit) {
  for (const Scale& scale : kTimes) {
    if (scale.unit == unit) return {kTimes, scale.factor};
  }
  for (const Scale& scale : kSizes) {
    if (scale.unit == unit) return {kSizes, scale.factor};
  }
  return {};
}

// The largest scale of which the value is at least one.
const Scale* FittingScale(const Scales& scales, double value) {
  const Scale* fitting = nullptr;
  for (const Scale& scale : scales.scales) {
    // What rounds up to 1,000 is one of the next.
    if (fitting == nullptr || std::fabs(value) * scales.factor >= 0.9995 * scale.factor) {
      fitting = &scale;
    }
  }
  return fitting;
}

std::string WithThousands(std::string_view digits) {
  constexpr size_t kGroup = 3;
  std::string out;
  for (size_t i = 0; i < digits.size(); ++i) {
    const bool after_digit = !out.empty() && out.back() != '-';
    if (after_digit && (digits.size() - i) % kGroup == 0) out += ',';
    out += digits[i];
  }
  return out;
}

// The value in this scale, with its unit.
std::string InScale(double value, const Scales& scales, const Scale* scale, std::string_view unit) {
  if (value == 0) return "0";
  if (scale != nullptr) {
    return fmt::format("{} {}", PrintNumber(value * scales.factor / scale->factor), scale->unit);
  }
  if (unit.empty()) return PrintNumber(value);
  return fmt::format("{}{}{}", PrintNumber(value), unit == "1/s" ? "" : " ",
                     unit == "1/s" ? "/s" : unit);
}

}  // namespace

std::string PrintNumber(double value) {
  constexpr int kDigits = 3;
  if (!std::isfinite(value)) return "";
  if (value == 0) return "0";
  const int exponent = static_cast<int>(std::floor(std::log10(std::fabs(value))));
  if (exponent >= kDigits - 1) return WithThousands(fmt::format("{:.0f}", value));
  std::string text = fmt::format("{:.{}f}", value, kDigits - 1 - exponent);
  // 9.996 has become 10.00.
  while (text.find('.') != std::string::npos && (text.back() == '0' || text.back() == '.')) {
    const bool point = text.back() == '.';
    text.pop_back();
    if (point) break;
  }
  return text;
}

std::string PrintValue(double value, std::string_view unit) {
  const Scales scales = ScalesOf(unit);
  return InScale(value, scales, FittingScale(scales, value), unit);
}

double Range::Share(double value) const {
  if (log) return (std::log(value) - std::log(low)) / (std::log(high) - std::log(low));
  return (value - low) / (high - low);
}

Range RangeOf(double least, double most, bool log) {
  // An axis has an end, whatever the values are.
  constexpr double kSmallest = std::numeric_limits<double>::min();
  constexpr double kLargest = std::numeric_limits<double>::max();
  if (log) {
    constexpr double kRoom = 1.12;
    return {std::max(least / kRoom, kSmallest), std::min(most * kRoom, kLargest), true};
  }
  constexpr double kRoomAbove = 1.04;
  const double low = std::max(std::min(0.0, least * kRoomAbove), -kLargest);
  const double high = std::min(std::max(most * kRoomAbove, 0.0), kLargest);
  return {low, high > low ? high : low + 1, false};
}

std::vector<Tick> TicksOf(const Range& range, std::string_view unit, int wanted) {
  std::vector<Tick> ticks;
  // A rate's unit stands in the axis's label.
  const bool is_rate = unit.find("/s") != std::string_view::npos;
  const std::string_view written = is_rate ? std::string_view() : unit;
  if (range.log) {
    const double decades = std::log10(range.high) - std::log10(range.low);
    std::vector<double> steps = {1};
    if (decades * 2 < wanted + 1) steps = {1, 3};
    if (decades * 3 < wanted + 1) steps = {1, 2, 5};
    if (decades < 0.45) steps = {1, 1.2, 1.5, 2, 2.5, 3, 4, 5, 6, 7, 8, 9};
    const int skip = std::max(1, static_cast<int>(std::ceil(decades / wanted)));
    const int first = static_cast<int>(std::floor(std::log10(range.low)));
    const int last = static_cast<int>(std::floor(std::log10(range.high)));
    for (int exponent = first; exponent <= last; ++exponent) {
      if (exponent % skip != 0) continue;
      for (const double step : steps) {
        const double at = step * std::pow(10.0, exponent);
        if (at >= range.low && at <= range.high) ticks.push_back({at, PrintValue(at, written)});
      }
    }
    return ticks;
  }
  // 1, 2 or 5 of the scale that all labels share.
  const Scales scales = ScalesOf(written);
  const Scale* scale = FittingScale(scales, std::max(range.high, -range.low));
  const double factor = scale == nullptr ? 1 : scale->factor / scales.factor;
  const double rough = (range.high - range.low) / factor / wanted;
  const double power = std::pow(10.0, std::floor(std::log10(rough)));
  double step = 10 * power;
  for (const double nice : {1.0, 2.0, 5.0}) {
    if (nice * power >= rough) {
      step = nice * power;
      break;
    }
  }
  const auto begin = static_cast<int64_t>(std::ceil(range.low / factor / step));
  const auto end = static_cast<int64_t>(std::floor(range.high / factor / step));
  for (int64_t i = begin; i <= end; ++i) {
    const double at = static_cast<double>(i) * step * factor;
    ticks.push_back({at, InScale(at, scales, scale, written)});
  }
  return ticks;
}

}  // namespace connbench::plots
