// What makes the figures of a run say more about its client than about the server.
#include "harness/load/judge.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <string>
#include <utility>

#include "base/units.h"
#include "harness/load/schedule_check.h"

namespace connbench::load {

void Judge(const Workload& workload, LoadResult& result) {
  const auto add = [&](std::string reason) { result.invalid_reasons.push_back(std::move(reason)); };
  for (size_t i = 0; i < result.thread_cpu_fractions.size(); ++i) {
    if (result.thread_cpu_fractions[i] <= kSaturatedCpuFraction) continue;
    add(fmt::format(
        "client_cpu: client thread {} used {:.0f} % of a CPU: the server waited for it; use more "
        "threads (-j) or fewer connections",
        i, result.thread_cpu_fractions[i] * 100));
  }
  // In a storm and after a failover the server's crowd may keep it from a CPU: that is their
  // nature.
  const bool crowd = RowOf(workload.pattern).Has(kCrowd);
  if (result.client_stall_ns > kMaxClientStallNs && !crowd) {
    add(
        fmt::format("client_stall: a client thread did not look at its connections for {} (bound "
                    "{}): it was stopped, or had no CPU, and answers waited for it",
                    FormatDuration(result.client_stall_ns), FormatDuration(kMaxClientStallNs)));
  }
  if (result.suspended_ns > kMaxSuspendedNs) {
    add(fmt::format("clock: the machine was suspended for {}, which no figure shows",
                    FormatDuration(result.suspended_ns)));
  }
  const auto count = [&](ConnectOutcome outcome) {
    uint64_t sum = result.connects_by_outcome[static_cast<size_t>(outcome)];
    for (const LoadResult& group : result.groups) {
      sum += group.connects_by_outcome[static_cast<size_t>(outcome)];
    }
    return sum;
  };
  if (count(ConnectOutcome::kNoPorts) > 0) {
    add(fmt::format(
        "ports: {} connects found no free port on this machine; use --source-addresses, or a "
        "Unix socket",
        count(ConnectOutcome::kNoPorts)));
  }
  if (count(ConnectOutcome::kClientError) > 0) {
    add(fmt::format("client: {} connects hit a limit of this process",
                    count(ConnectOutcome::kClientError)));
  }
  if (count(ConnectOutcome::kNotBegun) > 0) {
    add(fmt::format(
        "connects: {} sessions were due and found no free client; use more connections (-c), or "
        "a lower rate",
        count(ConnectOutcome::kNotBegun)));
  }
  uint64_t syn_retries = result.syn_retries;
  for (const LoadResult& group : result.groups) syn_retries += group.syn_retries;
  if (syn_retries > 0 && !result.beyond_backlog) {
    add(fmt::format(
        "syn_retries: {} SYNs were repeated: the listen queue overflowed, and connects took "
        "TCP's seconds instead of the server's time",
        syn_retries));
  }
  const std::vector<ClientGroup> groups = workload.AllGroups();
  for (std::string& reason : CheckSchedule(result, groups.front().arrivals)) add(std::move(reason));
  for (size_t i = 0; i < result.groups.size(); ++i) {
    for (const std::string& reason : CheckSchedule(result.groups[i], groups[i + 1].arrivals)) {
      add(fmt::format("{} (group {})", reason, result.groups[i].workload));
    }
  }
  if (result.transaction_latency.negative_count() > 0) add("clock: the clock went backwards");
  if (const auto law = result.littles_law(); law && !result.interrupted) {
    const double apart = std::fabs(law->mean_request_ns - law->clients_over_throughput_ns);
    if (apart >
        std::max(kLittlesLawTolerance * law->clients_over_throughput_ns, kLittlesLawFloorNs)) {
      add(fmt::format(
          "littles_law: {:.1f} clients / throughput is {}, but the mean request time is {}: they "
          "must "
          "agree within {:.0f} %",
          law->clients, FormatDuration(std::llround(law->clients_over_throughput_ns)),
          FormatDuration(std::llround(law->mean_request_ns)), kLittlesLawTolerance * 100));
    }
  }
  if (RowOf(workload.pattern).Has(kDropped) && !result.interrupted) {
    if (result.connections_lost == 0) {
      add("served: no connection was dropped: the server has to be made to (--drop)");
    } else if (result.clients_served < result.clients_to_serve) {
      add(fmt::format("served: {} of {} clients were not served again within {}",
                      result.clients_to_serve - result.clients_served, result.clients_to_serve,
                      FormatDuration(workload.duration_ns)));
    }
  }
  for (const LoadResult& group : result.groups) {
    if (group.connects_failed() == 0) continue;
    add(fmt::format("connects: {} of {} connects of group {} failed", group.connects_failed(),
                    group.connects_all, group.workload));
  }
}

}  // namespace connbench::load
