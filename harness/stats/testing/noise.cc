// Noise of measurements for simulations.
#include "harness/stats/testing/noise.h"

#include <algorithm>
#include <cmath>

namespace connbench::stats::testing {
namespace {

// Of neighbouring trials; a block's random order and the trials between hide most of it from pairs.
constexpr double kTrialCorrelation = 0.8;
// Share of the variance that is the machine's slow state.
constexpr double kSlowShare = 0.5;
// Student's t with three degrees of freedom has this variance.
constexpr int kHeavyDegrees = 3;
constexpr double kHeavyVariance = 3;
// Of a bistable machine: how wide each of the two modes is beside their distance.
constexpr double kModeWidth = 0.05;

}  // namespace

std::string_view NoiseName(Noise noise) {
  switch (noise) {
    case Noise::kNormal:
      return "normal";
    case Noise::kLognormal:
      return "lognormal";
    case Noise::kHeavyTailed:
      return "heavy-tailed";
    case Noise::kBimodal:
      return "bimodal";
    case Noise::kAutocorrelated:
      return "autocorrelated";
  }
  return "";
}

double NoiseSource::LogOf(Noise noise, double deviation) {
  std::normal_distribution<double> normal;
  switch (noise) {
    case Noise::kNormal: {
      // Normal on the scale of the values; the log's mean is taken out to second order.
      const double value = std::max(1 + deviation * normal(random_), 0.05);
      return std::log(value) + deviation * deviation / 2;
    }
    case Noise::kHeavyTailed: {
      std::student_t_distribution<double> student(kHeavyDegrees);
      return deviation * student(random_) / std::sqrt(kHeavyVariance);
    }
    case Noise::kBimodal: {
      const double mode = random_() % 2 == 0 ? 1 : -1;
      return deviation * (mode + kModeWidth * normal(random_));
    }
    case Noise::kLognormal:
    case Noise::kAutocorrelated:
      return deviation * normal(random_);
  }
  return 0;
}

std::vector<double> NoiseSource::Series(Noise noise, size_t n, double deviation) {
  std::vector<double> values;
  values.reserve(n);
  std::normal_distribution<double> normal;
  double slow = normal(random_);
  for (size_t i = 0; i < n; ++i) {
    if (noise == Noise::kAutocorrelated) {
      slow = kTrialCorrelation * slow +
             std::sqrt(1 - kTrialCorrelation * kTrialCorrelation) * normal(random_);
      values.push_back(std::exp(deviation * (std::sqrt(kSlowShare) * slow +
                                             std::sqrt(1 - kSlowShare) * normal(random_))));
    } else {
      values.push_back(std::exp(LogOf(noise, deviation)));
    }
  }
  return values;
}

Blocks NoiseSource::PairedBlocks(Noise noise, size_t n, double ratio, double deviation) {
  const std::vector<double> trials = Series(noise, 2 * n, deviation);
  Blocks blocks;
  for (size_t i = 0; i < n; ++i) {
    const bool base_first = random_() % 2 == 0;
    blocks.base.push_back(trials[2 * i + (base_first ? 0 : 1)]);
    blocks.candidate.push_back(ratio * trials[2 * i + (base_first ? 1 : 0)]);
  }
  return blocks;
}

}  // namespace connbench::stats::testing
