// The patterns, each as a sequence of plans.
#include "harness/load/pattern_run.h"

#include <fmt/format.h>
#include <sys/wait.h>

#include <algorithm>
#include <cstdlib>

namespace connbench::load {
namespace {

// Connects under way while connections are set up that are not what is measured: well below any
// listen queue.
constexpr int64_t kSetUpConnectsInFlight = 100;
// An open loop's window opens so long after its threads have been told, so that none begins late.
constexpr int64_t kArrivalLeadNs = 2 * kNanosecondsPerMillisecond;

}  // namespace

void PatternRun::Play() {
  switch (workload_.pattern) {
#define CONNBENCH_PATTERN(enumerator, name, driver, needs, summary) \
  case Pattern::enumerator:                                         \
    return driver();
#include "harness/workload/patterns.def"
#undef CONNBENCH_PATTERN
  }
}

// Connecting as the group has it: by its schedule, or all at once.
Plan PatternRun::ConnectPlan(const ClientThreads& group, uint32_t first, uint32_t last) const {
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
void PatternRun::SetUpConnections(const std::vector<const ClientThreads*>& groups, uint32_t first,
                                  uint32_t last) {
  for (const ClientThreads* group : groups) {
    Plan plan = ConnectPlan(*group, first, std::min(last, group->clients()));
    if (plan.arrivals == nullptr) {
      plan.in_flight = std::max<int64_t>(kSetUpConnectsInFlight / group->settings.threads, 1);
    }
    Coordinator::Post(*group, plan);
  }
  coordinator_.Wait("connecting");
}

void PatternRun::PrepareSockets(const ClientThreads& group) {
  Plan prepare;
  prepare.kind = Plan::Kind::kPrepare;
  prepare.last = group.clients();
  Coordinator::Post(group, prepare);
  coordinator_.Wait("making sockets");
}

void PatternRun::TakeCpu() {
  // Those of the first group are the measuring ones; the others only have to disturb it.
  for (const auto& worker : main().workers) {
    result_.thread_cpu_fractions.push_back(worker->cpu_fraction());
    result_.client_cpu_ns += worker->cpu_ns();
    result_.client_stall_ns = std::max(result_.client_stall_ns, worker->stall_ns());
    result_.client_cpu_fraction = std::max(result_.client_cpu_fraction, worker->cpu_fraction());
  }
}

// What a group does in the window, which opens at window_begin_ns.
Plan PatternRun::WindowPlan(const ClientThreads& group) const {
  const ClientGroup& spec = group.spec;
  const MonotonicNs begin = result_.window_begin_ns;
  Plan plan = ConnectPlan(group, 0, group.clients());
  plan.window_begin = begin;
  plan.begin_at = spec.start_ns > 0 ? begin + spec.start_ns : 0;
  plan.until = begin + (spec.stop_ns > 0 ? std::min(spec.stop_ns, workload_.duration_ns)
                                         : workload_.duration_ns);
  const PatternRow& pattern = RowOf(spec.pattern);
  if (pattern.Has(kReleasedTogether)) {
    plan.transactions_per_client = 1;
    plan.retry = spec.backoff.has_value();
  } else if (pattern.Has(kSessionsComeAndGo)) {
    plan.kind = Plan::Kind::kChurn;
    plan.transactions_per_client = spec.transactions_per_connection;
  } else if (!pattern.Has(kConnectsAtStart)) {
    plan.kind = Plan::Kind::kTraffic;
    SetArrivals(group, begin + spec.start_ns, 1, plan);
  }
  return plan;
}

void PatternRun::SetArrivals(const ClientThreads& group, MonotonicNs begin, uint64_t phase,
                             Plan& plan) const {
  plan.arrivals = group.spec.arrivals.given() ? &group.spec.arrivals : nullptr;
  plan.arrivals_begin = begin;
  // The window does not repeat the warm-up, nor one group the other.
  plan.arrival_seed = config_.seed + phase + 2 * uint64_t{group.settings.first_client};
}

void PatternRun::WarmUp(Plan plan) {
  if (workload_.warmup_ns == 0) return;
  const MonotonicNs begin = MonotonicNow();
  const int64_t longest_ns = workload_.longest_warmup_ns();
  const bool open_loop = plan.kind == Plan::Kind::kTraffic && main().spec.arrivals.given();
  WarmupWatch watch(begin, workload_.warmup_ns, longest_ns, open_loop);
  const bool fixed = longest_ns == workload_.warmup_ns;
  if (!fixed) plan.warmup = &watch;
  plan.until = begin + longest_ns;
  if (plan.kind == Plan::Kind::kTraffic) SetArrivals(main(), begin, 0, plan);
  coordinator_.Run(plan, "warm-up", longest_ns);
  result_.warmup_ns = std::min(MonotonicNow(), std::min(plan.until, watch.end())) - begin;
  result_.warmup_state = fixed ? "fixed" : watch.settled() ? "settled" : "unsettled";
}

void PatternRun::Storm() {
  PrepareSockets(main());
  if (!coordinator_.Event(EventKind::kBegin)) return;
  result_.window_begin_ns = MonotonicNow();
  Plan plan = WindowPlan(main());
  // A storm without a second try ends by itself; with one it has the duration.
  if (!plan.retry && plan.arrivals == nullptr) plan.until = kNoDeadline;
  coordinator_.Run(plan, "connecting");
  result_.window_end_ns = MonotonicNow();
  TakeCpu();
  if (!coordinator_.Event(EventKind::kHeld)) return;
  coordinator_.Hold();
  coordinator_.Event(EventKind::kEnd);
}

void PatternRun::Churn() {
  Plan plan;
  plan.kind = Plan::Kind::kChurn;
  plan.last = all();
  plan.transactions_per_client = main().spec.transactions_per_connection;
  if (main().spec.connect_arrivals.given()) plan.arrivals = &main().spec.connect_arrivals;
  WarmUp(plan);
  if (!coordinator_.Event(EventKind::kBegin)) return;
  result_.window_begin_ns = MonotonicNow();
  plan.record = true;
  plan.window_begin = result_.window_begin_ns;
  plan.until = result_.window_begin_ns + workload_.duration_ns;
  coordinator_.Run(plan, "measuring", workload_.duration_ns);
  result_.window_end_ns = std::min(plan.until, MonotonicNow());
  TakeCpu();
  coordinator_.Event(EventKind::kEnd);
}

void PatternRun::Traffic(uint32_t clients) {
  Plan plan;
  plan.kind = Plan::Kind::kTraffic;
  plan.last = clients;
  if (clients > 0) WarmUp(plan);
  if (!coordinator_.Event(EventKind::kBegin)) return;
  const bool open_loop = main().spec.arrivals.given();
  result_.window_begin_ns = MonotonicNow() + (open_loop ? kArrivalLeadNs : 0);
  SetArrivals(main(), result_.window_begin_ns, 1, plan);
  plan.record = true;
  plan.window_begin = result_.window_begin_ns;
  plan.transactions_per_client = config_.transactions_per_client;
  const bool timed = config_.transactions_per_client == 0;
  plan.until = timed ? result_.window_begin_ns + workload_.duration_ns : kNoDeadline;
  if (clients > 0) {
    coordinator_.Run(plan, "measuring", timed ? workload_.duration_ns : 0);
    TakeCpu();
  } else if (timed) {
    // Nobody is active: the window is a wait, in which the threads rest and use nothing.
    coordinator_.WaitOutWindow(plan.until);
  }
  result_.window_end_ns = std::min(plan.until, MonotonicNow());
  coordinator_.Event(EventKind::kEnd);
}

void PatternRun::Steady() {
  SetUpConnections({&main()}, 0, all());
  if (coordinator_.Open() == 0 || !coordinator_.Event(EventKind::kHeld)) return;
  Traffic(all());
}

// Each of these connections runs one transaction, in no figure: what a session keeps of its first
// query is seen at the next event.
void PatternRun::FirstQueries(uint32_t first, uint32_t last) {
  Plan plan;
  plan.kind = Plan::Kind::kTraffic;
  plan.first = first;
  plan.last = last;
  plan.transactions_per_client = 1;
  coordinator_.Run(plan, "first queries");
}

void PatternRun::Idle() {
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
    if (coordinator_.Open() == 0 || !coordinator_.Event(EventKind::kHeld)) return;
    coordinator_.Hold();
  }
  Traffic(static_cast<uint32_t>(std::min(workload_.active, workload_.connections)));
}

// Makes the server drop everyone: the harness does it, or the command, or somebody by hand.
void PatternRun::Drop(int64_t held) {
  dropped_at_ = MonotonicNow();
  if (coordinator_.control().present()) {
    if (!coordinator_.control().Event(EventKind::kDrop, held)) coordinator_.Stop();
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

void PatternRun::Failover() {
  SetUpConnections({&main()}, 0, all());
  if (coordinator_.Open() == 0 || !coordinator_.Event(EventKind::kHeld) ||
      !coordinator_.Event(EventKind::kBegin))
    return;
  result_.window_begin_ns = MonotonicNow();
  Plan plan;
  plan.kind = Plan::Kind::kReturn;
  plan.last = all();
  plan.record = true;
  plan.window_begin = result_.window_begin_ns;
  plan.until = result_.window_begin_ns + workload_.duration_ns;
  plan.transactions_per_client = 1;
  const int64_t held = coordinator_.Open();
  Coordinator::Post(main(), plan);
  Drop(held);
  coordinator_.Wait("waiting until all are served again", workload_.duration_ns);
  result_.window_end_ns = MonotonicNow();
  TakeCpu();
  coordinator_.Event(EventKind::kEnd);
}

// The first group is measured, while others come and disturb it.
void PatternRun::Mixed() {
  std::vector<const ClientThreads*> up_from_the_start;
  for (const ClientThreads& group : groups_) {
    const bool from_the_start =
        RowOf(group.spec.pattern).Has(kStaysOpen) && !group.ConnectsInWindow();
    if (from_the_start) up_from_the_start.push_back(&group);
    if (RowOf(group.spec.pattern).Has(kReleasedTogether)) PrepareSockets(group);
  }
  SetUpConnections(up_from_the_start, 0, UINT32_MAX);
  if (main().Open() == 0 || !coordinator_.Event(EventKind::kHeld)) return;
  Plan warmup;
  warmup.kind = Plan::Kind::kTraffic;
  warmup.last = all();
  WarmUp(warmup);
  if (!coordinator_.Event(EventKind::kBegin)) return;
  result_.window_begin_ns = MonotonicNow();
  for (const ClientThreads& group : groups_) {
    if (group.OnlyHolds()) continue;
    Plan plan = WindowPlan(group);
    if (&group != &main()) plan.disturbance = disturbance_;
    Coordinator::Post(group, plan);
  }
  coordinator_.Wait("measuring", workload_.duration_ns);
  result_.window_end_ns = std::min(result_.window_begin_ns + workload_.duration_ns, MonotonicNow());
  TakeCpu();
  coordinator_.Event(EventKind::kEnd);
}

}  // namespace connbench::load
