// Writes the server's log without ever waiting for its reader.
#include "base/server_log.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <poll.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <cerrno>
#include <csignal>
#include <ctime>
#include <new>
#include <string>

namespace connbench {
namespace {

constexpr std::string_view kPrefix = "connbench: ";

// Lines that this process has dropped and not yet told of.
std::atomic<int64_t> dropped_lines{0};
// A child of fork inherits the count, but not the duty to tell.
std::atomic<pid_t> dropped_by{0};

// Blocks SIGPIPE for this thread while a line is written, and takes the one that the write has
// caused.
class PipeSignalBlocked {
 public:
  PipeSignalBlocked() {
    sigemptyset(&pipe_);
    sigaddset(&pipe_, SIGPIPE);
    sigset_t pending;
    sigpending(&pending);
    was_pending_ = sigismember(&pending, SIGPIPE) == 1;
    pthread_sigmask(SIG_BLOCK, &pipe_, &before_);
  }
  ~PipeSignalBlocked() {
    const timespec at_once = {};
    while (!was_pending_ && sigtimedwait(&pipe_, nullptr, &at_once) < 0 && errno == EINTR) {
    }
    pthread_sigmask(SIG_SETMASK, &before_, nullptr);
  }
  PipeSignalBlocked(const PipeSignalBlocked&) = delete;
  PipeSignalBlocked& operator=(const PipeSignalBlocked&) = delete;

 private:
  sigset_t pipe_;
  sigset_t before_;
  bool was_pending_ = false;
};

// stderr's own description is shared with whoever started the server: it is not ours to make
// non-blocking. So pipes and terminals are opened once more.
bool WriteWithoutWaiting(std::string_view text) {
  struct stat file = {};
  if (fstat(STDERR_FILENO, &file) != 0) return false;
  if (S_ISSOCK(file.st_mode)) {
    return send(STDERR_FILENO, text.data(), text.size(), MSG_DONTWAIT | MSG_NOSIGNAL) >= 0;
  }
  if (!S_ISFIFO(file.st_mode) && !S_ISCHR(file.st_mode)) {
    return write(STDERR_FILENO, text.data(), text.size()) >= 0;
  }
  const int own = open("/proc/self/fd/2", O_WRONLY | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
  if (own >= 0) {
    const bool written = write(own, text.data(), text.size()) >= 0;
    close(own);
    return written;
  }
  // Without a descriptor to spare: poll() says whether a pipe takes PIPE_BUF bytes.
  pollfd writable = {STDERR_FILENO, POLLOUT, 0};
  return poll(&writable, 1, 0) == 1 && (writable.revents & POLLOUT) != 0 &&
         write(STDERR_FILENO, text.data(), text.size()) >= 0;
}

void AppendPrintable(std::string& out, std::string_view text) {
  for (const char character : text) {
    const auto byte = static_cast<unsigned char>(character);
    if (byte < 0x20 || byte == 0x7f) {
      fmt::format_to(std::back_inserter(out), "\\x{:02x}", byte);
    } else {
      out.push_back(character);
    }
  }
}

bool Write(std::string_view line) {
  std::string text(kPrefix);
  AppendPrintable(text, line.substr(0, kMaxLogLineBytes));
  text.resize(std::min(text.size(), kMaxLogLineBytes - 1));
  text.push_back('\n');
  return WriteWithoutWaiting(text);
}

}  // namespace

void LogLine(std::string_view line) {
  const int saved_errno = errno;
  const PipeSignalBlocked blocked;
  const pid_t self = getpid();
  if (dropped_by.exchange(self, std::memory_order_relaxed) != self) dropped_lines.store(0);
  try {
    const int64_t dropped = dropped_lines.load(std::memory_order_relaxed);
    if (dropped > 0 &&
        Write(fmt::format("{} lines before this one were dropped, because nothing read the log",
                          dropped))) {
      dropped_lines.fetch_sub(dropped, std::memory_order_relaxed);
    }
    if (!Write(line)) dropped_lines.fetch_add(1, std::memory_order_relaxed);
  } catch (const std::bad_alloc&) {
    dropped_lines.fetch_add(1, std::memory_order_relaxed);
  }
  errno = saved_errno;
}

}  // namespace connbench
