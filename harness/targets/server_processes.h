// The processes of a server from its first to its last: told apart from later ones with the same
// pid, and seen to be gone.
//
// Safety: functions of /proc; any thread.
#pragma once

#include <sys/types.h>

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/child_process.h"
#include "base/clock.h"
#include "base/status.h"

namespace connbench::targets {

// How long a process that was killed may take to be gone.
inline constexpr int64_t kGoneTimeoutNs = 5 * kNanosecondsPerSecond;

// A process, told apart from a later one with the same pid.
struct ProcessIdentity {
  pid_t pid = 0;
  int64_t start_ticks = 0;
};

// The process and all that descend from it; empty for pid 0.
std::vector<ProcessIdentity> IdentifyTree(pid_t root);
// All processes whose working folder is this one or lies in it.
std::vector<ProcessIdentity> IdentifyWorkingIn(const std::string& folder);

bool Lives(const ProcessIdentity& process);                // a zombie does not
void Kill(const std::vector<ProcessIdentity>& processes);  // SIGKILL to those that live

// Processes may need a moment to die after their parent has: waits, at most some seconds, until
// none lives. 55006 names the first that does.
Status AwaitGone(const std::vector<ProcessIdentity>& processes);

// Ends a server that runs, and all of its processes: by the signal, and after timeout_ns by
// SIGKILL, which is an error that names the server and has the end of its log (a descriptor) as its
// detail.
Result<ChildExit> EndServer(ChildProcess& server, int signal, int64_t timeout_ns,
                            std::string_view name, int log);

}  // namespace connbench::targets
