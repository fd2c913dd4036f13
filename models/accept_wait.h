// How a process or thread that accepts for itself waits for clients, when others wait at the same
// listeners: in an epoll set of its own with EPOLLEXCLUSIVE (unless accept_strategy says
// otherwise), so that one client wakes one of them and not the whole herd. Whoever does not wait at
// the moment is passed over.
//
// Safety: made and used by one thread; several processes have one each.
#pragma once

#include <vector>

#include "base/clock.h"
#include "base/status.h"
#include "models/listener.h"

namespace connbench::models {

class AcceptWait {
 public:
  AcceptWait() = default;
  ~AcceptWait();
  AcceptWait(const AcceptWait&) = delete;
  AcceptWait& operator=(const AcceptWait&) = delete;

  // termination_fd ends every wait; wake_fd (an eventfd, -1: none) does so, too, and is emptied;
  // session_end_fd (-1: none) likewise, but its owner takes what it says.
  Status Open(std::vector<Listener> listeners, int termination_fd, int wake_fd = -1,
              int session_end_fd = -1);

  enum class Event : uint8_t { kClient, kWoken, kSessionEnd, kTermination, kDeadline };
  // kClient: the listener with somebody waiting is *listener; whoever was faster may have him.
  Event Wait(const Listener*& listener, MonotonicNs deadline = kNoDeadline);
  // The other processes and threads that wait at the listeners have their turn first. The kernel
  // wakes who has waited there for longest, and that is the same one for ever: clients who come in
  // turn would all end with it.
  void GoToTheEnd();
  // Whether a client waits at the listeners now, whoever is to accept him.
  bool SomebodyWaits() const { return models::SomebodyWaits(listeners_); }
  // Stops looking at the listeners, until they are to be looked at again.
  void Pause(bool paused);

 private:
  std::vector<Listener> listeners_;
  int epoll_fd_ = -1;
  int termination_fd_ = -1;
  int wake_fd_ = -1;
  bool paused_ = false;
};

}  // namespace connbench::models
