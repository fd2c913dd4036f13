#include "harness/suite/trial_rows.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <set>

#include "harness/load/workload.h"
#include "harness/stats/bootstrap.h"

namespace connbench::suite {
namespace {

constexpr double kUs = kNanosecondsPerMicrosecond;
constexpr double kMicrosecondsPerSecond = 1e6;

// Where a curve of a distribution bends: dense towards the tail.
constexpr double kLadder[] = {0.01, 0.05,   0.1,   0.2,    0.3,   0.4,    0.5,    0.6,     0.7,
                              0.75, 0.8,    0.85,  0.9,    0.925, 0.95,   0.965,  0.975,   0.985,
                              0.99, 0.9925, 0.995, 0.9975, 0.999, 0.9995, 0.9999, 0.99995, 0.99999};

double Ratio(double value, double count) { return count > 0 ? value / count : 0; }

// The value of a step-wise recorded, growing counter at a time between its samples.
double InterpolateCpu(const std::vector<observe::ServerSample>& samples, MonotonicNs at_ns) {
  const auto after = std::find_if(samples.begin(), samples.end(),
                                  [&](const auto& sample) { return sample.tree.at_ns >= at_ns; });
  if (after == samples.begin()) return static_cast<double>(samples.front().tree.cpu_ns);
  if (after == samples.end()) return static_cast<double>(samples.back().tree.cpu_ns);
  const observe::TreeSample& low = std::prev(after)->tree;
  const observe::TreeSample& high = after->tree;
  const double share =
      static_cast<double>(at_ns - low.at_ns) / static_cast<double>(high.at_ns - low.at_ns);
  return static_cast<double>(low.cpu_ns) + share * static_cast<double>(high.cpu_ns - low.cpu_ns);
}

const observe::ServerSample* LastSampleBefore(const std::vector<observe::ServerSample>& samples,
                                              MonotonicNs at_ns) {
  const observe::ServerSample* last = nullptr;
  for (const observe::ServerSample& sample : samples) {
    if (sample.tree.at_ns > at_ns && last != nullptr) break;
    last = &sample;
  }
  return last;
}

bool MeasuresConnects(const load::LoadResult& load) {
  return load.pattern == load::Name(load::Pattern::kStorm) ||
         load.pattern == load::Name(load::Pattern::kChurn);
}

bool BackendsComeAndGo(const load::LoadResult& load) {
  return load.pattern == load::Name(load::Pattern::kChurn);
}

void FillMemory(const std::vector<MemoryCheckpoint>& memory, results::TrialRow& row) {
  using Checkpoint = const MemoryCheckpoint&;
  const auto slope = [&](int64_t (*value)(Checkpoint)) {
    return MemorySlope(memory, value).estimate;
  };
  row.rss_kb_per_connection = slope([](Checkpoint c) { return c.tree.rss_kb; });
  row.pss_kb_per_connection = slope([](Checkpoint c) { return c.tree.pss_kb; });
  row.uss_kb_per_connection = slope([](Checkpoint c) { return c.tree.uss_kb; });
  row.page_tables_kb_per_connection = slope([](Checkpoint c) { return c.tree.page_tables_kb; });
  row.kernel_stack_kb_per_connection = slope([](Checkpoint c) { return c.tree.kernel_stack_kb; });
  row.slab_kb_per_connection = slope([](Checkpoint c) { return c.host.slab_kb; });
  row.slab_unreclaimable_kb_per_connection =
      slope([](Checkpoint c) { return c.host.slab_unreclaimable_kb; });
  row.socket_kb_per_connection = slope([](Checkpoint c) { return c.host.tcp_memory_kb; });
  row.machine_kb_per_connection = -slope([](Checkpoint c) { return c.host.available_kb; });

  const stats::Interval private_kb =
      MemorySlope(memory, [](Checkpoint c) { return c.tree.pss_anon_kb; });
  row.private_kb_per_connection = private_kb.estimate;
  row.private_kb_per_connection_low = private_kb.low;
  row.private_kb_per_connection_high = private_kb.high;
  // The slope of a sum is the sum of the slopes, but its interval is not that of the parts.
  const stats::Interval all_kb = MemorySlope(memory, [](Checkpoint c) {
    return c.tree.pss_anon_kb + c.tree.page_tables_kb + c.tree.kernel_stack_kb +
           c.host.slab_unreclaimable_kb + c.host.tcp_memory_kb;
  });
  row.memory_kb_per_connection = all_kb.estimate;
  row.memory_kb_per_connection_low = all_kb.low;
  row.memory_kb_per_connection_high = all_kb.high;
}

// What opening and closing connections cost where the window holds neither.
void FillOpenAndClose(const load::LoadResult& load, const Observation& observation,
                      results::TrialRow& row) {
  const auto opened = static_cast<double>(load.connects_ok());
  if (!MeasuresConnects(load) && !observation.queried_while_opening) {
    row.server_cpu_us_per_open =
        Ratio(observation.opening.cpu_s() * kMicrosecondsPerSecond, opened);
    row.server_minor_faults_per_open =
        Ratio(static_cast<double>(observation.opening.minor_faults), opened);
  }
  if (!BackendsComeAndGo(load)) {
    row.server_cpu_us_per_close =
        Ratio(observation.closing.cpu_s() * kMicrosecondsPerSecond, opened);
  }
}

// When each connection of a storm was ready, counted for all from its first connect(), or, in a
// failover, from when the server was made to drop them.
stats::Histogram ReadySinceRelease(const load::LoadResult& load) {
  stats::Histogram ready;
  MonotonicNs release = 0;
  if (load.pattern == load::Name(load::Pattern::kStorm)) release = load.first_connect_ns;
  if (load.pattern == load::Name(load::Pattern::kFailover)) release = load.window_begin_ns;
  if (release == 0) return ready;
  for (const load::ConnectionPhases& connection : load.phases) {
    if (!connection.in_window || connection.outcome != load::ConnectOutcome::kOk) continue;
    ready.Record(connection.ready_ns - release);
  }
  return ready;
}

// suffix: of the kind, for a group beside the first.
void AddErrors(const load::LoadResult& load, const std::string& suffix,
               std::vector<results::ErrorRow>& rows) {
  const auto add = [&](const char* kind, std::string_view outcome, uint64_t count) {
    results::ErrorRow row;
    row.kind = kind + suffix;
    row.outcome = outcome;
    row.count = static_cast<int64_t>(count);
    rows.push_back(std::move(row));
  };
  for (size_t i = 0; i < load::kConnectOutcomes; ++i) {
    add("connect", load::kConnectOutcomeNames[i], load.connects_by_outcome[i]);
  }
  add("connect", "lost_later", load.connections_lost);
  add("transaction", "ok", load.transactions_ok);
  add("transaction", "failed", load.transactions_failed);
  add("transaction", "skipped", load.transactions_skipped);
  for (size_t i = 0; i < load::kSkipReasons; ++i) {
    add("transaction", fmt::format("skipped_{}", load::kSkipReasonNames[i]),
        load.skipped_by_reason[i]);
  }
  for (const auto& [code, count] : load.transaction_errors) {
    add("transaction", "failed_" + code, count);
  }
}

}  // namespace

uint64_t SamplesNeeded(double percentile_fraction) {
  const double beyond = 1 - percentile_fraction;
  // The rounding keeps 1 - 0.999 from asking for 1001 samples.
  return beyond <= 0 ? 1 : static_cast<uint64_t>(std::ceil(1 / beyond - 1e-6));
}

double PercentileUs(const stats::Histogram& histogram, double percentile_fraction) {
  if (histogram.count() < SamplesNeeded(percentile_fraction)) return 0;
  return static_cast<double>(histogram.ValueAtPercentile(percentile_fraction * 100)) / kUs;
}

std::vector<results::LatencyRow> LatencyLadder(const std::string& distribution,
                                               const stats::Histogram& histogram) {
  std::vector<results::LatencyRow> rows;
  if (histogram.empty()) return rows;
  const auto add = [&](double percentile, const stats::Interval& value_ns) {
    results::LatencyRow row;
    row.distribution = distribution;
    row.percentile = percentile;
    row.latency_us = value_ns.estimate / kUs;
    row.latency_us_low = value_ns.low / kUs;
    row.latency_us_high = value_ns.high / kUs;
    row.samples =
        static_cast<int64_t>(histogram.CountUpTo(static_cast<int64_t>(value_ns.estimate)));
    rows.push_back(std::move(row));
  };
  const auto min = static_cast<double>(histogram.min());
  const auto max = static_cast<double>(histogram.max());
  add(0, {min, min, min});
  for (const double percentile : kLadder) {
    const auto interval = stats::PercentileInterval(histogram, percentile * 100);
    if (interval) add(percentile, *interval);
  }
  add(1, {max, max, max});
  return rows;
}

void AddDistributions(const load::LoadResult& load, results::TrialRecord& record) {
  const auto add = [&](const std::string& name, const stats::Histogram& histogram) {
    if (histogram.empty()) return;
    auto ladder = LatencyLadder(name, histogram);
    record.latency.insert(record.latency.end(), std::move_iterator(ladder.begin()),
                          std::move_iterator(ladder.end()));
    record.hgrm.push_back({name, histogram.ToHgrm()});
  };
  add("transaction", load.transaction_latency);
  add("service", load.service_time);
  add("schedule_lag", load.schedule_lag);
  add("client_lag", load.client_lag);
  add("connect", load.connect_latency);
  if (load.connects_retried > 0) add("connect_unretried", load.unretried_connect_latency);
  add("ready_since_release", ReadySinceRelease(load));
  add("victim_before", load.victims.before);
  add("victim_during", load.victims.during);
  add("victim_after", load.victims.after);
  for (const load::LoadResult& group : load.groups) {
    add(group.workload + "_transaction", group.transaction_latency);
    add(group.workload + "_connect", group.connect_latency);
  }
}

std::vector<results::TimeseriesRow> MakeTimeseries(const load::LoadResult& load,
                                                   const observe::SamplerReport& report) {
  std::vector<results::TimeseriesRow> rows;
  MonotonicNs first_ns = 0;
  for (const load::Slice& slice : load.slices) {
    if (!slice.in_window) continue;
    if (rows.empty()) first_ns = slice.begin_ns;
    results::TimeseriesRow row;
    row.time_ms = (slice.begin_ns - first_ns) / kNanosecondsPerMillisecond;
    row.connects_ok = static_cast<int64_t>(slice.connects_ok);
    row.connects_failed = static_cast<int64_t>(slice.connects_failed);
    row.transactions_ok = static_cast<int64_t>(slice.transactions_ok);
    row.transactions_failed = static_cast<int64_t>(slice.transactions_failed);
    row.latency_us_p99 = slice.latency_us_p99;
    const MonotonicNs end_ns = slice.begin_ns + load::kSliceNs;
    if (const observe::ServerSample* sample = LastSampleBefore(report.samples, end_ns)) {
      row.server_processes = sample->tree.processes;
      row.server_threads = sample->tree.threads;
      row.server_rss_kb = sample->tree.rss_kb;
      row.host_mem_available_kb = sample->host_available_kb;
      const double cpu_ns =
          InterpolateCpu(report.samples, end_ns) - InterpolateCpu(report.samples, slice.begin_ns);
      row.server_cpu_fraction = std::max(cpu_ns, 0.0) / static_cast<double>(load::kSliceNs);
    }
    rows.push_back(std::move(row));
  }
  return rows;
}

std::vector<results::ErrorRow> MakeErrors(const load::LoadResult& load) {
  std::vector<results::ErrorRow> rows;
  AddErrors(load, "", rows);
  for (const load::LoadResult& group : load.groups) AddErrors(group, ":" + group.workload, rows);
  return rows;
}

std::vector<results::MemoryRow> MakeMemory(const std::vector<MemoryCheckpoint>& checkpoints) {
  std::vector<results::MemoryRow> rows;
  for (const MemoryCheckpoint& checkpoint : checkpoints) {
    results::MemoryRow row;
    row.checkpoint = checkpoint.name;
    row.connections_up = checkpoint.connections_up;
    row.processes = checkpoint.tree.processes;
    row.threads = checkpoint.tree.threads;
    row.processes_sampled = checkpoint.tree.processes_walked;
    row.rss_kb = checkpoint.tree.rss_kb;
    row.pss_kb = checkpoint.tree.pss_kb;
    row.pss_anon_kb = checkpoint.tree.pss_anon_kb;
    row.pss_shmem_kb = checkpoint.tree.pss_shmem_kb;
    row.uss_kb = checkpoint.tree.uss_kb;
    row.page_tables_kb = checkpoint.tree.page_tables_kb;
    row.kernel_stack_kb = checkpoint.tree.kernel_stack_kb;
    row.host_mem_available_kb = checkpoint.host.available_kb;
    row.host_page_tables_kb = checkpoint.host.page_tables_kb;
    row.host_kernel_stack_kb = checkpoint.host.kernel_stack_kb;
    row.host_slab_kb = checkpoint.host.slab_kb;
    row.host_tcp_memory_kb = checkpoint.host.tcp_memory_kb;
    row.host_slab_unreclaimable_kb = checkpoint.host.slab_unreclaimable_kb;
    row.hugetlb_kb = checkpoint.tree.hugetlb_kb;
    rows.push_back(std::move(row));
  }
  return rows;
}

stats::Interval MemorySlope(const std::vector<MemoryCheckpoint>& checkpoints,
                            int64_t (*value)(const MemoryCheckpoint&)) {
  std::vector<double> x;
  std::vector<double> y;
  std::set<int64_t> counts;
  for (const MemoryCheckpoint& checkpoint : checkpoints) {
    // After the window there is more than connections to see: what the transactions touched.
    if (checkpoint.name == "after") continue;
    x.push_back(static_cast<double>(checkpoint.connections_up));
    y.push_back(static_cast<double>(value(checkpoint)));
    counts.insert(checkpoint.connections_up);
  }
  if (counts.size() < 2) return {};
  if (const auto line = stats::LeastSquares(x, y)) return line->slope;
  const double slope = (y.back() - y.front()) / (x.back() - x.front());
  return {slope, slope, slope};
}

engine::PoolUsage PoolsBetween(const std::vector<engine::PoolUsage>& before,
                               std::vector<engine::PoolUsage> after) {
  engine::PoolUsage all;
  for (engine::PoolUsage& pool : after) {
    const auto earlier = std::find_if(before.begin(), before.end(),
                                      [&](const auto& other) { return other.pool == pool.pool; });
    if (earlier != before.end() && earlier->wait.count <= pool.wait.count) pool.Subtract(*earlier);
    all.Add(pool);
  }
  return all;
}

namespace {

void FillPools(const engine::PoolUsage& pools, double seconds, double transactions, double connects,
               results::TrialRow& row) {
  const auto us = [](double ns) { return ns / kUs; };
  const auto at = [&](const engine::DurationUsage& usage, double fraction) {
    if (static_cast<uint64_t>(usage.count) < SamplesNeeded(fraction)) return 0.0;
    return us(static_cast<double>(usage.ValueAt(fraction)));
  };
  row.pool_services = pools.service.count;
  row.pool_wait_us_mean = us(pools.wait.mean_ns());
  row.pool_wait_us_p50 = at(pools.wait, 0.5);
  row.pool_wait_us_p99 = at(pools.wait, 0.99);
  row.pool_service_us_mean = us(pools.service.mean_ns());
  row.pool_service_us_p50 = at(pools.service, 0.5);
  row.pool_service_us_p99 = at(pools.service, 0.99);
  row.pool_resets = pools.reset.count;
  row.pool_reset_us_mean = us(pools.reset.mean_ns());
  row.pool_reset_us_p99 = at(pools.reset, 0.99);
  const double worker_ns = seconds * kNanosecondsPerSecond * static_cast<double>(pools.workers);
  row.pool_utilisation = Ratio(static_cast<double>(pools.busy_ns), worker_ns);
  row.pool_pinned_fraction = Ratio(static_cast<double>(pools.pinned_ns), worker_ns);
  row.pool_behind_us_per_transaction =
      Ratio(us(static_cast<double>(pools.behind_ns)), transactions);
  row.pool_switches_per_connection = Ratio(static_cast<double>(pools.switches), connects);
}

}  // namespace

void FillTrialRow(const load::LoadResult& load, const Observation& observation,
                  results::TrialRow& row) {
  const auto transactions = static_cast<double>(load.transactions_ok);
  const auto connects = static_cast<double>(load.connects_ok());
  const observe::UsageDelta& usage = observation.usage;
  row.transactions_ok = static_cast<int64_t>(load.transactions_ok);
  row.transactions_failed = static_cast<int64_t>(load.transactions_failed);
  row.throughput_tps = load.throughput_tps();
  row.latency_us_p50 = PercentileUs(load.transaction_latency, 0.5);
  row.latency_us_p90 = PercentileUs(load.transaction_latency, 0.9);
  row.latency_us_p99 = PercentileUs(load.transaction_latency, 0.99);
  row.latency_us_p999 = PercentileUs(load.transaction_latency, 0.999);
  row.latency_us_max = static_cast<double>(load.transaction_latency.max()) / kUs;
  row.latency_us_mean = load.transaction_latency.mean() / kUs;
  row.connects_ok = static_cast<int64_t>(load.connects_ok());
  row.connects_failed = static_cast<int64_t>(load.connects_failed());
  row.connects_per_s = load.connects_per_s();
  row.connect_us_p50 = PercentileUs(load.connect_latency, 0.5);
  row.connect_us_p99 = PercentileUs(load.connect_latency, 0.99);
  row.connect_us_mean = load.connect_latency.mean() / kUs;
  row.connect_us_max = static_cast<double>(load.connect_latency.max()) / kUs;
  const stats::Histogram& service = load.open_loop() ? load.service_time : load.transaction_latency;
  row.service_us_p50 = PercentileUs(service, 0.5);
  row.service_us_p99 = PercentileUs(service, 0.99);
  row.service_us_max = static_cast<double>(service.max()) / kUs;
  row.schedule_lag_us_p50 = PercentileUs(load.schedule_lag, 0.5);
  row.schedule_lag_us_p99 = PercentileUs(load.schedule_lag, 0.99);
  row.client_lag_us_p99 = PercentileUs(load.client_lag, 0.99);
  row.schedule = load.arrival.empty() ? load.rate : fmt::format("{} {}", load.rate, load.arrival);
  row.offered_tps = load.offered_tps();
  row.transactions_skipped = static_cast<int64_t>(load.transactions_skipped);
  row.transactions_late = static_cast<int64_t>(load.transactions_late);
  row.warmup_s = static_cast<double>(load.warmup_ns) / static_cast<double>(kNanosecondsPerSecond);
  row.warmup_state = load.warmup_state;
  row.window_s = load.window_seconds();
  constexpr double kMs = kNanosecondsPerMillisecond;
  row.all_served_ms = static_cast<double>(load.all_served_ns) / kMs;
  row.connects_retried = static_cast<int64_t>(load.connects_retried);
  if (load.pattern == load::Name(load::Pattern::kStorm)) {
    row.connect_skew_us = static_cast<double>(load.last_release_ns - load.first_connect_ns) / kUs;
  }
  row.victim_p99_inflation = load.victims.p99_inflation();
  row.victim_recovery_ms = static_cast<double>(load.victims.recovery_ns) / kMs;
  row.client_cpu_fraction = load.client_cpu_fraction;
  row.fairness_jain = load.fairness();
  FillPools(observation.pools, usage.seconds, transactions, connects, row);

  if (observation.server_seen) {
    FillMemory(observation.memory, row);
    FillOpenAndClose(load, observation, row);
  }

  row.server_cpu_user_s = usage.cpu_user_s;
  row.server_cpu_system_s = usage.cpu_system_s;
  row.server_cpu_us_per_transaction = Ratio(usage.cpu_s() * kMicrosecondsPerSecond, transactions);
  row.server_voluntary_switches = usage.voluntary_switches;
  row.server_involuntary_switches = usage.involuntary_switches;
  row.server_minor_faults_per_transaction =
      Ratio(static_cast<double>(usage.minor_faults), transactions);
  row.server_major_faults = usage.major_faults;
  if (MeasuresConnects(load)) {
    row.server_cpu_us_per_connect = Ratio(usage.cpu_s() * kMicrosecondsPerSecond, connects);
    row.server_minor_faults_per_connect = Ratio(static_cast<double>(usage.minor_faults), connects);
    // Those of ended backends are known for the server's whole life only.
    row.server_context_switches_per_connect =
        BackendsComeAndGo(load)
            ? 0
            : Ratio(static_cast<double>(usage.voluntary_switches + usage.involuntary_switches),
                    connects);
  }
  if (!BackendsComeAndGo(load)) {
    row.server_context_switches_per_transaction = Ratio(
        static_cast<double>(usage.voluntary_switches + usage.involuntary_switches), transactions);
    row.server_run_queue_delay_us_per_transaction =
        Ratio(static_cast<double>(usage.run_queue_delay_ns) / kUs, transactions);
  } else if (observation.life_switches >= 0) {
    // Those of ended backends are known for the server's whole life only, warm-up included.
    const auto all = static_cast<double>(load.transactions_all + load.warmup_transactions);
    row.server_context_switches_per_transaction =
        Ratio(static_cast<double>(observation.life_switches), all);
    // As many sessions per transaction in the warm-up as in the window.
    row.server_context_switches_per_connect =
        row.server_context_switches_per_transaction * Ratio(transactions, connects);
  }
  for (const observe::ServerSample& sample : observation.samples.samples) {
    row.server_processes_max = std::max<int64_t>(row.server_processes_max, sample.tree.processes);
    row.server_threads_max = std::max<int64_t>(row.server_threads_max, sample.tree.threads);
  }
  for (const MemoryCheckpoint& checkpoint : observation.memory) {
    row.server_processes_max =
        std::max<int64_t>(row.server_processes_max, checkpoint.tree.processes);
    row.server_threads_max = std::max<int64_t>(row.server_threads_max, checkpoint.tree.threads);
  }
  row.host_context_switches = observation.host.context_switches;
  row.listen_overflows = observation.host.listen_overflows;
  row.syn_retries = observation.host.syn_retries;
  row.steal_fraction = observe::StealFraction(observation.host);
  row.other_cpu_fraction = OtherCpuFraction(load, observation);
  row.observer_cpu_fraction = observation.samples.CpuFraction();
}

double OtherCpuFraction(const load::LoadResult& load, const Observation& observation) {
  const observe::HostCounters& host = observation.host;
  if (host.cpu_ticks <= 0 || observation.usage.seconds <= 0) return 0;
  const double ours_s =
      observation.usage.cpu_s() +
      static_cast<double>(load.client_cpu_ns + observation.own_cpu_ns) / kNanosecondsPerSecond;
  // Ticks of all CPUs make up the time that passed on all of them.
  const double all_s = observation.usage.seconds * observation.cpus;
  const double work_s =
      all_s * static_cast<double>(host.work_ticks) / static_cast<double>(host.cpu_ticks);
  return all_s > 0 ? std::max(0.0, work_s - ours_s) / all_s : 0;
}

}  // namespace connbench::suite
