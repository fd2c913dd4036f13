// Decides when a warm-up is over: client threads add every transaction that ends to a slice of
// time, the coordinator asks whether the slices so far have settled (stats/steady_state.h), and the
// threads learn through end() that they may stop.
//
// Safety: Add and end may be used by any thread, the rest by the coordinator. The slices are one
// fixed allocation; what ends after the last of them is in none.
#pragma once

#include <atomic>
#include <cstdint>
#include <vector>

#include "base/clock.h"

namespace connbench::load {

// A warm-up's shortest length is cut into so many slices, which is what a decision takes.
inline constexpr int64_t kWarmupSlices = 50;

class WarmupWatch {
 public:
  // open_loop: the rate is given, so that only latency can tell.
  WarmupWatch(MonotonicNs begin, int64_t shortest_ns, int64_t longest_ns, bool open_loop);

  void Add(MonotonicNs end, int64_t latency_ns);
  // When the threads stop; kNoDeadline at first.
  MonotonicNs end() const { return end_.load(std::memory_order_relaxed); }

  // Whether it had settled by now. If so, end() is now.
  bool Check(MonotonicNs now);
  bool settled() const { return settled_; }

 private:
  struct Slice {
    std::atomic<int64_t> transactions{0};
    std::atomic<int64_t> latency_ns{0};
  };

  MonotonicNs begin_;
  int64_t slice_ns_;
  bool open_loop_;
  std::vector<Slice> slices_;
  size_t looked_at_ = 0;
  bool settled_ = false;
  std::atomic<MonotonicNs> end_{kNoDeadline};
};

}  // namespace connbench::load
