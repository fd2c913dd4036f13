// Looks for the value of a workload's parameter at which one model overtakes another, with trials
// as measurements: harness/stats/crossover.h decides where to look, this turns what it asks for
// into cells and pairs of trials.
//
// The two trials of a pair follow each other, in an order drawn from the run's seed. A pair with a
// trial that is not OK gives no result, but counts, so that the search always ends.
//
// Safety: the main thread.
#pragma once

#include <functional>
#include <string>

#include "base/status.h"
#include "harness/stats/crossover.h"
#include "harness/suite/plan.h"
#include "results/schema.h"

namespace connbench::suite {

// Runs one trial of the cell, or gives the row it has from an earlier part of the run. An error
// ends the search.
using MeasureTrial =
    std::function<Result<results::TrialRow>(Cell cell, int repetition, uint64_t seed)>;

Result<stats::CrossoverResult> FindCrossover(const Suite& suite, const PlanOverrides& overrides,
                                             uint64_t seed, const MeasureTrial& measure);

// For run.json, and one sentence for people.
results::TextMap DescribeCrossover(const Crossover& crossover,
                                   const stats::CrossoverResult& result);
std::string FormatCrossover(const Crossover& crossover, const stats::CrossoverResult& result);

}  // namespace connbench::suite
