// Noise of measurements for simulations: what repetitions of the same thing look like on quiet,
// skewed, heavy-tailed, bistable and drifting machines.
//
// Safety: one thread; the same seed gives the same values.
#pragma once

#include <array>
#include <cstdint>
#include <random>
#include <string_view>
#include <vector>

namespace connbench::stats::testing {

enum class Noise : uint8_t { kNormal, kLognormal, kHeavyTailed, kBimodal, kAutocorrelated };
inline constexpr std::array kAllNoise = {Noise::kNormal, Noise::kLognormal, Noise::kHeavyTailed,
                                         Noise::kBimodal, Noise::kAutocorrelated};
std::string_view NoiseName(Noise noise);

// How blocks of two trials come about: base and candidate in random order within each block.
struct Blocks {
  std::vector<double> base;
  std::vector<double> candidate;
};

class NoiseSource {
 public:
  explicit NoiseSource(uint64_t seed) : random_(seed) {}

  // Values around 1 in order of time; their logs have the mean 0 and about this deviation.
  // kAutocorrelated: a slow state of the machine; a block's trials see neighbouring values of it.
  std::vector<double> Series(Noise noise, size_t n, double deviation = 0.1);
  // The candidate is `ratio` times the base.
  Blocks PairedBlocks(Noise noise, size_t n, double ratio, double deviation = 0.1);

  std::mt19937_64& random() { return random_; }

 private:
  double LogOf(Noise noise, double deviation);

  std::mt19937_64 random_;
};

}  // namespace connbench::stats::testing
