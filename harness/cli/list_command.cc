// connbench list: what there is to measure, with what, and what comes out.
#include <fmt/format.h>

#include <cstdio>
#include <memory>
#include <string>
#include <vector>

#include "base/exit_code.h"
#include "harness/cli/command.h"
#include "harness/load/workload.h"
#include "harness/suite/suite_file.h"
#include "harness/suite/trial_checks.h"
#include "harness/targets/target_list.h"
#include "models/model_list.h"
#include "results/schema.h"

namespace connbench::cli {
namespace {

int ListModels() {
  for (const models::ModelDescription& model : models::AllModels()) {
    fmt::print("{:<12} {}\n{:<12} as in {}\n", model.name, model.summary, "", model.used_by);
  }
  return kExitOk;
}

int ListTargets() {
  for (const targets::TargetKind& kind : targets::AllTargetKinds()) {
    fmt::print("{:<18} {}{}\n", kind.form, kind.summary,
               kind.packages.empty() ? "" : fmt::format(" (Debian package {})", kind.packages));
  }
  return kExitOk;
}

// What is wrong with a file that was found, on stderr; the others are listed all the same.
int ReportErrors(const std::vector<Status>& errors) {
  for (const Status& error : errors) fmt::print(stderr, "connbench list: {}\n", error.ToString());
  return errors.empty() ? kExitOk : kExitErrors;
}

int ListWorkloads() {
  const load::WorkloadList list = load::ListWorkloads();
  for (const load::Workload& workload : list.workloads) {
    fmt::print("{:<16} {:<8} {}\n", workload.name, load::Name(workload.pattern),
               workload.description);
  }
  return ReportErrors(list.errors);
}

int ListSuites() {
  const suite::SuiteList list = suite::ListSuites();
  for (const suite::Suite& suite : list.suites) {
    fmt::print("{:<16} {}\n", suite.name, suite.description);
  }
  return ReportErrors(list.errors);
}

int ListMetrics() {
  for (const results::FileDescription& file : results::DescribeFiles()) {
    fmt::print("{}: {}\n", file.name, file.about);
    for (const results::Column& column : file.columns) {
      fmt::print("  {:<42} {}\n", column.name, column.help);
    }
  }
  return kExitOk;
}

int ListChecks() {
  for (const suite::TrialCheck& check : suite::AllTrialChecks()) {
    const std::string bound =
        check.bound > 0 ? fmt::format(" (above {} {})", check.bound, check.unit) : "";
    fmt::print("{:<18} INVALID: {}{}\n{:<18} -> {}\n", check.name, check.about, bound, "",
               check.remedy);
  }
  return kExitOk;
}

}  // namespace

CommandMain ConfigureList(CLI::App& app) {
  auto what = std::make_shared<std::string>();
  app.add_option("WHAT", *what, "models, targets, workloads, suites, metrics or checks")
      ->required()
      ->check(CLI::IsMember({"models", "targets", "workloads", "suites", "metrics", "checks"}));
  return [what]() -> int {
    if (*what == "models") return ListModels();
    if (*what == "targets") return ListTargets();
    if (*what == "workloads") return ListWorkloads();
    if (*what == "suites") return ListSuites();
    if (*what == "checks") return ListChecks();
    return ListMetrics();
  };
}

}  // namespace connbench::cli
