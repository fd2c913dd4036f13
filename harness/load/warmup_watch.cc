// Decides when a warm-up is over.
#include "harness/load/warmup_watch.h"

#include <algorithm>

#include "harness/stats/steady_state.h"

namespace connbench::load {

WarmupWatch::WarmupWatch(MonotonicNs begin, int64_t shortest_ns, int64_t longest_ns, bool open_loop)
    : begin_(begin),
      slice_ns_(std::max<int64_t>(shortest_ns / kWarmupSlices, 1)),
      open_loop_(open_loop),
      slices_(static_cast<size_t>(std::max(longest_ns / slice_ns_, kWarmupSlices))) {}

void WarmupWatch::Add(MonotonicNs end, int64_t latency_ns) {
  const int64_t at = (end - begin_) / slice_ns_;
  if (at < 0 || at >= static_cast<int64_t>(slices_.size())) return;
  Slice& slice = slices_[static_cast<size_t>(at)];
  slice.transactions.fetch_add(1, std::memory_order_relaxed);
  slice.latency_ns.fetch_add(latency_ns, std::memory_order_relaxed);
}

bool WarmupWatch::Check(MonotonicNs now) {
  if (settled_) return true;
  // The slice in progress is left out, and the one before, whose last transactions may still be on
  // their way here.
  const int64_t done =
      std::min((now - begin_) / slice_ns_ - 1, static_cast<int64_t>(slices_.size()));
  if (done < kWarmupSlices || static_cast<size_t>(done) == looked_at_) return false;
  looked_at_ = static_cast<size_t>(done);
  // Before the first transaction has ended there is nothing to be steady.
  size_t first = 0;
  while (first < looked_at_ && slices_[first].transactions.load(std::memory_order_relaxed) == 0) {
    ++first;
  }
  if (looked_at_ - first < static_cast<size_t>(kWarmupSlices)) return false;
  std::vector<double> series;
  for (size_t i = first; i < looked_at_; ++i) {
    const int64_t transactions = slices_[i].transactions.load(std::memory_order_relaxed);
    const int64_t latency = slices_[i].latency_ns.load(std::memory_order_relaxed);
    if (!open_loop_) {
      series.push_back(static_cast<double>(transactions));
    } else if (transactions > 0) {
      series.push_back(static_cast<double>(latency) / static_cast<double>(transactions));
    }
  }
  settled_ = stats::HasSettled(series);
  if (settled_) end_.store(now, std::memory_order_relaxed);
  return settled_;
}

}  // namespace connbench::load
