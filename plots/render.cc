// Draws charts with gnuplot.
#include "plots/render.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <poll.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <charconv>
#include <csignal>
#include <fstream>
#include <iterator>
#include <list>
#include <optional>
#include <thread>
#include <utility>

#include "base/child_process.h"
#include "base/clock.h"
#include "plots/draw/gnuplot_script.h"
#include "plots/draw/scene.h"
#include "plots/draw/svg.h"

namespace connbench::plots {
namespace {

namespace fs = std::filesystem;

constexpr int64_t kGnuplotTimeLimitNs = 60 * kNanosecondsPerSecond;
constexpr size_t kMaxGnuplotOutputBytes = 16384;
constexpr size_t kMostGnuplots = 8;  // at a time
constexpr double kOldestGnuplot = 5.2;

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

Status WriteFile(const fs::path& path, const std::string& text) {
  std::ofstream file(path, std::ios::trunc | std::ios::binary);
  file << text;
  file.close();
  if (!file) {
    return Status::System(fmt::format("cannot write {}", path.string()), errno)
        .WithHint("Check that the folder is writable and the disk is not full.");
  }
  return Status::Ok();
}

// gnuplot does not notice a full disk: a whole file has the end of its format.
Status CheckWhole(const fs::path& image, ImageFormat format) {
  constexpr size_t kTailBytes = 64;
  std::ifstream file(image, std::ios::binary | std::ios::ate);
  const auto size = static_cast<std::streamoff>(file.tellg());
  std::string tail(kTailBytes, '\0');
  file.seekg(std::max<std::streamoff>(size - static_cast<std::streamoff>(kTailBytes), 0));
  file.read(tail.data(), static_cast<std::streamsize>(tail.size()));
  const std::string_view end = format == ImageFormat::kSvg   ? "</svg>"
                               : format == ImageFormat::kPng ? "IEND"
                                                             : "%%EOF";
  if (size > 0 && tail.find(end) != std::string::npos) return Status::Ok();
  return Status::Error(sqlstate::kIoError, fmt::format("{} was not written whole", image.string()))
      .WithHint("Check that the disk is not full.");
}

// One gnuplot at work on one image.
class Gnuplot {
 public:
  static Result<Gnuplot> Start(const std::vector<std::string>& arguments, const fs::path& folder) {
    ChildOptions options;
    options.argv = {FindInPath("gnuplot")};
    options.argv.insert(options.argv.end(), arguments.begin(), arguments.end());
    if (options.argv[0].empty()) {
      return Status::Error(sqlstate::kSystemError,
                           "gnuplot is not installed, so no chart was drawn")
          .WithHint("Install the Debian package gnuplot-nox, then try again.");
    }
    Gnuplot gnuplot;
    gnuplot.deadline_ns_ = MonotonicNow() + kGnuplotTimeLimitNs;
    const int input = open("/dev/null", O_RDONLY | O_CLOEXEC);
    gnuplot.output_ = MakeOutputFile("connbench-gnuplot");
    options.descriptors = {
        {input, STDIN_FILENO}, {gnuplot.output_, STDOUT_FILENO}, {gnuplot.output_, STDERR_FILENO}};
    options.death_signal = SIGKILL;
    options.folder = folder.string();
    Result<ChildProcess> child = ChildProcess::Start(options);
    close(input);
    if (!child.ok()) return child.TakeStatus();
    gnuplot.child_ = std::move(*child);
    return gnuplot;
  }

  Gnuplot(Gnuplot&& other) noexcept
      : child_(std::move(other.child_)),
        output_(std::exchange(other.output_, -1)),
        deadline_ns_(other.deadline_ns_) {}
  Gnuplot& operator=(Gnuplot&&) = delete;
  ~Gnuplot() {
    if (output_ >= 0) close(output_);
  }

  int exit_descriptor() const { return child_.exit_descriptor(); }
  int64_t deadline_ns() const { return deadline_ns_; }

  // Waits until it has ended, or its time is over. What it wrote is in *output.
  bool EndedWell(std::string* output) {
    const auto exit = child_.Wait(std::max<int64_t>(deadline_ns_ - MonotonicNow(), 0));
    *output = ReadOutputTail(output_, kMaxGnuplotOutputBytes);
    if (!exit) {
      *output =
          fmt::format("it did not end within {} s", kGnuplotTimeLimitNs / kNanosecondsPerSecond);
    }
    return exit && exit->Clean();
  }

 private:
  Gnuplot() = default;

  ChildProcess child_;
  int output_ = -1;
  int64_t deadline_ns_ = 0;
};

// "5.4" of "gnuplot 5.4 patchlevel 4"; empty if it does not say.
std::string GnuplotVersion(const fs::path& folder) {
  Result<Gnuplot> gnuplot = Gnuplot::Start({"--version"}, folder);
  std::string output;
  if (!gnuplot.ok() || !gnuplot->EndedWell(&output)) return "";
  constexpr std::string_view kName = "gnuplot ";
  const size_t at = output.find(kName);
  if (at == std::string::npos) return "";
  const size_t begin = at + kName.size();
  return output.substr(begin, output.find_first_not_of("0123456789.", begin) - begin);
}

// An image to draw, of a chart whose script is written.
struct Job {
  size_t chart;
  ImageFormat format;
  fs::path image;
  const GnuplotScript* script;
};

class Renderer {
 public:
  Renderer(const fs::path& folder, const RenderOptions& options)
      : folder_(folder), options_(options) {}

  Result<std::vector<DrawnChart>> Render(std::span<const Chart> charts) {
    std::vector<DrawnChart> drawn;
    std::list<GnuplotScript> scripts;
    std::vector<Job> jobs;
    for (size_t i = 0; i < charts.size(); ++i) {
      scripts.push_back(ScriptOf(LayOut(charts[i], options_), options_));
      CONNBENCH_RETURN_IF_ERROR(WriteFile(ScriptPath(charts[i].name), scripts.back().text));
      drawn.push_back({charts[i].name, {}});
      for (const ImageFormat format : options_.formats) {
        drawn.back().images.push_back(folder_ /
                                      fmt::format("{}.{}", charts[i].name, Suffix(format)));
        jobs.push_back({i, format, drawn.back().images.back(), &scripts.back()});
      }
    }
    CONNBENCH_RETURN_IF_ERROR(Draw(jobs, charts));
    return drawn;
  }

 private:
  fs::path ScriptPath(const std::string& name) const { return folder_ / (name + ".gp"); }

  Status Draw(const std::vector<Job>& jobs, std::span<const Chart> charts) {
    const size_t at_once =
        std::clamp<size_t>(std::thread::hardware_concurrency(), 1, kMostGnuplots);
    struct Running {
      const Job* job;
      Gnuplot gnuplot;
    };
    std::list<Running> running;
    auto next = jobs.begin();
    while (next != jobs.end() || !running.empty()) {
      while (next != jobs.end() && running.size() < at_once) {
        CONNBENCH_ASSIGN_OR_RETURN(
            Gnuplot gnuplot, Gnuplot::Start({"-e", fmt::format("format='{}'", Suffix(next->format)),
                                             charts[next->chart].name + ".gp"},
                                            folder_));
        running.push_back({&*next++, std::move(gnuplot)});
      }
      std::vector<pollfd> ended;
      int64_t deadline_ns = running.front().gnuplot.deadline_ns();
      for (const Running& each : running) {
        ended.push_back({each.gnuplot.exit_descriptor(), POLLIN, 0});
      }
      const int64_t left_ns = std::max<int64_t>(deadline_ns - MonotonicNow(), 0);
      poll(ended.data(), ended.size(), static_cast<int>(left_ns / kNanosecondsPerMillisecond) + 1);
      size_t index = 0;
      for (auto each = running.begin(); each != running.end(); ++index) {
        const bool is_late = MonotonicNow() >= each->gnuplot.deadline_ns();
        if ((ended[index].revents & POLLIN) == 0 && !is_late) {
          ++each;
          continue;
        }
        const Status status = Finish(*each->job, each->gnuplot, charts[each->job->chart].name);
        if (!status.ok()) return status;
        each = running.erase(each);
      }
    }
    return Status::Ok();
  }

  Status Finish(const Job& job, Gnuplot& gnuplot, const std::string& name) {
    std::string output;
    Status status = Status::Ok();
    if (!gnuplot.EndedWell(&output)) {
      status = Failure(name, output);
    } else {
      status = CheckWhole(job.image, job.format);
    }
    if (status.ok() && job.format == ImageFormat::kSvg) {
      std::ifstream file(job.image, std::ios::binary);
      const std::string svg{std::istreambuf_iterator<char>(file), std::istreambuf_iterator<char>()};
      file.close();
      status = WriteFile(job.image, WithContenders(svg, job.script->plots));
      if (status.ok()) status = CheckWhole(job.image, job.format);
    }
    if (status.ok()) return status;
    // Half an image, and the room that it takes, help nobody.
    std::error_code ignored;
    fs::remove(job.image, ignored);
    return status;
  }

  Status Failure(const std::string& name, const std::string& output) const {
    const std::string version = GnuplotVersion(folder_);
    double number = kOldestGnuplot;
    std::from_chars(version.data(), version.data() + version.size(), number);
    if (number < kOldestGnuplot) {
      return Status::Error(sqlstate::kSystemError,
                           fmt::format("gnuplot {} is too old to draw charts", version))
          .WithHint(fmt::format("Install gnuplot {} or newer: the Debian package gnuplot-nox.",
                                kOldestGnuplot));
    }
    return Status::Error(sqlstate::kSystemError,
                         fmt::format("gnuplot failed on {}", ScriptPath(name).string()))
        .WithDetail(output);
  }

  const fs::path& folder_;
  const RenderOptions& options_;
};

}  // namespace

Result<ImageFormat> ParseImageFormat(std::string_view name) {
  for (const ImageFormat format : {ImageFormat::kSvg, ImageFormat::kPng, ImageFormat::kPdf}) {
    if (name == Suffix(format)) return format;
  }
  return Status::Error(sqlstate::kInvalidParameterValue,
                       fmt::format("\"{}\" is not an image format", name))
      .WithHint("Choose svg, png or pdf.");
}

Result<Theme> ParseTheme(std::string_view name) {
  if (name == "light") return Theme::kLight;
  if (name == "dark") return Theme::kDark;
  if (name == "paper") return Theme::kPaper;
  return Status::Error(sqlstate::kInvalidParameterValue, fmt::format("\"{}\" is not a theme", name))
      .WithHint("Choose light, dark or paper.");
}

bool HasGnuplot() { return !FindInPath("gnuplot").empty(); }

Result<DrawnChart> RenderChart(const Chart& chart, const fs::path& folder,
                               const RenderOptions& options) {
  CONNBENCH_ASSIGN_OR_RETURN(std::vector<DrawnChart> drawn,
                             RenderCharts({&chart, 1}, folder, options));
  return std::move(drawn.front());
}

Result<std::vector<DrawnChart>> RenderCharts(std::span<const Chart> charts, const fs::path& folder,
                                             const RenderOptions& options) {
  return Renderer(folder, options).Render(charts);
}

}  // namespace connbench::plots
