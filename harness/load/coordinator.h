// Gives plans to the client threads of a run and waits until they are at rest; tells the harness of
// events, shows progress, and passes a raised stop flag on.
//
// Safety: one thread. The client threads are at rest whenever Wait has returned.
#pragma once

#include <atomic>
#include <cstdint>
#include <string_view>
#include <vector>

#include "base/clock.h"
#include "harness/load/client_threads.h"
#include "harness/load/control.h"
#include "harness/load/generator.h"

namespace connbench::load {

class Coordinator {
 public:
  // Both outlive it.
  Coordinator(const LoadConfig& config, std::vector<ClientThreads>& groups)
      : config_(config), control_(config.control_fd, &stop_), groups_(groups) {}

  // Gives the plan to all threads of the group.
  static void Post(const ClientThreads& group, const Plan& plan);
  // Waits until everybody is at rest.
  void Wait(std::string_view phase, int64_t planned_ns = 0, WarmupWatch* warmup = nullptr);
  // Both, for the first group.
  void Run(const Plan& plan, std::string_view phase, int64_t planned_ns = 0);
  void Close();
  // Tells the harness of the event and waits for its answer. False ends the run early.
  bool Event(EventKind kind);
  // Where nobody samples, connections are held for as long as was asked.
  void Hold();
  void WaitOutWindow(MonotonicNs until);

  void CheckStop();
  void Stop() { stop_.store(true, std::memory_order_relaxed); }
  bool stopping() const { return stop_.load(std::memory_order_relaxed); }
  const std::atomic<bool>* stop_flag() const { return &stop_; }
  Control& control() { return control_; }
  int64_t Open() const;
  int64_t held_max() const { return held_max_; }

 private:
  const LoadConfig& config_;
  std::atomic<bool> stop_{false};
  Control control_;
  std::vector<ClientThreads>& groups_;
  int64_t held_max_ = 0;
};

}  // namespace connbench::load
