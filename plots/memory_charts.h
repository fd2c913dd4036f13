// The charts of what a connection takes of the machine's memory.
//
// Safety: pure functions.
#pragma once

#include <optional>

#include "plots/chart.h"
#include "results/reader.h"

namespace connbench::plots {

std::optional<Chart> RssAgainstRealMemory(const results::Run& run);
std::optional<Chart> MemoryPerConnection(const results::Run& run);

}  // namespace connbench::plots
