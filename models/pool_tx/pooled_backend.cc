// A backend of the pools: one session after the other on the same socket pair.
#include "models/pool_tx/pooled_backend.h"

#include <sys/random.h>
#include <sys/socket.h>

#include <cerrno>
#include <cstring>
#include <string>

#include "protocol/codec.h"

namespace connbench::models {

Status SessionMark::Make() {
  if (getrandom(bytes_.data(), bytes_.size(), 0) != static_cast<ssize_t>(bytes_.size())) {
    return Status::System("could not make the mark of the pool's sessions", errno);
  }
  return {};
}

bool SessionMark::ReceiveNext(const ConnectionStop& stop) const {
  std::array<char, sizeof(bytes_)> last;  // received, and possibly the begin of a mark
  size_t matched = 0;
  while (matched < bytes_.size()) {
    // Never more than the mark lacks: what follows it is the session's.
    const ssize_t got = recv(stop.fd(), last.data() + matched, bytes_.size() - matched, 0);
    if (stop.requested() || got == 0 || (got < 0 && errno != EINTR)) return false;
    if (got < 0) continue;
    matched += static_cast<size_t>(got);
    size_t skipped = 0;
    while (std::memcmp(last.data() + skipped, bytes_.data(), matched - skipped) != 0) ++skipped;
    matched -= skipped;
    std::memmove(last.data(), last.data() + skipped, matched);
  }
  return true;
}

void RunPooledBackend(engine::Engine& engine, const SessionMark& mark, ConnectionStop& stop) {
  engine::ConnectionLog& log = engine.connection_log();
  std::string free_message;
  protocol::AppendEmptyMessage(free_message, kBackendFree);
  BlockingChannel channel(stop);
  // The clock of authentication_timeout starts with the session's mark.
  while (mark.ReceiveNext(stop)) {
    const MonotonicNs now = MonotonicNow();
    AcceptedConnection connection;
    connection.fd = stop.fd();
    connection.connection_id = log.Begin(now);
    log.Stamp(connection.connection_id, engine::ConnectionPhase::kDispatched, now);
    if (!ServeConnection(engine, connection, stop, protocol::Counterpart::kPooler)) return;
    if (!channel.Send(free_message).ok()) return;
  }
}

}  // namespace connbench::models
