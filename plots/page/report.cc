// A run's charts as files and its page.
#include "plots/page/report.h"

#include <fmt/format.h>

#include <cerrno>
#include <fstream>
#include <system_error>
#include <utility>

#include "base/read_file.h"
#include "plots/charts.h"
#include "plots/other_scale.h"
#include "plots/page/page.h"
#include "plots/render.h"

namespace connbench::plots {
namespace {

namespace fs = std::filesystem;
using results::Run;

Status MakeFolder(const fs::path& folder) {
  std::error_code error;
  fs::create_directories(folder, error);
  if (error) return Status::System(fmt::format("cannot make {}", folder.string()), error.value());
  return Status::Ok();
}

// Readers see the old page or the new one.
Status ReplaceFile(const fs::path& path, const std::string& text) {
  const fs::path temporary = path.string() + ".tmp";
  std::ofstream file(temporary, std::ios::trunc | std::ios::binary);
  file << text;
  file.close();
  std::error_code error;
  if (file) fs::rename(temporary, path, error);
  if (file && !error) return Status::Ok();
  const int reason = error ? error.value() : errno;
  fs::remove(temporary, error);
  return Status::System(fmt::format("cannot write {}", path.string()), reason)
      .WithHint("Check that the folder is writable and the disk is not full.");
}

// For the page's switch between logarithmic and linear.
Status DrawOtherScales(const fs::path& folder, RenderOptions options,
                       std::vector<PageChart>& charts) {
  std::vector<Chart> others;
  std::vector<size_t> owners;
  for (size_t i = 0; i < charts.size(); ++i) {
    if (auto other = OnOtherScale(charts[i].chart)) {
      others.push_back(std::move(*other));
      owners.push_back(i);
    }
  }
  if (others.empty()) return Status::Ok();
  CONNBENCH_RETURN_IF_ERROR(MakeFolder(folder));
  options.formats = {ImageFormat::kSvg};
  CONNBENCH_ASSIGN_OR_RETURN(const auto drawn, RenderCharts(others, folder, options));
  for (size_t i = 0; i < drawn.size(); ++i) {
    CONNBENCH_ASSIGN_OR_RETURN(charts[owners[i]].other_scale,
                               ReadNamedFile("chart", drawn[i].images.front().string()));
  }
  return Status::Ok();
}

// Draws a run's charts until one cannot be drawn: the tables are worth having without the charts.
Status DrawCharts(const Run& run, const fs::path& folder, const RenderOptions& options,
                  std::vector<fs::path>& images, std::vector<PageChart>& charts) {
  CONNBENCH_RETURN_IF_ERROR(MakeFolder(folder));
  std::vector<Chart> wanted = ChartsOf(run);
  CONNBENCH_ASSIGN_OR_RETURN(const auto drawn, RenderCharts(wanted, folder, options));
  for (size_t i = 0; i < drawn.size(); ++i) {
    images.insert(images.end(), drawn[i].images.begin(), drawn[i].images.end());
    CONNBENCH_ASSIGN_OR_RETURN(std::string svg,
                               ReadNamedFile("chart", drawn[i].images.front().string()));
    charts.push_back({std::move(wanted[i]), std::move(svg)});
  }
  return DrawOtherScales(folder / "other-scale", options, charts);
}

// chart_folders: of each run. The first format is SVG.
Result<ReportFiles> Make(std::span<const Run> runs, const fs::path& page,
                         const std::vector<fs::path>& chart_folders, const RenderOptions& options) {
  ReportFiles files;
  files.page = page;
  PageParts parts;
  parts.runs = runs;
  parts.charts.resize(runs.size());
  const auto write_page = [&](const std::string& warning) {
    parts.warning = warning;
    return ReplaceFile(page, MakePage(parts));
  };
  if (!HasGnuplot()) {
    files.warning =
        "gnuplot is not installed, so no chart was drawn; install the Debian package "
        "gnuplot-nox, then run \"connbench report\" again";
    CONNBENCH_RETURN_IF_ERROR(write_page(files.warning));
    return files;
  }
  // First, so that there is a page whatever becomes of the charts.
  CONNBENCH_RETURN_IF_ERROR(
      write_page("The charts are not finished; \"connbench report\" draws them again."));
  for (size_t i = 0; i < runs.size() && files.failure.ok(); ++i) {
    files.failure = DrawCharts(runs[i], chart_folders[i], options, files.charts, parts.charts[i]);
  }
  const Status written =
      write_page(files.failure.ok() ? "" : "Charts are missing: " + files.failure.ToString());
  if (files.failure.ok()) files.failure = written;
  return files;
}

}  // namespace

Result<ReportFiles> MakeChartsAndReport(const Run& run) {
  const fs::path folder = run.folder;
  RenderOptions options;
  options.formats = {ImageFormat::kSvg, ImageFormat::kPng};
  return Make({&run, 1}, folder / "report.html", {folder / "charts"}, options);
}

Result<ReportFiles> MakeReport(std::span<const Run> runs, const fs::path& page) {
  std::vector<fs::path> folders;
  for (size_t i = 0; i < runs.size(); ++i) {
    folders.push_back(fs::path(page.string() + ".charts") / fmt::format("run{}", i + 1));
  }
  RenderOptions options;
  options.formats = {ImageFormat::kSvg};
  return Make(runs, page, folders, options);
}

}  // namespace connbench::plots
