// What the outputs for people share: which text stands in which column of a row.
//
// Used by the outputs of this folder. Safety: pure functions; any thread. Errors: none.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "harness/stats/verdict_row.h"

namespace connbench::answers {

// metric, base, candidate, ratio, interval, n, verdict.
std::vector<std::string> TableHeader();
// The same of a row. What the sample does not carry is empty; the last column says what it needs.
std::vector<std::string> TableCells(const stats::VerdictRow& row);

// The cell and, where each row has its own, the candidate: what stands above its table.
std::string GroupTitle(const stats::VerdictTable& comparison, const stats::VerdictRow& row);

}  // namespace connbench::answers
