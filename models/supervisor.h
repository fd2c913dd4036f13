// The supervisor: the process that owns a server's life, the same in every model, after
// PostgreSQL's postmaster. It opens the listeners, has the engine make the segment, starts the
// model, prints the ready line, reaps children, and ends everything when asked to. It has one
// thread, never takes a latch in the segment, and never waits for a client, so that it survives
// whatever its children do.
//
//   SIGINT, SIGTERM     Fast shutdown: no new connections, sessions end with 57P01 and roll back.
//                       Whoever is left after shutdown_grace is killed. A second SIGINT, or
//                       SIGQUIT, kills at once.
//   A child crashes     (a signal, or an exit code that its kind does not have): the others get
//                       SIGQUIT, the segment is made anew, and the model starts again. With a data
//                       directory the data are recovered from its log; without one they are gone,
//                       and the log says so. Restarts that follow each other closely are spaced
//                       out, up to kMaxRestartDelayMs.
//   It dies itself      The kernel kills its children; the next server removes the segment.
//
// Safety: RunSupervisor is called from a process with one thread, and takes over that process's
// signals and children until it returns.
#pragma once

#include "models/listener.h"
#include "models/model_list.h"
#include "models/settings.h"

namespace connbench::models {

// Children that ignore SIGQUIT are killed after this, as PostgreSQL does.
inline constexpr int kQuitGraceMs = 5000;
// The first restart is immediate, each further one within kStableMs waits twice as long.
inline constexpr int kFirstRestartDelayMs = 100;
inline constexpr int kMaxRestartDelayMs = 5000;
inline constexpr int kStableMs = 10'000;

struct SupervisorOptions {
  const ModelDescription* model = nullptr;
  ServerSettings settings;
  ListenOptions listen;  // its backlog is taken from the settings
  int ready_fd = 1;      // where the ready line goes
  // What a model executes that starts a program for a connection; it calls RunExecBackend().
  std::string backend_program = "/proc/self/exe";
};

// Serves until a signal ends it. Returns a connbench::ExitCode; what went wrong is on stderr.
int RunSupervisor(const SupervisorOptions& options);

}  // namespace connbench::models
