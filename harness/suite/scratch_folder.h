// Temporary folders that name their owner, so that those of a harness that was killed can be told
// from those in use and removed at the next start.
//
// The name is connbench-load-PID-START-XXXXXX, START being the owner's start in clock ticks since
// boot: a later process that happens to get the same pid has another.
//
// Safety: any thread; several processes at once (removing twice is no error).
#pragma once

#include <string>

#include "base/status.h"

namespace connbench::suite {

// A new empty folder in the system's temporary folder; the caller removes it.
Result<std::string> MakeScratchFolder();

// Removes what owners that are gone left behind in folder; returns how many.
int SweepScratchFolders(const std::string& folder);
int SweepScratchFolders();  // in the system's temporary folder

}  // namespace connbench::suite
