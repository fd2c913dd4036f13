// What a shell can complete, read off the declarations of the commands.
#include "harness/cli/completion_words.h"

#include <CLI/CLI.hpp>

#include <iterator>
#include <sstream>
#include <string_view>
#include <utility>

#include "base/parse_arguments.h"
#include "harness/cli/command.h"
#include "harness/suite/suite_file.h"
#include "harness/targets/target_list.h"
#include "harness/workload/workload.h"
#include "models/model_list.h"
#include "models/serve_options.h"

namespace connbench::cli {
namespace {

std::vector<std::string> ModelNames() {
  std::vector<std::string> names;
  for (const models::ModelDescription& model : models::AllModels()) names.emplace_back(model.name);
  return names;
}

std::vector<std::string> WorkloadNames() {
  std::vector<std::string> names;
  for (const load::Workload& workload : load::ListWorkloads().workloads) {
    names.push_back(workload.name);
  }
  return names;
}

std::vector<std::string> SuiteNames() {
  std::vector<std::string> names;
  for (const suite::Suite& suite : suite::ListSuites().suites) {
    names.push_back(suite.found_as);
  }
  return names;
}

std::vector<std::string> SuitesAndWorkloads() {
  std::vector<std::string> names = SuiteNames();
  for (std::string& name : WorkloadNames()) names.push_back(std::move(name));
  return names;
}

// Of forms such as postgres[:BINDIR] the word, alone or in front of a server; dsn:CONNINFO has
// none.
std::vector<std::string> TargetNames() {
  std::vector<std::string> names;
  for (const targets::TargetKind& kind : targets::AllTargetKinds()) {
    const std::string word(kind.form.substr(0, kind.form.find_first_of("[:+")));
    for (std::string& name : std::vector{word, word + "+postgres"}) {
      if (targets::FindTarget(name).ok()) names.push_back(std::move(name));
    }
  }
  return names;
}

// Arguments and flags whose values are names of this project.
constexpr struct {
  std::string_view command;  // empty: any
  std::string_view option;
  std::vector<std::string> (*names)();
} kNamed[] = {
    {"run", "WHAT", SuitesAndWorkloads}, {"doctor", "SUITE", SuiteNames},
    {"load", "WORKLOAD", WorkloadNames}, {"", "--models", ModelNames},
    {"", "--model", ModelNames},         {"", "--targets", TargetNames},
};

std::vector<std::string> ValuesFor(std::string_view command, const CLI::Option& option) {
  for (const auto& named : kNamed) {
    if ((named.command.empty() || named.command == command) &&
        option.check_name(std::string(named.option))) {
      return named.names();
    }
  }
  return ChoicesOf(option);
}

CompletedCommand Describe(std::string name, std::string summary, const CLI::App& app) {
  CompletedCommand command{std::move(name), std::move(summary), {}, {}};
  for (const CLI::Option* option : app.get_options()) {
    if (option->get_positional()) {
      command.values = ValuesFor(command.name, *option);
      continue;
    }
    CompletedFlag flag;
    for (const std::string& each : option->get_lnames()) flag.names.push_back("--" + each);
    for (const std::string& each : option->get_snames()) flag.names.push_back("-" + each);
    flag.takes_value = option->get_type_size() != 0;
    flag.about = option->get_description();
    if (flag.takes_value) flag.values = ValuesFor(command.name, *option);
    command.flags.push_back(std::move(flag));
  }
  return command;
}

std::vector<std::string> SplitWords(const char* text) {
  std::istringstream words(text);
  return {std::istream_iterator<std::string>(words), {}};
}

}  // namespace

std::vector<CompletedCommand> CompletedCommands() {
  std::vector<CompletedCommand> commands;
  for (const Command& command : AllCommands()) {
    CLI::App app{command.summary, command.name};
    app.set_help_flag("--help", "print this help");
    if (std::string_view(command.name) == "serve") {
      ServeOptions options;
      DeclareServe(app, options);
      commands.push_back(Describe(command.name, command.summary, app));
      continue;
    }
    const CommandMain unused = command.configure(app);
    commands.push_back(Describe(command.name, command.summary, app));
  }
  for (const LauncherCommand& command : AllLauncherCommands()) {
    commands.push_back({command.name, command.summary, {}, SplitWords(command.choices)});
    commands.back().flags.push_back({{"--help"}, false, {}, "print this help"});
  }
  return commands;
}

}  // namespace connbench::cli
