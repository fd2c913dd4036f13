// A word in the segment on which one session waits and which anyone may ring.
#include "engine/segment/wakeup.h"

#include <unistd.h>

#include "base/assert.h"
#include "engine/segment/futex.h"
#include "engine/segment/held_latches.h"

namespace connbench::engine {

// Ring: count, then look whether the owner sleeps. Wait: announce sleep, then look at the count.
// Both sides are sequentially consistent, so at least one sees the other.
void Wakeup::Ring() {
  word.fetch_add(1, std::memory_order_seq_cst);
  if (const int32_t fd = event_fd.load(std::memory_order_seq_cst); fd != 0) {
    const uint64_t one = 1;
    // A full counter (EAGAIN) already wakes the owner; no other failure is possible on an eventfd.
    [[maybe_unused]] const ssize_t written = write(fd, &one, sizeof one);
    return;
  }
  if (waiting.load(std::memory_order_seq_cst) != 0) FutexWake(word, kWakeAll, futex_private != 0);
}

void Wakeup::RingFrom(int own_event_fd) {
  if (own_event_fd > 0 && event_fd.load(std::memory_order_relaxed) == own_event_fd) {
    word.fetch_add(1, std::memory_order_seq_cst);
  } else {
    Ring();
  }
}

WaitResult BlockingWaiter::Wait(Wakeup& wakeup, uint32_t expected, MonotonicNs deadline,
                                WaitReason /*reason*/) {
  CONNBENCH_ASSERT(HeldLatchCount() == 0, "no latch is held while a session waits");
  WaitResult result = WaitResult::kRung;
  wakeup.waiting.store(1, std::memory_order_seq_cst);
  while (wakeup.word.load(std::memory_order_seq_cst) == expected) {
    if (!FutexWait(wakeup.word, expected, wakeup.futex_private != 0, deadline)) {
      result = wakeup.word.load(std::memory_order_seq_cst) == expected ? WaitResult::kTimedOut
                                                                       : WaitResult::kRung;
      break;
    }
  }
  wakeup.waiting.store(0, std::memory_order_relaxed);
  return result;
}

}  // namespace connbench::engine
