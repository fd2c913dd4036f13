// Ctrl-C, SIGTERM and SIGHUP (unless nohup has it ignored) as something to poll for instead.
#include "harness/suite/interruption.h"

#include <sys/signalfd.h>
#include <unistd.h>

namespace connbench::suite {

Interruption::Interruption() {
  sigset_t signals;
  sigemptyset(&signals);
  sigaddset(&signals, SIGINT);
  sigaddset(&signals, SIGTERM);
  // A terminal that closes must not leave servers' folders, with a password in them, behind.
  struct sigaction hangup {};
  if (sigaction(SIGHUP, nullptr, &hangup) == 0 && hangup.sa_handler != SIG_IGN) {
    sigaddset(&signals, SIGHUP);
  }
  pthread_sigmask(SIG_BLOCK, &signals, &previous_);
  // Nor does a reader of our output that goes away end the run before it has cleaned up.
  pipe_before_ = std::signal(SIGPIPE, SIG_IGN);
  descriptor_ = ::signalfd(-1, &signals, SFD_CLOEXEC | SFD_NONBLOCK);
}

Interruption::~Interruption() {
  ::close(descriptor_);
  pthread_sigmask(SIG_SETMASK, &previous_, nullptr);
  std::signal(SIGPIPE, pipe_before_);
}

bool Interruption::Requested() {
  signalfd_siginfo info;
  // Not consumed by poll(): a second reader of the descriptor sees it through requested_.
  if (!requested_ && ::read(descriptor_, &info, sizeof info) == sizeof info) requested_ = true;
  return requested_;
}

}  // namespace connbench::suite
