// A child process of ours: a server, a load generator, gnuplot.
#include "base/child_process.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <poll.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <climits>
#include <csignal>
#include <cstdlib>
#include <cstring>

#include "base/clock.h"

extern char** environ;

namespace connbench {
namespace {

constexpr int kExecFailed = 127;

// What the child needs between fork and exec, made before fork.
struct Launch {
  const ChildOptions& options;
  pid_t parent;
  const std::vector<std::pair<int, int>>& descriptors;
  char* const* argv;
  char* const* envp;
  int error_pipe;
};

[[noreturn]] void Fail(const Launch& launch) {
  const int error = errno;
  [[maybe_unused]] const ssize_t written = ::write(launch.error_pipe, &error, sizeof error);
  ::_exit(kExecFailed);
}

// System calls themselves: the C library's functions would look for threads to take along.
bool BecomeUser(const UserIds& ids) {
  return ::syscall(SYS_setgroups, 0, nullptr) == 0 &&
         ::syscall(SYS_setresgid, ids.group, ids.group, ids.group) == 0 &&
         ::syscall(SYS_setresuid, ids.user, ids.user, ids.user) == 0;
}

// Runs in the child between fork and exec, so only async-signal-safe calls; never returns.
[[noreturn]] void Exec(const Launch& launch) {
  const ChildOptions& options = launch.options;
  ::setpgid(0, 0);
  if (options.raise_descriptor_limit) {
    rlimit limit{};
    if (::getrlimit(RLIMIT_NOFILE, &limit) == 0) {
      limit.rlim_cur = limit.rlim_max;
      ::setrlimit(RLIMIT_NOFILE, &limit);
    }
  }
  if (options.run_as && !BecomeUser(*options.run_as)) Fail(launch);
  if (!options.folder.empty() && ::chdir(options.folder.c_str()) != 0) Fail(launch);
  // After the change of user, which clears it.
  if (options.death_signal != 0) {
    ::prctl(PR_SET_PDEATHSIG, options.death_signal);
    if (::getppid() != launch.parent) ::_exit(kExecFailed);  // it died before the line above
  }
  sigset_t none;
  sigemptyset(&none);
  ::sigprocmask(SIG_SETMASK, &none, nullptr);
  ::signal(SIGPIPE, SIG_DFL);
  for (const auto& [ours, theirs] : launch.descriptors) {
    // dup2 onto itself would leave close-on-exec set.
    if (ours == theirs) {
      ::fcntl(ours, F_SETFD, 0);
    } else {
      ::dup2(ours, theirs);
    }
  }
  ::execve(launch.argv[0], launch.argv, launch.envp);
  Fail(launch);
}

}  // namespace

bool ChildExit::Clean() const { return WIFEXITED(wait_status) && WEXITSTATUS(wait_status) == 0; }

int ChildExit::exit_code() const { return WIFEXITED(wait_status) ? WEXITSTATUS(wait_status) : -1; }

std::string ChildExit::Describe() const {
  if (WIFSIGNALED(wait_status)) {
    return fmt::format("was killed by SIG{}", ::sigabbrev_np(WTERMSIG(wait_status)));
  }
  return fmt::format("exited with {}", WEXITSTATUS(wait_status));
}

Result<ChildProcess> ChildProcess::Start(const ChildOptions& options) {
  std::vector<char*> argv;
  for (const std::string& word : options.argv) argv.push_back(const_cast<char*>(word.c_str()));
  argv.push_back(nullptr);
  std::vector<std::string> added;
  for (const auto& [name, value] : options.env) added.push_back(fmt::format("{}={}", name, value));
  std::vector<char*> envp;
  for (char** entry = environ; *entry != nullptr; ++entry) {
    const bool replaced = std::any_of(added.begin(), added.end(), [&](const std::string& text) {
      return std::strncmp(text.c_str(), *entry, text.find('=') + 1) == 0;
    });
    if (!replaced) envp.push_back(*entry);
  }
  for (std::string& entry : added) envp.push_back(entry.data());
  envp.push_back(nullptr);

  int error_pipe[2];
  if (::pipe2(error_pipe, O_CLOEXEC) != 0) return Status::System("cannot make a pipe", errno);
  // A descriptor of ours that has the number of one of theirs would be overwritten before its turn,
  // and so would the error pipe.
  int highest = 2;
  for (const auto& [ours, theirs] : options.descriptors) highest = std::max(highest, theirs);
  std::vector<std::pair<int, int>> descriptors;
  for (const auto& [ours, theirs] : options.descriptors) {
    descriptors.emplace_back(::fcntl(ours, F_DUPFD_CLOEXEC, highest + 1), theirs);
  }
  const int error_end = ::fcntl(error_pipe[1], F_DUPFD_CLOEXEC, highest + 1);
  ::close(error_pipe[1]);

  const pid_t parent = ::getpid();
  const pid_t pid = ::fork();
  if (pid == 0) {
    Exec({options, parent, descriptors, argv.data(), envp.data(), error_end});
  }
  const int fork_error = errno;
  for (const auto& [copy, theirs] : descriptors) ::close(copy);
  ::close(error_end);
  ChildProcess child;
  int exec_error = 0;
  if (pid > 0) {
    child.pid_ = pid;
    child.pidfd_ = static_cast<int>(::syscall(SYS_pidfd_open, pid, 0));
    ssize_t count = 0;
    do {
      count = ::read(error_pipe[0], &exec_error, sizeof exec_error);
    } while (count < 0 && errno == EINTR);
  }
  ::close(error_pipe[0]);
  if (pid < 0) return Status::System("cannot fork", fork_error);
  if (exec_error != 0) return Status::System("cannot run " + options.argv[0], exec_error);
  return child;
}

ChildProcess::ChildProcess(ChildProcess&& other) noexcept { *this = std::move(other); }

ChildProcess& ChildProcess::operator=(ChildProcess&& other) noexcept {
  std::swap(pid_, other.pid_);
  std::swap(pidfd_, other.pidfd_);
  std::swap(exit_, other.exit_);
  return *this;
}

ChildProcess::~ChildProcess() {
  if (pid_ != 0 && !exit_) {
    ::kill(pid_, SIGKILL);
    Wait(kNoDeadline);
  }
  if (pidfd_ >= 0) ::close(pidfd_);
}

bool ChildProcess::running() { return pid_ != 0 && !Wait(0); }

void ChildProcess::Signal(int signal) const {
  if (pid_ != 0 && !exit_) ::kill(pid_, signal);
}

std::optional<ChildExit> ChildProcess::Wait(int64_t timeout_ns) {
  if (exit_ || pid_ == 0) return exit_;
  const MonotonicNs begin = MonotonicNow();
  while (true) {
    ChildExit exit;
    const pid_t ended = ::wait4(pid_, &exit.wait_status, WNOHANG, &exit.usage);
    if (ended == pid_) return exit_ = exit;
    const int64_t left_ns = timeout_ns - (MonotonicNow() - begin);
    if (left_ns <= 0) return std::nullopt;
    pollfd poll_pidfd = {pidfd_, POLLIN, 0};
    const int64_t left_ms = left_ns / kNanosecondsPerMillisecond + 1;
    ::poll(&poll_pidfd, 1, static_cast<int>(std::min<int64_t>(left_ms, INT_MAX)));
  }
}

std::string OwnProgram() {
  char path[PATH_MAX];
  const ssize_t length = ::readlink("/proc/self/exe", path, sizeof path);
  return length > 0 ? std::string(path, static_cast<size_t>(length)) : "connbench";
}

std::string FindInPath(std::string_view program) {
  const char* path = std::getenv("PATH");
  std::string_view rest = path == nullptr ? "" : path;
  while (!rest.empty()) {
    const std::string_view folder = rest.substr(0, rest.find(':'));
    rest.remove_prefix(std::min(folder.size() + 1, rest.size()));
    std::string file = fmt::format("{}/{}", folder.empty() ? "." : folder, program);
    struct stat status {};
    const bool is_file = ::stat(file.c_str(), &status) == 0 && S_ISREG(status.st_mode);
    if (is_file && ::access(file.c_str(), X_OK) == 0) return file;
  }
  return {};
}

int MakeOutputFile(const char* name) { return ::memfd_create(name, MFD_CLOEXEC); }

std::string ReadOutputTail(int descriptor, size_t max_bytes) {
  const off_t size = ::lseek(descriptor, 0, SEEK_END);
  if (size <= 0) return {};
  const auto wanted = static_cast<off_t>(max_bytes);
  const off_t begin = size > wanted ? size - wanted : 0;
  std::string text(static_cast<size_t>(size - begin), '\0');
  const ssize_t count = ::pread(descriptor, text.data(), text.size(), begin);
  text.resize(count > 0 ? static_cast<size_t>(count) : 0);
  if (begin > 0) text.erase(0, text.find('\n') + 1);
  text.erase(text.find_last_not_of(" \t\n") + 1);
  return text;
}

}  // namespace connbench
