// Time, one way everywhere: CLOCK_MONOTONIC in nanoseconds, shared by all processes of one machine,
// so that stamps taken by the client and by the server can be joined.
//
// Safety: pure functions; any thread of any process.
#pragma once

#include <ctime>

#include <cstdint>

namespace connbench {

inline constexpr int64_t kNanosecondsPerSecond = 1'000'000'000;
inline constexpr int64_t kNanosecondsPerMillisecond = 1'000'000;
inline constexpr int64_t kNanosecondsPerMicrosecond = 1'000;

// A point on CLOCK_MONOTONIC; kNoDeadline means "for ever".
using MonotonicNs = int64_t;
inline constexpr MonotonicNs kNoDeadline = INT64_MAX;

inline MonotonicNs MonotonicNow() {
  timespec now;
  clock_gettime(CLOCK_MONOTONIC, &now);
  return now.tv_sec * kNanosecondsPerSecond + now.tv_nsec;
}

// Microseconds since the Unix epoch, for SQL's now() and for run.json only; never for durations.
inline int64_t WallClockUs() {
  timespec now;
  clock_gettime(CLOCK_REALTIME, &now);
  return now.tv_sec * 1'000'000 + now.tv_nsec / 1'000;
}

// Nanoseconds for half the price, as of the last tick of the kernel's clock: 1 to 10 ms old.
inline int64_t CoarseWallClockNs() {
  timespec now;
  clock_gettime(CLOCK_REALTIME_COARSE, &now);
  return now.tv_sec * kNanosecondsPerSecond + now.tv_nsec;
}

}  // namespace connbench
