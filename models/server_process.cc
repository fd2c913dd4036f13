#include "models/server_process.h"

#include <poll.h>
#include <sys/signalfd.h>
#include <unistd.h>

#include <csignal>
#include <cstdio>
#include <cstdlib>

namespace connbench::models {

TerminationSignal::TerminationSignal() {
  sigset_t set;
  sigemptyset(&set);
  sigaddset(&set, SIGTERM);
  sigprocmask(SIG_BLOCK, &set, nullptr);
  fd_ = signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
  if (fd_ < 0) {
    std::perror("connbench: signalfd");
    std::abort();  // the supervisor reports it; without this no shutdown would ever be heard
  }
}

TerminationSignal::~TerminationSignal() { close(fd_); }

bool TerminationSignal::WaitUntil(MonotonicNs deadline) const {
  while (true) {
    timespec timeout = {};
    if (deadline != kNoDeadline) {
      const MonotonicNs left = deadline - MonotonicNow();
      if (left <= 0) return false;
      timeout = {left / kNanosecondsPerSecond, left % kNanosecondsPerSecond};
    }
    pollfd signalled = {fd_, POLLIN, 0};
    if (ppoll(&signalled, 1, deadline == kNoDeadline ? nullptr : &timeout, nullptr) > 0) {
      return true;
    }
  }
}

}  // namespace connbench::models
