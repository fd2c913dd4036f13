// The load process's end of the control channel; the protocol is in load_result.h.
//
// Safety: one thread. Errors: a harness that is gone ends the run as if it were interrupted.
#pragma once

#include <atomic>
#include <cstdint>
#include <string_view>

namespace connbench::load {

class Control {
 public:
  // fd -1: nobody listens, and Event returns at once. stop may be null.
  Control(int fd, const std::atomic<bool>* stop) : fd_(fd), stop_(stop) {}

  // Tells of the event and waits for leave to go on. False: the harness is gone, or stop was
  // raised.
  bool Event(std::string_view name, int64_t open_connections);
  bool present() const { return fd_ >= 0; }

 private:
  int fd_;
  const std::atomic<bool>* stop_;
};

}  // namespace connbench::load
