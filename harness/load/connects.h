// The part of a Worker that makes, loses and closes connections: those of a crowd, which come at
// once or by a schedule, and those of a churn, which take whichever client is free.
//
// Safety: belongs to the worker's thread.
#pragma once

#include <cstdint>
#include <deque>
#include <optional>
#include <vector>

#include "base/clock.h"
#include "harness/load/client.h"
#include "harness/load/worker_state.h"
#include "harness/workload/arrivals.h"

namespace connbench::load {

struct WorkerParts;

// Sessions of an open-loop churn that wait for a free client, per thread; those beyond count as
// not begun at once.
inline constexpr size_t kMaxWaitingSessions = 1'000'000;

class Connects {
 public:
  explicit Connects(WorkerParts& parts);

  // Of a plan that connects: for clients [first, last) of this thread.
  void Begin(size_t first, size_t last);
  // Begins what is due, in order.
  void StartDue(MonotonicNs now);
  // When the next connection is due; 0: at once; kNoDeadline: none is.
  MonotonicNs next_due() const;

  void Start(Client& client, MonotonicNs intended);
  // The connection became ready, or ended and not by us.
  void Ready(Client& client);
  void Ended(Client& client);
  // Whether a client whose attempt failed, or whose connection broke, connects again; and doing so.
  bool ComesBack(const Client& client, MonotonicNs now) const;
  void ComeBackLater(Client& client, MonotonicNs now);
  // The client gives up what it asked for, if anything.
  void GiveUp(Client& client, MonotonicNs now);
  // A churning client has run its transactions, or the window is over.
  void SessionEnded(Client& client, MonotonicNs now);
  // It had its first answer.
  void Served(Client& client, MonotonicNs now);
  void Close(Client& client, MonotonicNs now);
  // The client has come to rest.
  void Rested(Client& client);

 private:
  // Since when the client asks for what it is about to connect for.
  void Ask(Client& client, MonotonicNs since);
  void Release(MonotonicNs now);
  void StartDueSessions(MonotonicNs now);
  void EndSchedule();
  MonotonicNs ScheduleBegin() const;
  void TakeNextArrival();

  WorkerParts& parts_;
  WorkerState& state_;
  int64_t connecting_ = 0;  // attempts under way
  // Connections that the plan has still to begin: clients [next_connect_, end_connect_), or, in an
  // open-loop churn, sessions that come at their instants.
  size_t next_connect_ = 0;
  size_t end_connect_ = 0;
  std::optional<Arrivals> arrivals_;
  MonotonicNs next_arrival_ = kNoDeadline;
  bool sessions_arrive_ = false;
  std::vector<Client*> free_;
  std::deque<MonotonicNs> waiting_sessions_;  // their intended starts
};

}  // namespace connbench::load
