// Trials in Google Benchmark's JSON, for its compare.py: each trial is registered as a benchmark of
// one iteration with manual time, which reports what was measured.
//
// Safety: main thread, once per process, because Google Benchmark keeps its registry in globals.
// Errors: a file that cannot be written.
#pragma once

#include <string>
#include <utility>
#include <vector>

#include "base/status.h"

namespace connbench::suite {

struct BenchmarkTrial {
  std::string name;  // of the cell
  double seconds = 0;
  std::string error;  // why the trial does not count; empty: it does
  std::vector<std::pair<std::string, double>> counters;
};

// Before the first trial: whether the file can be written.
Status CheckBenchmarkJson(const std::string& path);
Status WriteBenchmarkJson(const std::string& path, const std::string& program,
                          const std::vector<BenchmarkTrial>& trials);

}  // namespace connbench::suite
