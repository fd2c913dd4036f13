// Waits for what the connections of a worker have to say, and for its timers and deadlines.
#include "harness/load/polling.h"

#include <fmt/format.h>
#include <sys/epoll.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>

#include "harness/load/worker_parts.h"

namespace connbench::load {
namespace {

constexpr size_t kReadBufferBytes = 64 << 10;
constexpr int kEventsPerWait = 256;
constexpr int64_t kSweepIntervalNs = 50 * kNanosecondsPerMillisecond;
constexpr uint64_t kTickTag = UINT64_MAX;  // no client's place

}  // namespace

Polling::Polling(WorkerParts& parts)
    : parts_(parts), state_(parts.state), buffer_(kReadBufferBytes) {}

Polling::~Polling() {
  if (epoll_fd_ >= 0) close(epoll_fd_);
}

Status Polling::Open() {
  epoll_fd_ = epoll_create1(EPOLL_CLOEXEC);
  if (epoll_fd_ < 0) return Status::System("epoll_create1", errno);
  return ticker_.AddTo(epoll_fd_, kTickTag);
}

void Polling::Begin() {
  interrupted_at_ = 0;
  next_sweep_ = 0;
  stall_ns_ = 0;
  ticker_.SetInterval(kSweepIntervalNs);
}

void Polling::End() {
  ticker_.SetInterval(0);
  Publish();
}

void Polling::Once(int64_t timeout_limit_ns) {
  MonotonicNs now = MonotonicNow();
  int64_t timeout_ns = timeout_limit_ns;
  if (timeout_ns > 0) {
    timeout_ns = std::min(timeout_ns, std::max<int64_t>(parts_.timers.next() - now, 0));
    if (parts_.arrivals.active()) {
      const int64_t wait_ns = parts_.arrivals.next_due(now) - wake_lead_.ns() - now;
      timeout_ns = std::min(timeout_ns, std::max<int64_t>(wait_ns, 0));
    }
  }
  std::array<epoll_event, kEventsPerWait> events;
  const timespec timeout = {timeout_ns / kNanosecondsPerSecond, timeout_ns % kNanosecondsPerSecond};
  // A timeout for each wait would make the kernel set its clock twice for each transaction, which a
  // loop with one connection feels; ticks end a wait without one.
  const int count = epoll_pwait2(epoll_fd_, events.data(), kEventsPerWait,
                                 timeout_ns < kPollLimitNs ? &timeout : nullptr, nullptr);
  if (parts_.arrivals.active() && count == 0 && timeout_ns > 0) {
    wake_lead_.Woke(MonotonicNow() - now - timeout_ns);
  }
  // One answer is sent the next statement at once; of several, all are read first.
  if (parts_.statements.can_collect() && count > 1 && !parts_.arrivals.active()) {
    parts_.statements.Collect();
  }
  for (int i = 0; i < count; ++i) {
    const epoll_event& event = events[static_cast<size_t>(i)];
    if (event.data.u64 == kTickTag) {
      ticker_.Take();
      continue;
    }
    Client& client = *state_.clients[event.data.u64];
    parts_.Handle(client, client.connection.HandleEvents(event.events, buffer_));
    // An arrival does not wait until all events are handled.
    if (parts_.arrivals.active()) parts_.arrivals.Dispatch();
  }
  if (parts_.statements.collecting()) parts_.statements.SendCollected();
  if (parts_.arrivals.active()) {
    parts_.arrivals.Dispatch();
    parts_.arrivals.RestFree();
  }
  now = MonotonicNow();
  FireTimers(now);
  if (now >= next_sweep_) {
    if (next_sweep_ != 0) stall_ns_ = std::max(stall_ns_, now - next_sweep_);
    Sweep(now);
    next_sweep_ = now + kSweepIntervalNs;
    Publish();
  }
}

void Polling::FireTimers(MonotonicNs now) {
  while (Client* due = parts_.timers.TakeDue(now, state_.clients)) {
    Client& client = *due;
    if (client.state == Client::State::kPausing) {
      parts_.connects.Start(client, kUnscheduled);
    } else if (client.state == Client::State::kSleeping) {
      if (client.in_transaction) parts_.transactions.Continue(client, now);
      if (client.state == Client::State::kSleeping && !client.in_transaction) {
        parts_.transactions.Begin(client, now);
      }
    }
  }
}

void Polling::Sweep(MonotonicNs now) {
  if (state_.StopRequested() && interrupted_at_ == 0) {
    interrupted_at_ = now;
    parts_.EndPlanAt(now);
  }
  if (state_.plan.warmup != nullptr) parts_.EndPlanAt(state_.plan.warmup->end());
  if (parts_.arrivals.active() &&
      (interrupted_at_ != 0 || now - kMaxDrainNs >= state_.plan.until)) {
    parts_.arrivals.SkipWaiting();
  }
  const bool give_up = interrupted_at_ != 0 && now - interrupted_at_ >= kInterruptGraceNs;
  for (const auto& client : state_.clients) {
    if (client->state == Client::State::kRest) continue;
    const bool unconnected = client->state == Client::State::kConnecting ||
                             client->state == Client::State::kPausing ||
                             client->state == Client::State::kAwaiting;
    if (give_up || (interrupted_at_ != 0 && unconnected)) {
      Expire(*client, now, true);
    } else if (now >= client->deadline) {
      Expire(*client, now, false);
    }
  }
}

// The wait of a client has lasted too long.
void Polling::Expire(Client& client, MonotonicNs now, bool interrupted) {
  switch (client.state) {
    case Client::State::kRest:
      return;
    case Client::State::kPausing:
    case Client::State::kAwaiting:
    case Client::State::kFree:
      parts_.Rest(client);
      return;
    case Client::State::kConnecting:
      parts_.Handle(client,
                    client.connection.Abandon(
                        interrupted ? ConnectOutcome::kInterrupted : ConnectOutcome::kDeadline,
                        interrupted ? std::string("the run was stopped")
                                    : fmt::format("not ready within {} s",
                                                  state_.settings.connect_timeout_ns /
                                                      kNanosecondsPerSecond)));
      return;
    case Client::State::kRunning:
    case Client::State::kSleeping:
    case Client::State::kRollingBack:
      ExpireTransaction(client, now, interrupted);
      return;
  }
}

void Polling::ExpireTransaction(Client& client, MonotonicNs now, bool interrupted) {
  if (client.state == Client::State::kSleeping && !client.in_transaction) {
    parts_.Rest(client);  // only its schedule's next start was due
    return;
  }
  if (client.in_transaction) {
    parts_.transactions.Fail(client, now, interrupted ? "interrupted" : "deadline",
                             interrupted ? "the run was stopped inside a transaction"
                                         : "a statement did not end within its deadline");
  }
  if (!interrupted) {
    state_.recorder.ConnectionLost("a statement did not end within its deadline", now);
  }
  parts_.connects.Close(client, now);
  if (state_.plan.kind == Plan::Kind::kChurn) parts_.connects.GiveUp(client, now);
  if (parts_.connects.ComesBack(client, now)) {
    parts_.connects.ComeBackLater(client, now);
  } else {
    parts_.Rest(client);
  }
}

void Polling::Publish() {
  live_.transactions_ok.store(state_.recorder.transactions_ok(), std::memory_order_relaxed);
  live_.transactions_failed.store(state_.recorder.transactions_failed(), std::memory_order_relaxed);
  live_.open.store(state_.open, std::memory_order_relaxed);
}

}  // namespace connbench::load
