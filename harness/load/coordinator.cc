// Plans, waiting, events and progress of a run.
#include "harness/load/coordinator.h"

#include <algorithm>
#include <ctime>

namespace connbench::load {
namespace {

constexpr int64_t kPollNs = 20 * kNanosecondsPerMillisecond;
constexpr int64_t kProgressNs = kNanosecondsPerSecond;

}  // namespace

void Coordinator::CheckStop() {
  if (config_.stop != nullptr && config_.stop->load(std::memory_order_relaxed)) {
    Stop();
  }
}

bool Coordinator::Event(EventKind kind) {
  CheckStop();
  if (!control_.Event(kind, Open())) Stop();
  return !stopping();
}

int64_t Coordinator::Open() const {
  int64_t open = 0;
  for (const ClientThreads& group : groups_) open += group.Open();
  return open;
}

void Coordinator::Post(const ClientThreads& group, const Plan& plan) {
  for (const auto& worker : group.workers) worker->Post(plan);
}

void Coordinator::Wait(std::string_view phase, int64_t planned_ns, WarmupWatch* warmup) {
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
  held_max_ = std::max(held_max_, Open());
}

void Coordinator::Run(const Plan& plan, std::string_view phase, int64_t planned_ns) {
  Post(groups_.front(), plan);
  Wait(phase, planned_ns, plan.warmup);
}

void Coordinator::Close() {
  for (const ClientThreads& group : groups_) {
    Plan plan;
    plan.kind = Plan::Kind::kClose;
    plan.last = group.clients();
    Post(group, plan);
  }
  Wait("closing");
}

void Coordinator::WaitOutWindow(MonotonicNs until) {
  while (MonotonicNow() < until && !stopping()) {
    const timespec pause = {0, kPollNs};
    nanosleep(&pause, nullptr);
    CheckStop();
  }
}

void Coordinator::Hold() {
  if (!control_.present()) WaitOutWindow(MonotonicNow() + config_.hold_ns);
}

}  // namespace connbench::load
