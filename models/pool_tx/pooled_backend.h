// A backend of the pools: one session after the other on the same socket pair.
//
// Protocol     The pooler speaks as a client does, from the startup packet on. When a session has
//              ended, by Terminate or by an error, and the backend is ready for the next startup
//              packet, it sends one message that no session sends: kBackendFree, without a body.
//
// Safety: runs on the process or thread that is the backend, until the pooler closes its end or a
// stop is requested.
#pragma once

#include "engine/engine.h"
#include "models/connection.h"

namespace connbench::models {

inline constexpr char kBackendFree = 'X';

void RunPooledBackend(engine::Engine& engine, ConnectionStop& stop);

}  // namespace connbench::models
