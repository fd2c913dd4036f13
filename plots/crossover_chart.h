// The chart of a crossover run: both models against what was varied, and the band in which one
// overtakes the other.
//
// Safety: pure function.
#pragma once

#include <optional>

#include "plots/chart.h"
#include "results/reader.h"

namespace connbench::plots {

std::optional<Chart> Crossover(const results::Run& run);

}  // namespace connbench::plots
