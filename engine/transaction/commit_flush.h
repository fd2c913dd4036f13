// Waking the commits that wait for the log. Whoever has flushed it must call this afterwards, with
// no latch held: sessions that commit (Transaction), the checkpointer and the walwriter.
//
// Safety: any thread of any process that is attached.
#pragma once

#include "engine/transaction/backend.h"
#include "engine/wal/log.h"

namespace connbench::engine {

// Rings the sessions whose place in the log is on disk, and the first of those whose place is not,
// which flushes for the rest.
void WakeCommits(const Log& log, BackendTable& backends);

}  // namespace connbench::engine
