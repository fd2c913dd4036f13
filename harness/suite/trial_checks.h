// The self-checks of a trial: what makes it INVALID because it tells more about the machine or the
// load generator than about the server. The table is checks.def.
//
// A reason reads "steal: the hypervisor took 7.0 % of the CPU time (at most 5 %)"; it opens with
// the check's name, so that scripts can count reasons without parsing sentences.
//
// Safety: pure functions of plain values; any thread.
#pragma once

#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/status.h"
#include "harness/load/load_result.h"
#include "harness/suite/trial_rows.h"

namespace connbench::suite {

struct TrialCheck {
  std::string_view name;
  double bound = 0;
  std::string_view unit;
  std::string_view about;
  std::string_view remedy;
};
std::span<const TrialCheck> AllTrialChecks();

// One check that a trial did not pass.
struct Breach {
  std::string_view check;
  std::string found;
};
std::vector<Breach> FindBreaches(const load::LoadResult& load, const Observation& observation);

// The breaches of checks that were not waived, as status_reason shows them; empty if there is none.
std::string InvalidReason(const std::vector<Breach>& breaches,
                          const std::vector<std::string>& waived);

// 42704 with near names for a check that does not exist.
Status CheckWaived(const std::vector<std::string>& names);

}  // namespace connbench::suite
