// What two runs made at different times differ by without a cause, as a share of each metric. No
// number of repetitions averages it away, so intervals are widened by it
// (docs/method/statistics.md).
//
// Used by compare_runs. Safety: pure functions, any thread. Errors: none.
#pragma once

#include <map>
#include <optional>
#include <string>

#include "harness/answers/cells.h"

namespace connbench::answers {

// At least this, of what is measured in time and of what is counted. Cells that the runs in
// results/reference share differ by up to this much.
inline constexpr double kDriftOfTimes = 0.10;
inline constexpr double kDriftOfCounts = 0.02;

// More where the blocks of one of the runs lie further apart; given replaces it all.
std::map<std::string, double> DriftByMetric(const Cells& base, const Cells& candidate,
                                            std::optional<double> given);

}  // namespace connbench::answers
