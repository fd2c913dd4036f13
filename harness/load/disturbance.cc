// The victim test.
#include "harness/load/disturbance.h"

#include <algorithm>

namespace connbench::load {

void FindRecovery(const std::vector<Slice>& slices, VictimResult& result) {
  result.recovery_ns = 0;
  result.recovered = false;
  if (result.begin_ns == 0 || result.end_ns == 0) return;
  double bound = 0;
  for (const Slice& slice : slices) {
    if (slice.in_window && slice.begin_ns + kSliceNs <= result.begin_ns) {
      bound = std::max(bound, slice.latency_us_p99 * kCalmFactor);
    }
  }
  if (bound == 0) return;  // nothing to compare with
  int calm = 0;
  for (const Slice& slice : slices) {
    if (!slice.in_window || slice.begin_ns + kSliceNs <= result.begin_ns) continue;
    // A slice in which nothing ended is a stall, not calm.
    if (slice.transactions_ok == 0 || slice.latency_us_p99 > bound) {
      calm = 0;
      result.recovery_ns = slice.begin_ns + kSliceNs - result.begin_ns;
    } else if (slice.begin_ns + kSliceNs > result.end_ns && ++calm == kCalmSlices) {
      result.recovered = true;
      return;
    }
  }
}

}  // namespace connbench::load
