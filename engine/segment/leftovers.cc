#include "engine/segment/leftovers.h"

#include <dirent.h>
#include <fcntl.h>
#include <fmt/format.h>
#include <signal.h>
#include <sys/mman.h>
#include <unistd.h>

#include <cerrno>
#include <charconv>
#include <cstddef>
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
  // The settings at the header's end are not needed; the file may be shorter while it is made.
  SegmentHeader header{};
  constexpr size_t kNeeded = offsetof(SegmentHeader, total_bytes);
  const ssize_t length = pread(fd, &header, kNeeded, 0);
  close(fd);
  if (length != static_cast<ssize_t>(kNeeded) || header.magic != SegmentHeader::kMagic) {
    // Not complete. Its name tells who is making it, or was when it died; with any other name
    // there is no knowing, and it stays.
    const pid_t pid = PidInName(name);
    if (pid != 0 && !Lives(pid)) return std::nullopt;
    return pid;
  }
  if (!Lives(header.creator_pid)) return std::nullopt;
  if (ProcessStartTicks(header.creator_pid) != header.creator_start_ticks) return std::nullopt;
  return header.creator_pid;
}

int RemoveLeftovers() {
  std::vector<std::string> names;
  if (DIR* directory = opendir("/dev/shm"); directory != nullptr) {
    while (const dirent* entry = readdir(directory)) {  // NOLINT(concurrency-mt-unsafe): own DIR
      if (std::string_view(entry->d_name).starts_with(kSegmentNamePrefix)) {
        names.emplace_back(entry->d_name);
      }
    }
    closedir(directory);
  }
  int removed = 0;
  for (const std::string& name : names) {
    if (!LiveCreator(name).has_value() && shm_unlink(name.c_str()) == 0) ++removed;
  }
  return removed;
}

}  // namespace connbench::engine
