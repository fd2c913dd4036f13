// A data directory in the hands of one server.
#include "engine/recovery/data_directory.h"

#include <fmt/format.h>
#include <sys/random.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <charconv>
#include <csignal>
#include <string_view>

#include "base/clock.h"
#include "engine/files/whole.h"
#include "engine/recovery/page_places.h"
#include "engine/storage/page.h"
#include "engine/wal/log.h"

namespace connbench::engine {
namespace {

constexpr const char* kLockName = "lock";
// In the log's folder, for a moment; a crash may leave it.
constexpr const char* kProbeName = "probe";
// How long the processes of a server that has died may take to follow it.
constexpr int64_t kLockPatienceMs = 10'000;
constexpr int64_t kLockLookEveryMs = 10;

bool ProcessLives(int64_t pid) {
  return pid > 0 && (kill(static_cast<pid_t>(pid), 0) == 0 || errno == EPERM);
}

// Of the server that has the lock, 0 if it does not say.
int64_t PidIn(File& lock, const std::string& path) {
  char text[24] = {};
  const Result<int64_t> length = ReadUpTo(lock, path, 0, text, sizeof(text) - 1);
  int64_t pid = 0;
  if (length.ok()) std::from_chars(text, text + *length, pid);
  return pid;
}

Status InUse(const std::string& folder, int64_t pid) {
  return Status::Error(
             sqlstate::kObjectInUse,
             fmt::format("data directory {} is in use by the server with pid {}", folder, pid))
      .WithHint("Stop that server, or name another directory.");
}

// 55006 if a server that lives has it. Of one that was killed, the last processes and threads may
// just be ending.
Status WaitForLock(File& lock, const std::string& path, const std::string& folder) {
  const MonotonicNs patient_until = MonotonicNow() + kLockPatienceMs * kNanosecondsPerMillisecond;
  while (true) {
    const int locked = lock.TryLock();
    if (locked == 0) return {};
    if (locked != -EWOULDBLOCK) return FileError(fmt::format("lock {}", path), locked);
    const int64_t pid = PidIn(lock, path);
    if (ProcessLives(pid) || MonotonicNow() >= patient_until) return InUse(folder, pid);
    usleep(kLockLookEveryMs * 1000);
  }
}

// The text as a number, if it is one and nothing else.
std::optional<uint64_t> NumberIn(std::string_view text, int base) {
  uint64_t number = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number, base);
  if (error != std::errc() || end != text.data() + text.size()) return std::nullopt;
  return number;
}

}  // namespace

std::string CheckpointPath(const std::string& folder, uint64_t number) {
  return fmt::format("{}/checkpoint.{}", folder, number);
}

std::optional<uint64_t> CheckpointNumber(const std::string& name) {
  constexpr std::string_view kPrefix = "checkpoint.";
  if (!name.starts_with(kPrefix)) return std::nullopt;
  return NumberIn(std::string_view(name).substr(kPrefix.size()), 10);
}

Result<std::vector<uint64_t>> ListLogFiles(Files& files, const std::string& folder) {
  const std::string path = folder + "/" + kLogFolder;
  std::vector<std::string> names;
  if (const int listed = files.List(path, names); listed < 0) {
    return FileError(fmt::format("list {}", path), listed);
  }
  constexpr uint64_t kMostFiles = UINT64_MAX / uint64_t{kLogFileBytes};  // a place is a number
  std::vector<uint64_t> numbers;
  for (const std::string& name : names) {
    const std::optional<uint64_t> number = NumberIn(name, 16);
    const bool is_log = number && *number < kMostFiles &&
                        LogFilePath(folder, *number) == fmt::format("{}/{}", path, name);
    if (is_log) numbers.push_back(*number);
  }
  return numbers;
}

Result<std::vector<uint64_t>> DataDirectory::LogFiles() { return ListLogFiles(files_, folder_); }

Result<std::unique_ptr<DataDirectory>> DataDirectory::Open(Files& files, const EngineConfig& config,
                                                           uint32_t storage_slots) {
  std::unique_ptr<DataDirectory> directory(new DataDirectory(files, config.data_directory));
  const std::string& folder = directory->folder_;
  if (const int made = files.MakeFolder(folder); made < 0 && made != -EEXIST) {
    return FileError(fmt::format("make data directory {}", folder), made);
  }
  if (const int described = files.DescribeFolder(folder, directory->facts_); described < 0) {
    return FileError(fmt::format("look at data directory {}", folder), described);
  }
  CONNBENCH_RETURN_IF_ERROR(directory->CheckOwner());
  std::vector<std::string> names;
  if (const int listed = files.List(folder, names); listed < 0) {
    return FileError(fmt::format("list data directory {}", folder), listed);
  }
  const auto has = [&](std::string_view name) {
    return std::find(names.begin(), names.end(), name) != names.end();
  };
  const bool made_before = has(ControlFile::kName);
  // What is there before there is a control file.
  std::erase(names, kLockName);
  std::erase(names, fmt::format("{}.new", ControlFile::kName));
  if (!made_before && !names.empty()) {
    return Status::Error(sqlstate::kConfigFileError,
                         fmt::format("{} is no data directory of connbench: it holds \"{}\" but no "
                                     "file \"{}\"",
                                     folder, names.front(), ControlFile::kName))
        .WithHint("Name a directory that is empty, or does not exist.");
  }
  if (made_before) {  // before anything is written there
    CONNBENCH_RETURN_IF_ERROR(directory->CheckMode());
    CONNBENCH_ASSIGN_OR_RETURN(directory->control_, ReadControlFile(files, folder));
    CONNBENCH_RETURN_IF_ERROR(directory->CheckSettings(config, storage_slots));
  }
  CONNBENCH_RETURN_IF_ERROR(directory->Lock());
  if (made_before) {  // what the last server left
    CONNBENCH_ASSIGN_OR_RETURN(directory->control_, ReadControlFile(files, folder));
  }
  if (directory->is_new()) CONNBENCH_RETURN_IF_ERROR(directory->MakeNew(config, storage_slots));
  CONNBENCH_RETURN_IF_ERROR(directory->CheckWritable());
  return directory;
}

Result<std::unique_ptr<DataDirectory>> DataDirectory::OpenToRead(Files& files,
                                                                 const std::string& folder) {
  std::unique_ptr<DataDirectory> directory(new DataDirectory(files, folder));
  const std::string path = fmt::format("{}/{}", folder, kLockName);
  const int opened = files.Open(path, OpenMode::kRead, directory->lock_);
  if (opened < 0 && opened != -ENOENT) return FileError(fmt::format("open {}", path), opened);
  if (opened == 0) {
    CONNBENCH_RETURN_IF_ERROR(WaitForLock(*directory->lock_, path, folder));
  }
  CONNBENCH_ASSIGN_OR_RETURN(directory->control_, ReadControlFile(files, folder));
  return directory;
}

Status DataDirectory::Lock() {
  const std::string path = fmt::format("{}/{}", folder_, kLockName);
  CONNBENCH_ASSIGN_OR_RETURN(lock_, OpenFile(files_, path, OpenMode::kMakeOrUse));
  CONNBENCH_RETURN_IF_ERROR(WaitForLock(*lock_, path, folder_));
  return WriteWhole(*lock_, path, 0, fmt::format("{:<20}\n", getpid()));
}

// This and the next as PostgreSQL does, whose words they are.
Status DataDirectory::CheckOwner() {
  if (facts_.owner == geteuid()) return {};
  return Status::Error(sqlstate::kObjectNotInPrerequisiteState,
                       fmt::format("data directory {} has wrong ownership: it belongs to user {}, "
                                   "and this is user {}",
                                   folder_, facts_.owner, geteuid()))
      .WithHint("The server must be started by the user that owns the data directory.");
}

Status DataDirectory::CheckMode() {
  constexpr uint32_t kForbidden = 0027;
  if ((facts_.mode & kForbidden) == 0) return {};
  return Status::Error(sqlstate::kObjectNotInPrerequisiteState,
                       fmt::format("data directory {} has invalid permissions: its mode is {:04o}",
                                   folder_, facts_.mode))
      .WithDetail("Permissions should be u=rwx (0700) or u=rwx,g=rx (0750).")
      .WithHint(fmt::format("chmod 0700 {}", folder_));
}

Status DataDirectory::CheckWritable() {
  const std::string log_folder = folder_ + "/" + kLogFolder;
  const std::string probe = log_folder + "/" + kProbeName;
  std::vector<std::string> paths;
  CONNBENCH_ASSIGN_OR_RETURN(const std::vector<uint64_t> numbers, LogFiles());
  for (const uint64_t number : numbers) paths.push_back(LogFilePath(folder_, number));
  for (int spare = 0; spare < kSpareLogFiles; ++spare) {
    paths.push_back(SpareLogFilePath(folder_, spare));
  }
  paths.push_back(PagesPath(folder_));
  for (const std::string& path : paths) {
    std::unique_ptr<File> file;
    const int opened = files_.Open(path, OpenMode::kReadWrite, file);
    if (opened < 0 && opened != -ENOENT) {
      return FileError(fmt::format("open {} for writing", path), opened);
    }
  }
  {
    std::unique_ptr<File> file;
    const int opened = files_.Open(probe, OpenMode::kMakeOrUse, file);
    if (opened < 0) return FileError(fmt::format("make a file in {}", log_folder), opened);
  }
  const int removed = files_.Remove(probe);
  return removed < 0 ? FileError(fmt::format("remove {}", probe), removed) : Status::Ok();
}

Status DataDirectory::CheckSettings(const EngineConfig& config, uint32_t storage_slots) const {
  const std::string path = folder_ + "/" + ControlFile::kName;
  if (control_.page_bytes != kPageSize) {
    return Status::Error(
        sqlstate::kConfigFileError,
        fmt::format("{}, offset {}: the data directory has pages of {} bytes, and "
                    "this program has pages of {}",
                    path, offsetof(ControlFile, page_bytes), control_.page_bytes, kPageSize));
  }
  if (control_.storage_slots != storage_slots) {
    return Status::Error(
               sqlstate::kConfigFileError,
               fmt::format(
                   "data directory {} was made with max_relations={}, and the setting is {}",
                   folder_, control_.max_relations, config.max_relations))
        .WithHint(
            fmt::format("Start the server with --set max_relations={}.", control_.max_relations));
  }
  return {};
}

Status DataDirectory::MakeNew(const EngineConfig& config, uint32_t storage_slots) {
  if (const int made = files_.MakeFolderPrivate(folder_); made < 0) {
    return FileError(fmt::format("change the permissions of {}", folder_), made);
  }
  control_ = ControlFile{};
  control_.page_bytes = kPageSize;
  control_.storage_slots = storage_slots;
  control_.max_relations = static_cast<uint32_t>(config.max_relations);
  if (getrandom(&control_.log_number, sizeof control_.log_number, 0) !=
      sizeof control_.log_number) {
    return Status::System("getrandom", errno);
  }
  CONNBENCH_RETURN_IF_ERROR(WriteControlFile(files_, folder_, control_));
  const std::string log_folder = folder_ + "/" + kLogFolder;
  if (const int made = files_.MakeFolder(log_folder); made < 0 && made != -EEXIST) {
    return FileError(fmt::format("make {}", log_folder), made);
  }
  return SyncFolder(files_, folder_);
}

}  // namespace connbench::engine
