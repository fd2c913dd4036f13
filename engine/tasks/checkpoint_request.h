// How sessions ask the checkpointer for a checkpoint.
//
// Safety: any session, without a latch held, where the tasks are staffed (LogHeader::staffed).
// A session that waits does so in its Waiter; it holds no lock that the checkpointer wants.
// Errors: XX000 if the checkpoint failed (the server's log says why); what interrupts a statement.
#pragma once

#include "base/status.h"
#include "engine/transaction/backend.h"
#include "engine/wal/log.h"

namespace connbench::engine {

// Asks for a checkpoint that begins after this call, and waits until it is complete.
Status RequestCheckpoint(Log& log, BackendTable& backends, Backend& backend);
// The log has grown to max_wal_size. Costs a load when the checkpointer knows it.
void TellCheckpointDue(Log& log, BackendTable& backends);
// For the checkpointer, after it has answered.
void RingCheckpointWaiters(const Log& log, BackendTable& backends);

}  // namespace connbench::engine
