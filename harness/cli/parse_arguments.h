// Reading the command line, alike in both programs.
//
// Safety: used by main() before any thread starts.
#pragma once

#include <CLI/CLI.hpp>

#include <cstdio>
#include <optional>

#include "base/exit_code.h"

namespace connbench::cli {

// Fills what app has declared. The exit code, if there is nothing left to do: help has been printed,
// or what is wrong with the arguments and where to look (advice).
inline std::optional<int> ParseArguments(CLI::App& app, int argc, char** argv, const char* advice) {
  try {
    app.parse(argc, argv);
    return std::nullopt;
  } catch (const CLI::ParseError& error) {
    if (error.get_exit_code() == static_cast<int>(CLI::ExitCodes::Success)) {
      app.exit(error);
      return kExitOk;
    }
    std::fprintf(stderr, "connbench: %s\n%s\n", error.what(), advice);
    return kExitUsage;
  }
}

}  // namespace connbench::cli
