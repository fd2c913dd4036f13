// The walwriter: brings commits to disk that nobody waits for (synchronous_commit=off).
#include "engine/tasks/task.h"
#include "engine/transaction/commit_flush.h"

namespace connbench::engine {
namespace {

// Lets more commits gather. Ends early when the task is asked to stop.
void Gather(TaskContext& context) {
  const MonotonicNs until =
      MonotonicNow() + context.config.wal_writer_delay_ms * kNanosecondsPerMillisecond;
  while (true) {
    const uint32_t word = context.backend.WakeupWord();
    if (context.stop.requested() || MonotonicNow() >= until) return;
    context.backend.Wait(word, until, WaitReason::kTask);
  }
}

void FlushFor(TaskContext& context, Lsn lsn) {
  context.log->Flush(lsn);
  WakeCommits(*context.log, context.backends);
}

}  // namespace

// A commit says first how far the log is wanted, and looks then whether the walwriter sleeps; the
// walwriter does it the other way round. So one of the two notices.
void RunWalWriter(TaskContext& context) {
  LogHeader& header = context.log->header();
  header.wal_writer_slot.store(context.backend.number() + 1, std::memory_order_seq_cst);
  const auto wanted = [&] { return header.wanted_later.load(std::memory_order_seq_cst); };
  while (true) {
    const uint32_t word = context.backend.WakeupWord();
    if (context.stop.requested()) break;
    header.wal_writer_sleeps.store(1, std::memory_order_seq_cst);
    if (context.log->durable() >= wanted()) {
      context.backend.Wait(word, kNoDeadline, WaitReason::kTask);
      continue;
    }
    header.wal_writer_sleeps.store(0, std::memory_order_seq_cst);
    Gather(context);
    FlushFor(context, wanted());
  }
  header.wal_writer_slot.store(0, std::memory_order_seq_cst);
  FlushFor(context, wanted());
}

}  // namespace connbench::engine
