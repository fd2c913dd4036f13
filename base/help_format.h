// --help: what CLI11 knows of a command, in columns that fit the terminal, and the exit codes.
//
// Called by parse_arguments.cc alone. Safety: pure, but for the terminal's width.
#pragma once

#include <CLI/CLI.hpp>

#include <string>
#include <vector>

#include "base/parse_arguments.h"

namespace connbench::cli {

class HelpFormat : public CLI::Formatter {
 public:
  explicit HelpFormat(OtherCommands others) : others_(std::move(others)) {}

  std::string make_help(const CLI::App* app, std::string name,
                        CLI::AppFormatMode mode) const override;
  std::string make_group(std::string group, bool is_positional,
                         std::vector<const CLI::Option*> options) const override;

 private:
  const OtherCommands others_;
};

}  // namespace connbench::cli
