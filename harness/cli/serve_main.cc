// connbench-serve, the program behind `connbench serve`: one model, until a signal ends it.
//
// A program of its own because every forked backend is a copy of the mappings of the program it was
// forked from: the measuring side's libraries, which no server has, would be part of what a
// process per connection seems to cost.
#include <fmt/format.h>
#include <CLI/CLI.hpp>

#include <cstdio>
#include <filesystem>
#include <optional>
#include <string>
#include <system_error>
#include <vector>

#include "base/exit_code.h"
#include "harness/cli/parse_arguments.h"
#include "models/model_list.h"
#include "models/process_settings.h"
#include "models/settings.h"
#include "models/supervisor.h"

namespace connbench::cli {
namespace {

struct ServeOptions {
  std::string model = "fork";
  std::string hosts = "127.0.0.1";
  int port = 5433;
  std::string socket_directory;
  std::string data_directory;
  std::vector<std::string> settings;
  char** argv = nullptr;
};

int Usage(const Status& status) {
  const ErrorInfo& error = status.error();
  fmt::print(stderr, "connbench: {}\n", error.message);
  if (!error.detail.empty()) fmt::print(stderr, "connbench: detail: {}\n", error.detail);
  if (!error.hint.empty()) fmt::print(stderr, "connbench: hint: {}\n", error.hint);
  return kExitUsage;
}

Status ApplySettings(const std::vector<std::string>& assignments,
                     models::ServerSettings& settings) {
  for (const std::string& assignment : assignments) {
    const size_t equals = assignment.find('=');
    if (equals == std::string::npos) {
      return Status::Error(sqlstate::kSyntaxError,
                           fmt::format("--set \"{}\" is not of the form name=value", assignment));
    }
    CONNBENCH_RETURN_IF_ERROR(models::ApplySetting(settings, assignment.substr(0, equals),
                                                   assignment.substr(equals + 1)));
  }
  return {};
}

int Serve(const ServeOptions& options) {
  if (!options.data_directory.empty()) {
    return Usage(
        Status::Error(sqlstate::kFeatureNotSupported, "--data is not supported yet")
            .WithHint("Data lives in shared memory and ends with the server; leave --data out."));
  }
  const Result<const models::ModelDescription*> model = models::FindModel(options.model);
  if (!model.ok()) return Usage(model.status());
  models::SupervisorOptions supervisor;
  supervisor.model = *model;
  supervisor.listen.hosts = options.hosts;
  supervisor.listen.port = options.port;
  supervisor.listen.socket_directory = options.socket_directory;
  std::error_code none;  // then the model says what it cannot execute
  supervisor.backend_program =
      std::filesystem::read_symlink("/proc/self/exe", none).replace_filename("connbench-backend");
  const Status applied = ApplySettings(options.settings, supervisor.settings);
  if (!applied.ok()) return Usage(applied);
  const Status allocator = models::ExecWithAllocator(supervisor.settings.models, options.argv);
  if (!allocator.ok()) return Usage(allocator);
  return models::RunSupervisor(supervisor);
}

// For --help: every model, and every setting with its default.
std::string Footer() {
  std::string text = "Models:\n";
  for (const models::ModelDescription& model : models::AllModels()) {
    text += fmt::format("  {:<14}{}\n", model.name, model.summary);
  }
  text += "\nSettings (--set name=value) and their defaults:\n";
  for (const engine::SettingDescription& setting : models::DescribeSettings({})) {
    text += fmt::format("  {:<32}{}\n", fmt::format("{}={}", setting.name, setting.value),
                        setting.help);
  }
  return text;
}

int ServeMain(int argc, char** argv) {
  ServeOptions options;
  CLI::App app{"a server with one of the models, until Ctrl-C", "connbench serve"};
  app.set_help_flag("--help", "print this help");  // -h is pgbench's letter for the host
  app.add_option("--model", options.model, "who serves a connection (default: fork)");
  app.add_option("-p,--port", options.port, "TCP port, and number of the Unix socket; 0: any")
      ->check(CLI::Range(0, 65535))
      ->capture_default_str();
  app.add_option("-h,--host", options.hosts,
                 "addresses to listen on, with commas between them; empty: no TCP")
      ->capture_default_str();
  app.add_option("--socket-dir", options.socket_directory,
                 "folder for a Unix socket, .s.PGSQL.<port>");
  app.add_option("--data", options.data_directory, "data folder (not supported yet)");
  app.add_option("--set", options.settings, "name=value; see below")->take_all();
  app.footer(Footer);
  if (const std::optional<int> exit_code =
          ParseArguments(app, argc, argv, "Run \"connbench serve --help\".")) {
    return *exit_code;
  }
  options.argv = argv;
  return Serve(options);
}

}  // namespace
}  // namespace connbench::cli

// What nobody caught must abort, and is a crash to the supervisor: a backend runs on a copy of its
// stack, and unwinding that would end the others and remove the segment.
// NOLINTNEXTLINE(bugprone-exception-escape)
int main(int argc, char** argv) { return connbench::cli::ServeMain(argc, argv); }
