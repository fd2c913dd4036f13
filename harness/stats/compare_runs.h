// Compares what was measured: two runs cell by cell, or the values of one axis inside one run (all
// models against fork). Only OK trials take part; a cell that has none on one side is reported, not
// skipped.
//
// Safety: pure functions. Errors: 42704 for an unknown metric, axis or axis value (with those there
// are), 22023 when nothing can be compared.
#pragma once

#include <string>
#include <vector>

#include "base/status.h"
#include "harness/stats/verdict.h"
#include "results/reader.h"

namespace connbench::stats {

struct ComparedRow {
  std::string cell;       // the axes both sides share, "workload:steady/connections:64"
  std::string candidate;  // --by: the axis value held against the base; otherwise empty
  std::string metric;
  std::string unit;
  Comparison comparison;
  std::string invalid_reason;  // not empty: one side has no valid trial, and why
};

struct ComparedRuns {
  std::vector<ComparedRow> rows;
  // How many rows got each verdict; invalid rows count only as invalid.
  int better = 0;
  int worse = 0;
  int same = 0;
  int inconclusive = 0;
  int invalid = 0;

  // connbench::ExitCode: worse before invalid before inconclusive (which counts only if strict).
  int ExitCode(bool strict) const;
};

// The metrics compared when none are named: each asked by one of the workloads.
const std::vector<std::string>& DefaultMetrics();

Result<ComparedRuns> CompareRuns(const results::Run& base, const results::Run& candidate,
                                 const std::vector<std::string>& metrics,
                                 const ComparisonOptions& options);

Result<ComparedRuns> CompareWithinRun(const results::Run& run, const std::string& axis,
                                      const std::string& base_value,
                                      const std::vector<std::string>& metrics,
                                      const ComparisonOptions& options);

// The run against itself: of each cell the odd repetitions as base, the even ones as candidate. They
// were interleaved and differ in nothing, so whatever this calls better or worse is what noise alone
// can do on this machine.
Result<ComparedRuns> CompareHalves(const results::Run& run, const std::vector<std::string>& metrics,
                                   const ComparisonOptions& options);

enum class TableStyle { kPlain, kMarkdown };
std::string FormatComparison(const ComparedRuns& compared, TableStyle style);

}  // namespace connbench::stats
