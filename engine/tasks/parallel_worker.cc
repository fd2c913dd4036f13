// A parallel worker: runs parts of other sessions' queries (engine/parallel/README.md).
#include "engine/parallel/desk.h"
#include "engine/tasks/task.h"

namespace connbench::engine {

// A job that is at the desk is run to its end before the worker ends: its leader waits for that.
void RunParallelWorker(TaskContext& context) {
  using State = ParallelDesk::State;
  ParallelDesk* const desk = context.desks->Join(context.backend.number());
  if (desk == nullptr) return;
  while (true) {
    const uint32_t word = context.backend.WakeupWord();
    if (desk->state.load(std::memory_order_seq_cst) == State::kWorking) {
      context.run_job(*desk);
      continue;
    }
    State idle = State::kIdle;
    if (context.stop.requested() && desk->state.compare_exchange_strong(idle, State::kAbsent)) {
      break;
    }
    context.backend.Wait(word, kNoDeadline, WaitReason::kTask);
  }
  desk->worker.store(0, std::memory_order_seq_cst);
}

}  // namespace connbench::engine
