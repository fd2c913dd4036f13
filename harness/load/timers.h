// The pauses of a worker's clients: when each goes on. A client has at most one timer; setting it
// anew, or cancelling it, makes the old one void.
//
// Safety: one thread.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <queue>
#include <vector>

#include "base/clock.h"
#include "harness/load/client.h"

namespace connbench::load {

class Timers {
 public:
  void Set(Client& client, MonotonicNs at) {
    timers_.push({at, client.place, ++client.timer_generation});
  }
  static void Cancel(Client& client) { ++client.timer_generation; }
  void Clear() { timers_ = {}; }

  // When the first one is due, or kNoDeadline.
  MonotonicNs next() const { return timers_.empty() ? kNoDeadline : timers_.top().at; }
  // Takes the next that is due and not void off; null: there is none.
  Client* TakeDue(MonotonicNs now, const std::vector<std::unique_ptr<Client>>& clients) {
    while (!timers_.empty() && timers_.top().at <= now) {
      const Timer timer = timers_.top();
      timers_.pop();
      Client& client = *clients[timer.client];
      if (client.timer_generation == timer.generation) return &client;
    }
    return nullptr;
  }

 private:
  struct Timer {
    MonotonicNs at;
    uint32_t client;
    uint64_t generation;
    bool operator>(const Timer& other) const { return at > other.at; }
  };
  std::priority_queue<Timer, std::vector<Timer>, std::greater<>> timers_;
};

}  // namespace connbench::load
