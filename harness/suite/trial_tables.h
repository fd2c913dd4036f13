// What a trial found, as rows of the files beside trials.csv: its distributions, its course, how
// its attempts ended, its memory. Pure conversion, no measuring.
//
// Safety: pure functions; any thread.
#pragma once

#include <string>
#include <vector>

#include "harness/load/load_result.h"
#include "harness/observe/sampler.h"
#include "harness/suite/trial_rows.h"
#include "results/writer.h"

namespace connbench::suite {

// The distribution as rows of latency.csv, only as far as the sample carries it.
std::vector<results::LatencyRow> LatencyLadder(const std::string& distribution,
                                               const stats::Histogram& histogram);
// Every distribution that a trial has, as such rows and as a .hgrm file: request, transaction,
// those of an open loop's schedule, connect, connect_unretried where some were retried, those
// before, during and after a disturbance, and those of the other groups by name.
void AddDistributions(const load::LoadResult& load, results::TrialRecord& record);
std::vector<results::TimeseriesRow> MakeTimeseries(const load::LoadResult& load,
                                                   const observe::SamplerReport& samples);
std::vector<results::ErrorRow> MakeErrors(const load::LoadResult& load);
std::vector<results::MemoryRow> MakeMemory(const std::vector<MemoryCheckpoint>& checkpoints);

}  // namespace connbench::suite
