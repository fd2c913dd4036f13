// The specification of a connection model: what staffs a client's connection. This header is only
// that; models/fork, models/thread and models/thread_pool fulfil it, docs/adding-a-model.md shows
// how to write another.
//
// What a model owns
//   Sockets and scheduling: when to accept, which process or thread runs a session, where that one
//   sleeps while the client is silent, and nothing else. It gets listening sockets that are set up
//   (models/listener.h), an engine (engine/engine.h), and a way to fork (ProcessSpawner). It runs
//   protocol::ServerSession and moves that one's bytes. A model that gives each connection a thread
//   of control of its own needs no loop of its own: models/connection.h has it.
//
// What it must do
//   Phases      It stamps kAccepted (Listener::Accept does), kDispatched right before it hands the
//               connection on (before fork, pthread_create or the queue), kStarted as the first
//               thing that the one who serves does, kClosed when the session is gone. The session
//               stamps the rest.
//   Limits      max_connections is the engine's to enforce, when the session starts: by then the
//               model has paid its price for the connection (the process, the thread), as
//               PostgreSQL has. A model that cannot staff the connection at all (fork or
//               pthread_create fails) answers with RefuseConnection() and goes on.
//   Room        A client costs something as soon as it is accepted, and may never say a word. A
//               model has at most MostClients() of them; while it has no place for the next one it
//               leaves that one in the listen backlog and calls Admission::WantRoom() again and
//               again. Clients who have said nothing for a quarter of a second, or have not proved
//               who they are within five, are then sent away (53300) by their sessions: the model
//               has only to call InputDeadlinePassed(), as for any timeout. So clients that speak
//               are served while others stay silent, and nobody is sent away while there is room.
//   Timeouts    It calls ServerSession::InputDeadlinePassed() when nothing came until
//               InputDeadline(), whatever else it is busy with.
//   Waiting     A statement that waits for a lock blocks in the Waiter that the model handed to
//               the session. A model with fewer threads than sessions must see to it that another
//               one can run meanwhile: the lock may be held by a session whose next message is
//               still queued, and no lock graph shows that deadlock.
//   Reading     With io_method=io_uring the kernel reads pages for sessions. Where a thread runs
//               several, their Waiter has a place for that (engine::ThreadIoPlace); the thread
//               finishes what it finds there, and does not end before.
//   Termination When the supervisor asks for it (SIGTERM, after Engine::RequestShutdown) every
//               session ends with 57P01, also one that is blocked reading from or writing to its
//               client: the model wakes it and calls CheckTermination(). Then the process exits 0.
//               pg_terminate_backend asks that of one session: a server process gets SIGUSR1
//               (models/server_process.h), looks which session of its own is in
//               Engine::ending_sessions(), and wakes it likewise.
//   Clients     One that vanishes, stays half open, sends garbage or never reads costs only its own
//               connection.
//
// What it must not do
//   Look into the bytes; keep state per connection that the session could keep; set socket options
//   of its own; allocate from the segment; take a latch in the supervisor process; fork from a
//   process with threads; retry what failed; depend on which statements come.
//
// Processes and threads
//   The supervisor (models/supervisor.h) is one single-threaded process. Everything a Model object
//   does through Start() and OnReadable() happens there; the bodies handed to ProcessSpawner::Fork
//   run in child processes, which inherit the object, the engine handle and the listeners. After
//   a crash the segment and the Model are made anew. Failures inside a child are exit codes: 0 and
//   1 are ordinary ends of a backend, anything else, or a signal, ends every session (a process may
//   have died inside a critical section of shared memory). So does an ordinary exit code if shared
//   memory says that the child still has a session: a library has called exit() in the middle of
//   it. A thread that ends in the middle of a session (pthread_exit) must be a crash: the functions
//   that threads run are noexcept.
#pragma once

#include <sys/types.h>

#include <algorithm>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>

#include "base/status.h"
#include "engine/engine.h"
#include "models/listener.h"
#include "models/settings.h"

namespace connbench::models {

enum class ChildKind : uint8_t {
  kServer,   // serves many connections; the model cannot do without it: any exit is a crash
  kBackend,  // serves one connection; exit codes 0 and 1 are ordinary
  kTask,     // one of the engine's tasks; exit code 0 is ordinary. Not for models
  kPooled,   // one of several alike that accept for themselves; exit code 0 is ordinary, and the
             // model is told, so that it can fork another
};

// Forks on behalf of a model. Implemented by the supervisor; called only in its process.
class ProcessSpawner {
 public:
  virtual ~ProcessSpawner() = default;

  // Forks a child that runs body and exits with what it returns. The child dies with the
  // supervisor. It starts without the supervisor's own descriptors (a backend also without the
  // listeners) and with its signals blocked: SIGINT for good (a terminal's Ctrl-C is the
  // supervisor's business), SIGTERM and SIGUSR1 until they can be served (models/server_process.h
  // for a server, models/backend_signals.h for a backend). An error (58000) leaves everything as it
  // was. connection_id: the connection that a kBackend serves.
  virtual Result<pid_t> Fork(ChildKind kind, const std::function<int()>& body,
                             uint32_t connection_id) = 0;
  Result<pid_t> Fork(ChildKind kind, const std::function<int()>& body) {
    return Fork(kind, body, /*connection_id=*/0);
  }
  // Whether there may be another kBackend (MostClients()). If not, room is wanted: sessions of
  // clients who say nothing end.
  virtual bool HasRoom() = 0;
};

// What a model works with; outlives it.
struct ModelContext {
  engine::Engine& engine;
  ListenerSet& listeners;
  const ModelSettings& settings;
  // Of listeners' ServerSecurity, for processes that do not inherit that one.
  const protocol::SecuritySettings& security;
  // Path of a program that serves one connection (models/fork_exec/exec_backend.h).
  const std::string& backend_program;
};

// How long whoever accepts leaves the listeners alone when descriptors or memory have run out: long
// enough not to spin, short enough for a client. As in PostgreSQL.
inline constexpr int kAcceptPauseMs = 100;
// Connections that a model holds at most, those included that have not proved who they are yet or
// are about to be refused. As in PostgreSQL twice max_connections; a few more where that is small.
inline int64_t MostClients(int64_t max_connections) {
  constexpr int64_t kFew = 16;
  return std::max(2 * max_connections, max_connections + kFew);
}
// Connections accepted in a row before whoever accepts looks at anything else.
inline constexpr int kAcceptBatch = 16;

// What a model takes from the machine when max_connections are in use, so that a limit is named
// before it is hit.
struct ResourceNeeds {
  int64_t descriptors = 0;      // in the process that has most
  int64_t tasks = 0;            // processes and threads together
  int64_t memory_mappings = 0;  // in the process that has most
};

class Model {
 public:
  virtual ~Model() = default;

  virtual ResourceNeeds Needs() const = 0;

  // Called once, when the engine is ready to serve: forks the server processes, if there are any.
  virtual Status Start(ProcessSpawner& spawner) = 0;

  // A model whose supervisor accepts (like PostgreSQL's postmaster) says so, and is then called
  // whenever a listener is readable. It must not block. False: the machine is out of something,
  // leave the listeners alone for kAcceptPauseMs.
  virtual bool AcceptsInSupervisor() const { return false; }
  virtual bool OnReadable(Listener& /*listener*/, ProcessSpawner& /*spawner*/) { return true; }

  // A kPooled child has ended in good order while the server serves. False: another one could not
  // be forked; the supervisor calls again after kAcceptPauseMs.
  virtual bool OnPooledEnd(pid_t /*child*/, ProcessSpawner& /*spawner*/) { return true; }

  // Whether all sessions run in one process. Only then is private_futexes=on possible; the server
  // process must then repeat Engine::RequestShutdown() when it is asked to end, because the
  // supervisor cannot ring from outside.
  virtual bool OneServerProcess() const { return false; }

  // How many tasks accept, and how they share the clients out unless accept_strategy says
  // otherwise. The task with number i of them accepts from ListenerSet::Share(i).
  virtual int64_t AcceptingTasks() const { return 1; }
  virtual AcceptStrategy OwnAcceptStrategy() const { return AcceptStrategy::kExclusive; }
};

}  // namespace connbench::models
