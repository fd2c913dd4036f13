// Finds the segments of dead servers among whatever lies in /dev/shm.
#include "engine/segment/leftovers.h"

#include <dirent.h>
#include <fcntl.h>
#include <fmt/format.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <charconv>
#include <cstring>
#include <vector>

#include "base/server_log.h"
#include "engine/segment/segment.h"

namespace connbench::engine {
namespace {

const std::string kSegmentFolder = "/dev/shm/";  // where shm_open() keeps them

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
  DIR* directory = opendir(kSegmentFolder.c_str());
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

SegmentFile InspectSegment(const std::string& name) {
  const std::string path = kSegmentFolder + name;
  // Anybody may put anything into that folder: opening a pipe would wait for a writer for ever.
  const int fd = open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY);
  if (fd < 0) {
    if (errno == ENOENT) return {};
    // Without a right to look it is another user's segment.
    if (errno == EACCES) return {.fate = SegmentFate::kForeign};
    return {.fate = SegmentFate::kForeign,
            .oddity = errno == ELOOP ? "it is a symbolic link" : strerrordesc_np(errno)};
  }
  struct stat file = {};
  SegmentIdentity identity{};
  const bool looked = fstat(fd, &file) == 0;
  const ssize_t length =
      looked && S_ISREG(file.st_mode) ? pread(fd, &identity, sizeof identity, 0) : -1;
  close(fd);
  if (!looked || !S_ISREG(file.st_mode)) {
    return {.fate = SegmentFate::kForeign, .oddity = "it is no segment, not even a file"};
  }
  if (file.st_uid != geteuid()) return {.fate = SegmentFate::kForeign};
  if (length != static_cast<ssize_t>(sizeof identity) ||
      identity.magic != SegmentIdentity::kMagic) {
    // Killed between two system calls, before it wrote who it is: an empty file. Its name tells who
    // is making it, or was when it died; with any other name there is no knowing, and it stays.
    const pid_t pid = PidInName(name);
    if (pid > 0 && !Lives(pid)) return {.fate = SegmentFate::kLeftover};
    return {.fate = SegmentFate::kLive, .creator = pid};
  }
  // kill() takes other numbers for whole groups of processes.
  if (identity.creator_pid <= 0 || !Lives(identity.creator_pid) ||
      ProcessStartTicks(identity.creator_pid) != identity.creator_start_ticks) {
    return {.fate = SegmentFate::kLeftover};
  }
  return {.fate = SegmentFate::kLive, .creator = identity.creator_pid};
}

std::optional<pid_t> LiveCreator(const std::string& name) {
  const SegmentFile file = InspectSegment(name);
  switch (file.fate) {
    case SegmentFate::kLive:
      return file.creator;
    case SegmentFate::kForeign:
      return std::max(PidInName(name), 0);  // not ours to judge
    case SegmentFate::kNone:
    case SegmentFate::kLeftover:
      break;
  }
  return std::nullopt;
}

std::vector<std::string> ListLiveSegments() {
  std::vector<std::string> names = ListSegments();
  std::erase_if(names, [](const std::string& name) {
    return InspectSegment(name).fate != SegmentFate::kLive;
  });
  std::sort(names.begin(), names.end());
  return names;
}

int RemoveLeftovers() {
  int removed = 0;
  for (const std::string& name : ListSegments()) {
    const SegmentFile file = InspectSegment(name);
    if (file.fate == SegmentFate::kLeftover && shm_unlink(name.c_str()) == 0) ++removed;
    if (!file.oddity.empty()) {
      LogLine(fmt::format("leaving {}{} alone: {}", kSegmentFolder, name, file.oddity));
    }
  }
  return removed;
}

}  // namespace connbench::engine
