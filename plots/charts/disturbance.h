// When a workload's other groups disturb the measured one, as the run's copy of the workload says.
//
// Safety: reads files below the run's folder; any thread. Errors: none; a run without inputs, and a
// file that cannot be read, say nothing.
#pragma once

#include <string>
#include <vector>

#include "results/reader.h"

namespace connbench::plots {

// Milliseconds since the window opened: where a group begins, and where it stops if it does.
// Ascending.
std::vector<double> DisturbanceEdgesMs(const results::Run& run, const std::string& workload);

}  // namespace connbench::plots
