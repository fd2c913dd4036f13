// The table at the end of a run: per workload and connection count each metric, each model's median
// and spread, and who won, if the data can tell.
//
// Safety: pure function.
#pragma once

#include <string>

#include "results/reader.h"

namespace connbench::suite {

// Only OK trials take part. A winner is named if it beats the second best by more than the noise
// and by at least stats::ComparisonOptions' threshold; otherwise "no clear winner".
std::string FormatSummary(const results::Run& run);

}  // namespace connbench::suite
