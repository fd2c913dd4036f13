// Which family a contender belongs to.
#include <algorithm>
#include <utility>

#include "plots/chart.h"

namespace connbench::plots {
namespace {

constexpr std::pair<std::string_view, Family> kModels[] = {
#define CONNBENCH_FAMILY(model, family) {model, Family::family},
#include "plots/families.def"
#undef CONNBENCH_FAMILY
};

}  // namespace

std::string_view FamilyName(Family family) {
  switch (family) {
    case Family::kProcess:
      return "process";
    case Family::kThread:
      return "thread";
    case Family::kPool:
      return "pool";
    case Family::kLoop:
      return "loop";
    case Family::kForeign:
      return "foreign";
  }
  return "";
}

Family FamilyOf(std::string_view contender) {
  const auto* found = std::find_if(std::begin(kModels), std::end(kModels),
                                   [&](const auto& row) { return row.first == contender; });
  return found == std::end(kModels) ? Family::kForeign : found->second;
}

}  // namespace connbench::plots
