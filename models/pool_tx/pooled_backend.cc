#include "models/pool_tx/pooled_backend.h"

#include <poll.h>

#include <string>

#include "protocol/codec.h"

namespace connbench::models {

void RunPooledBackend(engine::Engine& engine, ConnectionStop& stop) {
  engine::ConnectionLog& log = engine.connection_log();
  std::string free_message;
  protocol::AppendEmptyMessage(free_message, kBackendFree);
  BlockingChannel channel(stop);
  while (!stop.requested()) {
    // The clock of authentication_timeout starts with the session's first byte.
    pollfd readable = {stop.fd(), POLLIN, 0};
    if (poll(&readable, 1, -1) <= 0) continue;
    if (stop.requested() || (readable.revents & (POLLHUP | POLLERR)) != 0) return;
    const MonotonicNs now = MonotonicNow();
    AcceptedConnection connection;
    connection.fd = stop.fd();
    connection.connection_id = log.Begin(now);
    log.Stamp(connection.connection_id, engine::ConnectionPhase::kDispatched, now);
    if (!ServeConnection(engine, connection, stop)) return;
    if (!channel.Send(free_message).ok()) return;
  }
}

}  // namespace connbench::models
