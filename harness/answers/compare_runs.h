// Compares what was measured: two runs cell by cell; the values of one axis inside one run, models
// and targets alike (contender); one run against itself.
//
// A cell keeps every axis but the one that is compared, settings and varied parameters included;
// trials that would fall into one cell without being alike are refused (cells.h). Only OK trials
// take part. What is judged stands in results/metrics.def: a pattern's gated metrics
// and headlines, and metrics that are asked for by name; everything else is described. A comparison
// over an axis describes only. A swept setting or parameter is an axis by its name. While more work
// fails on the candidate's side, nothing of that cell is called better or the same.
//
// Safety: pure functions. Errors: 42704 for an unknown metric, axis or axis value (with those there
// are), 22023 when nothing can be compared or unlike trials
// meet, 22P04 for a trials.csv that is not as its run wrote it.
#pragma once

#include <string>
#include <vector>

#include "base/status.h"
#include "harness/answers/thresholds.h"
#include "harness/stats/verdict_row.h"
#include "results/reader.h"

namespace connbench::answers {

// Halves have half of the repetitions, and each needs stats::kMinBlocks.
inline constexpr size_t kMinRepetitionsForHalves = 2 * stats::kMinBlocks;

struct CompareOptions {
  std::vector<std::string> metrics;  // empty: those of each pattern
  Thresholds thresholds;
  stats::FamilyOptions family;
};

// Made at different times, so nothing pairs their repetitions: Welch, and drift in the interval.
Result<stats::VerdictTable> CompareRuns(const results::Run& base, const results::Run& candidate,
                                        const CompareOptions& options);

// Repetitions of one number were measured in the same block, so they are pairs.
Result<stats::VerdictTable> CompareWithinRun(const results::Run& run, const std::string& axis,
                                             const std::string& base_value,
                                             const CompareOptions& options);

// Of each cell the odd repetitions as base, the even ones as candidate, in pairs of neighbours.
// They differ in nothing, so what this calls better or worse is a false alarm.
Result<stats::VerdictTable> CompareHalves(const results::Run& run, const CompareOptions& options);

}  // namespace connbench::answers
