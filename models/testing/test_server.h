// For tests: a real server, supervisor and all, in child processes of the test, on a free port.
//
// Safety: used by a test's main thread, in a process without other threads (it forks).
#pragma once

#include <sys/types.h>

#include <cstdint>
#include <string>
#include <vector>

#include "base/testing/wait_until.h"
#include "models/ready_line.h"
#include "models/supervisor.h"

namespace connbench::models::testing {

struct ServerOptions {
  std::string model = "fork";
  std::vector<std::string> settings;  // "name=value"
  std::string hosts = "127.0.0.1";
  int port = 0;
  std::string socket_directory;
  void (*confine)() = nullptr;  // runs in the server's process before anything else
};

class TestServer {
 public:
  explicit TestServer(const ServerOptions& options);
  ~TestServer();  // kills what is left
  TestServer(const TestServer&) = delete;
  TestServer& operator=(const TestServer&) = delete;

  // False if it ended before it was ready; then ExitCode() and log() say why.
  bool ready() const { return ready_; }
  int port() const { return line_.port; }
  const ReadyLine& ready_line() const { return line_; }
  pid_t pid() const { return pid_; }
  // What the server wrote to stderr so far.
  std::string log() const;

  void Signal(int signal) const;
  // Waits for the supervisor's end, up to kPatienceMs; returns its exit code, or -signal.
  int WaitForExit();
  // SIGTERM, then WaitForExit().
  int Stop();

  // The supervisor's children now.
  std::vector<pid_t> Children() const;

 private:
  pid_t pid_ = -1;
  bool ready_ = false;
  int log_fd_ = -1;
  ReadyLine line_;
};

void SleepMs(int ms);

bool ProcessExists(pid_t pid);
// Its main thread waits for something.
bool ProcessSleeps(pid_t pid);
std::vector<pid_t> ChildrenOf(pid_t pid);
// CPU time that the process and its descendants have taken so far, on all their threads.
int64_t CpuTimeOfTree(pid_t pid);
// A folder under TMPDIR or /tmp that is removed at the end, with what is in it.
class TestFolder {
 public:
  TestFolder();
  ~TestFolder();
  TestFolder(const TestFolder&) = delete;
  TestFolder& operator=(const TestFolder&) = delete;
  const std::string& path() const { return path_; }

 private:
  std::string path_;
};

}  // namespace connbench::models::testing
