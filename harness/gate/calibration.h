// How often a gate errs on a machine, and which changes it finds there: from a gate of a contender
// against itself.
//
// The rounds of such an A/A gate hold the machine's own noise and what two servers of one program
// differ by, and nothing else. Gates are simulated on them: rounds are drawn in runs of neighbours
// (drift stays in), the sides of each round are swapped at random, and the very code that decides
// a gate decides these. A gate that calls anything better or worse raised a false alarm. For power,
// every row's candidate is multiplied by a planted change.
//
// Used by the command's --calibrate and by the report. Safety: pure functions; any thread. Errors:
// 22023 where there are too few rounds to simulate from.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "base/status.h"
#include "harness/gate/gate_loop.h"
#include "harness/gate/gate_plan.h"

namespace connbench::gate {

// Fewer rounds do not show the machine's noise.
inline constexpr size_t kFewestRounds = 20;
// Neighbours that are drawn together.
inline constexpr size_t kRoundRun = 5;
inline constexpr int kSimulatedGates = 400;
inline constexpr double kPowerWanted = 0.95;
// Planted changes that are tried, in percent of the base's value, from the smallest on.
inline constexpr double kPlantedPercent[] = {0.5, 1, 1.5, 2, 2.5, 3, 4, 5, 7, 10, 15, 20, 30, 50};

struct CalibratedRow {
  std::string workload;
  std::string metric;
  double noise = 0;  // standard deviation of a round's log ratio
  // The smallest planted change called worse in 95 % of simulated gates; none: not even the
  // largest.
  std::optional<double> smallest_effect;
};

struct Calibration {
  std::string machine;  // see MachineOf()
  std::string made_at;  // UTC
  std::string contender;
  int64_t window_ns = 0;
  int64_t budget_ns = 0;
  double margin = 0;
  int64_t rounds = 0;  // measured, and of a simulated gate: those that the budget had room for
  int64_t gates = 0;   // simulated
  int64_t false_alarms = 0;
  double false_alarm_bound = 0;  // share of gates; upper end of its 95 % interval
  std::vector<CalibratedRow> rows;
};

// Gates of `rounds` rounds, drawn from those of an A/A gate, at least one of which there must be.
struct SimulatedGates {
  int alarms = 0;          // gates with a row that is better or worse
  std::vector<int> worse;  // by row
};
// effect: the change planted in every row, as a share, for the worse.
SimulatedGates SimulateGates(const GatePlan& plan, const Rounds& aa, double effect, size_t rounds,
                             int gates, uint64_t seed);
// Standard deviation of the log ratios of a row's rounds.
double NoiseOf(const Rounds& aa, size_t row);

// Fills gates, false alarms and rows.
Result<Calibration> Calibrate(const GatePlan& plan, const Rounds& aa, uint64_t seed);

// The upper end of the 95 % interval of a share of which `found` in `tried` were seen (Clopper and
// Pearson).
double UpperBound(int64_t found, int64_t tried);

}  // namespace connbench::gate
