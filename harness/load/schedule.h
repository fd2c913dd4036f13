// When a client is to begin its next transaction. The closed loop begins it when the last one has
// ended; open-loop schedules (constant, Poisson, bursts) answer with instants of their own, may be
// in arrears, and latency counts from what they answer.
//
// Safety: one per client thread, used by it alone.
#pragma once

#include "base/clock.h"

namespace connbench::load {

class Schedule {
 public:
  virtual ~Schedule() = default;
  // The intended start of the client's next transaction; now is when its last one ended, or when
  // the phase began. An answer in the past is due at once.
  virtual MonotonicNs NextStart(uint32_t client, MonotonicNs now) = 0;
};

class ClosedLoop final : public Schedule {
 public:
  MonotonicNs NextStart(uint32_t /*client*/, MonotonicNs now) override { return now; }
};

}  // namespace connbench::load
