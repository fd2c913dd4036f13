// The part of a Worker that keeps an open loop to its schedule: gives each arrival that is due to a
// free client, and counts those for which none is free in time.
//
// Safety: belongs to the worker's thread.
#pragma once

#include <memory>

#include "base/clock.h"
#include "harness/load/client.h"
#include "harness/load/open_loop.h"
#include "harness/load/worker_state.h"

namespace connbench::load {

struct WorkerParts;

// What was due in a phase and still waits for a connection when it ends is sent for so long; the
// rest is skipped.
inline constexpr int64_t kMaxDrainNs = 2 * kNanosecondsPerSecond;

class ArrivalDispatch {
 public:
  explicit ArrivalDispatch(WorkerParts& parts);

  // Of a plan with arrivals: for clients [first, last) of this thread.
  void Begin(size_t first, size_t last);
  // Everybody is at rest. If that is because no connection is left, arrivals have gone on.
  void End();
  void EndAt(MonotonicNs until);
  // Whether a plan with arrivals is under way; all that follows needs one.
  bool active() const { return loop_ != nullptr; }

  // Takes what is due, and sends what a free connection is there for.
  void Dispatch();
  // The next arrival, or the end of the phase.
  MonotonicNs next_due(MonotonicNs now) const;
  // The client waits for an arrival.
  void MakeFree(Client& client);
  // Its first statement goes to the kernel next.
  void StampSent(Client& client);
  void SkipWaiting();
  void RestFree();
  // Whether the last open loop ran with real-time priority.
  bool realtime() const { return realtime_; }

 private:
  void Start(Client& client, const OpenLoop::Arrival& arrival, MonotonicNs now);

  WorkerParts& parts_;
  WorkerState& state_;
  std::unique_ptr<OpenLoop> loop_;
  bool realtime_ = false;
};

}  // namespace connbench::load
