// The gate's decision loop: measures rounds of random pairs of windows until every row is decided
// or the budget is spent.
//
// A round starts both servers anew, in random order, measures a few blocks, and ends both: what
// two servers of one program differ by changes sides by chance from round to round. A block holds
// one pair of each workload that still has an undecided row, in random order, and each pair has
// its sides in random order: what drifts hits both alike. A pair with an INVALID window counts for
// nothing. A side whose windows are INVALID too often leaves no verdict, for what is left would be
// a choice among its windows.
//
// Disturbances from outside (CPU time that the hypervisor or other processes took) hit either side
// by chance. They are counted, and never leave a window out: a rule that did could depend on how
// much CPU time a side needs itself. If they follow a side, there is no verdict.
//
// It knows neither servers nor clocks: both are handed in. Safety: one thread. Errors: none; how it
// ended is in the outcome.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "base/clock.h"
#include "base/status.h"
#include "harness/gate/gate_plan.h"
#include "harness/stats/sequential.h"

namespace connbench::gate {

// More than this share of a side's windows INVALID at the end: no verdict.
inline constexpr double kMaxInvalidShare = 0.2;
// More than this at any time: it is not gone on with. A busy machine spoils a few of the first.
inline constexpr double kHopelessInvalidShare = 0.5;
// From this many windows of a side on the shares are looked at.
inline constexpr int kFewestWindows = 10;

// Events per transaction or connect that are rarer count as this many: the ratio of two such
// figures is noise, and 0 has none.
inline constexpr double kRarest = 0.1;
// A row that no window of this many pairs had is not measured here (context switches of backends
// that have ended, for example); the gate does not wait for it.
inline constexpr int kPairsToMeasure = 8;

// A budget should have room for this many rounds; a few more than a verdict needs at least.
inline constexpr int kRoundsWanted = 12;
// Where the budget has room for more, blocks take about this many times as long as the starts.
inline constexpr int kBlockTimePerStartTime = 4;
inline constexpr int kMaxBlocksPerRound = 50;

// Of gates without a cause, this share has disturbances that seem to follow a side.
inline constexpr double kFollowsASide = 0.001;

struct Window {
  // Of the workload's rows, in the order of GatePlan::rows; none where it was not measured.
  std::vector<std::optional<double>> values;
  std::string invalid;                    // why it is; empty: it is sound
  std::vector<std::string> disturbances;  // names of checks: "steal"
};

// Where a window belongs; numbers from 1.
struct WindowPlace {
  size_t workload = 0;
  Side side = kBase;
  int round = 0;
  int pair = 0;       // in the whole gate
  uint64_t seed = 0;  // of the pair
};

class Measurer {
 public:
  virtual ~Measurer() = default;
  // Starts both servers with their tables. An error, here and below, ends the gate.
  virtual Status StartRound(Side first) = 0;
  virtual Result<Window> Measure(const WindowPlace& place) = 0;
  // Ends both.
  virtual Status EndRound() = 0;
  // Whether the user wants it to end.
  virtual bool Interrupted() = 0;
};

enum class GateEnd : uint8_t {
  kDecided,
  kBudgetSpent,
  kInvalid,  // a side was INVALID too often; reason says how
  kFailed,   // failure says how
  kInterrupted,
};

// Whether what was measured carries one.
constexpr bool HasVerdict(GateEnd end) {
  return end == GateEnd::kDecided || end == GateEnd::kBudgetSpent;
}

// As SequentialGate::rounds().
using Rounds = std::vector<std::vector<std::optional<stats::SequentialGate::RoundMeans>>>;

struct GateOutcome {
  GateEnd end = GateEnd::kBudgetSpent;
  std::string reason;
  Status failure;
  std::vector<stats::SequentialGate::RowState> rows;
  // Rows of which no window had a figure.
  std::vector<bool> unmeasured;
  Rounds means;
  int rounds = 0;  // that were whole
  int blocks_per_round = 0;
  std::array<int, kSides> windows{};
  std::array<int, kSides> invalid_windows{};
  std::array<std::map<std::string, int>, kSides> invalid_reasons;
  // By check and side: windows that it would have spoilt in a run.
  std::map<std::string, std::array<int, kSides>> disturbed_windows;
  int64_t elapsed_ns = 0;

  // A row that still wants pairs.
  bool IsOpen(size_t row) const {
    return !rows[row].decided && !(row < unmeasured.size() && unmeasured[row]);
  }
};

struct LoopOptions {
  int64_t budget_ns = 0;
  int64_t shortest_pair_ns = 0;  // for the first, of which nothing is known yet
  uint64_t seed = 1;
  // For a calibration, which wants rounds and no verdict: goes on until the budget is spent.
  bool until_budget = false;
  std::function<void(const GateOutcome&)> after_round;  // may be empty
};

GateOutcome RunGateLoop(const GatePlan& plan, const LoopOptions& options, Measurer& measurer,
                        stats::SequentialGate& judge, const std::function<MonotonicNs()>& now);

}  // namespace connbench::gate
