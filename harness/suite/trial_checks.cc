// The self-checks of a trial.
#include "harness/suite/trial_checks.h"

#include <fmt/format.h>

#include <algorithm>

#include "base/near_names.h"
#include "harness/workload/workload.h"

namespace connbench::suite {
namespace {

constexpr TrialCheck kChecks[] = {
#define CONNBENCH_CHECK(name, bound, unit, about, remedy) {#name, bound, unit, about, remedy},
#include "harness/suite/checks.def"
#undef CONNBENCH_CHECK
};

// The rows as compile-time names, so that a check without a row does not compile.
namespace check {
#define CONNBENCH_CHECK(name, ...) constexpr std::string_view name = #name;
#include "harness/suite/checks.def"
#undef CONNBENCH_CHECK
}  // namespace check

// /proc/stat counts in ticks of 10 ms: over less than this their error is larger than the bound.
constexpr double kMinOtherLoadSeconds = 0.5;

double BoundOf(std::string_view name) {
  return std::find_if(std::begin(kChecks), std::end(kChecks),
                      [&](const TrialCheck& row) { return row.name == name; })
      ->bound;
}

class Finder {
 public:
  Finder(const load::LoadResult& load, const Observation& observation)
      : load_(load), observation_(observation) {}

  std::vector<Breach> Find() {
    CheckClient();
    CheckOutcomes();
    if (!observation_.contradictions.empty()) {
      Add(check::consistency, fmt::format("{}", fmt::join(observation_.contradictions, "; ")));
    }
    CheckMachine();
    return std::move(breaches_);
  }

 private:
  bool Has(std::string_view name) const {
    return std::any_of(breaches_.begin(), breaches_.end(),
                       [&](const Breach& breach) { return breach.check == name; });
  }
  // The first finding of a check is the one that is told.
  void Add(std::string_view name, std::string found) {
    if (!Has(name)) breaches_.push_back({name, std::move(found)});
  }
  std::string FirstError() const {
    return load_.first_error.empty() ? "" : fmt::format(" (first: {})", load_.first_error);
  }
  // A storm that the accept queue cannot hold was said to be one before the trial; what TCP then
  // does is part of what is measured.
  bool IsBeyondAcceptQueue() const { return load_.beyond_backlog; }
  void AddOfAcceptQueue(std::string_view name, std::string found) {
    if (!IsBeyondAcceptQueue()) Add(name, std::move(found));
  }

  // What the load generator says of itself: "client_cpu: client thread 0 used ...".
  void AddOfLoad(const std::string& reason) {
    const size_t colon = reason.find(": ");
    const std::string name = reason.substr(0, colon == std::string::npos ? 0 : colon);
    for (const TrialCheck& row : kChecks) {
      if (row.name != name) continue;
      if (name == check::syn_retries) return AddOfAcceptQueue(row.name, reason.substr(colon + 2));
      return Add(row.name, reason.substr(colon + 2));
    }
    breaches_.push_back({check::client, reason});
  }

  void CheckClient() {
    for (const std::string& reason : load_.invalid_reasons) AddOfLoad(reason);
    if (const Status identities = load_.Check(); !identities.ok()) {
      Add(check::accounting, identities.error().message);
    }
    if (load_.client_cpu_fraction > BoundOf(check::client_cpu)) {
      Add(check::client_cpu,
          fmt::format("the load generator was the bottleneck: {:.0f} % of a core",
                      load_.client_cpu_fraction * 100));
    }
  }

  void CheckOutcomes() {
    const uint64_t no_ports =
        load_.connects_by_outcome[static_cast<size_t>(load::ConnectOutcome::kNoPorts)];
    if (no_ports > 0) Add(check::ports, fmt::format("{} connects found no free port", no_ports));
    if (const uint64_t failed = UnexpectedFailures(); failed > 0) {
      Add(check::connects,
          fmt::format("{} of {} connects failed{}", failed, load_.connects_all, FirstError()));
    }
    const bool failover = load::RowOf(load_.pattern).Has(load::kDropped);
    if (load_.connections_lost > 0 && !failover) {
      Add(check::connections_lost,
          fmt::format("{} connections broke{}", load_.connections_lost, FirstError()));
    }
    if (load_.transactions_all > 0 && load_.transactions_ok == 0) {
      Add(check::transactions,
          fmt::format("all {} transactions failed{}", load_.transactions_all, FirstError()));
    }
  }

  // A client that tried again until it was served, one that found a queue full of which it was said
  // beforehand that it would be, and one that a limit of the user's choice rejects are part of what
  // is measured.
  uint64_t UnexpectedFailures() const {
    if (load_.clients_to_serve > 0 && load_.clients_served == load_.clients_to_serve) return 0;
    const uint64_t full =
        load_.connects_by_outcome[static_cast<size_t>(load::ConnectOutcome::kBacklogFull)];
    return load_.connects_failed() - (IsBeyondAcceptQueue() ? full : 0) - ChosenRejections();
  }

  uint64_t ChosenRejections() const {
    uint64_t sum = 0;
    for (const std::string& state : observation_.chosen_rejections) {
      const auto found = load_.connect_errors.find(state);
      if (found != load_.connect_errors.end()) sum += found->second;
    }
    return sum;
  }

  void CheckMachine() {
    const observe::HostCounters& host = observation_.host;
    if (host.listen_overflows > 0) {
      AddOfAcceptQueue(check::listen_overflows,
                       fmt::format("{} connections were turned away", host.listen_overflows));
    }
    if (host.syn_retries > 0) {
      AddOfAcceptQueue(check::syn_retries,
                       fmt::format("{} SYNs were sent again: connect times hold TCP's own seconds",
                                   host.syn_retries));
    }
    AddShare(check::steal, observe::StealFraction(host), "the hypervisor took");
    if (host.cgroup_throttled_us > 0) {
      Add(check::throttling,
          fmt::format("the cgroup's CPU quota throttled for {} us", host.cgroup_throttled_us));
    }
    if (host.swap_ins + host.swap_outs > 0) {
      Add(check::swap, fmt::format("{} pages were swapped", host.swap_ins + host.swap_outs));
    }
    // A server that is not seen would be taken for other load.
    if (observation_.server_seen && observation_.usage.seconds >= kMinOtherLoadSeconds) {
      AddShare(check::other_load, OtherCpuFraction(load_, observation_), "other processes used");
    }
  }

  void AddShare(std::string_view name, double share, const char* who) {
    const double bound = BoundOf(name);
    if (share <= bound) return;
    Add(name, fmt::format("{} {:.1f} % of the CPU time (at most {:.0f} %)", who, share * 100,
                          bound * 100));
  }

  const load::LoadResult& load_;
  const Observation& observation_;
  std::vector<Breach> breaches_;
};

}  // namespace

std::span<const TrialCheck> AllTrialChecks() { return kChecks; }

std::vector<Breach> FindBreaches(const load::LoadResult& load, const Observation& observation) {
  return Finder(load, observation).Find();
}

std::string InvalidReason(const std::vector<Breach>& breaches,
                          const std::vector<std::string>& waived) {
  std::string text;
  for (const Breach& breach : breaches) {
    if (std::find(waived.begin(), waived.end(), breach.check) != waived.end()) continue;
    text += fmt::format("{}{}: {}", text.empty() ? "" : "; ", breach.check, breach.found);
  }
  return text;
}

Status CheckWaived(const std::vector<std::string>& names) {
  std::vector<std::string_view> known;
  for (const TrialCheck& row : kChecks) known.push_back(row.name);
  for (const std::string& name : names) {
    if (std::find(known.begin(), known.end(), name) != known.end()) continue;
    return Status::Error(sqlstate::kUndefinedObject, fmt::format("there is no check \"{}\"", name))
        .WithHint(SuggestNames(name, known));
  }
  return Status::Ok();
}

}  // namespace connbench::suite
