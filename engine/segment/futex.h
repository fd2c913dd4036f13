// futex(2), which glibc does not wrap.
//
// Safety: any thread of any process; word may be in shared memory if is_private is false.
#pragma once

#include <linux/futex.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <atomic>
#include <cerrno>
#include <climits>
#include <cstdint>

#include "base/clock.h"

namespace connbench::engine {

// Sleeps while word == expected; returns false only when the deadline has passed. Returns true
// also spuriously: callers loop.
inline bool FutexWait(const std::atomic<uint32_t>& word, uint32_t expected, bool is_private,
                      MonotonicNs deadline = kNoDeadline) {
  // FUTEX_WAIT_BITSET takes an absolute CLOCK_MONOTONIC time.
  const int operation = FUTEX_WAIT_BITSET | (is_private ? FUTEX_PRIVATE_FLAG : 0);
  timespec until;
  if (deadline != kNoDeadline) {
    if (deadline <= 0) return false;
    until.tv_sec = deadline / kNanosecondsPerSecond;
    until.tv_nsec = deadline % kNanosecondsPerSecond;
  }
  const long result =  // NOLINT(google-runtime-int): syscall's type
      syscall(SYS_futex, &word, operation, expected, deadline == kNoDeadline ? nullptr : &until,
              nullptr, FUTEX_BITSET_MATCH_ANY);
  return result == 0 || errno != ETIMEDOUT;
}

// Returns how many were woken.
inline int FutexWake(const std::atomic<uint32_t>& word, int count, bool is_private) {
  const int operation = FUTEX_WAKE | (is_private ? FUTEX_PRIVATE_FLAG : 0);
  return static_cast<int>(syscall(SYS_futex, &word, operation, count, nullptr, nullptr, 0));
}

inline constexpr int kWakeAll = INT_MAX;

// Tells the processor that this is a spin loop.
inline void SpinPause() {
#if defined(__x86_64__) || defined(__i386__)
  __builtin_ia32_pause();
#elif defined(__aarch64__)
  asm volatile("yield");
#endif
}

}  // namespace connbench::engine
