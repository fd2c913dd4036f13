// Makes rows of schema version 1 rows of today's.
#include "results/version1.h"

#include <algorithm>
#include <iterator>

namespace connbench::results {
namespace {

// The workloads that came with connbench while files had version 1.
struct KnownWorkload {
  std::string_view name;
  std::string_view pattern;
  std::string_view protocol;
};
constexpr KnownWorkload kWorkloads[] = {
    {"churn", "churn", "simple"},
    {"connect-only", "churn", "simple"},
    {"failover-storm", "failover", "simple"},
    {"idle", "idle", "prepared"},
    {"idle-heavy", "idle", "prepared"},
    {"memory-connected", "idle", "simple"},
    {"memory-queried", "idle", "simple"},
    {"memory-touched", "idle", "simple"},
    {"noisy-neighbour", "mixed", "prepared"},
    {"scan", "steady", "prepared"},
    {"select-only", "steady", "prepared"},
    {"simple-update", "steady", "prepared"},
    {"sort", "steady", "prepared"},
    {"steady", "steady", "prepared"},
    {"storm", "storm", "simple"},
    {"tpcb", "steady", "prepared"},
    {"victim", "mixed", "prepared"},
    {"victim-idle", "mixed", "prepared"},
};

// Columns of trials.csv in which 0 was a figure.
constexpr std::string_view kZeroIsMeasured[] = {
    "client_cpu_fraction",   "started_s",          "window_s", "steal_fraction",
    "observer_cpu_fraction", "other_cpu_fraction", "warmup_s",
};
// In which it was one if the model had a pool at all.
constexpr std::string_view kZeroIsMeasuredOfPools[] = {
    "pool_utilisation",
    "pool_pinned_fraction",
    "pool_behind_us_per_transaction",
    "pool_switches_per_connection",
};
// In which it was one if the server's processes were seen.
constexpr std::string_view kOfTheServer[] = {
    "server_voluntary_switches", "server_involuntary_switches", "server_major_faults",
    "server_processes_max",      "server_threads_max",
};
// What was known of a trial that did not come as far as its window.
constexpr std::string_view kKnownBeforehand[] = {"seed", "started_s"};

template <size_t kCount>
bool IsOneOf(const std::string_view (&names)[kCount], std::string_view name) {
  return std::find(std::begin(names), std::end(names), name) != std::end(names);
}

template <typename Row>
void Clear(const Field<Row>& field, Row& row) {
  if (const auto* real = std::get_if<std::optional<Real> Row::*>(&field.member)) {
    (row.**real).reset();
  } else if (const auto* integer = std::get_if<std::optional<Integer> Row::*>(&field.member)) {
    (row.**integer).reset();
  }
}

template <typename Row>
void UpgradeKeys(Row& row) {
  row.contender = ContenderOf(row.target, row.model);
  const auto* known = std::find_if(std::begin(kWorkloads), std::end(kWorkloads),
                                   [&](const auto& each) { return each.name == row.workload; });
  if (known != std::end(kWorkloads)) {
    row.pattern = known->pattern;
    row.protocol = known->protocol;
  }
  // An experiment could ask for another one.
  constexpr std::string_view kProtocol = "/protocol:";
  if (const size_t at = row.cell.find(kProtocol); at != std::string::npos) {
    const size_t begin = at + kProtocol.size();
    row.protocol = row.cell.substr(begin, row.cell.find('/', begin) - begin);
  }
}

// Whether a 0 in this column may stay.
bool ZeroIsMeasured(const Field<TrialRow>& field, bool has_pools, bool server_seen) {
  const std::string_view name = field.column.name;
  if (name.starts_with("pool_")) return has_pools && IsOneOf(kZeroIsMeasuredOfPools, name);
  if (IsOneOf(kOfTheServer, name)) return server_seen;
  if (name == "transactions_late") return false;  // most runs had no limit
  return field.column.type == ColumnType::kInteger || IsOneOf(kZeroIsMeasured, name);
}

void ClearWidthless(const std::optional<Real>& estimate, std::optional<Real>& low,
                    std::optional<Real>& high) {
  if (low != estimate || high != estimate) return;
  low.reset();
  high.reset();
}

// Where all connections were up before the window, no request had to connect.
void AddRequestTime(TrialRow& row) {
  if (row.pattern != "steady" && row.pattern != "idle" && row.pattern != "mixed") return;
  row.request_us_mean = row.latency_us_mean;
  row.request_us_p50 = row.latency_us_p50;
  row.request_us_p90 = row.latency_us_p90;
  row.request_us_p99 = row.latency_us_p99;
  row.request_us_p999 = row.latency_us_p999;
  row.request_us_max = row.latency_us_max;
}

}  // namespace

template <>
bool UpgradeFromVersion1(TrialRow& row) {
  UpgradeKeys(row);
  const bool has_window = row.window_s.value_or(0) > 0;
  const bool has_pools = row.pool_services.value_or(0) > 0;
  const bool server_seen = row.server_processes_max.value_or(0) > 0;
  for (const Field<TrialRow>& field : Fields<TrialRow>()) {
    if (field.column.is_axis() || field.Measured(row).value_or(1) != 0) continue;
    const bool stays = has_window ? ZeroIsMeasured(field, has_pools, server_seen)
                                  : IsOneOf(kKnownBeforehand, field.column.name);
    if (!stays) Clear(field, row);
  }
  ClearWidthless(row.memory_kb_per_connection, row.memory_kb_per_connection_low,
                 row.memory_kb_per_connection_high);
  ClearWidthless(row.private_kb_per_connection, row.private_kb_per_connection_low,
                 row.private_kb_per_connection_high);
  AddRequestTime(row);
  return true;
}

template <>
bool UpgradeFromVersion1(LatencyRow& row) {
  UpgradeKeys(row);
  return true;
}

template <>
bool UpgradeFromVersion1(PhaseRow& row) {
  UpgradeKeys(row);
  if (row.samples.value_or(0) > 0) return true;
  row.mean_us.reset();
  row.p50_us.reset();
  row.p99_us.reset();
  row.max_us.reset();
  return true;
}

template <>
bool UpgradeFromVersion1(TimeseriesRow& row) {
  UpgradeKeys(row);
  if (row.transactions_ok.value_or(0) == 0) row.latency_us_p99.reset();
  if (row.server_processes.value_or(0) > 0) return true;
  row.server_processes.reset();
  row.server_threads.reset();
  row.server_rss_kb.reset();
  row.server_cpu_fraction.reset();
  if (row.host_mem_available_kb == 0) row.host_mem_available_kb.reset();
  return true;
}

template <>
bool UpgradeFromVersion1(MemoryRow& row) {
  UpgradeKeys(row);
  if (row.processes.value_or(0) > 0) return true;
  for (const Field<MemoryRow>& field : Fields<MemoryRow>()) {
    if (!field.column.name.starts_with("host_")) Clear(field, row);
  }
  return true;
}

template <>
bool UpgradeFromVersion1(ErrorRow& row) {
  UpgradeKeys(row);
  return row.count.value_or(0) > 0;
}

}  // namespace connbench::results
