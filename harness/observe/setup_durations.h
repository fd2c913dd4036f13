// How long a server of another make says that setting up each connection took. PostgreSQL from
// version 18 logs, with log_connections = setup_durations, one line per connection:
//
//   4711 LOG:  connection ready: setup total=2.150 ms, fork=0.430 ms, authentication=0.260 ms
//
// (4711 comes from log_line_prefix '%p '; it is the process id that the client sees in
// BackendKeyData). They are lengths without instants, so that they cannot be joined with the
// client's stamps to one chain; they give phases of side "server" only.
//
// Safety: pure functions. Lines that are none of these are passed over.
#pragma once

#include <cstdint>
#include <string_view>
#include <vector>

namespace connbench::observe {

struct SetupDurations {
  uint32_t connection_id = 0;
  int64_t total_ns = 0;  // from accept() to ready for queries; the others are parts of it
  int64_t fork_ns = 0;
  int64_t authentication_ns = 0;
};

// In the order of the log. Ids come again when process ids do: the last one counts.
std::vector<SetupDurations> ParseSetupDurations(std::string_view log);

}  // namespace connbench::observe
