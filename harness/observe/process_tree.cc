// What a server's whole tree of processes uses.
#include "harness/observe/process_tree.h"

#include <unistd.h>

#include <algorithm>
#include <cmath>
#include <unordered_set>

#include "harness/observe/proc_files.h"

namespace connbench::observe {
namespace {

// A server larger than this is no server of ours: stops a walk that would never end.
constexpr size_t kMaxProcesses = 100'000;

int64_t NanosecondsPerTick() { return kNanosecondsPerSecond / ::sysconf(_SC_CLK_TCK); }

// Processes with the same parent that have no children themselves: one kind, but that those which
// stand without any connection are told apart from the backends.
struct Kind {
  std::vector<pid_t> members;
  // At most kMaxProcessesWalked of them, evenly spread from the oldest to the youngest.
  std::vector<pid_t> Chosen() const {
    if (members.size() <= kMaxProcessesWalked) return members;
    std::vector<pid_t> chosen;
    for (size_t i = 0; i < kMaxProcessesWalked; ++i) {
      chosen.push_back(members[i * (members.size() - 1) / (kMaxProcessesWalked - 1)]);
    }
    return chosen;
  }
};

std::vector<Kind> GroupByKind(const std::vector<TreeProcess>& tree,
                              const std::set<pid_t>& standing) {
  std::unordered_set<pid_t> parents;
  for (const TreeProcess& process : tree) parents.insert(process.parent);
  std::vector<Kind> kinds;
  std::map<std::pair<pid_t, bool>, size_t> kind_of;
  for (const TreeProcess& process : tree) {
    if (parents.contains(process.pid)) {
      kinds.push_back({{process.pid}});
      continue;
    }
    const auto [at, is_new] =
        kind_of.try_emplace({process.parent, standing.contains(process.pid)}, kinds.size());
    if (is_new) kinds.emplace_back();
    kinds[at->second].members.push_back(process.pid);
  }
  return kinds;
}

int64_t ScaleUp(int64_t sum, size_t walked, size_t all) {
  if (walked == 0) return 0;
  return std::llround(static_cast<double>(sum) * static_cast<double>(all) /
                      static_cast<double>(walked));
}

}  // namespace

std::vector<TreeProcess> ListTree(const ServerTree& server, bool thorough) {
  std::vector<TreeProcess> tree;
  for (const pid_t root : server.roots) tree.push_back({root, 0});
  for (size_t i = 0; i < tree.size() && tree.size() < kMaxProcesses; ++i) {
    const pid_t pid = tree[i].pid;
    const std::vector<pid_t> tasks = thorough ? ListTasks(pid) : std::vector<pid_t>{pid};
    for (const pid_t tid : tasks) {
      for (const pid_t child : ListChildren(pid, tid)) tree.push_back({child, pid});
    }
  }
  return tree;
}

TreeUsage ReadUsage(const ServerTree& tree) {
  TreeUsage usage;
  usage.at_ns = MonotonicNow();
  const int64_t ns_per_tick = NanosecondsPerTick();
  for (const TreeProcess& process : ListTree(tree)) {
    const std::optional<ProcessStat> stat = ReadProcessStat(process.pid);
    if (!stat) continue;
    ++usage.processes;
    usage.threads += stat->threads;
    usage.cpu_ns += ReadProcessCpuNs(process.pid).value_or(0) +
                    (stat->children_user_ticks + stat->children_system_ticks) * ns_per_tick;
    usage.user_ticks += stat->user_ticks + stat->children_user_ticks;
    usage.system_ticks += stat->system_ticks + stat->children_system_ticks;
    usage.minor_faults += stat->minor_faults + stat->children_minor_faults;
    usage.major_faults += stat->major_faults + stat->children_major_faults;
    for (const pid_t tid : ListTasks(process.pid)) {
      const std::optional<TaskStatus> status = ReadTaskStatus(process.pid, tid);
      const std::optional<TaskSchedstat> schedstat = ReadTaskSchedstat(process.pid, tid);
      if (!status || !schedstat) continue;
      usage.tasks[tid] = {stat->start_ticks, status->voluntary_switches,
                          status->involuntary_switches, schedstat->wait_ns};
    }
  }
  return usage;
}

UsageDelta Subtract(const TreeUsage& end, const TreeUsage& begin) {
  UsageDelta delta;
  delta.seconds = static_cast<double>(end.at_ns - begin.at_ns) / kNanosecondsPerSecond;
  const double cpu_s = static_cast<double>(end.cpu_ns - begin.cpu_ns) / kNanosecondsPerSecond;
  const auto user = static_cast<double>(end.user_ticks - begin.user_ticks);
  const auto system = static_cast<double>(end.system_ticks - begin.system_ticks);
  const double user_share = user + system > 0 ? user / (user + system) : 0.5;
  delta.cpu_user_s = cpu_s * user_share;
  delta.cpu_system_s = cpu_s - delta.cpu_user_s;
  delta.minor_faults = end.minor_faults - begin.minor_faults;
  delta.major_faults = end.major_faults - begin.major_faults;
  for (const auto& [tid, now] : end.tasks) {
    TaskCounters before;
    const auto found = begin.tasks.find(tid);
    if (found != begin.tasks.end() && found->second.start_ticks == now.start_ticks) {
      before = found->second;
    }
    delta.voluntary_switches += now.voluntary_switches - before.voluntary_switches;
    delta.involuntary_switches += now.involuntary_switches - before.involuntary_switches;
    delta.run_queue_delay_ns += now.run_queue_delay_ns - before.run_queue_delay_ns;
  }
  return delta;
}

TreeMemory ReadMemory(const ServerTree& tree) {
  TreeMemory memory;
  for (const Kind& kind : GroupByKind(ListTree(tree), tree.standing)) {
    for (const pid_t pid : kind.members) {
      const std::optional<TaskStatus> status = ReadTaskStatus(pid, pid);
      if (!status) continue;
      ++memory.processes;
      memory.threads += status->threads;
      memory.rss_kb += status->rss_kb;
      memory.page_tables_kb += status->page_tables_kb;
    }
    size_t walked = 0;
    TreeMemory sums;
    for (const pid_t pid : kind.Chosen()) {
      const std::optional<SmapsRollup> rollup = ReadSmapsRollup(pid);
      if (!rollup) continue;
      ++walked;
      sums.pss_kb += rollup->pss_kb;
      sums.pss_anon_kb += rollup->pss_anon_kb;
      sums.pss_shmem_kb += rollup->pss_shmem_kb;
      sums.uss_kb += rollup->uss_kb();
      sums.hugetlb_kb += rollup->private_hugetlb_kb + rollup->shared_hugetlb_kb;
    }
    memory.processes_walked += static_cast<int>(walked);
    memory.pss_kb += ScaleUp(sums.pss_kb, walked, kind.members.size());
    memory.pss_anon_kb += ScaleUp(sums.pss_anon_kb, walked, kind.members.size());
    memory.pss_shmem_kb += ScaleUp(sums.pss_shmem_kb, walked, kind.members.size());
    memory.uss_kb += ScaleUp(sums.uss_kb, walked, kind.members.size());
    memory.hugetlb_kb += ScaleUp(sums.hugetlb_kb, walked, kind.members.size());
  }
  memory.kernel_stack_kb = memory.threads * kKernelStackKb;
  return memory;
}

TreeSample SampleTree(const ServerTree& server) {
  TreeSample sample;
  sample.at_ns = MonotonicNow();
  const int64_t ns_per_tick = NanosecondsPerTick();
  const std::vector<TreeProcess> tree = ListTree(server, /*thorough=*/false);
  sample.processes = static_cast<int>(tree.size());
  for (const Kind& kind : GroupByKind(tree, server.standing)) {
    size_t read = 0;
    int64_t threads = 0;
    int64_t rss_kb = 0;
    for (const pid_t pid : kind.Chosen()) {
      const std::optional<ProcessStat> stat = ReadProcessStat(pid);
      const std::optional<int64_t> rss = ReadRssKb(pid);
      if (!stat || !rss) continue;
      ++read;
      threads += stat->threads;
      rss_kb += *rss;
      // Only a parent has waited for children, and parents are never left out.
      sample.cpu_ns += (stat->children_user_ticks + stat->children_system_ticks) * ns_per_tick;
    }
    sample.threads += static_cast<int>(ScaleUp(threads, read, kind.members.size()));
    sample.rss_kb += ScaleUp(rss_kb, read, kind.members.size());
    for (const pid_t pid : kind.members) sample.cpu_ns += ReadProcessCpuNs(pid).value_or(0);
  }
  return sample;
}

}  // namespace connbench::observe
