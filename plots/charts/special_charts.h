// The charts that show more than one metric of an experiment. Each is a row of charts.def.
//
// Safety: pure functions; any thread. Errors: none; nothing, if the experiment lacks the data.
#pragma once

#include <optional>

#include "plots/charts/experiments.h"

namespace connbench::plots {

// Request time, or what there is of it, as percentiles.
std::optional<Chart> Spectrum(const Experiment& experiment);
// The same as the shares of each contender's requests.
std::optional<Chart> Distribution(const Experiment& experiment);
// Where a connect spends its time: as server and client stamp it together, as the client sees it,
// and the server's CPU time in it.
std::optional<Chart> ConnectPhases(const Experiment& experiment);
std::optional<Chart> ConnectAsSeen(const Experiment& experiment);
std::optional<Chart> ConnectCpu(const Experiment& experiment);
// How many were served when, after all came at once.
std::optional<Chart> Progress(const Experiment& experiment);
std::optional<Chart> OverTime(const Experiment& experiment);
// The same with a row for each contender, where many lines would hide each other.
std::optional<Chart> Heat(const Experiment& experiment);
// Where request times lie densest.
std::optional<Chart> Density(const Experiment& experiment);
// Of an open loop whose rate was swept: slow requests and what is achieved, with the knee.
std::optional<Chart> LatencyOffered(const Experiment& experiment);
std::optional<Chart> ThroughputOffered(const Experiment& experiment);
// Which change of the first headline a gate would find, by the scatter of the repetitions.
std::optional<Chart> Power(const Experiment& experiment);
// Before, during and after a disturbance.
std::optional<Chart> Victims(const Experiment& experiment);
std::optional<Chart> Memory(const Experiment& experiment);
std::optional<Chart> Pool(const Experiment& experiment);

// Of a run as a whole.
std::optional<Chart> Crossover(const results::Run& run);

}  // namespace connbench::plots
