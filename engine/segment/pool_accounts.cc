// How a connection model that shares workers among sessions spends its time.
#include "engine/segment/pool_accounts.h"

#include <cmath>

namespace connbench::engine {

int64_t DurationUsage::HighestIn(uint32_t bucket) {
  const uint32_t shift = bucket < 2 * kHalf ? 0 : bucket / kHalf - 1;
  const uint64_t units = bucket - shift * kHalf;
  return static_cast<int64_t>(((units + 1) << (shift + kUnitBits)) - 1);
}

int64_t DurationUsage::ValueAt(double fraction) const {
  if (count <= 0) return 0;
  const auto rank =
      std::max<int64_t>(1, static_cast<int64_t>(std::ceil(fraction * static_cast<double>(count))));
  int64_t seen = 0;
  for (uint32_t bucket = 0; bucket < kBuckets; ++bucket) {
    seen += buckets[bucket];
    if (seen >= rank) return std::min(HighestIn(bucket), max_ns);
  }
  return max_ns;
}

void DurationUsage::Add(const DurationUsage& other) {
  count += other.count;
  sum_ns += other.sum_ns;
  max_ns = std::max(max_ns, other.max_ns);
  for (uint32_t i = 0; i < kBuckets; ++i) buckets[i] += other.buckets[i];
}

void DurationUsage::Subtract(const DurationUsage& earlier) {
  count -= earlier.count;
  sum_ns -= earlier.sum_ns;
  for (uint32_t i = 0; i < kBuckets; ++i) buckets[i] -= earlier.buckets[i];
}

void PoolUsage::Add(const PoolUsage& other) {
  workers += other.workers;
  wait.Add(other.wait);
  service.Add(other.service);
  reset.Add(other.reset);
  busy_ns += other.busy_ns;
  pinned_ns += other.pinned_ns;
  behind_ns += other.behind_ns;
  switches += other.switches;
}

void PoolUsage::Subtract(const PoolUsage& earlier) {
  wait.Subtract(earlier.wait);
  service.Subtract(earlier.service);
  reset.Subtract(earlier.reset);
  busy_ns -= earlier.busy_ns;
  pinned_ns -= earlier.pinned_ns;
  behind_ns -= earlier.behind_ns;
  switches -= earlier.switches;
}

DurationUsage DurationAccount::Read() const {
  DurationUsage usage;
  usage.sum_ns = sum_ns_.load(std::memory_order_relaxed);
  usage.max_ns = max_ns_.load(std::memory_order_relaxed);
  // The sum of the buckets, so that a percentile is never sought beyond the last of them.
  for (uint32_t i = 0; i < DurationUsage::kBuckets; ++i) {
    usage.buckets[i] = buckets_[i].load(std::memory_order_relaxed);
    usage.count += usage.buckets[i];
  }
  return usage;
}

PoolUsage PoolAccount::Read() const {
  PoolUsage usage;
  usage.workers = workers_.load(std::memory_order_acquire);
  usage.wait = wait_.Read();
  usage.service = service_.Read();
  usage.reset = reset_.Read();
  usage.busy_ns = busy_ns_.load(std::memory_order_relaxed);
  usage.pinned_ns = pinned_ns_.load(std::memory_order_relaxed);
  usage.behind_ns = behind_ns_.load(std::memory_order_relaxed);
  usage.switches = switches_.load(std::memory_order_relaxed);
  return usage;
}

std::vector<PoolUsage> PoolAccounts::Read() const {
  std::vector<PoolUsage> pools;
  for (int i = 0; i < kMaxPools; ++i) {
    if (!accounts_[i].open()) continue;
    pools.push_back(accounts_[i].Read());
    pools.back().pool = i;
  }
  return pools;
}

std::vector<PoolClient> PoolClients::Read() const {
  std::vector<PoolClient> clients;
  for (const Place& place : places_) {
    const uint64_t ids = place.ids.load(std::memory_order_acquire);
    if (ids == 0) continue;
    const int64_t since_and_state = place.since_and_state.load(std::memory_order_relaxed);
    clients.push_back({static_cast<uint32_t>(ids >> 32), static_cast<uint32_t>(ids),
                       static_cast<PoolClientState>(since_and_state & ((1 << kStateBits) - 1)),
                       since_and_state >> kStateBits});
  }
  return clients;
}

}  // namespace connbench::engine
