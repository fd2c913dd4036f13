// Whether an open loop kept to its schedule: what was due was sent, when it was due. A run that did
// not measured something else than was asked for, and its latencies leave out the worst.
//
// Safety: pure functions; any thread.
#pragma once

#include <string>
#include <vector>

#include "base/clock.h"
#include "harness/load/load_result.h"
#include "harness/workload/arrivals.h"

namespace connbench::load {

// An open loop whose client is this late with one arrival in a hundred measures itself. A burst is
// sent one after the other: each of it may take kSendAllowanceNs.
inline constexpr double kClientLagPercentile = 99;
inline constexpr uint64_t kMinClientLagSamples = 100;
inline constexpr int64_t kMaxClientLagNs = kNanosecondsPerMillisecond;
inline constexpr int64_t kSendAllowanceNs = 50 * kNanosecondsPerMicrosecond;
// This share of what was due may be unsent at the end of the window, and so many in any case: those
// that are on their way through a busy server.
inline constexpr double kMaxUnsentFraction = 0.01;
inline constexpr uint64_t kUnsentSlack = 10;

// Why the run does not show what was asked for; empty for a closed loop and for a sound run.
std::vector<std::string> CheckSchedule(const LoadResult& result, const ArrivalSpec& arrivals);

}  // namespace connbench::load
