// Settings that change nothing: of the suite or of the command line, and of no contender.
#include "harness/suite/unused_settings.h"

#include <fmt/format.h>

#include <algorithm>

#include "harness/suite/contenders.h"
#include "harness/targets/target_list.h"
#include "models/setting_readers.h"

namespace connbench::suite {
namespace {

using Contenders = std::vector<targets::TargetName>;

// A crossover is one experiment with its two models.
std::vector<Experiment> ExperimentsOf(const Suite& suite) {
  if (!suite.crossover) return suite.experiments;
  Experiment experiment = suite.crossover->experiment;
  experiment.models = {suite.crossover->base, suite.crossover->candidate};
  return {std::move(experiment)};
}

bool Concerns(const targets::TargetName& contender, const std::string& setting) {
  if (targets::ConcernedSettings(contender.parts, {{setting, ""}}).empty()) return false;
  // A server that is not ours has the setting, or it would not be here.
  return contender.model.empty() || models::ConcernsModel(setting, contender.model);
}

bool ConcernsAny(const Contenders& contenders, const std::string& setting) {
  return std::any_of(contenders.begin(), contenders.end(),
                     [&](const auto& contender) { return Concerns(contender, setting); });
}

bool HasAxis(const Experiment& experiment, const std::string& setting) {
  return std::any_of(experiment.settings.begin(), experiment.settings.end(),
                     [&](const SettingAxis& axis) { return axis.name == setting; });
}

Contenders ContendersOf(const Suite& suite, const Experiment& experiment,
                        const PlanOverrides& overrides) {
  auto found = FindContenders(suite, experiment, overrides);
  return found.ok() ? std::move(*found) : Contenders();
}

}  // namespace

std::vector<std::string> FindUnusedSettings(const Suite& suite, const PlanOverrides& overrides) {
  std::vector<std::string> unused;
  const std::string file = suite.path.empty() ? suite.name : suite.path;
  const std::vector<Experiment> experiments = ExperimentsOf(suite);
  for (const auto& [name, value] : suite.settings) {
    bool concerns = false;
    bool stays = false;
    for (const Experiment& experiment : experiments) {
      if (!ConcernsAny(ContendersOf(suite, experiment, {}), name)) continue;
      concerns = true;
      stays = stays || !HasAxis(experiment, name);
    }
    if (stays) continue;
    unused.push_back(fmt::format("{}: {} in [set] has no effect: {}", file, name,
                                 concerns ? "each experiment that it concerns sets it itself"
                                          : "it concerns none of the contenders"));
  }
  for (const Experiment& experiment : experiments) {
    for (const SettingAxis& axis : experiment.settings) {
      if (ConcernsAny(ContendersOf(suite, experiment, {}), axis.name)) continue;
      unused.push_back(
          fmt::format("{}: {} has no effect: it concerns none of the experiment's contenders",
                      experiment.where, axis.name));
    }
  }
  for (const auto& [name, value] : overrides.settings) {
    const bool concerns =
        std::any_of(experiments.begin(), experiments.end(), [&](const Experiment& experiment) {
          return ConcernsAny(ContendersOf(suite, experiment, overrides), name);
        });
    if (concerns) continue;
    unused.push_back(
        fmt::format("--set {}={} has no effect: it concerns none of the contenders", name, value));
  }
  return unused;
}

}  // namespace connbench::suite
