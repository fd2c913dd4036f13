// The pictures of a history: one for each metric of each workload, a line for each cell.
//
// Safety: pure functions; any thread. Errors: none.
#pragma once

#include <vector>

#include "harness/answers/history.h"
#include "plots/chart.h"

namespace connbench::cli {

std::vector<plots::Chart> HistoryCharts(const answers::History& history);

}  // namespace connbench::cli
