// connbench serve: becomes the server's program, connbench-serve, which stands beside this one and
// knows the options.
#include <fmt/format.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <cstring>
#include <filesystem>
#include <string>

#include "base/child_process.h"
#include "base/exit_code.h"
#include "harness/cli/command.h"

namespace connbench::cli {
namespace {

constexpr const char* kServerProgram = "connbench-serve";

int ExecServer() {
  const std::string program = std::filesystem::path(OwnProgram()).replace_filename(kServerProgram);
  // Without its first word, the command line is the server's.
  execv(program.c_str(), ProgramInvocation().argv + 1);
  fmt::print(stderr, "connbench: cannot run {}: {}\n", program, std::strerror(errno));
  fmt::print(stderr, "connbench: hint: it is built beside connbench: ./connbench build\n");
  return kExitUsage;
}

}  // namespace

CommandMain ConfigureServe(CLI::App& app) {
  app.set_help_flag();  // --help is the server's, too
  app.prefix_command();
  return ExecServer;
}

}  // namespace connbench::cli
