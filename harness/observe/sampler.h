// Looks at a running server ten times a second, within a budget.
//
// Its own thread reads SampleTree() and the machine's MemAvailable at each slice; when the tree is
// so large that this would cost more than kSamplerBudget of one core, samples are left out until it
// is back within it. What it cost is measured (its thread's CPU clock) and reported.
//
// Safety: Start() and Stop() by the thread that owns it. The samples are read after Stop().
#pragma once

#include <sys/types.h>

#include <memory>
#include <vector>

#include "harness/observe/process_tree.h"

namespace connbench::observe {

inline constexpr int64_t kSamplePeriodNs = 100 * kNanosecondsPerMillisecond;
inline constexpr double kSamplerBudget = 0.008;  // of one core; observers stay under 1 %

struct ServerSample {
  TreeSample tree;
  int64_t host_available_kb = 0;
};

struct SamplerReport {
  std::vector<ServerSample> samples;  // by time
  int64_t cpu_ns = 0;                 // that sampling cost
  int64_t elapsed_ns = 0;
  double CpuFraction() const {
    return elapsed_ns > 0 ? static_cast<double>(cpu_ns) / static_cast<double>(elapsed_ns) : 0;
  }
};

class Sampler {
 public:
  Sampler();
  ~Sampler();  // stops
  Sampler(const Sampler&) = delete;
  Sampler& operator=(const Sampler&) = delete;

  void Start(const ServerTree& tree);
  SamplerReport Stop();

 private:
  class Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace connbench::observe
