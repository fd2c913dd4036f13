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
constexpr std::array<Look, 10> kLooks{{{"#0072B2", 1, 7, 3},
                                       {"#D55E00", 2, 5, 2},
                                       {"#009E73", 4, 9, 1},
                                       {"#CC79A7", 5, 13, 6},
                                       {"#56B4E9", 3, 11, 4},
                                       {"#E69F00", 2, 4, 5},
                                       {"#000000", 3, 6, 7},
                                       {"#999999", 1, 8, 0},
                                       {"#7A5195", 2, 12, 3},
                                       {"#8C6D31", 4, 10, 2}}};

const Look& LookOf(size_t index) { return kLooks[index % kLooks.size()]; }

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

std::string Terminal(ImageFormat format) {
  switch (format) {
    case ImageFormat::kSvg:
      return fmt::format(
          "set terminal svg size {},{} dynamic noenhanced font 'DejaVu Sans,14' background 'white' "
          "linewidth 1.3",
          kWidthPixels, kHeightPixels);
    case ImageFormat::kPng:
      return fmt::format(
          "set terminal pngcairo size {},{} noenhanced font 'DejaVu Sans,11' background 'white' "
          "linewidth 1.3",
          kWidthPixels, kHeightPixels);
    case ImageFormat::kPdf:
      return "set terminal pdfcairo size 9.6in,5.6in noenhanced font 'DejaVu Sans,12' linewidth "
             "1.5";
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

// More bars than this stand so close that names of two words get two lines.
constexpr size_t kFewBars = 5;

std::string BarTicks(const std::vector<Tick>& ticks) {
  if (ticks.size() <= kFewBars) return Ticks(ticks);
  std::string out;
  for (const Tick& tick : ticks) {
    std::string label;
    for (const char c : Quoted(tick.label)) {
      if (c == ' ') {
        label += "\\n";
        continue;
      }
      label += c;
      if (c == '+' || c == '-') label += "\\n";
    }
    if (!out.empty()) out += ", ";
    out += fmt::format("{} {}", label, tick.at);
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

std::string BarsBody(const Chart& chart) {
  // Bars of a group touch; a gap of one bar's width stands between groups.
  std::string data = "$bars << EOD\n";
  std::string intervals = "$intervals << EOD\n";
  std::vector<Tick> bar_ticks;
  std::map<std::string, std::pair<double, double>> group_extent;
  std::vector<std::string> group_order;
  double x = 0;
  bool has_interval = false;
  for (size_t i = 0; i < chart.bars.size(); ++i) {
    const Bar& bar = chart.bars[i];
    if (i > 0 && bar.group != chart.bars[i - 1].group) x += 1;
    data += fmt::format("{}", x);
    // A logarithmic axis has no 0 to stand on.
    const double floor = chart.log_y ? kLogFloor : 0;
    double total = 0;
    for (const double part : bar.parts) {
      data += fmt::format(" {} {}", std::max(total, floor), std::max(total + part, floor));
      total += part;
    }
    data += "\n";
    if (bar.low != bar.high) {
      has_interval = true;
      intervals += fmt::format("{} {} {} {}\n", x, total, bar.low, bar.high);
    }
    bar_ticks.push_back({x, bar.label});
    if (group_extent.find(bar.group) == group_extent.end()) {
      group_order.push_back(bar.group);
      group_extent[bar.group] = {x, x};
    }
    group_extent[bar.group].second = x;
    x += 1;
  }
  data += "EOD\n" + intervals + "EOD\n";
  std::string out = data;
  const bool labelled_groups =
      std::any_of(chart.bars.begin(), chart.bars.end(), [](const Bar& b) { return b.group != ""; });
  const bool two_lines = bar_ticks.size() > kFewBars;
  if (labelled_groups) {
    int label = 1;
    for (const std::string& group : group_order) {
      const auto [first, last] = group_extent[group];
      out += fmt::format("set label {} {} at {}, graph {} center\n", label++, Quoted(group),
                         (first + last) / 2, two_lines ? -0.16 : -0.12);
    }
  }
  if (labelled_groups || two_lines) {
    out += fmt::format("set bmargin {}\n", labelled_groups && two_lines ? 8 : 7);
  }
  out +=
      fmt::format("set xtics ({}) scale 0\nset xrange [-0.8:{}]\n", BarTicks(bar_ticks), x - 0.2);
  out += "plot ";
  for (size_t part = 0; part < chart.parts.size(); ++part) {
    const Look& look = LookOf(part);
    if (part > 0) out += ", \\\n  ";
    const size_t bottom = 2 + 2 * part;
    out += fmt::format(
        "$bars using 1:(${0}+(${1}-${0})/2):($1-0.4):($1+0.4):{0}:{1} with boxxyerror title {2} "
        "fs pattern {3} border lc rgb '{4}' lc rgb '{4}'",
        bottom, bottom + 1, Quoted(chart.parts[part]), look.fill_pattern, look.colour);
  }
  if (has_interval) {
    out += ", \\\n  $intervals using 1:2:3:4 with yerrorbars notitle lc rgb 'black' lw 1.5 pt 0";
  }
  return out + "\n";
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
  std::string out = Terminal(format) + "\n";
  out += fmt::format("set output {}\n", Quoted(output_path));
  out += fmt::format("set title {}\n", Quoted(chart.title) + ".\"\\n\"." + Quoted(chart.subtitle));
  if (!chart.x_label.empty()) out += fmt::format("set xlabel {}\n", Quoted(chart.x_label));
  out += fmt::format("set ylabel {}\n", Quoted(chart.y_label));
  out +=
      "set border 3 lw 1 lc rgb '#444444'\nset tics nomirror\nset grid y lc rgb '#dddddd' lw 1\n";
  out += "set key outside below horizontal samplen 4 spacing 1.2\nset style fill pattern border\n";
  out += "set format y \"%'.10g\"\nset decimalsign locale \"C\"\n";
  if (chart.log_y) {
    out += "set logscale y\n";
    if (chart.kind == ChartKind::kBars) out += fmt::format("set yrange [{}:*]\n", kLogFloor);
  } else {
    out += "set yrange [0:*]\n";
  }
  if (chart.log_x) out += "set logscale x\nset grid x lc rgb '#dddddd' lw 1\n";
  if (!chart.x_ticks.empty()) out += fmt::format("set xtics ({})\n", Ticks(chart.x_ticks));
  out += chart.kind == ChartKind::kLines ? LinesBody(chart) : BarsBody(chart);
  return out;
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
