// connbench: what a database pays for each way of staffing its connections.
#include <fmt/format.h>

#include <cstdio>
#include <exception>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "base/exit_code.h"
#include "base/parse_arguments.h"
#include "harness/cli/command.h"
#include "harness/observe/environment.h"

namespace connbench::cli {

#define CONNBENCH_COMMAND(name, configure, summary) CommandMain configure(CLI::App& app);
#include "harness/cli/commands.def"
#undef CONNBENCH_COMMAND

namespace {

constexpr Command kCommands[] = {
#define CONNBENCH_COMMAND(name, configure, summary) {name, summary, configure},
#include "harness/cli/commands.def"
#undef CONNBENCH_COMMAND
};

constexpr LauncherCommand kLauncherCommands[] = {
#define CONNBENCH_LAUNCHER_COMMAND(name, arguments, choices, summary, more) \
  {name, arguments, choices, summary, more},
#include "harness/cli/launcher.def"
#undef CONNBENCH_LAUNCHER_COMMAND
};

Invocation g_invocation;  // written once, before any thread starts

std::string Version() {
  results::RunInfo build;
  observe::DescribeBuild(build);
  std::string commit = build.git_sha.empty() ? "of no commit" : "commit " + build.git_sha;
  if (build.git_dirty) commit += " with changes";
  return fmt::format("connbench {} ({}, {} build, {})", build.connbench_version, commit,
                     build.build_kind, build.compiler);
}

// A list takes one value for each time it is named (several are divided by commas), so that it
// takes no word of the command; of what has one value the last one counts, as with pgbench.
void SettleRepetition(CLI::App& command) {
  for (CLI::Option* option : command.get_options()) {
    if (option->get_positional()) continue;
    if (option->get_expected_max() > 1) {
      option->allow_extra_args(false);
    } else if (option->get_expected_max() == 1) {
      option->multi_option_policy(CLI::MultiOptionPolicy::TakeLast);
    }
  }
}

}  // namespace

std::span<const Command> AllCommands() { return kCommands; }
std::span<const LauncherCommand> AllLauncherCommands() { return kLauncherCommands; }
const Invocation& ProgramInvocation() { return g_invocation; }

int Main(int argc, char** argv) {
  g_invocation = {argc, argv};
  CLI::App app{"connbench: a process, a thread or a pooled worker for every connection?",
               "connbench"};
  app.require_subcommand(1);
  app.set_version_flag("-V,--version", Version, "print version, commit and build");
  std::vector<std::pair<CLI::App*, CommandMain>> mains;
  for (const Command& command : kCommands) {
    CLI::App* sub = app.add_subcommand(command.name, command.summary);
    sub->set_help_flag("--help");  // and -h, where the command does not take it for itself
    mains.emplace_back(sub, command.configure(*sub));
    SettleRepetition(*sub);
  }
  OtherCommands launchers;
  for (const LauncherCommand& command : kLauncherCommands) {
    launchers.emplace_back(command.name, command.summary);
  }
  if (const auto exit_code = ParseArguments(app, argc, argv, launchers)) return *exit_code;
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
