// The random numbers of scripts.
#include "harness/script/random.h"

#include <algorithm>
#include <bit>
#include <cmath>

namespace connbench::load {
namespace {

// splitmix64: spreads a seed over the generator's state.
uint64_t SplitMix(uint64_t& state) {
  state += 0x9E3779B97F4A7C15;
  uint64_t value = state;
  value = (value ^ (value >> 30)) * 0xBF58476D1CE4E5B9;
  value = (value ^ (value >> 27)) * 0x94D049BB133111EB;
  return value ^ (value >> 31);
}

// low + part of the range, part in [0, 1), without leaving [low, high] by rounding or overflow.
int64_t Scale(int64_t low, int64_t high, double part) {
  const double width = static_cast<double>(high) - static_cast<double>(low) + 1.0;
  const double offset = std::floor(width * part);
  const uint64_t range = static_cast<uint64_t>(high) - static_cast<uint64_t>(low);
  const uint64_t step =
      offset >= static_cast<double>(range) ? range : static_cast<uint64_t>(offset);
  return static_cast<int64_t>(static_cast<uint64_t>(low) + step);
}

}  // namespace

Random::Random(uint64_t seed) {
  state_[0] = SplitMix(seed);
  state_[1] = SplitMix(seed);
  if (state_[0] == 0 && state_[1] == 0) state_[1] = 1;  // the one state that never leaves itself
}

uint64_t Random::Next() {
  const uint64_t s0 = state_[0];
  const uint64_t sx = state_[1] ^ s0;
  const uint64_t value = std::rotl(s0 * 5, 7) * 9;
  state_[0] = std::rotl(s0, 24) ^ sx ^ (sx << 16);
  state_[1] = std::rotl(sx, 37);
  return value;
}

double Random::NextDouble() { return std::ldexp(static_cast<double>(Next() >> (64 - 52)), -52); }

uint64_t Random::UniformUnsigned(uint64_t low, uint64_t high) {
  if (high <= low) return low;
  // Bitmask with rejection, as PostgreSQL does, so that no value is favoured.
  const uint64_t range = high - low;
  const int shift = 63 - (std::bit_width(range) - 1);
  uint64_t value = Next() >> shift;
  while (value > range) value = Next() >> shift;
  return low + value;
}

int64_t Random::Uniform(int64_t low, int64_t high) {
  return static_cast<int64_t>(
      static_cast<uint64_t>(low) +
      UniformUnsigned(0, static_cast<uint64_t>(high) - static_cast<uint64_t>(low)));
}

int64_t Random::Exponential(int64_t low, int64_t high, double parameter) {
  const double cut = std::exp(-parameter);
  const double uniform = 1.0 - NextDouble();  // in (0, 1]
  const double part = -std::log(cut + (1.0 - cut) * uniform) / parameter;
  return Scale(low, high, part);
}

double Random::NextNormal() {
  const double u1 = 1.0 - NextDouble();
  const double u2 = 1.0 - NextDouble();
  return std::sqrt(-2.0 * std::log(u1)) * std::sin(2.0 * M_PI * u2);
}

int64_t Random::Gaussian(int64_t low, int64_t high, double parameter) {
  double deviation;
  do {
    deviation = NextNormal();
  } while (deviation < -parameter || deviation >= parameter);
  return Scale(low, high, (deviation + parameter) / (parameter * 2.0));
}

int64_t Random::Zipfian(int64_t low, int64_t high, double parameter) {
  const double n = static_cast<double>(high) - static_cast<double>(low) + 1.0;
  if (n <= 1) return low;
  // Devroye's rejection method, "Non-Uniform Random Variate Generation", 1986, p. 550.
  const double b = std::pow(2.0, parameter - 1.0);
  double x;
  while (true) {
    const double u = NextDouble();
    const double v = NextDouble();
    x = std::floor(std::pow(u, -1.0 / (parameter - 1.0)));
    const double t = std::pow(1.0 + 1.0 / x, parameter - 1.0);
    if (v * x * (t - 1.0) / (b - 1.0) <= t / b && x <= n) break;
  }
  const uint64_t range = static_cast<uint64_t>(high) - static_cast<uint64_t>(low);
  const uint64_t step = std::min(range, static_cast<uint64_t>(x) - 1);
  return static_cast<int64_t>(static_cast<uint64_t>(low) + step);
}

int64_t HashMurmur2(int64_t value, uint64_t seed) {
  constexpr uint64_t kMultiplier = 0xc6a4a7935bd1e995;
  constexpr uint64_t kMultiplierTimes8 = 0x35253c9ade8f4ca8;
  constexpr int kShift = 47;
  uint64_t result = seed ^ kMultiplierTimes8;
  auto k = static_cast<uint64_t>(value);
  k *= kMultiplier;
  k ^= k >> kShift;
  k *= kMultiplier;
  result ^= k;
  result *= kMultiplier;
  result ^= result >> kShift;
  result *= kMultiplier;
  result ^= result >> kShift;
  return static_cast<int64_t>(result);
}

int64_t HashFnv1a(int64_t value, uint64_t seed) {
  uint64_t result = 0xcbf29ce484222325 ^ seed;
  auto rest = static_cast<uint64_t>(value);
  for (int i = 0; i < 8; ++i) {
    result ^= rest & 0xff;
    rest >>= 8;
    result *= 0x100000001b3;
  }
  return static_cast<int64_t>(result);
}

int64_t Permute(int64_t value, int64_t size, int64_t seed) {
  if (size < 2) return 0;
  constexpr int kRounds = 6;
  Random random(static_cast<uint64_t>(seed));
  const auto n = static_cast<uint64_t>(size);
  uint64_t v = static_cast<uint64_t>(value) % n;
  // The half of the range that a power of two covers is scrambled, then the other half.
  const int bits = std::bit_width(n) - 1;
  const uint64_t mask = (uint64_t{1} << bits) - 1;
  const auto scramble = [&](uint64_t x, uint64_t multiplier, uint64_t flips) {
    x = ((x * multiplier) ^ flips) & mask;
    return ((x << 1) & mask) | (x >> (bits - 1));
  };
  for (int round = 0; round < kRounds; ++round) {
    uint64_t multiplier = random.Next() | 1;
    uint64_t flips = random.Next() & mask;
    if (v <= mask) v = scramble(v, multiplier, flips);
    multiplier = random.Next() | 1;
    flips = random.Next() & mask;
    const uint64_t mirrored = n - 1 - v;
    if (mirrored <= mask) v = n - 1 - scramble(mirrored, multiplier, flips);
    v = (v + random.UniformUnsigned(0, n - 1)) % n;
  }
  return static_cast<int64_t>(v);
}

}  // namespace connbench::load
