// Settings that concern the server's processes as such, not a model: on which CPUs they run and who
// gives them memory. They are set in the supervisor before anything else is made, so that all of
// the server inherits them.
//
// Safety: a process with one thread. Errors: 22023 and what is there instead.
#pragma once

#include "base/status.h"
#include "models/settings.h"

namespace connbench::models {

// Replaces the program by itself with the allocator's library loaded first, if a setting asks for
// one that is not there yet: returns once it is. argv: the program's own. 0A000 with the library's
// package if it cannot be loaded.
Status ExecWithAllocator(const ModelSettings& settings, char** argv);

// CPUs and malloc's arenas.
Status ApplyProcessSettings(const ModelSettings& settings);

}  // namespace connbench::models
