// How a connection model that shares workers among sessions spends its time: one account per pool,
// kept in the segment by the model, read by SQL (connbench_pools), by the harness and by tests.
//
// A pool is a queue of sessions that have something to do, and the workers that take them from it:
// a group of `thread-pool`, a loop of `reactor`, a worker process of `fdpass`, the pooler of
// `pool-tx` with its backends. A model in which a session has its process or thread to itself has
// none. What each figure means exactly stands in docs/method.md.
//
// Safety: an account has one writer at a time (the loop's thread, or whoever holds the group's
// mutex), which therefore needs no locked instruction; readers of any process see each counter
// whole, but not all of one instant. Accounts share no cache line.
// Bounds: kMaxPools accounts; pools beyond are not counted.
#pragma once

#include <algorithm>
#include <array>
#include <atomic>
#include <bit>
#include <cstdint>
#include <vector>

#include "base/clock.h"

namespace connbench::engine {

// A turn that takes longer is a long one: who waits meanwhile waits behind it.
inline constexpr MonotonicNs kLongTurnNs = kNanosecondsPerMillisecond;

// A copy of how often something took how long.
struct DurationUsage {
  // Steps of 64 ns up to 1 us, then 8 for every doubling up to two minutes.
  static constexpr int kUnitBits = 6;
  static constexpr int kSubBits = 4;
  static constexpr uint32_t kHalf = 1U << (kSubBits - 1);
  static constexpr uint32_t kDoublings = 27;
  static constexpr uint32_t kBuckets = 2 * kHalf + kDoublings * kHalf;

  int64_t count = 0;
  int64_t sum_ns = 0;
  int64_t max_ns = 0;  // since the server started, also in a difference
  std::array<int64_t, kBuckets> buckets{};

  static uint32_t BucketOf(int64_t ns) {
    const uint64_t units = static_cast<uint64_t>(std::max<int64_t>(ns, 0)) >> kUnitBits;
    const int shift = std::bit_width(units | (2 * kHalf - 1)) - kSubBits;
    const uint64_t bucket = static_cast<uint64_t>(shift) * kHalf + (units >> shift);
    return static_cast<uint32_t>(std::min<uint64_t>(bucket, kBuckets - 1));
  }
  // The longest that falls into that bucket.
  static int64_t HighestIn(uint32_t bucket);
  double mean_ns() const {
    return count == 0 ? 0 : static_cast<double>(sum_ns) / static_cast<double>(count);
  }
  // The duration at that rank, as the upper end of its bucket (12.5 % above it at most); 0: none.
  int64_t ValueAt(double fraction) const;
  void Add(const DurationUsage& other);
  void Subtract(const DurationUsage& earlier);
};

// A copy of an account.
struct PoolUsage {
  int pool = 0;
  int64_t workers = 0;    // that may run sessions at the same time
  DurationUsage wait;     // ready until taken up by a worker
  DurationUsage service;  // taken up until given back
  DurationUsage reset;    // bringing a worker into the state that the session needs
  int64_t busy_ns = 0;    // workers ran sessions
  int64_t pinned_ns = 0;  // workers were held by sessions whose clients were silent
  int64_t behind_ns = 0;  // sessions were ready while a worker of their pool was in a long turn
  int64_t switches = 0;   // sessions were taken up by another worker than last time

  void Add(const PoolUsage& other);
  void Subtract(const PoolUsage& earlier);
};

// The shared form of DurationUsage.
class DurationAccount {
 public:
  void Add(int64_t ns) {
    Increase(count_, 1);
    Increase(sum_ns_, ns);
    if (ns > max_ns_.load(std::memory_order_relaxed)) max_ns_.store(ns, std::memory_order_relaxed);
    Increase(buckets_[DurationUsage::BucketOf(ns)], 1);
  }
  DurationUsage Read() const;

  static void Increase(std::atomic<int64_t>& counter, int64_t by) {
    counter.store(counter.load(std::memory_order_relaxed) + by, std::memory_order_relaxed);
  }

 private:
  std::atomic<int64_t> count_{0};
  std::atomic<int64_t> sum_ns_{0};
  std::atomic<int64_t> max_ns_{0};
  std::array<std::atomic<int64_t>, DurationUsage::kBuckets> buckets_{};
};

// What a model calls. Times are what the caller's clock said: an account reads none itself.
class alignas(128) PoolAccount {
 public:
  void Open(int64_t workers) { workers_.store(workers, std::memory_order_release); }
  bool open() const { return workers_.load(std::memory_order_acquire) != 0; }

  // A worker takes up a session that has been ready since ready_at. Another worker may have looked
  // at the clock later than this one.
  void TakenUp(MonotonicNs ready_at, MonotonicNs now) {
    wait_.Add(std::max<MonotonicNs>(0, now - ready_at));
    const MonotonicNs behind = std::min(long_end_.load(std::memory_order_relaxed), now) -
                               std::max(long_begin_.load(std::memory_order_relaxed), ready_at);
    if (behind > kLongTurnNs) DurationAccount::Increase(behind_ns_, behind);
  }
  // A worker has run one session without a pause, from begun to now, but for blocked_ns in it.
  void Ran(MonotonicNs begun, MonotonicNs now, MonotonicNs blocked_ns = 0) {
    AddBusy(now - begun - blocked_ns);
    TurnTook(begun + blocked_ns, now);
  }
  void AddBusy(MonotonicNs ns) { DurationAccount::Increase(busy_ns_, ns); }
  // A turn is, or was, so long; also of one that is not over yet.
  void TurnTook(MonotonicNs begun, MonotonicNs now) {
    if (now - begun <= kLongTurnNs) return;
    long_begin_.store(begun, std::memory_order_relaxed);
    long_end_.store(now, std::memory_order_relaxed);
  }
  // A session that was taken up then is given back.
  void Served(MonotonicNs begun, MonotonicNs now) { service_.Add(now - begun); }
  void ResetTook(MonotonicNs ns) { reset_.Add(ns); }
  void Pinned(MonotonicNs ns) { DurationAccount::Increase(pinned_ns_, ns); }
  void Switched() { DurationAccount::Increase(switches_, 1); }

  PoolUsage Read() const;

 private:
  std::atomic<int64_t> workers_{0};  // 0: there is no such pool
  std::atomic<int64_t> busy_ns_{0};
  std::atomic<int64_t> pinned_ns_{0};
  std::atomic<int64_t> behind_ns_{0};
  std::atomic<int64_t> switches_{0};
  std::atomic<int64_t> long_begin_{0};  // the last long turn
  std::atomic<int64_t> long_end_{0};
  DurationAccount wait_;
  DurationAccount service_;
  DurationAccount reset_;
};

// What a client of a pooler does at the moment.
enum class PoolClientState : uint8_t {
  kIdle,     // it has no backend and wants none
  kWaiting,  // it stands in line for one
  kActive,   // it has one, which runs what it said
  kSilent,   // it has one and says nothing: in a transaction, a COPY, a batch without its Sync
};
struct PoolClient {
  uint32_t connection_id = 0;
  uint32_t backend_id = 0;  // the connection id of its backend; 0: none
  PoolClientState state = PoolClientState::kIdle;
  MonotonicNs since = 0;  // it is in this state
};

// The clients of the poolers, as long as there is room. Written by the pooler's loop alone.
class PoolClients {
 public:
  static constexpr int kMaxShown = 1024;

  void Set(int place, const PoolClient& client) {
    Place& at = places_[static_cast<size_t>(place)];
    at.since_and_state.store((client.since << kStateBits) | static_cast<int64_t>(client.state),
                             std::memory_order_relaxed);
    at.ids.store(uint64_t{client.connection_id} << 32 | client.backend_id,
                 std::memory_order_release);
  }
  void Clear(int place) {
    places_[static_cast<size_t>(place)].ids.store(0, std::memory_order_release);
  }
  std::vector<PoolClient> Read() const;

 private:
  static constexpr int kStateBits = 2;
  struct Place {
    std::atomic<uint64_t> ids{0};  // 0: free
    std::atomic<int64_t> since_and_state{0};
  };
  std::array<Place, kMaxShown> places_;
};

// All of them: a part of the segment.
class PoolAccounts {
 public:
  static constexpr int kMaxPools = 128;

  // The account of that pool; null if there is none for so many.
  PoolAccount* Open(int pool, int64_t workers) {
    if (pool < 0 || pool >= kMaxPools || workers <= 0) return nullptr;
    accounts_[pool].Open(workers);
    return &accounts_[pool];
  }
  // Of the pools that there are, in their order.
  std::vector<PoolUsage> Read() const;
  PoolClients& clients() { return clients_; }
  const PoolClients& clients() const { return clients_; }

 private:
  std::array<PoolAccount, kMaxPools> accounts_;
  PoolClients clients_;
};

}  // namespace connbench::engine
