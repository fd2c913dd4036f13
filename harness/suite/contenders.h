// Which models and targets an experiment measures side by side.
//
// Safety: pure function. Errors: 42704 with near names.
#pragma once

#include <vector>

#include "base/status.h"
#include "harness/suite/plan.h"
#include "harness/targets/target_list.h"

namespace connbench::suite {

// Those that the command line names, otherwise the experiment, otherwise the suite; all built-in
// models where nobody names any.
Result<std::vector<targets::TargetName>> FindContenders(const Suite& suite,
                                                        const Experiment& experiment,
                                                        const PlanOverrides& overrides);

}  // namespace connbench::suite
