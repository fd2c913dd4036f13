// The part of a Worker that makes, loses and closes connections.
#include "base/clock.h"
#include "harness/load/worker_client.h"

namespace connbench::load {

void Worker::StartConnect(Client& client) {
  const MonotonicNs now = MonotonicNow();
  if (now >= plan_.until || StopRequested()) {
    Rest(client);
    return;
  }
  client.state = Client::State::kConnecting;
  client.deadline = now + settings_.connect_timeout_ns;
  client.first_query_sent = false;
  client.transactions_left = plan_.transactions_per_client;
  recorder_.ConnectBegun(now);
  Connection::Event event = Connection::Event::kNothing;
  if (client.connection.state() == Connection::State::kNone) {
    event = client.connection.Prepare(settings_.target, client.index, epoll_fd_,
                                      client.index / static_cast<uint32_t>(settings_.threads));
  }
  client.connection.phases().in_window = plan_.record;
  client.connection.phases().connect_begin_ns = now;
  if (event == Connection::Event::kNothing) event = client.connection.Connect(now);
  Handle(client, event);
}

void Worker::Ready(Client& client) {
  ++open_;
  recorder_.SetOpen(open_);
  const ConnectionPhases& phases = client.connection.phases();
  recorder_.ConnectEnded(phases, {}, {}, phases.ready_ns);
  if (plan_.kind == Plan::Kind::kConnect && plan_.transactions_per_client == 0) {
    Rest(client);
    return;
  }
  if (plan_.kind == Plan::Kind::kChurn && phases.ready_ns >= plan_.until) {
    CloseClient(client, phases.ready_ns);
    Rest(client);
    return;
  }
  BeginTransaction(client, phases.ready_ns);
}

// The connection is closed, and not by us.
void Worker::Ended(Client& client) {
  const MonotonicNs now = MonotonicNow();
  const Connection& connection = client.connection;
  if (client.state == Client::State::kConnecting) {
    recorder_.ConnectEnded(connection.phases(), connection.end_sqlstate(), connection.end_reason(),
                           now);
  } else {
    --open_;
    recorder_.SetOpen(open_);
    recorder_.ConnectionLost(connection.end_reason(), now);
    if (client.in_transaction) {
      FailTransaction(
          client, now,
          connection.end_sqlstate().empty() ? "connection_lost" : connection.end_sqlstate(),
          connection.end_reason());
    }
  }
  recorder_.KeepPhases(connection.phases());
  if (client.state == Client::State::kRest) return;
  if (plan_.kind == Plan::Kind::kChurn && now < plan_.until) {
    client.state = Client::State::kPausing;
    client.deadline = kNoDeadline;
    SetTimer(client, now + kReconnectPauseNs);
  } else {
    Rest(client);
  }
}

void Worker::CloseClient(Client& client, MonotonicNs now) {
  const Connection::State state = client.connection.state();
  if (state == Connection::State::kNone) return;
  const bool attempted = state != Connection::State::kPrepared;
  if (state == Connection::State::kOpen) {
    --open_;
    recorder_.SetOpen(open_);
  }
  client.connection.Close(now);
  if (attempted) recorder_.KeepPhases(client.connection.phases());
}

}  // namespace connbench::load
