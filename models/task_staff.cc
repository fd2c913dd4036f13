// Who runs the engine's tasks.
#include "models/task_staff.h"

#include <fmt/format.h>
#include <pthread.h>
#include <sys/prctl.h>

#include <algorithm>
#include <csignal>
#include <cstdlib>
#include <cstring>
#include <string>

#include "base/server_log.h"
#include "models/backend_signals.h"

namespace connbench::models {
namespace {

// Of this thread, or of a process with one: what ps, top and /proc show.
void SetName(const engine::Task& task) { prctl(PR_SET_NAME, std::string(task.name).c_str()); }

}  // namespace

Status TaskProcesses::Start(engine::Engine& engine, ProcessSpawner& spawner) {
  engine_ = &engine;
  running_.clear();
  for (const engine::Task& task : engine.tasks()) running_.push_back({.task = &task});
  for (Running& running : running_) CONNBENCH_RETURN_IF_ERROR(Fork(running, spawner));
  return {};
}

Status TaskProcesses::Fork(Running& running, ProcessSpawner& spawner) {
  const auto body = [engine = engine_, task = running.task] {
    SetName(*task);
    engine::TaskStop stop;
    backend_signals::BeginTask(stop);
    const Status ran = engine->RunTask(*task, stop);
    if (ran.ok()) return 0;
    LogLine(fmt::format("{}: {}", task->name, ran.ToString()));
    return 1;
  };
  CONNBENCH_ASSIGN_OR_RETURN(running.pid, spawner.Fork(ChildKind::kTask, body));
  running.restart_at = kNoDeadline;
  return {};
}

void TaskProcesses::OnEnd(pid_t pid) {
  for (Running& running : running_) {
    if (running.pid != pid) continue;
    running.pid = 0;
    running.restart_at =
        MonotonicNow() + running.task->restart_after_ms * kNanosecondsPerMillisecond;
  }
}

MonotonicNs TaskProcesses::restart_at() const {
  MonotonicNs first = kNoDeadline;
  for (const Running& running : running_) first = std::min(first, running.restart_at);
  return first;
}

void TaskProcesses::Restart(ProcessSpawner& spawner) {
  for (Running& running : running_) {
    if (running.restart_at > MonotonicNow()) continue;
    const Status forked = Fork(running, spawner);
    if (forked.ok()) continue;
    LogLine(fmt::format("{}: {}", running.task->name, forked.ToString()));
    running.restart_at = MonotonicNow() + kAcceptPauseMs * kNanosecondsPerMillisecond;
  }
}

int64_t TaskProcesses::processes() const {
  return std::count_if(running_.begin(), running_.end(),
                       [](const Running& running) { return running.pid != 0; });
}

std::string_view TaskProcesses::NameOf(pid_t pid) const {
  for (const Running& running : running_) {
    if (running.pid == pid) return running.task->name;
  }
  return "server";
}

struct TaskThreads::Thread {
  engine::Engine* engine = nullptr;
  const engine::Task* task = nullptr;
  engine::TaskStop stop;
  pthread_t thread{};
};

// Signals are the main thread's business: these are born with all of them blocked.
TaskThreads::TaskThreads(engine::Engine& engine) : engine_(engine) {
  sigset_t all;
  sigset_t before;
  sigfillset(&all);
  pthread_sigmask(SIG_SETMASK, &all, &before);
  for (const engine::Task& task : engine_.tasks()) {
    auto thread = std::make_unique<Thread>();
    thread->engine = &engine_;
    thread->task = &task;
    const int error = pthread_create(&thread->thread, nullptr, &TaskThreads::Main, thread.get());
    if (error != 0) {
      LogLine(fmt::format("could not create the thread of the task {}: {}", task.name,
                          std::strerror(error)));
      std::abort();  // the supervisor tries again
    }
    threads_.push_back(std::move(thread));
  }
  pthread_sigmask(SIG_SETMASK, &before, nullptr);
}

TaskThreads::~TaskThreads() {
  for (const auto& thread : threads_) thread->stop.Request();
  for (const auto& thread : threads_) pthread_join(thread->thread, nullptr);
}

void* TaskThreads::Main(void* argument) noexcept {
  auto& self = *static_cast<Thread*>(argument);
  SetName(*self.task);
  const Status ran = self.engine->RunTask(*self.task, self.stop);
  if (!ran.ok()) {
    LogLine(fmt::format("{}: {}", self.task->name, ran.ToString()));
    std::abort();
  }
  return nullptr;
}

}  // namespace connbench::models
