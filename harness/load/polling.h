// The waiting of a Worker: its epoll set, the timers that are due, and every now and then a look at
// the deadlines of all clients.
//
// Safety: belongs to the worker's thread. Every wait has an end.
#pragma once

#include <cstdint>
#include <vector>

#include "base/clock.h"
#include "base/status.h"
#include "harness/load/client.h"
#include "harness/load/plan.h"
#include "harness/load/ticker.h"
#include "harness/load/wake_lead.h"
#include "harness/load/worker_state.h"

namespace connbench::load {

struct WorkerParts;

inline constexpr int64_t kPollLimitNs = kNanosecondsPerSecond;  // the longest wait
inline constexpr int64_t kInterruptGraceNs = kNanosecondsPerSecond;

class Polling {
 public:
  explicit Polling(WorkerParts& parts);
  ~Polling();
  Polling(const Polling&) = delete;
  Polling& operator=(const Polling&) = delete;

  Status Open();
  int epoll_fd() const { return epoll_fd_; }

  // Around a plan.
  void Begin();
  void End();
  // What epoll has, due timers, and now and then the deadlines; waits at most this long.
  void Once(int64_t timeout_limit_ns);
  // For how long at most the thread did not come to look at its connections.
  int64_t stall_ns() const { return stall_ns_; }
  const LiveCounts& live() const { return live_; }
  void Publish();

 private:
  void FireTimers(MonotonicNs now);
  void Sweep(MonotonicNs now);
  void Expire(Client& client, MonotonicNs now, bool interrupted);
  void ExpireTransaction(Client& client, MonotonicNs now, bool interrupted);

  WorkerParts& parts_;
  WorkerState& state_;
  int epoll_fd_ = -1;
  Ticker ticker_;  // so that sweeps come also where nothing else happens
  WakeLead wake_lead_;
  std::vector<char> buffer_;
  LiveCounts live_;
  MonotonicNs next_sweep_ = 0;
  int64_t stall_ns_ = 0;
  MonotonicNs interrupted_at_ = 0;
};

}  // namespace connbench::load
