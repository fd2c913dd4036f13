// The task table.
#include "engine/tasks/task.h"

namespace connbench::engine {
namespace {

constexpr Task kTasks[] = {
    {.name = "checkpointer", .restart_after_ms = 100, .main = RunCheckpointer},
    {.name = "walwriter", .restart_after_ms = 100, .main = RunWalWriter},
};

// What the kernel keeps of a thread's name.
constexpr size_t kMaxTaskNameBytes = 15;
static_assert([] {
  for (const Task& task : kTasks) {
    if (task.name.size() > kMaxTaskNameBytes) return false;
  }
  return true;
}());

}  // namespace

std::span<const Task> AllTasks() { return kTasks; }

}  // namespace connbench::engine
