// Whole reads and writes on top of Files.
#include "engine/files/whole.h"

#include <fmt/format.h>

#include <cerrno>
#include <cstring>

namespace connbench::engine {
namespace {

std::string PathBeside(const std::string& folder, const std::string& name) {
  return folder + "/" + name + ".new";
}

}  // namespace

Status FileError(const std::string& what, int negative_errno) {
  const int error = -negative_errno;
  return Status::Error(
      error == ENOSPC || error == EDQUOT ? sqlstate::kDiskFull : sqlstate::kIoError,
      fmt::format("could not {}: {}", what, std::strerror(error)));
}

Status DamagedFile(const std::string& path, int64_t offset, std::string_view what) {
  return Status::Error(sqlstate::kDataCorrupted,
                       fmt::format("{}, offset {}: {}", path, offset, what));
}

Result<std::unique_ptr<File>> OpenFile(Files& files, const std::string& path, OpenMode mode) {
  std::unique_ptr<File> file;
  const int result = files.Open(path, mode, file);
  if (result < 0) return FileError(fmt::format("open {}", path), result);
  return file;
}

Result<std::unique_ptr<File>> OpenExisting(Files& files, const std::string& path) {
  std::unique_ptr<File> file;
  const int result = files.Open(path, OpenMode::kRead, file);
  if (result == -ENOENT) return DamagedFile(path, 0, "the file is missing");
  if (result < 0) return FileError(fmt::format("open {}", path), result);
  return file;
}

Status WriteWhole(File& file, const std::string& path, int64_t offset, std::string_view bytes) {
  while (!bytes.empty()) {
    const int64_t done = file.Write(offset, bytes.data(), static_cast<int64_t>(bytes.size()));
    if (done == -EINTR) continue;
    if (done <= 0) {
      return FileError(fmt::format("write {} bytes to {} at offset {}", bytes.size(), path, offset),
                       done == 0 ? -EIO : static_cast<int>(done));
    }
    offset += done;
    bytes.remove_prefix(static_cast<size_t>(done));
  }
  return {};
}

Result<int64_t> ReadUpTo(File& file, const std::string& path, int64_t offset, char* to,
                         int64_t bytes) {
  int64_t total = 0;
  while (total < bytes) {
    const int64_t result = file.Read(offset + total, to + total, bytes - total);
    CONNBENCH_ASSIGN_OR_RETURN(const bool more, CountRead(path, offset, result, total));
    if (!more) break;
  }
  return total;
}

Result<bool> CountRead(const std::string& path, int64_t offset, int64_t result, int64_t& total) {
  if (result == -EINTR) return true;
  if (result < 0) {
    return FileError(fmt::format("read {} at offset {}", path, offset + total),
                     static_cast<int>(result));
  }
  total += result;
  return result > 0;
}

Status EndsTooEarly(const std::string& path, int64_t end, int64_t missing) {
  return DamagedFile(path, end, fmt::format("the file ends here, {} bytes too early", missing));
}

Status ReadWhole(File& file, const std::string& path, int64_t offset, char* to, int64_t bytes) {
  CONNBENCH_ASSIGN_OR_RETURN(const int64_t done, ReadUpTo(file, path, offset, to, bytes));
  if (done == bytes) return {};
  return EndsTooEarly(path, offset + done, bytes - done);
}

Status SyncFile(File& file, const std::string& path) {
  const int result = file.Sync();
  return result < 0 ? FileError(fmt::format("sync {}", path), result) : Status::Ok();
}

Status SyncFolder(Files& files, const std::string& path) {
  const int result = files.SyncFolder(path);
  return result < 0 ? FileError(fmt::format("sync {}", path), result) : Status::Ok();
}

Status WriteBeside(Files& files, const std::string& folder, const std::string& name,
                   std::string_view bytes) {
  const std::string made = PathBeside(folder, name);
  if (const int removed = files.Remove(made); removed < 0 && removed != -ENOENT) {
    return FileError(fmt::format("remove {}", made), removed);
  }
  CONNBENCH_ASSIGN_OR_RETURN(const std::unique_ptr<File> file,
                             OpenFile(files, made, OpenMode::kMakeNew));
  CONNBENCH_RETURN_IF_ERROR(WriteWhole(*file, made, 0, bytes));
  return SyncFile(*file, made);
}

Status PutInPlace(Files& files, const std::string& folder, const std::string& name) {
  const std::string made = PathBeside(folder, name);
  const std::string path = folder + "/" + name;
  if (const int renamed = files.Rename(made, path); renamed < 0) {
    return FileError(fmt::format("rename {} to {}", made, path), renamed);
  }
  return SyncFolder(files, folder);
}

}  // namespace connbench::engine
