// The files of /proc that observing needs, one struct and one reader each.
//
// A process may end at any moment: a reader then returns nullopt, which is no error. What a kernel
// does not offer stays 0.
//
// Safety: pure functions of /proc; any thread. Cost: one open, read and close per call; the walk of
// smaps_rollup holds the process's memory map lock for about 16 ms per GiB it has touched, so it is
// for quiet moments only.
#pragma once

#include <sys/types.h>

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace connbench::observe {

// /proc/PID/stat.
struct ProcessStat {
  pid_t parent = 0;
  char state = 0;
  int threads = 0;
  int64_t user_ticks = 0;  // of all its threads, also those that ended
  int64_t system_ticks = 0;
  int64_t children_user_ticks = 0;  // of children it has waited for, and theirs
  int64_t children_system_ticks = 0;
  int64_t minor_faults = 0;
  int64_t children_minor_faults = 0;
  int64_t major_faults = 0;
  int64_t children_major_faults = 0;
  int64_t start_ticks = 0;  // since boot: tells a process from a later one with the same pid
};
std::optional<ProcessStat> ReadProcessStat(pid_t pid);

// /proc/PID/task/TID/status, or that of the whole process if both are the same.
struct TaskStatus {
  int threads = 0;
  int64_t rss_kb = 0;          // VmRSS
  int64_t page_tables_kb = 0;  // VmPTE
  int64_t voluntary_switches = 0;
  int64_t involuntary_switches = 0;
};
std::optional<TaskStatus> ReadTaskStatus(pid_t pid, pid_t tid);

// /proc/PID/task/TID/schedstat: how long the task ran and how long it waited for a CPU.
struct TaskSchedstat {
  int64_t run_ns = 0;
  int64_t wait_ns = 0;
};
std::optional<TaskSchedstat> ReadTaskSchedstat(pid_t pid, pid_t tid);

// /proc/PID/smaps_rollup, in kB.
struct SmapsRollup {
  int64_t rss_kb = 0;
  int64_t pss_kb = 0;
  int64_t pss_anon_kb = 0;
  int64_t pss_file_kb = 0;
  int64_t pss_shmem_kb = 0;
  int64_t private_clean_kb = 0;
  int64_t private_dirty_kb = 0;
  int64_t private_hugetlb_kb = 0;
  int64_t shared_hugetlb_kb = 0;
  int64_t swap_kb = 0;

  int64_t uss_kb() const { return private_clean_kb + private_dirty_kb + private_hugetlb_kb; }
};
std::optional<SmapsRollup> ReadSmapsRollup(pid_t pid);

// Second field of /proc/PID/statm, in kB.
std::optional<int64_t> ReadRssKb(pid_t pid);

// CPU time of the whole process in nanoseconds, its ended threads included: its CPU clock, which is
// exact where the ticks of stat are not.
std::optional<int64_t> ReadProcessCpuNs(pid_t pid);

std::vector<pid_t> ListTasks(pid_t pid);
// Children that one task of a process has forked. Needs CONFIG_PROC_CHILDREN, which Debian has.
std::vector<pid_t> ListChildren(pid_t pid, pid_t tid);

// A whole small file; empty if it cannot be read.
std::string ReadSmallFile(const std::string& path);
// The same without white space at its end.
std::string ReadTrimmed(const std::string& path);
// First integer of a small file, or fallback.
int64_t ReadInteger(const std::string& path, int64_t fallback);
// The number after "key:" or "key " at the start of a line; 0 if there is none.
int64_t FindNumber(std::string_view text, std::string_view key);

}  // namespace connbench::observe
