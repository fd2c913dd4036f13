// Puts together what the threads of a run have counted.
#include "harness/load/collect.h"

#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <utility>

namespace connbench::load {
namespace {

// Adds the connects of another group to the slices of the first, which cover the same time.
void AddConnects(const std::vector<Slice>& from, std::vector<Slice>& into) {
  std::map<std::pair<MonotonicNs, bool>, const Slice*> by_begin;
  for (const Slice& slice : from) by_begin[{slice.begin_ns, slice.in_window}] = &slice;
  int64_t open = 0;
  for (Slice& slice : into) {
    if (const auto found = by_begin.find({slice.begin_ns, slice.in_window});
        found != by_begin.end()) {
      slice.connects_ok += found->second->connects_ok;
      slice.connects_failed += found->second->connects_failed;
      open = found->second->connections_open;
    }
    slice.connections_open += open;
  }
}

// How many attempts were under way at the same time, at most.
uint64_t MostInFlight(const std::vector<ConnectionPhases>& phases) {
  std::vector<std::pair<MonotonicNs, int>> changes;
  changes.reserve(2 * phases.size());
  for (const ConnectionPhases& attempt : phases) {
    if (!attempt.in_window) continue;
    changes.emplace_back(attempt.connect_begin_ns, 1);
    changes.emplace_back(attempt.ready_ns != 0 ? attempt.ready_ns : attempt.ended_ns, -1);
  }
  std::sort(changes.begin(), changes.end());
  int64_t now = 0;
  int64_t most = 0;
  for (const auto& [at, change] : changes) {
    now += change;
    most = std::max(most, now);
  }
  return static_cast<uint64_t>(most);
}

void AddThreads(const ClientThreads& group, LoadResult& result) {
  result.rate = group.spec.arrivals.rate_text;
  result.arrival = group.spec.arrivals.arrival_text;
  result.latency_limit_ns = group.spec.latency_limit_ns;
  const PatternRow& pattern = RowOf(group.spec.pattern);
  result.closed_loop = (pattern.Has(kStaysOpen) && !group.spec.arrivals.given()) ||
                       (pattern.Has(kSessionsComeAndGo) && !group.spec.connect_arrivals.given());
  for (const auto& worker : group.workers) {
    worker->recorder().AddTo(result);
    result.client_realtime = worker->realtime();
    result.bytes_sent += worker->bytes().sent;
    result.bytes_received += worker->bytes().received;
  }
}

std::vector<Slice> SlicesOf(const ClientThreads& group, const LoadResult& run) {
  std::vector<const Recorder*> recorders;
  for (const auto& worker : group.workers) {
    worker->recorder().FinishSlices();
    recorders.push_back(&worker->recorder());
  }
  return MergeSlices(recorders, run.run_begin_ns, run.window_begin_ns);
}

LoadResult CollectGroup(const ClientThreads& group, const LoadResult& run) {
  LoadResult result;
  result.workload = group.spec.name;
  result.pattern = group.spec.pattern;
  result.protocol_mode = run.protocol_mode;
  result.connections = group.spec.connections;
  result.threads = group.settings.threads;
  result.seed = run.seed;
  result.window_begin_ns = run.window_begin_ns;
  result.window_end_ns = run.window_end_ns;
  AddThreads(group, result);
  for (const auto& worker : group.workers) result.client_cpu_ns += worker->cpu_ns();
  if (RowOf(group.spec.pattern).Has(kReleasedTogether)) {
    CollectServed(group, result.first_connect_ns, result);
    result.connects_in_flight_max = MostInFlight(result.phases);
  }
  return result;
}

}  // namespace

void CollectCounts(const std::vector<ClientThreads>& groups, LoadResult& result) {
  AddThreads(groups.front(), result);
  result.slices = SlicesOf(groups.front(), result);
  if (RowOf(groups.front().spec.pattern).Has(kReleasedTogether)) {
    result.connects_in_flight_max = MostInFlight(result.phases);
  }
  for (size_t i = 1; i < groups.size(); ++i) {
    LoadResult group = CollectGroup(groups[i], result);
    AddConnects(SlicesOf(groups[i], result), result.slices);
    result.phases.insert(result.phases.end(), group.phases.begin(), group.phases.end());
    group.phases.clear();
    result.phases_dropped += std::exchange(group.phases_dropped, 0);
    if (result.first_error.empty()) result.first_error = group.first_error;
    result.groups.push_back(std::move(group));
  }
  std::sort(result.phases.begin(), result.phases.end(),
            [](const ConnectionPhases& a, const ConnectionPhases& b) {
              return a.connect_begin_ns < b.connect_begin_ns;
            });
}

void CollectServed(const ClientThreads& group, MonotonicNs since, LoadResult& result) {
  result.clients_to_serve = group.clients();
  MonotonicNs last = 0;
  MonotonicNs first_lost = kNoDeadline;
  for (const auto& worker : group.workers) {
    const Served& served = worker->served();
    result.clients_served += served.clients;
    last = std::max(last, served.last_ns);
    if (served.first_lost_ns != 0) first_lost = std::min(first_lost, served.first_lost_ns);
  }
  // Where nobody knows when the server was made to drop them, it counts from the first loss.
  if (since == 0) since = first_lost;
  if (first_lost != kNoDeadline) result.first_loss_ns = first_lost - since;
  if (result.clients_served == result.clients_to_serve) result.all_served_ns = last - since;
}

void CollectVictims(const ClientThreads& group, const Disturbance& disturbance,
                    LoadResult& result) {
  VictimResult& victims = result.victims;
  victims.begin_ns = disturbance.begin();
  victims.end_ns = disturbance.end();
  for (const auto& worker : group.workers) worker->victims()->AddTo(victims);
  FindRecovery(result.slices, victims);
  if (victims.begin_ns == 0 || victims.recovered || result.interrupted) return;
  result.warnings.push_back(fmt::format(
      "the latency of group {} was not calm again before the window ended: the recovery time is a "
      "lower bound; take a longer duration",
      group.spec.name));
}

}  // namespace connbench::load
