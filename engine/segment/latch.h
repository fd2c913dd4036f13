// A latch: the lock for short critical sections on shared structures (PostgreSQL's LWLock).
//
// Shared or exclusive, 16 bytes, no system call unless it must sleep. Waiting
// writers keep new readers out, so writers do not starve; therefore a holder must not take the same
// latch again, not even shared. Held for microseconds: no system call that may sleep, no wait for
// a lock, no user code, under a latch. There is no deadlock detection: see engine/transaction/
// README.md for the order.
//
// Why not Boost's: interprocess_sharable_mutex takes an inner mutex twice for each reader, hangs
// for ever when a holder dies and records no owner. See latch_benchmark.cc.
//
// Safety: lives in shared memory; all-zero bytes are a free latch that works across processes.
// Locking and unlocking from any thread of any process; the thread that locked unlocks. A process
// that dies holding a latch leaves it held: the supervisor then rebuilds the segment.
#pragma once

#include <atomic>
#include <cstdint>
#include <type_traits>

#include "base/assert.h"
#include "base/thread_annotations.h"
#include "engine/segment/held_latches.h"
#include "engine/segment/thread_id.h"

namespace connbench::engine {

// A thread that holds a latch takes only latches of a later rank, or of the same rank at a higher
// address. Pages have an order of their own (engine/storage/README.md), which no rank can say.
enum class LatchRank : uint16_t {
  kPage,
  kStorageTable,
  kStorageExtension,
  kBufferMapping,
  kPagePlaces,
  kReadQueue,
  kRowLockPartition,
  kLockPartition,
  kLockFreeList,
  kCommitLogExtension,
  kBackendFreeList,
  kLogFlush,
  kLogWrite,
  kLogInsert,
};

class CONNBENCH_CAPABILITY("latch") Latch {
 public:
  Latch() = default;
  Latch(const Latch&) = delete;
  Latch& operator=(const Latch&) = delete;

  // private_futex: Segment::private_futexes(). Only before anybody uses the latch.
  void Init(bool private_futex, LatchRank rank) {
    CONNBENCH_ASSERT(state_.load(std::memory_order_relaxed) == 0, "nobody uses the latch yet");
    futex_private_ = private_futex ? 1 : 0;
    rank_ = rank;
  }

  void LockShared() CONNBENCH_ACQUIRE_SHARED() {
    CheckLatchOrder(*this);
    uint32_t state = state_.load(std::memory_order_relaxed);
    if (!SharedIsFree(state) ||
        !state_.compare_exchange_weak(state, state + 1, std::memory_order_acquire,
                                      std::memory_order_relaxed)) {
      LockSharedSlow();
    }
    NoteLatchTaken(*this, LatchMode::kShared);
  }
  bool TryLockShared() CONNBENCH_TRY_ACQUIRE_SHARED(true) {
    uint32_t state = state_.load(std::memory_order_relaxed);
    while (SharedIsFree(state)) {
      if (state_.compare_exchange_weak(state, state + 1, std::memory_order_acquire,
                                       std::memory_order_relaxed)) {
        NoteLatchTaken(*this, LatchMode::kShared);
        return true;
      }
    }
    return false;
  }
  void UnlockShared() CONNBENCH_RELEASE_SHARED() {
    NoteLatchGivenBack(*this);
    const uint32_t state = state_.fetch_sub(1, std::memory_order_release) - 1;
    if ((state & kHolderMask) == 0 && (state & kWriterWaits) != 0) WakeAfterUnlock(state);
  }

  void LockExclusive() CONNBENCH_ACQUIRE() {
    CheckLatchOrder(*this);
    uint32_t free = 0;
    if (!state_.compare_exchange_weak(free, kExclusive, std::memory_order_acquire,
                                      std::memory_order_relaxed)) {
      LockExclusiveSlow();
    }
    NoteLatchTaken(*this, LatchMode::kExclusive);
    owner_.store(CurrentThreadId(), std::memory_order_relaxed);
  }
  bool TryLockExclusive() CONNBENCH_TRY_ACQUIRE(true) {
    uint32_t state = state_.load(std::memory_order_relaxed);
    while ((state & kHolderMask) == 0) {
      if (state_.compare_exchange_weak(state, state | kExclusive, std::memory_order_acquire,
                                       std::memory_order_relaxed)) {
        NoteLatchTaken(*this, LatchMode::kExclusive);
        owner_.store(CurrentThreadId(), std::memory_order_relaxed);
        return true;
      }
    }
    return false;
  }
  void UnlockExclusive() CONNBENCH_RELEASE() {
    NoteLatchGivenBack(*this);
    owner_.store(0, std::memory_order_relaxed);
    const uint32_t state = state_.fetch_sub(kExclusive, std::memory_order_release) - kExclusive;
    if (state != 0) WakeAfterUnlock(state);
  }

  // For diagnosis and assertions: the thread (tid) that holds it exclusively, 0 if none.
  uint32_t exclusive_owner() const { return owner_.load(std::memory_order_relaxed); }
  LatchRank rank() const { return rank_; }
  bool HeldExclusiveByMe() const { return exclusive_owner() == CurrentThreadId(); }

 private:
  static constexpr uint32_t kReaderWaits = 1u << 30;
  static constexpr uint32_t kWriterWaits = 1u << 31;
  static constexpr uint32_t kHolderMask = kReaderWaits - 1;  // readers, or all ones: a writer
  static constexpr uint32_t kExclusive = kHolderMask;
  static constexpr uint32_t kMaxReaders = kHolderMask - 1;

  static bool SharedIsFree(uint32_t state) {
    return (state & kHolderMask) < kMaxReaders && (state & (kReaderWaits | kWriterWaits)) == 0;
  }
  uint32_t SpinUntilShareable() const;
  uint32_t SpinUntilFree() const;
  void LockSharedSlow();
  void LockExclusiveSlow();
  void WakeAfterUnlock(uint32_t state);
  bool WakeWriter();

  std::atomic<uint32_t> state_{0};
  std::atomic<uint32_t> writer_rings_{0};  // writers sleep here, readers on state_
  std::atomic<uint32_t> owner_{0};
  uint16_t futex_private_ = 0;
  LatchRank rank_ = LatchRank::kPage;
};
static_assert(sizeof(Latch) == 16);
static_assert(std::is_trivially_destructible_v<Latch>);

class CONNBENCH_SCOPED_CAPABILITY SharedLatchGuard {
 public:
  explicit SharedLatchGuard(Latch& latch) CONNBENCH_ACQUIRE_SHARED(latch) : latch_(latch) {
    latch_.LockShared();
  }
  ~SharedLatchGuard() CONNBENCH_RELEASE() { latch_.UnlockShared(); }
  SharedLatchGuard(const SharedLatchGuard&) = delete;
  SharedLatchGuard& operator=(const SharedLatchGuard&) = delete;

 private:
  Latch& latch_;
};

class CONNBENCH_SCOPED_CAPABILITY ExclusiveLatchGuard {
 public:
  explicit ExclusiveLatchGuard(Latch& latch) CONNBENCH_ACQUIRE(latch) : latch_(latch) {
    latch_.LockExclusive();
  }
  ~ExclusiveLatchGuard() CONNBENCH_RELEASE() { latch_.UnlockExclusive(); }
  ExclusiveLatchGuard(const ExclusiveLatchGuard&) = delete;
  ExclusiveLatchGuard& operator=(const ExclusiveLatchGuard&) = delete;

 private:
  Latch& latch_;
};

}  // namespace connbench::engine
