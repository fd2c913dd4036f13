// What a server has done up to a moment about the data that it keeps, whoever the server is: its
// log (WAL), its checkpoints, and pages that its buffer pool did not hold.
//
// Safety: plain values.
#pragma once

#include <cstdint>
#include <optional>

namespace connbench::observe {

struct LogReading {
  int64_t bytes = 0;
  std::optional<int64_t> flushes;         // calls that brought the log to the disk
  std::optional<int64_t> commit_wait_ns;  // of all sessions together, waiting for those
  std::optional<int64_t> checkpoints;     // complete ones
  // Pages that sessions wanted and the buffer pool did not hold; how long all of them together
  // waited for those; pages that sessions wrote to make room.
  std::optional<int64_t> page_reads;
  std::optional<int64_t> page_read_ns;
  std::optional<int64_t> page_writes;
};

}  // namespace connbench::observe
