// One client thread's side of an open loop: which arrivals are due, which of them wait for a free
// connection, and which connections are free. An arrival takes the connection that has been free
// for longest; where none is free it waits, and its latency counts all the same from the instant
// it was intended for. That is what keeps a slow server from slowing down its own measurement.
//
// Safety: used by one thread. Bounds: at most queue_limit arrivals wait; what comes on top is the
// caller's to count as skipped.
#pragma once

#include <cstdint>
#include <deque>

#include "base/clock.h"
#include "harness/workload/arrivals.h"

namespace connbench::load {

class OpenLoop {
 public:
  struct Arrival {
    MonotonicNs intended = 0;
    MonotonicNs noticed = 0;  // when this thread came to look at it
  };
  struct Limits {
    MonotonicNs until = kNoDeadline;  // what is intended for then or later is never due
    int64_t arrivals = INT64_MAX;     // so many, then no more
    size_t queue = 0;
  };

  OpenLoop(Arrivals arrivals, MonotonicNs begin, const Limits& limits);

  // When the next arrival is due; kNoDeadline: there are no more.
  MonotonicNs next_due() const { return next_due_; }
  // Takes the next arrival, which is due. False: too many wait, it is dropped.
  bool TakeDue(MonotonicNs now);
  // No arrival is due from then on.
  void EndAt(MonotonicNs until);

  void AddFree(uint32_t client) { free_.push_back(client); }
  bool has_free() const { return !free_.empty(); }
  uint32_t TakeFree();

  size_t waiting() const { return waiting_.size(); }
  size_t waiting_max() const { return waiting_max_; }
  Arrival TakeWaiting();

 private:
  void Advance();

  Arrivals arrivals_;
  MonotonicNs begin_;
  Limits limits_;
  MonotonicNs next_due_ = kNoDeadline;
  std::deque<Arrival> waiting_;
  size_t waiting_max_ = 0;
  std::deque<uint32_t> free_;
};

}  // namespace connbench::load
