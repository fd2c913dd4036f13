// The table of functions and operators.
#include "engine/executor/expression/functions.h"

#include <algorithm>
#include <vector>

namespace connbench::engine {
namespace {

using Index = std::vector<const FunctionDescription*>;

Index MakeIndex(bool operators) {
  Index index;
  for (auto family :
       {ComparisonFunctions(),   IntegerFunctions(),   RealFunctions(),      NumericFunctions(),
        TextFunctions(),         SearchFunctions(),    PatternFunctions(),   TimeFunctions(),
        DateFunctions(),         IntervalFunctions(),  TimeOfDayFunctions(), BytesFunctions(),
        JsonFunctions(),         CharacterFunctions(), CountFunctions(),     DigestFunctions(),
        FormatFunctions(),       MakeTimeFunctions(),  PictureFunctions(),   RegexpFunctions(),
        TrigonometryFunctions(), SystemFunctions(),    CatalogFunctions(),   ArrayFunctions(),
        LackingFunctions()}) {
    for (const FunctionDescription& row : family) {
      if (row.is_operator == operators) index.push_back(&row);
    }
  }
  std::stable_sort(index.begin(), index.end(),
                   [](const auto* a, const auto* b) { return a->name < b->name; });
  return index;
}

std::span<const FunctionDescription* const> Find(const Index& index, std::string_view name) {
  const auto first = std::lower_bound(
      index.begin(), index.end(), name,
      [](const FunctionDescription* row, std::string_view n) { return row->name < n; });
  auto last = first;
  while (last != index.end() && (*last)->name == name) ++last;
  return {first, last};
}

}  // namespace

std::span<const FunctionDescription* const> FindFunctions(std::string_view name) {
  static const Index kIndex = MakeIndex(false);
  return Find(kIndex, name);
}

std::span<const FunctionDescription* const> FindOperators(std::string_view name) {
  static const Index kIndex = MakeIndex(true);
  return Find(kIndex, name);
}

}  // namespace connbench::engine
