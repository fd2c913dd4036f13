// connbench plot and connbench report: charts and the HTML page, made again from a run's files.
#include <cstdio>
#include <filesystem>
#include <memory>
#include <string>
#include <vector>

#include "base/exit_code.h"
#include "harness/cli/command.h"
#include "plots/report.h"

namespace connbench::cli {
namespace {

int Fail(const char* command, const Status& status) {
  std::fprintf(stderr, "connbench %s: %s\n", command, status.ToString().c_str());
  return kExitErrors;
}

struct PlotOptions {
  std::vector<std::string> runs;
  std::vector<std::string> formats = {"svg", "png"};
  std::string output;
};

int RunPlot(const PlotOptions& options) {
  std::vector<plots::ImageFormat> formats;
  for (const std::string& name : options.formats) {
    const auto format = plots::ParseImageFormat(name);
    if (!format.ok()) {
      Fail("plot", format.status());
      return kExitUsage;
    }
    formats.push_back(*format);
  }
  for (const std::string& run : options.runs) {
    auto folder = options.output.empty() ? std::filesystem::path(run) / "charts"
                                         : std::filesystem::path(options.output);
    if (!options.output.empty() && options.runs.size() > 1) {
      folder /= std::filesystem::path(run).lexically_normal().filename();
    }
    const auto files = plots::MakeCharts(run, folder, formats);
    if (!files.ok()) return Fail("plot", files.status());
    for (const auto& image : files->images) std::printf("%s\n", image.c_str());
  }
  return kExitOk;
}

int RunReport(const std::vector<std::string>& runs) {
  int exit_code = kExitOk;
  for (const std::string& run : runs) {
    const auto files = plots::MakeChartsAndReport(run);
    if (!files.ok()) return Fail("report", files.status());
    if (!files->warning.empty()) {
      std::fprintf(stderr, "connbench report: %s\n", files->warning.c_str());
      exit_code = kExitErrors;
    }
    std::printf("%s\n", files->page.c_str());
  }
  return exit_code;
}

}  // namespace

CommandMain ConfigurePlot(CLI::App& app) {
  const auto options = std::make_shared<PlotOptions>();
  options->runs = {"results/latest"};
  app.add_option("RUN", options->runs, "folders that \"connbench run\" wrote")
      ->capture_default_str();
  app.add_option("--format", options->formats, "svg, png or pdf (may be repeated)")
      ->capture_default_str();
  app.add_option("-o,--output", options->output, "folder for the charts (default: RUN/charts)");
  return [options] { return RunPlot(*options); };
}

CommandMain ConfigureReport(CLI::App& app) {
  const auto runs =
      std::make_shared<std::vector<std::string>>(std::vector<std::string>{"results/latest"});
  app.add_option("RUN", *runs, "folders that \"connbench run\" wrote")->capture_default_str();
  return [runs] { return RunReport(*runs); };
}

}  // namespace connbench::cli
