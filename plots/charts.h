// The charts connbench knows: each built from result files alone, so that it can be drawn again
// years later. Adding one: a builder in charts.cc and its row in charts.def.
//
// Safety: pure functions.
#pragma once

#include <vector>

#include "plots/chart.h"
#include "results/reader.h"

namespace connbench::plots {

// All charts for which the run has data.
std::vector<Chart> BuildCharts(const results::Run& run);

}  // namespace connbench::plots
