// A server process whose one thread is an event loop: how it hears that it is to end.
//
// Safety: as models/reactor/loop_task.h.
#pragma once

#include "models/reactor/epoll_loop.h"
#include "models/server_process.h"

namespace connbench::models {

// Watches for SIGTERM, and asks the loop to stop.
class TerminationTask : public LoopTask {
 public:
  // The signal must outlive the loop's Run().
  static Status AddTo(EpollLoop& loop, const TerminationSignal& termination) {
    return loop.Add(std::make_unique<TerminationTask>(), termination.fd());
  }

  Outcome Serve(EventLoop& loop, std::span<char> /*buffer*/) override {
    if (!loop.stopping()) loop.RequestStop();
    return Outcome::kDone;
  }
  void RequestStop() override {}
};

}  // namespace connbench::models
