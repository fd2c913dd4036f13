// `prefork`: a fixed set of processes, forked before any client comes, each of which accepts for
// itself and serves one connection at a time.
//
// Accepting    Every idle process waits at the shared listeners, each in an epoll set of its own
//              with EPOLLEXCLUSIVE, so that a client wakes one of them. There is no acceptor to
//              queue at: accepting is as parallel as the processes. accept_strategy=reuseport gives
//              each a socket of its own: whoever the kernel has put to a process that is busy waits
//              for that one, however many others are idle.
// Dispatching  None: who accepts serves. kDispatched and kAccepted are the same moment.
// State        A session is its process's private heap, as in `fork`. The process lives on after
//              it: page tables and caches are warm for the next client, and whatever a session
//              leaked would stay, so after prefork_max_sessions of them the process ends and the
//              supervisor forks another (Apache: MaxConnectionsPerChild).
// Waiting      The process blocks, in recv() for its client, in futex() for a lock. A session has
//              its process to itself until it ends, so the holder of a lock can always run its next
//              statement: nothing that is authenticated is ever queued.
// Refusing     With the default, one process more than max_connections (and some), a connection
//              past the limit finds a process and is refused by the engine (53300). With fewer
//              (prefork_processes) nobody is refused: clients wait in the listen backlog, not yet
//              accepted, until a session ends. Connecting then takes as long as others stay; a
//              process whose client is silent looks at the listeners now and then, and lets that
//              one go when somebody waits there.
// Ending       SIGTERM ends an idle process at once and a busy one's session with 57P01; SIGQUIT
//              ends either (backend_signals.h).
// Must not     The supervisor must not accept; a process must not accept while it has a client.
#include <unistd.h>

#include <algorithm>
#include <unordered_map>

#include "models/accept_wait.h"
#include "models/backend_signals.h"
#include "models/connection.h"
#include "models/model.h"
#include "models/server_process.h"

namespace connbench::models {
namespace {

// With the default number of processes: those that are left to refuse clients past the limit.
constexpr int64_t kRefusingChildren = 4;
// A client who has waited for so long while all that are idle were woken finds none idle.
constexpr unsigned kIdleTakesWithinUs = 20'000;

class PreforkModel : public Model {
 public:
  explicit PreforkModel(const ModelContext& context) : context_(context) {}

  ResourceNeeds Needs() const override { return {.descriptors = 1, .tasks = Processes()}; }

  Status Start(ProcessSpawner& spawner) override {
    for (int64_t i = 0; i < Processes(); ++i) CONNBENCH_RETURN_IF_ERROR(Fork(i, spawner));
    return {};
  }

  bool OnPooledEnd(pid_t child, ProcessSpawner& spawner) override {
    const auto ended = numbers_.find(child);
    if (!Fork(ended->second, spawner).ok()) return false;
    numbers_.erase(ended);
    return true;
  }

  int64_t AcceptingTasks() const override { return Processes(); }

 private:
  Status Fork(int64_t number, ProcessSpawner& spawner) {
    CONNBENCH_ASSIGN_OR_RETURN(const pid_t child, spawner.Fork(ChildKind::kPooled, [this, number] {
      return Run(number);
    }));
    numbers_.insert_or_assign(child, number);
    return {};
  }

  int64_t Processes() const {
    return context_.settings.prefork_processes != 0
               ? context_.settings.prefork_processes
               : context_.engine.config().max_connections + kRefusingChildren;
  }

  int Run(int64_t number) {
    const TerminationSignal termination;
    AcceptWait clients;
    context_.listeners.CloseOtherShares(number);
    if (!clients.Open(context_.listeners.Share(number), termination.fd()).ok()) return 1;
    const int64_t max_sessions = context_.settings.prefork_max_sessions;
    MonotonicNs pause_until = kNoDeadline;
    for (int64_t served = 0; max_sessions == 0 || served < max_sessions;) {
      const Listener* listener = nullptr;
      switch (clients.Wait(listener, pause_until)) {
        case AcceptWait::Event::kTermination:
          return 0;
        case AcceptWait::Event::kDeadline:
        case AcceptWait::Event::kWoken:
        case AcceptWait::Event::kSessionEnd:
          pause_until = kNoDeadline;
          clients.Pause(false);
          continue;
        case AcceptWait::Event::kClient:
          break;
      }
      AcceptedConnection connection;
      switch (listener->Accept(context_.engine.connection_log(), connection)) {
        case Listener::AcceptResult::kNone:
          continue;
        case Listener::AcceptResult::kExhausted:
          pause_until = MonotonicNow() + kAcceptPauseMs * kNanosecondsPerMillisecond;
          clients.Pause(true);
          continue;
        case Listener::AcceptResult::kAccepted:
          break;
      }
      Serve(connection, clients);
      ++served;
      // The SIGTERM that ended the session is spent.
      if (context_.engine.ShutdownRequested()) return 0;
    }
    return 0;
  }

  void Serve(const AcceptedConnection& connection, const AcceptWait& clients) {
    context_.engine.connection_log().Stamp(connection.connection_id,
                                           engine::ConnectionPhase::kDispatched, MonotonicNow());
    ConnectionStop stop(connection);
    // A SIGTERM that came just before is delivered now.
    backend_signals::BeginBackend(context_.engine, stop);
    ServeConnection(context_.engine, connection, stop, protocol::Counterpart::kClient, [&] {
      // An idle process takes a client within that time.
      if (!clients.SomebodyWaits()) return false;
      usleep(kIdleTakesWithinUs);
      return clients.SomebodyWaits();
    });
    backend_signals::EndBackend();
    close(connection.fd);
  }

  const ModelContext context_;
  // In the supervisor: which of the accepting tasks a process is.
  std::unordered_map<pid_t, int64_t> numbers_;
};

}  // namespace

std::unique_ptr<Model> MakePreforkModel(const ModelContext& context) {
  return std::make_unique<PreforkModel>(context);
}

}  // namespace connbench::models
