// `thread-pool`: a fixed number of workers serve whichever sessions have something to do, after
// the thread pools of MariaDB, Percona and MySQL Enterprise.
//
// Accepting    A listener is a task like any other: a worker that finds somebody waiting accepts.
// Dispatching  Sockets are in one epoll set. The worker that polls runs what it finds itself, and
//              polls again when it is done: while statements are short, one worker is an event loop
//              that never hands anything over. When more is queued than it could do in about 0.1
//              ms, or when it has not polled for 1 ms, it gets company, up to `workers` active
//              ones. Sessions inside a transaction go first, because others may wait for their
//              locks.
// State        A session belongs to no thread: between two messages it is heap memory. Any worker
//              may serve the next one.
// Waiting      A worker that waits for a lock, or for a client that does not read, blocks as a
//              thread does. Before it does it tells the pool, which puts another worker in its
//              place, up to max_workers. With the default (workers + max_connections) there is
//              always one left to run the statement that releases the lock, however many sessions
//              wait. A statement that computes for longer than stall_limit is treated the same.
// Refusing     A connection past the limit is accepted, gets its session object, and is refused
//              when the engine's session starts (53300). It costs no thread.
// Ending       SIGTERM: the main thread asks every session to stop (57P01), and the process ends
//              when they all have. A crash of one worker is a crash of the process.
// Must not     No worker may wait for a client outside a BlockedScope, or keep anything of a
//              session for longer than one Serve().
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <memory>
#include <mutex>
#include <thread>
#include <vector>

#include "models/connection.h"
#include "models/model.h"
#include "models/server_process.h"
#include "models/thread_pool/pool.h"

namespace connbench::models {
namespace {

// Receive buffers that one session may fill in a row before others have their turn.
constexpr int kBuffersInARow = 4;

// One client.
class PooledConnection : public PoolTask, public engine::Waiter, public protocol::OutputChannel {
 public:
  PooledConnection(engine::Engine& engine, const AcceptedConnection& accepted)
      : engine_(engine),
        accepted_(accepted),
        stop_(accepted),
        session_(std::make_unique<protocol::ServerSession>(
            engine, *this, *this, accepted.connection_id, accepted.Origin())) {}

  Outcome Serve(PoolWorker& worker, std::span<char> buffer) override {
    worker_ = &worker;
    if (!started_) {
      started_ = true;
      engine_.connection_log().Stamp(accepted_.connection_id, engine::ConnectionPhase::kStarted,
                                     MonotonicNow());
    }
    for (int i = 0; i < kBuffersInARow; ++i) {
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
  const AcceptedConnection accepted_;
  ConnectionStop stop_;
  engine::BlockingWaiter blocking_waiter_;
  PoolWorker* worker_ = nullptr;  // while it is served
  bool started_ = false;
  std::unique_ptr<protocol::ServerSession> session_;
  std::mutex closing_;  // a stop must not reach the next connection that gets the same descriptor
  bool closed_ = false;
};

// A listener with somebody waiting.
class AcceptTask : public PoolTask {
 public:
  AcceptTask(engine::Engine& engine, const Listener& listener)
      : engine_(engine), listener_(listener) {}

  Outcome Serve(PoolWorker& worker, std::span<char> /*buffer*/) override {
    if (stopping_.load(std::memory_order_acquire)) return Outcome::kDone;
    engine::ConnectionLog& log = engine_.connection_log();
    paused_until_ = kNoDeadline;
    for (int i = 0; i < kAcceptBatch; ++i) {
      AcceptedConnection accepted;
      switch (listener_.Accept(log, accepted)) {
        case Listener::AcceptResult::kAccepted:
          Dispatch(worker.pool(), accepted);
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
  void RequestStop() override {
    stopping_.store(true, std::memory_order_release);
    shutdown(listener_.fd(), SHUT_RD);  // makes it readable
  }

 private:
  void Dispatch(Pool& pool, const AcceptedConnection& accepted) {
    engine::ConnectionLog& log = engine_.connection_log();
    auto connection = std::make_unique<PooledConnection>(engine_, accepted);
    log.Stamp(accepted.connection_id, engine::ConnectionPhase::kDispatched, MonotonicNow());
    const Status added = pool.Add(std::move(connection), accepted.fd);
    if (!added.ok()) {
      RefuseConnection(log, accepted,
                       Status::Fatal(sqlstate::kTooManyConnections,
                                     "could not watch the connection: " + added.error().message));
    }
  }

  engine::Engine& engine_;
  const Listener& listener_;
  std::atomic<bool> stopping_{false};
  MonotonicNs paused_until_ = kNoDeadline;
};

PoolLimits LimitsOf(const ModelContext& context) {
  const ModelSettings& settings = context.settings;
  PoolLimits limits;
  limits.workers = static_cast<int>(
      settings.workers != 0 ? settings.workers
                            : std::max<int64_t>(1, std::thread::hardware_concurrency()));
  const int64_t all_may_wait = limits.workers + int64_t{context.engine.config().max_connections};
  limits.max_workers = static_cast<int>(std::max<int64_t>(
      settings.max_workers != 0 ? settings.max_workers : all_may_wait, limits.workers + 1));
  limits.stack_bytes = static_cast<size_t>(settings.thread_stack_bytes);
  limits.stall_limit_ns = settings.stall_limit_ms * kNanosecondsPerMillisecond;
  return limits;
}

// The server process: its main thread watches the pool and waits for SIGTERM.
int RunServer(const ModelContext& context) {
  const TerminationSignal termination;
  const SessionEndSignal session_end;
  const PoolLimits limits = LimitsOf(context);
  Pool pool(limits, context.engine.OpenPoolAccount(0, limits.workers));
  Status status = pool.Start();
  for (const Listener& listener : context.listeners.listeners()) {
    if (!status.ok()) break;
    status = pool.Add(std::make_unique<AcceptTask>(context.engine, listener), listener.fd());
  }
  if (!status.ok()) {
    std::fprintf(stderr, "connbench: thread-pool: %s\n", status.error().message.c_str());
    return 1;
  }
  bool busy = true;
  pollfd polled[3] = {
      {termination.fd(), POLLIN, 0}, {pool.monitor_fd(), POLLIN, 0}, {session_end.fd(), POLLIN, 0}};
  constexpr timespec kPeriod = {0, Pool::kMonitorPeriodNs};
  while (polled[0].revents == 0) {
    if (ppoll(polled, 3, busy ? &kPeriod : nullptr, nullptr) < 0) continue;
    if (polled[1].revents != 0) {
      uint64_t count = 0;
      (void)!read(pool.monitor_fd(), &count, sizeof(count));
    }
    if (polled[2].revents != 0) {
      session_end.Clear();
      const std::vector<engine::EndingSession> ending = context.engine.ending_sessions();
      pool.RequestStopOf([&](uint32_t id) { return Contains(ending, id); });
    }
    busy = pool.Monitor();
  }
  context.engine.RequestShutdown();
  pool.Stop();
  return 0;
}

class ThreadPoolModel : public Model {
 public:
  explicit ThreadPoolModel(const ModelContext& context) : context_(context) {}

  ResourceNeeds Needs() const override {
    const PoolLimits limits = LimitsOf(context_);
    return {.descriptors = context_.engine.config().max_connections,
            .tasks = limits.max_workers,
            .memory_mappings = 2 * int64_t{limits.max_workers}};
  }

  bool OneServerProcess() const override { return true; }

  Status Start(ProcessSpawner& spawner) override {
    const Result<pid_t> server =
        spawner.Fork(ChildKind::kServer, [this] { return RunServer(context_); });
    return server.status();
  }

 private:
  const ModelContext context_;
};

}  // namespace

std::unique_ptr<Model> MakeThreadPoolModel(const ModelContext& context) {
  return std::make_unique<ThreadPoolModel>(context);
}

}  // namespace connbench::models
