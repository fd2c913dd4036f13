// What a server's whole tree of processes uses: the processes it was started as and all that
// descend from them, summed in the same way for processes and for threads.
//
// Three readings, by their price. ReadUsage: CPU, faults, switches and run-queue delay of every
// task, some 30 us a task, at the edges of the measured window. ReadMemory: walks page tables, only
// while the load is quiet. SampleTree: a glance of a few files, while the load runs.
//
// What comes and goes between two readings: CPU time and faults of processes that their parent has
// waited for are in the parent's children counters, those of ended threads in their process. Their
// context switches and run-queue delay are in no file of /proc; switches of a whole life are known
// from wait4() once the server has ended (targets/), the delay is not.
//
// Safety: functions of /proc, any thread; the results are plain values.
#pragma once

#include <sys/types.h>

#include <cstdint>
#include <map>
#include <set>
#include <utility>
#include <vector>

#include "base/clock.h"

namespace connbench::observe {

// The processes of a server, by where to find them.
struct ServerTree {
  ServerTree() = default;
  ServerTree(pid_t root) {  // NOLINT: implicit on purpose; 0: none
    if (root != 0) roots.push_back(root);
  }
  explicit ServerTree(std::vector<pid_t> all_roots) : roots(std::move(all_roots)) {}

  std::vector<pid_t> roots;  // one for each server: PostgreSQL's and its pooler's, for example
  // Those that are there without any connection: a checkpointer, a worker of a pool. They are of
  // another kind than the backends beside them.
  std::set<pid_t> standing;
};

// All processes of the tree, parents before their children.
struct TreeProcess {
  pid_t pid = 0;
  pid_t parent = 0;  // within the tree; 0 for a root
};
// thorough: looks for children of every thread; otherwise only of each process's first one, which
// is where all built-in models, PostgreSQL and PgBouncer fork.
std::vector<TreeProcess> ListTree(const ServerTree& tree, bool thorough = true);

struct TaskCounters {
  int64_t start_ticks = 0;
  int64_t voluntary_switches = 0;
  int64_t involuntary_switches = 0;
  int64_t run_queue_delay_ns = 0;
};

struct TreeUsage {
  MonotonicNs at_ns = 0;
  int processes = 0;
  int threads = 0;
  int64_t cpu_ns = 0;      // user and system, exact for the living
  int64_t user_ticks = 0;  // for the split of cpu_ns only
  int64_t system_ticks = 0;
  int64_t minor_faults = 0;
  int64_t major_faults = 0;
  std::map<pid_t, TaskCounters> tasks;  // by thread id, living ones
};
TreeUsage ReadUsage(const ServerTree& tree);

// What happened between two readings.
struct UsageDelta {
  double seconds = 0;
  double cpu_user_s = 0;
  double cpu_system_s = 0;
  int64_t minor_faults = 0;
  int64_t major_faults = 0;
  // Of the tasks that live at the end only.
  int64_t voluntary_switches = 0;
  int64_t involuntary_switches = 0;
  int64_t run_queue_delay_ns = 0;

  double cpu_s() const { return cpu_user_s + cpu_system_s; }
};
UsageDelta Subtract(const TreeUsage& end, const TreeUsage& begin);

// Processes of one parent are of one kind, those that stand without a connection of another; of
// each kind at most this many are walked.
inline constexpr int kMaxProcessesWalked = 16;
inline constexpr int64_t kKernelStackKb = 16;  // per task, x86-64 and arm64

struct TreeMemory {
  int processes = 0;
  int threads = 0;
  int processes_walked = 0;
  int64_t rss_kb = 0;
  int64_t pss_kb = 0;
  int64_t pss_anon_kb = 0;
  int64_t pss_shmem_kb = 0;
  int64_t uss_kb = 0;
  int64_t hugetlb_kb = 0;  // explicit huge pages, in neither RSS nor PSS
  int64_t page_tables_kb = 0;
  int64_t kernel_stack_kb = 0;
};
TreeMemory ReadMemory(const ServerTree& tree);

struct TreeSample {
  MonotonicNs at_ns = 0;
  int processes = 0;
  int threads = 0;     // scaled up if a kind has more than kMaxProcessesWalked processes
  int64_t rss_kb = 0;  // the same
  int64_t cpu_ns = 0;
};
TreeSample SampleTree(const ServerTree& tree);

}  // namespace connbench::observe
