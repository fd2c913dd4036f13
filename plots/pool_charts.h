// The chart of where a pooled model's time goes.
//
// Safety: pure functions.
#pragma once

#include <optional>

#include "plots/chart.h"
#include "results/reader.h"

namespace connbench::plots {

std::optional<Chart> PoolTimes(const results::Run& run);

}  // namespace connbench::plots
