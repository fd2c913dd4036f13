// Segments that outlived their server: who made a file under /dev/shm, and is it still alive?
//
// Safety: any thread; no latches. Another process may start or remove a segment at the same time:
// a segment whose creator lives is never touched.
#pragma once

#include <sys/types.h>

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace connbench::engine {

inline constexpr std::string_view kSegmentNamePrefix = "connbench.";

// When the process started, in clock ticks since boot (field 22 of /proc/<pid>/stat); 0 if there is
// no such process. Pid and start together name a process for ever.
uint64_t ProcessStartTicks(pid_t pid);

// The process that made the named segment, if it is alive (or cannot be told); nothing if the
// segment is a leftover or does not exist.
std::optional<pid_t> LiveCreator(const std::string& name);

// The names of all complete or growing segments whose creator lives, sorted.
std::vector<std::string> ListLiveSegments();

// Removes /dev/shm/connbench.* whose creator is dead; returns how many.
int RemoveLeftovers();

}  // namespace connbench::engine
