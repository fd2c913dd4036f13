// What a gate measures: its cells and rows.
#include "harness/gate/gate_plan.h"

#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <optional>

#include "base/units.h"
#include "harness/suite/suite_file.h"
#include "results/metrics.h"
#include "results/schema.h"

namespace connbench::gate {
namespace {

Status CheckOptions(const GateOptions& options) {
  if (options.window_ns < kShortestWindowNs) {
    return Status::Error(
        sqlstate::kInvalidParameterValue,
        fmt::format("a window of {} holds too little: at least {}",
                    FormatDuration(options.window_ns), FormatDuration(kShortestWindowNs)));
  }
  if (options.budget_ns <= 0) {
    return Status::Error(sqlstate::kInvalidParameterValue, "the budget must be above 0");
  }
  if (options.workloads.empty()) {
    return Status::Error(sqlstate::kInvalidParameterValue, "name at least one workload");
  }
  return Status::Ok();
}

// The workloads of one side as a suite has them, so that the same code makes their cells.
Result<std::vector<suite::Cell>> MakeCells(const GateOptions& options, Side side) {
  suite::Suite suite;
  suite.name = "gate";
  suite.repetitions = 1;
  suite.targets = {options.contenders[side]};
  for (const std::string& workload : options.workloads) {
    suite::Experiment experiment;
    experiment.workload = workload;
    experiment.duration_ns = options.window_ns;
    if (options.connections > 0) experiment.connections = {options.connections};
    suite.experiments.push_back(std::move(experiment));
  }
  suite::PlanOverrides overrides;
  overrides.settings = options.common_settings;
  for (const auto& [name, value] : options.settings[side]) {
    std::erase_if(overrides.settings,
                  [&name = name](const auto& setting) { return setting.first == name; });
    overrides.settings.emplace_back(name, value);
  }
  CONNBENCH_ASSIGN_OR_RETURN(suite::Plan plan, suite::MakePlan(suite, overrides));
  for (suite::Cell& cell : plan.cells) {
    load::Workload& workload = cell.workload;
    if (load::RowOf(workload.pattern).Has(load::kDropped)) {
      return Status::Error(sqlstate::kFeatureNotSupported,
                           fmt::format("{} makes the server crash, and a gate's servers stay up",
                                       workload.name))
          .WithHint("Measure it with connbench run, and compare the runs.");
    }
    workload.warmup_ns = std::min(workload.warmup_ns, options.window_ns / kWarmupShare);
    workload.warmup_max_ns = workload.warmup_ns;
    cell.name = fmt::format("side:{}/{}", kSideNames[side], cell.name);
  }
  return std::move(plan.cells);
}

// Workloads that make the same table in different ways cannot share a server.
Status CheckTables(const std::vector<suite::Cell>& cells) {
  std::map<std::string, const load::Workload*> makers;
  for (const suite::Cell& cell : cells) {
    for (const std::string& table : cell.workload.tables) {
      const auto [found, is_new] = makers.emplace(table, &cell.workload);
      const load::Workload& other = *found->second;
      if (is_new || (other.setup.text == cell.workload.setup.text &&
                     other.scale == cell.workload.scale && other.define == cell.workload.define)) {
        continue;
      }
      return Status::Error(sqlstate::kInvalidParameterValue,
                           fmt::format("{} and {} make table {} in different ways", other.name,
                                       cell.workload.name, table))
          .WithHint("Gate them one after the other.");
    }
  }
  return Status::Ok();
}

std::string FormatSettings(const targets::Settings& settings) {
  std::string text;
  for (const auto& [name, value] : settings) {
    text += fmt::format("{}{}={}", text.empty() ? "" : " ", name, value);
  }
  return text;
}

}  // namespace

targets::TargetRequest GatePlan::Request(Side side) const {
  const std::vector<suite::Cell>& all = cells[side];
  const suite::Cell& largest =
      *std::max_element(all.begin(), all.end(), [](const suite::Cell& a, const suite::Cell& b) {
        return a.workload.total_connections() < b.workload.total_connections();
      });
  targets::TargetRequest request = largest.Request();
  for (const suite::Cell& cell : all) {
    if (cell.workload.protocol == load::ProtocolMode::kPrepared) {
      request.protocol = load::ProtocolMode::kPrepared;
    }
  }
  return request;
}

std::string GatePlan::Describe(Side side) const {
  const targets::TargetName& name = cells[side].front().target;
  const std::string settings =
      FormatSettings(targets::ConcernedSettings(name.parts, options.settings[side]));
  return settings.empty() ? name.text : fmt::format("{} ({})", name.text, settings);
}

bool GatePlan::IsStartedAnew(Side side) const {
  const std::vector<std::string>& parts = cells[side].front().target.parts;
  return std::find(parts.begin(), parts.end(), "dsn") == parts.end();
}

int64_t GatePlan::ShortestPairNs() const {
  int64_t shortest = INT64_MAX;
  for (const suite::Cell& cell : cells[kBase]) {
    const load::Workload& workload = cell.workload;
    const bool ends_by_itself = load::RowOf(workload.pattern).Has(load::kCrowd);
    shortest = std::min(shortest, ends_by_itself ? 0 : workload.warmup_ns + workload.duration_ns);
  }
  return static_cast<int64_t>(kSides) * shortest;
}

Result<GatePlan> MakeGatePlan(const GateOptions& options) {
  CONNBENCH_RETURN_IF_ERROR(CheckOptions(options));
  GatePlan plan;
  plan.options = options;
  for (const Side side : {kBase, kCandidate}) {
    CONNBENCH_ASSIGN_OR_RETURN(plan.cells[side], MakeCells(options, side));
    CONNBENCH_RETURN_IF_ERROR(CheckTables(plan.cells[side]));
  }
  for (const suite::Cell& cell : plan.cells[kBase]) {
    const size_t workload = plan.workloads.size();
    plan.workloads.push_back(cell.workload.name);
    for (const std::string_view metric :
         results::MetricsWith(load::Name(cell.workload.pattern), results::MetricRole::kGated)) {
      const auto* field = results::FindField<results::TrialRow>(std::string(metric));
      if (field == nullptr || field->column.better() == results::Better::kNeither) continue;
      plan.rows.push_back({workload, std::string(metric)});
      const bool higher = field->column.better() == results::Better::kHigher;
      plan.questions.push_back(
          {cell.workload.name, std::string(metric), std::string(field->column.unit),
           higher ? stats::Direction::kHigherIsBetter : stats::Direction::kLowerIsBetter,
           options.margin});
    }
  }
  return plan;
}

}  // namespace connbench::gate
