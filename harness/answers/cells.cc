// Cells of a comparison: which trials were measured under the same conditions.
#include "harness/answers/cells.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <span>
#include <sstream>

#include "harness/answers/thresholds.h"
#include "results/connection_limit.h"

namespace connbench::answers {
namespace {

using results::TrialRow;
using TrialField = results::Field<TrialRow>;

// Axes that number trials rather than say what was measured.
constexpr std::string_view kNumberingAxes[] = {"run_id", "trial", "cell", "repetition"};
constexpr std::string_view kWhoServes[] = {"target", "model", "contender"};
// Columns that hold several axes, as name=value.
constexpr std::string_view kSettings = "settings";
constexpr std::string_view kParameters = "parameters";
constexpr std::string_view kMaxConnectionsSetting = "max_connections";

bool IsOneOf(std::span<const std::string_view> names, std::string_view name) {
  return std::find(names.begin(), names.end(), name) != names.end();
}

bool IsComparedColumn(const TrialField& field) {
  return field.column.is_axis() && !IsOneOf(kNumberingAxes, field.column.name);
}

// "a=1 b=2"
Pairs SplitPairs(const std::string& text) {
  Pairs pairs;
  std::istringstream words(text);
  for (std::string word; words >> word;) {
    const size_t equals = std::min(word.find('='), word.size());
    pairs.emplace_back(word.substr(0, equals), word.substr(std::min(equals + 1, word.size())));
  }
  return pairs;
}

std::string JoinPairs(const Pairs& pairs) {
  std::string text;
  for (const auto& [name, value] : pairs) {
    text += fmt::format("{}{}={}", text.empty() ? "" : " ", name, value);
  }
  return text;
}

const std::string* ValueIn(const Pairs& pairs, std::string_view name) {
  for (const auto& [key, value] : pairs) {
    if (key == name) return &value;
  }
  return nullptr;
}

// Whether this is the limit that a plan sets because the load needs it: it follows from the
// connections, and says nothing of its own.
bool IsDerived(const TrialRow& row, const std::string& name, const std::string& value) {
  if (name != kMaxConnectionsSetting) return false;
  int64_t limit = 0;
  const auto [end, error] = std::from_chars(value.data(), value.data() + value.size(), limit);
  if (error != std::errc() || end != value.data() + value.size()) return false;
  const int64_t least = row.connections + results::kConnectionsBeyondTheLoad;
  // Those who disturb a mixed load are connections, too, of which trials.csv has no count.
  return row.pattern == "mixed" ? limit >= least : limit == least;
}

bool IsLeftOut(std::string_view column, std::string_view left_out) {
  // The workload says what its pattern is, target and model what their contender is.
  if (column == left_out || column == "pattern" || column == "contender") return true;
  if (left_out == "contender") return IsOneOf(kWhoServes, column);
  return left_out == "pattern" && column == "workload";
}

std::string NameOf(const Pairs& axes, const Pairs& settings) {
  std::string name;
  const auto add = [&](std::string_view axis, std::string_view value) {
    name += fmt::format("{}{}:{}", name.empty() ? "" : "/", axis, value);
  };
  for (const auto& [axis, value] : axes) add(axis, value);
  if (!settings.empty()) add(kSettings, JoinPairs(settings));
  return name;
}

// Names of what a column of pairs holds in any trial, that are no columns.
void AddNames(const results::Run& run, std::string TrialRow::*column,
              std::vector<std::string>& names) {
  for (const TrialRow& row : run.trials) {
    for (const auto& [name, value] : SplitPairs(row.*column)) {
      if (std::find(names.begin(), names.end(), name) == names.end()) names.push_back(name);
    }
  }
}

Status NotAlike(const TrialRow& a, const TrialRow& b, const std::string& cell,
                std::string_view left_out) {
  return Status::Error(sqlstate::kInvalidParameterValue,
                       fmt::format("trials {} ({}) and {} ({}) are both repetition {} of {}",
                                   a.trial, a.cell, b.trial, b.cell, a.repetition, cell))
      .WithHint(
          left_out.empty()
              ? "trials.csv holds one of them twice, or rows of two runs."
              : fmt::format("They differ in more than {}: compare by another axis.", left_out));
}

}  // namespace

Cell CellOf(const TrialRow& row, std::string_view left_out) {
  Cell cell;
  cell.example = &row;
  for (const TrialField& field : results::Fields<TrialRow>()) {
    const std::string_view column = field.column.name;
    if (!IsComparedColumn(field) || IsLeftOut(column, left_out)) continue;
    const std::string value = field.Print(row);
    if (value.empty() || (column == "target" && value == "builtin")) continue;
    if (column == kSettings) {
      for (auto& [name, setting] : SplitPairs(value)) {
        if (name != left_out && !IsDerived(row, name, setting)) {
          cell.settings.emplace_back(name, setting);
          cell.tells_apart.emplace_back(name, setting);
        }
      }
      // The order in which they were set says nothing.
      std::sort(cell.settings.begin(), cell.settings.end());
    } else if (column == kParameters) {
      Pairs parameters = SplitPairs(value);
      std::erase_if(parameters, [&](const auto& pair) { return pair.first == left_out; });
      for (const auto& pair : parameters) cell.tells_apart.push_back(pair);
      if (!parameters.empty()) cell.axes.emplace_back(column, JoinPairs(parameters));
    } else {
      cell.axes.emplace_back(column, value);
      if (column != "workload" && column != "connections") {
        cell.tells_apart.emplace_back(column, value);
      }
    }
  }
  cell.name = NameOf(cell.axes, cell.settings);
  return cell;
}

bool SaysWhoServes(std::string_view axis) { return IsOneOf(kWhoServes, axis); }

std::vector<std::string> AxesOf(const results::Run& run) {
  std::vector<std::string> names;
  for (const TrialField& field : results::Fields<TrialRow>()) {
    if (IsComparedColumn(field)) names.emplace_back(field.column.name);
  }
  AddNames(run, &TrialRow::settings, names);
  AddNames(run, &TrialRow::parameters, names);
  return names;
}

std::string AxisValue(const TrialRow& row, std::string_view axis) {
  const TrialField* field = results::FindField<TrialRow>(axis);
  if (field != nullptr) return field->Print(row);
  for (const Pairs& pairs : {SplitPairs(row.settings), SplitPairs(row.parameters)}) {
    if (const std::string* value = ValueIn(pairs, axis)) return *value;
  }
  return "";
}

std::string AxisValueInWords(const TrialRow& row, std::string_view axis) {
  const std::string value = AxisValue(row, axis);
  if (!value.empty()) return SaysWhoServes(axis) ? value : fmt::format("{} {}", axis, value);
  return axis == "model" ? fmt::format("no model (target {})", row.target)
                         : fmt::format("no {}", axis);
}

Result<Cells> CellsOf(const results::Run& run, std::string_view left_out, std::string_view value) {
  Cells cells;
  for (const TrialRow& row : run.trials) {
    if (!left_out.empty() && AxisValue(row, left_out) != value) continue;
    Cell made = CellOf(row, left_out);
    const std::string name = made.name;
    Cell& cell = cells.try_emplace(name, std::move(made)).first->second;
    if (row.status != results::kTrialOk) {
      cell.side.not_ok_reason = fmt::format("{}: {}", row.status, row.status_reason);
      continue;
    }
    for (const TrialRow* other : cell.side.ok) {
      if (other->repetition == row.repetition) return NotAlike(*other, row, name, left_out);
    }
    cell.side.ok.push_back(&row);
  }
  for (auto& [name, cell] : cells) {
    std::sort(cell.side.ok.begin(), cell.side.ok.end(),
              [](const TrialRow* a, const TrialRow* b) { return a->repetition < b->repetition; });
  }
  return cells;
}

SettingsByContender SettingsOfContenders(const results::Run& run) {
  SettingsByContender known;
  for (const TrialRow& row : run.trials) {
    for (const auto& [name, value] : SplitPairs(row.settings)) known[row.contender].insert(name);
  }
  return known;
}

bool AreAlike(const Cell& a, const Cell& b, const SettingsByContender& known) {
  if (a.axes != b.axes) return false;
  const auto fits = [&](const Cell& one, const Cell& other) {
    const auto found = known.find(other.example->contender);
    return std::all_of(one.settings.begin(), one.settings.end(), [&](const auto& setting) {
      if (const std::string* value = ValueIn(other.settings, setting.first)) {
        return *value == setting.second;
      }
      return found == known.end() || !found->second.contains(setting.first);
    });
  };
  return fits(a, b) && fits(b, a);
}

std::string OwnVariedSettings(const results::Run& run, const Cell& cell, const Cell& other) {
  Pairs own;
  for (const auto& setting : cell.settings) {
    if (ValueIn(other.settings, setting.first) != nullptr) continue;
    const bool varies = std::any_of(run.trials.begin(), run.trials.end(), [&](const TrialRow& row) {
      return row.contender == cell.example->contender &&
             AxisValue(row, setting.first) != setting.second;
    });
    if (varies) own.push_back(setting);
  }
  return JoinPairs(own);
}

Status CheckMetrics(const std::vector<std::string>& names) {
  for (const std::string& name : names) CONNBENCH_RETURN_IF_ERROR(CheckComparedMetric(name));
  return Status::Ok();
}

Status CheckWhole(const results::Run& run) {
  const auto refuse = [&](const std::string& what) {
    return Status::Error(
               sqlstate::kBadCopyFileFormat,
               fmt::format("{}/trials.csv is not as the run wrote it: {}", run.folder, what))
        .WithHint("Take the run's folder from where it was written, or measure again.");
  };
  const auto count = static_cast<int64_t>(run.trials.size());
  // A run that has not ended does not know its count yet.
  if (run.info.outcome != "running" && run.info.trials_written != count) {
    return refuse(fmt::format("it has {} trials, and run.json says that {} were written", count,
                              run.info.trials_written));
  }
  std::set<int64_t> numbers;
  for (const TrialRow& row : run.trials) {
    if (!numbers.insert(row.trial).second) {
      return refuse(fmt::format("trial {} stands in it twice", row.trial));
    }
  }
  return Status::Ok();
}

}  // namespace connbench::answers
