// A comparison as forest plots: the ratio of each judged row with its interval and verdict, one
// chart for each workload.
//
// Safety: pure functions; any thread. Errors: none; a comparison without a judged row has no chart.
#pragma once

#include <vector>

#include "harness/stats/verdict_row.h"
#include "plots/chart.h"

namespace connbench::plots {

inline constexpr std::string_view kVerdictsTopic = "verdicts";

std::vector<Chart> VerdictCharts(const stats::VerdictTable& comparison);

}  // namespace connbench::plots
