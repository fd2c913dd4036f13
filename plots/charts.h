// The charts connbench knows, made from result files alone, so that they can be drawn again years
// later. Charts ask for patterns, metrics and axes, never for a workload's name.
//
// Safety: pure functions; any thread. Errors: 42704 for a chart, metric or axis that the run does
// not have, with those it has. A run without data has no charts.
#pragma once

#include <string>
#include <vector>

#include "base/status.h"
#include "plots/chart.h"
#include "results/reader.h"

namespace connbench::plots {

struct ChartRequest {
  std::vector<std::string> topics;   // or names of charts; empty: all
  std::vector<std::string> metrics;  // columns of trials.csv: a chart of each
  std::string x;                     // axis; empty: each numeric one that was swept; "contender"
  std::string by;                    // axis that lines and rows are named by first
};

// All charts of all workloads for which the run has data, workload by workload, first of each the
// one that answers its question; each has a name of its own.
std::vector<Chart> ChartsOf(const results::Run& run);
Result<std::vector<Chart>> ChartsOf(const results::Run& run, const ChartRequest& request);

// Of several runs, so that they share pictures: which run is an axis, "run".
results::Run MergeRuns(std::vector<results::Run> runs);

}  // namespace connbench::plots
