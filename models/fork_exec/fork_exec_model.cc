// `fork-exec`: a process for every connection that begins with nothing: fork() and exec() of a
// program, which attaches the segment by its name, as PostgreSQL does where there is no fork
// (EXEC_BACKEND). The upper bound of what a process costs to start.
//
// Accepting    As in `fork`: the supervisor accepts, one connection after the other.
// Dispatching  fork() and exec() of connbench-backend. PostgreSQL executes its one program; ours
//              has libraries that no such server has (Poco, for the model of that name), whose
//              thousands of symbols the dynamic linker would bind for every connection, so that the
//              backend is a program of its own. PostgreSQL writes what the child must know to a
//              file; here it is arguments (the segment's name, the socket, the connection's id, the
//              files of rules and certificate), and the settings are read from the segment.
//              kStarted is stamped as soon as the segment is attached, so that the phase `start`
//              holds the fork, the exec, the dynamic linker and the mapping.
// State        A session is the child's private heap; nothing is shared copy-on-write with the
//              supervisor, and the segment lies at another address in every process.
// Waiting      The child blocks: in recv() for its client, in futex() for a lock. Each session has
//              a process to itself, so the holder of a lock can always run.
// Refusing     As in `fork`: a connection past the limit gets its process and is refused there.
// Ending       As in `fork`. The signal handlers are installed anew; until then SIGTERM and SIGQUIT
//              are blocked, as exec() inherits them.
// Must not     The parent must not leave a descriptor without close-on-exec but the one socket.
#include <unistd.h>

#include <cerrno>
#include <cstring>

#include "models/accept_and_fork.h"
#include "models/connection.h"
#include "models/fork_exec/exec_backend.h"
#include "models/model.h"

namespace connbench::models {
namespace {

class ForkExecModel : public Model {
 public:
  explicit ForkExecModel(const ModelContext& context) : context_(context) {}

  ResourceNeeds Needs() const override {
    return {.descriptors = 1, .tasks = context_.engine.config().max_connections};
  }

  Status Start(ProcessSpawner& /*spawner*/) override {
    if (context_.engine.segment_name().empty()) {
      return Status::Error(sqlstate::kInvalidParameterValue,
                           "fork-exec attaches the segment by its name, and this one has none")
          .WithHint(
              "Leave segment_backing at \"named\", or use the model fork, which inherits it.");
    }
    if (access(context_.backend_program.c_str(), X_OK) != 0) {
      return Status::System("cannot execute " + context_.backend_program, errno)
          .WithHint("It is built beside connbench: ./connbench build");
    }
    return {};
  }

  bool AcceptsInSupervisor() const override { return true; }

  bool OnReadable(Listener& listener, ProcessSpawner& spawner) override {
    return AcceptAndFork(
        context_.engine.connection_log(), listener, spawner,
        [this](const AcceptedConnection& connection) { return BecomeBackend(connection); });
  }

 private:
  int BecomeBackend(const AcceptedConnection& connection) {
    const int error =
        ExecBackend(context_.backend_program, {context_.engine.segment_name(), connection.fd,
                                               connection.connection_id, context_.security});
    RefuseConnection(context_.engine.connection_log(), connection,
                     Status::Fatal(sqlstate::kSystemError,
                                   std::string("could not execute the backend's program: ") +
                                       std::strerror(error)));
    return 1;
  }

  const ModelContext context_;
};

}  // namespace

std::unique_ptr<Model> MakeForkExecModel(const ModelContext& context) {
  return std::make_unique<ForkExecModel>(context);
}

}  // namespace connbench::models
