#include "harness/load/control.h"

#include <fmt/format.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cerrno>
#include <string>

#include "base/clock.h"

namespace connbench::load {
namespace {

constexpr int kPollMs = 100;  // how soon a raised stop flag is seen

// The descriptor is a socket, or a pipe in tests; neither may end us with SIGPIPE.
ssize_t WriteSome(int fd, std::string_view bytes) {
  const ssize_t sent = send(fd, bytes.data(), bytes.size(), MSG_NOSIGNAL);
  if (sent >= 0 || errno != ENOTSOCK) return sent;
  return write(fd, bytes.data(), bytes.size());
}

}  // namespace

bool Control::Event(std::string_view name, int64_t open_connections) {
  if (fd_ < 0) return true;
  const std::string line = fmt::format("EVENT {} {} {}\n", name, open_connections, MonotonicNow());
  std::string_view rest = line;
  while (!rest.empty()) {
    const ssize_t written = WriteSome(fd_, rest);
    if (written < 0) {
      if (errno == EINTR) continue;
      return false;
    }
    rest.remove_prefix(static_cast<size_t>(written));
  }
  while (stop_ == nullptr || !stop_->load(std::memory_order_relaxed)) {
    pollfd waiting = {fd_, POLLIN, 0};
    const int ready = poll(&waiting, 1, kPollMs);
    if (ready < 0 && errno != EINTR) return false;
    if (ready <= 0) continue;
    char byte = 0;
    const ssize_t got = read(fd_, &byte, 1);
    if (got == 1) return true;
    if (got < 0 && (errno == EINTR || errno == EAGAIN)) continue;
    return false;
  }
  return false;
}

}  // namespace connbench::load
