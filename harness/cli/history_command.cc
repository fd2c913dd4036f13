// connbench history: the runs of a folder over time, and when what changed.
#include <cstdio>
#include <filesystem>
#include <memory>
#include <string>

#include "base/exit_code.h"
#include "base/print_error.h"
#include "harness/answers/history.h"
#include "harness/cli/command.h"
#include "harness/cli/history_charts.h"
#include "plots/render.h"

namespace connbench::cli {
namespace {

struct HistoryOptions {
  std::string folder = "results";
  answers::HistoryOptions what;
  std::string format = "plain";
  std::string charts;
};

int FailHistory(const Status& status, ExitCode exit_code) {
  return PrintError("connbench history", status, exit_code);
}

int RunHistoryCommand(const HistoryOptions& options) {
  const auto history = answers::ReadHistory(options.folder, options.what);
  if (!history.ok()) return FailHistory(history.status(), kExitUsage);
  std::fputs(answers::FormatHistory(*history, options.format).c_str(), stdout);
  if (!options.charts.empty()) {
    std::error_code error;
    std::filesystem::create_directories(options.charts, error);
    if (error) {
      return FailHistory(
          Status::System("could not make the folder " + options.charts, error.value()),
          kExitErrors);
    }
    const auto drawn = plots::RenderCharts(HistoryCharts(*history), options.charts, {});
    if (!drawn.ok()) return FailHistory(drawn.status(), kExitErrors);
    for (const plots::DrawnChart& chart : *drawn) {
      for (const auto& image : chart.images) std::fprintf(stderr, "%s\n", image.c_str());
    }
  }
  return answers::ExitCodeOf(*history);
}

}  // namespace

CommandMain ConfigureHistory(CLI::App& app) {
  const auto options = std::make_shared<HistoryOptions>();
  app.add_option("DIR", options->folder, "folder with the folders of runs")->capture_default_str();
  app.add_option("--metric", options->what.metrics,
                 "judge only this metric (may be repeated; default: those of each pattern)");
  app.add_option("--contender", options->what.contenders,
                 "look only at this model or target (may be repeated)");
  app.add_option("--format", options->format, "of the output")
      ->check(CLI::IsMember(answers::HistoryFormatNames()))
      ->capture_default_str();
  app.add_option("--charts", options->charts, "draw a chart for each metric into this folder");
  app.footer(
      "Ends with 4 if the newest run lies beyond a change for the worse, with 5 if there are too\n"
      "few runs to tell. Only runs of one machine and one suite are held against each other.");
  return [options] { return RunHistoryCommand(*options); };
}

}  // namespace connbench::cli
