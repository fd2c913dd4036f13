// The supervisor: one thread that owns a server's life.
#include "models/supervisor.h"

#include <fmt/format.h>
#include <poll.h>
#include <sys/prctl.h>
#include <sys/signalfd.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <csignal>
#include <cstdio>
#include <cstring>
#include <unordered_map>
#include <vector>

#include "base/clock.h"
#include "base/exit_code.h"
#include "base/server_log.h"
#include "engine/engine.h"
#include "models/backend_signals.h"
#include "models/machine_limits.h"
#include "models/model.h"
#include "models/process_settings.h"
#include "models/ready_line.h"
#include "models/task_staff.h"

namespace connbench::models {
namespace {

template <typename... Args>
void Log(fmt::format_string<Args...> format, Args&&... args) {
  LogLine(fmt::format(format, std::forward<Args>(args)...));
}

// Blocks what the supervisor reads from its signalfd; gives the caller's mask back at the end.
class BlockedSignals {
 public:
  BlockedSignals() {
    sigemptyset(&set_);
    for (int signal : {SIGINT, SIGTERM, SIGQUIT, SIGHUP, SIGUSR1, SIGCHLD}) {
      sigaddset(&set_, signal);
    }
    sigprocmask(SIG_BLOCK, &set_, &previous_);
  }
  ~BlockedSignals() { sigprocmask(SIG_SETMASK, &previous_, nullptr); }
  BlockedSignals(const BlockedSignals&) = delete;
  BlockedSignals& operator=(const BlockedSignals&) = delete;
  const sigset_t& set() const { return set_; }

 private:
  sigset_t set_;
  sigset_t previous_;
};

// In one process, for the pages that sessions read with io_method=io_uring.
int64_t RingDescriptors(const engine::EngineConfig& config) {
  if (config.data_directory.empty() || config.io_method != engine::IoMethod::kIoUring) return 0;
  return std::min<int64_t>(engine::kMostRings, config.max_connections);
}

std::string DescribeExit(int wait_status) {
  if (WIFSIGNALED(wait_status)) {
    return fmt::format("was terminated by signal {}: {}", WTERMSIG(wait_status),
                       strsignal(WTERMSIG(wait_status)));
  }
  return fmt::format("exited with exit code {}", WEXITSTATUS(wait_status));
}

class Supervisor : public ProcessSpawner {
 public:
  explicit Supervisor(const SupervisorOptions& options)
      : options_(options), settings_(options.settings), pid_(getpid()) {}

  int Run() {
    const Status prepared = ApplyProcessSettings(settings_.models);
    if (!prepared.ok()) return Fail(prepared);
    signal_fd_ = signalfd(-1, &blocked_.set(), SFD_CLOEXEC | SFD_NONBLOCK);
    if (signal_fd_ < 0) return Fail(Status::System("signalfd", errno));
    backend_signals::Install();
    const int exit_code = Serve();
    listeners_.CloseAndRemove();
    close(signal_fd_);
    return exit_code;
  }

  Result<pid_t> Fork(ChildKind kind, const std::function<int()>& body,
                     uint32_t connection_id) override {
    // Its place in the list first: once the child is there nothing may fail for want of memory.
    constexpr pid_t kNobody = 0;
    children_.insert_or_assign(kNobody, Child{.kind = kind, .connection_id = connection_id});
    auto entry = children_.extract(kNobody);
    const pid_t child = fork();
    if (child < 0) return Status::System("fork", errno);
    if (child > 0) {
      entry.key() = child;
      children_.insert(std::move(entry));  // as many as a moment ago: it does not grow
      return child;
    }
    // If the supervisor died before prctl() the child has another parent by now.
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    if (getppid() != pid_) _exit(kExitErrors);
    close(signal_fd_);
    if (kind == ChildKind::kBackend || kind == ChildKind::kTask) {
      listeners_.Close();
    } else {
      backend_signals::BeginServer();
    }
    // noexcept: what nobody caught, and a library that ends the thread, are crashes.
    _exit([&]() noexcept {
      if (kind != ChildKind::kServer || !model_->OneServerProcess()) return body();
      const TaskThreads tasks(*engine_);
      return body();
    }());
  }

  bool HasRoom() override {
    const int64_t others = task_processes_.processes();
    if (std::ssize(children_) - others < MostClients(settings_.engine.max_connections)) return true;
    engine_->connection_log().admission().WantRoom(MonotonicNow());
    return false;
  }

 private:
  struct Child {
    ChildKind kind = ChildKind::kServer;
    uint32_t connection_id = 0;  // that a kBackend serves; 0: none
  };
  enum class State : uint8_t {
    kServing,
    kCrashed,   // a child has crashed: waits until the others are gone, then starts again
    kStopping,  // waits until all are gone, then ends
  };

  int Serve() {
    Status status = LoadSecurity();
    if (status.ok()) status = OpenListeners();
    if (!status.ok()) return Fail(status);
    status = StartServing();
    if (!status.ok()) {
      KillAll();
      Fail(status);
      return NamesUnusableData(status) ? kExitUsage : kExitErrors;
    }
    PrintReadyLine();
    while (true) {
      WaitForEvents();
      if (state_ == State::kServing || !children_.empty()) continue;
      if (state_ == State::kStopping) break;
      if (!PauseBeforeRestart()) break;
      status = StartServing();
      if (!status.ok()) {
        KillAll();
        return Fail(status);
      }
      Log("ready again");
    }
    const bool closed = CloseData();
    EndEngine();
    return crashed_at_shutdown_ || !closed ? kExitErrors : kExitOk;
  }

  // Where a latch may be held nothing is tried: the next start does what is left to do.
  bool CloseData() {
    if (engine_ == nullptr) return true;
    if (ended_badly_) {
      if (KeepsData()) Log("not all processes ended in order: the next start recovers the data");
      return true;
    }
    const Status status = engine_->CloseData();
    if (!status.ok()) Fail(status);
    return status.ok();
  }

  // The data directory is damaged, in use, open to others, or none of ours: nothing there has been
  // changed.
  bool NamesUnusableData(const Status& status) const {
    return KeepsData() &&
           (status.code() == sqlstate::kObjectNotInPrerequisiteState ||
            status.code() == sqlstate::kDataCorrupted || status.code() == sqlstate::kObjectInUse ||
            status.code() == sqlstate::kConfigFileError);
  }

  bool KeepsData() const { return !settings_.engine.data_directory.empty(); }

  Status LoadSecurity() {
    CONNBENCH_ASSIGN_OR_RETURN(security_, protocol::ServerSecurity::Load(settings_.security));
    return {};
  }

  Status OpenListeners() {
    ListenOptions listen = options_.listen;
    listen.security = security_.get();
    const int64_t wanted = settings_.models.listen_backlog != 0
                               ? settings_.models.listen_backlog
                               : int64_t{2} * settings_.engine.max_connections;
    listen.backlog = static_cast<int>(std::min<int64_t>(wanted, INT32_MAX));
    CONNBENCH_ASSIGN_OR_RETURN(listeners_, ListenerSet::Open(listen));
    settings_.models.listen_backlog = listeners_.backlog();
    return {};
  }

  // Makes the segment and starts the model, at first and after a crash.
  Status StartServing() {
    CONNBENCH_ASSIGN_OR_RETURN(engine_, engine::Engine::Create(settings_.engine));
    if (const Status refusal = engine_->huge_pages_refusal(); !refusal.ok()) {
      Log("{}; going on with ordinary pages", refusal.error().message);
    }
    if (const std::string report = engine_->recovery_report(); !report.empty()) {
      Log("{}", report);
    }
    engine_->SetEndListener(pid_, SIGUSR1);
    model_ = options_.model->make(
        {*engine_, listeners_, settings_.models, settings_.security, options_.backend_program});
    CONNBENCH_RETURN_IF_ERROR(CheckModelHonours());
    const AcceptStrategy accept = ChosenAcceptStrategy();
    ResourceNeeds needs = model_->Needs();
    needs.tasks += std::ssize(engine_->tasks());
    if (accept == AcceptStrategy::kReusePort) {
      needs.descriptors +=
          model_->AcceptingTasks() * static_cast<int64_t>(listeners_.listeners().size());
    }
    needs.descriptors += RingDescriptors(settings_.engine);
    CONNBENCH_RETURN_IF_ERROR(CheckMachineLimits(needs));
    if (accept == AcceptStrategy::kReusePort) {
      CONNBENCH_RETURN_IF_ERROR(listeners_.OpenReusePort(model_->AcceptingTasks()));
    } else if (accept == AcceptStrategy::kShared) {
      listeners_.WakeAll();
    }
    started_at_ = MonotonicNow();
    state_ = State::kServing;
    ended_badly_ = false;
    pooled_ended_.clear();
    replace_at_ = kNoDeadline;
    task_processes_.Forget();
    engine_->StaffTasks();
    CONNBENCH_RETURN_IF_ERROR(model_->Start(*this));
    if (model_->OneServerProcess()) return {};
    // After the model: a task rings sessions by descriptors that the model has opened.
    return task_processes_.Start(*engine_, *this);
  }

  AcceptStrategy ChosenAcceptStrategy() const {
    const auto chosen = static_cast<AcceptStrategy>(settings_.models.accept_strategy);
    return chosen != AcceptStrategy::kDefault || model_->AcceptingTasks() == 1
               ? chosen
               : model_->OwnAcceptStrategy();
  }

  // Settings that would be without effect, or wrong, in this model.
  Status CheckModelHonours() const {
    if (settings_.engine.private_futexes && !model_->OneServerProcess()) {
      return Status::Error(
                 sqlstate::kInvalidParameterValue,
                 fmt::format("private_futexes=on: the sessions of model {} do not all run "
                             "in one process, and could not wake each other",
                             options_.model->name))
          .WithHint(
              "Take a model with one server process, as thread, or leave the futexes shared.");
    }
    if (settings_.models.accept_strategy != 0 && model_->AcceptingTasks() == 1) {
      return Status::Error(sqlstate::kInvalidParameterValue,
                           fmt::format("accept_strategy is set, but in model {} one task accepts, "
                                       "which has nobody to share the clients with",
                                       options_.model->name))
          .WithHint(
              "Leave it at \"default\", or take a model in which several accept, as prefork.");
    }
    return {};
  }

  void EndEngine() {
    model_.reset();
    engine_.reset();
  }

  void PrintReadyLine() {
    ReadyLine ready;
    ready.model = options_.model->name;
    ready.host = listeners_.host();
    ready.port = listeners_.port();
    ready.socket_path = listeners_.socket_path();
    ready.segment = engine_->segment_name();
    const std::string line = FormatReadyLine(ready) + "\n";
    // Whoever closed the pipe does not want to know.
    (void)!write(options_.ready_fd, line.data(), line.size());
  }

  // One round: signals, deadlines, connections.
  void WaitForEvents() {
    polled_.clear();
    polled_.push_back({signal_fd_, POLLIN, 0});
    const bool accepting = state_ == State::kServing && model_->AcceptsInSupervisor() &&
                           MonotonicNow() >= accept_paused_until_;
    if (accepting) {
      for (const Listener& listener : listeners_.listeners()) {
        polled_.push_back({listener.fd(), POLLIN, 0});
      }
    }
    if (poll(polled_.data(), polled_.size(), PollTimeoutMs()) < 0) return;
    if (state_ == State::kServing && MonotonicNow() >= replace_at_) ReplacePooled();
    if (state_ == State::kServing) task_processes_.Restart(*this);
    if (MonotonicNow() >= kill_at_) {
      Log("{} processes did not end in time; killing them", children_.size());
      SignalAll(SIGKILL);
      kill_at_ = kNoDeadline;
    }
    if (polled_[0].revents != 0) HandleSignals();
    if (!accepting) return;
    for (size_t i = 1; i < polled_.size() && state_ == State::kServing; ++i) {
      if (polled_[i].revents == 0) continue;
      if (!model_->OnReadable(listeners_.listeners()[i - 1], *this)) {
        accept_paused_until_ = MonotonicNow() + kAcceptPauseMs * kNanosecondsPerMillisecond;
        return;
      }
    }
  }

  int PollTimeoutMs() const {
    const MonotonicNs now = MonotonicNow();
    MonotonicNs until = kill_at_;
    if (state_ == State::kServing && accept_paused_until_ > now) {
      until = std::min(until, accept_paused_until_);
    }
    if (state_ == State::kServing) {
      until = std::min({until, replace_at_, task_processes_.restart_at()});
    }
    if (until == kNoDeadline) return -1;
    if (until <= now) return 0;
    return static_cast<int>((until - now) / kNanosecondsPerMillisecond + 1);
  }

  void HandleSignals() {
    signalfd_siginfo info;
    while (read(signal_fd_, &info, sizeof(info)) == sizeof(info)) {
      switch (info.ssi_signo) {
        case SIGCHLD:
          break;  // many children may stand behind one
        case SIGQUIT:
          StopServing(SIGKILL);
          break;
        case SIGUSR1:
          if (state_ == State::kServing) PassOnEndRequests();
          break;
        case SIGHUP:
          Log("SIGHUP: files are read at the start only; restart to change rules or certificate");
          break;
        default:
          StopServing(state_ == State::kStopping && info.ssi_signo == SIGINT ? SIGKILL : SIGTERM);
      }
    }
    Reap();
  }

  void StopServing(int signal) {
    if (state_ != State::kStopping) {
      Log("shutting down");
      listeners_.CloseAndRemove();
      engine_->RequestShutdown();
      state_ = State::kStopping;
      kill_at_ = MonotonicNow() + settings_.models.shutdown_grace_ms * kNanosecondsPerMillisecond;
    }
    SignalAll(signal);
  }

  // Sessions that were asked to end may wait for their clients: whoever can wake them is told.
  void PassOnEndRequests() {
    for (const auto& [pid, child] : children_) {
      if (child.kind == ChildKind::kServer) kill(pid, SIGUSR1);
    }
    for (const engine::EndingSession& session : engine_->ending_sessions()) {
      const auto found = children_.find(session.pid);
      if (found != children_.end() && found->second.kind != ChildKind::kServer) {
        kill(session.pid, SIGUSR1);
      }
    }
  }

  void Reap() {
    int wait_status = 0;
    pid_t pid = 0;
    while ((pid = waitpid(-1, &wait_status, WNOHANG)) > 0) {
      const auto found = children_.find(pid);
      if (found == children_.end()) continue;  // of whoever called us
      const Child child = found->second;
      children_.erase(found);
      accept_paused_until_ = 0;  // there may be room again
      const bool ordinary = WIFEXITED(wait_status) &&
                            (WEXITSTATUS(wait_status) == 0 ||
                             (child.kind == ChildKind::kBackend && WEXITSTATUS(wait_status) == 1));
      const bool gave_back = !ordinary || GaveEverythingBack(pid, child);
      if (!ordinary || !gave_back ||
          (child.kind == ChildKind::kServer && state_ == State::kServing)) {
        OnCrash(child.kind, pid, wait_status, gave_back);
      } else if (child.kind == ChildKind::kTask) {
        task_processes_.OnEnd(pid);
      } else if (child.kind == ChildKind::kPooled && state_ == State::kServing) {
        pooled_ended_.push_back(pid);
      }
    }
    if (children_.empty()) kill_at_ = kNoDeadline;
    if (state_ == State::kServing && !pooled_ended_.empty()) ReplacePooled();
  }

  // An exit code is no proof: a library may have called exit() in the middle of a statement, and
  // the row locks, latches and pins of that session would stay for ever. Shared memory knows.
  bool GaveEverythingBack(pid_t pid, const Child& child) {
    engine::ConnectionLog& log = engine_->connection_log();
    // Stamped after the session has given its slot back, which is looked up at less cost.
    if (child.connection_id != 0 && log.Closed(child.connection_id)) return true;
    if (engine_->HoldsSlot(pid)) return false;
    if (child.connection_id != 0) {
      log.Stamp(child.connection_id, engine::ConnectionPhase::kClosed, MonotonicNow());
    }
    return true;
  }

  void ReplacePooled() {
    replace_at_ = kNoDeadline;
    while (!pooled_ended_.empty()) {
      if (!model_->OnPooledEnd(pooled_ended_.back(), *this)) {
        replace_at_ = MonotonicNow() + kAcceptPauseMs * kNanosecondsPerMillisecond;
        return;
      }
      pooled_ended_.pop_back();
    }
  }

  void OnCrash(ChildKind kind, pid_t child, int wait_status, bool gave_back) {
    const std::string_view how = gave_back ? "" : " in the middle of a session";
    ended_badly_ = true;
    if (state_ == State::kServing) {
      Log("{} process (pid {}) {}{}",
          kind == ChildKind::kBackend ? "backend" : task_processes_.NameOf(child), child,
          DescribeExit(wait_status), how);
      if (!children_.empty()) Log("terminating any other active server processes");
      state_ = State::kCrashed;
      kill_at_ = MonotonicNow() + kQuitGraceMs * kNanosecondsPerMillisecond;
      SignalAll(SIGQUIT);
      return;
    }
    // Only SIGKILL is our own.
    if (state_ == State::kStopping &&
        !(gave_back && WIFSIGNALED(wait_status) && WTERMSIG(wait_status) == SIGKILL)) {
      Log("process (pid {}) {}{} during shutdown", child, DescribeExit(wait_status), how);
      crashed_at_shutdown_ = true;
    }
  }

  // Waits until the next restart is due. False: asked to end meanwhile.
  bool PauseBeforeRestart() {
    EndEngine();
    const MonotonicNs now = MonotonicNow();
    restarts_in_a_row_ =
        now - started_at_ >= kStableMs * kNanosecondsPerMillisecond ? 0 : restarts_in_a_row_ + 1;
    int delay_ms = 0;
    if (restarts_in_a_row_ > 0) {
      const int doublings = std::min(restarts_in_a_row_ - 1, 16);
      delay_ms = std::min(kFirstRestartDelayMs << doublings, kMaxRestartDelayMs);
    }
    Log("all server processes have ended; making the shared memory anew ({})",
        KeepsData() ? "recovering the data" : "data was in memory only and is gone");
    if (delay_ms > 0) Log("starting again in {} ms", delay_ms);
    const MonotonicNs until = now + delay_ms * kNanosecondsPerMillisecond;
    while (true) {
      const MonotonicNs left = until - MonotonicNow();
      if (left <= 0) return true;
      const timespec timeout = {left / kNanosecondsPerSecond, left % kNanosecondsPerSecond};
      pollfd signalled = {signal_fd_, POLLIN, 0};
      if (ppoll(&signalled, 1, &timeout, nullptr) <= 0) continue;
      signalfd_siginfo info;
      while (read(signal_fd_, &info, sizeof(info)) == sizeof(info)) {
        const auto signal = static_cast<int>(info.ssi_signo);
        if (signal != SIGCHLD && signal != SIGHUP && signal != SIGUSR1) return false;
      }
    }
  }

  void SignalAll(int signal) {
    for (const auto& [pid, child] : children_) kill(pid, signal);
  }

  // When starting failed half-way.
  void KillAll() {
    SignalAll(SIGKILL);
    for (const auto& [pid, child] : children_) waitpid(pid, nullptr, 0);
    children_.clear();
    EndEngine();
  }

  static int Fail(const Status& status) {
    const ErrorInfo& error = status.error();
    Log("{}", error.message);
    if (!error.detail.empty()) Log("detail: {}", error.detail);
    if (!error.hint.empty()) Log("hint: {}", error.hint);
    return kExitErrors;
  }

  const SupervisorOptions& options_;
  ServerSettings settings_;  // with the values that apply
  const pid_t pid_;
  const BlockedSignals blocked_;
  int signal_fd_ = -1;
  std::unique_ptr<const protocol::ServerSecurity> security_;
  ListenerSet listeners_;
  std::unique_ptr<engine::Engine> engine_;
  std::unique_ptr<Model> model_;
  std::unordered_map<pid_t, Child> children_;
  std::vector<pollfd> polled_;
  State state_ = State::kServing;
  MonotonicNs started_at_ = 0;
  MonotonicNs accept_paused_until_ = 0;
  MonotonicNs kill_at_ = kNoDeadline;
  MonotonicNs replace_at_ = kNoDeadline;
  TaskProcesses task_processes_;     // of models with several server processes
  std::vector<pid_t> pooled_ended_;  // kPooled children whose successors are to be forked
  int restarts_in_a_row_ = 0;
  bool crashed_at_shutdown_ = false;
  // A process crashed or was killed since the segment was made: latches may be held for ever.
  bool ended_badly_ = false;
};

}  // namespace

int RunSupervisor(const SupervisorOptions& options) { return Supervisor(options).Run(); }

}  // namespace connbench::models
