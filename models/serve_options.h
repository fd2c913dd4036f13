// The options of `connbench serve`, declared once: connbench-serve reads them, connbench completes
// them.
//
// Called by the main() of connbench-serve and by `connbench completion`, before any thread starts.
#pragma once

#include <fmt/format.h>
#include <unistd.h>
#include <CLI/CLI.hpp>

#include <string>
#include <vector>

#include "base/columns.h"
#include "base/parse_arguments.h"
#include "models/model_list.h"
#include "models/settings.h"

namespace connbench::cli {

struct ServeOptions {
  std::string model = "fork";
  std::string hosts = "127.0.0.1";
  int port = 5433;
  std::string socket_directory;
  std::string data_directory;
  std::vector<std::string> settings;
  char** argv = nullptr;
};

// For --help: every model, and every setting with its default.
inline std::string ModelsAndSettings() {
  const size_t width = TerminalWidth(STDOUT_FILENO);
  std::vector<ColumnRow> rows;
  for (const models::ModelDescription& model : models::AllModels()) {
    rows.push_back({std::string(model.name), std::string(model.summary)});
  }
  std::string text = "Models:\n" + FormatColumns(rows, width);
  rows.clear();
  for (const engine::SettingDescription& setting : models::DescribeSettings({})) {
    rows.push_back({fmt::format("{}={}", setting.name, setting.value), std::string(setting.help)});
  }
  return text + "\nSettings (--set name=value) and their defaults:\n" + FormatColumns(rows, width);
}

inline void DeclareServe(CLI::App& app, ServeOptions& options) {
  app.add_option("--model", options.model, "who serves a connection (default: fork)");
  app.add_option("-p,--port", options.port, "TCP port, and number of the Unix socket; 0: any")
      ->check(CLI::Range(0, 65535))
      ->capture_default_str();
  app.add_option("-h,--host", options.hosts,
                 "addresses to listen on, with commas between them; empty: no TCP")
      ->capture_default_str();
  app.add_option("--socket-dir", options.socket_directory,
                 "folder for a Unix socket, .s.PGSQL.<port>");
  app.add_option(
         "--data", options.data_directory,
         "folder in which data are kept, made on first use; without it they live in memory only")
      ->check(RefuseEmpty);
  app.add_option("--set", options.settings, "name=value; see below")->take_all();
  app.footer(ModelsAndSettings);
}

}  // namespace connbench::cli
