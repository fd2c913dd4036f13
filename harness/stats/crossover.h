// Where one curve overtakes another: bisection over a whole number (a session length, a connection
// count) with measurements that scatter.
//
// At each value that Next() asks for, pairs of measurements are made, base and candidate back to
// back; their ratio is what counts, so that drift of the machine cancels. A value is decided when
// the interval of the mean log ratio excludes 1, at 95 % shared out among the looks that are taken;
// after max_pairs undecided pairs it is a tie. The
// ends come first: if the same side is ahead at both, there is no crossing between them (a curve
// that crosses twice looks the same, and no bisection can tell). Otherwise the gaps between the
// last clear win of the one, the ties, and the first clear win of the other are halved
// (geometrically) until they are narrower than the resolution.
//
// The crossing itself is where the mean log ratio, made monotone and interpolated over log x, is 0;
// its band comes from drawing the means anew from Student's distribution around what was measured.
//
// Safety: one thread; deterministic for the same seed and measurements.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string_view>
#include <vector>

#include "harness/stats/intervals.h"
#include "harness/stats/verdict.h"

namespace connbench::stats {

struct CrossoverOptions {
  int64_t from = 1;
  int64_t to = 1024;
  int pairs = 4;       // at each value, at least 3
  int max_pairs = 12;  // at a value that fewer do not decide; those without a result count
  double resolution = 1.2;
  int max_values = 20;  // bound of the search
  Direction direction = Direction::kHigherIsBetter;
  double confidence = kDefaultConfidence;
  int resamples = 10'000;  // of the band
  uint64_t seed = 1;
};

enum class CrossoverVerdict : uint8_t {
  kCrosses,
  kBaseAlwaysAhead,
  kCandidateAlwaysAhead,
  kCannotTell,  // an end is a tie
};
std::string_view Name(CrossoverVerdict verdict);

struct CrossoverPoint {
  int64_t x = 0;
  Interval ratio;  // candidate over base
  int pairs = 0;   // that gave a result
};

struct CrossoverResult {
  CrossoverVerdict verdict = CrossoverVerdict::kCannotTell;
  // Of kCrosses: the one ahead below it and its band; outside [clear_below, clear_above]
  // measurements have decided.
  bool candidate_ahead_below = false;
  Interval at;
  int64_t clear_below = 0;
  int64_t clear_above = 0;
  std::vector<CrossoverPoint> points;  // by x
};

class CrossoverSearch {
 public:
  explicit CrossoverSearch(const CrossoverOptions& options);

  // Where the next pair is to be measured; nullopt: the search is over.
  std::optional<int64_t> Next() const;
  // One pair at x; both above 0, anything else counts as a pair without a result.
  void Add(int64_t x, double base, double candidate);
  CrossoverResult Result() const;

 private:
  enum class Side : uint8_t { kOpen, kBase, kCandidate, kTie };
  struct Value {
    std::vector<double> log_ratios;  // above 0: the candidate is ahead
    int made = 0;
  };

  Side SideAt(int64_t x) const;
  Interval RatioOf(const Value& value) const;
  std::optional<int64_t> NextValue() const;
  double CrossingOf(const std::vector<std::pair<double, double>>& curve, bool falling) const;

  CrossoverOptions options_;
  std::map<int64_t, Value> values_;
};

}  // namespace connbench::stats
