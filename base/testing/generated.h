// How many cases a generated test has, and with which seed: the same rule for all of them. Their
// suites' names end with "Generated", and a failure prints the seed.
//
// Safety: tests only; any thread.
#pragma once

#include <cstdint>
#include <cstdlib>

// Where sources are compiled together, "testing::" in one without this header still means
// GoogleTest.
namespace testing {}

namespace connbench::testing {

using namespace ::testing;

// A sanitizer makes a case some ten times as slow, and looks at each more closely: a tenth of them
// takes as long.
#if defined(__SANITIZE_THREAD__) || defined(__SANITIZE_ADDRESS__)
inline constexpr int kGeneratedShare = 10;
#else
inline constexpr int kGeneratedShare = 1;
#endif

// base cases, times CONNBENCH_TORTURE_FACTOR (default 1); under a sanitizer a tenth.
inline int GeneratedCases(int base) {
  const char* factor = std::getenv("CONNBENCH_TORTURE_FACTOR");
  const long times = factor == nullptr ? 1 : std::strtol(factor, nullptr, 10);
  const int all = times > 1 ? static_cast<int>(base * times) : base;
  return (all + kGeneratedShare - 1) / kGeneratedShare;
}

// CONNBENCH_SEED, or a fixed number.
inline uint64_t GeneratedSeed() {
  constexpr uint64_t kFixed = 20261128;
  const char* seed = std::getenv("CONNBENCH_SEED");
  return seed == nullptr ? kFixed : std::strtoull(seed, nullptr, 10);
}

}  // namespace connbench::testing
