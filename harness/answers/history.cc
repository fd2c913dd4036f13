// The runs of a folder over time: reading, grouping and judging them.
#include "harness/answers/history.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <filesystem>
#include <map>
#include <optional>
#include <set>
#include <tuple>

#include "base/exit_code.h"
#include "harness/answers/cells.h"
#include "harness/stats/change_points.h"
#include "results/metrics.h"

namespace connbench::answers {
namespace {

using results::Run;
using results::TrialRow;
using TrialField = results::Field<TrialRow>;

constexpr size_t kCommitDigits = 9;

double MedianOf(std::vector<double> values) {
  const auto middle = values.begin() + static_cast<ptrdiff_t>(values.size() / 2);
  std::nth_element(values.begin(), middle, values.end());
  if (values.size() % 2 == 1) return *middle;
  return (*middle + *std::max_element(values.begin(), middle)) / 2;
}

std::string Joined(const results::TextMap& map) {
  std::string text;
  for (const auto& [name, value] : map) text += fmt::format("{}={} ", name, value);
  return text;
}

std::string MachineOf(const results::RunInfo& info) {
  return fmt::format("{}, {}, {} CPUs{}", info.hostname, info.cpu_model, info.cpus_allowed,
                     info.build_kind == "release" ? "" : ", " + info.build_kind);
}

// What may explain a change, as far as it is no part of the group: names of fields of run.json.
std::vector<std::string> Differences(const results::RunInfo& a, const results::RunInfo& b) {
  std::vector<std::string> differs;
  const auto compare = [&](std::string_view what, const auto& before, const auto& after) {
    if (before != after) differs.emplace_back(what);
  };
  compare("schema version", a.schema_version, b.schema_version);
  compare("kernel", a.kernel, b.kernel);
  compare("compiler", a.compiler, b.compiler);
  compare("build flags", a.build_flags, b.build_flags);
  compare("C library", a.libc_version, b.libc_version);
  compare("Boost", a.boost_version, b.boost_version);
  compare("CPU governor", a.cpu_governor, b.cpu_governor);
  compare("CPU turbo", a.cpu_turbo, b.cpu_turbo);
  compare("mitigations", a.mitigations, b.mitigations);
  compare("memory", a.memory_kb, b.memory_kb);
  compare("huge pages", a.thp_enabled + a.thp_shmem_enabled, b.thp_enabled + b.thp_shmem_enabled);
  compare("settings", Joined(a.settings), Joined(b.settings));
  compare("servers", Joined(a.servers), Joined(b.servers));
  compare("waived checks", a.waived_checks, b.waived_checks);
  return differs;
}

HistoryRun DescribeRun(const results::RunInfo& info, const results::RunInfo* before) {
  HistoryRun run;
  run.run_id = info.run_id;
  run.started_at = info.started_at;
  run.commit = info.git_sha.substr(0, kCommitDigits) + (info.git_dirty ? "+" : "");
  if (before != nullptr) run.differs = Differences(*before, info);
  return run;
}

std::vector<std::string> MetricsFor(const TrialRow& row, const HistoryOptions& options) {
  if (!options.metrics.empty()) return options.metrics;
  std::vector<std::string> names;
  for (const auto name : results::MetricsWith(row.pattern, results::MetricRole::kGated)) {
    names.emplace_back(name);
  }
  return names;
}

using SeriesByName = std::map<std::pair<std::string, std::string>, HistorySeries>;

// The medians of one run's cells.
void AddRun(const Run& run, size_t index, const HistoryOptions& options, SeriesByName& all) {
  std::map<std::pair<std::string, std::string>, std::vector<double>> values;
  for (const TrialRow& row : run.trials) {
    if (row.status != results::kTrialOk) continue;
    if (!options.contenders.empty() &&
        std::count(options.contenders.begin(), options.contenders.end(), row.contender) == 0) {
      continue;
    }
    const std::string cell = CellOf(row, "").name;
    for (const std::string& metric : MetricsFor(row, options)) {
      const auto value = results::MetricValue(row, metric);
      if (!value || !std::isfinite(*value)) continue;
      values[{cell, metric}].push_back(*value);
      HistorySeries& series = all[{cell, metric}];
      if (!series.cell.empty()) continue;
      const TrialField& field = *results::FindField<TrialRow>(metric);
      series.cell = cell;
      series.contender = row.contender;
      series.pattern = row.pattern;
      series.workload = row.workload;
      series.connections = row.connections;
      series.metric = metric;
      series.label = field.column.label;
      series.unit = field.column.unit;
      series.direction = field.column.better() == results::Better::kHigher
                             ? stats::Direction::kHigherIsBetter
                             : stats::Direction::kLowerIsBetter;
    }
  }
  for (auto& [name, of_run] : values) {
    HistorySeries& series = all[name];
    series.runs.push_back(index);
    series.values.push_back(MedianOf(std::move(of_run)));
  }
}

// Nothing was measured, or no failure ever occurred.
bool AllZero(const HistorySeries& series) {
  return std::all_of(series.values.begin(), series.values.end(),
                     [](double value) { return value == 0; });
}

void KeepNewest(HistorySeries& series) {
  if (series.values.size() <= stats::kMaxSeries) return;
  const auto older = static_cast<ptrdiff_t>(series.values.size() - stats::kMaxSeries);
  series.values.erase(series.values.begin(), series.values.begin() + older);
  series.runs.erase(series.runs.begin(), series.runs.begin() + older);
}

void Judge(HistorySeries& series, double bound) {
  const size_t needed = stats::ValuesNeeded(bound);
  if (series.values.size() < needed) {
    series.runs_needed = needed;
    return;
  }
  const auto found = stats::FindChangePoints(series.values, bound);
  size_t begin = 0;
  for (size_t i = 0; i < found.size(); ++i) {
    const size_t end = i + 1 < found.size() ? found[i + 1].at : series.values.size();
    const auto level = [&](size_t from, size_t to) {
      return MedianOf({series.values.begin() + static_cast<ptrdiff_t>(from),
                       series.values.begin() + static_cast<ptrdiff_t>(to)});
    };
    HistoryChange change;
    change.value = found[i].at;
    change.p = found[i].p;
    change.before = level(begin, found[i].at);
    change.after = level(found[i].at, end);
    change.worse =
        (change.after < change.before) == (series.direction == stats::Direction::kHigherIsBetter);
    change.counts =
        std::abs(change.after - change.before) > kHistoryMargin * std::abs(change.before);
    series.changes.push_back(change);
    begin = found[i].at;
  }
}

Status CheckContenders(const std::vector<Run>& runs, const HistoryOptions& options) {
  std::set<std::string> known;
  for (const Run& run : runs) {
    for (const TrialRow& row : run.trials) known.insert(row.contender);
  }
  for (const std::string& name : options.contenders) {
    if (known.contains(name)) continue;
    std::string names;
    for (const std::string& one : known) names += " " + one;
    return Status::Error(sqlstate::kUndefinedObject,
                         fmt::format("no run has the contender \"{}\"", name))
        .WithHint(fmt::format("They have:{}.", names));
  }
  return Status::Ok();
}

bool IsOlder(const Run& a, const Run& b) {
  return std::tie(a.info.started_at, a.info.run_id) < std::tie(b.info.started_at, b.info.run_id);
}

}  // namespace

double HistorySeries::newest_level() const {
  const size_t begin = changes.empty() ? 0 : changes.back().value;
  return MedianOf({values.begin() + static_cast<ptrdiff_t>(begin), values.end()});
}

Result<History> MakeHistory(std::vector<Run> runs, const HistoryOptions& options) {
  CONNBENCH_RETURN_IF_ERROR(CheckMetrics(options.metrics));
  History history;
  std::erase_if(runs, [&](const Run& run) {
    if (run.info.outcome == "complete") return false;
    history.notes.push_back(fmt::format("The run {} is not complete ({}), and is left out.",
                                        run.info.run_id, run.info.outcome));
    return true;
  });
  if (runs.empty()) {
    return Status::Error(sqlstate::kInvalidParameterValue, "there is no complete run")
        .WithHint(history.notes.empty() ? "Give a folder that holds folders of runs."
                                        : history.notes.front());
  }
  CONNBENCH_RETURN_IF_ERROR(CheckContenders(runs, options));
  std::sort(runs.begin(), runs.end(), IsOlder);
  std::map<std::pair<std::string, std::string>, std::vector<const Run*>> by_group;
  for (const Run& run : runs) by_group[{run.info.suite, MachineOf(run.info)}].push_back(&run);
  size_t series_count = 0;
  for (const auto& [name, members] : by_group) {
    HistoryGroup group;
    std::tie(group.suite, group.machine) = name;
    SeriesByName all;
    const results::RunInfo* before = nullptr;
    for (const Run* run : members) {
      AddRun(*run, group.runs.size(), options, all);
      group.runs.push_back(DescribeRun(run->info, before));
      before = &run->info;
    }
    for (auto& [key, series] : all) {
      if (AllZero(series)) continue;
      KeepNewest(series);
      group.series.push_back(std::move(series));
    }
    series_count += group.series.size();
    history.groups.push_back(std::move(group));
  }
  std::stable_sort(history.groups.begin(), history.groups.end(),
                   [](const HistoryGroup& a, const HistoryGroup& b) {
                     return a.runs.back().started_at > b.runs.back().started_at;
                   });
  if (series_count == 0) {
    return Status::Error(sqlstate::kInvalidParameterValue,
                         "no run has a valid trial with any of these metrics")
        .WithHint("\"connbench list metrics\" shows what is measured under which pattern.");
  }
  history.bound = kHistoryFalseAlarms / static_cast<double>(series_count);
  for (HistoryGroup& group : history.groups) {
    for (HistorySeries& series : group.series) Judge(series, history.bound);
  }
  return history;
}

Result<History> ReadHistory(const std::string& folder, const HistoryOptions& options) {
  std::error_code error;
  std::vector<std::string> folders;
  for (const auto& entry : std::filesystem::directory_iterator(folder, error)) {
    // results/latest is a link to one of the others.
    if (entry.is_symlink() || !entry.is_directory()) continue;
    if (std::filesystem::exists(entry.path() / "run.json")) folders.push_back(entry.path());
  }
  if (error) {
    return Status::System(fmt::format("could not read the folder {}", folder), error.value());
  }
  if (folders.empty()) {
    const bool is_run = std::filesystem::exists(std::filesystem::path(folder) / "run.json");
    return Status::Error(sqlstate::kInvalidParameterValue,
                         fmt::format("{} {}", folder,
                                     is_run ? "is a run, not a folder of runs"
                                            : "has no folder of a run in it"))
        .WithHint("Give the folder into which \"connbench run -o FOLDER/NAME\" wrote its runs.");
  }
  std::sort(folders.begin(), folders.end());
  std::vector<Run> runs;
  std::vector<std::string> unreadable;
  for (const std::string& name : folders) {
    Result<Run> run = Run::Load(name);
    if (!run.ok()) {
      unreadable.push_back(
          fmt::format("A run could not be read, and is left out: {}.", run.status().ToString()));
      continue;
    }
    // Only trials are looked at, and there may be many runs.
    Run kept;
    kept.info = std::move(run->info);
    kept.trials = std::move(run->trials);
    runs.push_back(std::move(kept));
  }
  if (runs.empty()) {
    return Status::Error(sqlstate::kInvalidParameterValue,
                         fmt::format("none of the runs in {} can be read", folder))
        .WithHint(unreadable.front());
  }
  CONNBENCH_ASSIGN_OR_RETURN(History history, MakeHistory(std::move(runs), options));
  history.folder = folder;
  history.unreadable = unreadable.size();
  history.notes.insert(history.notes.end(), unreadable.begin(), unreadable.end());
  return history;
}

int ExitCodeOf(const History& history) {
  for (const HistoryGroup& group : history.groups) {
    for (const HistorySeries& series : group.series) {
      if (group.IsWorse(series)) return kExitRegression;
    }
  }
  if (history.unreadable > 0) return kExitErrors;
  const HistoryGroup& newest = history.groups.front();
  const bool judged =
      std::any_of(newest.series.begin(), newest.series.end(), [&](const HistorySeries& series) {
        return newest.HasNewest(series) && series.runs_needed == 0;
      });
  return judged ? kExitOk : kExitInconclusive;
}

}  // namespace connbench::answers
