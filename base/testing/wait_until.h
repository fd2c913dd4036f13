// Waits for what another thread does.
//
// Safety: any thread; condition is called from the caller's.
#pragma once

#include <chrono>
#include <thread>

namespace connbench {

// Condition becomes true, or a minute has gone.
template <typename Condition>
bool WaitUntil(Condition condition) {
  const auto limit = std::chrono::steady_clock::now() + std::chrono::minutes(1);
  while (!condition()) {
    if (std::chrono::steady_clock::now() > limit) return false;
    std::this_thread::yield();
  }
  return true;
}

}  // namespace connbench
