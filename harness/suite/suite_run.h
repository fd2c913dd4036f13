// Runs a whole plan: its trials in the plan's seeded order, rows appended as trials end, tables and
// charts at the end, and on request the trials as Google Benchmark's JSON (benchmark_json.h).
//
// Safety: the main thread, once per process (Google Benchmark's registry is global).
#pragma once

#include <string>
#include <vector>

#include "base/exit_code.h"
#include "harness/suite/plan.h"

namespace connbench::suite {

struct RunOptions {
  std::string who = "connbench run";  // the command, for what it says on stderr
  Plan plan;
  Suite suite;  // what the plan was made of: a crossover goes on planning
  PlanOverrides overrides;
  std::string program;              // connbench itself
  std::vector<std::string> argv;    // for run.json
  std::string output;               // folder of the run; empty: results/<run id>, linked as latest
  std::string benchmark_out;        // JSON for compare.py; empty: none
  std::vector<std::string> waived;  // checks that make no trial INVALID
  bool resume = false;              // go on in output
  std::string inputs_of;    // the run whose plan it is, whose inputs are its; empty: those of suite
  bool keeps_data = false;  // the data directories of trials stay (setting data)
  bool charts = true;
};

ExitCode RunPlan(const RunOptions& options);

}  // namespace connbench::suite
