// How long a client that was refused or dropped waits before it comes back: an exponential backoff
// with jitter, as client libraries and poolers have it. The default is that of a client without
// any: back at once when it was dropped, then again every kReconnectPauseNs.
//
// Safety: pure functions; the random numbers are the caller's.
#pragma once

#include <algorithm>
#include <cmath>
#include <cstdint>

#include "base/clock.h"
#include "harness/script/random.h"

namespace connbench::load {

// After a failed attempt nobody comes back sooner, so that a dead server is not hammered.
inline constexpr int64_t kReconnectPauseNs = 10 * kNanosecondsPerMillisecond;

struct Backoff {
  int64_t initial_ns = 0;              // before the first return
  int64_t max_ns = kReconnectPauseNs;  // what the pause grows to
  double multiplier = 2;               // from one failed attempt to the next; at least 1
  double jitter = 0;                   // share of the pause that is drawn, in [0, 1]
};

// The pause before a client's next attempt; failed: how many in a row have failed, 0 after a
// connection that had been ready was lost.
inline int64_t BackoffPauseNs(const Backoff& backoff, int failed, Random& random) {
  const double grown = static_cast<double>(backoff.initial_ns) *
                       std::pow(backoff.multiplier, static_cast<double>(failed));
  const double capped = std::min(grown, static_cast<double>(backoff.max_ns));
  const double drawn = capped * (1 - backoff.jitter * random.NextDouble());
  return std::max(static_cast<int64_t>(drawn), failed > 0 ? kReconnectPauseNs : int64_t{0});
}

}  // namespace connbench::load
