// Simulations that show what the statistics promise: how often an interval covers the truth, how
// often a suite that compares a thing with itself calls it worse, how soon a gate finds a change.
// Unit tests run them short, testing/simulation_main.cc at full length.
//
// Safety: one thread; the same seed gives the same result. Errors: a run that cannot be read.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "base/status.h"
#include "harness/stats/family.h"
#include "harness/stats/testing/noise.h"

namespace connbench::stats::testing {

// The share of 95 % intervals that hold the true ratio.
double PairedCoverage(Noise noise, size_t n, int repeats, uint64_t seed);
// Two runs: both sides' series are independent, and so is a drift of the machine between them, even
// over all sizes up to `drift`, which the interval is widened by.
double UnpairedCoverage(Noise noise, size_t n, int repeats, uint64_t seed, double drift = 0.10);

// How often the smallest effect that a comparison names is found when the comparison is made again
// with that effect planted; 1 if none names any. Two runs: the machine does not drift between them.
double ShareFound(Noise noise, size_t n, bool paired, int repeats, uint64_t seed);

// What recorded trials scatter by: of each cell, the log residuals of each trial's metrics.
struct RecordedCell {
  std::string contender;
  std::vector<std::string> metrics;
  std::vector<bool> counted;                   // of each metric: a count, not a time
  std::vector<std::vector<double>> residuals;  // of each trial, in the order of metrics
};
Result<std::vector<RecordedCell>> LoadRecorded(const std::string& folder);

enum class SuiteNoise : uint8_t { kRecorded, kDrifting, kBistable };
std::string_view SuiteNoiseName(SuiteNoise noise);

// A suite that compares a thing with itself: every cell and metric of the recorded run, with noise
// drawn from its trials.
struct SuiteOptions {
  SuiteNoise noise = SuiteNoise::kRecorded;
  size_t repetitions = 4;  // on each side; pairs if paired
  bool paired = false;     // halves of one run; else two runs at different times
};
std::vector<Question> MakeSuite(const std::vector<RecordedCell>& recorded,
                                const SuiteOptions& options, std::mt19937_64& random);

struct SuiteOutcome {
  int suites = 0;
  int exit_4 = 0;  // suites with a row that is called worse
  int better = 0;  // suites with a row that is called better
  size_t rows = 0;
};
SuiteOutcome SimulateSuites(const std::vector<RecordedCell>& recorded, const SuiteOptions& options,
                            int suites, uint64_t seed);

// Gates of one planted change in the first of `rows` rows; no change: ratio 1.
struct GateOptions {
  Noise noise = Noise::kNormal;
  double deviation = 0.05;      // of a window, one side
  double server_deviation = 0;  // of what all windows of one server have in common
  double ratio = 1;
  size_t rows = 10;
  size_t blocks_per_round = 1;
  size_t max_rounds = 200;
  double margin = 0.03;
};
struct GateOutcome {
  int gates = 0;
  int false_alarms = 0;    // gates that call a row without a change better or worse
  int found = 0;           // gates that call the planted row worse
  int covered = 0;         // planted rows whose interval holds the ratio at every look
  double mean_rounds = 0;  // until the planted row is decided
};
GateOutcome SimulateGates(const GateOptions& options, int gates, uint64_t seed);

}  // namespace connbench::stats::testing
