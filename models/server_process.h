// What the main thread of a server process does, for models that serve many connections in one
// process: take the supervisor's request to end, accept, and be woken in time.
//
// Safety: used by the main thread only, made before the process starts its other threads, which
// inherit the blocked signals.
#pragma once

#include <cstdint>

#include "base/clock.h"
#include "models/listener.h"

namespace connbench::models {

// SIGTERM as a descriptor that can be polled.
class TerminationSignal {
 public:
  TerminationSignal();
  ~TerminationSignal();
  TerminationSignal(const TerminationSignal&) = delete;
  TerminationSignal& operator=(const TerminationSignal&) = delete;

  int fd() const { return fd_; }

  // Sleeps until SIGTERM (true), or until the deadline has passed (false).
  bool WaitUntil(MonotonicNs deadline) const;

 private:
  int fd_;
};

}  // namespace connbench::models
