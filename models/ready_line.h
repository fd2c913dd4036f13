// The one line that a server prints to stdout when it accepts connections, written by the
// supervisor and read by whoever started it:
//
//   connbench: fork ready on 127.0.0.1 port 5433, socket /tmp/.s.PGSQL.5433 (segment connbench.77)
//
// Safety: pure functions; any thread.
#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace connbench::models {

struct ReadyLine {
  std::string model;
  std::string host;  // the first TCP address; empty if there is none
  int port = 0;
  std::string socket_path;  // empty if there is none
  std::string segment;      // its name under /dev/shm; empty if it has none
};

// Without a newline.
std::string FormatReadyLine(const ReadyLine& ready);
// Nothing when it is another line.
std::optional<ReadyLine> ParseReadyLine(std::string_view line);

}  // namespace connbench::models
