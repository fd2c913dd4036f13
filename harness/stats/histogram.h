// Latencies in HdrHistogram's layout: exact below 2048 ns, then 1024 steps for every doubling, so
// that a bucket is never wider than 1/1024 (0.098 %) of the values in it, from 1 ns to over an
// hour. Values are nanoseconds, because 0.1 % of the smallest promised value, 1 us, is 1 ns; the
// price is 264 KiB per histogram, of which a run touches a few pages.
//
// Nothing is clipped: a value beyond the range is counted as overflow and keeps its part in
// count(), min(), max() and every percentile (whose value is then max()); a negative one, which
// only a broken clock makes, is counted as negative and nowhere else. Merging is exact.
//
// Safety: a plain value, used by one thread at a time. The counters are one fixed allocation made
// by the constructor; recording allocates nothing.
#pragma once

#include <bit>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>

#include "base/status.h"

namespace connbench::stats {

class Histogram {
 public:
  static constexpr int kSubBucketBits = 11;  // 2048 exact values: three significant digits
  static constexpr uint32_t kSubBuckets = 1U << kSubBucketBits;
  static constexpr uint32_t kHalf = kSubBuckets / 2;
  static constexpr int kDoublings = 31;  // 2048 ns << 31 = 4398 s, above one hour
  static constexpr uint32_t kCounters = kSubBuckets + kDoublings * kHalf;
  static constexpr int64_t kMaxValue = (int64_t{kSubBuckets} << kDoublings) - 1;
  static_assert(kMaxValue > int64_t{3600} * 1'000'000'000);

  Histogram();
  Histogram(const Histogram& other);
  Histogram& operator=(const Histogram& other);
  Histogram(Histogram&&) noexcept;
  Histogram& operator=(Histogram&&) noexcept;
  ~Histogram();

  void Record(int64_t value_ns) { RecordMany(value_ns, 1); }
  void RecordMany(int64_t value_ns, uint64_t times);
  void Merge(const Histogram& other);
  void Clear();

  // All but the negative ones.
  uint64_t count() const { return count_; }
  bool empty() const { return count_ == 0; }
  uint64_t overflow_count() const { return overflow_count_; }
  uint64_t negative_count() const { return negative_count_; }
  int64_t min() const { return count_ == 0 ? 0 : min_; }  // exact
  int64_t max() const { return count_ == 0 ? 0 : max_; }  // exact
  int64_t sum() const { return sum_; }                    // exact up to 292 years, then stays there
  double mean() const;                                    // exact
  double standard_deviation() const;                      // from the buckets' midpoints

  // The value at the nearest rank, as the upper end of its bucket (never above max()). 0 if empty.
  int64_t ValueAtPercentile(double percentile) const;
  // rank is 1-based and at most count().
  int64_t ValueAtRank(uint64_t rank) const;
  // How many values are in buckets up to the one that holds value_ns.
  uint64_t CountUpTo(int64_t value_ns) const;

  // Every bucket that is not empty, in ascending order: its upper end and its count.
  void ForEach(const std::function<void(int64_t value_ns, uint64_t count)>& visit) const;

  // HdrHistogram's percentile distribution text (.hgrm), values in microseconds.
  std::string ToHgrm(int ticks_per_half_distance = 5) const;

  // One line of text without spaces at its ends; FromSparse(ToSparse()) is equal.
  std::string ToSparse() const;
  static Result<Histogram> FromSparse(std::string_view text);

  bool operator==(const Histogram& other) const;

  static uint32_t IndexOf(int64_t value_ns) {
    const int shift =
        std::bit_width(static_cast<uint64_t>(value_ns) | (kSubBuckets - 1)) - kSubBucketBits;
    return (static_cast<uint32_t>(shift) << (kSubBucketBits - 1)) +
           static_cast<uint32_t>(value_ns >> shift);
  }
  static int64_t LowestAt(uint32_t index);
  static int64_t HighestAt(uint32_t index);

 private:
  std::unique_ptr<uint64_t[]> counts_;
  uint64_t count_ = 0;
  uint64_t overflow_count_ = 0;
  uint64_t negative_count_ = 0;
  int64_t sum_ = 0;
  int64_t min_ = INT64_MAX;
  int64_t max_ = INT64_MIN;
  // The touched part of counts_: what Clear and walks look at.
  uint32_t first_index_ = kCounters;
  uint32_t last_index_ = 0;
};

}  // namespace connbench::stats
