// From a suite to the trials that are run: the product of all axes gives the cells, each is
// repeated, and the order is drawn so that drift of the machine hits all cells alike.
//
// Order: one block per repetition, every block with its cells in a random order of its own
// (randomised complete blocks). The seed decides: the same seed gives the same order.
//
// Safety: plain values, pure functions. Errors: 22023 or 42704 with the place in the suite file.
#pragma once

#include <algorithm>
#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "base/status.h"
#include "harness/observe/fitness.h"
#include "harness/suite/suite_file.h"
#include "harness/targets/target_list.h"
#include "harness/workload/workload.h"

namespace connbench::suite {

// Of the workload, as a suite varies them: name and value.
using Parameters = std::vector<std::pair<std::string, std::string>>;

struct Cell {
  std::string name;  // "model:fork/workload:storm/connections:500", "target:postgres/workload:..."
  targets::TargetName target;
  load::Workload workload;  // with the experiment's values in place of its own
  targets::Settings settings;
  Parameters parameters;  // of the workload, in which they are already
  int repetitions = 1;    // at least; see until
  std::optional<Until> until;
  // Where the files lie that settings and target name by relative paths; empty: they are named by
  // whole paths.
  std::string files_folder = {};
  int raised_max_connections = 0;  // what the plan set it to for the load's sake; 0: nothing

  // Settings as trials.csv shows them: those that the suite or the user set.
  std::string SettingsText() const;
  targets::TargetRequest Request() const;
  // Calls move for the path of each file that settings and target name.
  void ForEachFile(const std::function<void(std::string& path)>& move);
  std::string ParametersText() const;
  // Who is measured, with the settings; the automatic max_connections is none of them.
  std::string ContenderKey() const;
  // SQLSTATEs with which the server rejects some connects because the user set a limit below what
  // the load needs.
  std::vector<std::string> ChosenRejections() const;
  int MostRepetitions() const {
    return until ? std::max(until->max_repetitions, repetitions) : repetitions;
  }
};

struct Trial {
  size_t cell = 0;  // index into Plan::cells
  int repetition = 1;
  uint64_t seed = 0;
};

struct Plan {
  std::string suite;
  uint64_t seed = 1;
  std::vector<Cell> cells;
  // In the order of execution. Those beyond a cell's repetitions are run only if its interval is
  // not narrow enough yet (steadiness.h).
  std::vector<Trial> trials;
  std::optional<Crossover> crossover;  // then there are no trials beforehand

  observe::Demand MachineDemand() const;  // for the doctor
  std::string DescribeRaised() const;     // which cells got more max_connections; empty: none
  int64_t EstimatedNs(const Trial& trial) const;  // for the first guess of the time left
};

// What the command line puts in place of the suite's values; empty or 0: the suite's.
struct PlanOverrides {
  // What is named is what is measured, in place of the suite's models and targets.
  std::vector<std::string> models;
  std::vector<std::string> targets;
  std::vector<int> connections;
  int repetitions = 0;
  int64_t duration_ns = 0;
  std::string filter;  // regular expression, searched in the names of cells
  std::vector<std::pair<std::string, std::string>> settings;
  bool has_seed = false;
  uint64_t seed = 0;
};

Result<Plan> MakePlan(const Suite& suite, const PlanOverrides& overrides);

// The cell that a crossover measures for one model at one value of its parameter.
Result<Cell> MakeCrossoverCell(const Suite& suite, const PlanOverrides& overrides,
                               const std::string& model, int64_t value);

// A suite that runs one workload with its own values.
Suite SuiteOfWorkload(const std::string& workload);

}  // namespace connbench::suite
