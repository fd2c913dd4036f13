// The task table.
#include "engine/tasks/task.h"

#include <algorithm>
#include <iterator>
#include <span>

namespace connbench::engine {
namespace {

constexpr Task kDiskTasks[] = {
    {.name = "checkpointer", .restart_after_ms = 100, .main = RunCheckpointer},
    {.name = "walwriter", .restart_after_ms = 100, .main = RunWalWriter},
};
constexpr Task kIoWorkers[] = {
    {.name = "io worker 0", .restart_after_ms = 100, .main = RunIoWorker},
    {.name = "io worker 1", .restart_after_ms = 100, .main = RunIoWorker},
    {.name = "io worker 2", .restart_after_ms = 100, .main = RunIoWorker},
    {.name = "io worker 3", .restart_after_ms = 100, .main = RunIoWorker},
    {.name = "io worker 4", .restart_after_ms = 100, .main = RunIoWorker},
    {.name = "io worker 5", .restart_after_ms = 100, .main = RunIoWorker},
    {.name = "io worker 6", .restart_after_ms = 100, .main = RunIoWorker},
    {.name = "io worker 7", .restart_after_ms = 100, .main = RunIoWorker},
};
static_assert(std::size(kIoWorkers) == kMostIoWorkers);
static_assert(std::size(kDiskTasks) + kMostIoWorkers <= BackendTable::kAuxiliarySlots);
// As many as max_parallel_workers says. They differ in nothing, not even in name.
constexpr Task kParallelWorker = {
    .name = "parallel worker", .restart_after_ms = 100, .main = RunParallelWorker};

// What the kernel keeps of a thread's name.
constexpr size_t kMaxTaskNameBytes = 15;
constexpr bool NamesFit(std::span<const Task> tasks) {
  return std::all_of(tasks.begin(), tasks.end(),
                     [](const Task& task) { return task.name.size() <= kMaxTaskNameBytes; });
}
static_assert(NamesFit(kDiskTasks) && NamesFit(kIoWorkers) && NamesFit({&kParallelWorker, 1}));

}  // namespace

std::vector<Task> TasksOf(const EngineConfig& config) {
  std::vector<Task> tasks;
  if (config.engine == EngineKind::kCanned) return tasks;
  if (!config.data_directory.empty()) {
    tasks.assign(std::begin(kDiskTasks), std::end(kDiskTasks));
    const int workers = config.io_method == IoMethod::kWorker ? config.io_workers : 0;
    tasks.insert(tasks.end(), std::begin(kIoWorkers), std::begin(kIoWorkers) + workers);
  }
  tasks.insert(tasks.end(), static_cast<size_t>(config.max_parallel_workers), kParallelWorker);
  return tasks;
}

}  // namespace connbench::engine
