// A run's charts as files and its report: charts, tables, environment and command lines on one
// self-contained HTML page.
//
// Safety: control plane; one thread at a time per folder. Errors: what the reader or gnuplot says;
// a missing gnuplot leaves the page without charts and is told by it and by `warning`.
#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "base/status.h"
#include "plots/render.h"

namespace connbench::plots {

struct ChartFiles {
  std::vector<std::filesystem::path> images;
};

// Draws every chart of the run into output_folder (made if missing).
Result<ChartFiles> MakeCharts(const std::string& run_folder,
                              const std::filesystem::path& output_folder,
                              const std::vector<ImageFormat>& formats);

struct ReportFiles {
  std::vector<std::filesystem::path> charts;
  std::filesystem::path page;
  std::string warning;  // why charts are missing; empty if none is
};

// Charts (SVG and PNG) into RUN/charts and the page RUN/report.html.
Result<ReportFiles> MakeChartsAndReport(const std::string& run_folder);

}  // namespace connbench::plots
