// Runs one trial.
#include "harness/suite/trial_runner.h"

#include <fmt/format.h>
#include <sys/resource.h>
#include <unistd.h>

#include <algorithm>
#include <ctime>
#include <optional>
#include <utility>

#include "base/print_error.h"
#include "harness/load/set_up.h"
#include "harness/load/sql_client.h"
#include "harness/observe/connect_phases.h"
#include "harness/suite/load_process.h"
#include "harness/suite/trial_checks.h"
#include "harness/suite/trial_rows.h"
#include "harness/suite/trial_tables.h"

namespace connbench::suite {
namespace {

// Beyond warm-up and duration, a load that takes this long hangs.
constexpr int64_t kLoadGraceNs = 60 * kNanosecondsPerSecond;
// And so much for each connection to be made, to be looked at and to be closed.
constexpr int64_t kLoadGracePerConnectionNs = 20 * kNanosecondsPerMillisecond;
// A server rests when it used less than this between two looks; background work never ends.
constexpr int64_t kAtRestNs = 2 * kNanosecondsPerSecond;
constexpr useconds_t kAtRestPollUs = 5000;
constexpr int64_t kAtRestCpuNs = 200'000;

int64_t OwnCpuNs() {
  timespec time;
  ::clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &time);
  return time.tv_sec * kNanosecondsPerSecond + time.tv_nsec;
}

int64_t LivingSwitches(const observe::TreeUsage& usage) {
  int64_t sum = 0;
  for (const auto& [tid, task] : usage.tasks) {
    sum += task.voluntary_switches + task.involuntary_switches;
  }
  return sum;
}

class TrialRun {
 public:
  TrialRun(const TrialContext& context, const Cell& cell, const Trial& trial, RunningServer& server)
      : context_(context),
        cell_(cell),
        trial_(trial),
        server_(server),
        target_(server.target()),
        tree_(server.tree()) {}

  // A fresh server for this trial alone.
  TrialOutcome RunWhole() {
    return Run([this]() -> Status {
      Status status = server_.Start();
      if (status.ok()) status = server_.SetUp(cell_.workload);
      if (status.ok()) status = Measure();
      const Status ended = StopServer();
      return status.ok() ? ended : status;
    });
  }

  TrialOutcome RunWindow() {
    return Run([this] { return Measure(); });
  }

 private:
  template <typename Work>
  TrialOutcome Run(const Work& work) {
    const MonotonicNs begin_ns = MonotonicNow();
    const int64_t cpu_before = OwnCpuNs();
    FillKeys();
    Judge(work());
    // The harness does little else than observe while a trial runs.
    outcome_.observer_cpu_ns = window_cpu_ns_;
    outcome_.window_ns = window_ns_;
    outcome_.checkpoint_cpu_ns = OwnCpuNs() - cpu_before - window_cpu_ns_;
    outcome_.elapsed_ns = MonotonicNow() - begin_ns;
    return std::move(outcome_);
  }

  results::TrialRow& row() { return outcome_.record.trial; }

  void FillKeys() {
    row().cell = cell_.name;
    row().target = cell_.target.target;
    row().model = cell_.target.model;
    row().workload = cell_.workload.name;
    row().connections = cell_.workload.connections;
    row().repetition = trial_.repetition;
    row().pattern = load::Name(cell_.workload.pattern);
    row().protocol = load::Name(cell_.workload.protocol);
    row().contender = results::ContenderOf(row().target, row().model);
    row().settings = cell_.SettingsText();
    row().parameters = cell_.ParametersText();
    row().seed = static_cast<int64_t>(trial_.seed);
  }

  Status Measure() {
    observation_.server_seen = !tree_.roots.empty();
    observation_.chosen_rejections = cell_.ChosenRejections();
    // Who asks later is there before anything is looked at.
    CONNBENCH_RETURN_IF_ERROR(target_.ReadLog().TakeStatus());
    before_load_ = observe::ReadUsage(tree_);
    ReadMemoryCheckpoint("before", 0);
    LoadProcess load;
    CONNBENCH_RETURN_IF_ERROR(
        load.Start(context_.program, cell_.workload, target_.endpoint(),
                   targets::ValueOf(cell_.settings, targets::kClientCpuSetting), trial_.seed));
    sampler_.Start(tree_);
    const Status followed = FollowEvents(load);
    observation_.samples = sampler_.Stop();
    if (!followed.ok()) {
      // What the server said last tells more than that it is gone.
      const Status alive = target_.CheckAlive();
      return alive.ok() ? followed : alive;
    }
    CONNBENCH_ASSIGN_OR_RETURN(load_, load.TakeResult());
    has_load_ = true;
    CONNBENCH_RETURN_IF_ERROR(target_.CheckAlive());
    if (context_.details) CONNBENCH_RETURN_IF_ERROR(ReadPhases());
    return AskForContradictions();
  }

  // Last, because it is work of the server that nobody measures.
  Status AskForContradictions() {
    if (!cell_.workload.check) return Status::Ok();
    CONNBENCH_ASSIGN_OR_RETURN(const auto client,
                               load::SqlClient::Connect(target_.setup_endpoint()));
    CONNBENCH_ASSIGN_OR_RETURN(observation_.contradictions,
                               load::AskCheck(cell_.workload, *client, /*scale=*/0));
    return Status::Ok();
  }

  Status ReadPhases() {
    // Without the server's side the phases of the client remain.
    auto server_log = target_.ReadConnectionLog();
    CONNBENCH_RETURN_IF_ERROR(server_log.status());
    outcome_.record.phases = observe::SummarizePhases(load_.phases, *server_log);
    const auto durations =
        observe::SummarizeSetupDurations(load_.phases, target_.ReadSetupDurations());
    outcome_.record.phases.insert(outcome_.record.phases.end(), durations.begin(), durations.end());
    return Status::Ok();
  }

  void ReadMemoryCheckpoint(const char* name, int64_t connections_up) {
    if (!context_.details) return;
    observation_.memory.push_back(
        {name, connections_up, observe::ReadMemory(tree_), observe::ReadHostMemory()});
  }

  // Ending a backend is the server's work after the client has closed: wait until nothing changes.
  observe::TreeUsage ReadUsageAtRest() const {
    const MonotonicNs deadline = MonotonicNow() + kAtRestNs;
    observe::TreeUsage before = observe::ReadUsage(tree_);
    while (true) {
      ::usleep(kAtRestPollUs);
      observe::TreeUsage now = observe::ReadUsage(tree_);
      const bool at_rest = now.processes == before.processes && now.threads == before.threads &&
                           now.cpu_ns - before.cpu_ns < kAtRestCpuNs;
      if (at_rest || MonotonicNow() > deadline) return now;
      before = std::move(now);
    }
  }

  Status FollowEvents(LoadProcess& load) {
    const MonotonicNs deadline = MonotonicNow() + cell_.workload.longest_warmup_ns() +
                                 cell_.workload.duration_ns + kLoadGraceNs +
                                 cell_.workload.total_connections() * kLoadGracePerConnectionNs;
    const std::vector<int> exits = target_.exit_descriptors();
    observe::TreeUsage usage_begin;
    observe::TreeUsage usage_end;
    std::vector<engine::PoolUsage> pools_before;
    std::optional<observe::LogReading> log_before;
    bool in_window = false;
    observation_.queried_while_opening = cell_.workload.first_query;
    observe::HostCounters host_begin;
    int64_t own_cpu_begin = 0;
    observation_.cpus = static_cast<int>(::sysconf(_SC_NPROCESSORS_ONLN));
    while (true) {
      CONNBENCH_ASSIGN_OR_RETURN(const std::optional<load::LoadEvent> next,
                                 load.NextEvent(deadline, *context_.interruption, exits));
      if (!next) return Status::Ok();
      const load::LoadEvent& event = *next;
      switch (event.kind) {
        case load::EventKind::kHeld:
          if (!in_window) {
            observation_.opening = Subtract(observe::ReadUsage(tree_), before_load_);
          }
          ReadMemoryCheckpoint("held", event.connections);
          break;
        case load::EventKind::kBegin: {
          in_window = true;
          CONNBENCH_ASSIGN_OR_RETURN(pools_before, target_.ReadPoolUsage());
          CONNBENCH_ASSIGN_OR_RETURN(log_before, target_.ReadLog());
          own_cpu_begin = OwnCpuNs();
          host_begin = observe::ReadHostCounters();
          usage_begin = observe::ReadUsage(tree_);
          // From here on the load runs again.
          window_cpu_ns_ = -OwnCpuNs();
          window_ns_ = -MonotonicNow();
          break;
        }
        case load::EventKind::kDrop:
          CONNBENCH_RETURN_IF_ERROR(target_.Crash());
          break;
        case load::EventKind::kEnd: {
          window_cpu_ns_ += OwnCpuNs();
          window_ns_ += MonotonicNow();
          usage_end = observe::ReadUsage(tree_);
          observation_.usage = Subtract(usage_end, usage_begin);
          observation_.host = observe::ReadHostCounters() - host_begin;
          observation_.own_cpu_ns = OwnCpuNs() - own_cpu_begin;
          CONNBENCH_ASSIGN_OR_RETURN(auto pools_after, target_.ReadPoolUsage());
          observation_.pools = PoolsBetween(pools_before, std::move(pools_after));
          CONNBENCH_ASSIGN_OR_RETURN(const auto log_after, target_.ReadLog());
          observation_.log = LogBetween(log_before, log_after);
          if (event.connections > 0) ReadMemoryCheckpoint("after", event.connections);
          break;
        }
        case load::EventKind::kClosed:
          observation_.closing = Subtract(ReadUsageAtRest(), usage_end);
          break;
      }
    }
  }

  Status StopServer() {
    if (target_.root_pids().empty()) return Status::Ok();
    CONNBENCH_ASSIGN_OR_RETURN(const rusage life, server_.Stop());
    const int64_t switches = life.ru_nvcsw + life.ru_nivcsw;
    // 0: of a server that goes on, nothing is known. A check's switches are not the load's.
    if (switches > 0 && !cell_.workload.check)
      observation_.life_switches = switches - LivingSwitches(before_load_);
    return Status::Ok();
  }

  void Judge(const Status& status) {
    std::string reason = status.ok() ? "" : WithSqlstate(status);
    if (has_load_) {
      FillTrialRow(load_, observation_, row());
      AddDistributions(load_, outcome_.record);
      outcome_.record.timeseries = MakeTimeseries(load_, observation_.samples);
      outcome_.record.errors = MakeErrors(load_);
      outcome_.manual_seconds = ManualSeconds();
      const std::vector<Breach> breaches = FindBreaches(load_, observation_);
      for (const Breach& breach : breaches) outcome_.breached.emplace_back(breach.check);
      const std::string invalid = InvalidReason(breaches, context_.waived);
      if (!reason.empty() && !invalid.empty()) reason += "; ";
      reason += invalid;
    }
    outcome_.record.memory = MakeMemory(observation_.memory);
    row().status = reason.empty() ? results::kTrialOk : results::kTrialInvalid;
    row().status_reason = std::move(reason);
    if (context_.interruption->Requested()) {
      row().status = results::kTrialInterrupted;
      row().status_reason = "interrupted";
    }
  }

  double ManualSeconds() const {
    const load::PatternRow& pattern = load::RowOf(cell_.workload.pattern);
    if (pattern.Has(load::kDropped)) {
      return static_cast<double>(load_.all_served_ns) / kNanosecondsPerSecond;
    }
    if (pattern.Has(load::kReleasedTogether)) {
      return static_cast<double>(load_.last_ready_ns - load_.first_connect_ns) /
             kNanosecondsPerSecond;
    }
    return load_.transactions_ok > 0 ? 1 / std::max(load_.throughput_tps(), 1e-9) : 0;
  }

  const TrialContext& context_;
  const Cell& cell_;
  const Trial& trial_;
  RunningServer& server_;
  targets::Target& target_;
  const observe::ServerTree& tree_;
  TrialOutcome outcome_;
  observe::Sampler sampler_;
  observe::TreeUsage before_load_;
  Observation observation_;
  load::LoadResult load_;
  bool has_load_ = false;
  int64_t window_cpu_ns_ = 0;  // of this process in the measured window
  int64_t window_ns_ = 0;
};

}  // namespace

TrialOutcome RunTrial(const TrialContext& context, const Cell& cell, const Trial& trial,
                      targets::Target& target) {
  RunningServer server(target);
  return TrialRun(context, cell, trial, server).RunWhole();
}

TrialOutcome RunWindow(const TrialContext& context, const Cell& cell, const Trial& trial,
                       RunningServer& server) {
  return TrialRun(context, cell, trial, server).RunWindow();
}

}  // namespace connbench::suite
