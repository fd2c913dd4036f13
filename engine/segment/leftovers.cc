#include "engine/segment/leftovers.h"

#include <dirent.h>
#include <fcntl.h>
#include <fmt/format.h>
#include <signal.h>
#include <sys/mman.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <charconv>
#include <cstring>
#include <vector>

#include "engine/segment/segment.h"

namespace connbench::engine {
namespace {

// The pid in "connbench.<pid>[.<n>]"; 0 if there is none.
pid_t PidInName(std::string_view name) {
  name.remove_prefix(std::min(name.size(), kSegmentNamePrefix.size()));
  pid_t pid = 0;
  std::from_chars(name.data(), name.data() + name.size(), pid);
  return pid;
}

bool Lives(pid_t pid) { return kill(pid, 0) == 0 || errno == EPERM; }

std::vector<std::string> ListSegments() {
  std::vector<std::string> names;
  DIR* directory = opendir("/dev/shm");
  if (directory == nullptr) return names;
  while (const dirent* entry = readdir(directory)) {  // NOLINT(concurrency-mt-unsafe): own DIR
    if (std::string_view(entry->d_name).starts_with(kSegmentNamePrefix)) {
      names.emplace_back(entry->d_name);
    }
  }
  closedir(directory);
  return names;
}

}  // namespace

uint64_t ProcessStartTicks(pid_t pid) {
  const int fd = open(fmt::format("/proc/{}/stat", pid).c_str(), O_RDONLY | O_CLOEXEC);
  if (fd < 0) return 0;
  char text[1024];
  const ssize_t length = read(fd, text, sizeof text - 1);
  close(fd);
  if (length <= 0) return 0;
  text[length] = '\0';
  // The name in field 2 may contain anything: count from its closing parenthesis, after which
  // field 3 begins.
  const char* position = strrchr(text, ')');
  constexpr int kFieldAfterName = 3;
  constexpr int kStartField = 22;
  for (int field = kFieldAfterName; position != nullptr && field <= kStartField; ++field) {
    position = strchr(position + 1, ' ');
  }
  return position == nullptr ? 0 : strtoull(position + 1, nullptr, 10);
}

std::optional<pid_t> LiveCreator(const std::string& name) {
  const int fd = shm_open(name.c_str(), O_RDONLY | O_CLOEXEC, 0);
  if (fd < 0) {
    // Somebody else's segment: it is not ours to judge.
    if (errno == EACCES) return PidInName(name);
    return std::nullopt;
  }
  SegmentIdentity identity{};
  const ssize_t length = pread(fd, &identity, sizeof identity, 0);
  close(fd);
  if (length != static_cast<ssize_t>(sizeof identity) ||
      identity.magic != SegmentIdentity::kMagic) {
    // Killed between two system calls, before it wrote who it is: an empty file. Its name tells who
    // is making it, or was when it died; with any other name there is no knowing, and it stays.
    const pid_t pid = PidInName(name);
    if (pid != 0 && !Lives(pid)) return std::nullopt;
    return pid;
  }
  if (!Lives(identity.creator_pid)) return std::nullopt;
  if (ProcessStartTicks(identity.creator_pid) != identity.creator_start_ticks) return std::nullopt;
  return identity.creator_pid;
}

std::vector<std::string> ListLiveSegments() {
  std::vector<std::string> names = ListSegments();
  std::erase_if(names, [](const std::string& name) { return !LiveCreator(name).has_value(); });
  std::sort(names.begin(), names.end());
  return names;
}

int RemoveLeftovers() {
  int removed = 0;
  for (const std::string& name : ListSegments()) {
    if (!LiveCreator(name).has_value() && shm_unlink(name.c_str()) == 0) ++removed;
  }
  return removed;
}

}  // namespace connbench::engine
