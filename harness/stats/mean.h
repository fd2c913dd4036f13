// The mean of some values; of none it is 0.
//
// Safety: a pure function; any thread.
#pragma once

#include <numeric>
#include <span>

namespace connbench::stats {

inline double MeanOf(std::span<const double> values) {
  if (values.empty()) return 0;
  return std::accumulate(values.begin(), values.end(), 0.0) / static_cast<double>(values.size());
}

}  // namespace connbench::stats
