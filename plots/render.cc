#include "plots/render.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <poll.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <csignal>
#include <fstream>
#include <map>

#include "base/clock.h"

extern char** environ;

namespace connbench::plots {
namespace {

constexpr int64_t kGnuplotTimeLimitNs = 60 * kNanosecondsPerSecond;
constexpr int kWidthPixels = 960;
constexpr int kHeightPixels = 560;
constexpr double kPdfPixelsPerInch = 100;
// Where bars of a logarithmic axis begin, in the axis's unit.
constexpr double kLogFloor = 1;
constexpr size_t kMaxGnuplotOutputBytes = 16384;

struct Look {
  std::string_view colour;
  int dash;
  int point;
  int fill_pattern;
};

// Okabe and Ito's palette, which colour-blind readers can tell apart; the dash, the point and the
// pattern tell the series apart where there is no colour at all.
constexpr std::array<Look, 16> kLooks{{{"#0072B2", 1, 7, 3},
                                       {"#D55E00", 2, 5, 2},
                                       {"#009E73", 4, 9, 1},
                                       {"#CC79A7", 5, 13, 6},
                                       {"#56B4E9", 3, 11, 4},
                                       {"#E69F00", 2, 4, 5},
                                       {"#000000", 3, 6, 7},
                                       {"#999999", 1, 8, 0},
                                       {"#7A5195", 2, 12, 3},
                                       {"#8C6D31", 4, 10, 2},
                                       {"#8B0000", 1, 1, 1},
                                       {"#006D77", 5, 2, 6},
                                       {"#B5BD00", 1, 3, 4},
                                       {"#5C3317", 3, 7, 5},
                                       {"#FF8FA3", 2, 15, 7},
                                       {"#3A0CA3", 4, 14, 0}}};

const Look& LookOf(size_t index) { return kLooks[index % kLooks.size()]; }

// A key of more names than this takes the right side, one line for each, so that it does not eat up
// the drawing from below.
constexpr size_t kFewSeries = 6;

// A double-quoted gnuplot string; enhanced text is off, so only quotes, backslashes and line ends
// need care.
std::string Quoted(std::string_view text) {
  std::string out = "\"";
  for (const char c : text) {
    if (c == '"' || c == '\\') out += '\\';
    out += (c == '\n' || c == '\r') ? ' ' : c;
  }
  return out + "\"";
}

std::string_view Suffix(ImageFormat format) {
  switch (format) {
    case ImageFormat::kSvg:
      return "svg";
    case ImageFormat::kPng:
      return "png";
    case ImageFormat::kPdf:
      return "pdf";
  }
  return "";
}

std::string Terminal(ImageFormat format, int height_pixels) {
  switch (format) {
    case ImageFormat::kSvg:
      return fmt::format(
          "set terminal svg size {},{} dynamic noenhanced font 'DejaVu Sans,14' background 'white' "
          "linewidth 1.3",
          kWidthPixels, height_pixels);
    case ImageFormat::kPng:
      return fmt::format(
          "set terminal pngcairo size {},{} noenhanced font 'DejaVu Sans,11' background 'white' "
          "linewidth 1.3",
          kWidthPixels, height_pixels);
    case ImageFormat::kPdf:
      return fmt::format(
          "set terminal pdfcairo size {}in,{}in noenhanced font 'DejaVu Sans,12' linewidth 1.5",
          kWidthPixels / kPdfPixelsPerInch, height_pixels / kPdfPixelsPerInch);
  }
  return "";
}

std::string Ticks(const std::vector<Tick>& ticks) {
  std::string out;
  for (const Tick& tick : ticks) {
    if (!out.empty()) out += ", ";
    // gnuplot takes the label of a tick for a format.
    std::string label;
    for (const char c : tick.label) label += c == '%' ? std::string("%%") : std::string(1, c);
    out += fmt::format("{} {}", Quoted(label), tick.at);
  }
  return out;
}

std::string LinesBody(const Chart& chart) {
  std::string data;
  if (const XBand& band = chart.x_band; band.at > 0) {
    data += fmt::format(
        "set object 1 rectangle from first {0},graph 0 to first {1},graph 1 behind fc rgb "
        "'#e4e4e4' "
        "fs solid noborder\nset arrow 1 from first {2},graph 0 to first {2},graph 1 nohead lc rgb "
        "'#888888' lw 1.5 dt 2\n",
        band.low, band.high, band.at);
  }
  std::string plot = "plot ";
  for (size_t i = 0; i < chart.series.size(); ++i) {
    const Series& series = chart.series[i];
    const Look& look = LookOf(i);
    data += fmt::format("$series{} << EOD\n", i);
    bool has_interval = false;
    for (const Point& point : series.points) {
      data += fmt::format("{} {} {} {}\n", point.x, point.y, point.low, point.high);
      has_interval = has_interval || point.low != point.high;
    }
    data += "EOD\n";
    // Many points are a curve: their marks would hide it.
    const bool marks = series.points.size() <= 24;
    const std::string style = fmt::format("lc rgb '{}' dt {} lw 2", look.colour, look.dash);
    if (i > 0) plot += ", \\\n  ";
    if (has_interval) {
      plot += fmt::format("$series{} using 1:2:3:4 with yerrorbars notitle lc rgb '{}' pt {}, ", i,
                          look.colour, look.point);
    }
    plot += fmt::format("$series{} using 1:2 with {} title {} {}", i,
                        marks ? "linespoints" : "lines", Quoted(series.label), style);
    if (marks) plot += fmt::format(" pt {} ps 1.1", look.point);
  }
  return data + plot + "\n";
}

// More bars than this lie on their side, so that each has its name in full beside it.
constexpr size_t kFewBars = 6;

bool BarsLie(const Chart& chart) {
  return chart.kind == ChartKind::kBars && chart.bars.size() > kFewBars;
}

int ChartHeightPixels(const Chart& chart) {
  constexpr int kPixelsOfBar = 24;
  constexpr int kPixelsAroundBars = 210;  // title, axis and key
  if (!BarsLie(chart)) return kHeightPixels;
  return std::max(kHeightPixels,
                  static_cast<int>(chart.bars.size()) * kPixelsOfBar + kPixelsAroundBars);
}

// Bars and their intervals as data blocks, with the place of each bar along the axis of names. Bars
// of a group touch; a gap of one bar's width stands between groups.
struct PlacedBars {
  std::string data;
  std::vector<double> at;
  bool has_interval = false;
};

PlacedBars PlaceBars(const Chart& chart) {
  PlacedBars placed;
  placed.data = "$bars << EOD\n";
  std::string intervals = "$intervals << EOD\n";
  // A logarithmic axis has no 0 to stand on.
  const double floor = chart.log_y ? kLogFloor : 0;
  double at = 0;
  for (size_t i = 0; i < chart.bars.size(); ++i) {
    const Bar& bar = chart.bars[i];
    if (i > 0) at += bar.group != chart.bars[i - 1].group ? 2 : 1;
    placed.at.push_back(at);
    placed.data += fmt::format("{}", at);
    double total = 0;
    for (const double part : bar.parts) {
      placed.data += fmt::format(" {} {}", std::max(total, floor), std::max(total + part, floor));
      total += part;
    }
    placed.data += "\n";
    if (bar.low == bar.high) continue;
    placed.has_interval = true;
    intervals += fmt::format("{} {} {} {}\n", at, total, bar.low, bar.high);
  }
  placed.data += "EOD\n" + intervals + "EOD\n";
  return placed;
}

// box and interval: the columns for gnuplot, with {0} and {1} where a part begins and ends.
std::string PlotBars(const Chart& chart, std::string_view box, std::string_view interval,
                     bool has_interval) {
  std::string out = "plot ";
  for (size_t part = 0; part < chart.parts.size(); ++part) {
    const Look& look = LookOf(part);
    if (part > 0) out += ", \\\n  ";
    const size_t begin = 2 + 2 * part;
    out += fmt::format("$bars using {} with boxxyerror title {} ",
                       fmt::format(fmt::runtime(box), begin, begin + 1), Quoted(chart.parts[part]));
    out += fmt::format("fs pattern {0} border lc rgb '{1}' lc rgb '{1}'", look.fill_pattern,
                       look.colour);
  }
  if (has_interval) {
    out += fmt::format(", \\\n  $intervals using {} notitle lc rgb 'black' lw 1.5 pt 0", interval);
  }
  return out + "\n";
}

std::string StandingBars(const Chart& chart) {
  const PlacedBars placed = PlaceBars(chart);
  std::vector<Tick> ticks;
  std::map<std::string, std::pair<double, double>> group_extent;
  for (size_t i = 0; i < chart.bars.size(); ++i) {
    const Bar& bar = chart.bars[i];
    ticks.push_back({placed.at[i], bar.label});
    if (bar.group.empty()) continue;
    group_extent.try_emplace(bar.group, placed.at[i], placed.at[i]).first->second.second =
        placed.at[i];
  }
  std::string out = placed.data;
  for (const auto& [group, extent] : group_extent) {
    out += fmt::format("set label {} at {}, graph -0.12 center\n", Quoted(group),
                       (extent.first + extent.second) / 2);
  }
  if (!group_extent.empty()) out += "set bmargin 7\n";
  out += fmt::format("set xtics ({}) scale 0\nset xrange [-0.8:{}]\n", Ticks(ticks),
                     placed.at.back() + 0.8);
  return out + PlotBars(chart, "1:(${0}+(${1}-${0})/2):($1-0.4):($1+0.4):{0}:{1}",
                        "1:2:3:4 with yerrorbars", placed.has_interval);
}

// The same with both axes exchanged, the first bar at the top.
std::string LyingBars(const Chart& chart) {
  const PlacedBars placed = PlaceBars(chart);
  std::vector<Tick> ticks;
  for (size_t i = 0; i < chart.bars.size(); ++i) {
    const Bar& bar = chart.bars[i];
    const std::string_view gap = bar.group.empty() || bar.label.empty() ? "" : "  ";
    ticks.push_back({placed.at[i], fmt::format("{}{}{}", bar.group, gap, bar.label)});
  }
  std::string out = placed.data;
  out += fmt::format("set ytics ({}) scale 0\nset yrange [{}:-0.8]\n", Ticks(ticks),
                     placed.at.back() + 0.8);
  return out + PlotBars(chart, "(${0}+(${1}-${0})/2):1:{0}:{1}:($1-0.4):($1+0.4)",
                        "2:1:3:4 with xerrorbars", placed.has_interval);
}

// Runs gnuplot on a script and gives its complaints.
Status RunGnuplot(const std::filesystem::path& script) {
  int pipe_fds[2];
  if (pipe2(pipe_fds, O_CLOEXEC) != 0) return Status::System("pipe for gnuplot", errno);
  posix_spawn_file_actions_t actions;
  posix_spawn_file_actions_init(&actions);
  posix_spawn_file_actions_addopen(&actions, STDIN_FILENO, "/dev/null", O_RDONLY, 0);
  posix_spawn_file_actions_adddup2(&actions, pipe_fds[1], STDOUT_FILENO);
  posix_spawn_file_actions_adddup2(&actions, pipe_fds[1], STDERR_FILENO);
  std::string path = script.string();
  std::string program = "gnuplot";
  char* argv[] = {program.data(), path.data(), nullptr};
  pid_t pid = 0;
  const int spawned = posix_spawnp(&pid, "gnuplot", &actions, nullptr, argv, environ);
  posix_spawn_file_actions_destroy(&actions);
  close(pipe_fds[1]);
  if (spawned != 0) {
    close(pipe_fds[0]);
    if (spawned == ENOENT) {
      return Status::Error(sqlstate::kSystemError,
                           "gnuplot is not installed, so no chart was drawn")
          .WithHint("Install the Debian package gnuplot-nox, then run \"connbench report\" again.");
    }
    return Status::System("cannot start gnuplot", spawned);
  }
  std::string complaints;
  const MonotonicNs deadline = MonotonicNow() + kGnuplotTimeLimitNs;
  bool timed_out = false;
  while (true) {
    const int64_t left_ms = (deadline - MonotonicNow()) / kNanosecondsPerMillisecond;
    pollfd waiting{pipe_fds[0], POLLIN, 0};
    const int ready = left_ms > 0 ? poll(&waiting, 1, static_cast<int>(left_ms)) : 0;
    if (ready < 0 && errno == EINTR) continue;
    if (ready <= 0) {
      timed_out = true;
      kill(pid, SIGKILL);
      break;
    }
    char buffer[1024];
    const ssize_t got = read(pipe_fds[0], buffer, sizeof buffer);
    if (got <= 0) break;
    if (complaints.size() < kMaxGnuplotOutputBytes) complaints.append(buffer, got);
  }
  close(pipe_fds[0]);
  int wait_status = 0;
  while (waitpid(pid, &wait_status, 0) < 0 && errno == EINTR) {
  }
  if (timed_out) {
    return Status::Error(sqlstate::kSystemError,
                         fmt::format("gnuplot did not end within {} on {}",
                                     kGnuplotTimeLimitNs / kNanosecondsPerSecond, path));
  }
  if (!WIFEXITED(wait_status) || WEXITSTATUS(wait_status) != 0) {
    return Status::Error(sqlstate::kSystemError, fmt::format("gnuplot failed on {}", path))
        .WithDetail(complaints);
  }
  return Status::Ok();
}

Status WriteFile(const std::filesystem::path& path, const std::string& text) {
  std::ofstream file(path, std::ios::trunc);
  file << text;
  file.close();
  if (!file) {
    return Status::System(fmt::format("cannot write {}", path.string()), errno)
        .WithHint("Check that the folder is writable and the disk is not full.");
  }
  return Status::Ok();
}

}  // namespace

Result<ImageFormat> ParseImageFormat(std::string_view name) {
  for (const ImageFormat format : {ImageFormat::kSvg, ImageFormat::kPng, ImageFormat::kPdf}) {
    if (name == Suffix(format)) return format;
  }
  return Status::Error(sqlstate::kInvalidParameterValue,
                       fmt::format("\"{}\" is not an image format", name))
      .WithHint("Choose svg, png or pdf.");
}

std::string GnuplotScript(const Chart& chart, ImageFormat format, const std::string& output_path) {
  const bool lie = BarsLie(chart);
  // The axis of values is y, but where bars lie.
  const std::string_view values = lie ? "x" : "y";
  std::string out = Terminal(format, ChartHeightPixels(chart)) + "\n";
  out += fmt::format("set output {}\n", Quoted(output_path));
  out += fmt::format("set title {}\n", Quoted(chart.title) + ".\"\\n\"." + Quoted(chart.subtitle));
  if (!chart.x_label.empty()) out += fmt::format("set xlabel {}\n", Quoted(chart.x_label));
  out += fmt::format("set {}label {}\n", values, Quoted(chart.y_label));
  out += fmt::format(
      "set border 3 lw 1 lc rgb '#444444'\nset tics nomirror\nset grid {} lc rgb '#dddddd' lw 1\n",
      values);
  out += chart.series.size() > kFewSeries
             ? "set key outside right center vertical samplen 3 spacing 1.4\n"
             : "set key outside below horizontal samplen 4 spacing 1.2\n";
  out += "set style fill pattern border\n";
  out += fmt::format("set format {} \"%'.10g\"\nset decimalsign locale \"C\"\n", values);
  if (chart.log_y) {
    out += fmt::format("set logscale {}\n", values);
    if (chart.kind == ChartKind::kBars) {
      out += fmt::format("set {}range [{}:*]\n", values, kLogFloor);
    }
  } else {
    out += fmt::format("set {}range [0:*]\n", values);
  }
  if (chart.log_x) out += "set logscale x\nset grid x lc rgb '#dddddd' lw 1\n";
  if (!chart.x_ticks.empty()) out += fmt::format("set xtics ({})\n", Ticks(chart.x_ticks));
  if (lie) return out + LyingBars(chart);
  return out + (chart.kind == ChartKind::kLines ? LinesBody(chart) : StandingBars(chart));
}

Result<std::vector<std::filesystem::path>> RenderChart(const Chart& chart,
                                                       const std::filesystem::path& folder,
                                                       const std::vector<ImageFormat>& formats) {
  std::vector<std::filesystem::path> written;
  for (const ImageFormat format : formats) {
    const auto image = folder / fmt::format("{}.{}", chart.name, Suffix(format));
    const auto script = folder / fmt::format("{}.gp", chart.name);
    CONNBENCH_RETURN_IF_ERROR(WriteFile(script, GnuplotScript(chart, format, image.string())));
    CONNBENCH_RETURN_IF_ERROR(RunGnuplot(script));
    written.push_back(image);
  }
  return written;
}

}  // namespace connbench::plots
