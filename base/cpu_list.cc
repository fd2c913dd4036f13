// Which CPUs a process may run on, as taskset and /proc/PID/status write it: "0", "0-3,8".
#include "base/cpu_list.h"

#include <fmt/format.h>
#include <sched.h>

#include <algorithm>
#include <cerrno>
#include <charconv>
#include <set>

namespace connbench {
namespace {

Status Bad(std::string_view text) {
  return Status::Error(sqlstate::kInvalidParameterValue,
                       fmt::format("\"{}\" is no list of CPUs", text))
      .WithHint(
          fmt::format("Write numbers and ranges below {}, as \"0\" or \"0-3,8\".", CPU_SETSIZE));
}

// A number from the front of text; -1 if there is none.
int TakeNumber(std::string_view& text) {
  int number = -1;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (error != std::errc() || number < 0 || number >= CPU_SETSIZE) return -1;
  text.remove_prefix(static_cast<size_t>(end - text.data()));
  return number;
}

}  // namespace

Result<std::vector<int>> ParseCpuList(std::string_view text) {
  std::set<int> cpus;
  std::string_view rest = text;
  while (true) {
    const int first = TakeNumber(rest);
    int last = first;
    if (rest.starts_with('-')) {
      rest.remove_prefix(1);
      last = TakeNumber(rest);
    }
    if (first < 0 || last < first) return Bad(text);
    for (int cpu = first; cpu <= last; ++cpu) cpus.insert(cpu);
    if (rest.empty()) return std::vector<int>(cpus.begin(), cpus.end());
    if (!rest.starts_with(',')) return Bad(text);
    rest.remove_prefix(1);
  }
}

std::string FormatCpuList(const std::vector<int>& cpus) {
  std::string text;
  for (size_t i = 0; i < cpus.size();) {
    size_t last = i;
    while (last + 1 < cpus.size() && cpus[last + 1] == cpus[last] + 1) ++last;
    if (!text.empty()) text += ',';
    text += last == i ? fmt::format("{}", cpus[i]) : fmt::format("{}-{}", cpus[i], cpus[last]);
    i = last + 1;
  }
  return text;
}

std::vector<int> AllowedCpus() {
  std::vector<int> cpus;
  cpu_set_t set;
  CPU_ZERO(&set);
  if (sched_getaffinity(0, sizeof(set), &set) != 0) return cpus;
  for (int cpu = 0; cpu < CPU_SETSIZE; ++cpu) {
    if (CPU_ISSET(cpu, &set)) cpus.push_back(cpu);
  }
  return cpus;
}

Status PinToCpus(std::string_view list) {
  CONNBENCH_ASSIGN_OR_RETURN(const std::vector<int> cpus, ParseCpuList(list));
  // The kernel would silently leave out those that are not there.
  const std::vector<int> allowed = AllowedCpus();
  const bool all_there = std::includes(allowed.begin(), allowed.end(), cpus.begin(), cpus.end());
  cpu_set_t set;
  CPU_ZERO(&set);
  for (const int cpu : cpus) CPU_SET(cpu, &set);
  if (all_there && sched_setaffinity(0, sizeof(set), &set) == 0) return {};
  return Status::Error(sqlstate::kInvalidParameterValue,
                       fmt::format("cannot run on CPUs {}: this process may use {}",
                                   FormatCpuList(cpus), FormatCpuList(allowed)))
      .WithHint("Name some of those, or leave the setting empty to let the scheduler choose.");
}

}  // namespace connbench
