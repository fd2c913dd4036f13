// A resolved workload as text: with its scripts, its schedules as they were parsed, and everything
// that flags and suites have changed. The harness writes it, a load process reads it, so that a
// trial is said once and no file is read twice.
//
// Safety: pure functions; control plane. Errors: 22P02 and the field that is missing or wrong.
#pragma once

#include <string>

#include "base/status.h"
#include "harness/workload/workload.h"

namespace connbench::load {

inline constexpr size_t kMaxWorkloadJsonBytes = size_t{64} << 20;

std::string WriteWorkloadJson(const Workload& workload);
Result<Workload> ReadWorkloadJson(const std::string& text);

}  // namespace connbench::load
