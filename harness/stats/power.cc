// What a sample of this size could have shown, and how large one must be to settle a question.
#include "harness/stats/power.h"

#include <algorithm>
#include <boost/math/distributions/students_t.hpp>
#include <cmath>

namespace connbench::stats {
namespace {

double Quantile(double degrees, double tail) {
  return boost::math::quantile(boost::math::complement(boost::math::students_t(degrees), tail));
}

}  // namespace

double SmallestEffect(const LogRatio& sample, const Decision& decision) {
  return decision.drift + sample.standard_error * (Quantile(sample.degrees, decision.level / 2) +
                                                   Quantile(sample.degrees, 1 - kPower));
}

std::optional<size_t> BlocksToSettle(const LogRatio& sample, const Decision& decision) {
  const double size = std::abs(sample.mean);
  const bool change = size > decision.log_margin;
  const double room = (change ? size : decision.log_margin - size) - decision.drift;
  if (room <= 0) return std::nullopt;
  const double tail = change ? decision.level / 2 : (1 - decision.confidence) / 2;
  // Error and degrees of freedom grow with the blocks as they stand to them now.
  const auto blocks = static_cast<double>(sample.blocks);
  const double error_of_one = sample.standard_error * std::sqrt(blocks);
  const double degrees_per_block = sample.degrees / std::max(1.0, blocks - 1);
  const auto settles = [&](size_t n) {
    const auto count = static_cast<double>(n);
    const double degrees = std::max(1.0, degrees_per_block * (count - 1));
    return Quantile(degrees, tail) * error_of_one / std::sqrt(count) <= room;
  };
  if (!settles(kMaxBlocksAsked)) return std::nullopt;
  size_t too_few = kMinBlocks - 1;
  size_t enough = kMaxBlocksAsked;
  while (enough - too_few > 1) {
    const size_t middle = (too_few + enough) / 2;
    (settles(middle) ? enough : too_few) = middle;
  }
  return enough;
}

}  // namespace connbench::stats
