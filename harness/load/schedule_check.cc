// Whether an open loop kept to its schedule: what was due was sent, when it was due.
#include "harness/load/schedule_check.h"

#include <fmt/format.h>

#include <algorithm>

#include "base/units.h"

namespace connbench::load {

std::vector<std::string> CheckSchedule(const LoadResult& result, const ArrivalSpec& arrivals) {
  std::vector<std::string> reasons;
  if (!result.open_loop()) return reasons;
  const uint64_t unsent = result.transactions_all - result.transactions_sent_in_window;
  if (unsent > kUnsentSlack && 1 - result.sent_fraction() > kMaxUnsentFraction) {
    const double seconds = std::max(result.window_seconds(), 1e-9);
    reasons.push_back(fmt::format(
        "achieved_rate: of {:.1f} transactions/s that were due, only {:.1f} were sent: {} "
        "connections did not "
        "become free in time; lower the rate or raise the connections (-c)",
        result.offered_tps(), static_cast<double>(result.transactions_sent_in_window) / seconds,
        result.connections));
  }
  const uint64_t overflow = result.skipped_by_reason[static_cast<size_t>(SkipReason::kQueueFull)];
  if (overflow > 0) {
    reasons.push_back(fmt::format(
        "queue_limit: {} transactions were dropped because queue_limit others were waiting",
        overflow));
  }
  const int64_t bound = kMaxClientLagNs + (arrivals.burst - 1) * kSendAllowanceNs;
  const int64_t lag = result.client_lag.ValueAtPercentile(kClientLagPercentile);
  if (result.client_lag.count() >= kMinClientLagSamples && lag > bound) {
    reasons.push_back(
        fmt::format("schedule_lag: this client was {} late or more with one transaction in a "
                    "hundred (bound {}): "
                    "use more threads (-j), a lower rate, or leave it a CPU",
                    FormatDuration(lag), FormatDuration(bound)));
  }
  return reasons;
}

}  // namespace connbench::load
