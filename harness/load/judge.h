// What makes the figures of a run say more about its client than about the server.
//
// Safety: a pure function.
#pragma once

#include "harness/load/load_result.h"
#include "harness/workload/workload.h"

namespace connbench::load {

// A client thread busier than this was waited for by the server, not the other way round.
inline constexpr double kSaturatedCpuFraction = 0.95;
// A client thread that stands still for longer has measured itself.
inline constexpr int64_t kMaxClientStallNs = 500 * kNanosecondsPerMillisecond;
// A machine that slept for less may as well have been slow.
inline constexpr int64_t kMaxSuspendedNs = kNanosecondsPerMillisecond;

// In a closed loop the mean request time may differ from clients / throughput by this share of it,
// or by what a script without statements takes.
inline constexpr double kLittlesLawTolerance = 0.02;
inline constexpr double kLittlesLawFloorNs = 2000;

// Adds to result.invalid_reasons. Each opens with the name of the check that it belongs to
// (harness/suite/checks.def).
void Judge(const Workload& workload, LoadResult& result);

}  // namespace connbench::load
