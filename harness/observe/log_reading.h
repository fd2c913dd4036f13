// What a server's log (WAL) has done up to a moment, whoever the server is.
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
};

}  // namespace connbench::observe
