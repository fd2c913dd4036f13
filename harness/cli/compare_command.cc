// connbench compare: is the candidate better or worse than the base?
#include <cstdio>
#include <memory>
#include <string>
#include <vector>

#include "base/exit_code.h"
#include "harness/cli/command.h"
#include "harness/stats/compare_runs.h"
#include "results/reader.h"

namespace connbench::cli {
namespace {

struct Options {
  std::vector<std::string> runs;
  std::string by;
  std::string base;
  std::vector<std::string> metrics;
  double threshold_percent = 5;
  double confidence_percent = 95;
  uint64_t seed = 1;
  bool halves = false;
  bool markdown = false;
  bool strict = false;
};

int Fail(const Status& status) {
  std::fprintf(stderr, "connbench compare: %s\n", status.ToString().c_str());
  return kExitUsage;
}

Result<stats::ComparedRuns> CompareAsAsked(const Options& options) {
  const stats::ComparisonOptions comparison{options.threshold_percent / 100,
                                            options.confidence_percent / 100, options.seed};
  if (options.halves) {
    const std::string folder = options.runs.empty() ? "results/latest" : options.runs[0];
    CONNBENCH_ASSIGN_OR_RETURN(const auto run, results::Run::Load(folder));
    return stats::CompareHalves(run, options.metrics, comparison);
  }
  if (!options.by.empty()) {
    const std::string folder = options.runs.empty() ? "results/latest" : options.runs[0];
    CONNBENCH_ASSIGN_OR_RETURN(const auto run, results::Run::Load(folder));
    return stats::CompareWithinRun(run, options.by, options.base, options.metrics, comparison);
  }
  CONNBENCH_ASSIGN_OR_RETURN(const auto base, results::Run::Load(options.runs[0]));
  CONNBENCH_ASSIGN_OR_RETURN(const auto candidate, results::Run::Load(options.runs[1]));
  return stats::CompareRuns(base, candidate, options.metrics, comparison);
}

int Run(const Options& options) {
  const bool one_run = options.halves || !options.by.empty();
  const size_t runs_wanted = one_run ? 1 : 2;
  if (options.by.empty() != options.base.empty() || options.runs.size() > runs_wanted ||
      (options.halves && !options.by.empty()) || (!one_run && options.runs.size() != runs_wanted)) {
    std::fprintf(stderr,
                 "connbench compare: give two run folders, BASE and CANDIDATE, or one folder with "
                 "--by AXIS --base VALUE (for example --by model --base fork) or with --halves.\n");
    return kExitUsage;
  }
  const auto compared = CompareAsAsked(options);
  if (!compared.ok()) return Fail(compared.status());
  const auto style = options.markdown ? stats::TableStyle::kMarkdown : stats::TableStyle::kPlain;
  std::fputs(stats::FormatComparison(*compared, style).c_str(), stdout);
  return compared->ExitCode(options.strict);
}

}  // namespace

CommandMain ConfigureCompare(CLI::App& app) {
  const auto options = std::make_shared<Options>();
  app.add_option("RUN", options->runs, "BASE and CANDIDATE, folders that \"connbench run\" wrote");
  app.add_option("--by", options->by, "compare the values of this axis inside one run");
  app.add_option("--base", options->base, "the axis value to hold the others against");
  app.add_flag("--halves", options->halves,
               "compare one run's odd repetitions with its even ones: what noise alone does");
  app.add_option("--metric", options->metrics, "compare only this metric (may be repeated)");
  app.add_option("--threshold", options->threshold_percent,
                 "percent of change that is worth a word")
      ->check(CLI::Range(0.0, 1000.0))
      ->capture_default_str();
  app.add_option("--confidence", options->confidence_percent, "of the intervals, in percent")
      ->check(CLI::Range(50.0, 99.9))
      ->capture_default_str();
  app.add_option("--seed", options->seed, "of the bootstrap")->capture_default_str();
  app.add_flag("--markdown", options->markdown, "print a markdown table");
  app.add_flag("--strict", options->strict, "exit with 5 when a verdict is inconclusive");
  app.footer(
      "Exit codes: 0 nothing worse, 1 usage, 3 a cell has no valid trial, 4 something is worse,\n"
      "5 (with --strict) the data cannot tell.");
  return [options] { return Run(*options); };
}

}  // namespace connbench::cli
