// connbench resume and rerun: a run again, from what its folder holds.
#include <memory>
#include <string>
#include <utility>

#include "base/child_process.h"
#include "base/exit_code.h"
#include "base/print_error.h"
#include "harness/cli/command.h"
#include "harness/suite/run_inputs.h"
#include "harness/suite/suite_run.h"

namespace connbench::cli {
namespace {

struct ResumeOptions {
  std::string folder = "results/latest";
  std::string output;
  bool no_charts = false;
};

int RunResumeCommand(const char* who, const ResumeOptions& options, bool resume) {
  Result<suite::RunPlanInputs> inputs = suite::ReadRunInputs(options.folder);
  if (!inputs.ok()) return PrintError(who, inputs.status(), kExitUsage);
  suite::RunOptions run;
  run.who = who;
  run.plan = std::move(inputs->plan);
  run.suite = std::move(inputs->suite);
  run.overrides = std::move(inputs->overrides);
  run.waived = std::move(inputs->waived);
  run.inputs_of = options.folder;
  run.program = OwnProgram();
  const Invocation& invocation = ProgramInvocation();
  run.argv.assign(invocation.argv, invocation.argv + invocation.argc);
  run.argv[0] = "connbench";  // where the program lies says nothing about the run
  run.output = resume ? options.folder : options.output;
  run.resume = resume;
  run.charts = !options.no_charts;
  return suite::RunPlan(run);
}

std::shared_ptr<ResumeOptions> Declare(CLI::App& app) {
  auto options = std::make_shared<ResumeOptions>();
  app.add_option("DIR", options->folder, "the run's folder")->capture_default_str();
  app.add_flag("--no-charts", options->no_charts, "leave out charts and page");
  return options;
}

}  // namespace

CommandMain ConfigureResume(CLI::App& app) {
  const auto options = Declare(app);
  app.footer(
      "What was measured is kept; the trials that are missing are run, with the same build.");
  return [options] { return RunResumeCommand("connbench resume", *options, true); };
}

CommandMain ConfigureRerun(CLI::App& app) {
  const auto options = Declare(app);
  app.add_option("--output,-o", options->output,
                 "folder of the new run (default: results/TIME-SUITE, linked as results/latest)");
  app.footer("The same cells, trials, seeds and SQL; this program and the servers installed now.");
  return [options] { return RunResumeCommand("connbench rerun", *options, false); };
}

}  // namespace connbench::cli
