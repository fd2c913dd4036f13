// What the whole machine counts.
#include "harness/observe/host.h"

#include <unistd.h>

#include <sstream>
#include <string>
#include <vector>

#include "harness/observe/proc_files.h"

namespace connbench::observe {
namespace {

// /proc/net/netstat and snmp: a line of names, then a line of values, both opened by "TcpExt:".
int64_t FindPaired(const std::string& text, const std::string& group, const std::string& name) {
  std::istringstream lines(text);
  std::string names;
  std::string values;
  while (std::getline(lines, names) && std::getline(lines, values)) {
    if (!names.starts_with(group + ":")) continue;
    std::istringstream name_words(names);
    std::istringstream value_words(values);
    std::string word;
    std::string value;
    while (name_words >> word && value_words >> value) {
      if (word == name) return std::stoll(value);
    }
  }
  return 0;
}

int64_t TcpMemoryPages() {
  std::istringstream words(ReadSmallFile("/proc/net/sockstat"));
  std::string word;
  while (words >> word) {
    if (word != "TCP:") continue;
    while (words >> word) {
      int64_t pages = 0;
      if (word == "mem" && words >> pages) return pages;
    }
  }
  return 0;
}

}  // namespace

HostMemory ReadHostMemory() {
  const std::string text = ReadSmallFile("/proc/meminfo");
  HostMemory memory;
  memory.available_kb = FindNumber(text, "MemAvailable");
  memory.page_tables_kb = FindNumber(text, "PageTables");
  memory.kernel_stack_kb = FindNumber(text, "KernelStack");
  memory.slab_kb = FindNumber(text, "Slab");
  memory.slab_unreclaimable_kb = FindNumber(text, "SUnreclaim");
  memory.tcp_memory_kb = TcpMemoryPages() * (::sysconf(_SC_PAGESIZE) / 1024);
  return memory;
}

int64_t ReadMemAvailableKb() { return FindNumber(ReadSmallFile("/proc/meminfo"), "MemAvailable"); }

HostCounters ReadHostCounters() {
  HostCounters counters;
  const std::string stat = ReadSmallFile("/proc/stat");
  std::istringstream cpu(stat.substr(0, stat.find('\n')));
  std::string word;
  cpu >> word;
  // user nice system idle iowait irq softirq steal; guest time is part of user.
  constexpr int kSystem = 2;
  constexpr int kIdle = 3;
  constexpr int kIoWait = 4;
  constexpr int kSteal = 7;
  int64_t ticks = 0;
  for (int field = 0; field <= kSteal && cpu >> ticks; ++field) {
    counters.cpu_ticks += ticks;
    if (field <= kSystem) counters.work_ticks += ticks;
    if (field == kIdle || field == kIoWait) counters.idle_ticks += ticks;
    if (field == kSteal) counters.steal_ticks = ticks;
  }
  counters.context_switches = FindNumber(stat, "ctxt");
  counters.forks = FindNumber(stat, "processes");
  const std::string netstat = ReadSmallFile("/proc/net/netstat");
  counters.listen_overflows = FindPaired(netstat, "TcpExt", "ListenOverflows");
  counters.listen_drops = FindPaired(netstat, "TcpExt", "ListenDrops");
  counters.syn_retries = FindPaired(netstat, "TcpExt", "TCPSynRetrans");
  counters.tcp_retransmits = FindPaired(ReadSmallFile("/proc/net/snmp"), "Tcp", "RetransSegs");
  const std::string vmstat = ReadSmallFile("/proc/vmstat");
  counters.swap_ins = FindNumber(vmstat, "pswpin");
  counters.swap_outs = FindNumber(vmstat, "pswpout");
  counters.cgroup_throttled_us =
      FindNumber(ReadSmallFile("/sys/fs/cgroup/cpu.stat"), "throttled_usec");
  return counters;
}

HostCounters operator-(const HostCounters& end, const HostCounters& begin) {
  HostCounters delta;
  delta.context_switches = end.context_switches - begin.context_switches;
  delta.forks = end.forks - begin.forks;
  delta.cpu_ticks = end.cpu_ticks - begin.cpu_ticks;
  delta.work_ticks = end.work_ticks - begin.work_ticks;
  delta.idle_ticks = end.idle_ticks - begin.idle_ticks;
  delta.steal_ticks = end.steal_ticks - begin.steal_ticks;
  delta.listen_overflows = end.listen_overflows - begin.listen_overflows;
  delta.listen_drops = end.listen_drops - begin.listen_drops;
  delta.syn_retries = end.syn_retries - begin.syn_retries;
  delta.tcp_retransmits = end.tcp_retransmits - begin.tcp_retransmits;
  delta.swap_ins = end.swap_ins - begin.swap_ins;
  delta.swap_outs = end.swap_outs - begin.swap_outs;
  delta.cgroup_throttled_us = end.cgroup_throttled_us - begin.cgroup_throttled_us;
  return delta;
}

double StealFraction(const HostCounters& delta) {
  if (delta.cpu_ticks <= 0) return 0;
  return static_cast<double>(delta.steal_ticks) / static_cast<double>(delta.cpu_ticks);
}

}  // namespace connbench::observe
