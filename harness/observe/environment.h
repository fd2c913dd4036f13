// The machine and the build as run.json describes them: everything that a later reader needs to
// judge or to repeat the numbers.
//
// Safety: reads /proc and /sys; any thread. What the system does not show stays empty, 0 or -1 as
// results/run.def says.
#pragma once

#include "results/schema.h"

namespace connbench::observe {

void DescribeMachine(results::RunInfo& info);
void DescribeBuild(results::RunInfo& info);
// Environment variables that steer a run.
results::TextMap SteeringEnvironment();

double ReadLoadAverage();
std::string UtcNow();  // ISO 8601, to the second

}  // namespace connbench::observe
