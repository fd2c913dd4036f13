// The kernel's id of the calling thread, cached: what a latch records as its owner.
//
// Safety: any thread of any process; right also in a child just after fork.
#pragma once

#include <cstdint>

namespace connbench::engine {

namespace internal {
inline constinit thread_local uint32_t cached_thread_id = 0;  // 0: not asked yet
uint32_t AskThreadId();
}  // namespace internal

inline uint32_t CurrentThreadId() {
  const uint32_t id = internal::cached_thread_id;
  return id != 0 ? id : internal::AskThreadId();
}

}  // namespace connbench::engine
