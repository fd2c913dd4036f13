// Segments that outlived their server: who made a file under /dev/shm, and is it still alive?
//
// Every user may put files there, with any name: what is no regular file of this user's is never
// opened for long, read or removed.
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

enum class SegmentFate : uint8_t {
  kNone,      // there is no such file
  kLive,      // its creator lives, or cannot be told
  kLeftover,  // ours, and its creator has ended
  kForeign,   // of another user, or no file at all
};
struct SegmentFile {
  SegmentFate fate = SegmentFate::kNone;
  pid_t creator = 0;     // of a live one; 0: unknown
  std::string oddity{};  // why a foreign one cannot be a segment; empty: it can
};
// Looks at a file in /dev/shm without trusting it: never blocks, follows no link.
SegmentFile InspectSegment(const std::string& name);

// The process that made the named segment, if it is alive (or cannot be told); nothing if the
// segment is a leftover or does not exist.
std::optional<pid_t> LiveCreator(const std::string& name);

// The names of this user's complete or growing segments whose creator lives, sorted.
std::vector<std::string> ListLiveSegments();

// Removes this user's /dev/shm/connbench.* whose creator is dead; returns how many. The log names
// what has such a name and cannot be a segment.
int RemoveLeftovers();

}  // namespace connbench::engine
