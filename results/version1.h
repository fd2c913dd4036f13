// Files of schema version 1, which are read for ever: what became different since is made up for
// row by row.
//
// Version 1 had 0 where nothing was measured, and where a sample could not carry a figure; it had
// no columns pattern, protocol and contender, and a row in errors.csv for each outcome, also for
// those that did not occur. A 0 that could have been measured all the same (a share of CPU time
// that the hypervisor took, a count of failures) stays.
//
// Used by the reader alone. Safety: pure functions; any thread.
#pragma once

#include <cstddef>

#include "results/schema.h"

namespace connbench::results {

// The keys that version 1 had: run_id to repetition.
inline constexpr size_t kVersion1KeyColumns = 8;

// Makes a row of version 1 one of today's; false: today's files have no such row.
template <typename Row>
bool UpgradeFromVersion1(Row& row);

}  // namespace connbench::results
