// Rounds of real A/A gates.
#include "harness/gate/testing/recorded_rounds.h"

#include <fmt/format.h>

#include <algorithm>
#include <cstdlib>
#include <set>
#include <sstream>
#include <vector>

#include "base/read_file.h"
#include "results/metrics.h"
#include "results/schema.h"

namespace connbench::gate {
namespace {

enum Column { kGate, kWorkload, kMetric, kRound, kBaseValue, kCandidateValue, kColumns };

std::vector<std::string> Split(const std::string& line) {
  std::vector<std::string> cells;
  std::istringstream in(line);
  for (std::string cell; std::getline(in, cell, ',');) cells.push_back(cell);
  return cells;
}

size_t RowFor(RecordedGates& gates, const std::string& workload, const std::string& metric) {
  GatePlan& plan = gates.plan;
  for (size_t row = 0; row < plan.questions.size(); ++row) {
    if (plan.questions[row].cell == workload && plan.questions[row].metric == metric) return row;
  }
  const auto known = std::find(plan.workloads.begin(), plan.workloads.end(), workload);
  const auto at = static_cast<size_t>(known - plan.workloads.begin());
  if (known == plan.workloads.end()) plan.workloads.push_back(workload);
  plan.rows.push_back({at, metric});
  const auto* field = results::FindField<results::TrialRow>(metric);
  const bool higher = field != nullptr && field->column.better() == results::Better::kHigher;
  plan.questions.push_back(
      {workload, metric, "",
       higher ? stats::Direction::kHigherIsBetter : stats::Direction::kLowerIsBetter,
       plan.options.margin});
  gates.rounds.emplace_back();
  return plan.rows.size() - 1;
}

}  // namespace

Result<std::map<std::string, RecordedGates>> ReadRecordedRounds(const std::string& path) {
  CONNBENCH_ASSIGN_OR_RETURN(const std::string text, ReadNamedFile("file of rounds", path));
  std::map<std::string, RecordedGates> models;
  // Where the rounds of each gate begin among those of its model.
  std::map<std::string, size_t> begins;
  std::map<std::string, size_t> ends;  // by model
  std::istringstream lines(text);
  std::string line;
  std::getline(lines, line);
  for (int number = 2; std::getline(lines, line); ++number) {
    const std::vector<std::string> cells = Split(line);
    const double base = cells.size() == kColumns ? std::atof(cells[kBaseValue].c_str()) : 0;
    const double candidate =
        cells.size() == kColumns ? std::atof(cells[kCandidateValue].c_str()) : 0;
    const int round = cells.size() == kColumns ? std::atoi(cells[kRound].c_str()) : 0;
    if (base <= 0 || candidate <= 0 || round < 1) {
      return Status::Error(sqlstate::kInvalidParameterValue,
                           fmt::format("{} is no file of rounds: line {}", path, number));
    }
    const std::string model = cells[kGate].substr(0, cells[kGate].rfind('-'));
    const size_t begin = begins.emplace(cells[kGate], ends[model]).first->second;
    const size_t at = begin + static_cast<size_t>(round) - 1;
    ends[model] = std::max(ends[model], at + 1);
    RecordedGates& gates = models[model];
    auto& rounds = gates.rounds[RowFor(gates, cells[kWorkload], cells[kMetric])];
    if (rounds.size() <= at) rounds.resize(at + 1);
    rounds[at] = stats::SequentialGate::RoundMeans{base, candidate};
  }
  for (auto& [model, gates] : models) {
    for (auto& rounds : gates.rounds) rounds.resize(ends[model]);
  }
  return models;
}

}  // namespace connbench::gate
