// The files of a data directory, as the kernel has them.
#include <dirent.h>
#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <cstring>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "engine/files/files.h"
#include "engine/files/kernel_ring.h"

namespace connbench::engine {
namespace {

// Nobody else's business, as in PostgreSQL's data directories.
constexpr mode_t kFileMode = 0600;
constexpr mode_t kFolderMode = 0700;

int Answer(int result) { return result < 0 ? -errno : 0; }

class KernelFile : public File {
 public:
  explicit KernelFile(int fd) : fd_(fd) {}
  ~KernelFile() override { close(fd_); }
  int64_t Read(int64_t offset, char* to, int64_t bytes) override {
    const ssize_t done = pread(fd_, to, static_cast<size_t>(bytes), offset);
    return done < 0 ? -errno : done;
  }
  int64_t Write(int64_t offset, const char* from, int64_t bytes) override {
    const ssize_t done = pwrite(fd_, from, static_cast<size_t>(bytes), offset);
    return done < 0 ? -errno : done;
  }
  int64_t Size() override {
    struct stat status {};
    return fstat(fd_, &status) < 0 ? -errno : status.st_size;
  }
  int Truncate(int64_t bytes) override { return Answer(ftruncate(fd_, bytes)); }
  int Sync() override { return Answer(fdatasync(fd_)); }
  int TryLock() override { return Answer(flock(fd_, LOCK_EX | LOCK_NB)); }
  int fd() const { return fd_; }

 private:
  int fd_;
};

class KernelReadRing : public ReadRing {
 public:
  int Open(uint32_t reads, int event_fd) { return ring_.Open(reads, event_fd); }
  int Begin(File& file, int64_t offset, char* to, int64_t bytes, uint64_t token) override {
    return ring_.Begin(static_cast<KernelFile&>(file).fd(), offset, to, bytes, token);
  }
  bool Next(bool wait, Ended& ended) override {
    return ring_.Next(wait, ended.token, ended.result);
  }

 private:
  KernelRing ring_;
};

int FlagsOf(OpenMode mode) {
  switch (mode) {
    case OpenMode::kRead:
      return O_RDONLY;
    case OpenMode::kReadWrite:
      return O_RDWR;
    case OpenMode::kMakeNew:
      return O_RDWR | O_CREAT | O_EXCL;
    case OpenMode::kMakeOrUse:
      return O_RDWR | O_CREAT;
  }
  return O_RDONLY;
}

class KernelFolder : public Files {
 public:
  int Open(const std::string& path, OpenMode mode, std::unique_ptr<File>& file) override {
    const int fd =
        open(path.c_str(), FlagsOf(mode) | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK, kFileMode);
    if (fd < 0) return -errno;
    file = std::make_unique<KernelFile>(fd);
    struct stat status {};
    if (fstat(fd, &status) < 0) return -errno;
    return S_ISREG(status.st_mode) ? 0 : -EINVAL;
  }
  int Rename(const std::string& from, const std::string& to) override {
    return Answer(rename(from.c_str(), to.c_str()));
  }
  int Remove(const std::string& path) override { return Answer(unlink(path.c_str())); }
  int MakeFolder(const std::string& path) override {
    return Answer(mkdir(path.c_str(), kFolderMode));
  }
  int DescribeFolder(const std::string& path, FolderFacts& facts) override {
    struct stat status {};
    if (stat(path.c_str(), &status) < 0) return -errno;
    facts = {.owner = status.st_uid, .mode = status.st_mode & 07777};
    return S_ISDIR(status.st_mode) ? 0 : -ENOTDIR;
  }
  int MakeFolderPrivate(const std::string& path) override {
    return Answer(chmod(path.c_str(), kFolderMode));
  }
  int SyncFolder(const std::string& path) override {
    const int fd = open(path.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (fd < 0) return -errno;
    const int result = Answer(fsync(fd));
    close(fd);
    return result;
  }
  int List(const std::string& path, std::vector<std::string>& names) override {
    DIR* folder = opendir(path.c_str());
    if (folder == nullptr) return -errno;
    names.clear();
    errno = 0;
    while (const dirent* entry = readdir(folder)) {
      if (std::strcmp(entry->d_name, ".") != 0 && std::strcmp(entry->d_name, "..") != 0) {
        names.emplace_back(entry->d_name);
      }
      errno = 0;
    }
    const int result = -errno;
    closedir(folder);
    return result;
  }
  int OpenRing(uint32_t reads, int event_fd, std::unique_ptr<ReadRing>& ring) override {
    auto made = std::make_unique<KernelReadRing>();
    const int opened = made->Open(reads, event_fd);
    if (opened == 0) ring = std::move(made);
    return opened;
  }
};

}  // namespace

Files& KernelFiles() {
  static KernelFolder files;
  return files;
}

}  // namespace connbench::engine
