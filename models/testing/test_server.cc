// A real server, supervisor and all, in child processes of the test, on a free port.
#include "models/testing/test_server.h"

#include <fmt/format.h>
#include <poll.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <ctime>
#include <filesystem>

namespace connbench::models::testing {
namespace {

// Runs in the child and does not return.
[[noreturn]] void RunServer(const ServerOptions& options, int ready_fd, int log_fd) {
  prctl(PR_SET_PDEATHSIG, SIGKILL);
  dup2(log_fd, STDERR_FILENO);
  if (options.confine != nullptr) options.confine();
  SupervisorOptions supervisor;
  const Result<const ModelDescription*> model = FindModel(options.model);
  if (!model.ok()) _exit(99);
  supervisor.model = *model;
  supervisor.ready_fd = ready_fd;
  supervisor.listen.hosts = options.hosts;
  supervisor.listen.port = options.port;
  supervisor.listen.socket_directory = options.socket_directory;
  for (const std::string& setting : options.settings) {
    const size_t equals = setting.find('=');
    const Status applied =
        ApplySetting(supervisor.settings, setting.substr(0, equals), setting.substr(equals + 1));
    if (!applied.ok()) {
      fmt::print(stderr, "{}\n", applied.ToString());
      std::fflush(stderr);
      _exit(98);
    }
  }
  _exit(RunSupervisor(supervisor));
}

}  // namespace

TestServer::TestServer(const ServerOptions& options) {
  int ready[2];
  if (pipe(ready) != 0) std::abort();
  log_fd_ = memfd_create("server log", MFD_CLOEXEC);
  pid_ = fork();
  if (pid_ == 0) {
    close(ready[0]);
    RunServer(options, ready[1], log_fd_);
  }
  close(ready[1]);
  std::string text;
  std::array<char, 512> buffer;
  ssize_t got = 0;
  while ((got = read(ready[0], buffer.data(), buffer.size())) > 0) {
    text.append(buffer.data(), static_cast<size_t>(got));
    const size_t end = text.find('\n');
    if (end == std::string::npos) continue;
    const auto line = ParseReadyLine(std::string_view(text).substr(0, end));
    ready_ = line.has_value();
    if (ready_) line_ = *line;
    break;
  }
  close(ready[0]);
}

TestServer::~TestServer() {
  if (pid_ > 0) {
    kill(pid_, SIGKILL);
    waitpid(pid_, nullptr, 0);
  }
  close(log_fd_);
}

std::string TestServer::log() const {
  std::string text;
  std::array<char, 4096> buffer;
  ssize_t got = 0;
  while ((got = pread(log_fd_, buffer.data(), buffer.size(), static_cast<off_t>(text.size()))) >
         0) {
    text.append(buffer.data(), static_cast<size_t>(got));
  }
  return text;
}

void TestServer::Signal(int signal) const { kill(pid_, signal); }

int TestServer::WaitForExit() {
  int wait_status = 0;
  const bool ended = WaitUntil([&] { return waitpid(pid_, &wait_status, WNOHANG) == pid_; });
  if (!ended) return -1000;
  pid_ = -1;
  return WIFEXITED(wait_status) ? WEXITSTATUS(wait_status) : -WTERMSIG(wait_status);
}

int TestServer::Stop() {
  Signal(SIGTERM);
  return WaitForExit();
}

std::vector<pid_t> TestServer::Children() const { return ChildrenOf(pid_); }

void SleepMs(int ms) {
  const timespec duration = {ms / 1000, (ms % 1000) * 1'000'000L};
  nanosleep(&duration, nullptr);
}

bool ProcessExists(pid_t pid) {
  // A zombie has ended; but while it has other threads only its first one has, and the process
  // still holds its files and locks.
  std::FILE* file = std::fopen(fmt::format("/proc/{}/stat", pid).c_str(), "re");
  if (file == nullptr) return false;
  char state = 'Z';
  int threads = 0;
  // proc(5): the state is field 3, the number of threads field 20.
  const int fields = std::fscanf(file,
                                 "%*d (%*[^)]) %c %*d %*d %*d %*d %*d %*u %*u %*u %*u %*u %*u %*u "
                                 "%*d %*d %*d %*d %d",
                                 &state, &threads);
  std::fclose(file);
  if (fields != 2) return false;
  return (state != 'Z' && state != 'X') || threads > 1;
}

bool ProcessSleeps(pid_t pid) {
  std::FILE* file = std::fopen(fmt::format("/proc/{}/stat", pid).c_str(), "re");
  if (file == nullptr) return false;
  char state = 'R';
  const int fields = std::fscanf(file, "%*d (%*[^)]) %c", &state);
  std::fclose(file);
  return fields == 1 && state == 'S';
}

std::vector<pid_t> ChildrenOf(pid_t pid) {
  std::vector<pid_t> children;
  std::FILE* file = std::fopen(fmt::format("/proc/{}/task/{}/children", pid, pid).c_str(), "re");
  if (file == nullptr) return children;
  int child = 0;
  while (std::fscanf(file, "%d", &child) == 1) children.push_back(child);
  std::fclose(file);
  return children;
}

int64_t CpuTimeOfTree(pid_t pid) {
  int64_t total_ns = 0;
  for (pid_t child : ChildrenOf(pid)) total_ns += CpuTimeOfTree(child);
  clockid_t clock = 0;
  timespec time = {};
  if (clock_getcpuclockid(pid, &clock) == 0 && clock_gettime(clock, &time) == 0) {
    total_ns += int64_t{time.tv_sec} * 1'000'000'000 + time.tv_nsec;
  }
  return total_ns;
}

TestFolder::TestFolder() {
  const char* root = std::getenv("TMPDIR");
  path_ = std::string(root != nullptr ? root : "/tmp") + "/connbench_test.XXXXXX";
  if (mkdtemp(path_.data()) == nullptr) std::abort();
}

TestFolder::~TestFolder() {
  std::error_code ignored;
  std::filesystem::remove_all(path_, ignored);
}

}  // namespace connbench::models::testing
