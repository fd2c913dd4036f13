// What a server with a data directory has done about it since its start, for observers: the log,
// its checkpoints, and pages that come and go between them.
//
// Safety: plain values. Figures of one moment may be of slightly different instants.
#pragma once

#include <cstdint>

namespace connbench::engine {

struct LogUsage {
  int64_t bytes = 0;         // appended
  int64_t records = 0;       // appended
  int64_t buffers_full = 0;  // appends that found the ring full
  int64_t writes = 0;        // calls that write
  int64_t write_ns = 0;
  int64_t flushes = 0;  // after which the log was on disk up to some place
  int64_t syncs = 0;    // calls that sync; more than one where a flush leaves a file
  int64_t sync_ns = 0;
  // Of sessions: commits that waited until they were on disk, and for how long.
  int64_t commit_waits = 0;
  int64_t commit_wait_ns = 0;
  // Of sessions: pages that were read because the buffer pool did not hold them, how long sessions
  // waited for such pages, and pages that they wrote to have their frames.
  int64_t page_reads = 0;
  int64_t page_read_ns = 0;
  int64_t page_writes = 0;
  // Complete ones: by checkpoint_timeout, and for all other reasons.
  int64_t checkpoints_timed = 0;
  int64_t checkpoints_requested = 0;
  int64_t checkpoint_pages = 0;  // written by them
  int64_t checkpoint_write_ns = 0;
  int64_t checkpoint_sync_ns = 0;
};

}  // namespace connbench::engine
