// From a suite to the trials that are run.
#include "harness/suite/plan.h"

#include <fmt/format.h>

#include <algorithm>
#include <filesystem>
#include <map>
#include <random>
#include <regex>
#include <set>
#include <utility>

#include "base/number.h"
#include "engine/config.h"
#include "harness/suite/contenders.h"
#include "harness/workload/parameter.h"
#include "models/model_list.h"
#include "results/connection_limit.h"

namespace connbench::suite {
namespace {

// Start, set-up, checkpoints and end of a server, as two quiet cores need for a model and for other
// servers: a guess until the first trial has shown it.
constexpr int64_t kModelOverheadNs = 500 * kNanosecondsPerMillisecond;
constexpr int64_t kServerOverheadNs = 1'300 * kNanosecondsPerMillisecond;

// Draws an index below bound. Not std::uniform_int_distribution or std::shuffle, whose results
// depend on the library: a seed must give the same order everywhere.
uint64_t Draw(std::mt19937_64& random, uint64_t bound) {
  const uint64_t limit = UINT64_MAX - UINT64_MAX % bound;
  uint64_t value = random();
  while (value >= limit) value = random();
  return value % bound;
}

template <typename T>
void Shuffle(std::vector<T>& items, std::mt19937_64& random) {
  for (size_t i = items.size(); i > 1; --i) std::swap(items[i - 1], items[Draw(random, i)]);
}

// All combinations of one value per axis.
std::vector<targets::Settings> Combine(const std::vector<SettingAxis>& axes) {
  std::vector<targets::Settings> combinations = {{}};
  for (const SettingAxis& axis : axes) {
    std::vector<targets::Settings> longer;
    for (const targets::Settings& combination : combinations) {
      for (const std::string& value : axis.values) {
        longer.push_back(combination);
        longer.back().emplace_back(axis.name, value);
      }
    }
    combinations = std::move(longer);
  }
  return combinations;
}

bool Sets(const targets::Settings& settings, std::string_view name) {
  return std::any_of(settings.begin(), settings.end(),
                     [&](const auto& setting) { return setting.first == name; });
}

// Later values of the same name win.
void Override(targets::Settings& settings,
              const std::vector<std::pair<std::string, std::string>>& with) {
  for (const auto& [name, value] : with) {
    std::erase_if(settings, [&name = name](const auto& setting) { return setting.first == name; });
    settings.emplace_back(name, value);
  }
}

class Planner {
 public:
  Planner(const Suite& suite, const PlanOverrides& overrides)
      : suite_(suite), overrides_(overrides) {}

  Result<std::vector<Cell>> MakeCells() {
    CONNBENCH_RETURN_IF_ERROR(CheckOverrides());
    for (const Experiment& experiment : suite_.experiments) {
      CONNBENCH_RETURN_IF_ERROR(AddExperiment(experiment));
    }
    return std::move(cells_);
  }

 private:
  Status CheckOverrides() const {
    for (const std::string& model : overrides_.models) {
      if (const auto found = models::FindModel(model); !found.ok()) return found.status();
    }
    for (const auto& [name, value] : overrides_.settings) {
      CONNBENCH_RETURN_IF_ERROR(targets::CheckSetting(name, value));
    }
    return Status::Ok();
  }

  // An error with the place in the suite's file.
  static Status AtPlace(const Experiment& experiment, Status status) {
    if (status.ok() || experiment.where.empty()) return status;
    return Status::Error(status.code(),
                         fmt::format("{}: {}", experiment.where, status.error().message))
        .WithHint(status.error().hint);
  }

  Status AddExperiment(const Experiment& experiment) {
    Result<load::Workload> found = experiment.resolved
                                       ? Result<load::Workload>(*experiment.resolved)
                                       : load::FindWorkload(experiment.workload);
    if (!found.ok()) {
      return AtPlace(experiment, found.TakeStatus());
    }
    load::Workload workload = std::move(*found);
    if (experiment.duration_ns) workload.duration_ns = *experiment.duration_ns;
    if (experiment.warmup_ns) workload.warmup_ns = *experiment.warmup_ns;
    if (overrides_.duration_ns > 0) workload.duration_ns = overrides_.duration_ns;
    if (!experiment.ladder.empty()) workload.ladder = experiment.ladder;
    if (experiment.protocol) workload.protocol = *experiment.protocol;
    CONNBENCH_ASSIGN_OR_RETURN(const std::vector<targets::TargetName> contenders,
                               FindContenders(suite_, experiment, overrides_));
    for (const SettingAxis& parameter : experiment.parameters) {
      CONNBENCH_RETURN_IF_ERROR(AtPlace(experiment, load::CheckUsed(workload, parameter.name)));
    }
    std::vector<int> counts = experiment.connections;
    if (!overrides_.connections.empty()) counts = overrides_.connections;
    if (counts.empty()) counts = {workload.connections};
    for (const int connections : counts) {
      workload.connections = connections;
      for (const targets::TargetName& contender : contenders) {
        for (const Parameters& parameters : Combine(experiment.parameters)) {
          load::Workload varied = workload;
          for (const auto& [name, value] : parameters) {
            CONNBENCH_RETURN_IF_ERROR(load::SetParameter(varied, name, value));
          }
          for (const targets::Settings& axis_values : Combine(experiment.settings)) {
            AddCell(experiment, varied, contender, parameters, axis_values);
          }
        }
      }
    }
    return Status::Ok();
  }

  void AddCell(const Experiment& experiment, const load::Workload& workload,
               const targets::TargetName& target, const Parameters& parameters,
               const targets::Settings& axis_values) {
    Cell cell;
    cell.parameters = parameters;
    cell.name = fmt::format("{}/workload:{}/connections:{}", target.cell, workload.name,
                            workload.connections);
    if (experiment.protocol) {
      cell.name += fmt::format("/protocol:{}", load::Name(*experiment.protocol));
    }
    for (const auto& [name, value] : parameters) cell.name += fmt::format("/{}:{}", name, value);
    for (const auto& [name, value] : targets::ConcernedSettings(target.parts, axis_values)) {
      cell.name += fmt::format("/{}:{}", name, value);
    }
    // Named twice, or an axis that does not concern this target.
    if (!names_.insert(cell.name).second) return;
    cell.target = target;
    cell.workload = workload;
    cell.files_folder = suite_.files_folder;
    std::erase_if(cell.workload.ladder,
                  [&](int step) { return step >= cell.workload.connections; });
    Override(cell.settings, suite_.settings);
    Override(cell.settings, axis_values);
    Override(cell.settings, overrides_.settings);
    cell.settings = targets::ConcernedSettings(target.parts, cell.settings);
    // A server of ours takes it; others have limits of their own.
    const bool sized = !targets::ConcernedSettings(target.parts, {{"max_connections", ""}}).empty();
    if (sized && !Sets(cell.settings, "max_connections")) {
      const engine::EngineConfig defaults;
      const int needed = workload.total_connections() + results::kConnectionsBeyondTheLoad;
      if (needed > defaults.max_connections) {
        cell.settings.emplace_back("max_connections", std::to_string(needed));
        cell.raised_max_connections = needed;
      }
    }
    cell.repetitions = experiment.repetitions.value_or(suite_.repetitions);
    cell.until = experiment.until ? experiment.until : suite_.until;
    if (overrides_.repetitions > 0) {
      // So many and no more.
      cell.repetitions = overrides_.repetitions;
      cell.until.reset();
    }
    if (cell.files_folder.empty()) {
      cell.ForEachFile(
          [](std::string& path) { path = std::filesystem::absolute(path).lexically_normal(); });
    }
    cells_.push_back(std::move(cell));
  }

  const Suite& suite_;
  const PlanOverrides& overrides_;
  std::set<std::string> names_;
  std::vector<Cell> cells_;
};

std::string JoinPairs(const std::vector<std::pair<std::string, std::string>>& pairs) {
  std::string text;
  for (const auto& [name, value] : pairs) {
    if (!text.empty()) text += ' ';
    text += fmt::format("{}={}", name, value);
  }
  return text;
}

Status Filter(const std::string& filter, std::vector<Cell>& cells) {
  if (filter.empty()) return Status::Ok();
  try {
    const std::regex pattern(filter);
    std::erase_if(cells, [&](const Cell& cell) { return !std::regex_search(cell.name, pattern); });
  } catch (const std::regex_error& error) {
    return Status::Error(
        sqlstate::kInvalidParameterValue,
        fmt::format("--filter \"{}\" is no regular expression: {}", filter, error.what()));
  }
  return Status::Ok();
}

}  // namespace

std::string Plan::DescribeRaised() const {
  std::map<int, std::vector<std::string_view>> cells_by_limit;
  for (const Cell& cell : cells) {
    if (cell.raised_max_connections > 0) {
      cells_by_limit[cell.raised_max_connections].push_back(cell.name);
    }
  }
  if (cells_by_limit.empty()) return {};
  std::string text =
      fmt::format("max_connections was raised above its default, {}, where the load needs more:\n",
                  engine::EngineConfig().max_connections);
  for (const auto& [limit, names] : cells_by_limit) {
    text += fmt::format("  to {} in {}{}\n", limit, names.front(),
                        names.size() == 1 ? ""
                                          : fmt::format(" and {} more {}", names.size() - 1,
                                                        names.size() == 2 ? "cell" : "cells"));
  }
  return text + "With --set max_connections=N it stays N, and rejected connects are counted.\n";
}

std::string Cell::SettingsText() const { return JoinPairs(settings); }

std::string Cell::ContenderKey() const {
  std::string key = target.cell;
  for (const auto& [setting, value] : settings) {
    if (setting != "max_connections") key += fmt::format("/{}:{}", setting, value);
  }
  return key;
}

std::vector<std::string> Cell::ChosenRejections() const {
  std::vector<std::string> states;
  const auto add_if_below = [&](std::string_view setting, int needed, std::string_view state) {
    const auto limit = ParseWholeNumber(targets::ValueOf(settings, setting), 0, kMaxConnections);
    if (limit.ok() && *limit < needed) states.emplace_back(state);
  };
  const int clients = workload.total_connections();
  const engine::EngineConfig defaults;
  add_if_below("max_connections", clients + defaults.superuser_reserved_connections,
               sqlstate::kTooManyConnections);
  // PgBouncer's own words for it are those of a protocol violation.
  add_if_below("pgbouncer.max_client_conn", clients, sqlstate::kProtocolViolation);
  return states;
}

std::string Cell::ParametersText() const { return JoinPairs(parameters); }

observe::Demand Plan::MachineDemand() const {
  observe::Demand demand;
  for (const Cell& cell : cells) {
    const int64_t connections = cell.workload.connections;
    demand.connections = std::max(demand.connections, connections);
    if (load::RowOf(cell.workload.pattern).Has(load::kReleasedTogether)) {
      demand.storm = std::max(demand.storm, connections);
    }
  }
  return demand;
}

void Cell::ForEachFile(const std::function<void(std::string& path)>& move) {
  targets::ForEachFile(settings, move);
  std::string file = targets::FileOfTarget(target.text);
  if (file.empty()) return;
  move(file);
  target.text = targets::TargetWithFile(target.text, file);
}

targets::TargetRequest Cell::Request() const {
  Cell found = *this;
  if (!files_folder.empty()) {
    found.ForEachFile([&](std::string& path) {
      path = std::filesystem::absolute(std::filesystem::path(files_folder) / path).string();
    });
  }
  return {std::move(found.target), std::move(found.settings), workload.protocol,
          workload.total_connections()};
}

int64_t Plan::EstimatedNs(const Trial& trial) const {
  const Cell& cell = cells[trial.cell];
  const load::Workload& workload = cell.workload;
  const int64_t overhead_ns =
      cell.target.target == "builtin" ? kModelOverheadNs : kServerOverheadNs;
  // A storm has no duration: it ends when all are served.
  if (load::RowOf(workload.pattern).Has(load::kCrowd)) return overhead_ns;
  return overhead_ns + workload.warmup_ns + workload.duration_ns;
}

Result<Plan> MakePlan(const Suite& suite, const PlanOverrides& overrides) {
  Plan plan;
  plan.suite = suite.name;
  plan.seed = overrides.has_seed ? overrides.seed : suite.seed;
  if (suite.crossover) {
    // The bisection decides what is measured; a first cell shows mistakes before anything runs.
    plan.crossover = suite.crossover;
    if (overrides.repetitions > 0) {
      plan.crossover->repetitions = plan.crossover->max_repetitions = overrides.repetitions;
    }
    const Result<Cell> first =
        MakeCrossoverCell(suite, overrides, suite.crossover->base, suite.crossover->from);
    if (!first.ok()) return first.status();
    Experiment& experiment = plan.crossover->experiment;
    if (!experiment.resolved) {
      CONNBENCH_ASSIGN_OR_RETURN(experiment.resolved, load::FindWorkload(experiment.workload));
    }
    plan.cells = {*first};
    return plan;
  }
  CONNBENCH_ASSIGN_OR_RETURN(plan.cells, Planner(suite, overrides).MakeCells());
  CONNBENCH_RETURN_IF_ERROR(Filter(overrides.filter, plan.cells));
  if (plan.cells.empty()) {
    return Status::Error(
               sqlstate::kInvalidParameterValue,
               fmt::format("no cell of {} fits --filter \"{}\"", suite.name, overrides.filter))
        .WithHint(
            "Names of cells look like model:fork/workload:storm/connections:500; see --dry-run.");
  }
  std::mt19937_64 random(plan.seed);
  int most = 0;
  for (const Cell& cell : plan.cells) most = std::max(most, cell.MostRepetitions());
  for (int repetition = 1; repetition <= most; ++repetition) {
    std::vector<Trial> block;
    for (size_t cell = 0; cell < plan.cells.size(); ++cell) {
      if (repetition <= plan.cells[cell].MostRepetitions()) block.push_back({cell, repetition, 0});
    }
    Shuffle(block, random);
    for (Trial& trial : block) {
      // Positive as a CSV integer.
      trial.seed = random() >> 1;
      plan.trials.push_back(trial);
    }
  }
  return plan;
}

Result<Cell> MakeCrossoverCell(const Suite& suite, const PlanOverrides& overrides,
                               const std::string& model, int64_t value) {
  const Crossover& crossover = *suite.crossover;
  Suite single = suite;
  single.crossover.reset();
  single.targets.clear();
  single.experiments = {crossover.experiment};
  single.experiments[0].models = {model};
  single.experiments[0].parameters = {{crossover.parameter, {fmt::format("{}", value)}}};
  PlanOverrides same = overrides;
  same.models.clear();
  same.targets.clear();
  CONNBENCH_ASSIGN_OR_RETURN(std::vector<Cell> cells, Planner(single, same).MakeCells());
  return std::move(cells.front());
}

Suite SuiteOfWorkload(const std::string& workload) {
  Suite suite;
  suite.name = workload;
  Experiment experiment;
  experiment.workload = workload;
  suite.experiments.push_back(std::move(experiment));
  return suite;
}

}  // namespace connbench::suite
