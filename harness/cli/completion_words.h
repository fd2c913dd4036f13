// What a shell can complete: every command with its flags and the values they take, read off the
// declarations of the commands themselves.
//
// Called by completion_command.cc. Safety: one thread; reads the folder of workloads and suites.
#pragma once

#include <string>
#include <vector>

namespace connbench::cli {

struct CompletedFlag {
  std::vector<std::string> names;  // "--models", "-c"
  bool takes_value = false;
  std::vector<std::string> values;  // empty: any
  std::string about;
};

struct CompletedCommand {
  std::string name;
  std::string summary;
  std::vector<CompletedFlag> flags;
  std::vector<std::string> values;  // of its arguments; empty: files
};

// Those of the program and those of the launcher.
std::vector<CompletedCommand> CompletedCommands();

}  // namespace connbench::cli
