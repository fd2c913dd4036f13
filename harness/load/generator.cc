// One run from its checks to its result.
#include "harness/load/generator.h"

#include <algorithm>
#include <optional>
#include <utility>
#include <vector>

#include "harness/load/client_threads.h"
#include "harness/load/collect.h"
#include "harness/load/coordinator.h"
#include "harness/load/disturbance.h"
#include "harness/load/judge.h"
#include "harness/load/pattern_run.h"
#include "harness/load/preflight.h"
#include "harness/load/suspension.h"
#include "harness/script/script.h"

namespace connbench::load {
namespace {

class Generator {
 public:
  Generator(const LoadConfig& config, std::vector<ClientThreads> groups)
      : config_(config),
        workload_(config.workload),
        groups_(std::move(groups)),
        coordinator_(config, groups_) {}

  Result<LoadResult> RunAll();

 private:
  Status StartWorkers();
  void Collect(MonotonicNs dropped_at);
  const ClientThreads& main() const { return groups_.front(); }

  const LoadConfig& config_;
  const Workload& workload_;
  ConnectTarget target_;
  std::optional<Disturbance> disturbance_;
  std::vector<ClientThreads> groups_;
  Coordinator coordinator_;
  LoadResult result_;
};

void Generator::Collect(MonotonicNs dropped_at) {
  result_.connections_held_max = coordinator_.held_max();
  CollectCounts(groups_, result_);
  if (config_.transactions_per_client > 0 && result_.last_transaction_end_ns > 0) {
    result_.window_end_ns = result_.last_transaction_end_ns;
  }
  if (RowOf(workload_.pattern).Has(kReleasedTogether)) {
    if (!result_.connect_latency.empty()) {
      result_.window_end_ns = std::max(result_.last_ready_ns, result_.last_transaction_end_ns);
    }
    CollectServed(main(), result_.first_connect_ns, result_);
  }
  if (RowOf(workload_.pattern).Has(kDropped)) CollectServed(main(), dropped_at, result_);
  if (disturbance_) CollectVictims(main(), *disturbance_, result_);
}

Status Generator::StartWorkers() {
  if (RowOf(workload_.pattern).Has(kMadeOfGroups)) {
    int disturbers = 0;
    for (size_t i = 1; i < groups_.size(); ++i) {
      if (groups_[i].OnlyHolds()) continue;
      disturbers += std::min(config_.threads, groups_[i].spec.connections);
    }
    disturbance_.emplace(disturbers);
  }
  int threads = 0;
  for (const ClientThreads& group : groups_) {
    threads += std::min(config_.threads, group.spec.connections);
  }
  WorkerSettings common;
  common.target = &target_;
  common.protocol = workload_.protocol;
  common.seed = config_.seed;
  common.max_phases = kMaxPhaseRecords / static_cast<size_t>(threads);
  common.connect_timeout_ns = config_.connect_timeout_ns;
  common.statement_timeout_ns = config_.statement_timeout_ns;
  common.origin = result_.run_begin_ns;
  common.stop = coordinator_.stop_flag();
  for (ClientThreads& group : groups_) {
    if (&group == &main() && disturbance_) common.disturbed = &*disturbance_;
    CONNBENCH_RETURN_IF_ERROR(group.Start(common, config_.threads));
    common.first_client += group.clients();
    common.disturbed = nullptr;
  }
  result_.threads = main().settings.threads;
  return Status::Ok();
}

Result<LoadResult> Generator::RunAll() {
  CONNBENCH_ASSIGN_OR_RETURN(target_.address, ResolveEndpoint(config_.endpoint));
  CONNBENCH_ASSIGN_OR_RETURN(target_.security, SecurityOf(config_.endpoint));
  CONNBENCH_ASSIGN_OR_RETURN(Preflight preflight,
                             CheckLimits(workload_, target_.address, config_.source_addresses));
  result_.workload = workload_.name;
  result_.pattern = workload_.pattern;
  result_.protocol_mode = Name(workload_.protocol);
  result_.server = config_.endpoint.ToString();
  result_.connections = main().spec.connections;
  result_.seed = config_.seed;
  result_.warnings = std::move(preflight.warnings);
  result_.beyond_backlog = preflight.beyond_backlog;
  result_.run_begin_ns = MonotonicNow();
  const int64_t suspended_before = SuspendedAtMostNs();
  target_.sources = std::move(preflight.sources);
  target_.endpoint = config_.endpoint;
  CONNBENCH_RETURN_IF_ERROR(StartWorkers());
  PatternRun play(config_, groups_, disturbance_ ? &*disturbance_ : nullptr, coordinator_, result_);
  play.Play();
  coordinator_.Close();
  if (!coordinator_.stopping()) coordinator_.Event(EventKind::kClosed);
  result_.interrupted = coordinator_.stopping();
  Collect(play.dropped_at());
  result_.run_end_ns = MonotonicNow();
  result_.suspended_ns = std::max<int64_t>(SuspendedAtLeastNs() - suspended_before, 0);
  Judge(workload_, result_);
  for (ClientThreads& group : groups_) group.workers.clear();
  CONNBENCH_RETURN_IF_ERROR(result_.Check());
  return std::move(result_);
}

}  // namespace

Result<LoadResult> RunLoad(const LoadConfig& config) {
  CONNBENCH_RETURN_IF_ERROR(CheckConfig(config));
  const Workload& workload = config.workload;
  std::vector<ClientThreads> groups;
  for (ClientGroup& group : workload.AllGroups()) {
    CONNBENCH_ASSIGN_OR_RETURN(ScriptSet scripts, CompileScripts(workload, group));
    groups.emplace_back(std::move(group), std::move(scripts));
  }
  return Generator(config, std::move(groups)).RunAll();
}

}  // namespace connbench::load
