// How a process or thread that accepts for itself waits for clients.
#include "models/accept_wait.h"

#include <sys/epoll.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <utility>

namespace connbench::models {
namespace {

// What an epoll event carries: the listener's index, or one of these.
constexpr uint64_t kTerminationTag = UINT64_MAX;
constexpr uint64_t kWakeTag = UINT64_MAX - 1;
constexpr uint64_t kSessionEndTag = UINT64_MAX - 2;

bool Watch(int epoll_fd, int fd, uint32_t events, uint64_t tag) {
  epoll_event event = {};
  event.events = events;
  event.data.u64 = tag;
  return epoll_ctl(epoll_fd, EPOLL_CTL_ADD, fd, &event) == 0;
}

}  // namespace

AcceptWait::~AcceptWait() {
  if (epoll_fd_ >= 0) close(epoll_fd_);
}

Status AcceptWait::Open(std::vector<Listener> listeners, int termination_fd, int wake_fd,
                        int session_end_fd) {
  listeners_ = std::move(listeners);
  termination_fd_ = termination_fd;
  wake_fd_ = wake_fd;
  epoll_fd_ = epoll_create1(EPOLL_CLOEXEC);
  if (epoll_fd_ < 0) return Status::System("epoll_create1", errno);
  bool watched = Watch(epoll_fd_, termination_fd, EPOLLIN, kTerminationTag);
  if (wake_fd >= 0) watched = watched && Watch(epoll_fd_, wake_fd, EPOLLIN, kWakeTag);
  if (session_end_fd >= 0) {
    watched = watched && Watch(epoll_fd_, session_end_fd, EPOLLIN, kSessionEndTag);
  }
  for (size_t i = 0; i < listeners_.size(); ++i) {
    watched = watched && Watch(epoll_fd_, listeners_[i].fd(), listeners_[i].wait_events(), i);
  }
  return watched ? Status() : Status::System("cannot wait at the listeners", errno);
}

AcceptWait::Event AcceptWait::Wait(const Listener*& listener, MonotonicNs deadline) {
  while (true) {
    int timeout_ms = -1;
    if (deadline != kNoDeadline) {
      const MonotonicNs left = deadline - MonotonicNow();
      if (left <= 0) return Event::kDeadline;
      timeout_ms =
          static_cast<int>(std::min<int64_t>(left / kNanosecondsPerMillisecond + 1, INT32_MAX));
    }
    // One at a time: what another listener has to offer stays with those who wait.
    epoll_event event;
    if (epoll_wait(epoll_fd_, &event, 1, timeout_ms) <= 0) continue;  // the clock decides
    if (event.data.u64 == kTerminationTag) return Event::kTermination;
    if (event.data.u64 == kSessionEndTag) return Event::kSessionEnd;
    if (event.data.u64 == kWakeTag) {
      uint64_t count = 0;
      (void)!read(wake_fd_, &count, sizeof(count));
      return Event::kWoken;
    }
    listener = &listeners_[event.data.u64];
    return Event::kClient;
  }
}

void AcceptWait::GoToTheEnd() {
  Pause(true);
  Pause(false);
}

void AcceptWait::Pause(bool paused) {
  if (paused == paused_) return;
  paused_ = paused;
  for (size_t i = 0; i < listeners_.size(); ++i) {
    const int fd = listeners_[i].fd();
    // EPOLLEXCLUSIVE cannot be modified: taken out, and put in again.
    if (paused) {
      epoll_ctl(epoll_fd_, EPOLL_CTL_DEL, fd, nullptr);
    } else {
      Watch(epoll_fd_, fd, listeners_[i].wait_events(), i);
    }
  }
}

}  // namespace connbench::models
