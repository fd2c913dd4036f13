// What the main thread of a server process does.
#include "models/server_process.h"

#include <poll.h>
#include <sys/signalfd.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <csignal>
#include <cstdlib>
#include <cstring>
#include <string>

#include "base/server_log.h"

namespace connbench::models {

SignalDescriptor::SignalDescriptor(int signal) {
  sigset_t set;
  sigemptyset(&set);
  sigaddset(&set, signal);
  sigprocmask(SIG_BLOCK, &set, nullptr);
  fd_ = signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
  if (fd_ < 0) {
    LogLine(std::string("signalfd: ") + std::strerror(errno));
    std::abort();  // the supervisor reports it; without this no shutdown would ever be heard
  }
}

SignalDescriptor::~SignalDescriptor() { close(fd_); }

void SignalDescriptor::Clear() const {
  signalfd_siginfo info;
  (void)!read(fd_, &info, sizeof(info));  // the same signal is pending at most once
}

TerminationSignal::TerminationSignal() : SignalDescriptor(SIGTERM) {}

bool TerminationSignal::WaitUntil(MonotonicNs deadline) const {
  while (true) {
    timespec timeout = {};
    if (deadline != kNoDeadline) {
      const MonotonicNs left = deadline - MonotonicNow();
      if (left <= 0) return false;
      timeout = {left / kNanosecondsPerSecond, left % kNanosecondsPerSecond};
    }
    pollfd signalled = {fd(), POLLIN, 0};
    if (ppoll(&signalled, 1, deadline == kNoDeadline ? nullptr : &timeout, nullptr) > 0) {
      return true;
    }
  }
}

SessionEndSignal::SessionEndSignal() : SignalDescriptor(SIGUSR1) {}

void WaitForTermination(const TerminationSignal& termination, const SessionEndSignal& session_end,
                        const std::function<void()>& end_sessions,
                        const std::function<void()>& on_tick) {
  pollfd polled[2] = {{termination.fd(), POLLIN, 0}, {session_end.fd(), POLLIN, 0}};
  while (polled[0].revents == 0) {
    const int ready = poll(polled, 2, on_tick ? kTickMs : -1);
    if (ready == 0) on_tick();
    if (ready <= 0 || polled[1].revents == 0) continue;
    session_end.Clear();
    end_sessions();
  }
}

bool Contains(std::span<const engine::EndingSession> sessions, uint32_t connection_id) {
  return std::any_of(sessions.begin(), sessions.end(), [&](const engine::EndingSession& session) {
    return session.connection_id == connection_id;
  });
}

}  // namespace connbench::models
