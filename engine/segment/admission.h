// What those who accept clients, and the sessions of clients who have not yet proved who they are,
// have to tell each other. It lives in shared memory, so that every model has the same rules,
// whichever process or thread holds a connection.
//
// Places       A client that says nothing costs a process, a thread or a descriptor. When whoever
//              accepts has no place for the next client, it wants room: sessions that have waited
//              for their client for too long see that and end (protocol/server_session.h). While
//              there is room nobody is sent away before authentication_timeout.
// Failures     Failed logins are logged, but an attacker must not fill the log: a few a second, and
//              how many were left out.
//
// Safety: any thread of any process; latch-free.
#pragma once

#include <atomic>
#include <cstdint>

#include "base/clock.h"

namespace connbench::engine {

class Admission {
 public:
  // A wish for room lasts for so long: whoever still has none wishes again.
  static constexpr MonotonicNs kWishNs = kNanosecondsPerSecond;
  static constexpr int64_t kFailuresLoggedPerSecond = 10;

  void WantRoom(MonotonicNs now) {
    room_wanted_until_.store(now + kWishNs, std::memory_order_relaxed);
  }
  bool RoomWanted(MonotonicNs now) const {
    return now < room_wanted_until_.load(std::memory_order_relaxed);
  }

  struct Failure {
    bool logged = false;   // whether this one is to be logged
    int64_t left_out = 0;  // how many before it were not
  };
  Failure CountFailure(MonotonicNs now) {
    int64_t begun = second_begun_.load(std::memory_order_relaxed);
    if (now - begun >= kNanosecondsPerSecond &&
        second_begun_.compare_exchange_strong(begun, now, std::memory_order_relaxed)) {
      logged_.store(0, std::memory_order_relaxed);
    }
    if (logged_.fetch_add(1, std::memory_order_relaxed) < kFailuresLoggedPerSecond) {
      return {.logged = true, .left_out = left_out_.exchange(0, std::memory_order_relaxed)};
    }
    left_out_.fetch_add(1, std::memory_order_relaxed);
    return {};
  }

 private:
  std::atomic<int64_t> room_wanted_until_{0};
  std::atomic<int64_t> second_begun_{0};
  std::atomic<int64_t> logged_{0};  // in this second; counts on beyond the limit
  std::atomic<int64_t> left_out_{0};
};

}  // namespace connbench::engine
