// What a trial found, as its row of trials.csv: pure conversion, no measuring. trial_tables.h has
// the rows of the other files.
//
// Safety: pure functions; any thread.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "engine/segment/pool_accounts.h"
#include "harness/load/load_result.h"
#include "harness/observe/host.h"
#include "harness/observe/log_reading.h"
#include "harness/observe/process_tree.h"
#include "harness/observe/sampler.h"
#include "harness/stats/intervals.h"
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
  // SQLSTATEs of rejections that the user chose by a limit below what the load needs: they are
  // counted, and spoil nothing.
  std::vector<std::string> chosen_rejections;
  std::vector<std::string> contradictions;  // what the workload's check found
  observe::SamplerReport samples;
  engine::PoolUsage pools;  // of all pools together in the measured window; no workers: none
  // Of the server's log in the measured window; none: it has none, or does not tell.
  std::optional<observe::LogReading> log;
  // Context switches of the server's life after the set-up, from wait4(); -1: unknown.
  int64_t life_switches = -1;
};

// Below this many samples a percentile says nothing.
uint64_t SamplesNeeded(double percentile_fraction);
// In microseconds; none if the sample cannot carry it.
std::optional<double> PercentileUs(const stats::Histogram& histogram, double percentile_fraction);

// Growth per connection over all checkpoints: the least-squares slope against the connections that
// were up.
struct Growth {
  double slope = 0;
  std::optional<stats::Interval> interval;  // 95 %; two connection counts carry none
};
// None if there were never any connections.
std::optional<Growth> MemorySlope(const std::vector<MemoryCheckpoint>& checkpoints,
                                  int64_t (*value)(const MemoryCheckpoint&));

// Fills every column that comes from the load and the observers; what neither measured stays empty.
void FillTrialRow(const load::LoadResult& load, const Observation& observation,
                  results::TrialRow& row);

// What the pools did between two looks at them, added up. A pool that was made anew meanwhile (the
// server crashed) counts from its beginning.
engine::PoolUsage PoolsBetween(const std::vector<engine::PoolUsage>& before,
                               std::vector<engine::PoolUsage> after);

// What the log did between two looks at it; none if it began anew meanwhile (the server crashed).
std::optional<observe::LogReading> LogBetween(const std::optional<observe::LogReading>& before,
                                              const std::optional<observe::LogReading>& after);

// Share of the machine's CPU time that neither the server nor the load generator nor the harness
// used; interrupts are counted for nobody.
double OtherCpuFraction(const load::LoadResult& load, const Observation& observation);

}  // namespace connbench::suite
