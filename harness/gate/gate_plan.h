// What a gate measures: two sides, each a contender with settings of its own, the workloads that
// load both, and the rows that get a verdict.
//
// Used by the command and by the gate's run. Safety: plain values; pure functions. Errors: 42704 or
// 22023 with the name that is wrong and near ones.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/clock.h"
#include "base/status.h"
#include "harness/stats/sequential.h"
#include "harness/suite/plan.h"
#include "harness/targets/target_list.h"

namespace connbench::gate {

enum Side : size_t { kBase, kCandidate };
inline constexpr size_t kSides = 2;
inline constexpr std::array<std::string_view, kSides> kSideNames = {"base", "candidate"};

inline constexpr int64_t kDefaultWindowNs = 500 * kNanosecondsPerMillisecond;
inline constexpr int64_t kShortestWindowNs = 100 * kNanosecondsPerMillisecond;
inline constexpr int64_t kDefaultBudgetNs = 600 * kNanosecondsPerSecond;
// Of a window, for the warm-up before it; at most what the workload itself asks for.
inline constexpr int64_t kWarmupShare = 5;
// A change that is smaller is not worth a word.
inline constexpr double kDefaultMargin = 0.02;
// "Better" or "worse" without a cause in any row of a gate: at most this often.
inline constexpr double kDefaultFalseAlarms = 0.01;
// The change that the gate should find soonest.
inline constexpr double kSoughtEffect = 0.03;

struct GateOptions {
  std::array<std::string, kSides> contenders;
  std::array<targets::Settings, kSides> settings;  // of that side; they win over common_settings
  targets::Settings common_settings;
  std::vector<std::string> workloads = {"steady", "churn"};
  int connections = 0;  // 0: each workload's own
  int64_t window_ns = kDefaultWindowNs;
  int64_t budget_ns = kDefaultBudgetNs;
  double margin = kDefaultMargin;
  double false_alarms = kDefaultFalseAlarms;
  uint64_t seed = 1;
};

// A question of the gate: one metric of one workload.
struct Row {
  size_t workload = 0;  // index into GatePlan::workloads
  std::string metric;   // a column of trials.csv
};

struct GatePlan {
  GateOptions options;
  std::vector<std::string> workloads;
  // By side and workload. All cells of a side are measured on one server.
  std::array<std::vector<suite::Cell>, kSides> cells;
  std::vector<Row> rows;
  std::vector<stats::GateRow> questions;  // the same rows, as the verdict wants them

  // What the side's server is started with: enough for the largest of its cells.
  targets::TargetRequest Request(Side side) const;
  // "thread-pool (work_mem=64MB)".
  std::string Describe(Side side) const;
  // Whether each round has a server of its own: not of one that somebody else started.
  bool IsStartedAnew(Side side) const;
  // At least so long takes a pair of windows.
  int64_t ShortestPairNs() const;
};

Result<GatePlan> MakeGatePlan(const GateOptions& options);

}  // namespace connbench::gate
