// `hybrid`: P processes with T threads each, after Apache's worker MPM: the model that tells the
// address space from the unit of execution.
//
// Accepting    Each process's main thread waits at the shared listeners (EPOLLEXCLUSIVE, so that a
//              client wakes one process), and accepts while its process has a thread to spare.
//              After each client it waits behind the others, so that clients are dealt out in turn.
// Dispatching  Within the process, to a parked thread, as in `thread-cached`. All threads are there
//              before the first client, and none ends before the server does.
// State        A session lives on its thread's stack and in its process's heap. There are P page
//              tables and P tables of descriptors, however many connections there are.
// Waiting      The thread blocks. A session has its thread to itself until it ends, so that the
//              holder of a lock can always run its next statement.
// Refusing     With the default T there are a few more threads than max_connections, and the engine
//              refuses past the limit (53300). With fewer (hybrid_threads), a process whose threads
//              are all taken leaves the listeners to the others, and when all are full clients wait
//              in the listen backlog.
// Ending       SIGTERM: each process stops accepting and asks its sessions to end (57P01). A crash
//              of a thread kills its process, 1/P of the sessions; the supervisor ends the others
//              because the segment may be damaged, without a word to their clients.
// Must not     As in `thread`: no thread may change process-wide state or fork.
#include <algorithm>
#include <thread>

#include "models/model.h"
#include "models/thread/thread_server.h"

namespace connbench::models {
namespace {

// With the default number of threads: those in each process that are left to refuse clients.
constexpr int64_t kRefusersPerProcess = 2;

class HybridModel : public Model {
 public:
  explicit HybridModel(const ModelContext& context) : context_(context) {}

  ResourceNeeds Needs() const override {
    return {.descriptors = Threads(),
            .tasks = Processes() * (Threads() + 1),
            .memory_mappings = 2 * Threads()};
  }

  Status Start(ProcessSpawner& spawner) override {
    for (int64_t i = 0; i < Processes(); ++i) {
      const ThreadServerOptions options = {.cached_threads = Threads(),
                                           .max_threads = Threads(),
                                           .first_threads = Threads(),
                                           .accepting_task = i,
                                           .accepting_tasks = Processes()};
      const Result<pid_t> server =
          spawner.Fork(ChildKind::kServer, [&] { return ThreadServer(context_, options).Run(); });
      if (!server.ok()) return server.status();
    }
    return {};
  }

  bool OneServerProcess() const override { return Processes() == 1; }
  int64_t AcceptingTasks() const override { return Processes(); }

 private:
  int64_t Processes() const {
    return context_.settings.hybrid_processes != 0
               ? context_.settings.hybrid_processes
               : std::max<int64_t>(2, std::thread::hardware_concurrency());
  }
  // A process that is full leaves the clients to the others, so that together they have room.
  int64_t Threads() const {
    return context_.settings.hybrid_threads != 0
               ? context_.settings.hybrid_threads
               : (context_.engine.config().max_connections + Processes() - 1) / Processes() +
                     kRefusersPerProcess;
  }

  const ModelContext context_;
};

}  // namespace

std::unique_ptr<Model> MakeHybridModel(const ModelContext& context) {
  return std::make_unique<HybridModel>(context);
}

}  // namespace connbench::models
