// Who runs the engine's tasks (engine/tasks/task.h): a process each beside models of several
// processes, a thread each within the one server process of the others.
//
// Safety: TaskProcesses is the supervisor's, in its one thread. TaskThreads is made and destroyed
// by a server process's main thread, before and after everything that the model does there.
#pragma once

#include <sys/types.h>

#include <functional>
#include <memory>
#include <vector>

#include "base/clock.h"
#include "engine/engine.h"
#include "models/model.h"

namespace connbench::models {

// The processes of the tasks. Which child ends how is the supervisor's to find out.
class TaskProcesses {
 public:
  // Forks one for each task; after every start of the engine. None if none are to be processes.
  Status Start(engine::Engine& engine, ProcessSpawner& spawner);
  void Forget() { running_.clear(); }

  // A task's process has ended in good order: its successor begins at restart_at().
  void OnEnd(pid_t pid);
  MonotonicNs restart_at() const;  // kNoDeadline: nobody has to be started
  // Starts those whose time has come. One that cannot be forked is tried again later.
  void Restart(ProcessSpawner& spawner);

  int64_t processes() const;
  // The name of the task that the process runs; "server" if it runs none.
  std::string_view NameOf(pid_t pid) const;

 private:
  struct Running {
    const engine::Task* task = nullptr;
    pid_t pid = 0;  // 0: not there
    MonotonicNs restart_at = kNoDeadline;
  };
  Status Fork(Running& running, ProcessSpawner& spawner);

  engine::Engine* engine_ = nullptr;
  std::vector<Running> running_;
};

// The threads of the tasks, for as long as this lives. A task that ends unasked ends the process.
class TaskThreads {
 public:
  explicit TaskThreads(engine::Engine& engine);
  ~TaskThreads();
  TaskThreads(const TaskThreads&) = delete;
  TaskThreads& operator=(const TaskThreads&) = delete;

 private:
  struct Thread;
  static void* Main(void* argument) noexcept;

  engine::Engine& engine_;
  std::vector<std::unique_ptr<Thread>> threads_;
};

}  // namespace connbench::models
