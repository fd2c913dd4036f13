// Runs a gate or a calibration: servers up, windows, the run's folder, the answer.
//
// Safety: the main thread, before any other starts. Errors are printed with their remedy; the exit
// code says what became of the gate (base/exit_code.h).
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "base/exit_code.h"
#include "harness/gate/gate_plan.h"
#include "harness/stats/verdict_row.h"

namespace connbench::gate {

struct GateRunOptions {
  GatePlan plan;
  std::string program;              // connbench itself
  std::vector<std::string> argv;    // for run.json
  std::string output;               // folder of the run; empty: results/<run id>
  std::vector<std::string> waived;  // checks that make no window INVALID
  std::string calibration_file;
  bool calibrate = false;  // the plan's sides are the same contender
  // What is printed of a gate; empty: plain text (gate_report.h).
  std::function<std::string(const stats::VerdictTable&)> format;
};

ExitCode RunGate(const GateRunOptions& options);

}  // namespace connbench::gate
