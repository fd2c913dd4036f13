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

using protocol::ClientSession;

constexpr size_t kReadBufferBytes = 64 << 10;
constexpr int kEventsPerWait = 256;
constexpr int64_t kSweepIntervalNs = 50 * kNanosecondsPerMillisecond;
constexpr int64_t kPollLimitNs = kNanosecondsPerSecond;
constexpr uint64_t kTickTag = UINT64_MAX;  // no client's place
// A script that neither sends nor sleeps gives way to other clients after so many transactions.
constexpr int kTransactionsPerTurn = 64;

int64_t ThreadCpuNs() {
  timespec used;
  clock_gettime(CLOCK_THREAD_CPUTIME_ID, &used);
  return used.tv_sec * kNanosecondsPerSecond + used.tv_nsec;
}

// Errors that the next transaction would only repeat: the statement itself is wrong.
bool IsHopeless(std::string_view sqlstate) {
  return sqlstate.starts_with("42") || sqlstate.starts_with("0A");
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

void Worker::BeginTransaction(Client& client, MonotonicNs now) {
  for (int turn = 0; turn < kTransactionsPerTurn; ++turn) {
    client.stamps = {.intended = now};
    client.in_transaction = true;
    recorder_.TransactionBegun();
    recorder_.ClientBegun(client.place);
    client.runner.Begin();
    client.state = Client::State::kSleeping;  // until something is sent
    ContinueScript(client, now);
    // Still here with nothing in flight: a script without SQL that goes on with the next one.
    if (client.in_transaction || client.state != Client::State::kSleeping) return;
    now = MonotonicNow();
  }
  SetTimer(client, now);
}

void Worker::ContinueScript(Client& client, MonotonicNs now) {
  switch (client.runner.Next()) {
    case ScriptRunner::Step::kQuery:
      Send(client, now);
      return;
    case ScriptRunner::Step::kSleep:
      client.state = Client::State::kSleeping;
      client.deadline = kNoDeadline;
      SetTimer(client, now + client.runner.sleep_ns());
      return;
    case ScriptRunner::Step::kDone:
      FinishTransaction(client, now);
      return;
    case ScriptRunner::Step::kError:
      client.aborted = true;
      FailTransaction(client, now, "script", client.runner.error().ToString());
      FinishTransaction(client, now);
      return;
  }
}

void Worker::Send(Client& client, MonotonicNs now) {
  const ScriptCommand& command = client.runner.command();
  ClientSession& session = client.connection.session();
  if (command.gset) {
    if (client.capture == nullptr) client.capture = std::make_unique<RowCapture>();
    client.capture->Clear();
  }
  session.set_sink(command.gset ? client.capture.get() : nullptr);
  if (settings_.protocol == ProtocolMode::kSimple) {
    sql_.clear();
    client.runner.AppendSql(sql_);
    session.Query(sql_);
  } else {
    // Text first, pointers into it after it has stopped growing.
    parameter_text_.clear();
    parameter_places_.clear();
    for (size_t i = 0; i < command.variables.size(); ++i) {
      const size_t begin = parameter_text_.size();
      const bool is_set = client.runner.AppendParameter(i, parameter_text_);
      parameter_places_.emplace_back(
          begin, is_set ? static_cast<int32_t>(parameter_text_.size() - begin) : -1);
    }
    parameters_.clear();
    for (const auto& [begin, length] : parameter_places_) {
      parameters_.push_back({length < 0 ? nullptr : parameter_text_.data() + begin, length});
    }
    if (settings_.protocol == ProtocolMode::kExtended) {
      session.QueryExtended(command.parameterised, parameters_);
    } else {
      session.QueryPrepared(command.statement, command.parameterised, parameters_);
    }
  }
  client.state = Client::State::kRunning;
  client.deadline = now + settings_.statement_timeout_ns;
  if (client.unsent) StampSent(client);
  // A first statement is stamped when it is sent.
  if (collecting_ && client.first_query_sent &&
      batch_->Add(client.connection.fd(), client.connection.unsent(), client.place)) {
    return;
  }
  const Connection::Event event = client.connection.Flush();
  if (!client.first_query_sent) {
    client.first_query_sent = true;
    client.connection.phases().first_query_ns = MonotonicNow();
  }
  Handle(client, event);
}

void Worker::SendTogether() {
  collecting_ = false;
  for (const SendBatch::Sent& sent : batch_->Submit()) {
    Client& client = *clients_[sent.tag];
    Handle(client, client.connection.Sent(sent.result));
  }
}

void Worker::CommandDone(Client& client) {
  const MonotonicNs now = MonotonicNow();
  if (client.connection.phases().first_row_ns == 0) {
    client.connection.phases().first_row_ns = now;
    recorder_.FirstRow(client.connection.phases());
  }
  ClientSession& session = client.connection.session();
  if (client.state == Client::State::kRollingBack) {
    FinishTransaction(client, now);
    return;
  }
  if (client.state != Client::State::kRunning) return;  // nothing of ours: it only noticed
  const ScriptCommand& command = client.runner.command();
  if (session.command().failed) {
    if (IsHopeless(session.command().sqlstate)) client.aborted = true;
    FailTransaction(client, now, session.command().sqlstate,
                    fmt::format("{} [{}]", session.error().message, session.command().sqlstate));
  } else if (command.gset && client.capture->rows() != 1) {
    FailTransaction(client, now, "gset",
                    fmt::format("\\gset needs one row, the statement in line {} gave {}",
                                command.line, client.capture->rows()));
  } else {
    if (command.gset) {
      for (size_t i = 0; i < client.capture->names().size(); ++i) {
        const auto& value = client.capture->values()[i];
        client.runner.SetVariable(command.gset_prefix + client.capture->names()[i],
                                  value ? std::optional<std::string_view>(*value) : std::nullopt);
      }
    }
    ContinueScript(client, now);
    return;
  }
  if (session.transaction_status() == ClientSession::TransactionStatus::kIdle) {
    FinishTransaction(client, now);
    return;
  }
  client.state = Client::State::kRollingBack;
  session.set_sink(nullptr);
  session.Query("ROLLBACK");
  Handle(client, client.connection.Flush());
}

void Worker::FailTransaction(Client& client, MonotonicNs now, std::string_view code,
                             std::string_view reason) {
  if (client.unsent) StampSent(client);
  client.in_transaction = false;
  recorder_.TransactionFailed(now, code, reason);
}

// The transaction is over; what comes next is the plan's matter.
void Worker::FinishTransaction(Client& client, MonotonicNs now) {
  if (client.in_transaction) {
    client.in_transaction = false;
    if (client.unsent) StampSent(client);  // there was no SQL in it
    recorder_.TransactionOk(client.stamps, now);
    recorder_.ClientOk(client.place, now);
    if (plan_.warmup != nullptr) plan_.warmup->Add(now, now - client.stamps.intended);
    if (victims_ != nullptr && plan_.record) victims_->Record(client.stamps.intended, now);
    ClientServed(client, now);
  } else if (plan_.kind != Plan::Kind::kChurn && loop_ == nullptr && ComesBack(client, now)) {
    CloseClient(client, now);  // it was not served
    ++client.failed;
    ComeBackLater(client, now);
    return;
  }
  if (loop_ != nullptr) {
    if (client.aborted) {
      Rest(client);
    } else {
      MakeFree(client);
    }
    return;
  }
  const bool last = client.transactions_left > 0 && --client.transactions_left == 0;
  const bool over = now >= plan_.until || client.aborted;
  if (plan_.kind == Plan::Kind::kChurn && (last || over)) {
    SessionEnded(client, now);
    return;
  }
  if (last || over) {
    Rest(client);
    return;
  }
  if (client.state == Client::State::kRunning || client.state == Client::State::kRollingBack) {
    BeginTransaction(client, now);
    return;
  }
  client.state = Client::State::kSleeping;  // BeginTransaction's loop goes on, or a timer
}

}  // namespace connbench::load
