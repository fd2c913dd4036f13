// Where a run's files go unless the user names a folder: results/TIME-NAME.
//
// Safety: control plane; several processes at once. Errors: the folder, and -o DIR as the remedy.
#pragma once

#include <string>

#include "base/status.h"
#include "results/schema.h"

namespace connbench::suite {

// Points to the newest run.
inline constexpr char kLatestRun[] = "results/latest";

std::string MakeRunId(const std::string& name);

// Makes the folder of info.run_id; where another run has begun in the same second, with a number
// behind it, also in info.run_id.
Result<std::string> MakeRunFolder(results::RunInfo& info);

}  // namespace connbench::suite
