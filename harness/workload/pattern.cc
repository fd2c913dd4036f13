// Looks patterns up by name.
#include "harness/workload/pattern.h"

#include <algorithm>

namespace connbench::load {

const PatternRow* FindPattern(std::string_view name) {
  const auto* found = std::find_if(kPatterns.begin(), kPatterns.end(),
                                   [name](const PatternRow& row) { return row.name == name; });
  return found == kPatterns.end() ? nullptr : found;
}

std::vector<std::string_view> PatternNames(uint32_t all) {
  std::vector<std::string_view> names;
  for (const PatternRow& row : kPatterns) {
    if ((row.needs & all) == all) names.push_back(row.name);
  }
  return names;
}

}  // namespace connbench::load
