// What a trial found, as rows of the result files: pure conversion, no measuring.
//
// Safety: pure functions; any thread.
#pragma once

#include <string>
#include <vector>

#include "engine/segment/pool_accounts.h"
#include "harness/load/load_result.h"
#include "harness/observe/host.h"
#include "harness/observe/process_tree.h"
#include "harness/observe/sampler.h"
#include "harness/stats/bootstrap.h"
#include "results/writer.h"

namespace connbench::suite {

// The server's memory while nothing moves.
struct MemoryCheckpoint {
  std::string name;  // before, held, after
  int64_t connections_up = 0;
  observe::TreeMemory tree;
  observe::HostMemory host;
};

// What the observers saw of one trial.
struct Observation {
  std::vector<MemoryCheckpoint> memory;
  observe::UsageDelta usage;    // of the server in the measured window
  observe::UsageDelta opening;  // from before the first connect until all were up
  observe::UsageDelta closing;  // from the end of the window until all were closed
  bool queried_while_opening = false;
  observe::HostCounters host;  // of the machine in the measured window
  int64_t own_cpu_ns = 0;      // of the harness in the measured window
  int cpus = 1;                // online
  bool server_seen = true;     // false: its processes are unknown, so that nothing is its own
  observe::SamplerReport samples;
  engine::PoolUsage pools;  // of all pools together in the measured window; no workers: none
  // Context switches of the server's life after the set-up, from wait4(); -1: unknown.
  int64_t life_switches = -1;
};

// Below this many samples a percentile says nothing.
uint64_t SamplesNeeded(double percentile_fraction);
// In microseconds; 0 if the sample cannot carry it.
double PercentileUs(const stats::Histogram& histogram, double percentile_fraction);

// The distribution as rows of latency.csv, only as far as the sample carries it.
std::vector<results::LatencyRow> LatencyLadder(const std::string& distribution,
                                               const stats::Histogram& histogram);
// Every distribution that a trial has, as such rows and as a .hgrm file: transaction, those of an
// open loop's schedule, connect, connect_unretried where some were retried, those before, during and
// after a disturbance, and those of the other groups by name.
void AddDistributions(const load::LoadResult& load, results::TrialRecord& record);
std::vector<results::TimeseriesRow> MakeTimeseries(const load::LoadResult& load,
                                                   const observe::SamplerReport& samples);
std::vector<results::ErrorRow> MakeErrors(const load::LoadResult& load);
std::vector<results::MemoryRow> MakeMemory(const std::vector<MemoryCheckpoint>& checkpoints);

// Growth per connection over all checkpoints: the least-squares slope against the connections that
// were up, with its 95 % interval; 0 if there were never any. With two connection counts the
// interval has no width.
stats::Interval MemorySlope(const std::vector<MemoryCheckpoint>& checkpoints,
                            int64_t (*value)(const MemoryCheckpoint&));

// Fills every column that comes from the load and the observers.
void FillTrialRow(const load::LoadResult& load, const Observation& observation,
                  results::TrialRow& row);

// What the pools did between two looks at them, added up. A pool that was made anew meanwhile (the
// server crashed) counts from its beginning.
engine::PoolUsage PoolsBetween(const std::vector<engine::PoolUsage>& before,
                               std::vector<engine::PoolUsage> after);

// Share of the machine's CPU time that neither the server nor the load generator nor the harness
// used; interrupts are counted for nobody.
double OtherCpuFraction(const load::LoadResult& load, const Observation& observation);

}  // namespace connbench::suite
