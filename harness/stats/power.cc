// What a sample of this size could have shown, and how large one must be to settle a question.
#include "harness/stats/power.h"

#include <algorithm>
#include <boost/math/distributions/students_t.hpp>
#include <cmath>
#include <cstdint>
#include <random>
#include <vector>

namespace connbench::stats {
namespace {

double Quantile(double degrees, double tail) {
  return boost::math::quantile(boost::math::complement(boost::math::students_t(degrees), tail));
}

// So that the same sample always gets the same answer.
constexpr uint64_t kPowerSeed = 1;
// Their 95 % point is off by about a tenth of a standard error.
constexpr size_t kImaginedSamples = 500;
// Noise with long tails or two modes tells its size about half as well as normal noise does.
constexpr double kDegreesOfOddNoise = 0.5;

// Of its noise, which neighbours that resemble each other tell as well.
double RawDegrees(const LogRatio& sample) {
  double degrees = 0;
  for (const LogRatio::Side& side : sample.sides) {
    if (side.values > 1) degrees += static_cast<double>(side.values - 1);
  }
  return degrees;
}

// Samples like a given one, of things that do not differ: of the same size, from noise that the
// given sample allows to be larger or smaller than it looks, with neighbours as alike.
class SamplesLike {
 public:
  explicit SamplesLike(const LogRatio& sample)
      : sample_(sample),
        own_degrees_(kDegreesOfOddNoise * RawDegrees(sample)),
        noise_degrees_(std::max(own_degrees_, kDegreesOfOddNoise * sample.shared_degrees)),
        spread_(noise_degrees_) {}

  LogRatio Draw() {
    // What a standard deviation may be of which a sample is known: Student's argument.
    const double scale = std::sqrt(noise_degrees_ / spread_(random_));
    // Rows that scatter alike tell the next sample, too, how large its noise is at least.
    const bool shared = noise_degrees_ > own_degrees_;
    const double least_noise =
        shared ? sample_.noise * scale * std::sqrt(spread_(random_) / noise_degrees_) : kResolution;
    const std::vector<double> first = Series(sample_.sides[0], scale);
    if (sample_.paired()) return RatioOfDifferences(first, least_noise);
    return RatioOfSides(first, Series(sample_.sides[1], scale), least_noise);
  }

 private:
  std::vector<double> Series(const LogRatio::Side& side, double scale) {
    std::vector<double> logs(side.values);
    const double fresh = std::sqrt(1 - side.correlation * side.correlation);
    double value = normal_(random_);
    for (double& log : logs) {
      log = side.noise * scale * value;
      value = side.correlation * value + fresh * normal_(random_);
    }
    return logs;
  }

  const LogRatio& sample_;
  const double own_degrees_;
  const double noise_degrees_;
  std::mt19937_64 random_{kPowerSeed};
  std::normal_distribution<double> normal_;
  std::chi_squared_distribution<double> spread_;
};

}  // namespace

std::optional<double> SmallestEffect(const LogRatio& sample, const Decision& decision) {
  if (std::max(RawDegrees(sample), sample.shared_degrees) < kLeastNoiseDegrees) return std::nullopt;
  SamplesLike samples(sample);
  // Short series all have the same degrees of freedom.
  double degrees = 0;
  double critical = 0;
  // What a change must add to each of them to be found in it.
  std::vector<double> needed(kImaginedSamples);
  for (double& effect : needed) {
    const LogRatio again = samples.Draw();
    if (again.degrees != degrees) {
      degrees = again.degrees;
      critical = Quantile(degrees, decision.level / 2);
    }
    const double beyond_chance = decision.drift + again.standard_error * critical;
    effect = std::max(decision.log_margin, beyond_chance) - again.mean;
  }
  const auto enough = needed.begin() + static_cast<ptrdiff_t>(kPower * kImaginedSamples);
  std::nth_element(needed.begin(), enough, needed.end());
  return *enough;
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
