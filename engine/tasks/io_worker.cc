// An I/O worker: reads pages for sessions that wait for them meanwhile (io_method=worker).
#include "engine/storage/storage.h"
#include "engine/tasks/task.h"

namespace connbench::engine {

// What is in the queue when the task is asked to end is done before: nobody else may be there.
void RunIoWorker(TaskContext& context) {
  BufferPool& pool = context.storage.pool();
  ReadQueue& queue = pool.read_queue();
  const BackendNumber me = context.backend.number();
  queue.Join();
  while (true) {
    const uint32_t word = context.backend.WakeupWord();
    if (context.stop.requested() && queue.Leave(me)) return;
    ReadRequest request;
    if (queue.Take(me, request)) {
      pool.Serve(request);
    } else {
      context.backend.Wait(word, kNoDeadline, WaitReason::kTask);
    }
  }
}

}  // namespace connbench::engine
