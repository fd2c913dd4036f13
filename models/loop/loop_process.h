// A server process whose one thread is an event loop: how it hears that it, or a session, is to
// end.
//
// Safety: as models/loop/loop_task.h.
#pragma once

#include <functional>
#include <memory>
#include <utility>

#include "models/loop/epoll_loop.h"
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

// Watches for SIGUSR1, and calls what ends the sessions that were asked to.
class SessionEndTask : public LoopTask {
 public:
  // The signal must outlive the loop's Run().
  static Status AddTo(EpollLoop& loop, const SessionEndSignal& signal,
                      std::function<void()> end_sessions) {
    return loop.Add(std::make_unique<SessionEndTask>(signal, std::move(end_sessions)), signal.fd());
  }
  SessionEndTask(const SessionEndSignal& signal, std::function<void()> end_sessions)
      : signal_(signal), end_sessions_(std::move(end_sessions)) {}

  Outcome Serve(EventLoop& /*loop*/, std::span<char> /*buffer*/) override {
    signal_.Clear();
    end_sessions_();
    return stopping_ ? Outcome::kDone : Outcome::kIdle;
  }
  void RequestStop() override { stopping_ = true; }

 private:
  const SessionEndSignal& signal_;
  const std::function<void()> end_sessions_;
  bool stopping_ = false;
};

}  // namespace connbench::models
