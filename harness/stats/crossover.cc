// Where one curve overtakes another.
#include "harness/stats/crossover.h"

#include <algorithm>
#include <cmath>
#include <random>
#include <utility>

#include "harness/stats/mean.h"

namespace connbench::stats {
namespace {

constexpr int kMinPairs = 3;

double StandardError(const std::vector<double>& values) {
  const double mean = MeanOf(values);
  double squares = 0;
  for (const double value : values) squares += (value - mean) * (value - mean);
  const auto n = static_cast<double>(values.size());
  return std::sqrt(squares / (n - 1) / n);
}

// The closest curve that never rises: neighbours that do are pooled to their mean.
void MakeFalling(std::vector<double>& y) {
  struct Block {
    double sum = 0;
    size_t count = 0;
    double mean() const { return sum / static_cast<double>(count); }
  };
  std::vector<Block> blocks;
  for (const double value : y) {
    blocks.push_back({value, 1});
    while (blocks.size() > 1 && blocks.back().mean() > blocks[blocks.size() - 2].mean()) {
      blocks[blocks.size() - 2].sum += blocks.back().sum;
      blocks[blocks.size() - 2].count += blocks.back().count;
      blocks.pop_back();
    }
  }
  size_t at = 0;
  for (const Block& block : blocks) {
    for (size_t i = 0; i < block.count; ++i) y[at++] = block.mean();
  }
}

}  // namespace

std::string_view Name(CrossoverVerdict verdict) {
  switch (verdict) {
    case CrossoverVerdict::kCrosses:
      return "crosses";
    case CrossoverVerdict::kBaseAlwaysAhead:
      return "base always ahead";
    case CrossoverVerdict::kCandidateAlwaysAhead:
      return "candidate always ahead";
    case CrossoverVerdict::kCannotTell:
      return "cannot tell";
  }
  return "";
}

CrossoverSearch::CrossoverSearch(const CrossoverOptions& options) : options_(options) {
  options_.pairs = std::max(options_.pairs, kMinPairs);
  options_.max_pairs = std::max(options_.max_pairs, options_.pairs);
}

void CrossoverSearch::Add(int64_t x, double base, double candidate) {
  Value& value = values_[x];
  ++value.made;
  if (!(base > 0) || !(candidate > 0) || !std::isfinite(base) || !std::isfinite(candidate)) return;
  const double log_ratio = std::log(candidate / base);
  value.log_ratios.push_back(options_.direction == Direction::kHigherIsBetter ? log_ratio
                                                                              : -log_ratio);
}

CrossoverSearch::Side CrossoverSearch::SideAt(int64_t x) const {
  const auto found = values_.find(x);
  if (found == values_.end() || found->second.made < options_.pairs) return Side::kOpen;
  const Value& value = found->second;
  if (value.log_ratios.size() >= kMinPairs) {
    // A value is looked at after every pair; each look gets its share of the error that is allowed.
    const int looks = options_.max_pairs - options_.pairs + 1;
    const Interval mean = *MeanInterval(value.log_ratios, 1 - (1 - options_.confidence) / looks);
    if (mean.low > 0) return Side::kCandidate;
    if (mean.high < 0) return Side::kBase;
  }
  return value.made < options_.max_pairs ? Side::kOpen : Side::kTie;
}

std::optional<int64_t> CrossoverSearch::Next() const {
  for (const int64_t end : {options_.from, options_.to}) {
    if (SideAt(end) == Side::kOpen) return end;
  }
  for (const auto& [x, value] : values_) {
    if (SideAt(x) == Side::kOpen) return x;
  }
  const std::optional<int64_t> next = NextValue();
  if (!next || values_.size() >= static_cast<size_t>(options_.max_values)) return std::nullopt;
  return next;
}

// Between the last clear win of the side that is ahead at the lower end and the first of the other,
// the middle of the wider of the two outer gaps.
std::optional<int64_t> CrossoverSearch::NextValue() const {
  const Side below = SideAt(options_.from);
  const Side above = SideAt(options_.to);
  if (below == Side::kTie || above == Side::kTie || below == above) return std::nullopt;
  int64_t low = options_.from;
  int64_t high = options_.to;
  for (const auto& [x, value] : values_) {
    if (SideAt(x) == below) low = std::max(low, x);
  }
  for (auto it = values_.rbegin(); it != values_.rend(); ++it) {
    if (SideAt(it->first) == above && it->first > low) high = std::min(high, it->first);
  }
  const int64_t first_tie = std::next(values_.find(low))->first;
  const int64_t last_tie = std::prev(values_.find(high))->first;
  std::optional<int64_t> widest;
  double widest_ratio = options_.resolution;
  for (const auto& [a, b] : {std::pair(low, first_tie), std::pair(last_tie, high)}) {
    const double ratio = static_cast<double>(b) / static_cast<double>(a);
    const auto middle = static_cast<int64_t>(
        std::llround(std::sqrt(static_cast<double>(a) * static_cast<double>(b))));
    if (ratio > widest_ratio && middle > a && middle < b) {
      widest = middle;
      widest_ratio = ratio;
    }
  }
  return widest;
}

Interval CrossoverSearch::RatioOf(const Value& value) const {
  const double sign = options_.direction == Direction::kHigherIsBetter ? 1 : -1;
  const auto mean = MeanInterval(value.log_ratios, options_.confidence);
  if (!mean) {
    const double ratio = std::exp(sign * MeanOf(value.log_ratios));
    return {ratio, ratio, ratio};
  }
  const double a = std::exp(sign * mean->low);
  const double b = std::exp(sign * mean->high);
  return {std::exp(sign * mean->estimate), std::min(a, b), std::max(a, b)};
}

// Where the curve over log x, made monotone, is 0; the nearer end if it is so nowhere.
double CrossoverSearch::CrossingOf(const std::vector<std::pair<double, double>>& curve,
                                   bool falling) const {
  std::vector<double> y;
  y.reserve(curve.size());
  for (const auto& [x, value] : curve) y.push_back(falling ? value : -value);
  MakeFalling(y);
  if (y.front() <= 0) return std::exp(curve.front().first);
  for (size_t i = 1; i < y.size(); ++i) {
    if (y[i] > 0) continue;
    const double share = y[i - 1] / (y[i - 1] - y[i]);
    return std::exp(curve[i - 1].first + share * (curve[i].first - curve[i - 1].first));
  }
  return std::exp(curve.back().first);
}

CrossoverResult CrossoverSearch::Result() const {
  CrossoverResult result;
  for (const auto& [x, value] : values_) {
    result.points.push_back({x, RatioOf(value), static_cast<int>(value.log_ratios.size())});
  }
  const Side below = SideAt(options_.from);
  const Side above = SideAt(options_.to);
  const auto decided = [](Side side) { return side == Side::kBase || side == Side::kCandidate; };
  if (!decided(below) || !decided(above)) return result;
  if (below == above) {
    result.verdict = below == Side::kBase ? CrossoverVerdict::kBaseAlwaysAhead
                                          : CrossoverVerdict::kCandidateAlwaysAhead;
    return result;
  }
  result.verdict = CrossoverVerdict::kCrosses;
  result.candidate_ahead_below = below == Side::kCandidate;
  result.clear_below = options_.from;
  result.clear_above = options_.to;
  for (const auto& [x, value] : values_) {
    if (SideAt(x) == below) result.clear_below = std::max(result.clear_below, x);
  }
  for (const auto& [x, value] : values_) {
    if (SideAt(x) == above && x > result.clear_below) {
      result.clear_above = std::min(result.clear_above, x);
    }
  }
  std::mt19937_64 random(options_.seed);
  std::vector<double> crossings;
  std::vector<std::pair<double, double>> curve;
  for (const auto& [x, value] : values_) {
    if (value.log_ratios.size() < kMinPairs) continue;
    curve.emplace_back(std::log(static_cast<double>(x)), MeanOf(value.log_ratios));
  }
  result.at.estimate = CrossingOf(curve, result.candidate_ahead_below);
  for (int i = 0; i < options_.resamples; ++i) {
    size_t at = 0;
    for (const auto& [x, value] : values_) {
      if (value.log_ratios.size() < kMinPairs) continue;
      // A handful of pairs resampled would understate their scatter: Student's distribution of
      // their mean does not.
      std::student_t_distribution<double> student(static_cast<double>(value.log_ratios.size() - 1));
      curve[at++].second =
          MeanOf(value.log_ratios) + student(random) * StandardError(value.log_ratios);
    }
    crossings.push_back(CrossingOf(curve, result.candidate_ahead_below));
  }
  std::sort(crossings.begin(), crossings.end());
  const double tail = (1 - options_.confidence) / 2;
  const auto last = static_cast<double>(crossings.size() - 1);
  result.at.low = crossings[static_cast<size_t>(std::floor(tail * last))];
  result.at.high = crossings[static_cast<size_t>(std::ceil((1 - tail) * last))];
  return result;
}

}  // namespace connbench::stats
