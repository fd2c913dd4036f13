// How many times the base's value the candidate's is, from repetitions of both: the mean log ratio
// and how well it is known. docs/method/statistics.md explains the method and what was tried.
//
// Pairs: value i of both sides was measured in the same block, so what the block had in common
// cancels. Unpaired: two runs at different times (Welch's interval on logs; short runs are taken to
// correlate a little in time, which pairs do not).
//
// Values come in the order of time: neighbours that resemble each other count as fewer than they
// are. Safety: pure functions, any thread. Errors: a sample that carries no interval (fewer than
// kMinBlocks, a value that is not finite or not above 0) gives std::nullopt, never a number.
#pragma once

#include <array>
#include <cstddef>
#include <optional>
#include <span>

#include "harness/stats/intervals.h"

namespace connbench::stats {

// Fewer pairs, or fewer repetitions on one side, carry no interval.
inline constexpr size_t kMinBlocks = 3;
// Repetitions that agree better than this agree by rounding (a histogram's bucket is 0.1 % wide).
inline constexpr double kResolution = 0.001;

struct LogRatio {
  double mean = 0;            // of log(candidate / base)
  double standard_error = 0;  // of the mean
  double degrees = 1;         // of freedom of the standard error
  double noise = 0;           // standard deviation of one block's log ratio
  size_t blocks = 0;          // pairs, or the repetitions of the side that has fewer

  // How the sample came about, so that another one like it can be drawn (power.h).
  struct Side {
    size_t values = 0;
    double noise = 0;        // standard deviation of one value's log
    double correlation = 0;  // of neighbours in time, as the standard error counts it
  };
  // Pairs: their differences, and nothing. Else base and candidate.
  std::array<Side, 2> sides{};
  // How well rows that scatter alike know the noise; 0: the sample alone tells it.
  double shared_degrees = 0;

  bool paired() const { return sides[1].values == 0; }
};

// least_noise: the standard deviation of a block's log ratio is taken as at least this. Three
// repetitions can agree by chance; the rows of the same metric tell how likely that is (family.h).
std::optional<LogRatio> PairedLogRatio(std::span<const double> base,
                                       std::span<const double> candidate,
                                       double least_noise = kResolution);
std::optional<LogRatio> UnpairedLogRatio(std::span<const double> base,
                                         std::span<const double> candidate,
                                         double least_noise = kResolution);
// The same from logs: the differences of pairs, or both sides. At least kMinBlocks values each.
LogRatio RatioOfDifferences(std::span<const double> differences, double least_noise = kResolution);
LogRatio RatioOfSides(std::span<const double> base_logs, std::span<const double> candidate_logs,
                      double least_noise = kResolution);

// candidate over base. drift: a log; by this much the interval is widened on both ends, because
// more repetitions do not average it away.
Interval RatioInterval(const LogRatio& sample, double confidence = kDefaultConfidence,
                       double drift = 0);

// Two-sided probability of a mean this far from [-drift, drift] if the true one lies in it.
double PValue(const LogRatio& sample, double drift = 0);

// By how much the variance of a mean grows because neighbours in time resemble each other: at least
// 1, from the correlation of each value with the next. 1 for a series too short to tell.
double AutocorrelationInflation(std::span<const double> series);

}  // namespace connbench::stats
