// `fork`: a process for every connection, as PostgreSQL has it.
//
// Accepting    The supervisor itself accepts, as PostgreSQL's postmaster does: there is one
//              acceptor, and while it forks nobody else is accepted. That serial fork() is this
//              model's ceiling on connections per second, and it is meant to be.
// Dispatching  fork(). The parent closes its copy of the socket and forgets the connection but for
//              the child's pid. Startup, authentication and every statement happen in the child, so
//              that a client that says nothing, or lies, costs a process and nothing more.
// State        A session is the child's private heap, copied on write from the parent's, which is
//              therefore kept tiny. The segment is inherited where the supervisor mapped it; each
//              child faults in the pages it touches anew, and pays for its own page tables.
// Waiting      The child blocks: in recv() for its client, in futex() for a lock. Others run
//              meanwhile because the kernel schedules them.
// Refusing     A connection past the limit gets its process, too, and is refused there when the
//              session starts (53300), as PostgreSQL's dead-end children do. When fork() itself
//              fails the parent says so to the client, without blocking, and goes on.
// Ending       SIGTERM makes the child end its session with 57P01, SIGQUIT makes it end at once
//              (backend_signals.h). Ended children are reaped by the supervisor, all at once.
// Must not     The parent must not take a latch in the segment, wait for a client, keep a copy of
//              the socket, or start a thread.
#include "models/accept_and_fork.h"
#include "models/backend_signals.h"
#include "models/connection.h"
#include "models/model.h"

namespace connbench::models {
namespace {

class ForkModel : public Model {
 public:
  explicit ForkModel(const ModelContext& context) : context_(context) {}

  ResourceNeeds Needs() const override {
    return {.descriptors = 1, .tasks = context_.engine.config().max_connections};
  }

  Status Start(ProcessSpawner& /*spawner*/) override { return {}; }

  bool AcceptsInSupervisor() const override { return true; }

  bool OnReadable(Listener& listener, ProcessSpawner& spawner) override {
    return AcceptAndFork(
        context_.engine.connection_log(), listener, spawner,
        [this](const AcceptedConnection& connection) { return ServeBackend(connection); });
  }

 private:
  int ServeBackend(const AcceptedConnection& connection) {
    ConnectionStop stop(connection);
    backend_signals::BeginBackend(context_.engine, stop);
    ServeConnection(context_.engine, connection, stop);
    backend_signals::EndBackend();
    return 0;  // the kernel closes the socket
  }

  const ModelContext context_;
};

}  // namespace

std::unique_ptr<Model> MakeForkModel(const ModelContext& context) {
  return std::make_unique<ForkModel>(context);
}

}  // namespace connbench::models
