// Rounds of real A/A gates, as tests/benchmarks/gate_power.py keeps them: a CSV file with the
// columns gate (MODEL-NUMBER), workload, metric, round, base, candidate.
//
// Safety: pure functions; any thread. Errors: 22023 with the line that is wrong.
#pragma once

#include <map>
#include <string>

#include "base/status.h"
#include "harness/gate/gate_loop.h"
#include "harness/gate/gate_plan.h"

namespace connbench::gate {

struct RecordedGates {
  GatePlan plan;  // rows and questions alone
  Rounds rounds;  // of all gates of a model, one after the other
};

// By model.
Result<std::map<std::string, RecordedGates>> ReadRecordedRounds(const std::string& path);

}  // namespace connbench::gate
