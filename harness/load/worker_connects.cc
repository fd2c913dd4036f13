// The part of a Worker that makes, loses and closes connections.
#include <algorithm>
#include <cmath>

#include "base/clock.h"
#include "harness/load/punctual.h"
#include "harness/load/worker_client.h"

namespace connbench::load {
namespace {

// While a crowd is being released, answers are looked at after so many connect() calls, so that
// their stamps are late by at most a millisecond or two.
constexpr uint32_t kConnectsPerPoll = 32;

// Draws how many transactions a session has: geometric with this mean, as if each transaction were
// the last with the same probability.
int64_t DrawSessionLength(int64_t mean, Random& random) {
  if (mean <= 1) return 1;
  const double goes_on = 1 - 1 / static_cast<double>(mean);
  return 1 + static_cast<int64_t>(std::log(1 - random.NextDouble()) / std::log(goes_on));
}

}  // namespace

void Worker::BeginConnects(size_t first, size_t last) {
  sessions_arrive_ = plan_.kind == Plan::Kind::kChurn && plan_.arrivals != nullptr;
  arrivals_.reset();
  next_arrival_ = kNoDeadline;
  if (plan_.arrivals != nullptr) {
    arrivals_.emplace(*plan_.arrivals, settings_.seed, static_cast<uint32_t>(number_),
                      static_cast<uint32_t>(settings_.threads));
    const int64_t offset = arrivals_->Next();
    if (offset != kNoArrival) next_arrival_ = plan_begin_ + offset;
  }
  if (sessions_arrive_) {
    ++pending_;  // the schedule itself
    free_.clear();
    for (size_t i = last; i > first; --i) free_.push_back(clients_[i - 1].get());
    return;
  }
  next_connect_ = first;
  end_connect_ = last;
  pending_ += static_cast<int64_t>(last - first);
}

MonotonicNs Worker::NextConnectDue() const {
  if (sessions_arrive_) return std::min(next_arrival_, plan_.until);
  if (next_connect_ == end_connect_) return kNoDeadline;
  if (plan_.in_flight > 0 && connecting_ >= plan_.in_flight) return kNoDeadline;
  return plan_.arrivals != nullptr ? next_arrival_ : 0;
}

// Begins what is due, in order.
void Worker::StartDueConnects(MonotonicNs now) {
  if (sessions_arrive_) {
    StartDueSessions(now);
    return;
  }
  // Otherwise the threads of a server that has begun to answer take the CPU from the release, and
  // the crowd comes in small groups.
  const bool at_once = plan_.kind == Plan::Kind::kConnect && plan_.arrivals == nullptr &&
                       plan_.in_flight == 0 && next_connect_ < end_connect_;
  if (at_once) BePunctual();
  ReleaseConnects(now);
  if (at_once) BeOrdinary();
}

void Worker::ReleaseConnects(MonotonicNs now) {
  uint32_t since_poll = 0;
  while (next_connect_ < end_connect_) {
    // A schedule that has ended, and a stop, leave the others unconnected.
    const bool over = plan_.arrivals != nullptr && next_arrival_ == kNoDeadline;
    if (over || StopRequested()) {
      pending_ -= static_cast<int64_t>(end_connect_ - next_connect_);
      next_connect_ = end_connect_;
      return;
    }
    if (NextConnectDue() > now) return;
    Client& client = *clients_[next_connect_++];
    now = MonotonicNow();
    MonotonicNs intended = kUnscheduled;
    if (plan_.arrivals != nullptr) {
      intended = next_arrival_;
      const int64_t offset = arrivals_->Next();
      next_arrival_ = offset == kNoArrival ? kNoDeadline : plan_begin_ + offset;
    }
    client.failed = 0;
    StartConnect(client, intended);
    if (++since_poll % kConnectsPerPoll == 0) PollOnce(0);
  }
}

void Worker::StartDueSessions(MonotonicNs now) {
  while (next_arrival_ <= now && next_arrival_ < plan_.until) {
    if (waiting_sessions_.size() < kMaxWaitingSessions) {
      waiting_sessions_.push_back(next_arrival_);
    } else {
      recorder_.ConnectNotBegun();
    }
    const int64_t offset = arrivals_->Next();
    next_arrival_ = offset == kNoArrival ? kNoDeadline : plan_begin_ + offset;
  }
  if (now >= plan_.until || StopRequested() ||
      (next_arrival_ == kNoDeadline && waiting_sessions_.empty())) {
    EndSchedule();
    return;
  }
  uint32_t since_poll = 0;
  while (!free_.empty() && !waiting_sessions_.empty()) {
    Client& client = *free_.back();
    free_.pop_back();
    const MonotonicNs intended = waiting_sessions_.front();
    waiting_sessions_.pop_front();
    ++pending_;
    client.failed = 0;
    StartConnect(client, intended);
    if (++since_poll % kConnectsPerPoll == 0) PollOnce(0);
  }
}

// No session begins any more; those that were due and found no free client are counted.
void Worker::EndSchedule() {
  for (size_t i = 0; i < waiting_sessions_.size(); ++i) recorder_.ConnectNotBegun();
  waiting_sessions_.clear();
  sessions_arrive_ = false;
  next_arrival_ = kNoDeadline;
  --pending_;
}

void Worker::StartConnect(Client& client, MonotonicNs intended) {
  const MonotonicNs now = MonotonicNow();
  if (now >= plan_.until || StopRequested()) {
    if (intended != kUnscheduled) recorder_.ConnectNotBegun();
    Rest(client);
    return;
  }
  client.state = Client::State::kConnecting;
  client.deadline = now + settings_.connect_timeout_ns;
  client.first_query_sent = false;
  client.transactions_left = plan_.kind == Plan::Kind::kChurn && settings_.geometric_sessions
                                 ? DrawSessionLength(plan_.transactions_per_client, client.random)
                                 : plan_.transactions_per_client;
  ++connecting_;
  recorder_.ConnectBegun(intended, now, client.failed > 0);
  Connection::Event event = Connection::Event::kNothing;
  if (client.connection.state() == Connection::State::kNone) {
    event = client.connection.Prepare(*settings_.target, client.index, epoll_fd_, client.place);
  }
  client.connection.phases().in_window = plan_.record;
  client.connection.phases().intended_ns = intended;
  client.connection.phases().connect_begin_ns = now;
  if (event == Connection::Event::kNothing) event = client.connection.Connect(now);
  Handle(client, event);
}

void Worker::Ready(Client& client) {
  --connecting_;
  ++open_;
  recorder_.SetOpen(open_);
  const ConnectionPhases& phases = client.connection.phases();
  recorder_.ConnectEnded(phases, {}, {}, phases.ready_ns);
  if (plan_.kind == Plan::Kind::kConnect && plan_.transactions_per_client == 0) {
    Rest(client);
    return;
  }
  if (plan_.kind == Plan::Kind::kChurn && phases.ready_ns >= plan_.until) {
    SessionEnded(client, phases.ready_ns);
    return;
  }
  BeginTransaction(client, phases.ready_ns);
}

// The connection is closed, and not by us.
void Worker::Ended(Client& client) {
  const MonotonicNs now = MonotonicNow();
  const Connection& connection = client.connection;
  if (client.state == Client::State::kConnecting) {
    --connecting_;
    ++client.failed;
    recorder_.ConnectEnded(connection.phases(), connection.end_sqlstate(), connection.end_reason(),
                           now);
  } else {
    --open_;
    recorder_.SetOpen(open_);
    recorder_.ConnectionLost(connection.end_reason(), now);
    if (served_.first_lost_ns == 0) served_.first_lost_ns = now;
    if (client.in_transaction) {
      FailTransaction(
          client, now,
          connection.end_sqlstate().empty() ? "connection_lost" : connection.end_sqlstate(),
          connection.end_reason());
    }
  }
  recorder_.KeepPhases(connection.phases());
  if (client.state == Client::State::kRest) return;
  if (ComesBack(client, now)) {
    ComeBackLater(client, now);
  } else {
    Rest(client);
  }
}

// Whether a client whose attempt failed, or whose connection broke, connects again.
bool Worker::ComesBack(const Client& client, MonotonicNs now) const {
  if (now >= plan_.until || client.aborted) return false;
  switch (plan_.kind) {
    case Plan::Kind::kChurn:
      return plan_.arrivals == nullptr;
    case Plan::Kind::kConnect:
      return plan_.retry;
    case Plan::Kind::kReturn:
      return true;
    default:
      return false;
  }
}

void Worker::ComeBackLater(Client& client, MonotonicNs now) {
  client.state = Client::State::kPausing;
  client.deadline = kNoDeadline;
  SetTimer(client, now + BackoffPauseNs(settings_.backoff, client.failed, client.random));
}

// A churning client has run its transactions, or the window is over.
void Worker::SessionEnded(Client& client, MonotonicNs now) {
  client.failed = 0;
  CloseClient(client, now);
  if (plan_.arrivals != nullptr || client.aborted || now >= plan_.until) {
    Rest(client);
  } else {
    StartConnect(client, kUnscheduled);
  }
}

void Worker::ClientServed(Client& client, MonotonicNs now) {
  if (plan_.kind != Plan::Kind::kConnect && plan_.kind != Plan::Kind::kReturn) return;
  client.failed = 0;
  ++served_.clients;
  served_.last_ns = std::max(served_.last_ns, now);
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
