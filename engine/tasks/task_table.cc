// The task table.
#include "engine/tasks/task.h"

#include <iterator>

namespace connbench::engine {
namespace {

constexpr Task kTasks[] = {
    {.name = "checkpointer", .restart_after_ms = 100, .main = RunCheckpointer},
    {.name = "walwriter", .restart_after_ms = 100, .main = RunWalWriter},
    {.name = "io worker 0", .restart_after_ms = 100, .main = RunIoWorker},
    {.name = "io worker 1", .restart_after_ms = 100, .main = RunIoWorker},
    {.name = "io worker 2", .restart_after_ms = 100, .main = RunIoWorker},
    {.name = "io worker 3", .restart_after_ms = 100, .main = RunIoWorker},
    {.name = "io worker 4", .restart_after_ms = 100, .main = RunIoWorker},
    {.name = "io worker 5", .restart_after_ms = 100, .main = RunIoWorker},
    {.name = "io worker 6", .restart_after_ms = 100, .main = RunIoWorker},
    {.name = "io worker 7", .restart_after_ms = 100, .main = RunIoWorker},
};
static_assert(std::size(kTasks) <= BackendTable::kAuxiliarySlots);

// What the kernel keeps of a thread's name.
constexpr size_t kMaxTaskNameBytes = 15;
static_assert([] {
  for (const Task& task : kTasks) {
    if (task.name.size() > kMaxTaskNameBytes) return false;
  }
  return true;
}());

}  // namespace

std::span<const Task> TasksOf(const EngineConfig& config) {
  if (config.data_directory.empty()) return {};
  // The I/O workers come last.
  const auto workers =
      static_cast<size_t>(config.io_method == IoMethod::kWorker ? config.io_workers : 0);
  return std::span(kTasks).first(std::size(kTasks) - kMostIoWorkers + workers);
}

}  // namespace connbench::engine
