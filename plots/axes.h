// The axes of a run's cells: what each cell varies, and how the values of an axis are ordered.
//
// Safety: pure functions; any thread. Errors: none; a name that is no cell's has no axes.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <string_view>

namespace connbench::plots {

// "name" and "value" of what a cell varies: the connections, and each parameter and setting that
// the suite gave it.
using AxisValues = std::map<std::string, std::string>;
AxisValues AxesOfCell(std::string_view cell);

// Whether one value of an axis stands before another: numbers and sizes by what they mean, 8 before
// 64 and 512kB before 1MB, all others as texts after them; none at all first.
bool AxisValueLess(const std::string& a, const std::string& b);

// A number with what its unit multiplies it by: "64", "1MB", "500us", "5k". Units of time and of
// size never meet on one axis.
std::optional<double> AxisNumber(const std::string& text);

}  // namespace connbench::plots
