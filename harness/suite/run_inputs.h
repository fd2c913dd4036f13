// What a run's folder holds of its inputs, so that it needs nothing else to go on or to be done
// again: the files as they were read (suite, workloads, SQL, schedules, and those that settings and
// targets name), the resolved plan, and their checksums. A key or a password file keeps its
// permissions there.
//
//   inputs/suites/quick.toml, inputs/steady.toml, inputs/select_only.sql, ...   for people
//   inputs/pg_hba.conf, inputs/proxy.toml, ...  what settings and targets name: trials work with it
//   plan.json                                  every cell with its workload, every trial in order
//   inputs.sha256                              of all of these; `sha256sum -c` reads it, too
//
// Called by suite_run and by `connbench resume` and `rerun`. One thread. Errors: what is missing or
// was changed since the run began, with the file and what to do instead.
#pragma once

#include <string>
#include <vector>

#include "base/status.h"
#include "harness/suite/plan.h"

namespace connbench::suite {

// Everything that a run is made of but where its results go.
struct RunPlanInputs {
  Plan plan;
  Suite suite;  // what a crossover goes on planning with
  PlanOverrides overrides;
  std::vector<std::string> waived;
};

// The same, with files of settings and targets named as they lie in a run's folder, also in the
// names of cells: "inputs/pg_hba.conf". folder: where trials find them.
RunPlanInputs PlaceInputs(RunPlanInputs inputs, const std::string& folder);
// Writes the files into the folder of a run that has just begun.
Status WriteRunInputs(const std::string& folder, const RunPlanInputs& inputs);
// The same from a run that has them, without changing a byte.
Status CopyRunInputs(const std::string& from, const std::string& folder);
// "PATH:LINE" of one of the files as it lies in the run's folder; what is none of them stays.
std::string PlaceInRun(const RunPlanInputs& inputs, const std::string& where);
// The same of files that settings name.
void PlaceSettings(const RunPlanInputs& inputs, targets::Settings& settings);
// Reads them back, and holds them against their checksums.
Result<RunPlanInputs> ReadRunInputs(const std::string& folder);

}  // namespace connbench::suite
