// One chart of those that tests have drawn.
//
// Safety: a pure function; any thread. What it returns lives as long as charts.
#pragma once

#include <algorithm>
#include <string>
#include <vector>

#include "plots/chart.h"

namespace connbench::plots {

// Null: there is none of that name.
inline const Chart* Find(const std::vector<Chart>& charts, const std::string& name) {
  const auto found = std::find_if(charts.begin(), charts.end(),
                                  [&](const Chart& chart) { return chart.name == name; });
  return found == charts.end() ? nullptr : &*found;
}

}  // namespace connbench::plots
