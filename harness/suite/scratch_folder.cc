// Temporary folders that name their owner.
#include "harness/suite/scratch_folder.h"

#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <cstdlib>
#include <filesystem>

#include "harness/observe/proc_files.h"

namespace connbench::suite {
namespace {

namespace fs = std::filesystem;

constexpr char kPrefix[] = "connbench-load-";

}  // namespace

Result<std::string> MakeScratchFolder() {
  const auto own = observe::ReadProcessStat(::getpid());
  std::string folder =
      (fs::temp_directory_path() /
       fmt::format("{}{}-{}-XXXXXX", kPrefix, ::getpid(), own ? own->start_ticks : 0))
          .string();
  if (::mkdtemp(folder.data()) == nullptr) {
    return Status::System("cannot make a temporary folder " + folder, errno);
  }
  return folder;
}

int SweepScratchFolders(const std::string& folder) {
  int removed = 0;
  std::error_code ignored;
  for (const fs::directory_entry& entry : fs::directory_iterator(folder, ignored)) {
    const std::string name = entry.path().filename().string();
    int pid = 0;
    long long start_ticks = 0;
    if (std::sscanf(name.c_str(), "connbench-load-%d-%lld-", &pid, &start_ticks) != 2) continue;
    const auto owner = observe::ReadProcessStat(pid);
    if (owner && owner->start_ticks == start_ticks) continue;
    // Anybody may make one of that name.
    struct stat status {};
    const bool ours = ::lstat(entry.path().c_str(), &status) == 0 && S_ISDIR(status.st_mode) &&
                      status.st_uid == ::geteuid();
    if (!ours) continue;
    std::error_code error;
    fs::remove_all(entry.path(), error);
    removed += error ? 0 : 1;
  }
  return removed;
}

int SweepScratchFolders() {
  std::error_code error;
  const fs::path folder = fs::temp_directory_path(error);
  return error ? 0 : SweepScratchFolders(folder.string());
}

}  // namespace connbench::suite
