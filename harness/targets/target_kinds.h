// What each kind of target brings: one pair of functions per row of targets.def.
//
// Safety: as TargetKind says (target_list.h).
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "harness/targets/target_list.h"

namespace connbench::targets {

#define CONNBENCH_TARGET(name, form, summary, packages)                           \
  Result<std::optional<TargetName>> Parse##name##Target(const std::string& text); \
  std::unique_ptr<Target> Make##name##Target(const TargetRequest& request,        \
                                             TargetEnvironment& environment);
#include "harness/targets/targets.def"
#undef CONNBENCH_TARGET

// Plain settings of ours that PostgreSQL has under the same name and with the same meaning.
bool PostgresHasSetting(std::string_view name);
Status CheckPgbouncerSetting(std::string_view name, std::string_view value);
Status CheckDsnSetting(std::string_view name, std::string_view value);

}  // namespace connbench::targets
