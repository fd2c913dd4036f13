// A child process of ours: a server, a load generator, gnuplot.
//
// Not Poco::Process, because three things are needed that it lacks: the child dies with the harness
// (PR_SET_PDEATHSIG, also after kill -9), it inherits chosen descriptors only, and its end brings
// the resource usage of its whole life, descendants included (wait4).
//
// Children are in a process group of their own: Ctrl-C at a terminal reaches the harness alone,
// which ends its children in order.
//
// Safety: Start() by a thread that outlives the child (the death signal is bound to it); otherwise
// one thread at a time. The destructor kills what still runs and reaps it.
#pragma once

#include <sys/resource.h>
#include <sys/types.h>

#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/status.h"

namespace connbench {

// Who a child runs as, where it is not the user of the harness.
struct UserIds {
  uid_t user = 0;
  gid_t group = 0;
};

struct ChildOptions {
  std::vector<std::string> argv;                         // argv[0]: path of the program
  std::vector<std::pair<int, int>> descriptors;          // of ours -> number in the child
  std::vector<std::pair<std::string, std::string>> env;  // added to ours
  int death_signal = 0;                                  // sent to it when the harness dies
  std::optional<UserIds> run_as;                         // needs root
  std::string folder;                                    // its working folder; empty: ours
  bool raise_descriptor_limit = false;                   // RLIMIT_NOFILE up to its hard limit
};

struct ChildExit {
  int wait_status = 0;
  // Of its whole life, with all descendants that were waited for.
  rusage usage{};

  bool Clean() const;  // exit code 0
  int exit_code() const;
  std::string Describe() const;  // "exited with 2", "was killed by SIGKILL"
};

class ChildProcess {
 public:
  static Result<ChildProcess> Start(const ChildOptions& options);

  ChildProcess() = default;
  ChildProcess(ChildProcess&& other) noexcept;
  ChildProcess& operator=(ChildProcess&& other) noexcept;
  ~ChildProcess();

  pid_t pid() const { return pid_; }
  // Becomes readable when it has ended; -1 if there is none.
  int exit_descriptor() const { return pidfd_; }
  bool running();  // reaps it if it has ended
  void Signal(int signal) const;
  // Waits up to timeout_ns; nullopt if it still runs then. Once it has ended, always its exit.
  std::optional<ChildExit> Wait(int64_t timeout_ns);

 private:
  pid_t pid_ = 0;  // 0: none
  int pidfd_ = -1;
  std::optional<ChildExit> exit_;
};

// The program that runs now: a server or load child is the same file.
std::string OwnProgram();

// The path of a program in one of the folders of PATH; empty: there is none.
std::string FindInPath(std::string_view program);

// A descriptor of an anonymous file that takes a child's stderr, and what was written to it: at
// most the last bytes, cut at a line.
int MakeOutputFile(const char* name);
std::string ReadOutputTail(int descriptor, size_t max_bytes = 2000);

}  // namespace connbench
