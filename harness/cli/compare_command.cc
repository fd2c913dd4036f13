// connbench compare: what differs between two runs, or inside one, and how sure that is.
#include <fmt/format.h>

#include <cstdio>
#include <memory>
#include <string>
#include <vector>

#include "base/exit_code.h"
#include "base/print_error.h"
#include "harness/answers/compare_runs.h"
#include "harness/answers/outputs.h"
#include "harness/cli/command.h"
#include "results/reader.h"

namespace connbench::cli {
namespace {

struct CompareOptions {
  std::vector<std::string> runs;
  std::string by;
  std::string base;
  std::vector<std::string> metrics;
  std::vector<std::string> thresholds;
  std::string thresholds_file;
  std::string drift;
  std::string format = "plain";
  bool halves = false;
  bool strict = false;
};

int FailCompare(const Status& status) {
  return PrintError("connbench compare", status, kExitUsage);
}

// The file first, so that the command line has the last word.
Status ReadThresholds(const CompareOptions& options, answers::Thresholds& thresholds) {
  if (!options.thresholds_file.empty()) {
    CONNBENCH_RETURN_IF_ERROR(answers::ReadThresholds(options.thresholds_file, thresholds));
  }
  for (const std::string& text : options.thresholds) {
    CONNBENCH_RETURN_IF_ERROR(answers::SetThreshold(text, thresholds));
  }
  if (!options.drift.empty()) {
    CONNBENCH_ASSIGN_OR_RETURN(thresholds.drift, answers::ParsePercent(options.drift));
  }
  return Status::Ok();
}

Result<stats::VerdictTable> CompareAsAsked(const CompareOptions& options) {
  answers::CompareOptions how;
  how.metrics = options.metrics;
  CONNBENCH_RETURN_IF_ERROR(ReadThresholds(options, how.thresholds));
  if (options.halves || !options.by.empty()) {
    const std::string folder = options.runs.empty() ? "results/latest" : options.runs[0];
    CONNBENCH_ASSIGN_OR_RETURN(const auto run, results::Run::Load(folder));
    return options.halves ? answers::CompareHalves(run, how)
                          : answers::CompareWithinRun(run, options.by, options.base, how);
  }
  CONNBENCH_ASSIGN_OR_RETURN(const auto base, results::Run::Load(options.runs[0]));
  CONNBENCH_ASSIGN_OR_RETURN(const auto candidate, results::Run::Load(options.runs[1]));
  return answers::CompareRuns(base, candidate, how);
}

int RunCompareCommand(const CompareOptions& options) {
  const bool one_run = options.halves || !options.by.empty();
  const size_t runs_wanted = one_run ? 1 : 2;
  if (options.by.empty() != options.base.empty() || options.runs.size() > runs_wanted ||
      (options.halves && !options.by.empty()) || (!one_run && options.runs.size() != runs_wanted)) {
    std::fprintf(stderr,
                 "connbench compare: give two run folders, BASE and CANDIDATE, or one folder with "
                 "--by AXIS --base VALUE (for example --by contender --base postgres) or with "
                 "--halves.\n");
    return kExitUsage;
  }
  const auto compared = CompareAsAsked(options);
  if (!compared.ok()) return FailCompare(compared.status());
  const auto format = answers::ParseOutputFormat(options.format);
  std::fputs(answers::FormatComparison(*compared, *format).c_str(), stdout);
  return stats::ExitCodeOf(*compared, options.strict);
}

}  // namespace

CommandMain ConfigureCompare(CLI::App& app) {
  const auto options = std::make_shared<CompareOptions>();
  app.add_option("RUN", options->runs, "BASE and CANDIDATE, folders that \"connbench run\" wrote");
  app.add_option(
      "--by", options->by,
      "describe the values of this axis inside one run: contender, connections, a setting "
      "or parameter that was varied, ...");
  app.add_option("--base", options->base, "the axis value to hold the others against");
  app.add_flag("--halves", options->halves,
               "one run's odd repetitions against its even ones: what noise alone does");
  app.add_option("--metric", options->metrics,
                 "compare, and judge, only this metric (may be repeated)");
  app.add_option("--threshold", options->thresholds,
                 "change that is worth a word: 5%, or throughput_tps=3% (may be repeated)");
  app.add_option("--thresholds", options->thresholds_file,
                 "TOML file with them: default, drift, [metrics]");
  app.add_option("--drift", options->drift,
                 "what two runs differ by without a cause (10% of times, 2% of counts)");
  app.add_option("--format", options->format, "of the output")
      ->check(CLI::IsMember(answers::OutputFormatNames()))
      ->capture_default_str();
  app.add_flag("--strict", options->strict, "exit with 5 when a judged row cannot be told");
  app.footer(
      "--by only describes, and ends with 0. Too few repetitions for --halves end with 5, as does\n"
      "a comparison in which no judged row carries an interval, one in which more work fails on\n"
      "the candidate's side and it is not settled by how much, and, with --strict, one with a\n"
      "judged row that cannot be told.");
  return [options] { return RunCompareCommand(*options); };
}

}  // namespace connbench::cli
