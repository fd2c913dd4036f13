// A chart on the other scale: linear in place of logarithmic, or the reverse.
//
// Safety: pure functions; any thread. There are no errors.
#pragma once

#include <optional>

#include "plots/chart.h"

namespace connbench::plots {

// None where the other scale would say nothing new or something wrong: stacks and steps begin at 0,
// ratios belong on a logarithmic axis, and values near each other look alike on both.
std::optional<Chart> OnOtherScale(const Chart& chart);

// "log" or "linear": of the axis that values are read from.
std::string_view ScaleName(const Chart& chart);

}  // namespace connbench::plots
