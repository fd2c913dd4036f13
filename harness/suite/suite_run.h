// Runs a whole plan: every cell registered with Google Benchmark, every trial one iteration with
// manual time, rows appended as trials end, tables and charts at the end.
//
// Google Benchmark gives each registered name its run, the JSON that its compare.py reads
// (--benchmark_out) and the reporter interface. The order is ours: a name is registered once per
// repetition, in the plan's seeded order, because its own interleaving cannot be seeded.
//
// Safety: the main thread, once per process (Google Benchmark's registry is global).
#pragma once

#include <string>
#include <vector>

#include "base/exit_code.h"
#include "harness/suite/plan.h"

namespace connbench::suite {

struct RunOptions {
  Plan plan;
  Suite suite;  // what the plan was made of: a crossover goes on planning
  PlanOverrides overrides;
  std::string program;              // connbench itself
  std::vector<std::string> argv;    // for run.json
  std::string output;               // folder of the run; empty: results/<run id>, linked as latest
  std::string benchmark_out;        // JSON for compare.py; empty: none
  std::vector<std::string> waived;  // checks that make no trial INVALID
  bool resume = false;              // go on in output
  bool charts = true;
};

ExitCode RunPlan(const RunOptions& options);

}  // namespace connbench::suite
