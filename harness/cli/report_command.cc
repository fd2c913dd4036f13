// connbench report: the HTML page of one run, or of several.
#include <cstdio>
#include <filesystem>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "base/exit_code.h"
#include "base/print_error.h"
#include "harness/cli/command.h"
#include "plots/page/report.h"
#include "results/reader.h"

namespace connbench::cli {
namespace {

// A page of more would be larger than a browser shows at once.
constexpr size_t kMaxRuns = 16;
constexpr char kPageOfSeveral[] = "report.html";

struct ReportOptions {
  std::vector<std::string> runs = {"results/latest"};
  std::string output;
};

int FailReport(const Status& status, ExitCode exit_code = kExitErrors) {
  return PrintError("connbench report", status, exit_code);
}

int RunReportCommand(const ReportOptions& options) {
  std::vector<results::Run> runs;
  for (const std::string& name : options.runs) {
    auto run = results::Run::Load(name);
    if (!run.ok()) return FailReport(run.status(), kExitUsage);
    runs.push_back(std::move(*run));
  }
  const bool in_run_folder = runs.size() == 1 && options.output.empty();
  const auto files =
      in_run_folder
          ? plots::MakeChartsAndReport(runs.front())
          : plots::MakeReport(runs, options.output.empty() ? kPageOfSeveral : options.output);
  if (!files.ok()) return FailReport(files.status());
  int exit_code = kExitOk;
  if (!files->failure.ok()) exit_code = FailReport(files->failure);
  if (!files->warning.empty()) {
    std::fprintf(stderr, "connbench report: %s\n", files->warning.c_str());
    exit_code = kExitErrors;
  }
  std::printf("%s\n", files->page.c_str());
  return exit_code;
}

}  // namespace

CommandMain ConfigureReport(CLI::App& app) {
  const auto options = std::make_shared<ReportOptions>();
  app.add_option("RUN", options->runs,
                 "folders that \"connbench run\" wrote; the first is the base of the others")
      ->expected(1, kMaxRuns)
      ->capture_default_str();
  app.add_option("-o,--output", options->output,
                 "the page's file (default: RUN/report.html; of several runs: report.html)");
  return [options] { return RunReportCommand(*options); };
}

}  // namespace connbench::cli
