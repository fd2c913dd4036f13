// What a person sees while a suite runs, on stderr: one line that is rewritten with the time left
// on a terminal, one plain line per trial elsewhere.
//
// Safety: one thread.
#pragma once

#include <cstdint>
#include <string>

#include "base/clock.h"
#include "harness/suite/plan.h"
#include "results/schema.h"

namespace connbench::suite {

class Progress {
 public:
  explicit Progress(const Plan& plan);
  ~Progress();  // clears the line

  void TrialBegins(size_t index);
  void TrialEnded(size_t index, const results::TrialRow& row);

 private:
  std::string TimeLeft(size_t index) const;
  void Rewrite(const std::string& line);
  void Print(const std::string& line);

  const Plan& plan_;
  const bool terminal_;
  const MonotonicNs begin_ns_;
  bool line_is_open_ = false;
};

}  // namespace connbench::suite
