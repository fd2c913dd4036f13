#include "harness/targets/builtin_target.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <poll.h>
#include <unistd.h>

#include <algorithm>
#include <csignal>
#include <string>
#include <utility>

#include "base/clock.h"
#include "engine/engine.h"
#include "harness/targets/child_process.h"
#include "harness/targets/server_folder.h"
#include "harness/targets/server_processes.h"
#include "harness/targets/target_kinds.h"
#include "harness/targets/target_list.h"
#include "harness/targets/trial_security.h"
#include "models/model_list.h"
#include "models/ready_line.h"

namespace connbench::targets {
namespace {

constexpr int64_t kStartTimeoutNs = 60 * kNanosecondsPerSecond;
constexpr int64_t kStopTimeoutNs = 20 * kNanosecondsPerSecond;
constexpr int64_t kGoneTimeoutNs = 5 * kNanosecondsPerSecond;

class BuiltinTarget final : public Target {
 public:
  BuiltinTarget(std::string program, std::string model, Settings settings)
      : program_(std::move(program)), model_(std::move(model)), settings_(std::move(settings)) {}
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
    options.argv = {program_, "serve", "--model", model_, "-h", "127.0.0.1", "-p", "0"};
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
      if (name == kTransportSetting) continue;
      options.argv.push_back("--set");
      options.argv.push_back(fmt::format("{}={}", name, value));
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
    if (segment_.empty()) return std::vector<engine::ConnectionLogRecord>();
    CONNBENCH_ASSIGN_OR_RETURN(const std::unique_ptr<engine::Engine> engine,
                               engine::Engine::Attach(segment_, /*read_only=*/true));
    return engine->connection_log().Read(/*after_id=*/0);
  }

  Result<std::vector<engine::PoolUsage>> ReadPoolUsage() override {
    if (segment_.empty()) return std::vector<engine::PoolUsage>();
    CONNBENCH_ASSIGN_OR_RETURN(const std::unique_ptr<engine::Engine> engine,
                               engine::Engine::Attach(segment_, /*read_only=*/true));
    return engine->pool_usage();
  }

  Result<rusage> Stop() override {
    if (const std::optional<ChildExit> ended = child_.Wait(0)) return Ended(*ended);
    CONNBENCH_ASSIGN_OR_RETURN(const ChildExit exit,
                               EndServer(child_, SIGTERM, kStopTimeoutNs, "the server", stderr_));
    CONNBENCH_RETURN_IF_ERROR(CheckSegmentIsGone());
    if (!exit.Clean()) return Ended(exit);
    return exit.usage;
  }

 private:
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
                         fmt::format("the server ({} serve --model {}) {}", program_, model_,
                                     exit.Describe()))
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

  const std::string program_;
  const std::string model_;
  const Settings settings_;
  TrialSecurity security_;
  ServerFolder socket_folder_;  // of transport=unix
  ChildProcess child_;
  int stdout_ = -1;
  int stderr_ = -1;
  load::Endpoint endpoint_;
  std::string segment_;
};

}  // namespace

std::unique_ptr<Target> MakeBuiltinTarget(const std::string& program, const std::string& model,
                                          const Settings& settings) {
  return std::make_unique<BuiltinTarget>(program, model, settings);
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
  return MakeBuiltinTarget(environment.program, request.name.model,
                           PlainSettings(request.settings));
}

}  // namespace connbench::targets
