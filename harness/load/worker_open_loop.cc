// The part of a Worker that keeps to a schedule of arrivals.
#include <algorithm>

#include "base/clock.h"
#include "harness/load/punctual.h"
#include "harness/load/worker_client.h"

namespace connbench::load {

// For clients_[first, last).
void Worker::StartOpenLoop(size_t first, size_t last) {
  realtime_ = BePunctual();
  int64_t usable = 0;
  for (size_t i = first; i < last; ++i) {
    const Client& client = *clients_[i];
    usable += client.connection.state() == Connection::State::kOpen && !client.aborted ? 1 : 0;
  }
  OpenLoop::Limits limits;
  limits.until = plan_.until;
  if (plan_.transactions_per_client > 0) limits.arrivals = plan_.transactions_per_client * usable;
  limits.queue =
      static_cast<size_t>(std::max<int64_t>(settings_.queue_limit / settings_.threads, 1));
  loop_ = std::make_unique<OpenLoop>(
      Arrivals(*plan_.arrivals, plan_.arrival_seed, static_cast<uint32_t>(number_),
               static_cast<uint32_t>(settings_.threads)),
      plan_.arrivals_begin, limits);
}

// Takes what is due, and sends what a free connection is there for.
void Worker::Dispatch() {
  const bool can_send = loop_->waiting() > 0 && loop_->has_free();
  if (!can_send && loop_->next_due() == kNoDeadline) return;
  const MonotonicNs now = MonotonicNow();
  while (loop_->next_due() <= now) {
    recorder_.TransactionBegun();
    if (!loop_->TakeDue(now)) recorder_.TransactionSkipped(SkipReason::kQueueFull);
  }
  while (loop_->waiting() > 0 && loop_->has_free()) {
    Client& client = *clients_[loop_->TakeFree()];
    if (client.state != Client::State::kFree) continue;  // its connection was lost meanwhile
    const OpenLoop::Arrival arrival = loop_->TakeWaiting();
    const int64_t limit_ns = settings_.latency_limit_ns;
    if (limit_ns > 0 && now - arrival.intended > limit_ns) {
      recorder_.TransactionSkipped(SkipReason::kLate);
      MakeFree(client);
      continue;
    }
    BeginArrival(client, arrival, now);
  }
}

void Worker::BeginArrival(Client& client, const OpenLoop::Arrival& arrival, MonotonicNs now) {
  client.stamps = {.intended = arrival.intended};
  client.unsent = true;
  client.noticed = arrival.noticed == now ? 0 : arrival.noticed;
  client.in_transaction = true;
  recorder_.ClientBegun(client.place);
  client.runner.Begin();
  client.state = Client::State::kSleeping;  // until something is sent
  ContinueScript(client, now);
}

// Its first statement goes to the kernel next.
void Worker::StampSent(Client& client) {
  client.unsent = false;
  TransactionStamps& stamps = client.stamps;
  stamps.sent = MonotonicNow();
  // That it had to wait for a connection is not this client's doing; what came before is.
  const MonotonicNs acted = client.noticed != 0 ? client.noticed : stamps.sent;
  stamps.client_lag_ns = acted - stamps.intended;
  recorder_.TransactionSent(stamps.sent);
}

void Worker::MakeFree(Client& client) {
  client.state = Client::State::kFree;
  client.deadline = kNoDeadline;
  loop_->AddFree(static_cast<uint32_t>(client.place));
}

void Worker::SkipWaiting() {
  for (; loop_->waiting() > 0; loop_->TakeWaiting()) {
    recorder_.TransactionSkipped(SkipReason::kUnsent);
  }
}

// The next arrival, or the end of the phase.
MonotonicNs Worker::NextScheduled(MonotonicNs now) const {
  if (loop_->next_due() != kNoDeadline) return loop_->next_due();
  return plan_.until > now ? plan_.until : kNoDeadline;
}

// When all that was due has been sent, or skipped, those that are free come to rest; but not before
// the phase is over: that nothing was due in the rest of it belongs to it.
void Worker::RestFree() {
  if (loop_->next_due() != kNoDeadline || loop_->waiting() > 0) return;
  if (plan_.until != kNoDeadline && MonotonicNow() < plan_.until) return;
  while (loop_->has_free()) {
    Client& client = *clients_[loop_->TakeFree()];
    if (client.state == Client::State::kFree) Rest(client);
  }
}

// Everybody is at rest. If that is because no connection is left, arrivals have gone on.
void Worker::EndOpenLoop() {
  const MonotonicNs now = MonotonicNow();
  while (loop_->next_due() <= now) {
    recorder_.TransactionBegun();
    if (!loop_->TakeDue(now)) recorder_.TransactionSkipped(SkipReason::kQueueFull);
  }
  SkipWaiting();
  if (plan_.record) recorder_.SetWaitingMax(loop_->waiting_max());
  loop_.reset();
  BeOrdinary();
}

void Worker::EndPlanAt(MonotonicNs until) {
  plan_.until = std::min(plan_.until, until);
  if (loop_ != nullptr) loop_->EndAt(plan_.until);
}

}  // namespace connbench::load
