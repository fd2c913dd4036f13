// The victim test: one group of clients (the victims) works at a steady pace, another one disturbs
// it for a while. What the victims felt before, during and after is kept apart.
//
// A victim's transaction belongs to "before" if it had ended when the disturbance began, to
// "after" if it was intended when the disturbance was over, and else to "during": also one that
// was due in it and served long after, and one that was under way when it began.
//
// Safety: Disturbance is shared by all client threads of a run; a VictimLedger belongs to one.
#pragma once

#include <atomic>
#include <cstdint>
#include <vector>

#include "base/clock.h"
#include "harness/load/load_result.h"
#include "harness/stats/histogram.h"

namespace connbench::load {

class Disturbance {
 public:
  // parts: threads that take part; it is over when all of them have ended.
  explicit Disturbance(int parts) : parts_left_(parts) {}

  void PartBegins(MonotonicNs now) {
    MonotonicNs none = 0;
    begin_.compare_exchange_strong(none, now, std::memory_order_acq_rel);
  }
  void PartEnds(MonotonicNs now) {
    if (parts_left_.fetch_sub(1, std::memory_order_acq_rel) == 1) {
      end_.store(now, std::memory_order_release);
    }
  }
  // 0: not yet.
  MonotonicNs begin() const { return begin_.load(std::memory_order_acquire); }
  MonotonicNs end() const { return end_.load(std::memory_order_acquire); }

 private:
  std::atomic<MonotonicNs> begin_{0};
  std::atomic<MonotonicNs> end_{0};
  std::atomic<int> parts_left_;
};

class VictimLedger {
 public:
  explicit VictimLedger(const Disturbance& disturbance) : disturbance_(&disturbance) {}

  // A transaction that succeeded.
  void Record(MonotonicNs intended, MonotonicNs end) {
    const MonotonicNs begun = disturbance_->begin();
    const MonotonicNs over = disturbance_->end();
    stats::Histogram& latency = begun == 0 || end < begun       ? before_
                                : over != 0 && intended >= over ? after_
                                                                : during_;
    latency.Record(end - intended);
  }
  void AddTo(VictimResult& result) const {
    result.before.Merge(before_);
    result.during.Merge(during_);
    result.after.Merge(after_);
  }

 private:
  const Disturbance* disturbance_;
  stats::Histogram before_;
  stats::Histogram during_;
  stats::Histogram after_;
};

// A slice counts as calm while its p99 is at most so many times the highest of the slices before.
inline constexpr double kCalmFactor = 2;
// So many calm slices in a row make a recovery.
inline constexpr int kCalmSlices = 3;

// Fills recovery_ns and recovered from the victims' slices and the begin and end in result.
void FindRecovery(const std::vector<Slice>& slices, VictimResult& result);

}  // namespace connbench::load
