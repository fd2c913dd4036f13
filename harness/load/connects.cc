// Makes, loses and closes the connections of a worker.
#include "harness/load/connects.h"

#include <algorithm>
#include <cmath>

#include "base/clock.h"
#include "harness/load/punctual.h"
#include "harness/load/worker_parts.h"

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

Connects::Connects(WorkerParts& parts) : parts_(parts), state_(parts.state) {}

void Connects::Begin(size_t first, size_t last) {
  sessions_arrive_ = state_.plan.kind == Plan::Kind::kChurn && state_.plan.arrivals != nullptr;
  arrivals_.reset();
  next_arrival_ = kNoDeadline;
  if (state_.plan.arrivals != nullptr) {
    arrivals_.emplace(*state_.plan.arrivals, state_.settings.seed,
                      static_cast<uint32_t>(state_.number),
                      static_cast<uint32_t>(state_.settings.threads));
    TakeNextArrival();
  }
  if (sessions_arrive_) {
    ++state_.pending;  // the schedule itself
    free_.clear();
    for (size_t i = last; i > first; --i) free_.push_back(state_.clients[i - 1].get());
    return;
  }
  next_connect_ = first;
  end_connect_ = last;
  state_.pending += static_cast<int64_t>(last - first);
}

void Connects::TakeNextArrival() {
  const int64_t offset = arrivals_->Next();
  next_arrival_ = offset == kNoArrival ? kNoDeadline : ScheduleBegin() + offset;
}

// A thread that comes late to its plan has lag; it does not shift what is due.
MonotonicNs Connects::ScheduleBegin() const {
  const MonotonicNs planned = std::max(state_.plan.window_begin, state_.plan.begin_at);
  return planned != 0 ? planned : state_.plan_begin;
}

MonotonicNs Connects::next_due() const {
  if (sessions_arrive_) return std::min(next_arrival_, state_.plan.until);
  if (next_connect_ == end_connect_) return kNoDeadline;
  if (state_.plan.in_flight > 0 && connecting_ >= state_.plan.in_flight) return kNoDeadline;
  return state_.plan.arrivals != nullptr ? next_arrival_ : 0;
}

// Begins what is due, in order.
void Connects::StartDue(MonotonicNs now) {
  if (sessions_arrive_) {
    StartDueSessions(now);
    return;
  }
  // Otherwise the threads of a server that has begun to answer take the CPU from the release, and
  // the crowd comes in small groups.
  const bool at_once = state_.plan.kind == Plan::Kind::kConnect &&
                       state_.plan.arrivals == nullptr && state_.plan.in_flight == 0 &&
                       next_connect_ < end_connect_;
  if (at_once) BePunctual();
  Release(now);
  if (at_once) BeOrdinary();
}

void Connects::Release(MonotonicNs now) {
  uint32_t since_poll = 0;
  while (next_connect_ < end_connect_) {
    // A schedule that has ended, and a stop, leave the others unconnected.
    const bool over = state_.plan.arrivals != nullptr && next_arrival_ == kNoDeadline;
    if (over || state_.StopRequested()) {
      state_.pending -= static_cast<int64_t>(end_connect_ - next_connect_);
      next_connect_ = end_connect_;
      return;
    }
    if (next_due() > now) return;
    Client& client = *state_.clients[next_connect_++];
    now = MonotonicNow();
    MonotonicNs intended = kUnscheduled;
    if (state_.plan.arrivals != nullptr) {
      intended = next_arrival_;
      TakeNextArrival();
    }
    client.failed = 0;
    // A crowd that is released together asks at that instant, whoever's turn it is to connect.
    const bool together = state_.plan.kind == Plan::Kind::kConnect;
    const MonotonicNs released = std::max(state_.plan.window_begin, state_.plan.begin_at);
    Ask(client, intended != kUnscheduled ? intended : together ? released : now);
    Start(client, intended);
    if (++since_poll % kConnectsPerPoll == 0) parts_.polling.Once(0);
  }
}

void Connects::Ask(Client& client, MonotonicNs since) {
  const bool for_transactions =
      state_.plan.kind != Plan::Kind::kConnect || state_.plan.transactions_per_client > 0;
  if (!for_transactions || client.wanted != 0) return;
  client.wanted = since;
  state_.recorder.ClientAsks(client.place, since);
}

void Connects::GiveUp(Client& client, MonotonicNs now) {
  if (client.wanted == 0) return;
  state_.recorder.RequestUnserved(client.place, client.wanted, now);
  client.wanted = 0;
}

void Connects::StartDueSessions(MonotonicNs now) {
  while (next_arrival_ <= now && next_arrival_ < state_.plan.until) {
    if (waiting_sessions_.size() < kMaxWaitingSessions) {
      waiting_sessions_.push_back(next_arrival_);
    } else {
      state_.recorder.ConnectNotBegun();
    }
    TakeNextArrival();
  }
  if (now >= state_.plan.until || state_.StopRequested() ||
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
    ++state_.pending;
    client.failed = 0;
    Ask(client, intended);
    Start(client, intended);
    if (++since_poll % kConnectsPerPoll == 0) parts_.polling.Once(0);
  }
}

// No session begins any more; those that were due and found no free client are counted.
void Connects::EndSchedule() {
  for (size_t i = 0; i < waiting_sessions_.size(); ++i) state_.recorder.ConnectNotBegun();
  waiting_sessions_.clear();
  sessions_arrive_ = false;
  next_arrival_ = kNoDeadline;
  --state_.pending;
}

void Connects::Start(Client& client, MonotonicNs intended) {
  const MonotonicNs now = MonotonicNow();
  if (now >= state_.plan.until || state_.StopRequested()) {
    if (intended != kUnscheduled) state_.recorder.ConnectNotBegun();
    parts_.Rest(client);
    return;
  }
  client.state = Client::State::kConnecting;
  client.deadline = now + state_.settings.connect_timeout_ns;
  client.first_query_sent = false;
  client.rolling_back = false;
  client.transactions_left =
      state_.plan.kind == Plan::Kind::kChurn && state_.settings.geometric_sessions
          ? DrawSessionLength(state_.plan.transactions_per_client, client.random)
          : state_.plan.transactions_per_client;
  ++connecting_;
  state_.recorder.ConnectBegun(intended, now, client.failed > 0);
  Connection::Event event = Connection::Event::kNothing;
  if (client.connection.state() == Connection::State::kNone) {
    event = client.connection.Prepare(*state_.settings.target, client.index,
                                      parts_.polling.epoll_fd(), client.place);
  }
  client.connection.phases().in_window = state_.plan.record;
  client.connection.phases().intended_ns = intended;
  client.connection.phases().connect_begin_ns = now;
  if (event == Connection::Event::kNothing) event = client.connection.Connect(now);
  parts_.Handle(client, event);
}

void Connects::Ready(Client& client) {
  --connecting_;
  state_.CountOpen(1);
  const ConnectionPhases& phases = client.connection.phases();
  state_.recorder.ConnectEnded(phases, {}, {}, phases.ready_ns);
  if (state_.plan.kind == Plan::Kind::kConnect && state_.plan.transactions_per_client == 0) {
    parts_.Rest(client);
    return;
  }
  // Of a request that began in the window the time must be known, so it runs to its end.
  if (state_.plan.kind == Plan::Kind::kChurn && phases.ready_ns >= state_.plan.until &&
      !state_.plan.record) {
    GiveUp(client, phases.ready_ns);
    SessionEnded(client, phases.ready_ns);
    return;
  }
  parts_.transactions.Begin(client, phases.ready_ns);
}

// The connection is closed, and not by us.
void Connects::Ended(Client& client) {
  const MonotonicNs now = MonotonicNow();
  const Connection& connection = client.connection;
  if (client.state == Client::State::kConnecting) {
    --connecting_;
    ++client.failed;
    state_.recorder.ConnectEnded(connection.phases(), connection.end_sqlstate(),
                                 connection.end_reason(), now);
  } else {
    state_.CountOpen(-1);
    state_.recorder.ConnectionLost(connection.end_reason(), now);
    if (state_.served.first_lost_ns == 0) state_.served.first_lost_ns = now;
    if (client.in_transaction) {
      parts_.transactions.Fail(
          client, now,
          connection.end_sqlstate().empty() ? "connection_lost" : connection.end_sqlstate(),
          connection.end_reason());
    }
    // Its next session asks for something else.
    if (state_.plan.kind == Plan::Kind::kChurn) GiveUp(client, now);
  }
  state_.recorder.KeepPhases(connection.phases());
  if (client.state == Client::State::kRest) return;
  if (ComesBack(client, now)) {
    ComeBackLater(client, now);
  } else {
    parts_.Rest(client);
  }
}

// Whether a client whose attempt failed, or whose connection broke, connects again.
bool Connects::ComesBack(const Client& client, MonotonicNs now) const {
  if (now >= state_.plan.until || client.aborted) return false;
  switch (state_.plan.kind) {
    case Plan::Kind::kChurn:
      return state_.plan.arrivals == nullptr;
    case Plan::Kind::kConnect:
      return state_.plan.retry;
    case Plan::Kind::kReturn:
      return true;
    default:
      return false;
  }
}

void Connects::ComeBackLater(Client& client, MonotonicNs now) {
  Ask(client, now);
  client.state = Client::State::kPausing;
  client.deadline = kNoDeadline;
  parts_.timers.Set(client,
                    now + BackoffPauseNs(state_.settings.backoff, client.failed, client.random));
}

// A churning client has run its transactions, or the window is over.
void Connects::SessionEnded(Client& client, MonotonicNs now) {
  client.failed = 0;
  Close(client, now);
  if (state_.plan.arrivals != nullptr || client.aborted || now >= state_.plan.until) {
    parts_.Rest(client);
  } else {
    // It asks again as soon as it has its answer: closing is the client's own time.
    Ask(client, now);
    Start(client, kUnscheduled);
  }
}

void Connects::Served(Client& client, MonotonicNs now) {
  if (state_.plan.kind != Plan::Kind::kConnect && state_.plan.kind != Plan::Kind::kReturn) return;
  client.failed = 0;
  ++state_.served.clients;
  state_.served.last_ns = std::max(state_.served.last_ns, now);
}

void Connects::Close(Client& client, MonotonicNs now) {
  const Connection::State state = client.connection.state();
  if (state == Connection::State::kNone) return;
  const bool attempted = state != Connection::State::kPrepared;
  if (state == Connection::State::kOpen) {
    state_.CountOpen(-1);
  }
  client.connection.Close(now);
  if (attempted) state_.recorder.KeepPhases(client.connection.phases());
}

void Connects::Rested(Client& client) {
  if (sessions_arrive_) free_.push_back(&client);
}

}  // namespace connbench::load
