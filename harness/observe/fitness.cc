// Is this machine fit to measure on? What would spoil the numbers, how badly, and what to do.
#include "harness/observe/fitness.h"

#include <fmt/format.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <sstream>
#include <thread>

#include "base/clock.h"
#include "base/units.h"
#include "harness/observe/host.h"
#include "harness/observe/proc_files.h"

namespace connbench::observe {
namespace {

// What suite quick and a storm of some thousand connections need.
constexpr int64_t kMinDescriptors = 8192;
constexpr int64_t kMinTasks = 8192;
constexpr int64_t kMinAcceptQueue = 1024;
constexpr int64_t kMinPorts = 16'384;
constexpr int64_t kMinShmKb = 512 << 10;
constexpr int64_t kMinAvailableKb = 1 << 20;
// Of a process model with warm sessions, on the safe side: what one more connection may take.
constexpr int64_t kKbPerConnection = 2 << 10;
// Beside the connections: listeners, epoll sets, auxiliary processes, the harness.
constexpr int64_t kSpareDescriptors = 128;
constexpr int64_t kSpareTasks = 256;
// Someone else's load: of one CPU.
constexpr double kMindBusyCpus = 0.1;
constexpr double kSpoilsBusyCpus = 0.5;
constexpr double kMindSteal = 0.005;
constexpr double kSpoilsSteal = 0.05;

int64_t CountTimeWait() {
  std::istringstream words(ReadSmallFile("/proc/net/sockstat"));
  std::string word;
  int64_t count = 0;
  while (words >> word) {
    if (word == "tw" && words >> count) return count;
  }
  return 0;
}

// Memory that the cgroup still lets us use. Version 2 gives our own group's limit or that of the
// nearest ancestor that has one; in a container both are at the root of the mount.
int64_t ReadCgroupHeadroomKb() {
  const std::string root = "/sys/fs/cgroup/";
  const std::string v2 = ReadTrimmed(root + "memory.max");
  if (!v2.empty()) return CgroupHeadroomKb(v2, ReadTrimmed(root + "memory.current"));
  return CgroupHeadroomKb(ReadTrimmed(root + "memory/memory.limit_in_bytes"),
                          ReadTrimmed(root + "memory/memory.usage_in_bytes"));
}

std::string Kb(int64_t kb) { return FormatBytes(kb * 1024); }

class Checker {
 public:
  // worse: how bad it is when it is not good.
  void Add(bool good, Fitness worse, const char* subject, std::string found, const char* remedy) {
    findings_.push_back({good ? Fitness::kGood : worse, subject, std::move(found),
                         good ? std::string() : std::string(remedy)});
  }
  // A limit that the suite needs to be at least needed (below it cannot run) and that should be at
  // least wanted; -1 is unlimited.
  void AddLimit(int64_t value, int64_t needed, int64_t wanted, const char* subject,
                const char* remedy) {
    const bool too_low = value >= 0 && value < needed;
    Add(value < 0 || value >= std::max(needed, wanted), too_low ? Fitness::kSpoils : Fitness::kMind,
        subject,
        value < 0 ? "unlimited"
                  : fmt::format("{}{}", value,
                                too_low ? fmt::format(", the suite needs {}", needed) : ""),
        remedy);
  }
  std::vector<Finding> Take() { return std::move(findings_); }

 private:
  std::vector<Finding> findings_;
};

int64_t CountPorts(const std::string& range) {
  std::istringstream numbers(range);
  int64_t low = 0;
  int64_t high = 0;
  return numbers >> low >> high ? high - low + 1 : 0;
}

void CheckActivity(const Activity& activity, const results::RunInfo& machine, const Demand& demand,
                   Checker& checker) {
  const auto grade = [](double value, double mind, double spoils) {
    if (value > spoils) return Fitness::kSpoils;
    return value > mind ? Fitness::kMind : Fitness::kGood;
  };
  const Fitness load = grade(activity.busy_cpus, kMindBusyCpus, kSpoilsBusyCpus);
  checker.Add(load == Fitness::kGood, load, "other load",
              fmt::format("{:.2f} of {} CPUs busy while nothing is measured", activity.busy_cpus,
                          machine.cpus_online),
              "end what else runs here (top shows it), or wait for it");
  const Fitness steal = grade(activity.steal_fraction, kMindSteal, kSpoilsSteal);
  checker.Add(steal == Fitness::kGood, steal, "CPU steal",
              fmt::format("{:.1f} % taken by the hypervisor", activity.steal_fraction * 100),
              "use a machine with CPUs of its own, or measure when the neighbours rest");
  const int64_t memory_kb = kMinAvailableKb + demand.connections * kKbPerConnection;
  checker.Add(activity.mem_available_kb >= memory_kb, Fitness::kSpoils, "free memory",
              fmt::format("{} of {} needed{}", Kb(activity.mem_available_kb), Kb(memory_kb),
                          activity.cgroup_limits_memory ? " (the cgroup's limit)" : ""),
              "free memory, raise the cgroup's limit (docker run --memory), or use fewer "
              "connections");
  checker.Add(activity.swap_pages == 0, Fitness::kSpoils, "swapping",
              fmt::format("{} pages moved meanwhile, {} of swap space", activity.swap_pages,
                          Kb(machine.swap_kb)),
              "free memory, or turn swap off (swapoff -a)");
  const int64_t ports = CountPorts(machine.ip_local_port_range);
  checker.Add(activity.time_wait_sockets < ports / 2, Fitness::kMind, "sockets in TIME_WAIT",
              std::to_string(activity.time_wait_sockets),
              "wait a minute: they keep ports from being used again");
  checker.Add(activity.dev_shm_free_kb >= kMinShmKb, Fitness::kSpoils, "/dev/shm",
              fmt::format("{} free of {}", Kb(activity.dev_shm_free_kb), Kb(machine.dev_shm_kb)),
              "enlarge it (mount -o remount,size=2G /dev/shm; docker run --shm-size=2g) or set "
              "shared_buffers lower");
}

void CheckCpu(const results::RunInfo& machine, Checker& checker) {
  checker.Add(machine.cpus_allowed >= 2, Fitness::kSpoils, "CPUs",
              fmt::format("{} of {} usable", machine.cpus_allowed, machine.cpus_online),
              "use at least 2: server and load generator would take turns on one");
  const std::string& governor = machine.cpu_governor;
  checker.Add(governor.empty() || governor == "performance", Fitness::kMind, "CPU governor",
              governor.empty() ? "not visible (as in most virtual machines)" : governor,
              "set it to performance (cpupower frequency-set -g performance)");
  checker.Add(
      machine.cpu_turbo != "on", Fitness::kMind, "CPU turbo",
      machine.cpu_turbo.empty() ? "not visible (as in most virtual machines)" : machine.cpu_turbo,
      "turn it off (echo 1 > /sys/devices/system/cpu/intel_pstate/no_turbo, or echo 0 > "
      "/sys/devices/system/cpu/cpufreq/boost): the clock then does not depend on what ran "
      "before");
  checker.Add(!machine.smt_active, Fitness::kMind, "SMT",
              machine.smt_active ? "on: two threads share a core" : "off or not visible",
              "compare only runs with the same setting, or turn it off "
              "(echo off > /sys/devices/system/cpu/smt/control)");
  checker.Add(machine.cgroup_cpu_max == "max", Fitness::kSpoils, "CPU quota of the cgroup",
              machine.cgroup_cpu_max, "lift it: throttling looks like tail latency");
  checker.Add(machine.virtualised == "none", Fitness::kMind, "virtualisation", machine.virtualised,
              "publish figures from bare metal; ratios between models hold "
              "better than absolute figures");
  checker.Add(machine.sched_autogroup <= 0, Fitness::kMind, "scheduler autogroups",
              machine.sched_autogroup > 0 ? "on" : "off",
              "sysctl kernel.sched_autogroup_enabled=0, so that no process group is favoured");
}

void CheckLimits(const results::RunInfo& machine, const Demand& demand, Checker& checker) {
  const int64_t tasks = demand.connections + kSpareTasks;
  checker.AddLimit(
      machine.ulimit_nofile, demand.connections + kSpareDescriptors, kMinDescriptors,
      "open files (ulimit -n)",
      "ulimit -n 65536: each connection takes one in the client and one in the server");
  checker.AddLimit(machine.ulimit_nproc, tasks, kMinTasks, "processes (ulimit -u)",
                   "ulimit -u 65536: each connection may take a process or a thread");
  checker.AddLimit(std::min(machine.pid_max, machine.threads_max), tasks, kMinTasks,
                   "kernel.pid_max, threads-max", "sysctl kernel.pid_max=131072");
  const std::string& pids = machine.cgroup_pids_max;
  checker.AddLimit(pids == "max" ? -1 : std::stoll(pids), tasks, kMinTasks, "tasks of the cgroup",
                   "raise pids.max of the cgroup");
  // A storm beyond the accept queue is possible, but then TCP's retries are part of it.
  const bool overflows = machine.somaxconn >= 0 && machine.somaxconn < demand.storm;
  checker.Add(machine.somaxconn < 0 || machine.somaxconn >= std::max(kMinAcceptQueue, demand.storm),
              Fitness::kMind, "net.core.somaxconn",
              fmt::format("{}{}", machine.somaxconn,
                          overflows ? fmt::format(", the suite's storm is {}", demand.storm) : ""),
              "sysctl net.core.somaxconn=16384: a storm beyond it loses SYNs for a second");
  checker.AddLimit(machine.tcp_max_syn_backlog, 0, kMinAcceptQueue, "net.ipv4.tcp_max_syn_backlog",
                   "sysctl net.ipv4.tcp_max_syn_backlog=16384");
  const int64_t ports = CountPorts(machine.ip_local_port_range);
  checker.Add(ports >= kMinPorts, Fitness::kMind, "ports for connecting",
              fmt::format("{} ({})", ports, machine.ip_local_port_range),
              "sysctl net.ipv4.ip_local_port_range=\"1024 65535\"");
  checker.Add(machine.tcp_tw_reuse != 0, Fitness::kMind, "net.ipv4.tcp_tw_reuse",
              std::to_string(machine.tcp_tw_reuse),
              "sysctl net.ipv4.tcp_tw_reuse=2, or churn runs out of ports within a minute");
}

}  // namespace

Activity ReadActivity(int64_t duration_ns) {
  const HostCounters begin = ReadHostCounters();
  const MonotonicNs begin_ns = MonotonicNow();
  std::this_thread::sleep_for(std::chrono::nanoseconds(duration_ns));
  const HostCounters delta = ReadHostCounters() - begin;
  const double seconds = static_cast<double>(MonotonicNow() - begin_ns) / kNanosecondsPerSecond;
  Activity activity;
  if (delta.cpu_ticks > 0) {
    const double ticks_per_cpu = seconds * static_cast<double>(::sysconf(_SC_CLK_TCK));
    activity.busy_cpus =
        static_cast<double>(delta.cpu_ticks - delta.idle_ticks - delta.steal_ticks) / ticks_per_cpu;
  }
  activity.steal_fraction = StealFraction(delta);
  activity.swap_pages = delta.swap_ins + delta.swap_outs;
  activity.time_wait_sockets = CountTimeWait();
  activity.mem_available_kb = ReadMemAvailableKb();
  const int64_t headroom_kb = ReadCgroupHeadroomKb();
  if (headroom_kb >= 0 && headroom_kb < activity.mem_available_kb) {
    activity.mem_available_kb = headroom_kb;
    activity.cgroup_limits_memory = true;
  }
  struct statvfs shm {};
  if (::statvfs("/dev/shm", &shm) == 0) {
    activity.dev_shm_free_kb = static_cast<int64_t>(shm.f_bavail * shm.f_frsize / 1024);
  }
  return activity;
}

int64_t CgroupHeadroomKb(const std::string& limit_bytes, const std::string& used_bytes) {
  constexpr int64_t kNoLimit = int64_t{1} << 60;  // version 1 writes a huge number for "max"
  int64_t limit = 0;
  int64_t used = 0;
  if (!(std::istringstream(limit_bytes) >> limit) || limit >= kNoLimit) return -1;
  std::istringstream(used_bytes) >> used;
  return std::max<int64_t>(limit - used, 0) / 1024;
}

std::vector<Finding> CheckFitness(const results::RunInfo& machine, const Activity& activity,
                                  const Demand& demand) {
  Checker checker;
  checker.Add(machine.build_kind == "release", Fitness::kSpoils, "build",
              machine.build_kind + (machine.git_dirty ? ", with uncommitted changes" : ""),
              "measure the release build: sanitizers cost a factor");
  CheckCpu(machine, checker);
  CheckActivity(activity, machine, demand, checker);
  checker.Add(
      machine.thp_enabled != "always", Fitness::kMind, "transparent huge pages",
      fmt::format("{}, shared memory {}", machine.thp_enabled, machine.thp_shmem_enabled),
      "echo madvise > /sys/kernel/mm/transparent_hugepage/enabled: otherwise private memory "
      "gets huge pages that shared memory does not");
  checker.Add(machine.aslr != 0, Fitness::kMind, "address space layout",
              machine.aslr != 0 ? "randomised; each trial has another layout, which repetitions "
                                  "average over"
                                : "the same in every trial",
              "sysctl kernel.randomize_va_space=2: one layout may by chance favour one model");
  checker.Add(machine.cgroup_memory_max == "max", Fitness::kMind, "memory limit of the cgroup",
              machine.cgroup_memory_max, "lift it, or keep the runs well below it");
  CheckLimits(machine, demand, checker);
  return checker.Take();
}

}  // namespace connbench::observe
