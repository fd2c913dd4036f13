// The machine's limits that a server can hit with many connections, checked before it starts.
#include "models/machine_limits.h"

#include <fmt/format.h>
#include <sys/resource.h>

#include <algorithm>
#include <cerrno>
#include <cinttypes>
#include <cstdio>
#include <string_view>

namespace connbench::models {
namespace {

// Descriptors, tasks and mappings that a process needs besides its connections: libraries, the
// segment, listeners, epoll, workers; and connections that are on their way in or out.
constexpr int64_t kSpareDescriptors = 64;
constexpr int64_t kSpareTasks = 16;
constexpr int64_t kSpareMappings = 512;

Status TooSmall(std::string_view limit, int64_t value, int64_t needed, std::string_view what,
                std::string_view remedy) {
  return Status::Error(sqlstate::kConfigurationLimitExceeded,
                       fmt::format("the settings do not fit on this machine: they need {} {}, but "
                                   "{} is {}",
                                   needed, what, limit, value))
      .WithHint(fmt::format("Lower max_connections or, if set, the model's own number of processes "
                            "or threads, or raise the limit ({}).",
                            remedy));
}

// Nothing if the file has no number ("max", or there is no such file).
int64_t ReadLimit(const char* path) {
  int64_t value = INT64_MAX;
  if (std::FILE* file = std::fopen(path, "re")) {
    if (std::fscanf(file, "%" SCNd64, &value) != 1) value = INT64_MAX;  // NOLINT(cert-err34-c)
    std::fclose(file);
  }
  return value;
}

}  // namespace

Status CheckMachineLimits(const ResourceNeeds& needs) {
  rlimit files = {};
  if (getrlimit(RLIMIT_NOFILE, &files) != 0) return Status::System("getrlimit", errno);
  files.rlim_cur = files.rlim_max;
  if (setrlimit(RLIMIT_NOFILE, &files) != 0) {
    return Status::System("raising RLIMIT_NOFILE to its hard limit", errno);
  }
  const int64_t descriptors = needs.descriptors + kSpareDescriptors;
  if (files.rlim_max != RLIM_INFINITY && static_cast<int64_t>(files.rlim_max) < descriptors) {
    return TooSmall("the hard limit of open files (RLIMIT_NOFILE)",
                    static_cast<int64_t>(files.rlim_max), descriptors, "file descriptors",
                    "ulimit -Hn");
  }
  const int64_t tasks = needs.tasks + kSpareTasks;
  struct TaskLimit {
    const char* path;
    const char* remedy;
  };
  for (const auto& [path, remedy] :
       {TaskLimit{"/proc/sys/kernel/pid_max", "sysctl kernel.pid_max"},
        TaskLimit{"/proc/sys/kernel/threads-max", "sysctl kernel.threads-max"},
        TaskLimit{"/sys/fs/cgroup/pids.max", "the pids controller of the cgroup"}}) {
    const int64_t limit = ReadLimit(path);
    if (limit < tasks) return TooSmall(path, limit, tasks, "processes and threads", remedy);
  }
  // RLIMIT_NPROC binds ordinary users only, and counts all that the user runs.
  rlimit processes = {};
  if (getrlimit(RLIMIT_NPROC, &processes) == 0 && processes.rlim_cur != RLIM_INFINITY &&
      static_cast<int64_t>(processes.rlim_cur) < tasks) {
    return TooSmall("the limit of processes (RLIMIT_NPROC)",
                    static_cast<int64_t>(processes.rlim_cur), tasks, "processes and threads",
                    "ulimit -u");
  }
  const int64_t mappings = needs.memory_mappings + kSpareMappings;
  const int64_t max_mappings = ReadLimit("/proc/sys/vm/max_map_count");
  if (max_mappings < mappings) {
    return TooSmall("/proc/sys/vm/max_map_count", max_mappings, mappings,
                    "memory mappings (two for a thread's stack)", "sysctl vm.max_map_count");
  }
  return {};
}

}  // namespace connbench::models
