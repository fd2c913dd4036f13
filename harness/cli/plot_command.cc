// connbench plot: charts, made again from a run's files.
#include <fmt/format.h>

#include <algorithm>
#include <cctype>
#include <charconv>
#include <cmath>
#include <cstdio>
#include <filesystem>
#include <memory>
#include <regex>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/exit_code.h"
#include "base/print_error.h"
#include "harness/answers/compare_runs.h"
#include "harness/cli/command.h"
#include "plots/charts.h"
#include "plots/render.h"
#include "plots/verdict_charts.h"
#include "results/reader.h"

namespace connbench::cli {
namespace {

int FailPlot(const Status& status, ExitCode exit_code = kExitErrors) {
  return PrintError("connbench plot", status, exit_code);
}

constexpr double kPixelsPerInch = 96;
constexpr double kMillimetresPerInch = 25.4;
constexpr double kPointsPerInch = 72;

struct PlotOptions {
  std::vector<std::string> words;  // charts and runs
  plots::ChartRequest request;
  std::string filter;
  std::string title;
  std::string size;
  std::string font;
  std::string theme = "light";
  std::vector<std::string> formats = {"svg", "png"};
  std::string output;
};

// "84mm", "3.3in", "960": a length in CSS pixels.
Result<double> ParseLength(std::string_view text) {
  static constexpr std::pair<std::string_view, double> kUnits[] = {
      {"", 1},
      {"px", 1},
      {"mm", kPixelsPerInch / kMillimetresPerInch},
      {"cm", 10 * kPixelsPerInch / kMillimetresPerInch},
      {"in", kPixelsPerInch},
      {"pt", kPixelsPerInch / kPointsPerInch}};
  double number = 0;
  const char* end = text.data() + text.size();
  const auto [stop, error] = std::from_chars(text.data(), end, number);
  const std::string_view unit(stop, static_cast<size_t>(end - stop));
  const auto* found = std::find_if(std::begin(kUnits), std::end(kUnits),
                                   [&](const auto& known) { return known.first == unit; });
  if (error != std::errc() || found == std::end(kUnits) || !std::isfinite(number)) {
    return Status::Error(sqlstate::kInvalidParameterValue,
                         fmt::format("\"{}\" is not a length", text))
        .WithHint("Give a number of pixels, or one with mm, cm, in or pt: 84mm.");
  }
  return number * found->second;
}

// WIDTH or WIDTHxHEIGHT.
Status ParseSize(const std::string& text, plots::RenderOptions& drawing) {
  constexpr double kNarrowestPx = 200;
  constexpr double kLargestPx = 8000;
  if (text.empty()) return Status::Ok();
  size_t cross = text.find('x');
  if (cross != std::string::npos && cross > 0 && text[cross - 1] == 'p')
    cross = text.find('x', cross + 1);
  const bool has_height = cross != std::string::npos;
  CONNBENCH_ASSIGN_OR_RETURN(drawing.width_px,
                             ParseLength(text.substr(0, has_height ? cross : text.size())));
  if (has_height) {
    CONNBENCH_ASSIGN_OR_RETURN(drawing.height_px, ParseLength(text.substr(cross + 1)));
  }
  const bool fits = drawing.width_px >= kNarrowestPx && drawing.width_px <= kLargestPx &&
                    drawing.height_px >= 0 && drawing.height_px <= kLargestPx;
  if (fits) return Status::Ok();
  return Status::Error(sqlstate::kInvalidParameterValue,
                       fmt::format("--size {} is out of range", text))
      .WithHint(fmt::format("A picture is {} to {} pixels wide; 96 pixels are an inch.",
                            kNarrowestPx, kLargestPx));
}

// NAME, or NAME,SIZE.
Status ParseFont(const std::string& text, plots::RenderOptions& drawing) {
  constexpr double kSmallestPx = 4;
  constexpr double kLargestPx = 100;
  if (text.empty()) return Status::Ok();
  const size_t comma = text.find(',');
  const std::string name = text.substr(0, comma);
  const auto is_plain = [](char c) {
    return std::isalnum(static_cast<unsigned char>(c)) != 0 || c == ' ' || c == '-' || c == '.';
  };
  if (!std::all_of(name.begin(), name.end(), is_plain)) {
    return Status::Error(sqlstate::kInvalidParameterValue,
                         fmt::format("\"{}\" is not a font's name", name))
        .WithHint("\"fc-list : family\" has the names; a size follows a comma: Helvetica,9pt.");
  }
  if (!name.empty()) drawing.font = name;
  if (comma == std::string::npos) return Status::Ok();
  CONNBENCH_ASSIGN_OR_RETURN(drawing.font_px, ParseLength(text.substr(comma + 1)));
  if (drawing.font_px >= kSmallestPx && drawing.font_px <= kLargestPx) return Status::Ok();
  return Status::Error(sqlstate::kInvalidParameterValue,
                       fmt::format("--font {}: its size is out of range", text))
      .WithHint(fmt::format("Sizes are {} to {} pixels, 3 to 75 pt.", kSmallestPx, kLargestPx));
}

// Leaves the trials whose cell's name fits.
Status FilterTrials(const std::string& filter, results::Run& run) {
  if (filter.empty()) return Status::Ok();
  try {
    const std::regex pattern(filter);
    std::erase_if(run.trials, [&](const results::TrialRow& row) {
      return !std::regex_search(row.cell, pattern);
    });
  } catch (const std::regex_error& error) {
    return Status::Error(
        sqlstate::kInvalidParameterValue,
        fmt::format("--filter \"{}\" is no regular expression: {}", filter, error.what()));
  }
  if (!run.trials.empty()) return Status::Ok();
  return Status::Error(sqlstate::kUndefinedObject,
                       fmt::format("no trial fits --filter \"{}\"", filter))
      .WithHint("It is held against the names of cells: column \"cell\" of trials.csv.");
}

// What was asked for, and where it goes.
struct Plot {
  plots::ChartRequest request;
  plots::RenderOptions drawing;
  std::vector<std::string> runs;
  std::filesystem::path folder;
  std::string file;  // without suffix, of the one chart; empty: the charts' names
};

// A word without a slash that is no folder names a chart.
bool IsRun(const std::string& word) {
  std::error_code ignored;
  return word.find('/') != std::string::npos || std::filesystem::exists(word, ignored);
}

Result<Plot> MakePlot(const PlotOptions& options) {
  Plot plot;
  plot.request = options.request;
  for (const std::string& word : options.words) {
    (IsRun(word) ? plot.runs : plot.request.topics).push_back(word);
  }
  if (plot.runs.empty()) plot.runs = {"results/latest"};
  CONNBENCH_ASSIGN_OR_RETURN(plot.drawing.theme, plots::ParseTheme(options.theme));
  CONNBENCH_RETURN_IF_ERROR(ParseSize(options.size, plot.drawing));
  CONNBENCH_RETURN_IF_ERROR(ParseFont(options.font, plot.drawing));
  std::vector<std::string> formats = options.formats;
  const std::filesystem::path output = options.output;
  plot.folder = output;
  if (output.empty()) {
    plot.folder = plot.runs.size() > 1 ? "charts" : std::filesystem::path(plot.runs[0]) / "charts";
  } else if (const std::string suffix = output.extension().string();
             suffix.size() > 1 && plots::ParseImageFormat(suffix.substr(1)).ok()) {
    formats = {suffix.substr(1)};
    plot.folder = output.has_parent_path() ? output.parent_path() : ".";
    plot.file = output.stem().string();
  }
  plot.drawing.formats.clear();
  for (const std::string& name : formats) {
    CONNBENCH_ASSIGN_OR_RETURN(const plots::ImageFormat format, plots::ParseImageFormat(name));
    plot.drawing.formats.push_back(format);
  }
  return plot;
}

// Of two runs as `connbench compare` holds them against each other.
Result<std::vector<plots::Chart>> VerdictChartsOf(const std::vector<results::Run>& runs) {
  if (runs.size() != 2) {
    return Status::Error(sqlstate::kInvalidParameterValue,
                         "the chart \"verdicts\" holds two runs against each other")
        .WithHint("Give two folders: connbench plot verdicts BASE CANDIDATE.");
  }
  CONNBENCH_ASSIGN_OR_RETURN(const stats::VerdictTable table,
                             answers::CompareRuns(runs[0], runs[1], {}));
  return plots::VerdictCharts(table);
}

Result<std::vector<plots::Chart>> ChartsOf(const PlotOptions& options, const Plot& plot) {
  std::vector<results::Run> runs;
  for (const std::string& name : plot.runs) {
    CONNBENCH_ASSIGN_OR_RETURN(results::Run run, results::Run::Load(name));
    CONNBENCH_RETURN_IF_ERROR(FilterTrials(options.filter, run));
    runs.push_back(std::move(run));
  }
  std::vector<plots::Chart> charts;
  plots::ChartRequest request = plot.request;
  const bool verdicts = std::erase(request.topics, plots::kVerdictsTopic) > 0;
  if (verdicts) {
    CONNBENCH_ASSIGN_OR_RETURN(charts, VerdictChartsOf(runs));
  }
  if (!verdicts || !request.topics.empty()) {
    const results::Run run =
        runs.size() == 1 ? std::move(runs[0]) : plots::MergeRuns(std::move(runs));
    CONNBENCH_ASSIGN_OR_RETURN(std::vector<plots::Chart> more, plots::ChartsOf(run, request));
    for (plots::Chart& chart : more) charts.push_back(std::move(chart));
  }
  if (charts.empty()) {
    return Status::Error(sqlstate::kUndefinedObject, "there is nothing to draw")
        .WithHint("No valid trial has data for a chart; trials.csv says why trials are INVALID.");
  }
  if (!plot.file.empty() && charts.size() > 1) {
    std::string names;
    for (const plots::Chart& chart : charts) names += (names.empty() ? "" : ", ") + chart.name;
    return Status::Error(sqlstate::kInvalidParameterValue,
                         fmt::format("{} is one file, and there are {} charts: {}", options.output,
                                     charts.size(), names))
        .WithHint("Name one of them before the run, or give -o a folder.");
  }
  for (plots::Chart& chart : charts) {
    if (!options.title.empty()) chart.title = options.title;
    if (!plot.file.empty()) chart.name = plot.file;
  }
  return charts;
}

int RunPlot(const PlotOptions& options) {
  const auto plot = MakePlot(options);
  if (!plot.ok()) return FailPlot(plot.status(), kExitUsage);
  const auto charts = ChartsOf(options, *plot);
  if (!charts.ok()) return FailPlot(charts.status(), kExitUsage);
  std::error_code error;
  std::filesystem::create_directories(plot->folder, error);
  if (error) {
    return FailPlot(
        Status::System(fmt::format("cannot make {}", plot->folder.string()), error.value()));
  }
  const auto drawn = plots::RenderCharts(*charts, plot->folder, plot->drawing);
  if (!drawn.ok()) return FailPlot(drawn.status());
  for (const plots::DrawnChart& chart : *drawn) {
    for (const auto& image : chart.images) std::printf("%s\n", image.c_str());
  }
  return kExitOk;
}

}  // namespace

CommandMain ConfigurePlot(CLI::App& app) {
  const auto options = std::make_shared<PlotOptions>();
  app.add_option("RUN", options->words,
                 "charts by topic, name or metric (default: all), then folders that \"connbench "
                 "run\" wrote (default: results/latest); several runs share pictures");
  app.add_option("--metric", options->request.metrics,
                 "draw these columns of trials.csv (see \"connbench list metrics\")")
      ->delimiter(',');
  app.add_option("--x", options->request.x,
                 "the axis along x: connections, a parameter, a setting, contender")
      ->type_name("AXIS");
  app.add_option("--by", options->request.by, "the axis that lines and rows are named by first")
      ->type_name("AXIS");
  app.add_option("--filter", options->filter, "only cells whose name fits the regular expression")
      ->type_name("REGEX");
  app.add_option("--title", options->title, "title of the picture");
  app.add_option("--size", options->size, "WIDTH or WIDTHxHEIGHT, in pixels or with mm, cm, in")
      ->type_name("SIZE");
  app.add_option("--font", options->font, "NAME or NAME,SIZE: Helvetica,9pt")->type_name("FONT");
  app.add_option("--theme", options->theme, "light, dark or paper")->capture_default_str();
  app.add_option("--format", options->formats, "svg, png or pdf, separated by commas")
      ->delimiter(',')
      ->capture_default_str();
  app.add_option("-o,--output", options->output,
                 "folder for the charts (default: RUN/charts; of several runs: charts), or the "
                 "file of one: memory.pdf");
  return [options] { return RunPlot(*options); };
}

}  // namespace connbench::cli
