// Writes a run's folder so that whatever happens later, what was measured is kept.
//
// Each trial is appended to all CSV files when it ends and flushed to the disk, trials.csv last: a
// trial that has a row there is complete. A write that fails (full disk, lost folder) is taken back
// to the last whole trial and reported with the path and a remedy. Earlier runs are never touched.
//
// Safety: one thread at a time; one writer per folder, which a lock on the folder enforces. Errors:
// SQLSTATE 58030 for I/O, 22023 for a folder that cannot be used.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "base/status.h"
#include "results/schema.h"

namespace connbench::results {

// A distribution in HdrHistogram's text form, for the tools that read it.
struct HgrmFile {
  std::string distribution;
  std::string text;
};

// Everything that one trial adds to the files.
struct TrialRecord {
  TrialRow trial;
  std::vector<LatencyRow> latency;
  std::vector<PhaseRow> phases;
  std::vector<TimeseriesRow> timeseries;
  std::vector<MemoryRow> memory;
  std::vector<ErrorRow> errors;
  std::vector<HgrmFile> hgrm;  // hgrm/TRIAL-DISTRIBUTION.hgrm
};

class RunWriter {
 public:
  // 42710 if the folder holds a run.
  static Status CheckEmpty(const std::string& folder);
  // Makes the folder (and its parents) with the headers of all files and a first run.json. Fails
  // if the folder already holds a run. With latest_link (a path, e.g. "results/latest") that
  // symbolic link is switched to the folder once the first trial is in it; "": no link.
  static Result<std::unique_ptr<RunWriter>> Create(const std::string& folder, const RunInfo& info,
                                                   const std::string& latest_link);
  // Goes on in the folder of an interrupted run: rows of incomplete trials are cut off.
  static Result<std::unique_ptr<RunWriter>> Resume(const std::string& folder);

  virtual ~RunWriter() = default;

  // Replaces run.json, atomically.
  virtual Status WriteInfo(const RunInfo& info) = 0;
  // Fills the keys of all rows from record.trial, appends them and flushes.
  virtual Status AppendTrial(TrialRecord record) = 0;
  virtual const std::string& folder() const = 0;
};

// One line of a CSV file, with its line end; the header line. 22023 for a value that is not finite.
template <typename Row>
Result<std::string> FormatCsvRow(const Row& row);
template <typename Row>
std::string FormatCsvHeader();

// run.json, whole.
std::string FormatRunInfo(const RunInfo& info);

}  // namespace connbench::results
