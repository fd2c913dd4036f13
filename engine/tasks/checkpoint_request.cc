// How sessions ask the checkpointer for a checkpoint.
#include "engine/tasks/checkpoint_request.h"

namespace connbench::engine {
namespace {

// One that is not there finds the request when it begins.
void RingCheckpointer(const LogHeader& header, BackendTable& backends) {
  const uint32_t slot = header.checkpointer_slot.load(std::memory_order_seq_cst);
  if (slot != 0) backends.slot(slot - 1).wakeup.Ring();
}

}  // namespace

Status RequestCheckpoint(Log& log, BackendTable& backends, Backend& backend) {
  LogHeader& header = log.header();
  const uint64_t ticket = header.checkpoints_wanted.fetch_add(1, std::memory_order_seq_cst) + 1;
  log.SetWaitsForCheckpoint(backend.number(), ticket);
  RingCheckpointer(header, backends);
  Status status;
  while (true) {
    const uint32_t word = backend.WakeupWord();
    if (header.checkpoints_answered.load(std::memory_order_seq_cst) >= ticket) break;
    status = backend.CheckInterruptsNow();
    if (!status.ok()) break;
    backend.Wait(word, backend.statement_deadline(), WaitReason::kCheckpoint);
  }
  log.SetWaitsForCheckpoint(backend.number(), 0);
  CONNBENCH_RETURN_IF_ERROR(std::move(status));
  if (header.checkpoints_failed.load(std::memory_order_seq_cst) < ticket) return {};
  return Status::Error(sqlstate::kInternalError, "checkpoint request failed")
      .WithHint("Consult recent messages in the server log for details.");
}

void TellCheckpointDue(Log& log, BackendTable& backends) {
  LogHeader& header = log.header();
  if (header.checkpoint_due_told.load(std::memory_order_relaxed) != 0) return;
  if (header.checkpoint_due_told.exchange(1, std::memory_order_seq_cst) != 0) return;
  RingCheckpointer(header, backends);
}

void RingCheckpointWaiters(const Log& log, BackendTable& backends) {
  for (BackendNumber number = 0; number < backends.slots_used(); ++number) {
    if (log.WaitsForCheckpoint(number) != 0) backends.slot(number).wakeup.Ring();
  }
}

}  // namespace connbench::engine
