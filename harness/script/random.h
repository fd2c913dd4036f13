// The random numbers of scripts: PostgreSQL's generator (xoroshiro128**, seeded by splitmix64) and
// pgbench's distributions over it. Deterministic: a client's numbers depend on its seed alone.
//
// Safety: a plain value, used by one thread at a time.
#pragma once

#include <cstdint>

namespace connbench::load {

class Random {
 public:
  explicit Random(uint64_t seed);

  uint64_t Next();
  double NextDouble();  // in [0, 1)
  // Uniform over [low, high], both included; requires low <= high.
  int64_t Uniform(int64_t low, int64_t high);
  uint64_t UniformUnsigned(uint64_t low, uint64_t high);
  // pgbench's: exponential over the range, truncated at parameter > 0.
  int64_t Exponential(int64_t low, int64_t high, double parameter);
  // Truncated normal, parameter >= 2 standard deviations on each side of the middle.
  int64_t Gaussian(int64_t low, int64_t high, double parameter);
  // low is the most frequent; parameter in [1.001, 1000].
  int64_t Zipfian(int64_t low, int64_t high, double parameter);

 private:
  double NextNormal();

  uint64_t state_[2];
};

inline constexpr double kMinGaussianParameter = 2.0;
inline constexpr double kMinZipfianParameter = 1.001;
inline constexpr double kMaxZipfianParameter = 1000.0;

// pgbench's hash functions and permutation, bit for bit.
int64_t HashMurmur2(int64_t value, uint64_t seed);
int64_t HashFnv1a(int64_t value, uint64_t seed);
// A pseudorandom permutation of [0, size); requires size > 0.
int64_t Permute(int64_t value, int64_t size, int64_t seed);

}  // namespace connbench::load
