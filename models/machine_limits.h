// The machine's limits that a server can hit with many connections, checked before it starts, so
// that the limit is named by us and not by a client's failure.
//
// Safety: called by the supervisor, before it forks. Raises this process's soft limits.
#pragma once

#include "base/status.h"
#include "models/model.h"

namespace connbench::models {

// Raises RLIMIT_NOFILE to its hard limit, then: 53400 with the limit's name, its value and what
// would be needed, when the needs do not fit.
Status CheckMachineLimits(const ResourceNeeds& needs);

}  // namespace connbench::models
