// How much earlier than an instant a thread has to ask to be woken, so that it runs at that
// instant: a CPU that sleeps takes some time to come back, on a virtual machine 10 to 30 us, which
// would be in the lag of every arrival.
//
// The lead follows the shortest delays seen: it drops to a shorter one at once and grows slowly, so
// that a thread rarely wakes up too early, and then has little to wait.
//
// Safety: belongs to one thread. Bounds: never above kMax, so that nobody polls for longer.
#pragma once

#include <algorithm>
#include <cstdint>

namespace connbench::load {

class WakeLead {
 public:
  static constexpr int64_t kMaxNs = 50'000;

  int64_t ns() const { return lead_ns_; }
  // A wait for a timer has ended so long after the instant it was set for.
  void Woke(int64_t late_ns) {
    constexpr int64_t kSlowness = 32;
    const int64_t above_ns = std::clamp<int64_t>(late_ns, 0, kMaxNs) - lead_ns_;
    lead_ns_ += above_ns > 0 ? above_ns / kSlowness : above_ns;
  }

 private:
  int64_t lead_ns_ = 0;
};

}  // namespace connbench::load
