// Exact tests by relabelling.
#include "harness/stats/permutation.h"

#include <algorithm>
#include <cmath>
#include <numeric>
#include <random>
#include <vector>

#include "harness/stats/mean.h"

namespace connbench::stats {
namespace {

constexpr uint64_t kSeed = 1;
constexpr double kRelabelledShare = 0.95;
// Sums of the same values in another order differ by rounding.
constexpr double kRounding = 1e-9;

std::vector<double> Centred(std::span<const double> values) {
  const double mean = MeanOf(values);
  std::vector<double> centred(values.begin(), values.end());
  for (double& value : centred) value -= mean;
  return centred;
}

// Absolute means of the differences, each with either sign.
std::vector<double> FlippedMeans(std::span<const double> differences, bool& complete) {
  const size_t n = differences.size();
  complete = n < 64 && (uint64_t{1} << n) <= kMaxArrangements;
  const uint64_t count = complete ? uint64_t{1} << n : kMaxArrangements;
  std::mt19937_64 random(kSeed);
  std::vector<double> means;
  means.reserve(count);
  for (uint64_t i = 0; i < count; ++i) {
    double sum = 0;
    uint64_t signs = 0;
    for (size_t at = 0; at < n; ++at) {
      if (at % 64 == 0) signs = complete ? i : random();
      sum += (signs >> (at % 64) & 1) != 0 ? differences[at] : -differences[at];
    }
    means.push_back(std::abs(sum / static_cast<double>(n)));
  }
  return means;
}

// n over k, or a number above kMaxArrangements.
size_t Choose(size_t n, size_t k) {
  double ways = 1;
  for (size_t i = 1; i <= k; ++i) {
    ways = ways * static_cast<double>(n - k + i) / static_cast<double>(i);
    if (ways > static_cast<double>(kMaxArrangements)) return kMaxArrangements + 1;
  }
  return static_cast<size_t>(std::llround(ways));
}

// Absolute differences of the means of two sides made of the same values.
std::vector<double> RedealtDifferences(std::span<const double> base,
                                       std::span<const double> candidate, bool& complete) {
  std::vector<double> all(base.begin(), base.end());
  all.insert(all.end(), candidate.begin(), candidate.end());
  const double total = std::accumulate(all.begin(), all.end(), 0.0);
  const auto a = static_cast<double>(base.size());
  const auto b = static_cast<double>(candidate.size());
  complete = Choose(all.size(), base.size()) <= kMaxArrangements;
  std::vector<double> differences;
  const auto add = [&](double base_sum) {
    differences.push_back(std::abs((total - base_sum) / b - base_sum / a));
  };
  if (complete) {
    std::vector<bool> is_base(all.size(), false);
    std::fill(is_base.begin(), is_base.begin() + static_cast<ptrdiff_t>(base.size()), true);
    do {
      double sum = 0;
      for (size_t i = 0; i < all.size(); ++i) sum += is_base[i] ? all[i] : 0;
      add(sum);
    } while (std::prev_permutation(is_base.begin(), is_base.end()));
    return differences;
  }
  std::mt19937_64 random(kSeed);
  for (size_t draw = 0; draw < kMaxArrangements; ++draw) {
    double sum = 0;
    for (size_t i = 0; i < base.size(); ++i) {
      std::swap(all[i], all[i + random() % (all.size() - i)]);
      sum += all[i];
    }
    add(sum);
  }
  return differences;
}

double ShareAtLeast(const std::vector<double>& values, double observed, bool complete) {
  const double bound = observed - kRounding * (1 + observed);
  const auto reached = static_cast<double>(
      std::count_if(values.begin(), values.end(), [&](double value) { return value >= bound; }));
  const auto count = static_cast<double>(values.size());
  // What was observed is a labelling, too, whether it was drawn or not.
  return complete ? reached / count : (reached + 1) / (count + 1);
}

double HighShareOf(std::vector<double> values) {
  const auto at =
      values.begin() +
      static_cast<ptrdiff_t>(std::ceil(kRelabelledShare * static_cast<double>(values.size()))) - 1;
  std::nth_element(values.begin(), at, values.end());
  return *at;
}

}  // namespace

double PermutationP(std::span<const double> base, std::span<const double> candidate) {
  if (base.empty() || candidate.empty()) return 1;
  bool complete = false;
  const std::vector<double> differences = RedealtDifferences(base, candidate, complete);
  return ShareAtLeast(differences, std::abs(MeanOf(candidate) - MeanOf(base)), complete);
}

double SignFlipP(std::span<const double> differences) {
  if (differences.empty()) return 1;
  bool complete = false;
  const std::vector<double> means = FlippedMeans(differences, complete);
  return ShareAtLeast(means, std::abs(MeanOf(differences)), complete);
}

double RelabelledPairs(std::span<const double> differences) {
  if (differences.empty()) return 0;
  bool complete = false;
  return HighShareOf(FlippedMeans(Centred(differences), complete));
}

double RelabelledSides(std::span<const double> base, std::span<const double> candidate) {
  if (base.empty() || candidate.empty()) return 0;
  bool complete = false;
  return HighShareOf(RedealtDifferences(Centred(base), Centred(candidate), complete));
}

}  // namespace connbench::stats
