// What the whole machine counts: memory, TCP's troubles, time stolen by a hypervisor, switches.
//
// Safety: functions of /proc, any thread; plain values.
#pragma once

#include <cstdint>

namespace connbench::observe {

struct HostMemory {
  int64_t available_kb = 0;
  int64_t page_tables_kb = 0;
  int64_t kernel_stack_kb = 0;
  int64_t slab_kb = 0;
  int64_t slab_unreclaimable_kb = 0;
  int64_t tcp_memory_kb = 0;
};
HostMemory ReadHostMemory();
int64_t ReadMemAvailableKb();

// Monotonic since boot.
struct HostCounters {
  int64_t context_switches = 0;
  int64_t forks = 0;
  int64_t cpu_ticks = 0;   // all CPUs, idle included
  int64_t work_ticks = 0;  // user, nice and system: what processes used
  int64_t idle_ticks = 0;  // idle and waiting for I/O
  int64_t steal_ticks = 0;
  int64_t listen_overflows = 0;
  int64_t listen_drops = 0;
  int64_t syn_retries = 0;
  int64_t tcp_retransmits = 0;
  int64_t swap_ins = 0;
  int64_t swap_outs = 0;
  int64_t cgroup_throttled_us = 0;
};
HostCounters ReadHostCounters();
HostCounters operator-(const HostCounters& end, const HostCounters& begin);
double StealFraction(const HostCounters& delta);

}  // namespace connbench::observe
