// An event loop that asks the kernel which sockets are ready, by edge-triggered epoll, and then
// moves the bytes by recv() and send().
//
// Safety, bounds: as models/loop/event_loop.h. One epoll_wait() takes at most kEventsPerPoll.
#pragma once

#include <memory>

#include "models/loop/event_loop.h"

namespace connbench::models {

class EpollLoop : public EventLoop {
 public:
  using EventLoop::EventLoop;
  ~EpollLoop() override;

  Status Open() override;
  Result<LoopSocketHandle> OpenSocket(LoopTask& task, int fd) override;
  Result<LoopListenerHandle> OpenListener(LoopTask& task, const Listener& listener) override;

  // For tasks that read and write a descriptor by themselves: takes the task over and watches it:
  // readable, or ended by the other side. The descriptor must stay open as long as the task lives.
  // After an error the task is still the caller's.
  Status Add(std::unique_ptr<LoopTask>&& task, int fd);
  // Whether room in the socket of a task is news, too, beside what came.
  bool WatchWritable(LoopTask& task, int fd, bool writable);
  // For the task that is being served, on its fiber: sleeps until the socket takes more, or the
  // other side has ended. False: the task is to stop, or the deadline has passed.
  bool WaitWritable(int fd, MonotonicNs deadline);

  // Puts the listener's watch behind those of other loops.
  void WatchAgain(LoopTask& task, const Listener& listener);

 private:
  void Poll(MonotonicNs deadline) override;
  void Unwatch(int fd) override;
  Status Watch(LoopTask* task, int fd, uint32_t events);

  int epoll_fd_ = -1;
};

}  // namespace connbench::models
