#include "harness/load/generator.h"

#include <fmt/format.h>
#include <sys/wait.h>

#include <algorithm>
#include <cstdlib>
#include <map>
#include <memory>
#include <optional>
#include <string_view>
#include <utility>
#include <vector>

#include "harness/load/client_threads.h"
#include "harness/load/collect.h"
#include "harness/load/control.h"
#include "harness/load/disturbance.h"
#include "harness/load/judge.h"
#include "harness/load/preflight.h"
#include "harness/load/script.h"
#include "harness/load/suspension.h"
#include "harness/load/worker.h"

namespace connbench::load {
namespace {

constexpr int64_t kPollNs = 20 * kNanosecondsPerMillisecond;
constexpr int64_t kProgressNs = kNanosecondsPerSecond;
// Connects under way while connections are set up that are not what is measured: well below any
// listen queue.
constexpr int64_t kSetUpConnectsInFlight = 100;
// An open loop's window opens so long after its threads have been told, so that none begins late.
constexpr int64_t kArrivalLeadNs = 2 * kNanosecondsPerMillisecond;

// Drives the phases of one run. Its threads are at rest whenever Wait has returned.
class Generator {
 public:
  Generator(const LoadConfig& config, std::vector<ClientThreads> groups)
      : config_(config),
        workload_(config.workload),
        control_(config.control_fd, &stop_),
        groups_(std::move(groups)) {}

  Result<LoadResult> RunAll();

 private:
  void Storm();
  void Churn();
  void Steady();
  void Idle();
  void Failover();
  void Mixed();
  void Traffic(uint32_t clients);
  void FirstQueries(uint32_t first, uint32_t last);
  // Runs the plan until it has settled, and says in the result how that went.
  void WarmUp(Plan plan);
  // Makes a plan of traffic an open loop, if the group has a rate.
  void SetArrivals(const ClientThreads& group, MonotonicNs begin, uint64_t phase, Plan& plan) const;

  Status StartWorkers();
  // Gives the plan to all threads of the group.
  static void Post(const ClientThreads& group, const Plan& plan);
  // Waits until everybody is at rest.
  void Wait(std::string_view phase, int64_t planned_ns = 0, WarmupWatch* warmup = nullptr);
  void Run(const Plan& plan, std::string_view phase, int64_t planned_ns = 0);
  Plan ConnectPlan(const ClientThreads& group, uint32_t first, uint32_t last) const;
  void SetUpConnections(const std::vector<const ClientThreads*>& groups, uint32_t first,
                        uint32_t last);
  Plan WindowPlan(const ClientThreads& group) const;
  void PrepareSockets(const ClientThreads& group);
  void Drop(int64_t held);
  void WaitOutWindow(MonotonicNs until);
  void Close();
  // False ends the run early.
  bool Event(std::string_view name);
  void Hold();
  void CheckStop();
  bool stopping() const { return stop_.load(std::memory_order_relaxed); }
  int64_t Open() const;
  const ClientThreads& main() const { return groups_.front(); }
  uint32_t all() const { return main().clients(); }
  void TakeCpu();
  void Collect();

  const LoadConfig& config_;
  const Workload& workload_;
  std::atomic<bool> stop_{false};
  Control control_;
  ConnectTarget target_;
  std::optional<Disturbance> disturbance_;
  std::vector<ClientThreads> groups_;
  MonotonicNs dropped_at_ = 0;
  LoadResult result_;
};

void Generator::CheckStop() {
  if (config_.stop != nullptr && config_.stop->load(std::memory_order_relaxed)) {
    stop_.store(true, std::memory_order_relaxed);
  }
}

bool Generator::Event(std::string_view name) {
  CheckStop();
  if (!control_.Event(name, Open())) stop_.store(true, std::memory_order_relaxed);
  return !stopping();
}

int64_t Generator::Open() const {
  int64_t open = 0;
  for (const ClientThreads& group : groups_) open += group.Open();
  return open;
}

void Generator::Post(const ClientThreads& group, const Plan& plan) {
  for (const auto& worker : group.workers) worker->Post(plan);
}

void Generator::Wait(std::string_view phase, int64_t planned_ns, WarmupWatch* warmup) {
  const MonotonicNs began = MonotonicNow();
  MonotonicNs next_progress = began + kProgressNs;
  const auto report = [&](MonotonicNs now) {
    next_progress += kProgressNs;
    LoadProgress progress;
    progress.phase = phase;
    progress.elapsed_ns = now - began;
    progress.planned_ns = planned_ns;
    for (const ClientThreads& group : groups_) {
      for (const auto& worker : group.workers) {
        const LiveCounts& live = worker->live();
        progress.transactions_ok += live.transactions_ok.load(std::memory_order_relaxed);
        progress.transactions_failed += live.transactions_failed.load(std::memory_order_relaxed);
        progress.connections_open += live.open.load(std::memory_order_relaxed);
      }
    }
    config_.progress(progress);
  };
  for (const ClientThreads& group : groups_) {
    for (const auto& worker : group.workers) {
      while (!worker->WaitDone(kPollNs)) {
        CheckStop();
        const MonotonicNs now = MonotonicNow();
        if (warmup != nullptr) warmup->Check(now);
        if (config_.progress && now >= next_progress) report(now);
      }
    }
  }
  result_.connections_held_max = std::max(result_.connections_held_max, Open());
}

void Generator::Run(const Plan& plan, std::string_view phase, int64_t planned_ns) {
  Post(main(), plan);
  Wait(phase, planned_ns, plan.warmup);
}

// Connecting as the group has it: by its schedule, or all at once.
Plan Generator::ConnectPlan(const ClientThreads& group, uint32_t first, uint32_t last) const {
  Plan plan;
  plan.kind = Plan::Kind::kConnect;
  plan.first = first;
  plan.last = last;
  plan.record = true;
  if (group.spec.connect_arrivals.given()) plan.arrivals = &group.spec.connect_arrivals;
  return plan;
}

// Before the window, where connecting is not what is measured: a few at a time, so that the crowd
// does not overflow the listen queue on its way in.
void Generator::SetUpConnections(const std::vector<const ClientThreads*>& groups, uint32_t first,
                                 uint32_t last) {
  for (const ClientThreads* group : groups) {
    Plan plan = ConnectPlan(*group, first, std::min(last, group->clients()));
    if (plan.arrivals == nullptr) {
      plan.in_flight = std::max<int64_t>(kSetUpConnectsInFlight / group->settings.threads, 1);
    }
    Post(*group, plan);
  }
  Wait("connecting");
}

void Generator::PrepareSockets(const ClientThreads& group) {
  Plan prepare;
  prepare.kind = Plan::Kind::kPrepare;
  prepare.last = group.clients();
  Post(group, prepare);
  Wait("making sockets");
}

void Generator::Close() {
  for (const ClientThreads& group : groups_) {
    Plan plan;
    plan.kind = Plan::Kind::kClose;
    plan.last = group.clients();
    Post(group, plan);
  }
  Wait("closing");
}

void Generator::WaitOutWindow(MonotonicNs until) {
  while (MonotonicNow() < until && !stopping()) {
    const timespec pause = {0, kPollNs};
    nanosleep(&pause, nullptr);
    CheckStop();
  }
}

// Where nobody samples, connections are held for as long as was asked.
void Generator::Hold() {
  if (!control_.present()) WaitOutWindow(MonotonicNow() + config_.hold_ns);
}

void Generator::TakeCpu() {
  // Those of the first group are the measuring ones; the others only have to disturb it.
  for (const auto& worker : main().workers) {
    result_.thread_cpu_fractions.push_back(worker->cpu_fraction());
    result_.client_cpu_ns += worker->cpu_ns();
    result_.client_stall_ns = std::max(result_.client_stall_ns, worker->stall_ns());
    result_.client_cpu_fraction = std::max(result_.client_cpu_fraction, worker->cpu_fraction());
  }
}

// What a group does in the window, which opens at window_begin_ns.
Plan Generator::WindowPlan(const ClientThreads& group) const {
  const ClientGroup& spec = group.spec;
  const MonotonicNs begin = result_.window_begin_ns;
  Plan plan = ConnectPlan(group, 0, group.clients());
  plan.window_begin = begin;
  plan.begin_at = spec.start_ns > 0 ? begin + spec.start_ns : 0;
  plan.until = begin + (spec.stop_ns > 0 ? std::min(spec.stop_ns, workload_.duration_ns)
                                         : workload_.duration_ns);
  switch (spec.pattern) {
    case Pattern::kStorm:
      plan.transactions_per_client = 1;
      plan.retry = spec.backoff.has_value();
      break;
    case Pattern::kIdle:
      break;
    case Pattern::kChurn:
      plan.kind = Plan::Kind::kChurn;
      plan.transactions_per_client = spec.transactions_per_connection;
      break;
    default:
      plan.kind = Plan::Kind::kTraffic;
      SetArrivals(group, begin + spec.start_ns, 1, plan);
      break;
  }
  return plan;
}

void Generator::SetArrivals(const ClientThreads& group, MonotonicNs begin, uint64_t phase,
                            Plan& plan) const {
  plan.arrivals = group.spec.arrivals.given() ? &group.spec.arrivals : nullptr;
  plan.arrivals_begin = begin;
  // The window does not repeat the warm-up, nor one group the other.
  plan.arrival_seed = config_.seed + phase + 2 * uint64_t{group.settings.first_client};
}

void Generator::WarmUp(Plan plan) {
  if (workload_.warmup_ns == 0) return;
  const MonotonicNs begin = MonotonicNow();
  const int64_t longest_ns = workload_.longest_warmup_ns();
  const bool open_loop = plan.kind == Plan::Kind::kTraffic && main().spec.arrivals.given();
  WarmupWatch watch(begin, workload_.warmup_ns, longest_ns, open_loop);
  const bool fixed = longest_ns == workload_.warmup_ns;
  if (!fixed) plan.warmup = &watch;
  plan.until = begin + longest_ns;
  if (plan.kind == Plan::Kind::kTraffic) SetArrivals(main(), begin, 0, plan);
  Run(plan, "warm-up", longest_ns);
  result_.warmup_ns = std::min(MonotonicNow(), std::min(plan.until, watch.end())) - begin;
  result_.warmup_state = fixed ? "fixed" : watch.settled() ? "settled" : "unsettled";
}

void Generator::Storm() {
  PrepareSockets(main());
  if (!Event("begin")) return;
  result_.window_begin_ns = MonotonicNow();
  Plan plan = WindowPlan(main());
  // A storm without a second try ends by itself; with one it has the duration.
  if (!plan.retry && plan.arrivals == nullptr) plan.until = kNoDeadline;
  Run(plan, "connecting");
  result_.window_end_ns = MonotonicNow();
  TakeCpu();
  if (!Event("held")) return;
  Hold();
  Event("end");
}

void Generator::Churn() {
  Plan plan;
  plan.kind = Plan::Kind::kChurn;
  plan.last = all();
  plan.transactions_per_client = main().spec.transactions_per_connection;
  if (main().spec.connect_arrivals.given()) plan.arrivals = &main().spec.connect_arrivals;
  WarmUp(plan);
  if (!Event("begin")) return;
  result_.window_begin_ns = MonotonicNow();
  plan.record = true;
  plan.window_begin = result_.window_begin_ns;
  plan.until = result_.window_begin_ns + workload_.duration_ns;
  Run(plan, "measuring", workload_.duration_ns);
  result_.window_end_ns = std::min(plan.until, MonotonicNow());
  TakeCpu();
  Event("end");
}

void Generator::Traffic(uint32_t clients) {
  Plan plan;
  plan.kind = Plan::Kind::kTraffic;
  plan.last = clients;
  if (clients > 0) WarmUp(plan);
  if (!Event("begin")) return;
  const bool open_loop = main().spec.arrivals.given();
  result_.window_begin_ns = MonotonicNow() + (open_loop ? kArrivalLeadNs : 0);
  SetArrivals(main(), result_.window_begin_ns, 1, plan);
  plan.record = true;
  plan.window_begin = result_.window_begin_ns;
  plan.transactions_per_client = config_.transactions_per_client;
  const bool timed = config_.transactions_per_client == 0;
  plan.until = timed ? result_.window_begin_ns + workload_.duration_ns : kNoDeadline;
  if (clients > 0) {
    Run(plan, "measuring", timed ? workload_.duration_ns : 0);
    TakeCpu();
  } else if (timed) {
    // Nobody is active: the window is a wait, in which the threads rest and use nothing.
    WaitOutWindow(plan.until);
  }
  result_.window_end_ns = std::min(plan.until, MonotonicNow());
  Event("end");
}

void Generator::Steady() {
  SetUpConnections({&main()}, 0, all());
  if (Open() == 0 || !Event("held")) return;
  Traffic(all());
}

// Each of these connections runs one transaction, in no figure: what a session keeps of its first
// query is seen at the next event.
void Generator::FirstQueries(uint32_t first, uint32_t last) {
  Plan plan;
  plan.kind = Plan::Kind::kTraffic;
  plan.first = first;
  plan.last = last;
  plan.transactions_per_client = 1;
  Run(plan, "first queries");
}

void Generator::Idle() {
  std::vector<int> steps;
  for (const int step : workload_.ladder) {
    if (step > 0 && step < workload_.connections) steps.push_back(step);
  }
  std::sort(steps.begin(), steps.end());
  steps.push_back(workload_.connections);
  uint32_t up = 0;
  for (const int step : steps) {
    const auto next = static_cast<uint32_t>(step);
    if (next > up) SetUpConnections({&main()}, up, next);
    if (next > up && workload_.first_query) FirstQueries(up, next);
    up = next;
    if (Open() == 0 || !Event("held")) return;
    Hold();
  }
  Traffic(static_cast<uint32_t>(std::min(workload_.active, workload_.connections)));
}

// Makes the server drop everyone: the harness does it, or the command, or somebody by hand.
void Generator::Drop(int64_t held) {
  dropped_at_ = MonotonicNow();
  if (control_.present()) {
    if (!control_.Event("drop", held)) stop_.store(true, std::memory_order_relaxed);
  } else if (!config_.drop_command.empty()) {
    const int status = std::system(config_.drop_command.c_str());
    if (status != 0) {
      result_.invalid_reasons.push_back(fmt::format(
          "served: the command that was to make the server drop everyone ended with {}: {}",
          WIFEXITED(status) ? WEXITSTATUS(status) : status, config_.drop_command));
    }
  } else {
    dropped_at_ = 0;  // known when the first client notices
  }
}

void Generator::Failover() {
  SetUpConnections({&main()}, 0, all());
  if (Open() == 0 || !Event("held") || !Event("begin")) return;
  result_.window_begin_ns = MonotonicNow();
  Plan plan;
  plan.kind = Plan::Kind::kReturn;
  plan.last = all();
  plan.record = true;
  plan.window_begin = result_.window_begin_ns;
  plan.until = result_.window_begin_ns + workload_.duration_ns;
  plan.transactions_per_client = 1;
  const int64_t held = Open();
  Post(main(), plan);
  Drop(held);
  Wait("waiting until all are served again", workload_.duration_ns);
  result_.window_end_ns = MonotonicNow();
  TakeCpu();
  Event("end");
}

// The first group is measured, while others come and disturb it.
void Generator::Mixed() {
  std::vector<const ClientThreads*> up_from_the_start;
  for (const ClientThreads& group : groups_) {
    const Pattern pattern = group.spec.pattern;
    const bool from_the_start =
        pattern == Pattern::kSteady || (pattern == Pattern::kIdle && group.spec.start_ns == 0);
    if (from_the_start) up_from_the_start.push_back(&group);
    if (pattern == Pattern::kStorm) PrepareSockets(group);
  }
  SetUpConnections(up_from_the_start, 0, UINT32_MAX);
  if (main().Open() == 0 || !Event("held")) return;
  Plan warmup;
  warmup.kind = Plan::Kind::kTraffic;
  warmup.last = all();
  WarmUp(warmup);
  if (!Event("begin")) return;
  result_.window_begin_ns = MonotonicNow();
  for (const ClientThreads& group : groups_) {
    const bool idle = group.spec.pattern == Pattern::kIdle && group.spec.start_ns == 0;
    if (idle) continue;
    Plan plan = WindowPlan(group);
    if (&group != &main()) plan.disturbance = &*disturbance_;
    Post(group, plan);
  }
  Wait("measuring", workload_.duration_ns);
  result_.window_end_ns = std::min(result_.window_begin_ns + workload_.duration_ns, MonotonicNow());
  TakeCpu();
  Event("end");
}

void Generator::Collect() {
  CollectCounts(groups_, result_);
  if (config_.transactions_per_client > 0 && result_.last_transaction_end_ns > 0) {
    result_.window_end_ns = result_.last_transaction_end_ns;
  }
  if (workload_.pattern == Pattern::kStorm) {
    if (!result_.connect_latency.empty()) {
      result_.window_end_ns = std::max(result_.last_ready_ns, result_.last_transaction_end_ns);
    }
    CollectServed(main(), result_.first_connect_ns, result_);
  }
  if (workload_.pattern == Pattern::kFailover) CollectServed(main(), dropped_at_, result_);
  if (disturbance_) CollectVictims(main(), *disturbance_, result_);
}

Status Generator::StartWorkers() {
  if (workload_.pattern == Pattern::kMixed) {
    int disturbers = 0;
    for (size_t i = 1; i < groups_.size(); ++i) {
      const ClientGroup& spec = groups_[i].spec;
      if (spec.pattern == Pattern::kIdle && spec.start_ns == 0) continue;
      disturbers += std::min(config_.threads, spec.connections);
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
  common.stop = &stop_;
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
  result_.pattern = Name(workload_.pattern);
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
  switch (workload_.pattern) {
    case Pattern::kStorm:
      Storm();
      break;
    case Pattern::kChurn:
      Churn();
      break;
    case Pattern::kSteady:
      Steady();
      break;
    case Pattern::kIdle:
      Idle();
      break;
    case Pattern::kFailover:
      Failover();
      break;
    case Pattern::kMixed:
      Mixed();
      break;
  }
  Close();
  if (!stopping()) Event("closed");
  result_.interrupted = stopping();
  Collect();
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
  std::map<std::string, std::string> define = workload.define;
  define.try_emplace("scale", std::to_string(workload.scale));
  std::vector<ClientThreads> groups;
  for (ClientGroup& group : workload.AllGroups()) {
    CONNBENCH_ASSIGN_OR_RETURN(ScriptSet scripts, ScriptSet::Compile(group.scripts, define));
    groups.emplace_back(std::move(group), std::move(scripts));
  }
  return Generator(config, std::move(groups)).RunAll();
}

}  // namespace connbench::load
