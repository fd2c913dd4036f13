// The thread of a Worker: takes plans, and goes round until all clients are at rest.
#include "harness/load/worker.h"

#include <algorithm>
#include <chrono>
#include <ctime>

#include "base/clock.h"
#include "harness/load/worker_parts.h"

namespace connbench::load {
namespace {

int64_t ThreadCpuNs() {
  timespec used;
  clock_gettime(CLOCK_THREAD_CPUTIME_ID, &used);
  return used.tv_sec * kNanosecondsPerSecond + used.tv_nsec;
}

}  // namespace

void WorkerParts::Handle(Client& client, Connection::Event event) {
  switch (event) {
    case Connection::Event::kNothing:
      return;
    case Connection::Event::kReady:
      connects.Ready(client);
      return;
    case Connection::Event::kCommandDone:
      transactions.Answered(client);
      return;
    case Connection::Event::kEnded:
      connects.Ended(client);
      return;
  }
}

void WorkerParts::Rest(Client& client) {
  if (client.wanted != 0) connects.GiveUp(client, MonotonicNow());
  client.state = Client::State::kRest;
  client.deadline = kNoDeadline;
  Timers::Cancel(client);
  --state.pending;
  connects.Rested(client);
}

void WorkerParts::EndPlanAt(MonotonicNs until) {
  state.plan.until = std::min(state.plan.until, until);
  arrivals.EndAt(state.plan.until);
}

Worker::Worker(const WorkerSettings& settings, int number)
    : parts_(std::make_unique<WorkerParts>(settings, number)) {}

Worker::~Worker() {
  if (thread_.joinable()) {
    Post({});
    thread_.join();
  }
}

Status Worker::Start() {
  CONNBENCH_RETURN_IF_ERROR(parts_->polling.Open());
  WorkerState& state = parts_->state;
  for (int i = state.number; i < state.settings.clients; i += state.settings.threads) {
    state.clients.push_back(std::make_unique<Client>(
        *state.settings.scripts, static_cast<uint32_t>(state.clients.size()),
        state.settings.first_client + static_cast<uint32_t>(i), state.settings.seed, state.bytes));
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

const LiveCounts& Worker::live() const { return parts_->polling.live(); }
const Recorder& Worker::recorder() const { return parts_->state.recorder; }
Recorder& Worker::recorder() { return parts_->state.recorder; }
const TrafficBytes& Worker::bytes() const { return parts_->state.bytes; }
int64_t Worker::open() const { return parts_->state.open; }
const Served& Worker::served() const { return parts_->state.served; }
const VictimLedger* Worker::victims() const { return parts_->state.victims.get(); }
int64_t Worker::stall_ns() const { return parts_->polling.stall_ns(); }
bool Worker::realtime() const { return parts_->arrivals.realtime(); }
bool Worker::batches() const { return parts_->statements.can_collect(); }

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

void Worker::Execute(const Plan& plan) {
  WorkerState& state = parts_->state;
  state.plan = plan;
  state.pending = 0;
  if (plan.kind == Plan::Kind::kConnect || plan.kind == Plan::Kind::kReturn) state.served = {};
  parts_->polling.Begin();
  parts_->timers.Clear();
  state.recorder.BeginPhase(plan.record, plan.window_begin, plan.until);
  AwaitBegin();
  state.plan_begin = MonotonicNow();
  const int64_t cpu_began = ThreadCpuNs();
  if (plan.disturbance != nullptr) plan.disturbance->PartBegins(state.plan_begin);
  BeginPlan();
  while (state.pending > 0) Round();
  if (parts_->arrivals.active()) parts_->arrivals.End();
  if (plan.disturbance != nullptr) plan.disturbance->PartEnds(MonotonicNow());
  cpu_ns_ = ThreadCpuNs() - cpu_began;
  const int64_t elapsed = std::max<int64_t>(MonotonicNow() - state.plan_begin, 1);
  cpu_fraction_ = static_cast<double>(cpu_ns_) / static_cast<double>(elapsed);
  parts_->polling.End();
}

// The connections that are open meanwhile are looked after.
void Worker::AwaitBegin() {
  const WorkerState& state = parts_->state;
  for (MonotonicNs now = MonotonicNow(); now < state.plan.begin_at && !state.StopRequested();
       now = MonotonicNow()) {
    parts_->polling.Once(state.plan.begin_at - now);
  }
}

void Worker::BeginPlan() {
  WorkerState& state = parts_->state;
  const size_t first = state.PlaceOf(state.plan.first);
  const size_t last = state.PlaceOf(state.plan.last);
  const Plan::Kind kind = state.plan.kind;
  if (kind == Plan::Kind::kConnect || kind == Plan::Kind::kChurn) {
    parts_->connects.Begin(first, last);
    return;
  }
  if (kind == Plan::Kind::kTraffic) {
    if (state.plan.arrivals != nullptr) {
      parts_->arrivals.Begin(first, last);
    } else {
      parts_->statements.AllowCollecting();
    }
  }
  for (size_t i = first; i < last; ++i) {
    Begin(*state.clients[i]);
    if (state.StopRequested() && kind != Plan::Kind::kClose) break;
  }
}

void Worker::Begin(Client& client) {
  WorkerState& state = parts_->state;
  client.transactions_left = state.plan.transactions_per_client;
  switch (state.plan.kind) {
    case Plan::Kind::kPrepare:
      if (client.connection.state() == Connection::State::kNone) {
        // A socket that cannot be made is an attempt that fails when connecting is asked for.
        client.connection.Prepare(*state.settings.target, client.index, parts_->polling.epoll_fd(),
                                  client.place);
      }
      return;
    case Plan::Kind::kReturn:
      if (client.connection.state() != Connection::State::kOpen) return;
      ++state.pending;
      client.state = Client::State::kAwaiting;
      client.deadline = state.plan.until;
      return;
    case Plan::Kind::kTraffic:
      if (client.connection.state() != Connection::State::kOpen || client.aborted) return;
      ++state.pending;
      if (parts_->arrivals.active()) {
        parts_->arrivals.MakeFree(client);
      } else {
        parts_->transactions.Begin(client, MonotonicNow());
      }
      return;
    case Plan::Kind::kClose:
      parts_->connects.Close(client, MonotonicNow());
      return;
    case Plan::Kind::kConnect:
    case Plan::Kind::kChurn:
    case Plan::Kind::kExit:
      return;
  }
}

// Connections that are due, then what epoll has.
void Worker::Round() {
  parts_->connects.StartDue(MonotonicNow());
  int64_t timeout_ns = kPollLimitNs;
  if (const MonotonicNs due = parts_->connects.next_due(); due != kNoDeadline) {
    timeout_ns = std::clamp<int64_t>(due - MonotonicNow(), 0, timeout_ns);
  }
  parts_->polling.Once(timeout_ns);
}

}  // namespace connbench::load
