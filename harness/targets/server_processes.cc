// The processes of a server from its first to its last.
#include "harness/targets/server_processes.h"

#include <fmt/format.h>
#include <signal.h>
#include <unistd.h>

#include <charconv>
#include <cstring>
#include <filesystem>
#include <optional>

#include "base/clock.h"
#include "harness/observe/proc_files.h"
#include "harness/observe/process_tree.h"

namespace connbench::targets {
namespace {

constexpr useconds_t kGonePollUs = 2000;

void Add(std::vector<ProcessIdentity>& identities, pid_t pid) {
  if (const auto stat = observe::ReadProcessStat(pid)) {
    identities.push_back({pid, stat->start_ticks});
  }
}

}  // namespace

std::vector<ProcessIdentity> IdentifyTree(pid_t root) {
  std::vector<ProcessIdentity> identities;
  for (const observe::TreeProcess& process : observe::ListTree(root)) Add(identities, process.pid);
  return identities;
}

std::vector<ProcessIdentity> IdentifyWorkingIn(const std::string& folder) {
  std::vector<ProcessIdentity> identities;
  std::error_code error;
  for (const auto& entry : std::filesystem::directory_iterator("/proc", error)) {
    const std::string name = entry.path().filename();
    pid_t pid = 0;
    const auto [end, wrong] = std::from_chars(name.data(), name.data() + name.size(), pid);
    if (wrong != std::errc() || end != name.data() + name.size()) continue;
    // Fails for processes of others, and for those that end meanwhile.
    const std::string at = std::filesystem::read_symlink(entry.path() / "cwd", error).string();
    if (!error && (at == folder || at.starts_with(folder + "/"))) Add(identities, pid);
  }
  return identities;
}

bool Lives(const ProcessIdentity& process) {
  const auto stat = observe::ReadProcessStat(process.pid);
  return stat && stat->start_ticks == process.start_ticks && stat->state != 'Z';
}

void Kill(const std::vector<ProcessIdentity>& processes) {
  for (const ProcessIdentity& process : processes) {
    if (Lives(process)) ::kill(process.pid, SIGKILL);
  }
}

Status AwaitGone(const std::vector<ProcessIdentity>& processes) {
  const MonotonicNs deadline = MonotonicNow() + kGoneTimeoutNs;
  for (const ProcessIdentity& process : processes) {
    while (Lives(process)) {
      if (MonotonicNow() > deadline) {
        return Status::Error(sqlstate::kObjectInUse,
                             fmt::format("process {} of the server outlived it", process.pid))
            .WithHint("This is a defect of the server; end the process by hand.");
      }
      ::usleep(kGonePollUs);
    }
  }
  return Status::Ok();
}

Result<ChildExit> EndServer(ChildProcess& server, int signal, int64_t timeout_ns,
                            std::string_view name, int log) {
  const std::vector<ProcessIdentity> processes = IdentifyTree(server.pid());
  server.Signal(signal);
  const std::optional<ChildExit> exit = server.Wait(timeout_ns);
  if (!exit) {
    Kill(processes);
    (void)server.Wait(kGoneTimeoutNs);
  }
  CONNBENCH_RETURN_IF_ERROR(AwaitGone(processes));
  if (exit) return *exit;
  return Status::Error(sqlstate::kSystemError,
                       fmt::format("{} did not end within {} s after SIG{} and was killed", name,
                                   timeout_ns / kNanosecondsPerSecond, ::sigabbrev_np(signal)))
      .WithDetail(ReadOutputTail(log));
}

}  // namespace connbench::targets
