// Before the first trial: each contender is started once, the tables are made, and every script is
// run once. So a statement that one of them cannot run, or takes and does not do, is found before
// hours of trials, and the run's folder says how each contender was really configured.
//
// Called by suite_run. One thread; nothing that it starts outlives it. Errors: a statement that is
// refused for what it is (SQLSTATE classes 0A and 42; in a set-up: any), or of which one contender
// warns and another does not, with its place and the contender. What fails for other reasons (a
// server that does not start, a conflict) is left to the trials, which say so as always.
#pragma once

#include <string>
#include <utility>
#include <vector>

#include "base/status.h"
#include "harness/load/set_up.h"
#include "harness/suite/interruption.h"
#include "harness/suite/plan.h"
#include "harness/targets/target_list.h"

namespace connbench::suite {

// A parameter whose value is not the program's default.
struct EffectiveSetting {
  std::string part;  // "server", "pgbouncer"
  std::string name;
  std::string value;
  std::string preset;
};

struct WorkloadNotice {
  std::string workload;
  load::SetUpNotice notice;
};

struct ContenderReport {
  std::string contender;  // "model:fork", "target:postgres"
  targets::Settings settings;
  std::vector<std::pair<std::string, std::string>> versions;
  std::vector<EffectiveSetting> configuration;
  std::vector<WorkloadNotice> notices;  // as its tables were made
};

// One report for each contender with each of its settings. Interrupted: those that there are.
Result<std::vector<ContenderReport>> Rehearse(const std::vector<Cell>& cells,
                                              targets::TargetEnvironment& environment,
                                              Interruption& interruption);

// contenders.json of the run's folder.
std::string WriteContendersJson(const std::vector<ContenderReport>& reports);

}  // namespace connbench::suite
