// A gate that may look after every round: verdicts whose error does not grow with looking.
//
// In a round both servers are started anew and measured in pairs of windows. Two servers of one
// program differ for as long as they live (where their memory lies, what of it is mapped), so the
// pairs of one round share that difference: they are no evidence of their own. A round's mean log
// ratio is one value, and only rounds count.
//
// Each row has an anytime-valid test of the mean of its rounds: Lai's mixture of Student
// likelihoods (a scale-invariant e-process), exact for normal noise of unknown size from the first
// round on. Its probability ever to reject a true "no difference" is the level, however often one
// looks and whenever one stops. The rows share the family's error by Holm.
// docs/method/statistics.md has the formula, why it was chosen, and its calibration.
//
// Owner: one gate. Safety: one thread. Errors: none; a value that is absent, not finite or not
// above 0 on either side makes no pair.
#pragma once

#include <cstddef>
#include <map>
#include <optional>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "harness/stats/intervals.h"
#include "harness/stats/verdict.h"

namespace connbench::stats {

struct GateRow {
  std::string cell;
  std::string metric;
  std::string unit;
  Direction direction = Direction::kLowerIsBetter;
  double margin = 0.05;  // a smaller change is not worth a word; also what "same" means
};

// Fewer rounds decide nothing: two kinds of server, drawn by chance, give this many rounds the same
// sign hardly ever (2 in 4 to this power).
inline constexpr size_t kMinGateRounds = 8;

class SequentialGate {
 public:
  // power_effect: the change that the gate should find soonest, as a share (0.03: 3 %). It decides
  // at how many rounds the intervals are narrowest, not what they cover.
  SequentialGate(std::vector<GateRow> rows, double alpha_family, double power_effect);

  // One value per row and side, of one block (a random pair of windows) of the present round.
  void AddBlock(std::span<const std::optional<double>> base,
                std::span<const std::optional<double>> candidate);
  // The round's blocks become one value of each row that has a pair; looks at all of them.
  void EndRound();
  // Forgets the blocks since the last round: one that was cut short is no evidence.
  void DropRound();

  struct RowState {
    Verdict verdict = Verdict::kInconclusive;
    Interval ratio;                   // candidate / base, 95 % at any time; at first 0 to infinity
    double smallest_effect_seen = 0;  // share that would be called a change now, in 95 % of gates
    size_t rounds = 0;                // that had a pair
    bool decided = false;
    double p = 1;                         // anytime-valid, before the family's correction
    std::optional<size_t> rounds_needed;  // in all, to decide; none: decided or out of reach
  };
  const std::vector<RowState>& rows() const { return states_; }  // as of the last look
  const std::vector<GateRow>& questions() const { return rows_; }
  bool all_decided() const;

  // Geometric means over a round's pairs.
  struct RoundMeans {
    double base = 0;
    double candidate = 0;
  };
  // By row, one for each round; none where it had no pair.
  const std::vector<std::vector<std::optional<RoundMeans>>>& rounds() const { return rounds_; }

 private:
  struct LogSums {
    double base = 0;
    double candidate = 0;
    size_t pairs = 0;
  };

  void Look();
  RowState StateOf(size_t row, double adjusted_p);
  // AnytimeHalfWidth, computed once for each n: at the level of a row, or of the interval.
  double HalfWidth(size_t n, bool of_level);

  std::vector<GateRow> rows_;
  double alpha_;
  double power_effect_;
  std::vector<LogSums> present_;  // the round that has not ended
  std::vector<std::vector<std::optional<RoundMeans>>> rounds_;
  std::vector<std::vector<double>> log_ratios_;  // of rounds
  std::vector<RowState> states_;
  std::map<std::pair<size_t, bool>, double> half_widths_;
};

// The anytime-valid test behind it, for tables and tests. The variance of the effects that it looks
// for, in units of the noise's: half of its stake is on this, half on large ones.
double MixtureFor(double power_effect);
// p of a Student t of n values: as often as one looks, at most a share p of true "no difference"
// ever falls to p.
double AnytimeP(double t, size_t n, double mixture);
// Half the width of the anytime interval in standard errors; infinite while n is too small.
double AnytimeHalfWidth(size_t n, double alpha, double mixture);

}  // namespace connbench::stats
