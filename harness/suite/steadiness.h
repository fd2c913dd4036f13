// Whether a cell has been repeated often enough: until the 95 % interval of its metric's mean is
// narrow, or its last repetition was made.
//
// Decided before each repetition from those before it, so that the blocks stay interleaved, a run
// that is resumed decides as it would have, and a seed still gives one order. Looking after every
// repetition stops a little too early now and then, which is why the suite's repetitions are the
// least that is made, and never fewer than kMinRepetitionsForInterval.
//
// Safety: one thread; keeps a reference to the plan.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "harness/suite/plan.h"
#include "results/schema.h"

namespace connbench::suite {

inline constexpr int kMinRepetitionsForInterval = 3;

class Steadiness {
 public:
  explicit Steadiness(const Plan& plan) : plan_(plan) {}

  // A trial has ended; one that is not OK counts as made but has no value.
  void Add(const results::TrialRow& row);
  bool Needs(const Trial& trial) const;
  // How many repetitions the cell will take in all, as far as can be told now.
  int ExpectedRepetitions(size_t cell) const;

  // Half the interval's width over the mean, of the repetitions before this one; nullopt if there
  // are too few valid ones.
  std::optional<double> RelativeHalfWidth(size_t cell, int before_repetition) const;

  struct Unsteady {
    std::string cell;
    std::string metric;
    double wanted = 0;
    std::optional<double> reached;
  };
  // The cells that have made their last repetition and are still too wide.
  std::vector<Unsteady> FindUnsteady() const;

 private:
  std::string MetricOf(const Cell& cell) const;

  const Plan& plan_;
  // cell name -> repetition -> value; nullopt: made, but not OK
  std::map<std::string, std::map<int64_t, std::optional<double>>> values_;
};

}  // namespace connbench::suite
