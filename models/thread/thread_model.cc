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
#include "models/model.h"
#include "models/thread/thread_server.h"

namespace connbench::models {
namespace {

class ThreadModel : public Model {
 public:
  explicit ThreadModel(const ModelContext& context) : context_(context) {}

  ResourceNeeds Needs() const override {
    const int64_t connections = context_.engine.config().max_connections;
    return {.descriptors = connections, .tasks = connections, .memory_mappings = 2 * connections};
  }

  bool OneServerProcess() const override { return true; }

  Status Start(ProcessSpawner& spawner) override {
    const Result<pid_t> server =
        spawner.Fork(ChildKind::kServer, [this] { return ThreadServer(context_, {}).Run(); });
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
