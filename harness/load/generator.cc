#include "harness/load/generator.h"

#include <fmt/format.h>

#include <algorithm>
#include <memory>
#include <string_view>
#include <utility>
#include <vector>

#include "harness/load/control.h"
#include "harness/load/preflight.h"
#include "harness/load/script.h"
#include "harness/load/worker.h"

namespace connbench::load {
namespace {

constexpr int64_t kPollNs = 20 * kNanosecondsPerMillisecond;
constexpr int64_t kProgressNs = kNanosecondsPerSecond;

// Drives the phases of one run. Its threads are at rest whenever Run has returned.
class Generator {
 public:
  Generator(const LoadConfig& config, ScriptSet scripts)
      : config_(config),
        workload_(config.workload),
        scripts_(std::move(scripts)),
        control_(config.control_fd, &stop_) {}

  Result<LoadResult> RunAll();

 private:
  void Storm();
  void Churn();
  void Steady();
  void Idle();
  void Traffic(uint32_t clients);

  // Gives the plan to all threads and waits for its end.
  void Run(const Plan& plan, std::string_view phase, int64_t planned_ns = 0);
  void Connect(uint32_t first, uint32_t last, MonotonicNs window_begin, int64_t transactions);
  void Close();
  // False ends the run early.
  bool Event(std::string_view name);
  void Hold();
  void CheckStop();
  bool stopping() const { return stop_.load(std::memory_order_relaxed); }
  int64_t Open() const;
  uint32_t all() const { return static_cast<uint32_t>(workload_.connections); }
  void TakeCpu();
  void Collect();
  void Judge();

  const LoadConfig& config_;
  const Workload& workload_;
  ScriptSet scripts_;
  std::atomic<bool> stop_{false};
  Control control_;
  WorkerSettings settings_;
  std::vector<std::unique_ptr<Worker>> workers_;
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
  for (const auto& worker : workers_) open += worker->open();
  return open;
}

void Generator::Run(const Plan& plan, std::string_view phase, int64_t planned_ns) {
  const MonotonicNs began = MonotonicNow();
  for (const auto& worker : workers_) worker->Post(plan);
  MonotonicNs next_progress = began + kProgressNs;
  for (const auto& worker : workers_) {
    while (!worker->WaitDone(kPollNs)) {
      CheckStop();
      const MonotonicNs now = MonotonicNow();
      if (!config_.progress || now < next_progress) continue;
      next_progress += kProgressNs;
      LoadProgress progress;
      progress.phase = phase;
      progress.elapsed_ns = now - began;
      progress.planned_ns = planned_ns;
      for (const auto& each : workers_) {
        progress.transactions_ok += each->live().transactions_ok.load(std::memory_order_relaxed);
        progress.transactions_failed +=
            each->live().transactions_failed.load(std::memory_order_relaxed);
        progress.connections_open += each->live().open.load(std::memory_order_relaxed);
      }
      config_.progress(progress);
    }
  }
  result_.connections_held_max = std::max(result_.connections_held_max, Open());
}

void Generator::Connect(uint32_t first, uint32_t last, MonotonicNs window_begin,
                        int64_t transactions) {
  Plan plan;
  plan.kind = Plan::Kind::kConnect;
  plan.first = first;
  plan.last = last;
  plan.record = true;
  plan.window_begin = window_begin;
  plan.transactions_per_client = transactions;
  Run(plan, "connecting");
}

void Generator::Close() {
  Plan plan;
  plan.kind = Plan::Kind::kClose;
  plan.last = all();
  Run(plan, "closing");
}

// Where nobody samples, connections are held for as long as was asked.
void Generator::Hold() {
  if (control_.present()) return;
  const MonotonicNs until = MonotonicNow() + config_.hold_ns;
  while (MonotonicNow() < until && !stopping()) {
    const timespec pause = {0, kPollNs};
    nanosleep(&pause, nullptr);
    CheckStop();
  }
}

void Generator::TakeCpu() {
  for (const auto& worker : workers_) {
    result_.thread_cpu_fractions.push_back(worker->cpu_fraction());
    result_.client_cpu_ns += worker->cpu_ns();
    result_.client_cpu_fraction = std::max(result_.client_cpu_fraction, worker->cpu_fraction());
  }
}

void Generator::Storm() {
  Plan prepare;
  prepare.kind = Plan::Kind::kPrepare;
  prepare.last = all();
  Run(prepare, "making sockets");
  if (!Event("begin")) return;
  result_.window_begin_ns = MonotonicNow();
  Connect(0, all(), result_.window_begin_ns, 1);
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
  plan.transactions_per_client = std::max<int64_t>(workload_.transactions_per_connection, 1);
  if (workload_.warmup_ns > 0) {
    plan.until = MonotonicNow() + workload_.warmup_ns;
    Run(plan, "warm-up", workload_.warmup_ns);
  }
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
  if (workload_.warmup_ns > 0) {
    plan.until = MonotonicNow() + workload_.warmup_ns;
    Run(plan, "warm-up", workload_.warmup_ns);
  }
  if (!Event("begin")) return;
  result_.window_begin_ns = MonotonicNow();
  plan.record = true;
  plan.window_begin = result_.window_begin_ns;
  plan.transactions_per_client = config_.transactions_per_client;
  const bool timed = config_.transactions_per_client == 0;
  plan.until = timed ? result_.window_begin_ns + workload_.duration_ns : kNoDeadline;
  Run(plan, "measuring", timed ? workload_.duration_ns : 0);
  if (clients == 0) {  // nobody is active: the window is a wait
    while (MonotonicNow() < plan.until && timed && !stopping()) {
      const timespec pause = {0, kPollNs};
      nanosleep(&pause, nullptr);
      CheckStop();
    }
  }
  result_.window_end_ns = std::min(plan.until, MonotonicNow());
  TakeCpu();
  Event("end");
}

void Generator::Steady() {
  Connect(0, all(), 0, 0);
  if (Open() == 0 || !Event("held")) return;
  Traffic(all());
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
    if (next > up) Connect(up, next, 0, 0);
    up = next;
    if (Open() == 0 || !Event("held")) return;
    Hold();
  }
  Traffic(static_cast<uint32_t>(std::min(workload_.active, workload_.connections)));
}

void Generator::Collect() {
  std::vector<const Recorder*> recorders;
  for (const auto& worker : workers_) {
    worker->recorder().FinishSlices();
    worker->recorder().AddTo(result_);
    recorders.push_back(&worker->recorder());
    result_.bytes_sent += worker->bytes().sent;
    result_.bytes_received += worker->bytes().received;
  }
  if (config_.transactions_per_client > 0 && result_.last_transaction_end_ns > 0) {
    result_.window_end_ns = result_.last_transaction_end_ns;
  }
  if (workload_.pattern == Pattern::kStorm && !result_.connect_latency.empty()) {
    result_.window_end_ns = std::max(result_.last_ready_ns, result_.last_transaction_end_ns);
  }
  result_.slices = MergeSlices(recorders, result_.run_begin_ns, result_.window_begin_ns);
  std::sort(result_.phases.begin(), result_.phases.end(),
            [](const ConnectionPhases& a, const ConnectionPhases& b) {
              return a.connect_begin_ns < b.connect_begin_ns;
            });
}

// What makes the figures say more about this client than about the server. Each opens with the name
// of the check that it belongs to (harness/suite/checks.def).
void Generator::Judge() {
  for (size_t i = 0; i < result_.thread_cpu_fractions.size(); ++i) {
    if (result_.thread_cpu_fractions[i] <= kSaturatedCpuFraction) continue;
    result_.invalid_reasons.push_back(fmt::format(
        "client_cpu: client thread {} used {:.0f} % of a CPU: the server waited for it; use more "
        "threads (-j) or fewer connections",
        i, result_.thread_cpu_fractions[i] * 100));
  }
  const auto count = [&](ConnectOutcome outcome) {
    return result_.connects_by_outcome[static_cast<size_t>(outcome)];
  };
  if (count(ConnectOutcome::kNoPorts) > 0) {
    result_.invalid_reasons.push_back(fmt::format(
        "ports: {} connects found no free port on this machine; use --source-addresses, or a "
        "Unix socket",
        count(ConnectOutcome::kNoPorts)));
  }
  if (count(ConnectOutcome::kClientError) > 0) {
    result_.invalid_reasons.push_back(fmt::format("client: {} connects hit a limit of this process",
                                                  count(ConnectOutcome::kClientError)));
  }
  if (result_.syn_retries > 0) {
    result_.invalid_reasons.push_back(fmt::format(
        "syn_retries: {} SYNs were repeated: the listen queue overflowed, and connects took "
        "TCP's seconds instead of the server's time",
        result_.syn_retries));
  }
  if (result_.transaction_latency.negative_count() > 0) {
    result_.invalid_reasons.emplace_back("clock: the clock went backwards");
  }
}

Result<LoadResult> Generator::RunAll() {
  CONNBENCH_ASSIGN_OR_RETURN(settings_.target.address, ResolveEndpoint(config_.endpoint));
  CONNBENCH_ASSIGN_OR_RETURN(Preflight preflight, CheckLimits(workload_, settings_.target.address,
                                                              config_.source_addresses));
  result_.workload = workload_.name;
  result_.pattern = Name(workload_.pattern);
  result_.protocol_mode = Name(workload_.protocol);
  result_.server = config_.endpoint.ToString();
  result_.connections = workload_.connections;
  result_.seed = config_.seed;
  result_.warnings = std::move(preflight.warnings);
  result_.run_begin_ns = MonotonicNow();

  settings_.target.sources = std::move(preflight.sources);
  settings_.target.endpoint = config_.endpoint;
  settings_.scripts = &scripts_;
  settings_.protocol = workload_.protocol;
  settings_.seed = config_.seed;
  settings_.clients = workload_.connections;
  settings_.threads = std::min(config_.threads, workload_.connections);
  settings_.connect_timeout_ns = config_.connect_timeout_ns;
  settings_.statement_timeout_ns = config_.statement_timeout_ns;
  settings_.origin = result_.run_begin_ns;
  settings_.stop = &stop_;
  result_.threads = settings_.threads;
  for (int i = 0; i < settings_.threads; ++i) {
    workers_.push_back(std::make_unique<Worker>(settings_, i));
    CONNBENCH_RETURN_IF_ERROR(workers_.back()->Start());
  }
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
  }
  Close();
  if (!stopping()) Event("closed");
  Collect();
  result_.interrupted = stopping();
  result_.run_end_ns = MonotonicNow();
  workers_.clear();
  Judge();
  CONNBENCH_RETURN_IF_ERROR(result_.Check());
  return std::move(result_);
}

}  // namespace

Result<LoadResult> RunLoad(const LoadConfig& config) {
  const Workload& workload = config.workload;
  const auto bad = [](std::string message) {
    return Status::Error(sqlstate::kInvalidParameterValue, std::move(message));
  };
  if (workload.connections < 1 || workload.connections > kMaxConnections) {
    return bad(fmt::format("{} connections; from 1 to {} are possible", workload.connections,
                           kMaxConnections));
  }
  if (config.threads < 1 || config.threads > kMaxThreads) {
    return bad(fmt::format("{} threads; from 1 to {} are possible", config.threads, kMaxThreads));
  }
  if (workload.duration_ns < 0 || workload.warmup_ns < 0) return bad("a negative duration");
  std::map<std::string, std::string> define = workload.define;
  define.try_emplace("scale", std::to_string(workload.scale));
  CONNBENCH_ASSIGN_OR_RETURN(ScriptSet scripts, ScriptSet::Compile(workload.scripts, define));
  return Generator(config, std::move(scripts)).RunAll();
}

}  // namespace connbench::load
