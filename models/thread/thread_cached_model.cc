// `thread-cached`: a thread for every connection, as in `thread`, but one whose connection has
// ended is parked and serves the next one, as MySQL's thread cache does.
//
// Accepting    As in `thread`: the server process's main thread accepts, and does nothing else.
// Dispatching  To the thread that parked last, if there is one: it finds the socket in its slot,
//              and its stack and caches are the warmest. Otherwise pthread_create().
// State        As in `thread`. The stack of a parked thread, and what malloc keeps for it, stay.
// Waiting      The thread blocks, in recv() for its client, in futex() for a lock or for its next
//              connection. A session has its thread to itself until it ends.
// Refusing     As in `thread`: the engine refuses past the limit (53300), after the thread was
// paid. Ending       As in `thread`. At most thread_cache_size threads are parked (by default as
//              many as MySQL keeps: 8 and one more for every hundred of max_connections); others
//              end.
// Must not     Nothing of a session may be left on its thread: the next one is somebody else's.
#include "models/model.h"
#include "models/thread/thread_server.h"

namespace connbench::models {
namespace {

class ThreadCachedModel : public Model {
 public:
  explicit ThreadCachedModel(const ModelContext& context) : context_(context) {}

  ResourceNeeds Needs() const override {
    const int64_t connections = context_.engine.config().max_connections;
    const int64_t threads = connections + CacheSize();
    return {.descriptors = connections, .tasks = threads, .memory_mappings = 2 * threads};
  }

  bool OneServerProcess() const override { return true; }

  Status Start(ProcessSpawner& spawner) override {
    const Result<pid_t> server = spawner.Fork(ChildKind::kServer, [this] {
      return ThreadServer(context_, {.cached_threads = CacheSize()}).Run();
    });
    return server.status();
  }

 private:
  int64_t CacheSize() const {
    constexpr int64_t kFewest = 8;
    constexpr int64_t kConnectionsPerThread = 100;
    return context_.settings.thread_cache_size >= 0
               ? context_.settings.thread_cache_size
               : kFewest + context_.engine.config().max_connections / kConnectionsPerThread;
  }

  const ModelContext context_;
};

}  // namespace

std::unique_ptr<Model> MakeThreadCachedModel(const ModelContext& context) {
  return std::make_unique<ThreadCachedModel>(context);
}

}  // namespace connbench::models
