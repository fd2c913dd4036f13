// `pool-tx`: an event loop owns the clients' sockets and leases a backend process to each for the
// length of a transaction, as PgBouncer does. `pool-tx-thread`: the same with backend threads.
//
// Accepting    The pooler, one process with one thread, accepts into its event loop.
// Dispatching  A client has no backend until one of its messages needs one. Then it gets the
//              backend that was used last, or waits in line, and keeps it until its transaction is
//              over (pool_mode=transaction), until it leaves (session), or, with transactions of
//              several statements refused, until its statement is over (statement). Every message
//              takes two hops more than without a pooler, and the pooler has one core.
// Backends     pool_size of them, made at start: processes forked by the supervisor, or threads of
//              the pooler's process. Each speaks the wire protocol on a socket pair, one session
//              after the other (pooled_backend.h).
// State        What belongs to the client's connection lives in the pooler: authentication, the
//              text of its prepared statements, its settings. Statements are prepared on the
//              backend at hand when it lacks them; settings are applied when they differ. SQL's
//              PREPARE stays on the backend, as with PgBouncer; docs/architecture.md has the whole
//              table.
// Waiting      Who waits for a lock has a backend, and so has who holds it: a transaction keeps its
//              backend to its end, so that its next statement needs none that others wait with.
//              Clients without a backend wait in line, and hold nothing that others need.
// Refusing     max_connections bounds clients, and is checked by the pooler when a session starts
//              (53300). For want of a backend a client is refused after query_wait_timeout;
//              superusers have some in reserve.
// Ending       SIGTERM: every client is told 57P01, and the backends end with the sessions that are
//              in the middle of something. A crash of a backend is a crash of the server.
// Must not     The pooler must not look into a message further than to its statement's name, must
//              not run a statement of its own between two of a transaction, and must not give a
//              backend away anywhere but at a message boundary. README.md says how.
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <cstdio>
#include <thread>
#include <utility>
#include <vector>

#include "base/server_log.h"
#include "models/backend_signals.h"
#include "models/loop/event_descriptors.h"
#include "models/loop/loop_connection.h"
#include "models/loop/loop_process.h"
#include "models/model.h"
#include "models/pool_tx/pooled_backend.h"
#include "models/pool_tx/pooler.h"

namespace connbench::models {
namespace {

constexpr int kDefaultPoolSize = 20;  // PgBouncer's

enum class BackendKind : uint8_t { kProcess, kThread };

class PoolTxModel : public Model {
 public:
  PoolTxModel(const ModelContext& context, BackendKind backends)
      : context_(context),
        backends_(backends),
        pool_size_(PoolSize(context)),
        all_backends_(pool_size_ + Reserve(context, pool_size_)) {}
  ~PoolTxModel() override { CloseAll(); }

  ResourceNeeds Needs() const override {
    const int64_t clients = context_.engine.config().max_connections;
    return {.descriptors = clients + 2 * int64_t{all_backends_},
            .tasks = all_backends_ + 1,
            .memory_mappings = 2 * clients};  // each may wait in line, with a stack
  }

  bool OneServerProcess() const override { return backends_ == BackendKind::kThread; }

  Status Start(ProcessSpawner& spawner) override {
    const int slots = context_.engine.config().max_connections;
    if (pool_size_ > slots) {
      return Status::Error(sqlstate::kInvalidParameterValue,
                           "pool_size (" + std::to_string(pool_size_) +
                               ") is more than the backend slots (max_connections, " +
                               std::to_string(slots) + ")")
          .WithHint("Lower pool_size or raise max_connections.");
    }
    CONNBENCH_RETURN_IF_ERROR(event_descriptor_.Open(1));
    CONNBENCH_RETURN_IF_ERROR(mark_.Make());
    for (int i = 0; i < all_backends_; ++i) {
      int ends[2];
      if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends) != 0) {
        return Status::System("cannot make a socket pair for each backend", errno);
      }
      pooler_ends_.push_back(ends[0]);
      backend_ends_.push_back(ends[1]);
    }
    if (backends_ == BackendKind::kProcess) {
      for (int i = 0; i < all_backends_; ++i) {
        CONNBENCH_RETURN_IF_ERROR(
            spawner.Fork(ChildKind::kServer, [this, i] { return RunBackendProcess(i); }).status());
      }
    }
    CONNBENCH_RETURN_IF_ERROR(
        spawner.Fork(ChildKind::kServer, [this] { return RunPooler(); }).status());
    CloseAll();
    return {};
  }

 private:
  static int PoolSize(const ModelContext& context) {
    if (context.settings.pool_size != 0) return static_cast<int>(context.settings.pool_size);
    const engine::EngineConfig& config = context.engine.config();
    return std::clamp(config.max_connections - config.superuser_reserved_connections, 1,
                      kDefaultPoolSize);
  }

  // As many as there are slots for beyond the pool.
  static int Reserve(const ModelContext& context, int pool_size) {
    const int64_t left = context.engine.config().max_connections - pool_size;
    return static_cast<int>(std::clamp<int64_t>(context.settings.pool_superuser_reserve, 0,
                                                std::max<int64_t>(left, 0)));
  }

  static void CloseEnds(std::vector<int>& ends) {
    for (int& end : ends) {
      if (end >= 0) close(std::exchange(end, -1));
    }
  }
  void CloseAll() {
    CloseEnds(pooler_ends_);
    CloseEnds(backend_ends_);
  }

  int RunBackendProcess(int number) {
    context_.listeners.Close();
    CloseEnds(pooler_ends_);
    const int fd = std::exchange(backend_ends_[number], -1);
    CloseEnds(backend_ends_);
    ConnectionStop stop(fd);
    backend_signals::BeginBackend(context_.engine, stop);
    RunPooledBackend(context_.engine, mark_, stop);
    backend_signals::EndBackend();
    return 0;
  }

  int RunPooler() {
    const TerminationSignal termination;
    const SessionEndSignal session_end;
    EpollLoop loop(static_cast<size_t>(context_.settings.thread_stack_bytes), event_descriptor_[0]);
    const ModelSettings& settings = context_.settings;
    const PoolLimits limits = {
        .mode = static_cast<PoolMode>(settings.pool_mode),
        .query_wait_timeout_ns = settings.query_wait_timeout_ms * kNanosecondsPerMillisecond,
        .client_write_timeout_ns = settings.client_write_timeout_ms * kNanosecondsPerMillisecond};
    Pooler pooler(context_.engine, loop, limits, mark_);
    pooler.KeepAccount(pool_size_);
    Status status = loop.Open();
    if (status.ok()) status = TerminationTask::AddTo(loop, termination);
    if (status.ok()) {
      status = SessionEndTask::AddTo(loop, session_end, [&pooler] { pooler.EndSessions(); });
    }
    for (int i = 0; i < all_backends_ && status.ok(); ++i) {
      status = pooler.AddBackend(std::exchange(pooler_ends_[i], -1), /*reserved=*/i >= pool_size_);
    }
    for (const Listener& listener : context_.listeners.listeners()) {
      if (!status.ok()) break;
      status = LoopAcceptor::AddTo(loop, context_.engine, listener, &pooler);
    }
    if (!status.ok()) {
      LogLine("pool-tx: " + status.error().message);
      return 1;
    }
    std::vector<std::unique_ptr<ConnectionStop>> stops;
    std::vector<std::thread> threads;
    if (backends_ == BackendKind::kThread) {
      for (const int fd : backend_ends_) {
        stops.push_back(std::make_unique<ConnectionStop>(fd));
        threads.emplace_back([this, &stop = *stops.back()]() noexcept {
          RunPooledBackend(context_.engine, mark_, stop);
        });
      }
    } else {
      CloseEnds(backend_ends_);
    }
    loop.Run();
    context_.engine.RequestShutdown();
    for (const auto& stop : stops) stop->Request();
    for (std::thread& thread : threads) thread.join();
    return 0;
  }

  const ModelContext context_;
  const BackendKind backends_;
  const int pool_size_;
  const int all_backends_;             // and those for superusers
  EventDescriptors event_descriptor_;  // one
  SessionMark mark_;
  std::vector<int> pooler_ends_;
  std::vector<int> backend_ends_;
};

}  // namespace

std::unique_ptr<Model> MakePoolTxModel(const ModelContext& context) {
  return std::make_unique<PoolTxModel>(context, BackendKind::kProcess);
}

std::unique_ptr<Model> MakePoolTxThreadModel(const ModelContext& context) {
  return std::make_unique<PoolTxModel>(context, BackendKind::kThread);
}

}  // namespace connbench::models
