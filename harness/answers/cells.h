// Cells of a comparison: which trials were measured under the same conditions. Conditions are the
// axes of trials.csv, each setting and each varied parameter being an axis of its own; a cell keeps
// all of them but the one that is compared.
//
// Used by what compares runs. A Cell refers to rows of the run, which must outlive it.
// Safety: pure functions, any thread. Errors: 42704 for an unknown metric, 22023 if a run holds a
// trial twice, or if two trials of one side would fall into the same cell and repetition: such
// trials are not alike.
#pragma once

#include <map>
#include <set>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/status.h"
#include "results/reader.h"

namespace connbench::answers {

using Pairs = std::vector<std::pair<std::string, std::string>>;  // axis and value

// The trials of one cell on one side.
struct Side {
  std::vector<const results::TrialRow*> ok;  // by repetition
  std::string not_ok_reason;                 // of the last trial that was not OK
};

struct Cell {
  std::string name;   // "model:fork/workload:steady/connections:64/settings:work_mem=1MB"
  Pairs axes;         // all but settings and what the comparison leaves out
  Pairs settings;     // without the limit that the harness derived from the load
  Pairs tells_apart;  // axes beside workload and connections, and settings: for sentences
  const results::TrialRow* example = nullptr;
  Side side;
};
// left_out: the axis that is compared; "": none.
Cell CellOf(const results::TrialRow& row, std::string_view left_out);
using Cells = std::map<std::string, Cell>;  // by name

// target, model, contender: who serves.
bool SaysWhoServes(std::string_view axis);

// The axes that the trials of a run have: columns, then settings and parameters by their names.
std::vector<std::string> AxesOf(const results::Run& run);
std::string AxisValue(const results::TrialRow& row, std::string_view axis);
// For sentences; an axis without a value reads "no model (target postgres)".
std::string AxisValueInWords(const results::TrialRow& row, std::string_view axis);

// The trials for which the axis has this value (left_out empty: all), without that axis.
Result<Cells> CellsOf(const results::Run& run, std::string_view left_out, std::string_view value);

// Whether two cells differ in nothing but who serves and the settings that only one of them can
// have. known: of each contender the settings that it has in any trial of the run.
using SettingsByContender = std::map<std::string, std::set<std::string>>;
SettingsByContender SettingsOfContenders(const results::Run& run);
bool AreAlike(const Cell& a, const Cell& b, const SettingsByContender& known);

// Settings of a cell that the other lacks and that vary among this contender's trials: "a=1 b=2".
std::string OwnVariedSettings(const results::Run& run, const Cell& cell, const Cell& other);

// Only metrics with a better direction can be compared; near names for others.
Status CheckMetrics(const std::vector<std::string>& names);

// That the run's trials are those that run.json says were written, each of them once.
Status CheckWhole(const results::Run& run);

}  // namespace connbench::answers
