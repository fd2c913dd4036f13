// Reading the command line, alike in all programs: help that fits the terminal, near names for what
// is misspelt, one table of exit codes.
//
// Called by main() before any thread starts. Errors are printed to stderr; the exit code says so.
#pragma once

#include <CLI/CLI.hpp>

#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace connbench::cli {

// "INT in [1 - 9]" of CLI11 as "1 to 9", "{a,b}" as its values; empty: any value.
std::string ValuesOf(const CLI::Option& option);
// The values that the option may have, if they are a list of names.
std::vector<std::string> ChoicesOf(const CLI::Option& option);

// A check for options that name a folder: an empty name, as of a variable that is not set, must not
// mean another folder, or none.
std::string RefuseEmpty(const std::string& name);

// Commands that are not this program's, for its help and for near names: name and summary.
using OtherCommands = std::vector<std::pair<std::string, std::string>>;

// Fills what app has declared. The exit code, if there is nothing left to do: help has been
// printed, or what is wrong with the arguments, with near names and where to look.
std::optional<int> ParseArguments(CLI::App& app, int argc, char** argv,
                                  const OtherCommands& others = {});

}  // namespace connbench::cli
