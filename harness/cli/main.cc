// connbench: what a database pays for each way of staffing its connections.
#include <cstdio>
#include <exception>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "base/exit_code.h"
#include "harness/cli/command.h"
#include "harness/cli/parse_arguments.h"

namespace connbench::cli {

#define CONNBENCH_COMMAND(name, configure, summary) CommandMain configure(CLI::App& app);
#include "harness/cli/commands.def"
#undef CONNBENCH_COMMAND

namespace {

const std::vector<Command> kCommands = {
#define CONNBENCH_COMMAND(name, configure, summary) {name, summary, configure},
#include "harness/cli/commands.def"
#undef CONNBENCH_COMMAND
};

Invocation g_invocation;  // written once, before any thread starts

}  // namespace

const Invocation& ProgramInvocation() { return g_invocation; }

int Main(int argc, char** argv) {
  g_invocation = {argc, argv};
  CLI::App app{"connbench: a process, a thread or a pooled worker for every connection?",
               "connbench"};
  app.require_subcommand(1);
  std::vector<std::pair<CLI::App*, CommandMain>> mains;
  for (const Command& command : kCommands) {
    CLI::App* sub = app.add_subcommand(command.name, command.summary);
    // -h is pgbench's letter for the host.
    sub->set_help_flag("--help", "print this help");
    mains.emplace_back(sub, command.configure(*sub));
  }
  if (const std::optional<int> exit_code = ParseArguments(
          app, argc, argv, "Run \"connbench --help\" or \"connbench SUBCOMMAND --help\".")) {
    return *exit_code;
  }
  for (const auto& [sub, run] : mains) {
    if (sub->parsed()) return run();
  }
  return kExitUsage;
}

}  // namespace connbench::cli

int main(int argc, char** argv) {
  try {
    return connbench::cli::Main(argc, argv);
  } catch (const std::exception& error) {
    // What nobody expected. Servers and clients that were started end with this process.
    std::fprintf(stderr, "connbench: unexpected error: %s\n", error.what());
    return connbench::kExitErrors;
  }
}
