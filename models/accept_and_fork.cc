// Accepts clients in the supervisor, and forks a backend for each.
#include "models/accept_and_fork.h"

#include <unistd.h>

#include <new>

namespace connbench::models {

bool AcceptAndFork(engine::ConnectionLog& log, Listener& listener, ProcessSpawner& spawner,
                   const std::function<int(const AcceptedConnection&)>& serve) {
  for (int i = 0; i < kAcceptBatch; ++i) {
    if (!spawner.HasRoom()) return false;
    AcceptedConnection connection;
    const Listener::AcceptResult accepted = listener.Accept(log, connection);
    if (accepted == Listener::AcceptResult::kExhausted) return false;
    if (accepted == Listener::AcceptResult::kNone) return true;
    log.Stamp(connection.connection_id, engine::ConnectionPhase::kDispatched, MonotonicNow());
    try {
      const Result<pid_t> child = spawner.Fork(
          ChildKind::kBackend, [&] { return serve(connection); }, connection.connection_id);
      if (child.ok()) {
        close(connection.fd);
      } else {
        RefuseConnection(log, connection,
                         Status::Fatal(sqlstate::kTooManyConnections,
                                       "could not fork new process for connection: " +
                                           child.status().error().message));
      }
    } catch (const std::bad_alloc&) {
      RefuseWithoutMemory(log, connection);
    }
  }
  return true;
}

}  // namespace connbench::models
