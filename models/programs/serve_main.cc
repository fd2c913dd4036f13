// connbench-serve, the program behind `connbench serve`: one model, until a signal ends it.
//
// A program of its own because every forked backend is a copy of the mappings of the program it was
// forked from: the measuring side's libraries, which no server has, would be part of what a
// process per connection seems to cost.
#include <fmt/format.h>
#include <CLI/CLI.hpp>

#include <algorithm>
#include <cstdio>
#include <filesystem>
#include <iterator>
#include <optional>
#include <string>
#include <string_view>
#include <system_error>
#include <vector>

#include "base/exit_code.h"
#include "base/parse_arguments.h"
#include "base/print_error.h"
#include "models/model_list.h"
#include "models/process_settings.h"
#include "models/serve_options.h"
#include "models/settings.h"
#include "models/supervisor.h"

namespace connbench::cli {
namespace {

int Usage(const Status& status) { return PrintError("connbench serve", status, kExitUsage); }

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

// What was asked for would be without effect, and the data are gone with the server.
void WarnOfLostDurability(const std::vector<std::string>& assignments) {
  for (const std::string& assignment : assignments) {
    const std::string name = assignment.substr(0, assignment.find('='));
    if (std::ranges::find(engine::kLogSettings, name) == std::end(engine::kLogSettings) &&
        std::ranges::find(engine::kPageSettings, name) == std::end(engine::kPageSettings)) {
      continue;
    }
    fmt::print(stderr,
               "connbench serve: warning: {} has no effect without a data directory (--data DIR): "
               "data live in memory only\n",
               assignment);
  }
}

int Serve(const ServeOptions& options) {
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
  const std::string& assigned = supervisor.settings.engine.data_directory;
  if (!options.data_directory.empty()) {
    if (!assigned.empty() && assigned != options.data_directory) {
      return Usage(Status::Error(
          sqlstate::kInvalidParameterValue,
          fmt::format("--data {} and --set data_directory={} name different directories",
                      options.data_directory, assigned)));
    }
    const Status named =
        models::ApplySetting(supervisor.settings, "data_directory", options.data_directory);
    if (!named.ok()) return Usage(named);
  }
  if (assigned.empty()) WarnOfLostDurability(options.settings);
  const Status allocator = models::ExecWithAllocator(supervisor.settings.models, options.argv);
  if (!allocator.ok()) return Usage(allocator);
  return models::RunSupervisor(supervisor);
}

int ServeMain(int argc, char** argv) {
  ServeOptions options;
  CLI::App app{"a server with one of the models, until Ctrl-C", "connbench serve"};
  app.set_help_flag("--help");  // -h is pgbench's letter for the host
  DeclareServe(app, options);
  if (const std::optional<int> exit_code = ParseArguments(app, argc, argv)) return *exit_code;
  options.argv = argv;
  return Serve(options);
}

}  // namespace
}  // namespace connbench::cli

// What nobody caught must abort, and is a crash to the supervisor: a backend runs on a copy of its
// stack, and unwinding that would end the others and remove the segment.
// NOLINTNEXTLINE(bugprone-exception-escape)
int main(int argc, char** argv) { return connbench::cli::ServeMain(argc, argv); }
