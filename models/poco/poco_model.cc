// `poco`: Poco::Net::TCPServer, as what a user of that library gets who sizes its thread pool and
// its queue. What this project takes Poco for otherwise stands beside the measured path; here it is
// the measured path.
//
// Accepting    One thread for each listener, Poco's own: an epoll set is made, filled, asked and
//              closed for every connection, with a timeout of 250 ms; then one accept, and one
//              setsockopt (TCP_NODELAY, which the socket has inherited already). The accept itself
//              is everybody's (Listener::Accept), so that phases are stamped alike.
// Dispatching  Into TCPServerDispatcher's queue of notifications, from which pooled threads take; a
//              thread that is idle for 10 s leaves the dispatcher and returns to the pool. When
//              poco_queue connections wait, Poco closes further ones without a word.
// State        A session lives on its thread, as in `thread`.
// Waiting      The thread blocks. A session has its thread to itself until it ends, so that the
//              holder of a lock can always run its next statement; who waits in the queue holds
//              nothing.
// Refusing     With the default, a few more threads than max_connections, the engine refuses past
//              the limit (53300). With fewer (poco_threads) clients wait in Poco's queue, accepted
//              but unanswered.
// Ending       SIGTERM: Poco stops accepting (within its 250 ms), every session is asked to end
//              (57P01), and the process ends when the pool's threads have.
// Must not     No exception may leave a connection: Poco would print it and go on.
#include <Poco/Exception.h>
#include <Poco/Net/ServerSocket.h>
#include <Poco/Net/ServerSocketImpl.h>
#include <Poco/Net/StreamSocketImpl.h>
#include <Poco/Net/TCPServer.h>
#include <Poco/Net/TCPServerConnection.h>
#include <Poco/Net/TCPServerConnectionFactory.h>
#include <Poco/ThreadPool.h>
#include <unistd.h>

#include <algorithm>
#include <cstdio>
#include <functional>
#include <memory>
#include <mutex>
#include <span>
#include <unordered_set>
#include <utility>
#include <vector>

#include "base/server_log.h"
#include "models/connection.h"
#include "models/model.h"
#include "models/server_process.h"

namespace connbench::models {
namespace {

namespace net = Poco::Net;

// With the default number of threads: those that are left to refuse clients past the limit.
constexpr int64_t kRefusingThreads = 4;

// An accepted socket that knows its connection. Poco closes it when nobody refers to it any more.
class AcceptedSocket : public net::StreamSocketImpl {
 public:
  explicit AcceptedSocket(const AcceptedConnection& accepted)
      : net::StreamSocketImpl(accepted.fd), connection(accepted) {}
  const AcceptedConnection connection;
};

// One of our listeners in Poco's clothes.
class ListenerSocketImpl : public net::ServerSocketImpl {
 public:
  ListenerSocketImpl(const Listener& listener, engine::ConnectionLog& log,
                     std::function<bool()> queue_is_full)
      : listener_(listener), log_(log), queue_is_full_(std::move(queue_is_full)) {
    reset(dup(listener.fd()));
  }

  // Throws when nobody is there any more; TCPServer goes on.
  net::SocketImpl* acceptConnection(net::SocketAddress& /*client*/) override {
    // The silent ones are being sent away, and Poco would drop whoever comes meanwhile.
    if (log_.admission().RoomWanted(MonotonicNow()) && queue_is_full_()) {
      usleep(kAcceptPauseMs * 1000);
      throw Poco::TimeoutException("no place for another");
    }
    AcceptedConnection connection;
    switch (listener_.Accept(log_, connection)) {
      case Listener::AcceptResult::kAccepted:
        log_.Stamp(connection.connection_id, engine::ConnectionPhase::kDispatched, MonotonicNow());
        return new AcceptedSocket(connection);
      case Listener::AcceptResult::kExhausted:
        usleep(kAcceptPauseMs * 1000);
        break;
      case Listener::AcceptResult::kNone:
        break;
    }
    throw Poco::TimeoutException("nobody to accept");
  }

 private:
  const Listener listener_;
  engine::ConnectionLog& log_;
  const std::function<bool()> queue_is_full_;
};

class ListenerSocket : public net::ServerSocket {
 public:
  ListenerSocket(const Listener& listener, engine::ConnectionLog& log,
                 std::function<bool()> queue_is_full)
      : net::ServerSocket(new ListenerSocketImpl(listener, log, std::move(queue_is_full)), true) {}
};

// The sessions that are being served, so that they can be asked to stop.
class Sessions {
 public:
  void Serve(engine::Engine& engine, const AcceptedConnection& connection) {
    ConnectionStop stop(connection);
    {
      const std::lock_guard lock(mutex_);
      stops_.insert(&stop);
      if (stopping_) stop.Request();
    }
    ServeConnection(engine, connection, stop);
    const std::lock_guard lock(mutex_);
    stops_.erase(&stop);
  }
  void StopThose(std::span<const engine::EndingSession> ending) {
    const std::lock_guard lock(mutex_);
    for (ConnectionStop* stop : stops_) {
      if (Contains(ending, stop->connection_id())) stop->Request();
    }
  }
  void StopAll() {
    const std::lock_guard lock(mutex_);
    stopping_ = true;
    for (ConnectionStop* stop : stops_) stop->Request();
  }

 private:
  std::mutex mutex_;
  std::unordered_set<ConnectionStop*> stops_;
  bool stopping_ = false;
};

class PocoConnection : public net::TCPServerConnection {
 public:
  PocoConnection(const net::StreamSocket& socket, engine::Engine& engine, Sessions& sessions)
      : net::TCPServerConnection(socket), engine_(engine), sessions_(sessions) {}

  void run() override {
    const auto* accepted = dynamic_cast<const AcceptedSocket*>(socket().impl());
    if (accepted != nullptr) Serve(accepted->connection);
  }

 private:
  // noexcept: Poco would catch whatever comes, also the end of the thread in the middle of a
  // session.
  void Serve(const AcceptedConnection& connection) noexcept {
    sessions_.Serve(engine_, connection);
  }

  engine::Engine& engine_;
  Sessions& sessions_;
};

class PocoConnectionFactory : public net::TCPServerConnectionFactory {
 public:
  PocoConnectionFactory(engine::Engine& engine, Sessions& sessions)
      : engine_(engine), sessions_(sessions) {}
  net::TCPServerConnection* createConnection(const net::StreamSocket& socket) override {
    return new PocoConnection(socket, engine_, sessions_);
  }

 private:
  engine::Engine& engine_;
  Sessions& sessions_;
};

class PocoModel : public Model {
 public:
  explicit PocoModel(const ModelContext& context) : context_(context) {}

  ResourceNeeds Needs() const override {
    return {.descriptors = Threads() + Queue(),
            .tasks = Threads() + 2,
            .memory_mappings = 2 * Threads()};
  }

  bool OneServerProcess() const override { return true; }

  Status Start(ProcessSpawner& spawner) override {
    return spawner.Fork(ChildKind::kServer, [this] { return Run(); }).status();
  }

 private:
  int64_t Threads() const {
    return context_.settings.poco_threads != 0
               ? context_.settings.poco_threads
               : context_.engine.config().max_connections + kRefusingThreads;
  }
  int64_t Queue() const {
    return context_.settings.poco_queue != 0 ? context_.settings.poco_queue
                                             : context_.settings.listen_backlog;
  }

  int Run() {
    const TerminationSignal termination;
    const SessionEndSignal session_end;
    try {
      Serve(termination, session_end);
      return 0;
    } catch (const Poco::Exception& error) {
      LogLine("poco: " + error.displayText());
      return 1;
    }
  }

  void Serve(const TerminationSignal& termination, const SessionEndSignal& session_end) {
    constexpr int kIdleSeconds = 60;
    Sessions sessions;
    Poco::ThreadPool pool(1, static_cast<int>(Threads()), kIdleSeconds,
                          static_cast<int>(context_.settings.thread_stack_bytes));
    net::TCPServerParams::Ptr parameters = new net::TCPServerParams;
    parameters->setMaxThreads(static_cast<int>(Threads()));
    parameters->setMaxQueued(static_cast<int>(Queue()));
    net::TCPServerConnectionFactory::Ptr factory =
        new PocoConnectionFactory(context_.engine, sessions);
    std::vector<std::unique_ptr<net::TCPServer>> servers;
    for (const Listener& listener : context_.listeners.listeners()) {
      const size_t number = servers.size();
      servers.push_back(std::make_unique<net::TCPServer>(
          factory, pool,
          ListenerSocket(
              listener, context_.engine.connection_log(),
              [&servers, number, this] { return servers[number]->queuedConnections() >= Queue(); }),
          parameters));
    }
    for (const auto& server : servers) server->start();
    int ticks = 0;  // in a row at which somebody waited for a thread
    WaitForTermination(
        termination, session_end, [&] { sessions.StopThose(context_.engine.ending_sessions()); },
        [&] {
          const bool waits = std::any_of(servers.begin(), servers.end(), [](const auto& server) {
            return server->queuedConnections() > 0;
          });
          ticks = waits ? ticks + 1 : 0;
          if (ticks > 1) context_.engine.connection_log().admission().WantRoom(MonotonicNow());
        });
    context_.engine.RequestShutdown();
    for (const auto& server : servers) server->stop();
    sessions.StopAll();
    pool.joinAll();
    // The factory's pointer counts its users, which the analyzer does not see.
    // NOLINTNEXTLINE(clang-analyzer-cplusplus.NewDeleteLeaks)
  }

  const ModelContext context_;
};

}  // namespace

std::unique_ptr<Model> MakePocoModel(const ModelContext& context) {
  return std::make_unique<PocoModel>(context);
}

}  // namespace connbench::models
