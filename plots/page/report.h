// A run's charts as files and its page.
//
// Safety: control plane; one thread at a time per folder. Errors: what the reader or gnuplot says;
// without gnuplot the page has no charts; the page and `warning` both say so. A chart that
// cannot be drawn (a full disk) is in `failure`, and the page says it.
#pragma once

#include <filesystem>
#include <span>
#include <string>
#include <vector>

#include "base/status.h"
#include "results/reader.h"

namespace connbench::plots {

struct ReportFiles {
  std::vector<std::filesystem::path> charts;
  std::filesystem::path page;
  std::string warning;  // why there are no charts: gnuplot is not installed; else empty
  Status failure;       // what kept a chart or the page from being finished
};

// Charts (SVG and PNG) into charts/ of the run's folder, and the page report.html beside it.
Result<ReportFiles> MakeChartsAndReport(const results::Run& run);

// One page of all of them, at least one, into this file. Their charts (SVG) go into the folder
// page.charts/ beside it, those of each run into a folder of its own.
Result<ReportFiles> MakeReport(std::span<const results::Run> runs,
                               const std::filesystem::path& page);

}  // namespace connbench::plots
