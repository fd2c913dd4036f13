#include "harness/load/worker.h"

#include <fmt/format.h>
#include <sys/epoll.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <chrono>
#include <ctime>
#include <utility>

#include "harness/load/worker_client.h"

namespace connbench::load {
namespace {

constexpr size_t kReadBufferBytes = 64 << 10;
constexpr int kEventsPerWait = 256;
constexpr int64_t kSweepIntervalNs = 50 * kNanosecondsPerMillisecond;
constexpr int64_t kPollLimitNs = kNanosecondsPerSecond;
constexpr uint64_t kTickTag = UINT64_MAX;  // no client's place

int64_t ThreadCpuNs() {
  timespec used;
  clock_gettime(CLOCK_THREAD_CPUTIME_ID, &used);
  return used.tv_sec * kNanosecondsPerSecond + used.tv_nsec;
}

}  // namespace

Worker::Worker(const WorkerSettings& settings, int number)
    : settings_(settings),
      number_(number),
      recorder_(settings.origin, settings.max_phases, settings.latency_limit_ns),
      buffer_(kReadBufferBytes) {
  if (settings.disturbed != nullptr) victims_ = std::make_unique<VictimLedger>(*settings.disturbed);
}

Worker::~Worker() {
  if (thread_.joinable()) {
    Post({});
    thread_.join();
  }
  clients_.clear();
  if (epoll_fd_ >= 0) close(epoll_fd_);
}

Status Worker::Start() {
  epoll_fd_ = epoll_create1(EPOLL_CLOEXEC);
  if (epoll_fd_ < 0) return Status::System("epoll_create1", errno);
  CONNBENCH_RETURN_IF_ERROR(ticker_.AddTo(epoll_fd_, kTickTag));
  for (int i = number_; i < settings_.clients; i += settings_.threads) {
    clients_.push_back(std::make_unique<Client>(
        *settings_.scripts, static_cast<uint32_t>(clients_.size()),
        settings_.first_client + static_cast<uint32_t>(i), settings_.seed, bytes_));
  }
  thread_ = std::thread([this] { Main(); });
  return Status::Ok();
}

void Worker::Post(const Plan& plan) {
  const std::lock_guard<std::mutex> lock(mutex_);
  posted_ = plan;
  has_plan_ = true;
  changed_.notify_all();
}

bool Worker::WaitDone(int64_t timeout_ns) {
  std::unique_lock<std::mutex> lock(mutex_);
  return changed_.wait_for(lock, std::chrono::nanoseconds(timeout_ns),
                           [this] { return !has_plan_; });
}

void Worker::Main() {
  while (true) {
    Plan plan;
    {
      std::unique_lock<std::mutex> lock(mutex_);
      changed_.wait(lock, [this] { return has_plan_; });
      plan = posted_;
    }
    if (plan.kind != Plan::Kind::kExit) Execute(plan);
    const std::lock_guard<std::mutex> lock(mutex_);
    has_plan_ = false;
    changed_.notify_all();
    if (plan.kind == Plan::Kind::kExit) return;
  }
}

bool Worker::StopRequested() const { return settings_.stop->load(std::memory_order_relaxed); }

void Worker::Publish() {
  live_.transactions_ok.store(recorder_.transactions_ok(), std::memory_order_relaxed);
  live_.transactions_failed.store(recorder_.transactions_failed(), std::memory_order_relaxed);
  live_.open.store(open_, std::memory_order_relaxed);
}

void Worker::Execute(const Plan& plan) {
  plan_ = plan;
  pending_ = 0;
  if (plan.kind == Plan::Kind::kConnect || plan.kind == Plan::Kind::kReturn) served_ = {};
  interrupted_at_ = 0;
  next_sweep_ = 0;
  stall_ns_ = 0;
  ticker_.SetInterval(kSweepIntervalNs);
  timers_ = {};
  recorder_.BeginPhase(plan.record, plan.window_begin, plan.until);
  AwaitBegin();
  plan_begin_ = MonotonicNow();
  const int64_t cpu_began = ThreadCpuNs();
  if (plan_.disturbance != nullptr) plan_.disturbance->PartBegins(plan_begin_);
  // Client i of the group is this thread's (i - number_) / threads-th.
  const auto threads = static_cast<size_t>(settings_.threads);
  const auto place = [&](size_t client) {
    return (client + threads - 1 - static_cast<size_t>(number_)) / threads;
  };
  const size_t first = place(plan.first);
  const size_t last = place(plan.last);
  if (plan.kind == Plan::Kind::kConnect || plan.kind == Plan::Kind::kChurn) {
    BeginConnects(first, last);
  } else {
    if (plan.kind == Plan::Kind::kTraffic) {
      if (plan.arrivals != nullptr) {
        StartOpenLoop(first, last);
      } else if (batch_ == nullptr) {
        batch_ = SendBatch::Make();
      }
    }
    for (size_t i = first; i < last; ++i) {
      Begin(*clients_[i]);
      if (StopRequested() && plan.kind != Plan::Kind::kClose) break;
    }
  }
  while (pending_ > 0) HandleBatch(kPollLimitNs);
  if (loop_ != nullptr) EndOpenLoop();
  if (plan_.disturbance != nullptr) plan_.disturbance->PartEnds(MonotonicNow());
  ticker_.SetInterval(0);
  cpu_ns_ = ThreadCpuNs() - cpu_began;
  const int64_t elapsed = std::max<int64_t>(MonotonicNow() - plan_begin_, 1);
  cpu_fraction_ = static_cast<double>(cpu_ns_) / static_cast<double>(elapsed);
  Publish();
}

// The connections that are open meanwhile are looked after.
void Worker::AwaitBegin() {
  for (MonotonicNs now = MonotonicNow(); now < plan_.begin_at && !StopRequested();
       now = MonotonicNow()) {
    PollOnce(plan_.begin_at - now);
  }
}

void Worker::Begin(Client& client) {
  client.transactions_left = plan_.transactions_per_client;
  switch (plan_.kind) {
    case Plan::Kind::kPrepare:
      if (client.connection.state() == Connection::State::kNone) {
        // A socket that cannot be made is an attempt that fails when connecting is asked for.
        client.connection.Prepare(*settings_.target, client.index, epoll_fd_, client.place);
      }
      return;
    case Plan::Kind::kReturn:
      if (client.connection.state() != Connection::State::kOpen) return;
      ++pending_;
      client.state = Client::State::kAwaiting;
      client.deadline = plan_.until;
      return;
    case Plan::Kind::kTraffic:
      if (client.connection.state() != Connection::State::kOpen || client.aborted) return;
      ++pending_;
      if (loop_ != nullptr) {
        MakeFree(client);
      } else {
        BeginTransaction(client, MonotonicNow());
      }
      return;
    case Plan::Kind::kClose:
      CloseClient(client, MonotonicNow());
      return;
    case Plan::Kind::kConnect:
    case Plan::Kind::kChurn:
    case Plan::Kind::kExit:
      return;
  }
}

// One round: connections that are due, then what epoll has.
void Worker::HandleBatch(int64_t timeout_limit_ns) {
  MonotonicNs now = MonotonicNow();
  StartDueConnects(now);
  const MonotonicNs due = NextConnectDue();
  if (due != kNoDeadline) {
    now = MonotonicNow();
    timeout_limit_ns = std::clamp<int64_t>(due - now, 0, timeout_limit_ns);
  }
  PollOnce(timeout_limit_ns);
}

// What epoll has, due timers, and now and then the deadlines.
void Worker::PollOnce(int64_t timeout_limit_ns) {
  MonotonicNs now = MonotonicNow();
  int64_t timeout_ns = timeout_limit_ns;
  if (timeout_ns > 0) {
    if (!timers_.empty()) {
      timeout_ns = std::min(timeout_ns, std::max<int64_t>(timers_.top().at - now, 0));
    }
    if (loop_ != nullptr) {
      const int64_t wait_ns = NextScheduled(now) - wake_lead_.ns() - now;
      timeout_ns = std::min(timeout_ns, std::max<int64_t>(wait_ns, 0));
    }
  }
  std::array<epoll_event, kEventsPerWait> events;
  const timespec timeout = {timeout_ns / kNanosecondsPerSecond, timeout_ns % kNanosecondsPerSecond};
  // A timeout for each wait would make the kernel set its clock twice for each transaction, which a
  // loop with one connection feels; ticks end a wait without one.
  const int count = epoll_pwait2(epoll_fd_, events.data(), kEventsPerWait,
                                 timeout_ns < kPollLimitNs ? &timeout : nullptr, nullptr);
  if (loop_ != nullptr && count == 0 && timeout_ns > 0) {
    wake_lead_.Woke(MonotonicNow() - now - timeout_ns);
  }
  // One answer is sent the next statement at once; of several, all are read first.
  collecting_ = batch_ != nullptr && count > 1 && loop_ == nullptr;
  for (int i = 0; i < count; ++i) {
    const epoll_event& event = events[static_cast<size_t>(i)];
    if (event.data.u64 == kTickTag) {
      ticker_.Take();
      continue;
    }
    Client& client = *clients_[event.data.u64];
    Handle(client, client.connection.HandleEvents(event.events, buffer_));
    if (loop_ != nullptr) Dispatch();  // an arrival does not wait until all events are handled
  }
  if (collecting_) SendTogether();
  if (loop_ != nullptr) {
    Dispatch();
    RestFree();
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

void Worker::SetTimer(Client& client, MonotonicNs at) {
  timers_.push({at, client.place, ++client.timer_generation});
}

void Worker::FireTimers(MonotonicNs now) {
  while (!timers_.empty() && timers_.top().at <= now) {
    const Timer timer = timers_.top();
    timers_.pop();
    Client& client = *clients_[timer.client];
    if (client.timer_generation != timer.generation) continue;
    if (client.state == Client::State::kPausing) {
      StartConnect(client, kUnscheduled);
    } else if (client.state == Client::State::kSleeping) {
      if (client.in_transaction) ContinueScript(client, now);
      if (client.state == Client::State::kSleeping && !client.in_transaction) {
        BeginTransaction(client, now);
      }
    }
  }
}

void Worker::Sweep(MonotonicNs now) {
  if (StopRequested() && interrupted_at_ == 0) {
    interrupted_at_ = now;
    EndPlanAt(now);
  }
  if (plan_.warmup != nullptr) EndPlanAt(plan_.warmup->end());
  if (loop_ != nullptr && (interrupted_at_ != 0 || now - kMaxDrainNs >= plan_.until)) {
    SkipWaiting();
  }
  const bool give_up = interrupted_at_ != 0 && now - interrupted_at_ >= kInterruptGraceNs;
  for (const auto& client : clients_) {
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
void Worker::Expire(Client& client, MonotonicNs now, bool interrupted) {
  switch (client.state) {
    case Client::State::kRest:
      return;
    case Client::State::kPausing:
    case Client::State::kAwaiting:
    case Client::State::kFree:
      Rest(client);
      return;
    case Client::State::kConnecting:
      Handle(client,
             client.connection.Abandon(
                 interrupted ? ConnectOutcome::kInterrupted : ConnectOutcome::kDeadline,
                 interrupted ? std::string("the run was stopped")
                             : fmt::format("not ready within {} s",
                                           settings_.connect_timeout_ns / kNanosecondsPerSecond)));
      return;
    case Client::State::kRunning:
    case Client::State::kSleeping:
    case Client::State::kRollingBack:
      if (client.state == Client::State::kSleeping && !client.in_transaction) {
        Rest(client);  // only its schedule's next start was due
        return;
      }
      if (client.in_transaction) {
        FailTransaction(client, now, interrupted ? "interrupted" : "deadline",
                        interrupted ? "the run was stopped inside a transaction"
                                    : "a statement did not end within its deadline");
      }
      if (!interrupted) {
        recorder_.ConnectionLost("a statement did not end within its deadline", now);
      }
      CloseClient(client, now);
      if (ComesBack(client, now)) {
        ComeBackLater(client, now);
      } else {
        Rest(client);
      }
      return;
  }
}

void Worker::Rest(Client& client) {
  client.state = Client::State::kRest;
  client.deadline = kNoDeadline;
  ++client.timer_generation;
  --pending_;
  if (sessions_arrive_) free_.push_back(&client);
}

void Worker::Handle(Client& client, Connection::Event event) {
  switch (event) {
    case Connection::Event::kNothing:
      return;
    case Connection::Event::kReady:
      Ready(client);
      return;
    case Connection::Event::kCommandDone:
      CommandDone(client);
      return;
    case Connection::Event::kEnded:
      Ended(client);
      return;
  }
}

}  // namespace connbench::load
