// `thread-pool`: a few workers, in groups, serve whichever sessions have something to do, after the
// thread pools of MariaDB, Percona Server and MySQL Enterprise.
//
// Accepting    Every group waits at the listeners (EPOLLEXCLUSIVE): a worker that finds somebody
//              waiting accepts.
// Dispatching  Connections are dealt in turn to thread_pool_groups groups and stay there, as
//              MariaDB deals them by thread_pool_size. Its default is a group per core, ours is one
//              group: while one loop keeps up with its few clients, it takes more messages with
//              each poll than several do, which leaves the clients' cores to them. A group has an
//              epoll set. The worker that polls, the listener, runs what it finds itself, and polls
//              again when it is done: while statements are short, a group is an event loop that
//              never hands anything over. (MariaDB's listener runs a statement when its queue was
//              empty.) A group that may have several active workers
//              (`workers` more than groups; their thread_pool_oversubscribe comes near) wakes one
//              when more is queued than it could do in about 0.1 ms, or when it has not polled for
//              1 ms.
// Priorities   Sessions inside a transaction go first, because others may wait for their locks
//              (their thread_pool_priority=auto). What is not in one and has waited for
//              prio_kickup_timer joins the end of those (thread_pool_prio_kickup_timer, with the
//              same default of a second).
// State        A session belongs to no thread: between two messages it is heap memory. Any worker
//              of its group may serve the next one.
// Waiting      A worker that waits for a lock, for a page (unless io_method=sync), or for a client
//              that does not read, blocks as a thread does. Before it does it tells its group,
//              which puts another worker in its place, up to max_workers. With the default
//              (workers + max_connections) there is always one left to run the statement that
//              releases the lock, however many sessions wait. A statement that computes for longer
//              than stall_limit is treated the same: by then what is queued in its group has waited
//              that long, which is the model's stall. (MySQL Enterprise's default is the same
//              60 ms, MariaDB's is 500.)
// Refusing     A connection past the limit is accepted, gets its session object, and is refused
//              when the engine's session starts (53300). It costs no thread.
// Ending       SIGTERM: the main thread asks every session to stop (57P01), and the process ends
//              when they all have. A crash of one worker is a crash of the process.
// Must not     No worker may wait for a client outside a BlockedScope, or keep anything of a
//              session for longer than one Serve(). Groups share nothing but the listeners.
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <functional>
#include <memory>
#include <mutex>
#include <new>
#include <string>
#include <thread>
#include <vector>

#include "base/server_log.h"
#include "models/connection.h"
#include "models/model.h"
#include "models/server_process.h"
#include "models/thread_pool/thread_pool.h"

namespace connbench::models {
namespace {

// Receive buffers that one session may fill in a row before others have their turn.
constexpr int kBuffersPerTurn = 4;

// One client.
class PooledConnection : public GroupTask, public engine::Waiter, public protocol::OutputChannel {
 public:
  // clients: counts those that live.
  PooledConnection(engine::Engine& engine, const AcceptedConnection& accepted,
                   std::atomic<int64_t>& clients)
      : engine_(engine),
        clients_(clients),
        accepted_(accepted),
        stop_(accepted),
        session_(std::make_unique<protocol::ServerSession>(
            engine, *this, *this, accepted.connection_id, accepted.Origin())) {
    clients_.fetch_add(1, std::memory_order_relaxed);
  }
  ~PooledConnection() override { clients_.fetch_sub(1, std::memory_order_relaxed); }

  Outcome Serve(GroupWorker& worker, std::span<char> buffer) override {
    worker_ = &worker;
    if (!started_) {
      started_ = true;
      engine_.connection_log().Stamp(accepted_.connection_id, engine::ConnectionPhase::kStarted,
                                     MonotonicNow());
    }
    for (int i = 0; i < kBuffersPerTurn; ++i) {
      const ssize_t got = recv(accepted_.fd, buffer.data(), buffer.size(), MSG_DONTWAIT);
      protocol::Want want = protocol::Want::kInput;
      if (got > 0) {
        want = session_->Receive({buffer.data(), static_cast<size_t>(got)});
      } else if (got < 0 && errno == EINTR) {
        continue;
      } else if (got < 0 && errno == EAGAIN) {
        if (MonotonicNow() < session_->InputDeadline()) return Outcome::kIdle;
        want = session_->InputDeadlinePassed();
      } else {  // ended by the client, or by a stop: the session tells the client
        if (stop_.requested()) (void)session_->CheckTermination();
        want = protocol::Want::kClose;
      }
      if (!session_->output().empty()) {
        const Status sent = Send(session_->output());
        session_->ClearOutput();
        if (!sent.ok()) want = protocol::Want::kClose;
      }
      if (want == protocol::Want::kClose) {
        Close();
        return Outcome::kDone;
      }
      // Less than was asked for: the socket was empty then, and what comes later is a new edge.
      if (got < static_cast<ssize_t>(buffer.size())) return Outcome::kIdle;
    }
    return Outcome::kAgain;
  }

  void Prefetch(int turns) const override { session_->Prefetch(turns); }
  MonotonicNs wake_at() const override { return session_->InputDeadline(); }

  bool urgent() const override {
    return session_->transaction_status() != engine::TransactionStatus::kIdle ||
           session_->mid_message();
  }

  void RequestStop() override {
    const std::lock_guard lock(closing_);
    if (!closed_) stop_.Request();
  }
  uint32_t connection_id() const override { return accepted_.connection_id; }

 private:
  engine::WaitResult Wait(engine::Wakeup& wakeup, uint32_t expected, MonotonicNs deadline,
                          engine::WaitReason reason) override {
    if (wakeup.word.load(std::memory_order_acquire) != expected) return engine::WaitResult::kRung;
    const BlockedScope blocked(*worker_);
    return blocking_waiter_.Wait(wakeup, expected, deadline, reason);
  }
  void Block(const std::function<void()>& block) override {
    const BlockedScope blocked(*worker_);
    block();
  }

  Status Flush(std::string& bytes) override {
    Status status = Send(bytes);
    bytes.clear();
    return status;
  }

  Status Send(std::string_view bytes) {
    SendResult result = SendSome(accepted_.fd, bytes);
    while (result == SendResult::kWouldBlock) {
      const BlockedScope blocked(*worker_);
      if (!WaitWritable(stop_)) return ClientGone();
      result = SendSome(accepted_.fd, bytes);
    }
    return result == SendResult::kSent ? Status() : ClientGone();
  }

  void Close() {
    session_.reset();
    const std::lock_guard lock(closing_);
    closed_ = true;
    CloseConnection(engine_.connection_log(), accepted_);
  }

  engine::Engine& engine_;
  std::atomic<int64_t>& clients_;
  const AcceptedConnection accepted_;
  ConnectionStop stop_;
  engine::BlockingWaiter blocking_waiter_;
  GroupWorker* worker_ = nullptr;  // while it is served
  bool started_ = false;
  std::unique_ptr<protocol::ServerSession> session_;
  std::mutex closing_;  // a stop must not reach the next connection that gets the same descriptor
  bool closed_ = false;
};

// A listener with somebody waiting, in each group.
class AcceptTask : public GroupTask {
 public:
  AcceptTask(engine::Engine& engine, const Listener& listener, ThreadPool& pool,
             std::atomic<int64_t>& clients)
      : engine_(engine), listener_(listener), pool_(pool), clients_(clients) {}

  Outcome Serve(GroupWorker& /*worker*/, std::span<char> /*buffer*/) override {
    if (stopping_.load(std::memory_order_acquire)) return Outcome::kDone;
    engine::ConnectionLog& log = engine_.connection_log();
    paused_until_ = kNoDeadline;
    for (int i = 0; i < kAcceptBatch; ++i) {
      if (clients_.load(std::memory_order_relaxed) >=
          MostClients(engine_.config().max_connections)) {
        log.admission().WantRoom(MonotonicNow());
        paused_until_ = MonotonicNow() + kAcceptPauseMs * kNanosecondsPerMillisecond;
        return Outcome::kIdle;
      }
      AcceptedConnection accepted;
      switch (listener_.Accept(log, accepted)) {
        case Listener::AcceptResult::kAccepted:
          Dispatch(accepted);
          break;
        case Listener::AcceptResult::kNone:
          return Outcome::kIdle;
        case Listener::AcceptResult::kExhausted:
          paused_until_ = MonotonicNow() + kAcceptPauseMs * kNanosecondsPerMillisecond;
          return Outcome::kIdle;
      }
    }
    return Outcome::kAgain;
  }

  MonotonicNs wake_at() const override { return paused_until_; }
  bool urgent() const override { return false; }
  void RequestStop() override { stopping_.store(true, std::memory_order_release); }

 private:
  void Dispatch(const AcceptedConnection& accepted) {
    engine::ConnectionLog& log = engine_.connection_log();
    std::unique_ptr<PooledConnection> connection;
    try {
      connection = std::make_unique<PooledConnection>(engine_, accepted, clients_);
    } catch (const std::bad_alloc&) {
      RefuseWithoutMemory(log, accepted);
      return;
    }
    log.Stamp(accepted.connection_id, engine::ConnectionPhase::kDispatched, MonotonicNow());
    const Status added =
        pool_.GroupOf(accepted.connection_id).Add(std::move(connection), accepted.fd);
    if (!added.ok()) {
      RefuseConnection(log, accepted,
                       Status::Fatal(sqlstate::kTooManyConnections,
                                     "could not watch the connection: " + added.error().message));
    }
  }

  engine::Engine& engine_;
  const Listener& listener_;
  ThreadPool& pool_;
  std::atomic<int64_t>& clients_;
  std::atomic<bool> stopping_{false};
  MonotonicNs paused_until_ = kNoDeadline;
};

int64_t RoundedUp(int64_t all, int64_t parts) { return (all + parts - 1) / parts; }

class ThreadPoolModel : public Model {
 public:
  explicit ThreadPoolModel(const ModelContext& context)
      : context_(context), groups_(GroupsOf(context.settings)), limits_(LimitsOf(context)) {}

  ResourceNeeds Needs() const override {
    const ModelSettings& settings = context_.settings;
    const int64_t workers = int64_t{groups_} * limits_.workers;
    const int64_t threads = settings.max_workers != 0
                                ? int64_t{groups_} * limits_.max_workers
                                : workers + context_.engine.config().max_connections;
    return {.descriptors = context_.engine.config().max_connections + 3 * int64_t{groups_},
            .tasks = threads,
            .memory_mappings = 2 * threads};
  }

  bool OneServerProcess() const override { return true; }

  Status Start(ProcessSpawner& spawner) override {
    if (context_.settings.workers != 0 && groups_ > context_.settings.workers) {
      return Status::Error(sqlstate::kInvalidParameterValue,
                           "thread_pool_groups (" + std::to_string(groups_) +
                               ") is more than workers (" +
                               std::to_string(context_.settings.workers) + ")")
          .WithHint("Each group has a worker at least: lower thread_pool_groups or raise workers.");
    }
    return spawner.Fork(ChildKind::kServer, [this] { return Run(); }).status();
  }

 private:
  static int GroupsOf(const ModelSettings& settings) {
    return static_cast<int>(std::max<int64_t>(1, settings.thread_pool_groups));
  }

  // Of one group.
  GroupLimits LimitsOf(const ModelContext& context) const {
    const ModelSettings& settings = context.settings;
    GroupLimits limits;
    const int64_t cores = std::max<int64_t>(1, std::thread::hardware_concurrency());
    const int64_t workers = RoundedUp(settings.workers != 0 ? settings.workers : cores, groups_);
    // By chance all that wait for locks may be in one group.
    const int64_t max_workers = settings.max_workers != 0
                                    ? RoundedUp(settings.max_workers, groups_)
                                    : workers + context.engine.config().max_connections;
    limits.workers = static_cast<int>(workers);
    limits.max_workers = static_cast<int>(std::max(max_workers, workers + 1));
    limits.stack_bytes = static_cast<size_t>(settings.thread_stack_bytes);
    limits.stall_limit_ns = settings.stall_limit_ms * kNanosecondsPerMillisecond;
    limits.kickup_ns = settings.prio_kickup_timer_ms * kNanosecondsPerMillisecond;
    return limits;
  }

  // The server process: its main thread watches the groups and waits for SIGTERM.
  int Run() {
    const TerminationSignal termination;
    const SessionEndSignal session_end;
    std::atomic<int64_t> clients = 0;
    ThreadPool pool(groups_, limits_, [this](int group) {
      return context_.engine.OpenPoolAccount(group, limits_.workers);
    });
    Status status = pool.Start();
    for (const auto& group : pool.groups()) {
      for (const Listener& listener : context_.listeners.listeners()) {
        if (!status.ok()) break;
        status = group->Add(std::make_unique<AcceptTask>(context_.engine, listener, pool, clients),
                            listener.fd(), /*exclusive=*/true);
      }
    }
    if (!status.ok()) {
      LogLine("thread-pool: " + status.error().message);
      return 1;
    }
    pool.Watch(termination.fd(), session_end.fd(), [&] {
      session_end.Clear();
      const std::vector<engine::EndingSession> ending = context_.engine.ending_sessions();
      pool.RequestStopOf([&](uint32_t id) { return Contains(ending, id); });
    });
    // The supervisor has asked, too, but its wake-up cannot reach threads that sleep on private
    // futexes.
    context_.engine.RequestShutdown();
    pool.Stop();
    return 0;
  }

  const ModelContext context_;
  const int groups_;
  const GroupLimits limits_;
};

}  // namespace

std::unique_ptr<Model> MakeThreadPoolModel(const ModelContext& context) {
  return std::make_unique<ThreadPoolModel>(context);
}

}  // namespace connbench::models
