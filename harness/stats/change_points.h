// Change points of a series: where its values moved to another level, and stayed there. The method
// is E-divisive (Matteson and James, "A Nonparametric Approach for Multiple Change Point Analysis
// of Multivariate Data", JASA 109, 2014; for performance tests: Daly et al., "The Use of Change
// Point Detection to Identify Software Performance Regressions in a Continuous Integration System",
// ICPE 2020). A segment is split where the energy distance between what lies before the split and
// what lies behind it, up to any end, is largest when scaled for both lengths. (Up to any end: a
// level that comes and goes would otherwise hide between its neighbours.) The split counts if
// values in random order seldom reach that; then both sides are searched in the same way.
//
// The test supposes no distribution. It does suppose that values without a change could have come
// in any order: a machine that drifts has change points, and rightly so.
// Safety: pure functions, any thread; the random orders have a fixed seed, so that the same series
// always gives the same answer. Errors: none; values that are not finite give no change point.
#pragma once

#include <cstddef>
#include <span>
#include <vector>

namespace connbench::stats {

// Each side of a change has this many values: one alone is an outlier.
inline constexpr size_t kMinSegment = 2;
// Time grows with the square of a series' length; of a longer one give the newest values.
inline constexpr size_t kMaxSeries = 200;

struct ChangePoint {
  size_t at = 0;      // index of the first value on the new level
  double energy = 0;  // the scaled distance between the two sides
  double p = 1;       // how often values in random order reach it
};

// In the order of the series. bound: p of a change point is at most this. A segment that is too
// short to reach the bound has none. At most kMaxSeries values.
std::vector<ChangePoint> FindChangePoints(std::span<const double> series, double bound);

// Shortest series in which a change in the middle can be found with this bound.
size_t ValuesNeeded(double bound);

// The best split of a segment without a test: at == 0 if it is shorter than two kMinSegment.
ChangePoint BestSplit(std::span<const double> segment);

}  // namespace connbench::stats
