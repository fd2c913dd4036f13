// Change points by E-divisive with a permutation test.
#include "harness/stats/change_points.h"

#include <algorithm>
#include <cmath>
#include <random>

#include "base/assert.h"

namespace connbench::stats {
namespace {

constexpr uint64_t kShuffleSeed = 1;
// Of random orders that reach what was observed, as many as this are seen at the bound.
constexpr double kReachedAtBound = 5;
// Sums of the same values in another order differ by rounding.
constexpr double kShuffleRounding = 1e-9;

// up_to: working memory.
ChangePoint SplitOf(std::span<const double> segment, std::vector<double>& up_to) {
  ChangePoint best;
  const size_t n = segment.size();
  // up_to[i * width + j]: the sum of the distances from each of the first i to each of the first j.
  const size_t width = n + 1;
  up_to.assign(width * width, 0);
  for (size_t i = 1; i <= n; ++i) {
    double row = 0;
    for (size_t j = 1; j <= n; ++j) {
      row += std::abs(segment[i - 1] - segment[j - 1]);
      up_to[i * width + j] = up_to[(i - 1) * width + j] + row;
    }
  }
  for (size_t at = kMinSegment; at + kMinSegment <= n; ++at) {
    const double before = up_to[at * width + at];  // each pair twice
    for (size_t end = at + kMinSegment; end <= n; ++end) {
      const double to_end = up_to[at * width + end];
      const double between = to_end - before;
      const double behind = up_to[end * width + end] - 2 * to_end + before;
      const auto a = static_cast<double>(at);
      const auto b = static_cast<double>(end - at);
      const double distance =
          2 * between / (a * b) - before / (a * (a - 1)) - behind / (b * (b - 1));
      const double energy = a * b / (a + b) * distance;
      if (best.at == 0 || energy > best.energy) best = {at, energy, 1};
    }
  }
  return best;
}

// How often random orders of the segment have a split as good as observed: the share, or 1 as soon
// as it is known to be over the bound.
double ShareOfOrders(std::span<const double> segment, double observed, double bound) {
  std::vector<double> shuffled(segment.begin(), segment.end());
  std::vector<double> up_to;
  std::mt19937_64 random(kShuffleSeed);
  const double orders = std::ceil(kReachedAtBound / bound) - 1;
  const double floor = observed - kShuffleRounding * (1 + observed);
  double reached = 1;  // the order that was observed is one, too
  for (double order = 0; order < orders; ++order) {
    for (size_t i = shuffled.size() - 1; i > 0; --i) {
      std::swap(shuffled[i], shuffled[random() % (i + 1)]);
    }
    if (SplitOf(shuffled, up_to).energy < floor) continue;
    if (++reached > bound * (orders + 1)) return 1;
  }
  return reached / (orders + 1);
}

// What is found between begin and end, and on both sides of it.
void Search(std::span<const double> series, size_t begin, size_t end, double bound,
            std::vector<ChangePoint>& found) {
  const std::span<const double> segment = series.subspan(begin, end - begin);
  ChangePoint split = BestSplit(segment);
  if (split.at == 0 || split.energy <= 0) return;
  split.p = ShareOfOrders(segment, split.energy, bound);
  if (split.p > bound) return;
  split.at += begin;
  Search(series, begin, split.at, bound, found);
  found.push_back(split);
  Search(series, split.at, end, bound, found);
}

}  // namespace

ChangePoint BestSplit(std::span<const double> segment) {
  std::vector<double> up_to;
  return SplitOf(segment, up_to);
}

std::vector<ChangePoint> FindChangePoints(std::span<const double> series, double bound) {
  CONNBENCH_ASSERT(series.size() <= kMaxSeries, "time grows with the square of the length");
  CONNBENCH_ASSERT(bound > 0 && bound < 1, "a bound of p");
  std::vector<ChangePoint> found;
  const auto finite = [](double value) { return std::isfinite(value); };
  if (!std::all_of(series.begin(), series.end(), finite)) return found;
  Search(series, 0, series.size(), bound, found);
  return found;
}

size_t ValuesNeeded(double bound) {
  // If all values of one side lie beyond all of the other, two of the ways to draw one side from
  // all values give that split: this side first, or last. Twice as many leave room for chance.
  double ways = 1;
  size_t n = 1;
  while (4 / ways > bound) {
    ++n;
    ways = 1;
    for (size_t i = 1; i <= n / 2; ++i) {
      ways = ways * static_cast<double>(n - n / 2 + i) / static_cast<double>(i);
    }
  }
  return n;
}

}  // namespace connbench::stats
