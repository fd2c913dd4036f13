// The resolved plan of a run as JSON: every cell with its workload, every trial in its order.
//
// Called by run_inputs. Safety: pure. Errors: 22P04 with the field that is missing or wrong.
#pragma once

#include <string>

#include "base/status.h"
#include "harness/suite/run_inputs.h"

namespace connbench::suite {

inline constexpr int kPlanVersion = 1;
inline constexpr size_t kMaxPlanBytes = size_t{256} << 20;

std::string WritePlanJson(const RunPlanInputs& inputs);
// Files that settings and targets name lie beside it.
Result<RunPlanInputs> ReadPlanJson(const std::string& text, const std::string& file_name);

}  // namespace connbench::suite
