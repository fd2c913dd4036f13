// The runs of a folder over time: one series for each metric of each cell, its change points, and
// whether the newest run lies beyond a change for the worse.
//
// Only runs of one machine, one kind of build and one suite are a group, and only trials of one
// cell a series; a value is the median of a run's valid trials. All series of a folder share a
// false-alarm rate of kHistoryFalseAlarms. Runs that were not completed are left out, and said.
//
// Safety: one thread; reads files. Errors: 22023 for a folder without runs, 42704 for an unknown
// metric or contender (with those there are). A run that cannot be read is no error: it is said.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

#include "base/status.h"
#include "harness/stats/verdict.h"
#include "results/reader.h"

namespace connbench::answers {

inline constexpr double kHistoryFalseAlarms = 0.01;
// A change by a smaller share is shown, and is no reason to fail.
inline constexpr double kHistoryMargin = 0.02;

struct HistoryOptions {
  std::vector<std::string> metrics = {};     // empty: those that each pattern's verdicts rest on
  std::vector<std::string> contenders = {};  // empty: all
};

struct HistoryRun {
  std::string run_id;
  std::string started_at;
  std::string commit;                // short; with a mark if the tree had changes; empty: unknown
  std::vector<std::string> differs;  // from the run before: kernel, compiler, settings, ...
};

// The level of a series from one run on.
struct HistoryChange {
  size_t value = 0;   // index of the first value on the new level
  double before = 0;  // medians of both levels
  double after = 0;
  double p = 1;
  bool worse = false;
  bool counts = false;  // larger than kHistoryMargin
};

struct HistorySeries {
  std::string cell;
  std::string contender;
  std::string pattern;
  std::string workload;
  int64_t connections = 0;
  std::string metric;  // column of trials.csv
  std::string label;
  std::string unit;
  stats::Direction direction = stats::Direction::kHigherIsBetter;
  std::vector<size_t> runs;  // index into the group's runs, of each value
  std::vector<double> values;
  std::vector<HistoryChange> changes;
  size_t runs_needed = 0;  // not 0: there are fewer, so nothing can be found

  double newest_level() const;  // median of what lies behind the last change
};

struct HistoryGroup {
  std::string machine;
  std::string suite;
  std::vector<HistoryRun> runs;  // the oldest first
  std::vector<HistorySeries> series;

  bool HasNewest(const HistorySeries& one) const { return one.runs.back() + 1 == runs.size(); }
  // The newest run lies beyond a change for the worse that counts.
  bool IsWorse(const HistorySeries& one) const {
    return HasNewest(one) && !one.changes.empty() && one.changes.back().worse &&
           one.changes.back().counts;
  }
};

struct History {
  std::string folder;
  std::vector<HistoryGroup> groups;  // that of the newest run first
  std::vector<std::string> notes;    // a sentence each
  size_t unreadable = 0;             // runs
  double bound = 0;                  // of p, for each series
};

Result<History> ReadHistory(const std::string& folder, const HistoryOptions& options);
// The same of runs that are in memory.
Result<History> MakeHistory(std::vector<results::Run> runs, const HistoryOptions& options);

// connbench::ExitCode: worse comes first, then runs that could not be read, then too few runs in
// the newest run's group.
int ExitCodeOf(const History& history);

// "fork, steady with 64 connections"; the cell in full where that would mean another one, too.
std::string CellInWords(const HistoryGroup& group, const HistorySeries& series);

std::vector<std::string> HistoryFormatNames();
// One of those names.
std::string FormatHistory(const History& history, std::string_view format);

}  // namespace connbench::answers
