// `thread`: a thread for every connection, in one server process.
//
// Accepting    The server process's main thread accepts and does nothing else but wait for SIGTERM.
// Dispatching  pthread_create() of a detached thread, which does startup, authentication and every
//              statement. glibc keeps stacks of ended threads for the next ones.
// State        A session lives on its thread's stack and on the process's heap, next to all others:
//              one address space, one set of page tables, one table of descriptors.
// Waiting      The thread blocks, in recv() for its client, in futex() for a lock.
// Refusing     A connection past the limit gets its thread, too, and is refused there when the
//              session starts (53300). When pthread_create() fails the acceptor says so to the
//              client, without blocking, and goes on.
// Ending       SIGTERM: the main thread stops accepting and asks every thread to stop (57P01), and
//              the process ends when they all have. A crash of one thread is a crash of the
//              process.
// Must not     No thread may change process-wide state (signal masks and handlers, limits, the
//              working directory, umask) or fork.
#include <poll.h>
#include <pthread.h>
#include <unistd.h>

#include <condition_variable>
#include <cstring>
#include <memory>
#include <mutex>
#include <vector>

#include "models/connection.h"
#include "models/model.h"
#include "models/server_process.h"

namespace connbench::models {
namespace {

// The server process, once it runs.
class ThreadServer {
 public:
  explicit ThreadServer(const ModelContext& context) : context_(context) {}

  int Run() {
    const TerminationSignal termination;
    AcceptUntil(termination);
    context_.listeners.Close();
    StopAll();
    return 0;
  }

 private:
  // One connection: made by the acceptor, then its thread's.
  struct Connection {
    Connection(ThreadServer& its_server, const AcceptedConnection& accepted_connection)
        : server(its_server), accepted(accepted_connection), stop(accepted_connection.fd) {}
    ThreadServer& server;
    const AcceptedConnection accepted;
    ConnectionStop stop;
    Connection* next = nullptr;  // both guarded by server.mutex_
    Connection* previous = nullptr;
  };

  void AcceptUntil(const TerminationSignal& termination) {
    std::vector<pollfd> polled = {{termination.fd(), POLLIN, 0}};
    for (const Listener& listener : context_.listeners.listeners()) {
      polled.push_back({listener.fd(), POLLIN, 0});
    }
    while (true) {
      if (poll(polled.data(), polled.size(), -1) <= 0) continue;
      if (polled[0].revents != 0) return;
      for (size_t i = 1; i < polled.size(); ++i) {
        if (polled[i].revents == 0) continue;
        if (AcceptBatch(context_.listeners.listeners()[i - 1])) continue;
        if (termination.WaitUntil(MonotonicNow() + kAcceptPauseMs * kNanosecondsPerMillisecond)) {
          return;
        }
      }
    }
  }

  // False: the machine is out of something.
  bool AcceptBatch(const Listener& listener) {
    engine::ConnectionLog& log = context_.engine.connection_log();
    for (int i = 0; i < kAcceptBatch; ++i) {
      AcceptedConnection accepted;
      const Listener::AcceptResult result = listener.Accept(log, accepted);
      if (result == Listener::AcceptResult::kExhausted) return false;
      if (result == Listener::AcceptResult::kNone) return true;
      Dispatch(accepted);
    }
    return true;
  }

  void Dispatch(const AcceptedConnection& accepted) {
    engine::ConnectionLog& log = context_.engine.connection_log();
    auto connection = std::make_unique<Connection>(*this, accepted);
    Link(*connection);
    log.Stamp(accepted.connection_id, engine::ConnectionPhase::kDispatched, MonotonicNow());
    pthread_attr_t attributes;
    pthread_attr_init(&attributes);
    pthread_attr_setdetachstate(&attributes, PTHREAD_CREATE_DETACHED);
    pthread_attr_setstacksize(&attributes,
                              static_cast<size_t>(context_.settings.thread_stack_bytes));
    pthread_t thread;
    const int error = pthread_create(&thread, &attributes, &ThreadServer::Main, connection.get());
    pthread_attr_destroy(&attributes);
    if (error == 0) {
      (void)connection.release();  // the thread's now
      return;
    }
    Unlink(*connection);
    RefuseConnection(log, accepted,
                     Status::Fatal(sqlstate::kTooManyConnections,
                                   std::string("could not create a thread for connection: ") +
                                       std::strerror(error)));
  }

  static void* Main(void* argument) {
    const std::unique_ptr<Connection> connection(static_cast<Connection*>(argument));
    ThreadServer& server = connection->server;
    ServeConnection(server.context_.engine, connection->accepted, connection->stop);
    server.Unlink(*connection);
    close(connection->accepted.fd);
    return nullptr;
  }

  void Link(Connection& connection) {
    const std::lock_guard lock(mutex_);
    connection.next = first_;
    if (first_ != nullptr) first_->previous = &connection;
    first_ = &connection;
  }

  // Afterwards nobody can request a stop, so that the descriptor may be closed and used again.
  void Unlink(const Connection& connection) {
    const std::lock_guard lock(mutex_);
    (connection.previous != nullptr ? connection.previous->next : first_) = connection.next;
    if (connection.next != nullptr) connection.next->previous = connection.previous;
    if (first_ == nullptr) all_gone_.notify_one();
  }

  void StopAll() {
    std::unique_lock lock(mutex_);
    for (Connection* connection = first_; connection != nullptr; connection = connection->next) {
      connection->stop.Request();
    }
    // The supervisor bounds this wait.
    all_gone_.wait(lock, [this] { return first_ == nullptr; });
  }

  const ModelContext context_;
  std::mutex mutex_;
  std::condition_variable all_gone_;
  Connection* first_ = nullptr;  // every connection that has, or is about to get, a thread
};

class ThreadModel : public Model {
 public:
  explicit ThreadModel(const ModelContext& context) : context_(context) {}

  ResourceNeeds Needs() const override {
    const int64_t connections = context_.engine.config().max_connections;
    return {.descriptors = connections, .tasks = connections, .memory_mappings = 2 * connections};
  }

  Status Start(ProcessSpawner& spawner) override {
    const Result<pid_t> server =
        spawner.Fork(ChildKind::kServer, [this] { return ThreadServer(context_).Run(); });
    return server.status();
  }

 private:
  const ModelContext context_;
};

}  // namespace

std::unique_ptr<Model> MakeThreadModel(const ModelContext& context) {
  return std::make_unique<ThreadModel>(context);
}

}  // namespace connbench::models
