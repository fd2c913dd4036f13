// Draws charts with gnuplot, all in the one style that docs/charts.md describes.
//
// A chart's script stays beside its images as NAME.gp with the data in it, so that it can be
// restyled by hand: gnuplot -e 'format="pdf"' NAME.gp.
//
// Safety: control plane; one thread at a time per folder. Runs gnuplot as child processes, at most
// one per CPU at a time, and waits for them. Errors: gnuplot is missing or too old (names the
// package), gnuplot's own complaint with the script's path, an unwritable folder, a full disk.
#pragma once

#include <filesystem>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/status.h"
#include "plots/chart.h"

namespace connbench::plots {

enum class ImageFormat : uint8_t { kSvg, kPng, kPdf };
// "svg", "png" or "pdf"; 22023 for anything else.
Result<ImageFormat> ParseImageFormat(std::string_view name);

// Light and dark are for screens; paper is for print: black on white, thin lines.
enum class Theme : uint8_t { kLight, kDark, kPaper };
Result<Theme> ParseTheme(std::string_view name);

struct RenderOptions {
  Theme theme = Theme::kLight;
  double width_px = 960;  // of CSS: 96 to the inch; PNG has twice as many each way
  double height_px = 0;   // 0: as high as the chart needs
  std::string font = "DejaVu Sans";
  double font_px = 0;  // 0: the theme's
  std::vector<ImageFormat> formats = {ImageFormat::kSvg, ImageFormat::kPng};
};

// The images of one chart, in the order of RenderOptions::formats.
struct DrawnChart {
  std::string name;
  std::vector<std::filesystem::path> images;
};

bool HasGnuplot();

Result<DrawnChart> RenderChart(const Chart& chart, const std::filesystem::path& folder,
                               const RenderOptions& options);
// In the charts' order; the first that fails ends it.
Result<std::vector<DrawnChart>> RenderCharts(std::span<const Chart> charts,
                                             const std::filesystem::path& folder,
                                             const RenderOptions& options);

// In an SVG, what belongs to a contender stands in <g data-contender="NAME">, and has what it is
// worth as its <title>. The SVG of a file has plain colours; for a page that switches between light
// and dark, this replaces the theme's by var(--chart-background, #...), and likewise --chart-text,
// --chart-faint, --chart-grid and, for each family, --chart-process ... --chart-foreign.
std::string WithCssColours(std::string svg, Theme theme);

}  // namespace connbench::plots
