// Wakes an epoll loop at regular intervals, so that its waits need no timeout of their own: the
// kernel's timer is then set once per tick and not once per wait.
//
// Safety: belongs to the thread whose epoll set it is in. Errors: Start says what the kernel
// refused.
#pragma once

#include <sys/epoll.h>
#include <sys/timerfd.h>
#include <unistd.h>

#include <cerrno>
#include <cstdint>

#include "base/clock.h"
#include "base/status.h"

namespace connbench::load {

class Ticker {
 public:
  Ticker() = default;
  ~Ticker() {
    if (fd_ >= 0) close(fd_);
  }
  Ticker(const Ticker&) = delete;
  Ticker& operator=(const Ticker&) = delete;

  // Puts it into the set; it does not tick yet.
  Status AddTo(int epoll_fd, uint64_t tag) {
    fd_ = timerfd_create(CLOCK_MONOTONIC, TFD_NONBLOCK | TFD_CLOEXEC);
    if (fd_ < 0) return Status::System("timerfd_create", errno);
    epoll_event event{};
    event.events = EPOLLIN;
    event.data.u64 = tag;
    if (epoll_ctl(epoll_fd, EPOLL_CTL_ADD, fd_, &event) == 0) return Status::Ok();
    return Status::System("epoll_ctl", errno);
  }
  // 0: it stops.
  void SetInterval(int64_t interval_ns) const {
    const timespec interval = {interval_ns / kNanosecondsPerSecond,
                               interval_ns % kNanosecondsPerSecond};
    const itimerspec ticks = {interval, interval};
    timerfd_settime(fd_, 0, &ticks, nullptr);
  }
  // A tick has been reported: the next one can be.
  void Take() const {
    uint64_t ticks = 0;
    [[maybe_unused]] const ssize_t got = read(fd_, &ticks, sizeof(ticks));
  }

 private:
  int fd_ = -1;
};

}  // namespace connbench::load
