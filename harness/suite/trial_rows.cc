// What a trial found becomes its row of trials.csv.
#include "harness/suite/trial_rows.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <set>

#include "harness/workload/workload.h"

namespace connbench::suite {
namespace {

constexpr double kUs = kNanosecondsPerMicrosecond;
constexpr double kMs = kNanosecondsPerMillisecond;
constexpr double kMicrosecondsPerSecond = 1e6;

// None where there is nothing to divide among.
std::optional<double> Ratio(double value, double count) {
  return count > 0 ? std::optional<double>(value / count) : std::nullopt;
}

std::optional<double> MeanUs(const stats::Histogram& histogram) {
  return histogram.empty() ? std::nullopt : std::optional<double>(histogram.mean() / kUs);
}

std::optional<double> MaxUs(const stats::Histogram& histogram) {
  if (histogram.empty()) return std::nullopt;
  return static_cast<double>(histogram.max()) / kUs;
}

template <typename T>
void Raise(std::optional<T>& most, T value) {
  most = std::max(most.value_or(value), value);
}

bool MeasuresConnects(const load::LoadResult& load) {
  return load::RowOf(load.pattern).Has(load::kConnectsMeasured);
}

bool BackendsComeAndGo(const load::LoadResult& load) {
  return load::RowOf(load.pattern).Has(load::kSessionsComeAndGo);
}

void FillMemory(const std::vector<MemoryCheckpoint>& memory, results::TrialRow& row) {
  using Checkpoint = const MemoryCheckpoint&;
  const auto slope = [&](int64_t (*value)(Checkpoint)) -> std::optional<double> {
    const std::optional<Growth> growth = MemorySlope(memory, value);
    return growth ? std::optional<double>(growth->slope) : std::nullopt;
  };
  row.rss_kb_per_connection = slope([](Checkpoint c) { return c.tree.rss_kb; });
  row.pss_kb_per_connection = slope([](Checkpoint c) { return c.tree.pss_kb; });
  row.uss_kb_per_connection = slope([](Checkpoint c) { return c.tree.uss_kb; });
  row.private_kb_per_connection = slope([](Checkpoint c) { return c.tree.pss_anon_kb; });
  row.page_tables_kb_per_connection = slope([](Checkpoint c) { return c.tree.page_tables_kb; });
  row.kernel_stack_kb_per_connection = slope([](Checkpoint c) { return c.tree.kernel_stack_kb; });
  row.slab_kb_per_connection = slope([](Checkpoint c) { return c.host.slab_kb; });
  row.slab_unreclaimable_kb_per_connection =
      slope([](Checkpoint c) { return c.host.slab_unreclaimable_kb; });
  row.socket_kb_per_connection = slope([](Checkpoint c) { return c.host.tcp_memory_kb; });
  row.machine_kb_per_connection = slope([](Checkpoint c) { return -c.host.available_kb; });
  // The slope of a sum is the sum of the slopes, but its interval is not that of the parts.
  const auto all_kb = [](Checkpoint c) {
    return c.tree.pss_anon_kb + c.tree.page_tables_kb + c.tree.kernel_stack_kb +
           c.host.slab_unreclaimable_kb + c.host.tcp_memory_kb;
  };
  row.memory_kb_per_connection = slope(all_kb);

  const auto ends = [&](int64_t (*value)(Checkpoint), std::optional<double>& low,
                        std::optional<double>& high) {
    const std::optional<Growth> growth = MemorySlope(memory, value);
    if (!growth || !growth->interval) return;
    low = growth->interval->low;
    high = growth->interval->high;
  };
  ends([](Checkpoint c) { return c.tree.pss_anon_kb; }, row.private_kb_per_connection_low,
       row.private_kb_per_connection_high);
  ends(all_kb, row.memory_kb_per_connection_low, row.memory_kb_per_connection_high);
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

}  // namespace

uint64_t SamplesNeeded(double percentile_fraction) {
  const double beyond = 1 - percentile_fraction;
  // The rounding keeps 1 - 0.999 from asking for 1001 samples.
  return beyond <= 0 ? 1 : static_cast<uint64_t>(std::ceil(1 / beyond - 1e-6));
}

std::optional<double> PercentileUs(const stats::Histogram& histogram, double percentile_fraction) {
  if (histogram.count() < SamplesNeeded(percentile_fraction)) return std::nullopt;
  return static_cast<double>(histogram.ValueAtPercentile(percentile_fraction * 100)) / kUs;
}

std::optional<Growth> MemorySlope(const std::vector<MemoryCheckpoint>& checkpoints,
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
  if (counts.size() < 2) return std::nullopt;
  if (const auto line = stats::LeastSquares(x, y)) {
    return Growth{line->slope.estimate, line->slope};
  }
  return Growth{(y.back() - y.front()) / (x.back() - x.front()), std::nullopt};
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

// Of a model in which a session has its process or thread to itself there is nothing to fill in.
void FillPools(const engine::PoolUsage& pools, double seconds, double transactions, double connects,
               results::TrialRow& row) {
  if (pools.workers == 0) return;
  const auto us = [](double ns) { return ns / kUs; };
  const auto mean = [&](const engine::DurationUsage& usage) -> std::optional<double> {
    return usage.count > 0 ? std::optional<double>(us(usage.mean_ns())) : std::nullopt;
  };
  const auto at = [&](const engine::DurationUsage& usage,
                      double fraction) -> std::optional<double> {
    if (static_cast<uint64_t>(usage.count) < SamplesNeeded(fraction)) return std::nullopt;
    return us(static_cast<double>(usage.ValueAt(fraction)));
  };
  row.pool_services = pools.service.count;
  row.pool_wait_us_mean = mean(pools.wait);
  row.pool_wait_us_p50 = at(pools.wait, 0.5);
  row.pool_wait_us_p99 = at(pools.wait, 0.99);
  row.pool_service_us_mean = mean(pools.service);
  row.pool_service_us_p50 = at(pools.service, 0.5);
  row.pool_service_us_p99 = at(pools.service, 0.99);
  row.pool_resets = pools.reset.count;
  row.pool_reset_us_mean = mean(pools.reset);
  row.pool_reset_us_p99 = at(pools.reset, 0.99);
  const double worker_ns = seconds * kNanosecondsPerSecond * static_cast<double>(pools.workers);
  row.pool_utilisation = Ratio(static_cast<double>(pools.busy_ns), worker_ns);
  row.pool_pinned_fraction = Ratio(static_cast<double>(pools.pinned_ns), worker_ns);
  row.pool_behind_us_per_transaction =
      Ratio(us(static_cast<double>(pools.behind_ns)), transactions);
  row.pool_switches_per_connection = Ratio(static_cast<double>(pools.switches), connects);
}

void FillLog(const observe::LogReading& log, double transactions, results::TrialRow& row) {
  const auto part = [&](const std::optional<int64_t>& all, double unit) -> std::optional<double> {
    return all ? Ratio(static_cast<double>(*all) / unit, transactions) : std::nullopt;
  };
  row.log_bytes_per_transaction = Ratio(static_cast<double>(log.bytes), transactions);
  row.log_flushes_per_transaction = part(log.flushes, 1);
  if (log.flushes) {
    row.transactions_per_log_flush = Ratio(transactions, static_cast<double>(*log.flushes));
  }
  row.commit_wait_us_per_transaction = part(log.commit_wait_ns, kUs);
  row.checkpoints = log.checkpoints;
  row.page_reads_per_transaction = part(log.page_reads, 1);
  row.page_read_wait_us_per_transaction = part(log.page_read_ns, kUs);
  row.page_writes_per_transaction = part(log.page_writes, 1);
}

// On the clock of timeseries.csv.
void FillDisturbance(const load::LoadResult& load, results::TrialRow& row) {
  const auto first = std::ranges::find_if(load.slices, &load::Slice::in_window);
  if (first == load.slices.end()) return;
  const auto since_first_ms = [&](MonotonicNs at) {
    return static_cast<double>(at - first->begin_ns) / kMs;
  };
  row.disturbance_begin_ms = since_first_ms(load.victims.begin_ns);
  if (load.victims.end_ns != 0) row.disturbance_end_ms = since_first_ms(load.victims.end_ns);
}

void FillTransactions(const load::LoadResult& load, results::TrialRow& row) {
  row.transactions_ok = static_cast<int64_t>(load.transactions_ok);
  row.transactions_failed = static_cast<int64_t>(load.transactions_failed);
  row.transactions_skipped = static_cast<int64_t>(load.transactions_skipped);
  if (load.latency_limit_ns > 0)
    row.transactions_late = static_cast<int64_t>(load.transactions_late);
  const bool has_rate = load.transactions_all > 0 && load.window_seconds() > 0;
  if (has_rate) row.throughput_tps = load.throughput_tps();
  if (has_rate && load.open_loop()) row.offered_tps = load.offered_tps();
  if (load.clients_begun > 0) row.fairness_jain = load.fairness();
  // In a closed loop what is under way at the window's end counts by its share, as in throughput.
  const std::optional<load::LittlesLaw> law = load.littles_law();
  row.request_us_mean = law ? law->mean_request_ns / kUs : MeanUs(load.request_time);
  row.request_us_p50 = PercentileUs(load.request_time, 0.5);
  row.request_us_p90 = PercentileUs(load.request_time, 0.9);
  row.request_us_p99 = PercentileUs(load.request_time, 0.99);
  row.request_us_p999 = PercentileUs(load.request_time, 0.999);
  row.request_us_max = MaxUs(load.request_time);
  row.latency_us_p50 = PercentileUs(load.transaction_latency, 0.5);
  row.latency_us_p90 = PercentileUs(load.transaction_latency, 0.9);
  row.latency_us_p99 = PercentileUs(load.transaction_latency, 0.99);
  row.latency_us_p999 = PercentileUs(load.transaction_latency, 0.999);
  row.latency_us_max = MaxUs(load.transaction_latency);
  row.latency_us_mean = MeanUs(load.transaction_latency);
  const stats::Histogram& service = load.open_loop() ? load.service_time : load.transaction_latency;
  row.service_us_p50 = PercentileUs(service, 0.5);
  row.service_us_p99 = PercentileUs(service, 0.99);
  row.service_us_max = MaxUs(service);
  row.schedule = load.arrival.empty() ? load.rate : fmt::format("{} {}", load.rate, load.arrival);
  row.schedule_lag_us_p50 = PercentileUs(load.schedule_lag, 0.5);
  row.schedule_lag_us_p99 = PercentileUs(load.schedule_lag, 0.99);
  row.client_lag_us_p99 = PercentileUs(load.client_lag, 0.99);
  if (load.victims.carries_p99()) row.victim_p99_inflation = load.victims.p99_inflation();
  if (load.victims.begin_ns != 0) {
    row.victim_recovery_ms = static_cast<double>(load.victims.recovery_ns) / kMs;
    FillDisturbance(load, row);
  }
}

void FillConnects(const load::LoadResult& load, results::TrialRow& row) {
  row.connects_ok = static_cast<int64_t>(load.connects_ok());
  row.connects_failed = static_cast<int64_t>(load.connects_failed());
  row.connects_retried = static_cast<int64_t>(load.connects_retried);
  if (load.connects_ok() > 0) row.connects_per_s = load.connects_per_s();
  row.connect_us_p50 = PercentileUs(load.connect_latency, 0.5);
  row.connect_us_p99 = PercentileUs(load.connect_latency, 0.99);
  row.connect_us_mean = MeanUs(load.connect_latency);
  row.connect_us_max = MaxUs(load.connect_latency);
  if (load.all_served_ns > 0) row.all_served_ms = static_cast<double>(load.all_served_ns) / kMs;
  if (load::RowOf(load.pattern).Has(load::kReleasedTogether) && load.connects_all > 0) {
    row.connect_skew_us = static_cast<double>(load.last_release_ns - load.first_connect_ns) / kUs;
  }
}

// What the server's processes used in the measured window.
void FillServer(const load::LoadResult& load, const Observation& observation,
                results::TrialRow& row) {
  const auto transactions = static_cast<double>(load.transactions_ok);
  const auto connects = static_cast<double>(load.connects_ok());
  const observe::UsageDelta& usage = observation.usage;
  const auto switches = static_cast<double>(usage.voluntary_switches + usage.involuntary_switches);
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
    if (!BackendsComeAndGo(load)) {
      row.server_context_switches_per_connect = Ratio(switches, connects);
    }
  }
  if (!BackendsComeAndGo(load)) {
    row.server_context_switches_per_transaction = Ratio(switches, transactions);
    row.server_run_queue_delay_us_per_transaction =
        Ratio(static_cast<double>(usage.run_queue_delay_ns) / kUs, transactions);
  } else if (observation.life_switches >= 0) {
    // Those of ended backends are known for the server's whole life only, warm-up included.
    const auto all = static_cast<double>(load.transactions_all + load.warmup_transactions);
    row.server_context_switches_per_transaction =
        Ratio(static_cast<double>(observation.life_switches), all);
    // As many sessions per transaction in the warm-up as in the window.
    const std::optional<double> per_connect = Ratio(transactions, connects);
    if (row.server_context_switches_per_transaction && per_connect) {
      row.server_context_switches_per_connect =
          *row.server_context_switches_per_transaction * *per_connect;
    }
  }
  const auto raise = [&](int64_t processes, int64_t threads) {
    Raise(row.server_processes_max, processes);
    Raise(row.server_threads_max, threads);
  };
  for (const observe::ServerSample& sample : observation.samples.samples) {
    raise(sample.tree.processes, sample.tree.threads);
  }
  for (const MemoryCheckpoint& checkpoint : observation.memory) {
    raise(checkpoint.tree.processes, checkpoint.tree.threads);
  }
}

}  // namespace

void FillTrialRow(const load::LoadResult& load, const Observation& observation,
                  results::TrialRow& row) {
  row.window_s = load.window_seconds();
  row.warmup_s = static_cast<double>(load.warmup_ns) / static_cast<double>(kNanosecondsPerSecond);
  row.warmup_state = load.warmup_state;
  row.client_cpu_fraction = load.client_cpu_fraction;
  FillTransactions(load, row);
  FillConnects(load, row);
  FillPools(observation.pools, observation.usage.seconds, static_cast<double>(load.transactions_ok),
            static_cast<double>(load.connects_ok()), row);
  if (observation.log) {
    FillLog(*observation.log, static_cast<double>(load.transactions_ok), row);
  }
  if (observation.server_seen) {
    FillMemory(observation.memory, row);
    FillOpenAndClose(load, observation, row);
    FillServer(load, observation, row);
  }
  row.host_context_switches = observation.host.context_switches;
  row.listen_overflows = observation.host.listen_overflows;
  row.syn_retries = observation.host.syn_retries;
  row.steal_fraction = observe::StealFraction(observation.host);
  row.other_cpu_fraction = OtherCpuFraction(load, observation);
  row.observer_cpu_fraction = observation.samples.CpuFraction();
}

std::optional<observe::LogReading> LogBetween(const std::optional<observe::LogReading>& before,
                                              const std::optional<observe::LogReading>& after) {
  if (!before || !after || after->bytes < before->bytes) return std::nullopt;
  const auto grown = [](const std::optional<int64_t>& then,
                        const std::optional<int64_t>& now) -> std::optional<int64_t> {
    return then && now && *now >= *then ? std::optional<int64_t>(*now - *then) : std::nullopt;
  };
  return observe::LogReading{.bytes = after->bytes - before->bytes,
                             .flushes = grown(before->flushes, after->flushes),
                             .commit_wait_ns = grown(before->commit_wait_ns, after->commit_wait_ns),
                             .checkpoints = grown(before->checkpoints, after->checkpoints),
                             .page_reads = grown(before->page_reads, after->page_reads),
                             .page_read_ns = grown(before->page_read_ns, after->page_read_ns),
                             .page_writes = grown(before->page_writes, after->page_writes)};
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
