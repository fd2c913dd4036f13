// The algorithm is that of the futex RwLock in Rust's standard library (library/std/src/sys/sync/
// rwlock/futex.rs): readers sleep on the state word, writers on a word of their own, so that an
// unlock wakes one writer or all readers, never both. Here with a choice of private or shared
// futexes and the owner recorded.
#include "engine/segment/latch.h"

#include "engine/segment/futex.h"

namespace connbench::engine {
namespace {
// About as long as a critical section; longer would burn the core that the holder needs.
constexpr int kSpinRounds = 100;
}  // namespace

uint32_t Latch::SpinUntilShareable() const {
  // Spin while a writer holds it and nobody sleeps: it will be free soon.
  for (int i = 0; i < kSpinRounds; ++i) {
    const uint32_t state = state_.load(std::memory_order_relaxed);
    if ((state & kHolderMask) != kExclusive || (state & (kReaderWaits | kWriterWaits)) != 0) {
      return state;
    }
    SpinPause();
  }
  return state_.load(std::memory_order_relaxed);
}

uint32_t Latch::SpinUntilFree() const {
  // Spin until it is free or another writer sleeps already: do not overtake for long.
  for (int i = 0; i < kSpinRounds; ++i) {
    const uint32_t state = state_.load(std::memory_order_relaxed);
    if ((state & kHolderMask) == 0 || (state & kWriterWaits) != 0) return state;
    SpinPause();
  }
  return state_.load(std::memory_order_relaxed);
}

void Latch::LockSharedSlow() {
  uint32_t state = SpinUntilShareable();
  while (true) {
    if (SharedIsFree(state)) {
      if (state_.compare_exchange_weak(state, state + 1, std::memory_order_acquire,
                                       std::memory_order_relaxed)) {
        return;
      }
      continue;
    }
    if ((state & kReaderWaits) == 0) {
      if (!state_.compare_exchange_weak(state, state | kReaderWaits, std::memory_order_relaxed,
                                        std::memory_order_relaxed)) {
        continue;
      }
    }
    FutexWait(state_, state | kReaderWaits, futex_private_ != 0);
    state = SpinUntilShareable();
  }
}

void Latch::LockExclusiveSlow() {
  uint32_t state = SpinUntilFree();
  // Whoever slept here cannot know whether it was the only one: it keeps the bit set.
  uint32_t others_wait = 0;
  while (true) {
    if ((state & kHolderMask) == 0) {
      if (state_.compare_exchange_weak(state, state | kExclusive | others_wait,
                                       std::memory_order_acquire, std::memory_order_relaxed)) {
        return;
      }
      continue;
    }
    if ((state & kWriterWaits) == 0) {
      if (!state_.compare_exchange_weak(state, state | kWriterWaits, std::memory_order_relaxed,
                                        std::memory_order_relaxed)) {
        continue;
      }
    }
    others_wait = kWriterWaits;
    // Read the ring count before the state: a wake-up in between is then seen.
    const uint32_t rings = writer_rings_.load(std::memory_order_acquire);
    state = state_.load(std::memory_order_relaxed);
    if ((state & kHolderMask) == 0 || (state & kWriterWaits) == 0) continue;
    FutexWait(writer_rings_, rings, futex_private_ != 0);
    state = SpinUntilFree();
  }
}

bool Latch::WakeWriter() {
  writer_rings_.fetch_add(1, std::memory_order_release);
  return FutexWake(writer_rings_, 1, futex_private_ != 0) > 0;
}

void Latch::WakeAfterUnlock(uint32_t state) {
  // state has no holder. If somebody takes the latch meanwhile, the wake-up becomes its duty.
  if (state == kWriterWaits) {
    if (state_.compare_exchange_strong(state, 0, std::memory_order_relaxed,
                                       std::memory_order_relaxed)) {
      WakeWriter();
      return;
    }
  }
  if (state == (kReaderWaits | kWriterWaits)) {
    if (!state_.compare_exchange_strong(state, kReaderWaits, std::memory_order_relaxed,
                                        std::memory_order_relaxed)) {
      return;
    }
    if (WakeWriter()) return;
    // No writer slept after all, so the readers must not wait for one.
    state = kReaderWaits;
  }
  if (state == kReaderWaits) {
    if (state_.compare_exchange_strong(state, 0, std::memory_order_relaxed,
                                       std::memory_order_relaxed)) {
      FutexWake(state_, kWakeAll, futex_private_ != 0);
    }
  }
}

}  // namespace connbench::engine
