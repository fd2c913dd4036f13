// Draws charts with gnuplot, one style for all: readable in print and without colour (each series
// has its own dash and point, each part of a bar its own pattern).
//
// Safety: control plane; one thread at a time per folder. Runs gnuplot as a child process and waits
// for it, at most kGnuplotTimeLimit. Errors: gnuplot missing (names the package), gnuplot's own
// complaint with the script's path, an unwritable folder.
#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "base/status.h"
#include "plots/chart.h"

namespace connbench::plots {

enum class ImageFormat { kSvg, kPng, kPdf };

// "svg", "png" or "pdf"; 22023 for anything else.
Result<ImageFormat> ParseImageFormat(std::string_view name);

// The gnuplot script of a chart, complete with its data; it writes to output_path.
std::string GnuplotScript(const Chart& chart, ImageFormat format, const std::string& output_path);

// Writes folder/<name>.gp (so that a chart can be restyled by hand) and one image per format;
// returns the images' paths.
Result<std::vector<std::filesystem::path>> RenderChart(const Chart& chart,
                                                       const std::filesystem::path& folder,
                                                       const std::vector<ImageFormat>& formats);

}  // namespace connbench::plots
