// What a trial found becomes rows of the files beside trials.csv.
#include "harness/suite/trial_tables.h"

#include <fmt/format.h>

#include <algorithm>
#include <iterator>

#include "harness/stats/intervals.h"
#include "harness/workload/workload.h"

namespace connbench::suite {
namespace {

constexpr double kNsPerUs = kNanosecondsPerMicrosecond;

// Where a curve of a distribution bends: dense towards the tail.
constexpr double kLadder[] = {0.01, 0.05,   0.1,   0.2,    0.3,   0.4,    0.5,    0.6,     0.7,
                              0.75, 0.8,    0.85,  0.9,    0.925, 0.95,   0.965,  0.975,   0.985,
                              0.99, 0.9925, 0.995, 0.9975, 0.999, 0.9995, 0.9999, 0.99995, 0.99999};

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

// When each connection of a storm was ready, counted for all from its first connect(), or, in a
// failover, from when the server was made to drop them.
stats::Histogram ReadySinceRelease(const load::LoadResult& load) {
  stats::Histogram ready;
  MonotonicNs release = 0;
  const load::PatternRow& pattern = load::RowOf(load.pattern);
  if (pattern.Has(load::kReleasedTogether)) release = load.first_connect_ns;
  if (pattern.Has(load::kDropped)) release = load.window_begin_ns;
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
    if (count == 0) return;
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

std::vector<results::LatencyRow> LatencyLadder(const std::string& distribution,
                                               const stats::Histogram& histogram) {
  std::vector<results::LatencyRow> rows;
  if (histogram.empty()) return rows;
  const auto add = [&](double percentile, const stats::Interval& value_ns) {
    results::LatencyRow row;
    row.distribution = distribution;
    row.percentile = percentile;
    row.latency_us = value_ns.estimate / kNsPerUs;
    row.latency_us_low = value_ns.low / kNsPerUs;
    row.latency_us_high = value_ns.high / kNsPerUs;
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
  add("request", load.request_time);
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
    add(group.workload + "_request", group.request_time);
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
    if (slice.transactions_ok > 0) row.latency_us_p99 = slice.latency_us_p99;
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
    if (checkpoint.tree.processes > 0) {  // otherwise it is not seen
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
      row.hugetlb_kb = checkpoint.tree.hugetlb_kb;
    }
    row.host_mem_available_kb = checkpoint.host.available_kb;
    row.host_page_tables_kb = checkpoint.host.page_tables_kb;
    row.host_kernel_stack_kb = checkpoint.host.kernel_stack_kb;
    row.host_slab_kb = checkpoint.host.slab_kb;
    row.host_tcp_memory_kb = checkpoint.host.tcp_memory_kb;
    row.host_slab_unreclaimable_kb = checkpoint.host.slab_unreclaimable_kb;
    rows.push_back(std::move(row));
  }
  return rows;
}

}  // namespace connbench::suite
