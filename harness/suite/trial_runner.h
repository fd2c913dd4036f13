// Runs one trial: a fresh server, its data, the load in a process of its own, the observers, and
// what they found as rows. RunWindow() does the same on a server that is up already and stays up.
//
// A trial that went wrong gives a record, too: its status is INVALID and says why, and no summary
// takes it in. Only what concerns the run as a whole (the program itself cannot be started) is an
// error.
//
// The load process and this one keep step through events (harness/load/load_result.h): at each the
// load stands still until it is answered, so that memory and counters are read while nothing moves.
//
// Safety: one thread, the one that made the Interruption; it uses a sampler thread while the load
// runs. Neither a process nor a segment outlives RunTrial().
// RunWindow() leaves the server as it is, also one that has ended.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "base/status.h"
#include "harness/suite/interruption.h"
#include "harness/suite/plan.h"
#include "harness/suite/running_server.h"
#include "harness/targets/target.h"
#include "results/writer.h"

namespace connbench::suite {

struct TrialContext {
  std::string program;  // connbench itself, which serves and loads
  Interruption* interruption = nullptr;
  std::vector<std::string> waived;  // checks that make no trial INVALID
  // Whether memory and connection phases are read. A gate's short windows go without: reading them
  // takes as long as a window, and a server's log of connections reaches over many of those.
  bool details = true;
};

struct TrialOutcome {
  results::TrialRecord record;  // without run_id, trial and started_s, which the run knows
  // What Google Benchmark and its compare.py see as time: seconds until the last connection of a
  // storm was ready, seconds per transaction elsewhere.
  double manual_seconds = 0;
  std::vector<std::string> breached;  // names of checks that it did not pass, waived or not
  int64_t elapsed_ns = 0;
  // CPU time of this process: while the load was measured, and for all the rest of the trial.
  int64_t observer_cpu_ns = 0;
  int64_t window_ns = 0;
  int64_t checkpoint_cpu_ns = 0;
};

TrialOutcome RunTrial(const TrialContext& context, const Cell& cell, const Trial& trial,
                      targets::Target& target);
TrialOutcome RunWindow(const TrialContext& context, const Cell& cell, const Trial& trial,
                       RunningServer& server);

}  // namespace connbench::suite
