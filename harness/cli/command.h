// One subcommand of the program. Adding one: a file x_command.cc that defines ConfigureX, and one
// row in commands.def.
//
// Safety: used by main() before any thread starts.
#pragma once

#include <CLI/CLI.hpp>

#include <functional>
#include <span>

namespace connbench::cli {

// Declares the subcommand's options on app and returns what runs it once they are parsed. The
// function returns a connbench::ExitCode; tables go to stdout, progress and errors to stderr
// (base/print_error.h).
using CommandMain = std::function<int()>;

struct Command {
  const char* name;
  const char* summary;
  CommandMain (*configure)(CLI::App& app);
};
std::span<const Command> AllCommands();

// Of ./connbench, which the program only knows of: for help, near names and completion.
struct LauncherCommand {
  const char* name;
  const char* arguments;
  const char* choices;  // values of the first argument, with blanks between them
  const char* summary;
  const char* more;
};
std::span<const LauncherCommand> AllLauncherCommands();

// Words after "connbench", for run.json.
struct Invocation {
  int argc = 0;
  char** argv = nullptr;
};
const Invocation& ProgramInvocation();

}  // namespace connbench::cli
