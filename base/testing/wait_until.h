// Waits for what another thread or process does.
//
// Safety: any thread; condition is called from the caller's.
#pragma once

#include <chrono>
#include <thread>

namespace connbench {

// How long a test waits for what must happen: long enough for a loaded machine with sanitizers.
inline constexpr int kPatienceMs = 60'000;

// Waits until condition() holds; false after kPatienceMs.
template <typename Condition>
bool WaitUntil(Condition condition) {
  constexpr int kLookEveryMs = 5;
  for (int waited_ms = 0; waited_ms < kPatienceMs; waited_ms += kLookEveryMs) {
    if (condition()) return true;
    std::this_thread::sleep_for(std::chrono::milliseconds(kLookEveryMs));
  }
  return condition();
}

}  // namespace connbench
