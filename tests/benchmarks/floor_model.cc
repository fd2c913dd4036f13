// The floor under a connect: a server that is a connbench server in everything (supervisor,
// segment, engine, protocol, session) but has no connection model: one thread that blocks in
// accept(), serves that connection to its end, and accepts again. Nothing is staffed, handed over
// or woken; a model that costs more than this costs it for staffing.
//
//   floor_model [name=value ...]     settings as of serve --set
//
// For tests/benchmarks/models_vs_floor.py; not installed. It can serve one client at a time only.
#include <fcntl.h>
#include <unistd.h>

#include <csignal>
#include <cstdio>
#include <memory>
#include <string_view>

#include "models/connection.h"
#include "models/model.h"
#include "models/model_list.h"
#include "models/supervisor.h"

namespace connbench::models {
namespace {

class FloorModel : public Model {
 public:
  explicit FloorModel(const ModelContext& context) : context_(context) {}

  ResourceNeeds Needs() const override { return {.descriptors = 1, .tasks = 1}; }

  Status Start(ProcessSpawner& spawner) override {
    return spawner.Fork(ChildKind::kServer, [this] { return Run(); }).status();
  }

 private:
  int Run() {
    signal(SIGTERM, [](int) { _exit(0); });
    sigset_t set;
    sigemptyset(&set);
    sigaddset(&set, SIGTERM);
    sigprocmask(SIG_UNBLOCK, &set, nullptr);
    const Listener& listener = context_.listeners.listeners()[0];
    fcntl(listener.fd(), F_SETFL, fcntl(listener.fd(), F_GETFL) & ~O_NONBLOCK);
    engine::ConnectionLog& log = context_.engine.connection_log();
    while (true) {
      AcceptedConnection connection;
      if (listener.Accept(log, connection) != Listener::AcceptResult::kAccepted) continue;
      log.Stamp(connection.connection_id, engine::ConnectionPhase::kDispatched, MonotonicNow());
      ConnectionStop stop(connection.fd);
      ServeConnection(context_.engine, connection, stop);
      close(connection.fd);
    }
  }

  const ModelContext context_;
};

}  // namespace
}  // namespace connbench::models

int main(int argc, char** argv) {
  using namespace connbench::models;  // NOLINT(google-build-using-namespace): a program's main
  const ModelDescription floor = {"floor", "no model", "nobody",
                                  [](const ModelContext& context) -> std::unique_ptr<Model> {
                                    return std::make_unique<FloorModel>(context);
                                  }};
  SupervisorOptions options;
  options.model = &floor;
  options.listen.port = 0;
  for (int i = 1; i < argc; ++i) {
    const std::string_view argument = argv[i];
    const size_t equals = argument.find('=');
    const connbench::Status applied =
        equals == std::string_view::npos
            ? connbench::Status::Error(connbench::sqlstate::kSyntaxError, "not name=value")
            : ApplySetting(options.settings, argument.substr(0, equals),
                           argument.substr(equals + 1));
    if (!applied.ok()) {
      std::fprintf(stderr, "%s: %s\n", argv[i], applied.error().message.c_str());
      return 1;
    }
  }
  return RunSupervisor(options);
}
