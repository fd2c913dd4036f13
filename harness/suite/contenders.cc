// Which models and targets an experiment measures side by side.
#include "harness/suite/contenders.h"

#include <string>
#include <utility>

#include "models/model_list.h"

namespace connbench::suite {

Result<std::vector<targets::TargetName>> FindContenders(const Suite& suite,
                                                        const Experiment& experiment,
                                                        const PlanOverrides& overrides) {
  using Names = std::vector<std::string>;
  const std::pair<const Names&, const Names&> sources[] = {{overrides.models, overrides.targets},
                                                           {experiment.models, experiment.targets},
                                                           {suite.models, suite.targets}};
  Names names;
  for (const auto& [models, targets] : sources) {
    if (!names.empty()) break;
    names.insert(names.end(), models.begin(), models.end());
    names.insert(names.end(), targets.begin(), targets.end());
  }
  if (names.empty()) {
    for (const models::ModelDescription& model : models::AllModels())
      names.emplace_back(model.name);
  }
  std::vector<targets::TargetName> contenders;
  for (const std::string& name : names) {
    CONNBENCH_ASSIGN_OR_RETURN(targets::TargetName contender, targets::FindTarget(name));
    contenders.push_back(std::move(contender));
  }
  return contenders;
}

}  // namespace connbench::suite
