// A comparison as plain rows: what `compare` and `gate` found, for whatever prints it. Words
// (words.h) and outputs (harness/answers/outputs.h) read nothing else.
//
// Safety: plain values; any thread. Errors: none; a row without figures says why.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "harness/stats/family.h"
#include "harness/stats/verdict.h"

namespace connbench::stats {

struct VerdictRow {
  // Where: what both sides share. Axes that have no meaning for a row are empty.
  std::string cell;  // "workload:steady/connections:64"
  std::string pattern;
  std::string workload;
  int64_t connections = 0;
  int64_t measured_clients = 0;         // whose requests the figures tell of; 0: as connections
  int64_t requests_per_connection = 0;  // of a churn; 0: not known
  std::string circumstances;  // other axes that tell cells apart, "protocol extended, workers 4"
  // Who: contenders, runs, or values of an axis.
  std::string base;
  std::string candidate;
  std::string contender;  // that the candidate's values are of, as in the CSV
  // What.
  std::string metric;  // column of trials.csv
  std::string label;
  std::string unit;
  bool headline = false;
  // Values in the order of time, margin, drift, direction, whether paired and whether judged.
  Question question;
  Answer answer;
  std::string invalid;  // not empty: a side has no valid trial, and why
};

enum class ComparisonKind : uint8_t {
  kRuns,    // two runs, made at different times
  kAxis,    // values of an axis inside a run: described, not judged
  kHalves,  // a run against itself
  kGate,    // measured in pairs, for this question
};

struct VerdictTable {
  ComparisonKind kind = ComparisonKind::kRuns;
  std::string base;                // name of the base as a whole: a run, a contender
  std::string candidate;           // empty where each row has its own
  std::vector<std::string> notes;  // what holds for all rows, a sentence each
  std::vector<VerdictRow> rows;
  size_t repetitions_needed = 0;  // not 0: there were too few for what was asked
};

struct VerdictCounts {
  size_t better = 0;
  size_t worse = 0;
  size_t same = 0;
  size_t unstable = 0;
  size_t inconclusive = 0;
  size_t described = 0;
  size_t invalid = 0;

  size_t judged() const { return better + worse + same + unstable + inconclusive; }
};
VerdictCounts Count(const VerdictTable& comparison);

// The row of the same cell and candidate that says by how much more work fails on the candidate's
// side; null if no more fails. It is worse, or not settled.
const VerdictRow* MoreFails(const VerdictTable& comparison, const VerdictRow& row);

// Takes "better" and "the same" from rows in whose cell more work fails: to answer less is no way
// to be quick.
void HoldBackWhereMoreFails(VerdictTable& comparison);

// connbench::ExitCode. What is only described never fails. Worse comes before INVALID, and that
// before what cannot be told, which fails if strict, if too few repetitions were made for halves,
// if more work fails, or if nothing at all could be told.
int ExitCodeOf(const VerdictTable& comparison, bool strict);

}  // namespace connbench::stats
