// Both servers of a gate, and the windows that are measured on them.
#include "harness/gate/server_pair.h"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "harness/workload/pattern.h"
#include "results/metrics.h"

namespace connbench::gate {
namespace {

constexpr std::array<Side, kSides> kBoth = {kBase, kCandidate};

}  // namespace

ServerPair::ServerPair(const GatePlan& plan, suite::TrialContext context, Record record)
    : plan_(plan), context_(std::move(context)), record_(std::move(record)) {
  environment_.program = context_.program;
  environment_.copies_programs = true;
  context_.waived.insert(context_.waived.end(), kDisturbances.begin(), kDisturbances.end());
  for (const Side side : kBoth) {
    targets_[side] = targets::MakeTarget(plan.Request(side), environment_);
  }
}

Status ServerPair::OfSide(Side side, const Status& status) const {
  if (status.ok()) return status;
  return Status::Error(status.code(), fmt::format("the {}, {}: {}", kSideNames[side],
                                                  plan_.Describe(side), status.error().message))
      .WithDetail(status.error().detail)
      .WithHint(status.error().hint);
}

Status ServerPair::Prepare() {
  for (const Side side : kBoth) {
    CONNBENCH_RETURN_IF_ERROR(OfSide(side, targets_[side]->Prepare()));
  }
  return Status::Ok();
}

results::TextMap ServerPair::Versions() const {
  results::TextMap versions;
  for (const Side side : kBoth) {
    versions.emplace_back(kSideNames[side], plan_.Describe(side));
    for (const auto& [name, version] : targets_[side]->Versions()) {
      versions.emplace_back(fmt::format("{} {}", kSideNames[side], name), version);
    }
  }
  return versions;
}

Status ServerPair::StartRound(Side first) {
  for (const Side side : {first, first == kBase ? kCandidate : kBase}) {
    suite::RunningServer& server = servers_[side].emplace(*targets_[side]);
    CONNBENCH_RETURN_IF_ERROR(OfSide(side, server.Start()));
    for (const suite::Cell& cell : plan_.cells[side]) {
      CONNBENCH_RETURN_IF_ERROR(OfSide(side, server.SetUp(cell.workload)));
    }
  }
  return Status::Ok();
}

Result<Window> ServerPair::Measure(const WindowPlace& place) {
  const Side side = place.side;
  const suite::Cell& cell = plan_.cells[side][place.workload];
  // The memory of connections is what an idle workload measures.
  context_.details = cell.workload.pattern == load::Pattern::kIdle;
  suite::TrialOutcome outcome =
      suite::RunWindow(context_, cell, {place.workload, place.round, place.seed}, *servers_[side]);
  outcome.record.trial.gate_round = place.round;
  const results::TrialRow row = outcome.record.trial;
  CONNBENCH_RETURN_IF_ERROR(record_(std::move(outcome.record)));
  // What an interrupted window found is no pair.
  if (Interrupted()) return Window();
  CONNBENCH_RETURN_IF_ERROR(OfSide(side, targets_[side]->CheckAlive()));
  Window window;
  if (row.status != results::kTrialOk) window.invalid = row.status_reason;
  for (const std::string& check : outcome.breached) {
    if (std::find(kDisturbances.begin(), kDisturbances.end(), check) != kDisturbances.end()) {
      window.disturbances.push_back(check);
    }
  }
  for (const Row& asked : plan_.rows) {
    if (asked.workload == place.workload) {
      window.values.push_back(results::MetricValue(row, asked.metric));
    }
  }
  return window;
}

Status ServerPair::EndRound() {
  Status first;
  for (const Side side : kBoth) {
    if (!servers_[side]) continue;
    const Result<rusage> life = servers_[side]->Stop();
    servers_[side].reset();
    if (!life.ok() && first.ok()) first = OfSide(side, life.status());
  }
  return first;
}

}  // namespace connbench::gate
