// The log of a server: lines on stderr, which are written without waiting. A terminal that is held,
// or a pipe that is full because its reader sleeps, must not stop the process that all others
// depend on. A line that cannot be written at once is dropped; the next one that can be says how
// many were.
//
// Safety: any thread of any process, but no signal handler. Lines of several processes do not mix.
// Limits: a line is cut after kMaxLogLineBytes, which a pipe takes whole or not at all.
#pragma once

#include <cstddef>
#include <string_view>

namespace connbench {

inline constexpr size_t kMaxLogLineBytes = 4096;  // PIPE_BUF

// Writes "connbench: <line>\n". Control characters, which may come from a client, are shown as
// \xNN.
void LogLine(std::string_view line);

}  // namespace connbench
