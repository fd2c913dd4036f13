// The files of /proc that observing needs, one struct and one reader each.
#include "harness/observe/proc_files.h"

#include <dirent.h>
#include <fcntl.h>
#include <fmt/format.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <charconv>
#include <ctime>

#include "base/clock.h"

namespace connbench::observe {
namespace {

constexpr size_t kReadChunk = 16 << 10;
constexpr int kCpuClockOfProcess = 2;  // CPUCLOCK_SCHED of the kernel's clock id encoding

void SkipBlanks(std::string_view& text) {
  const size_t begin = text.find_first_not_of(" \t");
  text.remove_prefix(begin == std::string_view::npos ? text.size() : begin);
}

int64_t TakeInteger(std::string_view& text) {
  SkipBlanks(text);
  int64_t value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  text.remove_prefix(static_cast<size_t>(end - text.data()));
  return error == std::errc() ? value : 0;
}

std::vector<pid_t> ListNumbers(std::string_view text) {
  std::vector<pid_t> numbers;
  while (true) {
    SkipBlanks(text);
    if (text.empty() || text.front() < '0' || text.front() > '9') return numbers;
    numbers.push_back(static_cast<pid_t>(TakeInteger(text)));
  }
}

}  // namespace

std::string ReadSmallFile(const std::string& path) {
  const int fd = ::open(path.c_str(), O_RDONLY | O_CLOEXEC);
  if (fd < 0) return {};
  std::string text;
  std::array<char, kReadChunk> chunk;
  while (true) {
    const ssize_t count = ::read(fd, chunk.data(), chunk.size());
    if (count < 0 && errno == EINTR) continue;
    if (count <= 0) break;
    text.append(chunk.data(), static_cast<size_t>(count));
  }
  ::close(fd);
  return text;
}

std::string ReadTrimmed(const std::string& path) {
  std::string text = ReadSmallFile(path);
  text.erase(text.find_last_not_of(" \t\n") + 1);
  return text;
}

int64_t ReadInteger(const std::string& path, int64_t fallback) {
  const std::string text = ReadSmallFile(path);
  int64_t value = fallback;
  std::from_chars(text.data(), text.data() + text.size(), value);
  return value;
}

int64_t FindNumber(std::string_view text, std::string_view key) {
  for (size_t at = 0; at < text.size();) {
    std::string_view line = text.substr(at, text.find('\n', at) - at);
    at += line.size() + 1;
    if (!line.starts_with(key)) continue;
    line.remove_prefix(key.size());
    if (line.starts_with(":")) line.remove_prefix(1);
    if (!line.starts_with(" ") && !line.starts_with("\t")) continue;
    return TakeInteger(line);
  }
  return 0;
}

std::optional<ProcessStat> ReadProcessStat(pid_t pid) {
  const std::string text = ReadSmallFile(fmt::format("/proc/{}/stat", pid));
  // The second field is the name in parentheses and may hold anything, also parentheses.
  const size_t name_end = text.rfind(')');
  if (name_end == std::string::npos || name_end + 2 >= text.size()) return std::nullopt;
  ProcessStat stat;
  std::string_view rest = std::string_view(text).substr(name_end + 2);
  stat.state = rest.front();
  rest.remove_prefix(1);
  std::array<int64_t, 23> fields{};  // by number in proc(5)
  for (size_t field = 4; field < fields.size(); ++field) fields[field] = TakeInteger(rest);
  stat.parent = static_cast<pid_t>(fields[4]);
  stat.minor_faults = fields[10];
  stat.children_minor_faults = fields[11];
  stat.major_faults = fields[12];
  stat.children_major_faults = fields[13];
  stat.user_ticks = fields[14];
  stat.system_ticks = fields[15];
  stat.children_user_ticks = fields[16];
  stat.children_system_ticks = fields[17];
  stat.threads = static_cast<int>(fields[20]);
  stat.start_ticks = fields[22];
  return stat;
}

std::optional<TaskStatus> ReadTaskStatus(pid_t pid, pid_t tid) {
  const std::string text = ReadSmallFile(fmt::format("/proc/{}/task/{}/status", pid, tid));
  if (text.empty()) return std::nullopt;
  TaskStatus status;
  status.threads = static_cast<int>(FindNumber(text, "Threads"));
  status.rss_kb = FindNumber(text, "VmRSS");
  status.page_tables_kb = FindNumber(text, "VmPTE");
  status.voluntary_switches = FindNumber(text, "voluntary_ctxt_switches");
  status.involuntary_switches = FindNumber(text, "nonvoluntary_ctxt_switches");
  return status;
}

std::optional<TaskSchedstat> ReadTaskSchedstat(pid_t pid, pid_t tid) {
  const std::string text = ReadSmallFile(fmt::format("/proc/{}/task/{}/schedstat", pid, tid));
  if (text.empty()) return std::nullopt;
  std::string_view rest = text;
  TaskSchedstat schedstat;
  schedstat.run_ns = TakeInteger(rest);
  schedstat.wait_ns = TakeInteger(rest);
  return schedstat;
}

std::optional<SmapsRollup> ReadSmapsRollup(pid_t pid) {
  const std::string text = ReadSmallFile(fmt::format("/proc/{}/smaps_rollup", pid));
  if (text.empty()) return std::nullopt;
  SmapsRollup rollup;
  rollup.rss_kb = FindNumber(text, "Rss");
  rollup.pss_kb = FindNumber(text, "Pss");
  rollup.pss_anon_kb = FindNumber(text, "Pss_Anon");
  rollup.pss_file_kb = FindNumber(text, "Pss_File");
  rollup.pss_shmem_kb = FindNumber(text, "Pss_Shmem");
  rollup.private_clean_kb = FindNumber(text, "Private_Clean");
  rollup.private_dirty_kb = FindNumber(text, "Private_Dirty");
  rollup.private_hugetlb_kb = FindNumber(text, "Private_Hugetlb");
  rollup.shared_hugetlb_kb = FindNumber(text, "Shared_Hugetlb");
  rollup.swap_kb = FindNumber(text, "Swap");
  return rollup;
}

std::optional<int64_t> ReadRssKb(pid_t pid) {
  const std::string text = ReadSmallFile(fmt::format("/proc/{}/statm", pid));
  if (text.empty()) return std::nullopt;
  std::string_view rest = text;
  TakeInteger(rest);
  return TakeInteger(rest) * (::sysconf(_SC_PAGESIZE) / 1024);
}

std::optional<int64_t> ReadProcessCpuNs(pid_t pid) {
  // clock_getcpuclockid() would make the same id with one more system call.
  const auto clock =
      static_cast<clockid_t>((~static_cast<uint32_t>(pid) << 3) | kCpuClockOfProcess);
  timespec time;
  if (::clock_gettime(clock, &time) != 0) return std::nullopt;
  return time.tv_sec * kNanosecondsPerSecond + time.tv_nsec;
}

std::vector<pid_t> ListTasks(pid_t pid) {
  std::vector<pid_t> tasks;
  DIR* folder = ::opendir(fmt::format("/proc/{}/task", pid).c_str());
  if (folder == nullptr) return tasks;
  while (const dirent* entry = ::readdir(folder)) {
    const std::string_view name = entry->d_name;
    pid_t tid = 0;
    if (std::from_chars(name.data(), name.data() + name.size(), tid).ec == std::errc()) {
      tasks.push_back(tid);
    }
  }
  ::closedir(folder);
  return tasks;
}

std::vector<pid_t> ListChildren(pid_t pid, pid_t tid) {
  return ListNumbers(ReadSmallFile(fmt::format("/proc/{}/task/{}/children", pid, tid)));
}

}  // namespace connbench::observe
