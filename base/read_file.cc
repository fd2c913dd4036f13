// Reads a file that a person has named.
#include "base/read_file.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <poll.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>

namespace connbench {
namespace {

class Descriptor {
 public:
  explicit Descriptor(int fd) : fd_(fd) {}
  ~Descriptor() {
    if (fd_ >= 0) close(fd_);
  }
  Descriptor(const Descriptor&) = delete;
  Descriptor& operator=(const Descriptor&) = delete;
  int get() const { return fd_; }

 private:
  int fd_;
};

std::string_view KindOf(mode_t mode) {
  if (S_ISDIR(mode)) return "is a directory";
  if (S_ISFIFO(mode)) return "is a pipe, not a file";
  if (S_ISSOCK(mode)) return "is a socket, not a file";
  return "is a device, not a file";
}

// Waits until the pipe has bytes or its end. Where nobody has opened it for writing yet, reading
// would give its end at once.
bool AwaitInput(int fd, MonotonicNs deadline) {
  while (true) {
    const MonotonicNs left = deadline - MonotonicNow();
    pollfd pipe = {fd, POLLIN, 0};
    const int timeout_ms =
        static_cast<int>(std::max<MonotonicNs>(left, 0) / kNanosecondsPerMillisecond);
    if (poll(&pipe, 1, timeout_ms) > 0) return true;
    if (left <= 0) return false;
  }
}

Result<std::string> Read(std::string_view what, const std::string& path, int64_t max_bytes,
                         bool may_be_pipe, MonotonicNs timeout_ns) {
  const MonotonicNs deadline = MonotonicNow() + timeout_ns;
  // Opening a pipe would wait for a writer, and opening some devices has effects of its own.
  const Descriptor file(open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY));
  if (file.get() < 0) {
    return Status::System(fmt::format("could not open {} \"{}\"", what, path), errno);
  }
  struct stat status = {};
  if (fstat(file.get(), &status) != 0) {
    return Status::System(fmt::format("could not look at {} \"{}\"", what, path), errno);
  }
  const auto refused = [&](std::string_view reason) {
    return Status::Error(sqlstate::kSystemError,
                         fmt::format("could not read {} \"{}\": it {}", what, path, reason));
  };
  const bool is_pipe = may_be_pipe && S_ISFIFO(status.st_mode);
  if (!S_ISREG(status.st_mode) && !is_pipe) return refused(KindOf(status.st_mode));
  const auto too_long = [&] { return refused(fmt::format("is longer than {} bytes", max_bytes)); };
  if (status.st_size > max_bytes) return too_long();
  std::string text;
  char buffer[16 << 10];
  while (true) {
    if (is_pipe && !AwaitInput(file.get(), deadline)) {
      return refused(fmt::format("is a pipe whose other end did not finish within {} s",
                                 timeout_ns / kNanosecondsPerSecond));
    }
    const ssize_t got = read(file.get(), buffer, sizeof(buffer));
    if (got < 0 && (errno == EINTR || (is_pipe && errno == EAGAIN))) continue;
    if (got < 0) return Status::System(fmt::format("could not read {} \"{}\"", what, path), errno);
    if (got == 0) return text;
    text.append(buffer, static_cast<size_t>(got));
    // It may grow while it is read.
    if (static_cast<int64_t>(text.size()) > max_bytes) return too_long();
  }
}

}  // namespace

Result<std::string> ReadNamedFile(std::string_view what, const std::string& path,
                                  int64_t max_bytes) {
  return Read(what, path, max_bytes, /*may_be_pipe=*/false, 0);
}

Result<std::string> ReadNamedFileOrPipe(std::string_view what, const std::string& path,
                                        int64_t max_bytes, MonotonicNs timeout_ns) {
  return Read(what, path, max_bytes, /*may_be_pipe=*/true, timeout_ns);
}

}  // namespace connbench
