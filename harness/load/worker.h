// One client thread: an event loop over its share of the clients of one group. Groups have threads
// of their own, so that the release of a storm does not delay the victims' answers within one loop.
// The coordinator hands a thread one plan after the other (plan.h); a plan is over when every
// client concerned has come to rest, and between plans the thread sleeps while its connections stay
// open. What the clients do is the business of the parts in worker_parts.h.
//
// Safety: Post, WaitDone and live() may be used by the coordinator while the thread runs; all else
// while it is at rest. Every wait has an end: connecting and statements have deadlines, and a
// raised stop flag ends a plan within kInterruptGraceNs.
#pragma once

#include <condition_variable>
#include <cstdint>
#include <memory>
#include <mutex>
#include <thread>

#include "base/status.h"
#include "harness/load/disturbance.h"
#include "harness/load/plan.h"
#include "harness/load/recorder.h"

namespace connbench::load {

struct Client;
struct WorkerParts;

class Worker {
 public:
  Worker(const WorkerSettings& settings, int number);
  ~Worker();
  Worker(const Worker&) = delete;
  Worker& operator=(const Worker&) = delete;

  // Makes the epoll set and starts the thread.
  Status Start();
  void Post(const Plan& plan);
  // Whether the plan is over; waits at most this long.
  bool WaitDone(int64_t timeout_ns);
  const LiveCounts& live() const;

  // While at rest.
  const Recorder& recorder() const;
  Recorder& recorder();
  const TrafficBytes& bytes() const;
  int64_t open() const;
  const Served& served() const;
  const VictimLedger* victims() const;
  // Of the last plan.
  double cpu_fraction() const { return cpu_fraction_; }
  int64_t cpu_ns() const { return cpu_ns_; }
  // For how long at most it did not come to look at its connections.
  int64_t stall_ns() const;
  // Whether the last open loop ran with real-time priority.
  bool realtime() const;
  // Whether it sends the statements of a closed loop together.
  bool batches() const;

 private:
  void Main();
  void Execute(const Plan& plan);
  void AwaitBegin();
  void BeginPlan();
  void Begin(Client& client);
  void Round();

  const std::unique_ptr<WorkerParts> parts_;
  double cpu_fraction_ = 0;
  int64_t cpu_ns_ = 0;

  std::mutex mutex_;  // guards what follows
  std::condition_variable changed_;
  bool has_plan_ = false;
  Plan posted_;
  std::thread thread_;
};

}  // namespace connbench::load
