// Keeps a worker's clients to a schedule of arrivals.
#include "harness/load/arrival_dispatch.h"

#include <algorithm>

#include "base/clock.h"
#include "harness/load/punctual.h"
#include "harness/load/worker_parts.h"

namespace connbench::load {

ArrivalDispatch::ArrivalDispatch(WorkerParts& parts) : parts_(parts), state_(parts.state) {}

void ArrivalDispatch::Begin(size_t first, size_t last) {
  realtime_ = BePunctual();
  int64_t usable = 0;
  for (size_t i = first; i < last; ++i) {
    const Client& client = *state_.clients[i];
    usable += client.connection.state() == Connection::State::kOpen && !client.aborted ? 1 : 0;
  }
  OpenLoop::Limits limits;
  limits.until = state_.plan.until;
  if (state_.plan.transactions_per_client > 0)
    limits.arrivals = state_.plan.transactions_per_client * usable;
  limits.queue = static_cast<size_t>(
      std::max<int64_t>(state_.settings.queue_limit / state_.settings.threads, 1));
  loop_ = std::make_unique<OpenLoop>(Arrivals(*state_.plan.arrivals, state_.plan.arrival_seed,
                                              static_cast<uint32_t>(state_.number),
                                              static_cast<uint32_t>(state_.settings.threads)),
                                     state_.plan.arrivals_begin, limits);
}

// Takes what is due, and sends what a free connection is there for.
void ArrivalDispatch::Dispatch() {
  const bool can_send = loop_->waiting() > 0 && loop_->has_free();
  if (!can_send && loop_->next_due() == kNoDeadline) return;
  const MonotonicNs now = MonotonicNow();
  while (loop_->next_due() <= now) {
    state_.recorder.TransactionBegun();
    if (!loop_->TakeDue(now)) state_.recorder.TransactionSkipped(SkipReason::kQueueFull);
  }
  while (loop_->waiting() > 0 && loop_->has_free()) {
    Client& client = *state_.clients[loop_->TakeFree()];
    if (client.state != Client::State::kFree) continue;  // its connection was lost meanwhile
    const OpenLoop::Arrival arrival = loop_->TakeWaiting();
    const int64_t limit_ns = state_.settings.latency_limit_ns;
    if (limit_ns > 0 && now - arrival.intended > limit_ns) {
      state_.recorder.TransactionSkipped(SkipReason::kLate);
      MakeFree(client);
      continue;
    }
    Start(client, arrival, now);
  }
}

void ArrivalDispatch::Start(Client& client, const OpenLoop::Arrival& arrival, MonotonicNs now) {
  client.stamps = {.intended = arrival.intended};
  client.unsent = true;
  client.noticed = arrival.noticed == now ? 0 : arrival.noticed;
  client.in_transaction = true;
  state_.recorder.ClientAsks(client.place, arrival.intended);
  state_.recorder.ClientBegun(client.place);
  client.runner.Begin();
  client.state = Client::State::kSleeping;  // until something is sent
  parts_.transactions.Continue(client, now);
}

// Its first statement goes to the kernel next.
void ArrivalDispatch::StampSent(Client& client) {
  client.unsent = false;
  TransactionStamps& stamps = client.stamps;
  stamps.sent = MonotonicNow();
  // That it had to wait for a connection is not this client's doing; what came before is.
  const MonotonicNs acted = client.noticed != 0 ? client.noticed : stamps.sent;
  stamps.client_lag_ns = acted - stamps.intended;
  state_.recorder.TransactionSent(stamps.sent);
}

void ArrivalDispatch::MakeFree(Client& client) {
  client.state = Client::State::kFree;
  client.deadline = kNoDeadline;
  loop_->AddFree(static_cast<uint32_t>(client.place));
}

void ArrivalDispatch::SkipWaiting() {
  for (; loop_->waiting() > 0; loop_->TakeWaiting()) {
    state_.recorder.TransactionSkipped(SkipReason::kUnsent);
  }
}

MonotonicNs ArrivalDispatch::next_due(MonotonicNs now) const {
  if (loop_->next_due() != kNoDeadline) return loop_->next_due();
  return state_.plan.until > now ? state_.plan.until : kNoDeadline;
}

// When all that was due has been sent, or skipped, those that are free come to rest; but not before
// the phase is over: that nothing was due in the rest of it belongs to it.
void ArrivalDispatch::RestFree() {
  if (loop_->next_due() != kNoDeadline || loop_->waiting() > 0) return;
  if (state_.plan.until != kNoDeadline && MonotonicNow() < state_.plan.until) return;
  while (loop_->has_free()) {
    Client& client = *state_.clients[loop_->TakeFree()];
    if (client.state == Client::State::kFree) parts_.Rest(client);
  }
}

// Everybody is at rest. If that is because no connection is left, arrivals have gone on.
void ArrivalDispatch::End() {
  const MonotonicNs now = MonotonicNow();
  while (loop_->next_due() <= now) {
    state_.recorder.TransactionBegun();
    if (!loop_->TakeDue(now)) state_.recorder.TransactionSkipped(SkipReason::kQueueFull);
  }
  SkipWaiting();
  if (state_.plan.record) state_.recorder.SetWaitingMax(loop_->waiting_max());
  loop_.reset();
  BeOrdinary();
}

void ArrivalDispatch::EndAt(MonotonicNs until) {
  if (loop_ != nullptr) loop_->EndAt(until);
}

}  // namespace connbench::load
