// The kernel's id of the calling thread, cached: what a latch records as its owner.
#include "engine/segment/thread_id.h"

#include <pthread.h>
#include <unistd.h>

namespace connbench::engine::internal {

uint32_t AskThreadId() {
  // A child of fork has one thread, whose cache still holds the parent's id.
  static const int registered = pthread_atfork(nullptr, nullptr, [] { cached_thread_id = 0; });
  (void)registered;
  cached_thread_id = static_cast<uint32_t>(gettid());
  return cached_thread_id;
}

}  // namespace connbench::engine::internal
