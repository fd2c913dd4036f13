// connbench's own models as targets: the program runs itself as `serve` in a child process, or the
// server's program of another build (build:DIR/MODEL).
#include "harness/targets/builtin_target.h"
#include "base/child_process.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <poll.h>
#include <unistd.h>

#include <algorithm>
#include <csignal>
#include <filesystem>
#include <string>
#include <utility>

#include "base/clock.h"
#include "engine/engine.h"
#include "harness/targets/server_folder.h"
#include "harness/targets/server_processes.h"
#include "harness/targets/server_programs.h"
#include "harness/targets/target_kinds.h"
#include "harness/targets/target_list.h"
#include "harness/targets/trial_security.h"
#include "models/model_list.h"
#include "models/ready_line.h"

namespace connbench::targets {
namespace {

namespace fs = std::filesystem;

constexpr int64_t kStartTimeoutNs = 60 * kNanosecondsPerSecond;
constexpr int64_t kStopTimeoutNs = 20 * kNanosecondsPerSecond;

constexpr const char* kServerProgram = "connbench-serve";
constexpr const char* kBackendProgram = "connbench-backend";

constexpr std::string_view kBuildPrefix = "build:";
// Below the folder that build: names: the program's own folder, a build folder, a clone.
constexpr std::string_view kServerPlaces[] = {"", "/harness", "/build/release/harness"};

class BuiltinTarget final : public Target {
 public:
  // command: the server's, without its options. own_segment: whether this program can read the
  // segment, whose layout differs between builds. copies_programs, keeps_data: as
  // TargetEnvironment says.
  BuiltinTarget(std::vector<std::string> command, bool own_segment, bool copies_programs,
                bool keeps_data, std::string model, Settings settings)
      : command_(std::move(command)),
        own_segment_(own_segment),
        copies_programs_(copies_programs),
        keeps_data_(keeps_data),
        model_(std::move(model)),
        settings_(std::move(settings)) {}
  BuiltinTarget(const BuiltinTarget&) = delete;
  BuiltinTarget& operator=(const BuiltinTarget&) = delete;
  ~BuiltinTarget() override {
    if (child_.running()) (void)Stop();
    CloseDescriptors();
  }

  Status Start() override {
    int ready_pipe[2];
    if (::pipe2(ready_pipe, O_CLOEXEC) != 0) return Status::System("cannot make a pipe", errno);
    CloseDescriptors();
    stdout_ = ready_pipe[0];
    stderr_ = MakeOutputFile("connbench-serve-stderr");
    ChildOptions options;
    CONNBENCH_ASSIGN_OR_RETURN(options.argv, MakeCommand());
    options.argv.insert(options.argv.end(), {"--model", model_, "-h", "127.0.0.1", "-p", "0"});
    Settings settings = settings_;
    security_ = TrialSecurity();
    CONNBENCH_RETURN_IF_ERROR(security_.Apply(MakePassword(), std::nullopt, settings, endpoint_));
    if (!security_.password_file().empty()) {
      settings.emplace_back("pwfile", security_.password_file());
    }
    if (ValueOf(settings, kTransportSetting) == "unix") {
      CONNBENCH_ASSIGN_OR_RETURN(socket_folder_, ServerFolder::Make("", std::nullopt));
      options.argv.insert(options.argv.end(), {"--socket-dir", socket_folder_.path()});
    }
    for (const auto& [name, value] : settings) {
      if (name == kTransportSetting || name == kDataSetting) continue;
      options.argv.push_back("--set");
      options.argv.push_back(fmt::format("{}={}", name, value));
    }
    if (const std::string data = ValueOf(settings, kDataSetting); KeepsData(data)) {
      CONNBENCH_ASSIGN_OR_RETURN(data_folder_, ServerFolder::Make(DataParent(data), std::nullopt));
      options.argv.insert(options.argv.end(), {"--data", data_folder_.Path("data")});
    }
    options.descriptors = {{ready_pipe[1], STDOUT_FILENO}, {stderr_, STDERR_FILENO}};
    // Its orderly end, which also removes the segment.
    options.death_signal = SIGTERM;
    Result<ChildProcess> child = ChildProcess::Start(options);
    ::close(ready_pipe[1]);
    CONNBENCH_ASSIGN_OR_RETURN(child_, std::move(child));
    Status ready = WaitUntilReady();
    if (!ready.ok()) {
      child_.Signal(SIGTERM);
      if (!child_.Wait(kStopTimeoutNs)) child_.Signal(SIGKILL);
    }
    return ready;
  }

  const load::Endpoint& endpoint() const override { return endpoint_; }
  pid_t root_pid() const override { return child_.pid(); }
  std::vector<int> exit_descriptors() const override { return {child_.exit_descriptor()}; }

  Status CheckAlive() override {
    const std::optional<ChildExit> ended = child_.Wait(0);
    return ended ? Ended(*ended) : Status::Ok();
  }

  Result<std::vector<engine::ConnectionLogRecord>> ReadConnectionLog() override {
    if (!CanAttach()) return std::vector<engine::ConnectionLogRecord>();
    CONNBENCH_ASSIGN_OR_RETURN(const std::unique_ptr<engine::Engine> engine,
                               engine::Engine::Attach(segment_, /*read_only=*/true));
    return engine->connection_log().Read(/*after_id=*/0);
  }

  Result<std::vector<engine::PoolUsage>> ReadPoolUsage() override {
    if (!CanAttach()) return std::vector<engine::PoolUsage>();
    CONNBENCH_ASSIGN_OR_RETURN(const std::unique_ptr<engine::Engine> engine,
                               engine::Engine::Attach(segment_, /*read_only=*/true));
    return engine->pool_usage();
  }

  Result<std::optional<observe::LogReading>> ReadLog() override {
    if (!CanAttach() || data_folder_.path().empty()) return std::optional<observe::LogReading>();
    CONNBENCH_ASSIGN_OR_RETURN(const std::unique_ptr<engine::Engine> engine,
                               engine::Engine::Attach(segment_, /*read_only=*/true));
    const std::optional<engine::LogUsage> usage = engine->log_usage();
    if (!usage) return std::optional<observe::LogReading>();
    return std::optional<observe::LogReading>(
        {.bytes = usage->bytes,
         .flushes = usage->flushes,
         .commit_wait_ns = usage->commit_wait_ns,
         .checkpoints = usage->checkpoints_timed + usage->checkpoints_requested,
         .page_reads = usage->page_reads,
         .page_read_ns = usage->page_read_ns,
         .page_writes = usage->page_writes});
  }

  Result<rusage> Stop() override {
    if (const std::optional<ChildExit> ended = child_.Wait(0)) return Ended(*ended);
    CONNBENCH_ASSIGN_OR_RETURN(const ChildExit exit,
                               EndServer(child_, SIGTERM, kStopTimeoutNs, "the server", stderr_));
    programs_.Remove();
    CONNBENCH_RETURN_IF_ERROR(keeps_data_ ? KeepFolder(data_folder_) : Status::Ok());
    data_folder_.Remove();
    // Why it ended says more than what it left behind.
    if (!exit.Clean()) return Ended(exit);
    CONNBENCH_RETURN_IF_ERROR(CheckSegmentIsGone());
    return exit.usage;
  }

 private:
  // The server's program stands beside connbench, and that of its backends beside it.
  Result<std::vector<std::string>> MakeCommand() {
    if (!copies_programs_) return command_;
    CONNBENCH_ASSIGN_OR_RETURN(programs_, ServerFolder::Make("", std::nullopt));
    const fs::path source = fs::path(command_.front()).parent_path();
    for (const char* name : {kServerProgram, kBackendProgram}) {
      std::error_code error;
      if (name == kBackendProgram && !fs::exists(source / name, error)) continue;
      if (!fs::copy_file(source / name, programs_.Path(name), error)) {
        return Status::System("cannot copy " + (source / name).string(), error.value())
            .WithHint("TMPDIR names the folder for temporary files: it needs room for programs.");
      }
    }
    return std::vector<std::string>{programs_.Path(kServerProgram)};
  }

  bool CanAttach() const { return own_segment_ && !segment_.empty(); }

  Status WaitUntilReady() {
    const MonotonicNs deadline = MonotonicNow() + kStartTimeoutNs;
    std::string text;
    while (true) {
      const int64_t left_ms = (deadline - MonotonicNow()) / kNanosecondsPerMillisecond;
      pollfd readable = {stdout_, POLLIN, 0};
      if (left_ms <= 0 || ::poll(&readable, 1, static_cast<int>(left_ms)) == 0) {
        return Status::Error(sqlstate::kCannotConnectNow,
                             fmt::format("the server was not ready within {} s",
                                         kStartTimeoutNs / kNanosecondsPerSecond))
            .WithDetail(ReadOutputTail(stderr_));
      }
      char chunk[512];
      const ssize_t count = ::read(stdout_, chunk, sizeof chunk);
      if (count < 0 && errno == EINTR) continue;
      if (count <= 0) {
        const std::optional<ChildExit> ended = child_.Wait(kGoneTimeoutNs);
        return ended ? Ended(*ended)
                     : Status::Error(sqlstate::kSystemError, "the server closed its stdout");
      }
      text.append(chunk, static_cast<size_t>(count));
      for (size_t end; (end = text.find('\n')) != std::string::npos; text.erase(0, end + 1)) {
        if (const auto ready = models::ParseReadyLine(text.substr(0, end))) {
          endpoint_.host = socket_folder_.path().empty() ? ready->host : socket_folder_.path();
          endpoint_.port = ready->port;
          segment_ = ready->segment;
          return Status::Ok();
        }
      }
    }
  }

  Status Ended(const ChildExit& exit) const {
    return Status::Error(sqlstate::kCrashShutdown,
                         fmt::format("the server ({} --model {}) {}", fmt::join(command_, " "),
                                     model_, exit.Describe()))
        .WithDetail(ReadOutputTail(stderr_));
  }

  Status CheckSegmentIsGone() const {
    const std::string path = "/dev/shm/" + segment_;
    if (!segment_.empty() && ::access(path.c_str(), F_OK) == 0) {
      return Status::Error(sqlstate::kObjectInUse, "the server left its segment behind: " + path)
          .WithHint("The next server removes it at its start.");
    }
    return Status::Ok();
  }

  void CloseDescriptors() {
    for (int* descriptor : {&stdout_, &stderr_}) {
      if (*descriptor >= 0) ::close(*descriptor);
      *descriptor = -1;
    }
  }

  const std::vector<std::string> command_;
  const bool own_segment_;
  const bool copies_programs_;
  const bool keeps_data_;
  const std::string model_;
  const Settings settings_;
  TrialSecurity security_;
  ServerFolder socket_folder_;  // of transport=unix
  ServerFolder programs_;       // the copies
  ServerFolder data_folder_;    // with the data directory
  ChildProcess child_;
  int stdout_ = -1;
  int stderr_ = -1;
  load::Endpoint endpoint_;
  std::string segment_;
};

// "build:DIR/MODEL"; nothing if it is another name. Which models it has is for that build to say.
struct BuildName {
  std::string folder;
  std::string model;
  std::string program;
};
Result<std::optional<BuildName>> SplitBuildName(const std::string& text) {
  const size_t slash = text.rfind('/');
  if (!text.starts_with(kBuildPrefix)) return std::optional<BuildName>();
  if (slash == std::string::npos || slash + 1 == text.size()) {
    return Status::Error(sqlstate::kUndefinedObject,
                         fmt::format("\"{}\" names no model of a build", text))
        .WithHint("Its form is build:DIR/MODEL, for example build:../base/fork.");
  }
  BuildName build = {text.substr(kBuildPrefix.size(), slash - kBuildPrefix.size()),
                     text.substr(slash + 1), ""};
  std::vector<std::string> looked;
  for (const std::string_view below : kServerPlaces) {
    build.program = build.folder + std::string(below) + "/" + kServerProgram;
    if (IsProgram(build.program)) return std::optional<BuildName>(std::move(build));
    looked.push_back(build.program);
  }
  return Status::Error(sqlstate::kUndefinedObject,
                       fmt::format("there is no server of connbench in {}", build.folder))
      .WithDetail(fmt::format("looked for {}", fmt::join(looked, ", ")))
      .WithHint("Name a build folder or a clone, and build it there first: ./connbench build");
}

}  // namespace

std::unique_ptr<Target> MakeBuiltinTarget(const std::string& program, const std::string& model,
                                          const Settings& settings) {
  return std::make_unique<BuiltinTarget>(std::vector<std::string>{program, "serve"},
                                         /*own_segment=*/true, /*copies_programs=*/false,
                                         /*keeps_data=*/false, model, settings);
}

Result<std::optional<TargetName>> ParseBuiltinTarget(const std::string& text) {
  const auto all = models::AllModels();
  if (std::none_of(all.begin(), all.end(), [&](const auto& model) { return model.name == text; })) {
    return std::optional<TargetName>();
  }
  return std::optional<TargetName>(TargetName{text, "builtin", text, "model:" + text, {"builtin"}});
}

std::unique_ptr<Target> MakeBuiltinTarget(const TargetRequest& request,
                                          TargetEnvironment& environment) {
  return std::make_unique<BuiltinTarget>(std::vector<std::string>{environment.program, "serve"},
                                         /*own_segment=*/true, environment.copies_programs,
                                         environment.keeps_data, request.name.model,
                                         PlainSettings(request.settings));
}

Result<std::optional<TargetName>> ParseBuildTarget(const std::string& text) {
  CONNBENCH_ASSIGN_OR_RETURN(const std::optional<BuildName> build, SplitBuildName(text));
  if (!build) return std::optional<TargetName>();
  return std::optional<TargetName>(TargetName{text,
                                              "build:" + CellText(build->folder),
                                              build->model,
                                              "model:" + CellText(text),
                                              {"builtin"}});
}

std::unique_ptr<Target> MakeBuildTarget(const TargetRequest& request,
                                        TargetEnvironment& environment) {
  const auto build = SplitBuildName(request.name.text);  // ParseBuildTarget() has found it
  return std::make_unique<BuiltinTarget>(std::vector<std::string>{(*build)->program},
                                         /*own_segment=*/false, environment.copies_programs,
                                         environment.keeps_data, request.name.model,
                                         PlainSettings(request.settings));
}

}  // namespace connbench::targets
