// The temporary folder of a server that is not ours: its data, its configuration, its log.
#include "harness/targets/server_folder.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/file.h>
#include <sys/shm.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <sstream>
#include <utility>

#include "harness/targets/server_processes.h"
#include "harness/targets/server_programs.h"

namespace connbench::targets {
namespace {

namespace fs = std::filesystem;

constexpr char kFolderPrefix[] = "connbench-server.";
constexpr char kKeptPrefix[] = "connbench-kept.";
constexpr int kTries = 10;
constexpr int kSegmentLine = 7;  // of postmaster.pid, counted from 1

fs::path Resolve(const std::string& parent) {
  std::error_code ignored;
  const fs::path path = parent.empty() ? fs::temp_directory_path(ignored) : fs::path(parent);
  // As /proc shows it.
  const fs::path real = fs::canonical(path, ignored);
  return real.empty() ? path : real;
}

// -1 if another process holds it, or it is not there.
int Lock(const std::string& path, int flags) {
  const int descriptor = ::open(path.c_str(), O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
  if (descriptor < 0) return -1;
  struct stat held {};
  struct stat named {};
  // Whoever sweeps may have removed it before the lock was ours.
  if (::flock(descriptor, LOCK_EX | flags) == 0 && ::fstat(descriptor, &held) == 0 &&
      ::stat(path.c_str(), &named) == 0 && held.st_ino == named.st_ino) {
    return descriptor;
  }
  ::close(descriptor);
  return -1;
}

// Whether a folder can be one of ours: anybody may make one of that name in /tmp.
bool IsOurs(const std::string& path) {
  struct stat status {};
  if (::lstat(path.c_str(), &status) != 0 || !S_ISDIR(status.st_mode)) return false;
  const auto user = UnprivilegedUser();
  return status.st_uid == ::geteuid() || (user.ok() && *user && status.st_uid == (*user)->user);
}

void RemoveSegment(const std::string& folder) {
  const int segment = PostmasterSegment(folder + "/data");
  struct stat owner {};
  shmid_ds status{};
  if (segment >= 0 && ::stat(folder.c_str(), &owner) == 0 &&
      ::shmctl(segment, IPC_STAT, &status) == 0 && status.shm_perm.uid == owner.st_uid &&
      status.shm_nattch == 0) {
    ::shmctl(segment, IPC_RMID, nullptr);
  }
}

void EndAndRemove(const std::string& path) {
  const auto processes = IdentifyWorkingIn(path);
  Kill(processes);
  (void)AwaitGone(processes);
  RemoveSegment(path);
  std::error_code ignored;
  fs::remove_all(path, ignored);
}

}  // namespace

int PostmasterSegment(const std::string& data_folder) {
  std::ifstream file(data_folder + "/postmaster.pid");
  std::string line;
  for (int i = 0; i < kSegmentLine; ++i) {
    if (!std::getline(file, line)) return -1;
  }
  std::istringstream words(line);
  int64_t key = 0;
  int segment = -1;
  return words >> key >> segment ? segment : -1;
}

int SweepServerFolders(const std::string& parent) {
  int swept = 0;
  std::error_code ignored;
  for (const auto& entry : fs::directory_iterator(Resolve(parent), ignored)) {
    if (!entry.path().filename().string().starts_with(kFolderPrefix) || !IsOurs(entry.path()))
      continue;
    const int lock = Lock(entry.path(), LOCK_NB);
    if (lock < 0) continue;  // in use, or another user's
    EndAndRemove(entry.path());
    ::close(lock);
    ++swept;
  }
  return swept;
}

Result<ServerFolder> ServerFolder::Make(const std::string& parent,
                                        const std::optional<UserIds>& owner) {
  SweepServerFolders(parent);
  const fs::path place = Resolve(parent);
  ServerFolder folder;
  for (int i = 0; i < kTries && folder.lock_ < 0; ++i) {
    std::string path = (place / kFolderPrefix).string() + "XXXXXX";
    if (::mkdtemp(path.data()) == nullptr) {
      return Status::System("cannot make a temporary folder " + path, errno);
    }
    folder.lock_ = Lock(path, 0);
    folder.path_ = path;
  }
  if (folder.lock_ < 0) return Status::System("cannot lock " + folder.path_, errno);
  if (owner && ::chown(folder.path_.c_str(), owner->user, owner->group) != 0) {
    return Status::System("cannot give " + folder.path_ + " to the server's user", errno);
  }
  return folder;
}

Status KeepFolder(ServerFolder& folder) {
  if (folder.path().empty()) return Status::Ok();
  CONNBENCH_ASSIGN_OR_RETURN(const std::string kept, folder.Keep());
  fmt::print(stderr, "kept {}\n", kept);
  return Status::Ok();
}

ServerFolder::ServerFolder(ServerFolder&& other) noexcept { *this = std::move(other); }

ServerFolder& ServerFolder::operator=(ServerFolder&& other) noexcept {
  std::swap(path_, other.path_);
  std::swap(lock_, other.lock_);
  return *this;
}

ServerFolder::~ServerFolder() { Remove(); }

Result<std::string> ServerFolder::Keep() {
  std::string kept = path_;
  kept.replace(kept.rfind(kFolderPrefix), sizeof(kFolderPrefix) - 1, kKeptPrefix);
  if (::rename(path_.c_str(), kept.c_str()) != 0) {
    return Status::System("cannot rename " + path_ + " to " + kept, errno);
  }
  ::close(lock_);
  lock_ = -1;
  path_.clear();
  return kept;
}

void ServerFolder::Remove() {
  if (lock_ < 0) return;
  EndAndRemove(path_);
  ::close(lock_);
  lock_ = -1;
  path_.clear();
}

}  // namespace connbench::targets
