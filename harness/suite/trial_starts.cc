// Whether each contender starts with each of its settings.
#include "harness/suite/trial_starts.h"

#include <algorithm>
#include <utility>

namespace connbench::suite {
namespace {

Status StartAndStop(targets::Target& target) {
  CONNBENCH_RETURN_IF_ERROR(target.Prepare());
  CONNBENCH_RETURN_IF_ERROR(target.Start());
  return target.Stop().status();
}

}  // namespace

std::vector<StartAttempt> TryStarts(const std::vector<Cell>& cells,
                                    targets::TargetEnvironment& environment,
                                    Interruption& interruption) {
  std::vector<std::pair<std::string, const Cell*>> largest;  // in the plan's order
  for (const Cell& cell : cells) {
    const std::string key = cell.ContenderKey();
    const auto known = std::find_if(largest.begin(), largest.end(),
                                    [&](const auto& each) { return each.first == key; });
    if (known == largest.end()) {
      largest.emplace_back(key, &cell);
    } else if (known->second->workload.total_connections() < cell.workload.total_connections()) {
      known->second = &cell;
    }
  }
  std::vector<StartAttempt> attempts;
  for (const auto& [key, cell] : largest) {
    if (interruption.Requested()) break;
    const auto target = targets::MakeTarget(cell->Request(), environment);
    Status status = StartAndStop(*target);
    attempts.push_back({cell->target.cell, cell->SettingsText(), std::move(status)});
  }
  return attempts;
}

}  // namespace connbench::suite
