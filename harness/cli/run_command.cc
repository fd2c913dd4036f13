// connbench run: measures a suite, a workload or the suite "quick".
#include <fmt/format.h>

#include <cstdio>
#include <filesystem>
#include <memory>
#include <string>
#include <system_error>
#include <utility>
#include <vector>

#include "base/child_process.h"
#include "base/exit_code.h"
#include "base/parse_arguments.h"
#include "base/print_error.h"
#include "base/units.h"
#include "harness/cli/command.h"
#include "harness/suite/plan.h"
#include "harness/suite/suite_file.h"
#include "harness/suite/suite_run.h"
#include "harness/suite/trial_checks.h"
#include "harness/suite/unused_settings.h"
#include "harness/targets/target_list.h"
#include "harness/workload/workload.h"

namespace connbench::cli {
namespace {

struct RunOptions {
  std::string what = "quick";
  suite::PlanOverrides overrides;
  std::string duration;
  std::vector<std::string> settings;
  std::string output;
  std::string benchmark_out;
  std::vector<std::string> waived;
  bool resume = false;
  bool list = false;
  std::string data;
  bool keep_data = false;
  bool no_charts = false;
};

int FailRun(const Status& status) { return PrintError("connbench run", status, kExitUsage); }

// A suite by that name; otherwise a workload by that name or file.
Result<suite::Suite> FindSuiteOrWorkload(const std::string& what) {
  if (suite::SuiteExists(what) && std::filesystem::path(what).extension() != ".toml") {
    return suite::FindSuite(what);
  }
  const auto workload = load::FindWorkload(what);
  if (workload.ok()) return suite::SuiteOfWorkload(what);
  auto suite = suite::FindSuite(what);
  if (suite.ok() || what.find_first_of("/.") != std::string::npos) return suite;
  return Status::Error(sqlstate::kUndefinedObject,
                       fmt::format("there is no suite or workload \"{}\"", what))
      .WithHint(fmt::format("Suites: {} Workloads: {}", suite.status().error().hint,
                            workload.status().error().hint));
}

Status ParseRunOptions(RunOptions& options) {
  if (!options.duration.empty()) {
    CONNBENCH_ASSIGN_OR_RETURN(options.overrides.duration_ns, ParseDurationNs(options.duration));
    if (options.overrides.duration_ns <= 0) {
      return Status::Error(sqlstate::kInvalidParameterValue, "--duration must be above 0");
    }
  }
  for (const std::string& setting : options.settings) {
    const size_t equals = setting.find('=');
    if (equals == std::string::npos) {
      return Status::Error(sqlstate::kInvalidParameterValue,
                           fmt::format("--set takes name=value, not \"{}\"", setting));
    }
    options.overrides.settings.emplace_back(setting.substr(0, equals), setting.substr(equals + 1));
  }
  if (!options.data.empty()) {
    const std::string set = targets::ValueOf(options.overrides.settings, targets::kDataSetting);
    if (!set.empty()) {
      return Status::Error(
          sqlstate::kInvalidParameterValue,
          fmt::format("--data and --set {}={} contradict each other", targets::kDataSetting, set));
    }
    std::error_code error;
    const std::filesystem::path folder = std::filesystem::canonical(options.data, error);
    if (error) {
      return Status::Error(sqlstate::kInvalidParameterValue,
                           fmt::format("--data {}: {}", options.data, error.message()))
          .WithHint("Name a folder that exists: each trial makes a data directory in it.");
    }
    options.overrides.settings.emplace_back(targets::kDataSetting, folder.string());
  }
  CONNBENCH_RETURN_IF_ERROR(suite::CheckWaived(options.waived));
  if (options.resume && options.output.empty()) {
    return Status::Error(sqlstate::kInvalidParameterValue,
                         "--resume needs -o DIR, the folder of the run to go on with");
  }
  return Status::Ok();
}

int RunSuiteOrWorkload(RunOptions& options) {
  if (const Status status = ParseRunOptions(options); !status.ok()) return FailRun(status);
  const Result<suite::Suite> suite = FindSuiteOrWorkload(options.what);
  if (!suite.ok()) return FailRun(suite.status());
  Result<suite::Plan> plan = suite::MakePlan(*suite, options.overrides);
  if (!plan.ok()) return FailRun(plan.status());
  if (plan->crossover && !options.benchmark_out.empty()) {
    return FailRun(Status::Error(sqlstate::kInvalidParameterValue,
                                 "--benchmark_out is for suites, not for a crossover"));
  }
  if (options.list && plan->crossover) {
    fmt::print("{} from {} to {} by bisection, {} to {} pairs of trials each; first cell {}\n",
               plan->crossover->parameter, plan->crossover->from, plan->crossover->to,
               plan->crossover->repetitions, plan->crossover->max_repetitions,
               plan->cells.front().name);
    return kExitOk;
  }
  if (options.list) {
    for (const suite::Trial& trial : plan->trials) {
      fmt::print("{} #{}\n", plan->cells[trial.cell].name, trial.repetition);
    }
    return kExitOk;
  }
  for (const std::string& unused : suite::FindUnusedSettings(*suite, options.overrides)) {
    fmt::print(stderr, "connbench run: warning: {}\n", unused);
  }
  suite::RunOptions run;
  run.plan = std::move(*plan);
  run.suite = *suite;
  run.overrides = options.overrides;
  run.program = OwnProgram();
  const Invocation& invocation = ProgramInvocation();
  run.argv.assign(invocation.argv, invocation.argv + invocation.argc);
  // Where the program lies says nothing about the run.
  run.argv[0] = "connbench";
  run.output = options.output;
  run.benchmark_out = options.benchmark_out;
  run.waived = options.waived;
  run.resume = options.resume;
  run.keeps_data = options.keep_data;
  run.charts = !options.no_charts;
  return suite::RunPlan(run);
}

}  // namespace

CommandMain ConfigureRun(CLI::App& app) {
  auto options = std::make_shared<RunOptions>();
  suite::PlanOverrides& overrides = options->overrides;
  app.add_option("WHAT", options->what, "a suite or a workload, by name or as a file")
      ->capture_default_str();
  app.add_option("--models", overrides.models, "connection models, in place of the suite's")
      ->delimiter(',');
  app.add_option("--targets", overrides.targets,
                 "other servers: postgres, pgbouncer+postgres, pgbouncer+MODEL, dsn:CONNINFO; with "
                 "--models in place of the suite's")
      ->delimiter(',');
  app.add_option("--connections,-c", overrides.connections,
                 "connection counts, in place of the "
                 "suite's")
      ->delimiter(',')
      ->check(CLI::Range(1, suite::kMaxConnections));
  app.add_option("--repetitions", overrides.repetitions, "of each cell")
      ->check(CLI::Range(1, suite::kMaxRepetitions));
  app.add_option("--duration,-T", options->duration, "of each measured window: 10s, 500ms");
  app.add_option("--filter", overrides.filter,
                 "only cells whose name has a match of this regular "
                 "expression");
  CLI::Option* seed =
      app.add_option("--seed", overrides.seed, "of the order of trials and all random numbers");
  app.add_option("--set", options->settings, "server setting name=value, for all cells");
  app.add_option("--output,-o", options->output,
                 "folder of the run (default: results/TIME-SUITE, linked as results/latest)");
  app.add_option("--waive", options->waived,
                 "checks (connbench list checks) that make no trial INVALID; run.json names them")
      ->delimiter(',');
  app.add_option("--data", options->data,
                 "folder in which each trial makes a data directory, removed after it; without it "
                 "what the setting data says: memory, or temporary")
      ->check(RefuseEmpty);
  app.add_flag("--keep-data", options->keep_data, "do not remove the data directories of trials");
  app.add_flag("--resume", options->resume, "go on with the interrupted run in -o DIR");
  app.add_flag("--dry-run", options->list, "print the trials in their order and stop");
  app.add_flag("--no-charts", options->no_charts, "leave out charts and page");
  app.add_option("--benchmark_out", options->benchmark_out,
                 "JSON file for Google Benchmark's compare.py");
  return [options, seed] {
    options->overrides.has_seed = seed->count() > 0;
    return RunSuiteOrWorkload(*options);
  };
}

}  // namespace connbench::cli
