// The machine and the build as run.json describes them.
#include "harness/observe/environment.h"

#include <fmt/format.h>
#include <gnu/libc-version.h>
#include <pg_query.h>
#include <sched.h>
#include <sys/resource.h>
#include <sys/statvfs.h>
#include <sys/utsname.h>
#include <unistd.h>

#include <algorithm>
#include <boost/version.hpp>
#include <charconv>
#include <ctime>
#include <filesystem>
#include <sstream>
#include <string_view>

#include "build_info.h"
#include "harness/observe/proc_files.h"

extern char** environ;

namespace connbench::observe {
namespace {

namespace fs = std::filesystem;

// The value after "key : " in /proc/cpuinfo, or after KEY= in os-release.
std::string FindText(const std::string& text, std::string_view key, char separator) {
  std::istringstream lines(text);
  std::string line;
  while (std::getline(lines, line)) {
    if (!line.starts_with(key)) continue;
    const size_t at = line.find(separator);
    if (at == std::string::npos) continue;
    const size_t begin = line.find_first_not_of(" \t\"", at + 1);
    const size_t end = line.find_last_not_of(" \t\"");
    return begin == std::string::npos ? "" : line.substr(begin, end - begin + 1);
  }
  return {};
}

// The choice in brackets of a sysfs file like "always [madvise] never".
std::string ChosenOf(const std::string& path) {
  const std::string text = ReadTrimmed(path);
  const size_t begin = text.find('[');
  const size_t end = text.find(']');
  return begin == std::string::npos || end == std::string::npos
             ? text
             : text.substr(begin + 1, end - begin - 1);
}

std::string DetectVirtualisation() {
  std::string found;
  const auto add = [&](const std::string& what) {
    if (!what.empty()) found += (found.empty() ? "" : ", ") + what;
  };
  const std::string cpuinfo = ReadSmallFile("/proc/cpuinfo");
  if (cpuinfo.find(" hypervisor") != std::string::npos) {
    const std::string vendor = ReadTrimmed("/sys/class/dmi/id/sys_vendor");
    const std::string product = ReadTrimmed("/sys/class/dmi/id/product_name");
    add(vendor.empty() && product.empty() ? "a hypervisor" : fmt::format("{} {}", vendor, product));
  }
  if (fs::exists("/.dockerenv") || fs::exists("/run/.containerenv")) add("a container");
  if (found.empty()) return cpuinfo.empty() ? "unknown" : "none";
  return found;
}

std::string DescribeTurbo() {
  const int64_t no_turbo = ReadInteger("/sys/devices/system/cpu/intel_pstate/no_turbo", -1);
  if (no_turbo >= 0) return no_turbo == 0 ? "on" : "off";
  const int64_t boost = ReadInteger("/sys/devices/system/cpu/cpufreq/boost", -1);
  if (boost >= 0) return boost != 0 ? "on" : "off";
  return "";
}

std::string DescribeMitigations() {
  std::string text;
  std::error_code ignored;
  std::vector<fs::path> files;
  for (const auto& entry :
       fs::directory_iterator("/sys/devices/system/cpu/vulnerabilities", ignored)) {
    files.push_back(entry.path());
  }
  std::sort(files.begin(), files.end());
  for (const fs::path& file : files) {
    if (!text.empty()) text += "; ";
    text += fmt::format("{}: {}", file.filename().string(), ReadTrimmed(file.string()));
  }
  return text;
}

int64_t SoftLimit(__rlimit_resource resource) {
  rlimit limit{};
  ::getrlimit(resource, &limit);
  return limit.rlim_cur == RLIM_INFINITY ? -1 : static_cast<int64_t>(limit.rlim_cur);
}

int CountNumaNodes() {
  int count = 0;
  std::error_code ignored;
  for (const auto& entry : fs::directory_iterator("/sys/devices/system/node", ignored)) {
    const std::string name = entry.path().filename().string();
    if (name.starts_with("node") && name.size() > 4 && name[4] >= '0' && name[4] <= '9') ++count;
  }
  return std::max(count, 1);
}

// A limit of our cgroup, version 2: our own group's, or the nearest ancestor's that has one.
std::string CgroupLimit(const std::string& file) {
  const std::string line = ReadTrimmed("/proc/self/cgroup");  // "0::/user.slice/..."
  const size_t slash = line.find('/');
  const fs::path root = "/sys/fs/cgroup";
  fs::path group = slash == std::string::npos ? fs::path() : fs::path(line.substr(slash + 1));
  while (true) {
    std::string text = ReadTrimmed((root / group / file).string());
    if (!text.empty() && !text.starts_with("max")) return text;
    if (group.empty()) return "max";
    group = group.parent_path();
  }
}

void DescribeCgroup(results::RunInfo& info) {
  if (fs::exists("/sys/fs/cgroup/cgroup.controllers")) {
    info.cgroup_version = "v2";
    info.cgroup_memory_max = CgroupLimit("memory.max");
    info.cgroup_cpu_max = CgroupLimit("cpu.max");
    info.cgroup_pids_max = CgroupLimit("pids.max");
    return;
  }
  info.cgroup_version = fs::exists("/sys/fs/cgroup/memory") ? "v1" : "none";
  const auto limit = [](const char* path, int64_t unlimited_from) {
    const int64_t value = ReadInteger(path, -1);
    return value < 0 || value >= unlimited_from ? std::string("max") : std::to_string(value);
  };
  info.cgroup_memory_max = limit("/sys/fs/cgroup/memory/memory.limit_in_bytes", int64_t{1} << 60);
  info.cgroup_cpu_max = limit("/sys/fs/cgroup/cpu/cpu.cfs_quota_us", INT64_MAX);
  info.cgroup_pids_max = limit("/sys/fs/cgroup/pids/pids.max", INT64_MAX);
}

}  // namespace

void DescribeMachine(results::RunInfo& info) {
  utsname names{};
  ::uname(&names);
  info.hostname = names.nodename;
  info.kernel = names.release;
  info.kernel_build = names.version;
  info.architecture = names.machine;
  info.os = FindText(ReadSmallFile("/etc/os-release"), "PRETTY_NAME", '=');
  info.cpu_model = FindText(ReadSmallFile("/proc/cpuinfo"), "model name", ':');
  info.cpus_online = ::sysconf(_SC_NPROCESSORS_ONLN);
  cpu_set_t allowed;
  CPU_ZERO(&allowed);
  ::sched_getaffinity(0, sizeof allowed, &allowed);
  info.cpus_allowed = CPU_COUNT(&allowed);
  info.smt_active = ReadInteger("/sys/devices/system/cpu/smt/active", 0) != 0;
  info.numa_nodes = CountNumaNodes();
  info.virtualised = DetectVirtualisation();
  info.cpu_governor = ReadTrimmed("/sys/devices/system/cpu/cpu0/cpufreq/scaling_governor");
  info.cpu_turbo = DescribeTurbo();
  info.mitigations = DescribeMitigations();
  const std::string meminfo = ReadSmallFile("/proc/meminfo");
  info.memory_kb = FindNumber(meminfo, "MemTotal");
  info.swap_kb = FindNumber(meminfo, "SwapTotal");
  info.page_size_bytes = ::sysconf(_SC_PAGESIZE);
  info.thp_enabled = ChosenOf("/sys/kernel/mm/transparent_hugepage/enabled");
  info.thp_shmem_enabled = ChosenOf("/sys/kernel/mm/transparent_hugepage/shmem_enabled");
  info.aslr = ReadInteger("/proc/sys/kernel/randomize_va_space", -1);
  info.sched_autogroup = ReadInteger("/proc/sys/kernel/sched_autogroup_enabled", -1);
  DescribeCgroup(info);
  info.ulimit_nofile = SoftLimit(RLIMIT_NOFILE);
  info.ulimit_nproc = SoftLimit(RLIMIT_NPROC);
  const int64_t stack_bytes = SoftLimit(RLIMIT_STACK);
  info.ulimit_stack_kb = stack_bytes < 0 ? -1 : stack_bytes / 1024;
  info.pid_max = ReadInteger("/proc/sys/kernel/pid_max", -1);
  info.threads_max = ReadInteger("/proc/sys/kernel/threads-max", -1);
  info.max_map_count = ReadInteger("/proc/sys/vm/max_map_count", -1);
  info.overcommit_memory = ReadInteger("/proc/sys/vm/overcommit_memory", -1);
  info.somaxconn = ReadInteger("/proc/sys/net/core/somaxconn", -1);
  info.tcp_max_syn_backlog = ReadInteger("/proc/sys/net/ipv4/tcp_max_syn_backlog", -1);
  info.tcp_syncookies = ReadInteger("/proc/sys/net/ipv4/tcp_syncookies", -1);
  info.tcp_tw_reuse = ReadInteger("/proc/sys/net/ipv4/tcp_tw_reuse", -1);
  info.ip_local_port_range = ReadTrimmed("/proc/sys/net/ipv4/ip_local_port_range");
  for (char& c : info.ip_local_port_range) c = c == '\t' ? ' ' : c;
  struct statvfs shm {};
  if (::statvfs("/dev/shm", &shm) == 0) {
    info.dev_shm_kb = static_cast<int64_t>(shm.f_blocks * shm.f_frsize / 1024);
  }
}

void DescribeBuild(results::RunInfo& info) {
  info.connbench_version = CONNBENCH_VERSION;
  info.git_sha = CONNBENCH_GIT_SHA;
  info.git_dirty = CONNBENCH_GIT_DIRTY;
  info.build_kind = CONNBENCH_BUILD_KIND;
  info.build_flags = CONNBENCH_BUILD_FLAGS;
  info.compiler = fmt::format("g++ {}", __VERSION__);
  info.boost_version = fmt::format("{}.{}.{}", BOOST_VERSION / 100000, BOOST_VERSION / 100 % 1000,
                                   BOOST_VERSION % 100);
  info.libpg_query_version = fmt::format("with the grammar of PostgreSQL {}", PG_VERSION);
  info.libc_version = fmt::format("glibc {}", ::gnu_get_libc_version());
}

results::TextMap SteeringEnvironment() {
  constexpr std::string_view kPrefixes[] = {"PG",         "CONNBENCH_", "MALLOC_", "GLIBC_TUNABLES",
                                            "LD_PRELOAD", "LC_",        "LANG",    "TZ"};
  results::TextMap found;
  for (char** entry = environ; *entry != nullptr; ++entry) {
    const std::string_view text = *entry;
    const size_t equals = text.find('=');
    if (equals == std::string_view::npos) continue;
    const std::string_view name = text.substr(0, equals);
    // A password has no place in a file that is shown to others.
    if (name == "PGPASSWORD") continue;
    // The launcher sets it to find the tree; it steers nothing.
    if (name == "CONNBENCH_ROOT") continue;
    for (const std::string_view prefix : kPrefixes) {
      if (!name.starts_with(prefix)) continue;
      found.emplace_back(name, text.substr(equals + 1));
      break;
    }
  }
  std::sort(found.begin(), found.end());
  return found;
}

double ReadLoadAverage() {
  const std::string text = ReadSmallFile("/proc/loadavg");
  double value = 0;
  std::from_chars(text.data(), text.data() + text.size(), value);
  return value;
}

std::string UtcNow() {
  const time_t now = ::time(nullptr);
  tm parts{};
  ::gmtime_r(&now, &parts);
  return fmt::format("{:04}-{:02}-{:02}T{:02}:{:02}:{:02}Z", parts.tm_year + 1900, parts.tm_mon + 1,
                     parts.tm_mday, parts.tm_hour, parts.tm_min, parts.tm_sec);
}

}  // namespace connbench::observe
