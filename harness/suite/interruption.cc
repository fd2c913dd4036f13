#include "harness/suite/interruption.h"

#include <sys/signalfd.h>
#include <unistd.h>

namespace connbench::suite {

Interruption::Interruption() {
  sigset_t signals;
  sigemptyset(&signals);
  sigaddset(&signals, SIGINT);
  sigaddset(&signals, SIGTERM);
  pthread_sigmask(SIG_BLOCK, &signals, &previous_);
  descriptor_ = ::signalfd(-1, &signals, SFD_CLOEXEC | SFD_NONBLOCK);
}

Interruption::~Interruption() {
  ::close(descriptor_);
  pthread_sigmask(SIG_SETMASK, &previous_, nullptr);
}

bool Interruption::Requested() {
  signalfd_siginfo info;
  // Not consumed by poll(): a second reader of the descriptor sees it through requested_.
  if (!requested_ && ::read(descriptor_, &info, sizeof info) == sizeof info) requested_ = true;
  return requested_;
}

}  // namespace connbench::suite
