// An event loop that asks the kernel which sockets are ready, by edge-triggered epoll.
#include "models/loop/epoll_loop.h"

#include <poll.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <string_view>
#include <utility>

#include "models/connection.h"

namespace connbench::models {
namespace {

constexpr int kEventsPerPoll = 128;

class EpollSocket final : public LoopSocket {
 public:
  EpollSocket(EpollLoop& loop, int fd) : loop_(loop), fd_(fd) {}

  [[gnu::hot]] Received Receive(std::span<char> buffer, size_t& count) override {
    count = 0;
    while (true) {
      const ssize_t got = recv(fd_, buffer.data(), buffer.size(), MSG_DONTWAIT);
      if (got > 0) {
        count = static_cast<size_t>(got);
        return Received::kBytes;
      }
      if (got < 0 && errno == EINTR) continue;
      return got < 0 && errno == EAGAIN ? Received::kNothing : Received::kEnded;
    }
  }
  // What comes is an edge, asked for or not.
  void AwaitInput() override {}

  [[gnu::hot]] Status Send(std::string& bytes) override {
    std::string_view rest(bytes);
    SendResult result = SendSome(fd_, rest);
    while (result == SendResult::kWouldBlock && loop_.WaitWritable(fd_, kNoDeadline)) {
      result = SendSome(fd_, rest);
    }
    bytes.clear();
    return result == SendResult::kSent ? Status() : ClientGone();
  }
  Status SendDownTo(std::string& bytes, size_t keep, MonotonicNs patience_ns) override {
    std::string_view rest(bytes);
    SendResult result = SendSome(fd_, rest);
    size_t left = bytes.size() + 1;
    MonotonicNs deadline = kNoDeadline;
    while (result == SendResult::kWouldBlock && rest.size() > keep) {
      // Every byte that it takes gives the client as long again.
      if (rest.size() < left && patience_ns != 0) deadline = MonotonicNow() + patience_ns;
      left = rest.size();
      if (!loop_.WaitWritable(fd_, deadline)) return ClientGone();
      result = SendSome(fd_, rest);
    }
    bytes.erase(0, bytes.size() - rest.size());
    return result == SendResult::kGone ? ClientGone() : Status();
  }
  Status Drain() override { return {}; }

  LoopTask::Peer LookAtPeer() const override {
    pollfd peer = {fd_, POLLRDHUP, 0};
    if (poll(&peer, 1, 0) <= 0) return LoopTask::Peer::kReads;
    if ((peer.revents & (POLLHUP | POLLERR)) != 0) return LoopTask::Peer::kGone;
    int domain = 0;
    socklen_t size = sizeof(domain);
    // A Unix socket that was closed says so.
    if (getsockopt(fd_, SOL_SOCKET, SO_DOMAIN, &domain, &size) == 0 && domain == AF_UNIX) {
      return LoopTask::Peer::kReads;
    }
    return LoopTask::Peer::kUnknown;
  }

  void Release() override {
    close(fd_);
    delete this;
  }

 private:
  EpollLoop& loop_;
  const int fd_;
};

class EpollListener final : public LoopListener {
 public:
  EpollListener(EpollLoop& loop, LoopTask& task, const Listener& listener)
      : loop_(loop), task_(task), listener_(listener) {}

  Listener::AcceptResult Accept(engine::ConnectionLog& log,
                                AcceptedConnection& connection) override {
    return listener_.Accept(log, connection);
  }
  void GoToTheEnd() override { loop_.WatchAgain(task_, listener_); }
  void Release() override { delete this; }

 private:
  EpollLoop& loop_;
  LoopTask& task_;
  const Listener listener_;
};

}  // namespace

EpollLoop::~EpollLoop() {
  if (epoll_fd_ >= 0) close(epoll_fd_);
}

Status EpollLoop::Open() {
  epoll_fd_ = epoll_create1(EPOLL_CLOEXEC);
  if (epoll_fd_ < 0) return Status::System("epoll_create1", errno);
  // Every ring is an edge: nobody needs to read the count.
  return Watch(nullptr, event_fd(), EPOLLIN);
}

Result<LoopSocketHandle> EpollLoop::OpenSocket(LoopTask& task, int fd) {
  CONNBENCH_RETURN_IF_ERROR(Watch(&task, fd, EPOLLIN | EPOLLRDHUP));
  return LoopSocketHandle(new EpollSocket(*this, fd));
}

Result<LoopListenerHandle> EpollLoop::OpenListener(LoopTask& task, const Listener& listener) {
  CONNBENCH_RETURN_IF_ERROR(Watch(&task, listener.fd(), listener.wait_events()));
  set_watched_fd(task, listener.fd());
  return LoopListenerHandle(new EpollListener(*this, task, listener));
}

void EpollLoop::WatchAgain(LoopTask& task, const Listener& listener) {
  Unwatch(listener.fd());
  // It was watched a moment ago, and its place is free.
  (void)Watch(&task, listener.fd(), listener.wait_events());
}

Status EpollLoop::Add(std::unique_ptr<LoopTask>&& task, int fd) {
  CONNBENCH_RETURN_IF_ERROR(Watch(task.get(), fd, EPOLLIN | EPOLLRDHUP));
  set_watched_fd(*task, fd);
  Adopt(std::move(task));
  return {};
}

Status EpollLoop::Watch(LoopTask* task, int fd, uint32_t events) {
  epoll_event event = {};
  event.events = events | EPOLLET;
  event.data.ptr = task;
  if (epoll_ctl(epoll_fd_, EPOLL_CTL_ADD, fd, &event) != 0) {
    return Status::System("epoll_ctl", errno);
  }
  return {};
}

void EpollLoop::Unwatch(int fd) { epoll_ctl(epoll_fd_, EPOLL_CTL_DEL, fd, nullptr); }

void EpollLoop::Poll(MonotonicNs deadline) {
  int timeout_ms = -1;
  if (deadline != kNoDeadline) {
    const MonotonicNs left = deadline == 0 ? 0 : deadline - MonotonicNow();
    // Rounded up, or the last part of a millisecond would be polled away.
    timeout_ms =
        left <= 0
            ? 0
            : static_cast<int>(std::min<int64_t>(left / kNanosecondsPerMillisecond + 1, INT32_MAX));
  }
  epoll_event events[kEventsPerPoll];
  const int count = epoll_wait(epoll_fd_, events, kEventsPerPoll, timeout_ms);
  for (int i = 0; i < count; ++i) {
    auto* task = static_cast<LoopTask*>(events[i].data.ptr);
    if (task == nullptr) {
      OnRung();
      continue;
    }
    // An end that came together with data has no edge of its own.
    const bool ended = (events[i].events & (EPOLLRDHUP | EPOLLHUP | EPOLLERR)) != 0;
    OnNews(*task, ended);
    // Those who sleep in the middle of something look whether they still have a client.
    if (ended || (events[i].events & EPOLLOUT) != 0) Wake(*task);
  }
}

bool EpollLoop::WaitWritable(int fd, MonotonicNs deadline) {
  LoopTask& task = *current();
  if (IsStopping(task) || !WatchWritable(task, fd, true)) return false;
  const bool in_time = Park(deadline);
  return WatchWritable(task, fd, false) && in_time && !IsStopping(task);
}

bool EpollLoop::WatchWritable(LoopTask& task, int fd, bool writable) {
  epoll_event event = {};
  event.events = EPOLLIN | EPOLLRDHUP | EPOLLET;
  if (writable) event.events |= EPOLLOUT;
  event.data.ptr = &task;
  return epoll_ctl(epoll_fd_, EPOLL_CTL_MOD, fd, &event) == 0;
}

}  // namespace connbench::models
