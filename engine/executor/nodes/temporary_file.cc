// Temporary files of sorts and stored rows.
#include "engine/executor/nodes/temporary_file.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <unistd.h>

#include <cerrno>
#include <cstdlib>
#include <string>

namespace connbench::engine {
namespace {

// A file without a name in $TMPDIR.
Result<int> OpenTemporaryFile() {
  const char* variable = std::getenv("TMPDIR");
  const std::string folder = variable != nullptr && *variable != '\0' ? variable : "/tmp";
  int file = open(folder.c_str(), O_TMPFILE | O_RDWR | O_CLOEXEC, 0600);
  if (file >= 0) return file;
  // Not every file system has O_TMPFILE.
  std::string path = folder + "/connbench-rows-XXXXXX";
  file = mkostemp(path.data(), O_CLOEXEC);
  if (file < 0) return Status::System("cannot create a temporary file in " + folder, errno);
  unlink(path.c_str());
  return file;
}

}  // namespace

Status TemporaryFile::Open() {
  CONNBENCH_ASSIGN_OR_RETURN(file_, OpenTemporaryFile());
  return {};
}

void TemporaryFile::Close() {
  if (file_ >= 0) close(file_);
  file_ = -1;
  size_ = 0;
}

Status TemporaryFile::Append(const char* bytes, size_t count) {
  while (count > 0) {
    const ssize_t written = pwrite(file_, bytes, count, size_);
    if (written < 0) {
      if (errno == EINTR) continue;
      if (errno == ENOSPC || errno == EDQUOT) {
        return Status::Error(sqlstate::kDiskFull, fmt::format("{} found no space", whose_))
            .WithHint("Free space in $TMPDIR, or raise work_mem.");
      }
      return Status::System(fmt::format("cannot write {}", whose_), errno);
    }
    bytes += written;
    count -= static_cast<size_t>(written);
    size_ += written;
  }
  return {};
}

Result<size_t> TemporaryFile::Read(int64_t offset, char* bytes, size_t count) const {
  while (true) {
    const ssize_t got = pread(file_, bytes, count, offset);
    if (got > 0) return static_cast<size_t>(got);
    if (got < 0 && errno == EINTR) continue;
    return Status::System(fmt::format("cannot read {}", whose_), errno);
  }
}

bool TemporaryFile::GiveBack(int64_t begin, int64_t end) {
  return fallocate(file_, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, begin, end - begin) == 0;
}

}  // namespace connbench::engine
