// connbench-backend, the program that the model fork-exec executes for every connection: a session
// and its engine, and nothing that only a supervisor, another model or the measuring side needs.
// The dynamic linker starts anew for each connection, so that a library too many is a cost of each.
#include <cstdio>
#include <optional>

#include "base/exit_code.h"
#include "models/fork_exec/exec_backend.h"

int main(int argc, char** argv) {
  if (const std::optional<int> exit_code = connbench::models::RunExecBackend(argc, argv)) {
    return *exit_code;
  }
  std::fprintf(stderr, "connbench-backend is started by connbench serve --model fork-exec\n");
  return connbench::kExitUsage;
}
