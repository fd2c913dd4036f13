// How long the machine has been suspended since it booted: what CLOCK_MONOTONIC leaves out and
// CLOCK_BOOTTIME counts.
//
// Safety: any thread. A pause between the two readings makes the one too long and the other too
// short, so that a later "at least" less an earlier "at most" never says more than there was.
#pragma once

#include <ctime>

#include <cstdint>

#include "base/clock.h"

namespace connbench::load {

inline int64_t BootTimeNow() {
  timespec now;
  clock_gettime(CLOCK_BOOTTIME, &now);
  return now.tv_sec * kNanosecondsPerSecond + now.tv_nsec;
}

inline int64_t SuspendedAtMostNs() {
  const MonotonicNs now = MonotonicNow();
  return BootTimeNow() - now;
}

inline int64_t SuspendedAtLeastNs() {
  const int64_t now = BootTimeNow();
  return now - MonotonicNow();
}

}  // namespace connbench::load
