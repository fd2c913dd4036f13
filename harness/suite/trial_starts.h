// Whether each contender starts with each of its settings: tried by `connbench doctor` before a run
// of hours. Each is started once, as the largest of its cells would, and ended.
//
// One thread; nothing that it starts outlives it.
#pragma once

#include <string>
#include <vector>

#include "base/status.h"
#include "harness/suite/interruption.h"
#include "harness/suite/plan.h"
#include "harness/targets/target_list.h"

namespace connbench::suite {

struct StartAttempt {
  std::string contender;  // "model:fork"
  std::string settings;   // as trials.csv shows them
  Status status;          // why it does not start, or does not end in order
};

// Of a crossover: both models. Interrupted: those that were tried.
std::vector<StartAttempt> TryStarts(const std::vector<Cell>& cells,
                                    targets::TargetEnvironment& environment,
                                    Interruption& interruption);

}  // namespace connbench::suite
