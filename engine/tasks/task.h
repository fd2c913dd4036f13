// The task table: what the engine wants done beside its sessions, one row for each.
//
// The engine says what there is to do, and whoever owns the server's life (models/supervisor.h)
// staffs it: with a process for each task where sessions run in several processes, with a thread
// where all run in one. README.md says what each task does.
//
// Safety: constant data. A task's main function runs in one thread of one process at a time, with
// an auxiliary backend slot of its own.
#pragma once

#include <atomic>
#include <cstdint>
#include <functional>
#include <string_view>
#include <vector>

#include "engine/config.h"
#include "engine/segment/wakeup.h"
#include "engine/transaction/backend.h"
#include "engine/wal/log.h"

namespace connbench::engine {

class Checkpointer;
class ParallelDesks;  // engine/parallel/desk.h
class Storage;
struct ParallelDesk;

// Asks one run of a task to end.
//
// Safety: Request() may be called by any thread of the process, and by a signal handler. The one
// who asks keeps it alive until the task has ended.
class TaskStop {
 public:
  void Request() {
    requested_.store(true, std::memory_order_seq_cst);
    if (Wakeup* wakeup = wakeup_.load(std::memory_order_seq_cst)) wakeup->Ring();
  }
  bool requested() const { return requested_.load(std::memory_order_seq_cst); }
  // Whom to ring; null: nobody. For Engine::RunTask.
  void SetWakeup(Wakeup* wakeup) { wakeup_.store(wakeup, std::memory_order_seq_cst); }

 private:
  std::atomic<bool> requested_{false};
  std::atomic<Wakeup*> wakeup_{nullptr};
};
static_assert(std::atomic<Wakeup*>::is_always_lock_free);

// What a task works with.
struct TaskContext {
  const EngineConfig& config;
  BackendTable& backends;
  Backend& backend;            // its own
  Log* log;                    // null: data live in memory only
  Checkpointer* checkpointer;  // the same
  Storage& storage;
  const TaskStop& stop;
  ParallelDesks* desks;                             // null: there are no parallel workers
  std::function<void(ParallelDesk& desk)> run_job;  // of one of them, until it is done
};

struct Task {
  std::string_view name;  // of its process or thread too: at most 15 bytes
  // The restart rule. A task that ends in good order while the server serves is begun again after
  // this long. Any other end is a crash, as any process's is: it may have held a latch.
  int restart_after_ms;
  void (*main)(TaskContext& context);  // returns when it was asked to stop
};

// Those that a server with these settings needs. Without a data directory only parallel workers,
// for the others are about what is on disk.
std::vector<Task> TasksOf(const EngineConfig& config);

void RunCheckpointer(TaskContext& context);
void RunWalWriter(TaskContext& context);
void RunIoWorker(TaskContext& context);
void RunParallelWorker(TaskContext& context);

}  // namespace connbench::engine
