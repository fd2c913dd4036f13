// Which CPUs a process may run on, as taskset and /proc/PID/status write it: "0", "0-3,8".
//
// Safety: Pin() is for a process that has one thread: threads and children that are made afterwards
// inherit it. Errors: 22023 that names the CPUs there are.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "base/status.h"

namespace connbench {

// In ascending order, each once; at least one. Whether the machine has them shows in PinToCpus().
Result<std::vector<int>> ParseCpuList(std::string_view text);
std::string FormatCpuList(const std::vector<int>& cpus);

// Those on which this process may run now.
std::vector<int> AllowedCpus();
// Only on these from now on.
Status PinToCpus(std::string_view list);

}  // namespace connbench
