// Durations and sizes as people write them: "10s", "500ms", "2min", "256MB", "8kB".
#include "base/units.h"

#include <fmt/format.h>

#include <array>
#include <charconv>
#include <cmath>
#include <system_error>

namespace connbench {
namespace {

struct Unit {
  std::string_view name;
  double factor;
};

constexpr std::array<Unit, 8> kDurationUnits{{{"ns", 1},
                                              {"us", 1e3},
                                              {"ms", 1e6},
                                              {"s", 1e9},
                                              {"m", 60e9},
                                              {"min", 60e9},
                                              {"h", 3600e9},
                                              {"d", 86400e9}}};
constexpr double kKilo = 1024;
constexpr std::array<Unit, 9> kSizeUnits{{{"B", 1},
                                          {"kB", kKilo},
                                          {"K", kKilo},
                                          {"k", kKilo},
                                          {"MB", kKilo* kKilo},
                                          {"M", kKilo* kKilo},
                                          {"GB", kKilo* kKilo* kKilo},
                                          {"G", kKilo* kKilo* kKilo},
                                          {"TB", kKilo* kKilo* kKilo* kKilo}}};

template <size_t N>
Result<int64_t> Parse(std::string_view text, std::string_view default_unit,
                      const std::array<Unit, N>& units, std::string_view what,
                      std::string_view example) {
  double number = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  std::string_view suffix = text.substr(static_cast<size_t>(end - text.data()));
  while (!suffix.empty() && suffix.front() == ' ') suffix.remove_prefix(1);
  if (suffix.empty()) suffix = default_unit;
  if (error == std::errc() && !text.starts_with('-') && std::isfinite(number)) {
    for (const Unit& unit : units) {
      const double value = number * unit.factor;
      if (unit.name == suffix && value < 9e18) return static_cast<int64_t>(std::llround(value));
    }
  }
  return Status::Error(sqlstate::kInvalidParameterValue,
                       fmt::format("\"{}\" is not a {}", text, what))
      .WithHint(fmt::format("Write a number and a unit, for example {}.", example));
}

}  // namespace

Result<int64_t> ParseDurationNs(std::string_view text, std::string_view default_unit) {
  return Parse(text, default_unit, kDurationUnits, "duration", "500ms, 10s or 2min");
}

Result<int64_t> ParseBytes(std::string_view text, std::string_view default_unit) {
  return Parse(text, default_unit, kSizeUnits, "size", "64kB, 256MB or 1GB");
}

std::string FormatDuration(int64_t nanoseconds) {
  const auto value = static_cast<double>(nanoseconds);
  if (value < 1e3) return fmt::format("{} ns", nanoseconds);
  if (value < 1e6) return fmt::format("{:.3g} us", value / 1e3);
  if (value < 1e9) return fmt::format("{:.3g} ms", value / 1e6);
  if (value < 120e9) return fmt::format("{:.3g} s", value / 1e9);
  return fmt::format("{:.3g} min", value / 60e9);
}

std::string FormatBytes(int64_t bytes) {
  const auto value = static_cast<double>(bytes);
  if (value < kKilo) return fmt::format("{} B", bytes);
  if (value < kKilo * kKilo) return fmt::format("{:.1f} kB", value / kKilo);
  if (value < kKilo * kKilo * kKilo) return fmt::format("{:.1f} MB", value / kKilo / kKilo);
  return fmt::format("{:.1f} GB", value / kKilo / kKilo / kKilo);
}

}  // namespace connbench
