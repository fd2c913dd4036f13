// What a person sees while a suite runs, on stderr: one line that is rewritten with the time left
// on a terminal, one plain line per trial elsewhere.
//
// Safety: one thread.
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "base/clock.h"
#include "harness/suite/plan.h"
#include "results/schema.h"

namespace connbench::suite {

class Progress {
 public:
  // left: the trials of the plan that will still be run from an index on, as far as can be told.
  using TrialsLeft = std::function<std::vector<Trial>(size_t index)>;
  Progress(const Plan& plan, TrialsLeft left);
  ~Progress();  // clears the line

  void TrialBegins(size_t index);
  void TrialEnded(size_t index, const results::TrialRow& row);

 private:
  std::string TimeLeft(const std::vector<Trial>& left) const;
  void Rewrite(const std::string& line);
  void Print(const std::string& line);

  const Plan& plan_;
  const TrialsLeft left_;
  const bool terminal_;
  const MonotonicNs begin_ns_;
  int64_t expected_done_ns_ = 0;  // what the plan expected of the trials that were run
  int ended_ = 0;
  bool line_is_open_ = false;
};

}  // namespace connbench::suite
