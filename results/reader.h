// Reads a run's folder back as typed rows. Charts, reports and comparisons read nothing else.
//
// A folder that was cut off in the middle of a trial is read as far as it is complete: a last line
// without line end and rows of trials that trials.csv does not have are left out and counted.
//
// Safety: plain values; any thread. Errors: 58030 if a file cannot be read, 22P04 for what does not
// fit the schema, as "FILE:LINE:COLUMN: what was found, what was expected".
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "base/status.h"
#include "results/schema.h"

namespace connbench::results {

struct Run {
  std::string folder;
  RunInfo info;
  std::vector<TrialRow> trials;
  std::vector<LatencyRow> latency;
  std::vector<PhaseRow> phases;
  std::vector<TimeseriesRow> timeseries;
  std::vector<MemoryRow> memory;
  std::vector<ErrorRow> errors;
  int64_t rows_left_out = 0;  // of incomplete trials

  static Result<Run> Load(const std::string& folder);
  // run.json as "name" and printed value, in its order; lists and objects are joined.
  std::vector<std::pair<std::string, std::string>> InfoPairs() const;
};

// Rows of one CSV text; file_name is for errors. A missing last line end ends the rows before it.
template <typename Row>
Result<std::vector<Row>> ParseCsv(std::string_view text, const std::string& file_name);

Result<RunInfo> ParseRunInfo(const std::string& json, const std::string& file_name);

}  // namespace connbench::results
