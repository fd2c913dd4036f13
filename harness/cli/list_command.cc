// connbench list: what there is to measure, with what, and what comes out.
#include <fmt/format.h>
#include <unistd.h>

#include <cstdio>
#include <memory>
#include <string>
#include <vector>

#include "base/columns.h"
#include "base/exit_code.h"
#include "base/print_error.h"
#include "harness/cli/command.h"
#include "harness/suite/suite_file.h"
#include "harness/suite/trial_checks.h"
#include "harness/targets/target_list.h"
#include "harness/workload/workload.h"
#include "models/model_list.h"
#include "results/metrics.h"
#include "results/schema.h"

namespace connbench::cli {
namespace {

int Print(const std::vector<ColumnRow>& rows) {
  std::fputs(FormatColumns(rows, TerminalWidth(STDOUT_FILENO)).c_str(), stdout);
  return kExitOk;
}

int ListModels() {
  std::vector<ColumnRow> rows;
  for (const models::ModelDescription& model : models::AllModels()) {
    rows.push_back(
        {std::string(model.name), fmt::format("{}\nas in {}", model.summary, model.used_by)});
  }
  return Print(rows);
}

int ListTargets() {
  std::vector<ColumnRow> rows;
  for (const targets::TargetKind& kind : targets::AllTargetKinds()) {
    rows.push_back({std::string(kind.form),
                    kind.packages.empty()
                        ? std::string(kind.summary)
                        : fmt::format("{} (Debian package {})", kind.summary, kind.packages)});
  }
  return Print(rows);
}

// What is wrong with a file that was found, on stderr; the others are listed all the same.
int ReportErrors(const std::vector<Status>& errors) {
  for (const Status& error : errors) PrintError("connbench list", error, kExitErrors);
  return errors.empty() ? kExitOk : kExitErrors;
}

int ListWorkloads() {
  const load::WorkloadList list = load::ListWorkloads();
  std::vector<ColumnRow> rows;
  for (const load::Workload& workload : list.workloads) {
    rows.push_back({fmt::format("{:<16} {}", workload.name, load::Name(workload.pattern)),
                    workload.description});
  }
  Print(rows);
  return ReportErrors(list.errors);
}

int ListSuites() {
  const suite::SuiteList list = suite::ListSuites();
  std::vector<ColumnRow> rows;
  for (const suite::Suite& suite : list.suites) {
    rows.push_back({suite.found_as, suite.description});
  }
  Print(rows);
  return ReportErrors(list.errors);
}

// "headline of storm, churn; gated in steady".
std::string UsesOf(std::string_view metric) {
  std::string text;
  for (const results::MetricRole role :
       {results::MetricRole::kHeadline, results::MetricRole::kGated}) {
    std::string patterns;
    for (const std::string_view pattern : results::MetricPatterns()) {
      if (results::RoleOf(pattern, metric) != role) continue;
      patterns += fmt::format("{}{}", patterns.empty() ? "" : ", ", pattern);
    }
    if (patterns.empty()) continue;
    text += fmt::format("{}{} {} {}", text.empty() ? "" : "; ", results::RoleName(role),
                        role == results::MetricRole::kHeadline ? "of" : "in", patterns);
  }
  return text;
}

int ListMetrics() {
  for (const results::FileDescription& file : results::DescribeFiles()) {
    fmt::print("{}: {}\n", file.name, file.about);
    std::vector<ColumnRow> rows;
    for (const results::Column& column : file.columns) {
      rows.push_back({std::string(column.name), std::string(column.help)});
      const std::string uses =
          file.name == results::FileName<results::TrialRow>() ? UsesOf(column.name) : "";
      if (!uses.empty()) rows.push_back({"", "-> " + uses});
    }
    Print(rows);
  }
  return kExitOk;
}

int ListChecks() {
  std::vector<ColumnRow> rows;
  for (const suite::TrialCheck& check : suite::AllTrialChecks()) {
    const std::string bound =
        check.bound > 0 ? fmt::format(" (above {} {})", check.bound, check.unit) : "";
    rows.push_back({std::string(check.name),
                    fmt::format("INVALID: {}{}\n-> {}", check.about, bound, check.remedy)});
  }
  return Print(rows);
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
