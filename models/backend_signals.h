// The signals by which a supervisor ends its children, as a child handles them: SIGTERM ends the
// backend's session in good order, SIGUSR1 does so if that session was asked to end
// (pg_terminate_backend), SIGQUIT ends the process at once because another one has crashed
// and shared memory cannot be trusted.
//
// Signal handlers know their process only, so this is the one place with process-wide state: the
// connection that a backend serves.
//
// Safety: Install() is called by the supervisor before it forks (children inherit the handlers, so
// that a connection does not pay for setting them up); the others by the child's only thread.
#pragma once

#include "engine/engine.h"
#include "models/connection.h"

namespace connbench::models::backend_signals {

// What a child exits with after SIGQUIT: not an ordinary end.
inline constexpr int kQuitExitCode = 2;

void Install();

// Unblocks SIGQUIT in a server process, which serves no connection of its own.
void BeginServer();
// Unblocks SIGTERM, SIGUSR1 and SIGQUIT: from now on they end this connection of the engine's.
void BeginBackend(const engine::Engine& engine, ConnectionStop& stop);
// Unblocks SIGTERM and SIGQUIT in a process that runs one of the engine's tasks: SIGTERM asks it to
// stop.
void BeginTask(engine::TaskStop& stop);
// The connection is over; SIGTERM and SIGUSR1 have nothing left to do.
void EndBackend();

}  // namespace connbench::models::backend_signals
